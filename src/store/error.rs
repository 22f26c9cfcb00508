//! What can go wrong in the store, and how people hear of it.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

use crate::domain::{Fault, FaultKind, ObjectType, OpId, OpState};

/// A result of this room.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the store could not do it. Whatever was committed before stays; the failed transaction left nothing behind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No room on the disk.
    #[error("the disk is full")]
    Full,
    /// A file that SQLite cannot trust.
    #[error("'{file}' is damaged: {detail}")]
    Damaged {
        /// Its name.
        file: String,
        /// SQLite's words.
        detail: String,
    },
    /// A file that can be read anew, were it not for another process that goes on using it.
    #[error("'{file}' is damaged and another dealdeck uses it: {detail}")]
    DamagedInUse {
        /// Its name.
        file: String,
        /// SQLite's words.
        detail: String,
    },
    /// Another process held a file for longer than we wait.
    #[error("another process holds the store")]
    Locked,
    /// The data directory belongs to another user.
    #[error("the data directory '{}' belongs to another user", .0.display())]
    Foreign(PathBuf),
    /// A newer version of the program wrote the file.
    #[error("'{0}' was written by a newer version of dealdeck")]
    Newer(String),
    /// The SQLite library has a known bug that damages files.
    #[error("SQLite '{0}' may damage a store that several processes use")]
    OldSqlite(String),
    /// The file system cannot hold a store that several processes use.
    #[error("'{0}' is on a file system that cannot be shared safely")]
    FileSystem(String),
    /// There is no such operation.
    #[error("no operation '{0}'")]
    Missing(OpId),
    /// A state that must not follow.
    #[error("operation '{op}' cannot go from {} to {}", .from.word(), .to.word())]
    Transition {
        /// Which operation.
        op: OpId,
        /// Where it is.
        from: OpState,
        /// Where it may not go.
        to: OpState,
    },
    /// Another operation of the same record is in the way.
    #[error("operation '{op}' has to wait for another one of the same record")]
    Blocked {
        /// Which operation.
        op: OpId,
    },
    /// Somebody else took over the sending.
    #[error("another process took over sending (epoch {current}, ours was {mine})")]
    Stale {
        /// The epoch the caller holds.
        mine: u64,
        /// The epoch of the store.
        current: u64,
    },
    /// It was undone before.
    #[error("operation '{0}' was undone before")]
    Undone(OpId),
    /// A list is finished that was never begun.
    #[error("no list of {0} is being read")]
    NotRelisting(ObjectType),
    /// A listing the mirror has no columns for.
    #[error("{0}")]
    Query(String),
    /// Not where a page ended in this order.
    #[error("'{0}' is not the end of a page in this order")]
    After(String),
    /// A text in the store that is not what this version writes there.
    #[error("unreadable row in the store: {0}")]
    Row(String),
    /// The file system refuses.
    #[error("'{}': {source}", .path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Anything else SQLite says.
    #[error("the store refuses: {0}")]
    Sqlite(rusqlite::Error),
}

impl Error {
    /// Wraps a failure of the file system.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io { path, source },
        }
    }

    fn kind(&self) -> FaultKind {
        match self {
            Self::Locked | Self::Stale { .. } => FaultKind::Busy,
            Self::Missing(_) | Self::Foreign(_) | Self::Query(_) | Self::After(_) => FaultKind::Usage,
            Self::Transition { .. } | Self::Blocked { .. } | Self::Undone(_) => FaultKind::Refused,
            Self::OldSqlite(_) | Self::NotRelisting(_) => FaultKind::Bug,
            _ => FaultKind::Store,
        }
    }

    fn next(&self) -> &'static str {
        match self {
            Self::Full => "free some space, then try again; nothing was lost and nothing was sent",
            Self::Damaged { .. } | Self::Row(_) => {
                "keep a copy and move it away: dealdeck then starts with an empty one, and what it held is not sent"
            }
            Self::DamagedInUse { .. } => {
                "close the other dealdeck, then start again: the file is moved away and made anew"
            }
            Self::Locked => "close the other dealdeck or wait a moment, then try again",
            Self::Stale { .. } => "the other process goes on sending; nothing was lost",
            Self::Foreign(_) => "choose another one with --data-dir",
            Self::Newer(_) => "update dealdeck",
            Self::OldSqlite(_) => "build dealdeck with its bundled SQLite",
            Self::FileSystem(_) => "choose a local directory with --data-dir",
            Self::Missing(_) => "`dealdeck outbox` lists the operations",
            Self::Transition { .. } | Self::Blocked { .. } => "look at it with `dealdeck outbox`",
            Self::Query(_) => "choose another field",
            Self::After(_) => "give what the page before named, with the same --sort",
            Self::NotRelisting(_) => "please report it",
            Self::Undone(_) => "there is nothing left to undo",
            Self::Io { .. } | Self::Sqlite(_) => "check the data directory and its permissions",
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged {
                file: "mirror.db or outbox.db".into(),
                detail: error.to_string(),
            },
            _ => Self::Sqlite(error),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Row(error.to_string())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.to_string(), error.next())
    }
}
