//! Thousands of days of work in virtual time: a person, colleagues, a wire, a disk and a host that fail in every way there
//! is. Whatever happens, what is promised holds; each promise is a check with a name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says what it saw"
)]

mod acts;
mod bugs;
mod checks;
#[path = "../common/mod.rs"]
mod common;
mod day;
mod disk;
mod faults;
mod invariants;
mod sent;
mod sweep;
mod targeted;
mod wire;

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use common::test_size;
use day::{Day, Plan};
use invariants::{Book, Invariant, Tally};

/// So many seeds make a full run (`DEALDECK_TEST_SIZE=10`); shorter ones play twenty for each step of their size.
const SEEDS: u64 = 2_000;
/// So many faults are injected in a full run, of so many kinds, each so often.
const FAULTS: u64 = 150_000;
const KINDS: usize = 30;
const EACH: u64 = 500;

/// Half of the days end with everything healed and at rest; the other half ends in the middle of things.
async fn run(plan: Plan) -> Arc<Book> {
    let mut day = Day::begin(plan).await;
    let is_live = plan.seed.is_multiple_of(2);
    {
        let mut state = day.wire.state();
        (state.reads, state.writes) = (plan.faults, plan.faults + 10);
    }
    for nth in 0..plan.steps {
        day.step(nth).await;
        let noticed = |until| day.book.violations().iter().any(|(fired, _)| *fired == until);
        if plan.until.is_some_and(noticed) {
            return Arc::clone(&day.book);
        }
    }
    if is_live {
        day.quiet().await;
        day.check_wishes().await;
        day.poison().await;
    } else if let Some(process) = day.process.take() {
        process.kill().await;
    }
    day.check_now().await;
    day.check_texts().await;
    day.check_portal().await;
    let book = Arc::clone(&day.book);
    day.ends_second().await;
    if let Some(process) = day.process.take() {
        process.kill().await;
    }
    book
}

/// A day in a world of its own.
fn in_virtual_time(plan: Plan) -> Arc<Book> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(run(plan))
}

fn plan(seed: u64) -> Plan {
    Plan {
        seed,
        bug: None,
        until: None,
        steps: 43,
        faults: 60,
    }
}

/// Does the same on as many threads as there are processors; each plays days in runtimes of its own.
pub fn at_once<T: Send>(work: &(impl Fn() -> T + Sync)) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let begun: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        begun.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn seed_alone() -> Option<u64> {
    std::env::var("DEALDECK_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
}

fn assert_kept(seed: u64, book: &Book) {
    let violations = book.violations();
    if let Some((invariant, what)) = violations.first() {
        for line in book.lines() {
            println!("{line}");
        }
        panic!("seed {seed} (DEALDECK_TEST_SEED={seed} runs it alone): {invariant:?}: {what}");
    }
}

#[test]
fn whatever_happens_every_promise_holds() {
    if let Some(seed) = seed_alone() {
        let book = in_virtual_time(plan(seed));
        let mut tally = Tally::default();
        tally.add(&book);
        tally.tell();
        return assert_kept(seed, &book);
    }
    let seeds = match u64::from(test_size()) {
        10.. => SEEDS,
        size => 20 * size,
    };
    let next = AtomicU64::new(0);
    let plays = || {
        let (mut tally, mut broken) = (Tally::default(), Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return (tally, broken);
            }
            let book = in_virtual_time(plan(seed));
            if let Some((invariant, what)) = book.violations().into_iter().next() {
                println!("seed {seed}: {invariant:?}: {what}");
                broken.push((seed, invariant));
            }
            tally.add(&book);
        }
    };
    let (mut tally, mut broken) = (Tally::default(), Vec::new());
    for (part, also) in at_once(&plays) {
        tally.merge(part);
        broken.extend(also);
    }
    broken.sort();
    tally.tell();
    assert!(
        broken.is_empty(),
        "a day alone, with its log: DEALDECK_TEST_SEED=n; broken: {broken:?}"
    );
    for invariant in Invariant::ALL {
        if invariant != Invariant::Determinism {
            assert!(tally.checks.contains_key(&invariant), "{invariant:?} was never checked");
        }
    }
    if seeds < SEEDS {
        return;
    }
    let all: u64 = tally.faults.values().sum();
    assert!(all >= FAULTS, "{all} faults");
    assert!(tally.faults.len() >= KINDS, "{} kinds", tally.faults.len());
    for kind in faults::KINDS.iter().map(|kind| kind.name).chain(faults::EVENTS) {
        let count = tally.faults.get(kind).copied().unwrap_or_default();
        assert!(count >= EACH, "'{kind}' was injected {count} times");
    }
}

#[test]
fn the_same_seed_is_the_same_day() {
    let book = Book::default();
    for seed in 0..u64::from(4 * test_size().min(4)) {
        let (one, two) = (in_virtual_time(plan(seed)), in_virtual_time(plan(seed)));
        let first = one.lines().into_iter().zip(two.lines()).find(|(one, two)| one != two);
        book.check(Invariant::Determinism, one.hash() == two.hash(), || {
            format!("seed {seed} ran in two ways: {first:?}")
        });
        assert_kept(seed, &book);
    }
}
