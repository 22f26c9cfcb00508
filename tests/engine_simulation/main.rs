//! Thousands of days of work in virtual time: a person, colleagues, a wire, a disk and a host that fail in every way there
//! is. Whatever happens, what is promised holds; each promise is a check with a name.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod acts;
mod checks;
#[path = "../common/mod.rs"]
mod common;
mod day;
mod disk;
mod faults;
mod invariants;
mod sent;
mod wire;

use std::sync::Arc;

use common::test_size;
use day::{Day, Plan};
use invariants::{Book, Invariant, Tally};

/// So many seeds make a run of full size (`DEALDECK_TEST_SIZE=10`).
const SEEDS: u64 = 2_000;
/// So many faults are injected in one, of so many kinds, each so often.
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
        steps: 36,
        faults: 30,
    }
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
    let seeds = SEEDS * u64::from(test_size().min(10)) / 200;
    let seeds = if test_size() >= 10 { SEEDS } else { seeds };
    let half = |first: u64| {
        move || {
            let mut tally = Tally::default();
            for seed in (first..seeds).step_by(2) {
                let book = in_virtual_time(plan(seed));
                assert_kept(seed, &book);
                tally.add(&book);
            }
            tally
        }
    };
    // Every other thread of a runtime of its own: even seeds live, odd ones end in the middle.
    let even = std::thread::spawn(half(0));
    let odd = std::thread::spawn(half(1));
    let mut tally = even.join().unwrap();
    tally.merge(odd.join().unwrap());
    tally.tell();
    for invariant in Invariant::ALL {
        if invariant != Invariant::Determinism {
            assert!(tally.checks.contains_key(&invariant), "{invariant:?} was never checked");
        }
    }
    if test_size() < 10 {
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
    for seed in 0..u64::from(4 * test_size()) {
        let (one, two) = (in_virtual_time(plan(seed)), in_virtual_time(plan(seed)));
        let first = one.lines().into_iter().zip(two.lines()).find(|(one, two)| one != two);
        book.check(Invariant::Determinism, one.hash() == two.hash(), || {
            format!("seed {seed} ran in two ways: {first:?}")
        });
        assert_kept(seed, &book);
    }
}
