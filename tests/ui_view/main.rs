//! What the dashboard draws, cell by cell: a grid of snapshots, the rules every screen keeps, and the bytes that reach a
//! terminal.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what went wrong by failing"
)]

mod bytes;
mod grid;
mod rules;
mod scenes;
mod screens;
