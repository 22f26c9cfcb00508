//! Signals as commands see them: SIGINT and SIGTERM end a command in order.

/// Resolves when the process is asked to end.
pub async fn asked_to_end() {
    ended_by().await;
}

/// Resolves with the exit code of the signal that asks the process to end: 130 or 143.
pub async fn ended_by() -> u8 {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = tokio::signal::ctrl_c() => 130,
                _ = terminate.recv() => 143,
            };
        }
    }
    let _ = tokio::signal::ctrl_c().await;
    130
}
