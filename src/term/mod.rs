//! All that is impure about a terminal.
