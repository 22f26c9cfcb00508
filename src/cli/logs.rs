//! Logs go to files under the data directory, never to the screen the dashboard draws on. One file a day, private as
//! everything there is; a process that runs over midnight stays in the file it began.

use std::path::Path;

use jiff::{Timestamp, tz::TimeZone};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use crate::{
    domain::{Fault, FaultKind},
    store,
};

use super::wiring::Wiring;

/// How many days are kept.
const KEEP: usize = 14;

/// Starts logging; what is logged is on disk once the guard is dropped.
///
/// # Errors
/// The directory or the file cannot be made, or the filter cannot be read.
pub fn start(wiring: &Wiring, now: Timestamp) -> Result<WorkerGuard, Fault> {
    let filter = wiring.log_filter();
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        let what = format!("the log filter '{filter}' cannot be read: {error}");
        Fault::new(FaultKind::Usage, what, "use 'info' or 'dealdeck=trace'")
    })?;
    let dir = wiring.dir().join("logs");
    let day = now.to_zoned(TimeZone::UTC).date();
    let file = store::private_dir(wiring.dir())
        .and_then(|()| store::private_dir(&dir))
        .and_then(|()| store::private_append(&dir.join(format!("dealdeck.{day}.log"))))
        .map_err(|error| {
            let what = format!("no log can be written in '{}': {error}", dir.display());
            Fault::new(FaultKind::Store, what, "check the data directory")
        })?;
    forget_old(&dir);
    let (writer, guard) = tracing_appender::non_blocking(file);
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = if wiring.log_is_json() {
        log.json().try_init()
    } else {
        log.try_init()
    };
    Ok(guard)
}

/// Removes all but the newest days; their names sort by date.
fn forget_old(dir: &Path) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let is_log = |path: &Path| path.extension().is_some_and(|ending| ending == "log");
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| is_log(path))
        .collect();
    files.sort_unstable();
    for old in files.iter().rev().skip(KEEP) {
        let _ = std::fs::remove_file(old);
    }
}
