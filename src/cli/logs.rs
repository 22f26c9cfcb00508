//! Logs go to files under the data directory, never to the screen the dashboard draws on.

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use crate::{
    domain::{Fault, FaultKind},
    store,
};

use super::wiring::Wiring;

/// How many daily files are kept.
const KEEP: usize = 14;

/// Starts logging; what is logged is on disk once the guard is dropped.
///
/// # Errors
/// The directory cannot be made, or the filter cannot be read.
pub fn start(wiring: &Wiring) -> Result<WorkerGuard, Fault> {
    let dir = wiring.dir().join("logs");
    store::private_dir(&dir).map_err(|error| {
        Fault::new(
            FaultKind::Store,
            format!("'{}' cannot be made: {error}", dir.display()),
            "check the data directory",
        )
    })?;
    let filter = wiring.log_filter();
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Fault::new(
            FaultKind::Usage,
            format!("the log filter '{filter}' cannot be read: {error}"),
            "use 'info' or 'dealdeck=trace'",
        )
    })?;
    let files = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix("dealdeck")
        .filename_suffix("log")
        .max_log_files(KEEP)
        .build(&dir)
        .map_err(|error| {
            Fault::new(
                FaultKind::Store,
                format!("no log can be written: {error}"),
                "check the data directory",
            )
        })?;
    let (writer, guard) = tracing_appender::non_blocking(files);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer)
        .try_init();
    Ok(guard)
}
