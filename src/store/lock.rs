//! Who sends: an advisory lock of the operating system on `dealdeck.lock`. The kernel frees it when the process ends,
//! however it ends, so a killed process never leaves the store locked.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use super::{Error, Result, files};

const NAME: &str = "dealdeck.lock";

/// Held by the one process that syncs and sends; freed when dropped or when the process dies.
#[derive(Debug)]
pub struct Lock {
    /// The open file is the lock.
    _file: File,
}

impl Lock {
    /// Takes the lock of the data directory; `None` while another process (or another part of this one) holds it.
    ///
    /// # Errors
    /// [`Error::Io`] when the directory or the file cannot be used.
    pub fn try_take(dir: &Path) -> Result<Option<Self>> {
        let (dir, _) = files::directory(dir)?;
        let path = dir.join(NAME);
        let file = files::private(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::Io { path, source }),
        }
    }
}
