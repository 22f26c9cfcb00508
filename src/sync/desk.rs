//! The way to the store: one desk for what writes, one for what only looks, one for what counts, so that a screen never
//! waits for a page that is being written or for a look at a million contacts. Calls run off the caller's thread, or inline where time is virtual.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    domain::{Fault, FaultKind},
    store::{self, Reader, Store},
};

/// The connections to one data directory.
#[derive(Clone)]
pub struct Desk {
    writer: Arc<Mutex<Store>>,
    reader: Arc<Mutex<Reader>>,
    counter: Arc<Mutex<Reader>>,
    inline: bool,
}

impl Desk {
    /// Opens the store and its reader. The notices are for people.
    pub fn open(settings: &store::Settings, inline: bool) -> Result<(Self, Vec<String>), Fault> {
        let opened = Store::open(settings)?;
        let (reader, counter) = (Reader::open(settings)?, Reader::open(settings)?);
        let desk = Self {
            writer: Arc::new(Mutex::new(opened.store)),
            reader: Arc::new(Mutex::new(reader)),
            counter: Arc::new(Mutex::new(counter)),
            inline,
        };
        Ok((desk, opened.notices))
    }

    /// Runs one piece of writing.
    pub async fn write<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&mut Store) -> Result<T, Fault> + Send + 'static,
    {
        let writer = Arc::clone(&self.writer);
        self.run(move || work(&mut writer.lock().unwrap_or_else(PoisonError::into_inner)))
            .await
    }

    /// Runs one look.
    pub async fn read<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&Reader) -> Result<T, Fault> + Send + 'static,
    {
        let reader = Arc::clone(&self.reader);
        self.run(move || work(&reader.lock().unwrap_or_else(PoisonError::into_inner)))
            .await
    }

    /// Runs a look that may take as long as there are contacts; no other look waits for it.
    pub async fn count<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&Reader) -> Result<T, Fault> + Send + 'static,
    {
        let counter = Arc::clone(&self.counter);
        self.run(move || work(&counter.lock().unwrap_or_else(PoisonError::into_inner)))
            .await
    }

    /// Runs one look on this thread: for the start, when nobody waits yet.
    pub fn peek<T>(&self, work: impl FnOnce(&Reader) -> Result<T, Fault>) -> Result<T, Fault> {
        work(&self.reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn run<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce() -> Result<T, Fault> + Send + 'static,
    {
        if self.inline {
            return work();
        }
        match tokio::task::spawn_blocking(work).await {
            Ok(outcome) => outcome,
            Err(failure) => Err(Fault::new(
                FaultKind::Bug,
                format!("work on the store ended early: {failure}"),
                "please report this",
            )),
        }
    }
}
