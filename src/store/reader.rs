//! Connections beside the writing one: those that only read, so that what a screen asks for never waits for a write, and
//! the one that keeps what people change, so that no key waits for a page that is being written.

use super::{MirrorView, Outbox, OutboxView, Result, Settings, files};

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

/// What people change is kept here, and checked against the copy of HubSpot as it is. `Send`, not `Sync`.
#[derive(Debug)]
pub struct Keeper {
    /// What must reach HubSpot.
    pub outbox: Outbox,
    /// The copy of HubSpot.
    pub mirror: MirrorView,
}

impl Keeper {
    /// Opens the outbox for writing and the mirror for reading; [`super::Store::open`] must have made them.
    ///
    /// # Errors
    /// When a file is missing or cannot be read.
    pub fn open(settings: &Settings) -> Result<Self> {
        let (dir, _) = files::directory(&settings.dir)?;
        Ok(Self {
            outbox: Outbox::open_again(&dir)?,
            mirror: MirrorView::open(&dir)?,
        })
    }
}
