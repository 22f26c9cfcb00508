//! The built program against servers it has never seen: they follow HubSpot's documented interface and make every other
//! legal choice than the simulated portal. Nothing here is shared with that portal, not even the HTTP.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expected by panicking"
)]

mod commands;
mod dashboard;
mod http;
mod manner;
#[expect(
    dead_code,
    reason = "the terminal of the other program tests, of which less is needed here"
)]
#[path = "../program/pty.rs"]
mod pty;
mod reads;
mod server;
mod shell;
mod truth;
mod writes;
