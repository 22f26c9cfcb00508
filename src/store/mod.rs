//! What must survive. Three SQLite files in one directory: `outbox.db` (operations, undo stack, drafts: precious, flushed
//! to the disk at every commit), `mirror.db` (a copy of HubSpot: disposable, can be deleted and read again) and
//! `budget.db` (slots of the rate windows: worth nothing after a power loss).
//!
//! Several processes may open the same directory: all of them read and keep operations, only the holder of [`Lock`] syncs
//! and sends. No transaction spans two files, and none needs to: what an operation changes on the screen is computed from
//! the operation, never written into the mirror.
//!
//! This room refuses to read a clock (every call that needs the time is given it), to talk to HubSpot, to decide what is
//! sent next or how a failure is retried, and to let a query be text: values only ever travel as bound parameters.

mod error;
mod files;
mod lock;
mod mirror;
mod moment;
mod outbox;
mod private;
mod reader;
mod slots;
mod sql;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use error::{Error, Result};
pub use lock::Lock;
pub use mirror::{Changed, Due, KeptCount, Mirror, MirrorView, PastChange, Put, Query, Sort, SortKey, Via, watched};
pub use moment::{Moment, reached};
pub use outbox::{Kept, KeptContacts, NewOperation, Outbox, OutboxFilter, OutboxView, Outcome, Pushing};
pub use private::{check_private, private_append, private_dir, write_private};
pub use reader::{Keeper, Reader};
pub use slots::{LearntLimits, LearntWindow, Slots};

/// Where the store lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The data directory; made with mode 0700 when it is missing.
    pub dir: PathBuf,
}

/// The two connections that write. `Send`, not `Sync`: one thread at a time owns them.
#[derive(Debug)]
pub struct Store {
    /// What must reach HubSpot.
    pub outbox: Outbox,
    /// The copy of HubSpot.
    pub mirror: Mirror,
}

/// A store that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What people should hear about: a mirror that was damaged and starts afresh, a mode that was tightened.
    pub notices: Vec<String>,
    /// The mirror was damaged: it holds nothing until the next sync.
    pub was_damaged: bool,
}

/// Checks the whole mirror beside everybody who uses it. A damaged one is rebuilt at the next start, which is told here.
///
/// # Errors
/// [`Error::Damaged`] when it is.
pub fn check_mirror(settings: &Settings) -> Result<()> {
    let (dir, _) = files::directory(&settings.dir)?;
    let checked = files::check_whole(&dir, files::MIRROR);
    if matches!(checked, Err(Error::Damaged { .. })) {
        files::suspect(&dir, files::MIRROR)?;
    }
    checked
}

/// Somebody came upon damage in the store: the next start checks the mirror whole.
///
/// # Errors
/// When that cannot be written down.
pub fn suspect_mirror(settings: &Settings) -> Result<()> {
    let (dir, _) = files::directory(&settings.dir)?;
    files::suspect(&dir, files::MIRROR)
}

impl Store {
    /// Opens both files, making what is missing. A damaged mirror is moved aside and started afresh (a notice says so).
    ///
    /// # Errors
    /// [`Error::Damaged`] for a damaged outbox, [`Error::DamagedInUse`] for a damaged mirror that another process goes on
    /// filling, [`Error::Locked`] when another process holds a file for too long,
    /// [`Error::Full`], [`Error::Io`]; [`Error::Foreign`] when the directory is another user's.
    pub fn open(settings: &Settings) -> Result<Opened> {
        let (dir, mut notices) = files::directory(&settings.dir)?;
        let outbox = Outbox::open(&dir)?;
        let (mirror, notice) = Mirror::open(&dir)?;
        let was_damaged = notice.is_some();
        notices.extend(notice);
        Ok(Opened {
            store: Self { outbox, mirror },
            notices,
            was_damaged,
        })
    }
}
