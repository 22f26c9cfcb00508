//! One day of work: a small account, a process that comes and goes, a person, colleagues, and everything that can go
//! wrong, all drawn from one seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use dealdeck::{
    domain::{Bug, Deal, DealId, Drill, Event, Fault, ObjectType, OpId, OpState, Receipt, StageId},
    hubspot::{self, Client},
    portal::{self, Portal},
    store::Reader,
    sync::{Engine, Handle, StoredSlots},
};
use jiff::Timestamp;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::{sync::broadcast, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    common::{self, World},
    disk::{self, Disk},
    invariants::{Book, Invariant},
    wire::{Way, Wire},
};

/// What tells the token from everything else that is ever written down.
pub const CANARY: &str = "pat-na1-0c4a4a7e-7e57-4bad-8bad-c0ffee000025";
/// Fifty minutes before midnight of the account: a spent day is not the end of everything.
const BEGIN: &str = "2026-11-23T04:10:00Z";

/// How a day is.
#[derive(Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    pub bug: Option<Bug>,
    /// The day may end when this promise is broken.
    pub until: Option<Invariant>,
    pub steps: u32,
    /// Of a hundred requests, so many fail.
    pub faults: u32,
}

/// A process on the disk.
pub struct Process {
    pub handle: Handle,
    events: broadcast::Receiver<Event>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Process {
    pub async fn end(self) {
        self.stop.cancel();
        let _ = self.task.await;
    }

    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

pub struct Day {
    pub plan: Plan,
    pub world: World,
    pub wire: Arc<Wire>,
    pub book: Arc<Book>,
    pub disk: Arc<Mutex<Disk>>,
    pub rng: ChaCha8Rng,
    pub process: Option<Process>,
    pub second: Option<Process>,
    /// Another account, whose token may be put in the place of ours.
    pub other: Portal,
    pub deals: Vec<(DealId, Vec<StageId>)>,
    /// What the person was told is saved.
    pub acknowledged: Vec<OpId>,
    /// Operations in the order in which they were first heard of: their names in the log.
    pub names: BTreeMap<OpId, usize>,
    /// The text of each note.
    pub notes: BTreeMap<OpId, String>,
    /// Properties that somebody else changed, or of which nobody can say what was wanted last.
    pub murky: BTreeSet<(String, String)>,
    /// Records that colleagues archived or merged.
    pub lost: BTreeSet<String>,
    /// The newest version of each deal the mirror ever had.
    pub versions: BTreeMap<String, Option<Timestamp>>,
    /// Operations whose landing was looked at.
    pub landed: BTreeSet<OpId>,
    /// Everything people were told.
    pub told: Vec<String>,
    pub foreign: bool,
    /// How many hours the wall clock is off, and was at most.
    pub clock_is: i64,
    pub clock_was: i64,
    /// Operations of a mirror that was lost since.
    pub forgotten: BTreeSet<OpId>,
    /// A look into the store that is kept open: opening one costs more than looking.
    pub eyes: Option<Reader>,
    /// When each deal was created; nothing for one that HubSpot does not speak of any more.
    pub born: BTreeMap<String, Option<String>>,
    /// How each operation was when its attempts were last looked at: its state, how many count, when it changed, and how
    /// many exchanges there were.
    pub examined: BTreeMap<OpId, (OpState, u32, Timestamp, usize)>,
    /// Deals whose links were changed by an operation.
    pub relinked: BTreeSet<String>,
}

/// A small account: with what a day needs, and nothing that only costs time.
pub fn account(seed: u64) -> portal::Settings {
    portal::Settings {
        seed: seed + 1,
        contacts: 4,
        companies: 2,
        deals: 8,
        tickets: 0,
        owners: 3,
        latency: "20ms..600ms".parse().unwrap(),
        index_lag: "1s..15s".parse().unwrap(),
        now: BEGIN.parse().ok(),
        strict_rules: seed.is_multiple_of(3),
        switches: if seed.is_multiple_of(4) { "creation-key" } else { "" }
            .parse()
            .unwrap(),
        tokens: vec![portal::Grant {
            token: CANARY.to_owned(),
            scopes: Vec::new(),
        }],
        ..common::small()
    }
}

/// A directory in memory where there is one: flushing is not what is tested here.
pub fn directory() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let place = tempfile::Builder::new().prefix("dealdeck-").tempdir_in(memory);
    place.or_else(|_| tempfile::tempdir()).unwrap()
}

impl Day {
    pub async fn begin(plan: Plan) -> Self {
        let mut world = World::with(account(plan.seed));
        world.dir = directory();
        world.settings.poll = Duration::from_secs(12);
        world.settings.idle_poll = Duration::from_secs(12);
        world.settings.segments = Vec::new();
        world.settings.drill = plan.bug.map(Drill::with).unwrap_or_default();
        let disk: Arc<Mutex<Disk>> = Arc::default();
        world.settings.store_gate = disk::gate(&disk, plan.bug.is_some());
        let book: Arc<Book> = Arc::default();
        let wire = Wire::new(
            Arc::clone(&world.line),
            world.portal.clone(),
            Arc::clone(&book),
            world.clock.clone(),
            plan.seed,
        );
        let other = Portal::new(portal::Settings {
            seed: plan.seed + 77_777,
            deals: 3,
            ..account(plan.seed + 77_777)
        })
        .unwrap();
        let mut day = Self {
            plan,
            world,
            wire,
            book,
            disk,
            rng: ChaCha8Rng::seed_from_u64(plan.seed),
            process: None,
            second: None,
            other,
            deals: Vec::new(),
            acknowledged: Vec::new(),
            names: BTreeMap::new(),
            notes: BTreeMap::new(),
            murky: BTreeSet::new(),
            lost: BTreeSet::new(),
            versions: BTreeMap::new(),
            landed: BTreeSet::new(),
            told: Vec::new(),
            foreign: false,
            clock_is: 0,
            clock_was: 0,
            forgotten: BTreeSet::new(),
            eyes: None,
            born: BTreeMap::new(),
            examined: BTreeMap::new(),
            relinked: BTreeSet::new(),
        };
        day.start();
        let handle = day.handle();
        common::until("the first sync", Duration::from_secs(300), async || {
            handle.freshness().as_of.is_some()
        })
        .await;
        let board = handle.board().await.unwrap();
        let stages = |deal: &Deal| -> Vec<StageId> {
            let pipeline = board.pipelines.iter().find(|pipeline| pipeline.id == deal.pipeline);
            pipeline.unwrap().stages.iter().map(|stage| stage.id.clone()).collect()
        };
        day.deals = board.deals.iter().map(|deal| (deal.id.clone(), stages(deal))).collect();
        day.deals.sort();
        day
    }

    /// A process on the same disk, with its own memory of everything.
    pub fn open(&self) -> Result<Process, Fault> {
        let settings = hubspot::Settings {
            token: CANARY.into(),
            jitter_seed: Some(self.plan.seed),
            ..hubspot::Settings::default()
        };
        let book = StoredSlots::open(&self.world.place(), self.world.clock.clone())?;
        let transport = Arc::new(Way(Arc::clone(&self.wire)));
        let client = Client::new(&settings, transport, self.world.clock.clone(), Arc::new(book));
        let (engine, handle) = Engine::open(self.world.settings.clone(), &self.world.place(), client)?;
        let stop = CancellationToken::new();
        let events = handle.subscribe();
        let task = tokio::spawn(engine.run(stop.clone()));
        Ok(Process {
            handle,
            events,
            stop,
            task,
        })
    }

    /// The process that syncs. It must start whatever was done to the disk.
    pub fn start(&mut self) {
        let process = self.open().unwrap();
        process.handle.set_watched(self.is_watched());
        if process.handle.was_damaged() {
            self.versions.clear();
        }
        self.process = Some(process);
        // It sees the same file as long as that is there.
        let seen = self.wire.state().reader.take();
        let reader = seen.unwrap_or_else(|| Reader::open(&self.world.place()).unwrap());
        self.wire.state().reader = Some(reader);
    }

    /// On some days somebody looks at a dashboard all the time; that costs time, too.
    pub const fn is_watched(&self) -> bool {
        self.plan.seed.is_multiple_of(5)
    }

    pub fn handle(&self) -> Handle {
        self.process.as_ref().unwrap().handle.clone()
    }

    pub fn some_deal(&mut self) -> (DealId, Vec<StageId>) {
        let nth = self.rng.random_range(0..self.deals.len());
        self.deals[nth].clone()
    }

    /// The name of an operation in the log.
    pub fn name(&mut self, op: OpId) -> usize {
        let next = self.names.len();
        *self.names.entry(op).or_insert(next)
    }

    /// The person is told that something is saved, or why not. `false`: it was not.
    pub fn answered(&mut self, what: &str, failed_before: u32, answer: &Result<Receipt, Fault>) -> bool {
        let failed = self.disk.lock().unwrap().refused > failed_before;
        self.book
            .check(Invariant::RefuseRatherThanLie, !failed || answer.is_err(), || {
                format!("{what}: {answer:?} although the store failed")
            });
        match answer {
            Ok(receipt) => {
                let name = self.name(receipt.op);
                self.book.log(format!("{} {what}: saved as {name}", self.wire.now()));
                self.acknowledged.push(receipt.op);
                self.told.push(receipt.said.clone());
                !failed
            }
            Err(fault) => {
                self.book.log(format!("{} {what}: refused", self.wire.now()));
                self.told.push(fault.to_string());
                false
            }
        }
    }

    /// Lets time pass and looks at whatever happens meanwhile, the moment it happens.
    pub async fn wait(&mut self, span: Duration) {
        let end = tokio::time::Instant::now() + span;
        while let Some(process) = &mut self.process {
            let event = tokio::select! {
                biased;
                event = process.events.recv() => event,
                () = tokio::time::sleep_until(end) => return,
            };
            match event {
                Ok(Event::OperationChanged { op, state, deal }) => {
                    let name = self.name(op);
                    self.book
                        .log(format!("{} operation {name} is {}", self.wire.now(), state.word()));
                    self.look_at(op, deal.as_ref()).await;
                }
                // It must not go back, not even until the next look.
                Ok(Event::DealsChanged { .. } | Event::BoardChanged) => self.look_at_mirror().await,
                Ok(Event::Happened(item)) => self.told.push(format!("{item:?}")),
                Ok(Event::Freshness(freshness)) => self.told.push(format!("{freshness:?}")),
                Err(broadcast::error::RecvError::Closed) => break,
                _ => {}
            }
        }
        tokio::time::sleep_until(end).await;
    }

    /// One property as HubSpot has it.
    pub async fn true_value(&self, deal: &DealId, name: &str) -> String {
        let record = self.world.true_record(ObjectType::Deals, deal.as_str()).await;
        let record = record.filter(|record| record["archived"] != true);
        record
            .and_then(|record| record["properties"][name].as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}
