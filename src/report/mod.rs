//! Numbers as text.
