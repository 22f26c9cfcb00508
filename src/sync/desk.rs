//! The way to the store: one desk for what writes, one for what people change, one for what only looks and one for what
//! counts, so that neither a screen nor a key ever waits for a page that is being written or for a look at a million
//! contacts. Calls run off the caller's thread, or inline where time is virtual.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    domain::{Fault, FaultKind},
    store::{self, Keeper, Reader, Store},
};

/// The connections to one data directory.
#[derive(Clone)]
pub struct Desk {
    writer: Place<Store>,
    keeper: Place<Keeper>,
    reader: Place<Reader>,
    counter: Place<Reader>,
    dir: store::Settings,
    inline: bool,
}

/// One connection. Whoever waits for it waits on a thread of the pool and not in a future: a future that was given its turn
/// and is not polled again, because whoever owns it waits for the same connection, would never give it up.
type Place<T> = Arc<Mutex<T>>;

impl Desk {
    /// Opens the store and what stands beside it. The notices are for people.
    pub fn open(settings: &store::Settings, inline: bool) -> Result<(Self, Vec<String>), Fault> {
        let opened = Store::open(settings)?;
        let desk = Self {
            writer: Arc::new(Mutex::new(opened.store)),
            keeper: Arc::new(Mutex::new(Keeper::open(settings)?)),
            reader: Arc::new(Mutex::new(Reader::open(settings)?)),
            counter: Arc::new(Mutex::new(Reader::open(settings)?)),
            dir: settings.clone(),
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
        self.run(&self.writer, work).await
    }

    /// Keeps what somebody changes: beside the writing, not behind it.
    pub async fn keep<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&mut Keeper) -> Result<T, Fault> + Send + 'static,
    {
        self.run(&self.keeper, work).await
    }

    /// Runs one look.
    pub async fn read<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&Reader) -> Result<T, Fault> + Send + 'static,
    {
        self.run(&self.reader, |reader| work(reader)).await
    }

    /// Runs a look that may take as long as there are contacts; no other look waits for it.
    pub async fn count<T, W>(&self, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnOnce(&Reader) -> Result<T, Fault> + Send + 'static,
    {
        self.run(&self.counter, |reader| work(reader)).await
    }

    /// Runs one look on this thread: for the start, when nobody waits yet.
    pub fn peek<T>(&self, work: impl FnOnce(&Reader) -> Result<T, Fault>) -> Result<T, Fault> {
        work(&self.reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Damage that somebody came upon is looked for, and mended, at the next start.
    fn noted(&self, fault: Fault) -> Fault {
        if fault.kind == FaultKind::Store && fault.what.contains("is damaged") {
            let _ = store::suspect_mirror(&self.dir);
        }
        fault
    }

    async fn run<C, T, W>(&self, place: &Place<C>, work: W) -> Result<T, Fault>
    where
        C: Send + 'static,
        T: Send + 'static,
        W: FnOnce(&mut C) -> Result<T, Fault> + Send + 'static,
    {
        let place = Arc::clone(place);
        let work = move || work(&mut place.lock().unwrap_or_else(PoisonError::into_inner));
        if self.inline {
            return work();
        }
        match tokio::task::spawn_blocking(work).await {
            Ok(Err(fault)) => Err(self.noted(fault)),
            Ok(outcome) => outcome,
            Err(failure) => Err(Fault::new(
                FaultKind::Bug,
                format!("work on the store ended early: {failure}"),
                "please report this",
            )),
        }
    }
}
