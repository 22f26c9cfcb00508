//! The built program as its users meet it: the dashboard in a real terminal, the commands in a shell, against the simulated
//! portal as a server of its own.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test says what it expected by panicking")]

mod budget;
mod canary;
mod commands;
mod contacts;
mod dashboard;
#[expect(clippy::disallowed_methods, reason = "it ends the program after random times")]
mod import;
mod outbox;
mod portal;
mod pty;
mod setup;
