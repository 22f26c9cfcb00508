//! The built program, ended with SIGKILL at named moments and at random ones. Whatever it was doing, what it had
//! acknowledged is there afterwards, once, in the portal's own truth.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
#[expect(dead_code, reason = "each test uses its own part of the simulator")]
#[path = "../program/portal.rs"]
mod portal;
mod proxy;
mod random;

/// How large seeded tests are: 1 = a few seconds.
fn test_size() -> u32 {
    std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}
