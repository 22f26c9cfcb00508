//! The way to the store: one desk for what writes, one for what people change, one for what only looks and one for what
//! counts, so that neither a screen nor a key ever waits for a page that is being written or for a look at a million
//! contacts. Calls run off the caller's thread, or inline where time is virtual.

mod hand;

use std::sync::{Arc, Mutex, PoisonError};

use self::hand::Hand;
use super::{
    Settings,
    gate::{Call, StoreGate},
};
use crate::{
    domain::{Fault, FaultKind},
    store::{self, Keeper, Reader, Store},
};

/// The connections to one data directory.
#[derive(Clone)]
pub struct Desk {
    writer: Arc<Place<Store>>,
    keeper: Arc<Place<Keeper>>,
    reader: Arc<Place<Reader>>,
    counter: Arc<Place<Reader>>,
    dir: store::Settings,
    gate: StoreGate,
    /// The mirror was damaged when it was opened, and holds nothing now.
    pub was_damaged: bool,
}

/// One connection and who works with it; nobody where calls run inline.
struct Place<C> {
    call: Call,
    conn: Arc<Mutex<C>>,
    hand: Option<Hand>,
}

impl<C> Place<C> {
    fn new(conn: C, call: Call, inline: bool) -> Result<Arc<Self>, Fault> {
        let hand = (!inline)
            .then(|| Hand::hire(call.word()))
            .transpose()
            .map_err(|error| {
                let what = format!("no thread could be started: {error}");
                Fault::new(FaultKind::Store, what, "end other programs, then try again")
            })?;
        Ok(Arc::new(Self {
            call,
            conn: Arc::new(Mutex::new(conn)),
            hand,
        }))
    }
}

impl Desk {
    /// Opens the store and what stands beside it. The notices are for people.
    pub fn open(place: &store::Settings, settings: &Settings) -> Result<(Self, Vec<String>), Fault> {
        let (inline, drill) = (settings.inline_store, settings.drill);
        let mut opened = Store::open(place)?;
        let (mut keeper, mut reader) = (Keeper::open(place)?, Reader::open(place)?);
        opened.store.outbox.drill(drill);
        keeper.outbox.drill(drill);
        reader.outbox.drill(drill);
        let desk = Self {
            writer: Place::new(opened.store, Call::Write, inline)?,
            keeper: Place::new(keeper, Call::Keep, inline)?,
            reader: Place::new(reader, Call::Read, inline)?,
            counter: Place::new(Reader::open(place)?, Call::Count, inline)?,
            dir: place.clone(),
            gate: settings.store_gate.clone(),
            was_damaged: opened.was_damaged,
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
        work(&self.reader.conn.lock().unwrap_or_else(PoisonError::into_inner))
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
        self.gate.pass(place.call)?;
        let conn = Arc::clone(&place.conn);
        let work = move || work(&mut conn.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(hand) = &place.hand else {
            return work();
        };
        match hand.run(work).await {
            Some(Err(fault)) => Err(self.noted(fault)),
            Some(outcome) => outcome,
            None => Err(Fault::new(
                FaultKind::Bug,
                "work on the store ended early",
                "please report this",
            )),
        }
    }
}
