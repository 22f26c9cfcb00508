//! Connections that only read, so that what a screen asks for never waits for a write.

use super::{MirrorView, OutboxView, Result, Settings, files};

/// One reader of both files. `Send`, not `Sync`: each thread opens its own.
#[derive(Debug)]
pub struct Reader {
    /// What is on its way to HubSpot.
    pub outbox: OutboxView,
    /// The copy of HubSpot.
    pub mirror: MirrorView,
}

impl Reader {
    /// Opens both files for reading; [`super::Store::open`] must have made them.
    ///
    /// # Errors
    /// When a file is missing or cannot be read.
    pub fn open(settings: &Settings) -> Result<Self> {
        let (dir, _) = files::directory(&settings.dir)?;
        Ok(Self {
            outbox: OutboxView::open(&dir)?,
            mirror: MirrorView::open(&dir)?,
        })
    }
}
