//! One file per command; ties concrete parts together.
