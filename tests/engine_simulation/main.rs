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

use std::sync::Arc;

use common::test_size;
use day::{Day, Plan};
use invariants::{Book, Invariant, Tally};

/// So many seeds make a long run (`DEALDECK_TEST_SIZE=100`); shorter ones play eight for each step of their size.
const SEEDS: u64 = 2_000;
/// So many faults are injected in a long run, of so many kinds, each so often.
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
        steps: 36,
        faults: 57,
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
    let seeds = match u64::from(test_size()) {
        100.. => SEEDS,
        10.. => 400,
        size => 20 * size,
    };
    let half = |first: u64| {
        move || {
            let (mut tally, mut broken) = (Tally::default(), Vec::new());
            for seed in (first..seeds).step_by(2) {
                let book = in_virtual_time(plan(seed));
                if let Some((invariant, what)) = book.violations().into_iter().next() {
                    println!("seed {seed}: {invariant:?}: {what}");
                    broken.push((seed, invariant));
                }
                tally.add(&book);
            }
            (tally, broken)
        }
    };
    // Every other thread of a runtime of its own: even seeds live, odd ones end in the middle.
    let even = std::thread::spawn(half(0));
    let odd = std::thread::spawn(half(1));
    let (mut tally, mut broken) = even.join().unwrap();
    let (other, also) = odd.join().unwrap();
    tally.merge(other);
    tally.tell();
    broken.extend(also);
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
