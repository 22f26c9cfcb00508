//! The proof of the ledger by experiment: whatever the schedule, the latencies, the cancellations, the restarts, the
//! clocks and the headers, no ten seconds at HubSpot's end see more requests than the limit. And its controls: with a
//! token bucket, or with a log of the times of sending, in the ledger's place the same experiment fails.
//!
//! The budget, its permits and its book are the real ones; only the timer task is replaced by the list of what happens
//! next, so that millions of requests take seconds.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::Duration,
};

use http::Method;
use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::oneshot;

use super::{
    Budget, Ledger, MemoryBook, NoPermit, Permit, Quota, RateHeaders, Report, SlotBook, SlotTime,
    admission::Grant,
    usual::{Usual, UsualBook},
};
use crate::{
    domain::Lane,
    hubspot::{clock::Clock, settings::Settings},
};

const LIMIT: u32 = 100;
const SEARCHES: u32 = 5;

/// What happens, and to which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    /// It asks for a permit.
    Asks(usize),
    /// Its caller gives up, waiting or on the wire.
    GivesUp(usize),
    /// Its answer comes.
    Answered(usize),
    /// No answer within the deadline.
    TimesOut(usize),
    /// The timer of this client.
    Wakes(usize),
    /// This client is killed and started again.
    Restarts(usize),
    /// Wall time is set, by so many minutes.
    WallJumps(i64),
    /// The laptop sleeps.
    Sleeps,
}

/// How bad the world is.
#[derive(Clone, Copy, Debug)]
struct World {
    requests: usize,
    /// Mean gap between two requests, in milliseconds.
    gap: u64,
    /// Clients over one book.
    clients: usize,
    /// Share of requests given up, unused or timed out, in a thousand.
    bad: u32,
    /// Answers lie about `Max` and `Remaining`.
    liars: bool,
    interactive: bool,
    restarts: usize,
    jumps: bool,
}

struct Request {
    client: usize,
    lane: Lane,
    quota: Quota,
    state: Wait,
}

enum Wait {
    Before,
    Queued(u64, oneshot::Receiver<Result<Permit, NoPermit>>),
    OnTheWire(Permit),
    Over,
}

struct Experiment {
    world: World,
    random: ChaCha8Rng,
    clock: Clock,
    book: Arc<dyn SlotBook>,
    settings: Settings,
    clients: Vec<Budget>,
    requests: Vec<Request>,
    /// Those that wait for a permit, in the order they asked.
    queued: Vec<usize>,
    next: BinaryHeap<Reverse<(SlotTime, u64, Happening)>>,
    /// What happens at the same time happens in the order it was planned.
    planned: u64,
    now: SlotTime,
    /// Wall time less slot time, in microseconds.
    wall: i64,
    arrivals: BTreeMap<Quota, Vec<i64>>,
    /// A timer is set for this time.
    timers: Vec<SlotTime>,
}

impl Experiment {
    fn new(seed: u64, world: World, book: Arc<dyn SlotBook>) -> Self {
        let wall: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let clock = Clock::in_hand(wall);
        let settings = Settings {
            burst: Some(LIMIT),
            jitter_seed: Some(seed),
            ..Settings::default()
        };
        let mut experiment = Self {
            world,
            random: ChaCha8Rng::seed_from_u64(seed),
            clients: Vec::new(),
            requests: Vec::new(),
            queued: Vec::new(),
            next: BinaryHeap::new(),
            planned: 0,
            now: SlotTime(0),
            wall: wall.as_microsecond(),
            arrivals: BTreeMap::new(),
            timers: vec![SlotTime(i64::MAX); world.clients],
            clock,
            book,
            settings,
        };
        experiment.clients = (0..world.clients).map(|_| experiment.client()).collect();
        experiment.plan_everything();
        experiment
    }

    fn client(&self) -> Budget {
        let budget = Budget::new(&self.settings, self.clock.clone(), self.book.clone());
        budget.set_interactive(self.world.interactive);
        budget
    }

    fn plan_everything(&mut self) {
        let mut at = 0;
        for nth in 0..self.world.requests {
            let calm = self.random.random_ratio(1, 40);
            at += self.random.random_range(0..=2 * self.world.gap) + if calm { 2_000 } else { 0 };
            let search = self.random.random_ratio(1, 8);
            self.requests.push(Request {
                client: self.random.random_range(0..self.world.clients),
                lane: Lane::ALL[self.random.random_range(0..4)],
                quota: if search { Quota::Search } else { Quota::Burst },
                state: Wait::Before,
            });
            self.plan(SlotTime(at.cast_signed() * 1_000), Happening::Asks(nth));
        }
        for _ in 0..self.world.restarts {
            let (when, who) = (
                self.random.random_range(0..=at),
                self.random.random_range(0..self.world.clients),
            );
            self.plan(SlotTime(when.cast_signed() * 1_000), Happening::Restarts(who));
        }
        if self.world.jumps {
            for minutes in [60, -60, -60, 60] {
                let when = self.random.random_range(0..=at).cast_signed() * 1_000;
                self.plan(SlotTime(when), Happening::WallJumps(minutes));
            }
            let when = self.random.random_range(0..=at).cast_signed() * 1_000;
            self.plan(SlotTime(when), Happening::Sleeps);
        }
    }

    fn plan(&mut self, at: SlotTime, what: Happening) {
        self.planned += 1;
        self.next.push(Reverse((at, self.planned, what)));
    }

    /// Runs it; returns when each request arrived at HubSpot.
    fn run(mut self) -> BTreeMap<Quota, Vec<i64>> {
        while let Some(Reverse((at, _, what))) = self.next.pop() {
            self.now = self.now.max(at);
            self.tell_time();
            self.happens(what);
        }
        let stuck = self
            .requests
            .iter()
            .filter(|request| !matches!(request.state, Wait::Over))
            .count();
        assert_eq!(stuck, 0, "every request goes or is given up: {:?}", self.world);
        for client in &self.clients {
            let lanes = client.limits().lanes;
            assert!(lanes.iter().all(|lane| lane.waiting == 0), "{lanes:?}");
        }
        self.arrivals
    }

    fn tell_time(&self) {
        let wall = Timestamp::from_microsecond(self.wall + self.now.0).unwrap();
        self.clock.set(wall, self.now);
    }

    fn happens(&mut self, what: Happening) {
        match what {
            Happening::Asks(nth) => {
                let request = &mut self.requests[nth];
                let (sender, receiver) = oneshot::channel();
                let grant = Grant { sender, patient: true };
                let mut state = self.clients[request.client].inner.lock();
                let id = state.join(request.lane, request.quota, self.now, grant);
                drop(state);
                request.state = Wait::Queued(id, receiver);
                let client = request.client;
                self.queued.push(nth);
                if self.random.random_range(0..1_000) < self.world.bad / 3 {
                    let patience = Duration::from_millis(self.random.random_range(1..4_000));
                    self.plan(self.now.after(patience), Happening::GivesUp(nth));
                }
                self.look(client);
            }
            Happening::Wakes(client) => {
                self.timers[client] = SlotTime(i64::MAX);
                self.look(client);
            }
            Happening::Answered(nth) => {
                let report = self.report();
                if let Wait::OnTheWire(permit) = self.over(nth) {
                    permit.answered(&report);
                    self.look(self.requests[nth].client);
                }
            }
            Happening::TimesOut(nth) => {
                drop(self.over(nth));
                self.look(self.requests[nth].client);
            }
            Happening::GivesUp(nth) => {
                let request = &self.requests[nth];
                if let Wait::Queued(id, _) = &request.state {
                    let mut state = self.clients[request.client].inner.lock();
                    state.leave(request.lane, request.quota, *id);
                }
                drop(self.over(nth));
                self.queued.retain(|other| *other != nth);
                self.look(self.requests[nth].client);
            }
            Happening::Restarts(client) => self.restart(client),
            Happening::WallJumps(minutes) => self.wall += minutes * 60_000_000,
            Happening::Sleeps => self.now = self.now.after(Duration::from_hours(8)),
        }
    }

    /// Lets the client decide, sends what it lets go, and sets its timer.
    fn look(&mut self, client: usize) {
        let before = self.book.taken();
        let wake = self.clients[client].inner.admit();
        if self.book.taken() > before {
            let mut queued = std::mem::take(&mut self.queued);
            queued.retain(|nth| self.is_waiting_still(*nth));
            self.queued = queued;
        }
        let at = wake.map_or(SlotTime(i64::MAX), |wait| self.now.after(wait));
        if at < self.timers[client] {
            self.timers[client] = at;
            self.plan(at, Happening::Wakes(client));
        }
    }

    fn is_waiting_still(&mut self, nth: usize) -> bool {
        let Wait::Queued(_, receiver) = &mut self.requests[nth].state else {
            return false;
        };
        match receiver.try_recv() {
            Ok(Ok(permit)) => self.send(nth, permit),
            Ok(Err(_)) => self.requests[nth].state = Wait::Over,
            Err(_) => return true,
        }
        false
    }

    fn send(&mut self, nth: usize, mut permit: Permit) {
        let roll = self.random.random_range(0..1_000);
        let bad = self.world.bad;
        if roll < bad / 3 {
            // Never used: it is given back.
            self.requests[nth].state = Wait::Over;
            return;
        }
        permit.begin(&Method::GET, "/crm/objects/2026-09/deals");
        let latency = self.random.random_range(0..=3_000_000_i64);
        let arrives = self.now.0 + latency * self.random.random_range(0..=100) / 100;
        self.arrivals.entry(self.requests[nth].quota).or_default().push(arrives);
        let answered = SlotTime(self.now.0 + latency);
        self.requests[nth].state = Wait::OnTheWire(permit);
        if roll < bad / 3 * 2 {
            let early = SlotTime(self.now.0 + latency * self.random.random_range(0..100) / 100);
            self.plan(early, Happening::GivesUp(nth));
        } else if roll < bad {
            self.plan(self.now.after(self.settings.timeout), Happening::TimesOut(nth));
        } else {
            self.plan(answered, Happening::Answered(nth));
        }
    }

    fn over(&mut self, nth: usize) -> Wait {
        std::mem::replace(&mut self.requests[nth].state, Wait::Over)
    }

    /// Killed: what it had on the wire is never settled, and its waiters are gone.
    fn restart(&mut self, client: usize) {
        for nth in 0..self.requests.len() {
            if self.requests[nth].client == client && !matches!(self.requests[nth].state, Wait::Before) {
                match self.over(nth) {
                    Wait::OnTheWire(permit) => std::mem::forget(permit),
                    other => drop(other),
                }
            }
        }
        let requests = &self.requests;
        self.queued.retain(|nth| requests[*nth].client != client);
        self.clients[client] = self.client();
    }

    fn report(&mut self) -> Report {
        let window = (self.world.liars && self.random.random_ratio(1, 4))
            .then(|| (self.random.random_range(1..400), self.random.random_range(0..400)));
        Report {
            status: 200,
            headers: RateHeaders { window, daily: None },
            refusal: None,
        }
    }
}

/// The most arrivals in any window of the ledger's length.
fn worst(arrivals: &BTreeMap<Quota, Vec<i64>>, quota: Quota, ledger: Ledger) -> usize {
    let mut times = arrivals.get(&quota).cloned().unwrap_or_default();
    times.sort_unstable();
    let window = ledger.window().as_micros() as i64;
    let mut first = 0;
    let mut worst = 0;
    for (last, at) in times.iter().enumerate() {
        while at - times[first] >= window {
            first += 1;
        }
        worst = worst.max(last + 1 - first);
    }
    worst
}

/// A factor for the sizes of the experiments: ten and more is the full size.
fn size() -> f64 {
    let size = std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|text| text.parse().ok());
    size.unwrap_or(1.0)
}

fn world(seed: u64, requests: usize) -> World {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    World {
        requests,
        gap: [5, 20, 60, 120][random.random_range(0..4)],
        clients: random.random_range(1..=3),
        bad: [0, 30, 150][random.random_range(0..3)],
        liars: random.random_ratio(1, 3),
        interactive: random.random(),
        restarts: [0, 0, 3, 20][random.random_range(0..4)],
        jumps: random.random_ratio(1, 3),
    }
}

/// Runs the experiments of these seeds on both cores.
fn experiments(schedules: u64, requests: usize) {
    let run = |seed: u64| {
        let world = world(seed, requests);
        let arrivals = Experiment::new(seed, world, Arc::new(MemoryBook::new())).run();
        let burst = worst(&arrivals, Quota::Burst, Ledger::Burst);
        let search = worst(&arrivals, Quota::Search, Ledger::Search);
        assert!(
            burst <= LIMIT as usize,
            "seed {seed}: {burst} in ten seconds, {world:?}"
        );
        assert!(
            search <= SEARCHES as usize,
            "seed {seed}: {search} in a second, {world:?}"
        );
    };
    std::thread::scope(|scope| {
        scope.spawn(|| (0..schedules).step_by(2).for_each(run));
        (1..schedules).step_by(2).for_each(run);
    });
}

#[test]
fn no_ten_seconds_see_more_than_the_limit_and_no_second_more_than_five_searches() {
    if size() >= 10.0 {
        experiments(2_000, 1_500);
    } else {
        experiments((40.0 * size()).ceil() as u64, 600);
    }
}

/// A crash loop: a client that is killed every half second for a minute; the book outlives it.
#[test]
fn a_crash_loop_does_not_burst_at_every_start() {
    let world = World {
        requests: 6_000,
        gap: 10,
        clients: 1,
        bad: 0,
        liars: false,
        interactive: false,
        restarts: 120,
        jumps: false,
    };
    let arrivals = Experiment::new(1, world, Arc::new(MemoryBook::new())).run();
    assert!(
        arrivals[&Quota::Burst].len() > LIMIT as usize,
        "it sends again once the abandoned slots are free"
    );
    assert!(worst(&arrivals, Quota::Burst, Ledger::Burst) <= LIMIT as usize);
    assert!(worst(&arrivals, Quota::Search, Ledger::Search) <= SEARCHES as usize);
}

#[test]
fn the_usual_limiters_in_the_ledgers_place_break_the_limit() {
    let world = World {
        requests: 1_500,
        gap: 20,
        clients: 1,
        bad: 0,
        liars: false,
        interactive: false,
        restarts: 0,
        jumps: false,
    };
    let worst_with = |book: Arc<dyn SlotBook>| {
        let arrivals = Experiment::new(7, world, book).run();
        worst(&arrivals, Quota::Burst, Ledger::Burst)
    };
    let limit = LIMIT as usize;
    let bucket = worst_with(UsualBook::new(Usual::TokenBucket));
    assert!(bucket > limit * 3 / 2, "the experiment must be able to fail: {bucket}");
    let log = worst_with(UsualBook::new(Usual::SendLog));
    assert!(log > limit, "an exact log of sending is not enough: {log}");
    let ledger = worst_with(Arc::new(MemoryBook::new()));
    assert!(ledger <= limit && ledger > limit * 4 / 5, "{ledger}");
}
