//! Signals that end the program or bring it back.

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// End, with this exit code.
    End(u8),
    /// We were stopped and go on: the screen is unknown.
    Continue,
}

/// Exit code after SIGINT.
pub const INTERRUPTED: u8 = 130;
/// Exit code after SIGTERM.
pub const TERMINATED: u8 = 143;
/// Exit code after the terminal went away (SIGHUP).
pub const HUNG_UP: u8 = 129;

/// The signals of this process.
#[cfg(unix)]
pub struct Signals {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
    hang_up: Option<tokio::signal::unix::Signal>,
    go_on: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Starts listening. A signal that cannot be listened to keeps its usual effect.
    #[must_use]
    pub fn listen() -> Self {
        use rustix::process::Signal;
        use tokio::signal::unix::{SignalKind, signal};
        let on = |kind: SignalKind| signal(kind).ok();
        Self {
            interrupt: on(SignalKind::interrupt()),
            terminate: on(SignalKind::terminate()),
            hang_up: on(SignalKind::hangup()),
            go_on: on(SignalKind::from_raw(Signal::CONT.as_raw())),
        }
    }

    /// The next signal.
    pub async fn next(&mut self) -> Asked {
        async fn of(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => {
                    signal.recv().await;
                }
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = of(&mut self.terminate) => Asked::End(TERMINATED),
            () = of(&mut self.interrupt) => Asked::End(INTERRUPTED),
            () = of(&mut self.hang_up) => Asked::End(HUNG_UP),
            () = of(&mut self.go_on) => Asked::Continue,
        }
    }
}

/// The signals of this process.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Starts listening.
    #[must_use]
    pub fn listen() -> Self {
        Self
    }

    /// The next signal.
    pub async fn next(&mut self) -> Asked {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Asked::End(INTERRUPTED),
            Err(_) => std::future::pending().await,
        }
    }
}
