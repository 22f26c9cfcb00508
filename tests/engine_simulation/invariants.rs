//! What must hold whatever happens, each by its name; and the book in which every check, every violation, every fault and
//! the log of a run are written down.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{LazyLock, Mutex},
};

/// The promises, in the order in which they are written down for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// 1: of a keyed create there is at most one record, and it carries the operation's key.
    NoDuplicateEffect,
    /// 2: after an ambiguous send of an unkeyed note none follows without a person's word.
    NoSilentDuplicate,
    /// 3: what was acknowledged is in the outbox, whatever happens to the process.
    NoLostAction,
    /// 4: whatever HubSpot sees was claimed on disk before.
    WriteAhead,
    /// 5: what is called landed or done is in HubSpot's history.
    NoFalseDone,
    /// 6: an ambiguous send makes an operation uncertain and nothing else.
    AmbiguityIsSticky,
    /// 7: operations of one record are sent in their order.
    OrderPerRecord,
    /// 8: one write per record at a time, by the process whose epoch it is.
    OneWriter,
    /// 9: only what was never claimed is rewritten, and what was wanted last is there in the end.
    CoalescingSafety,
    /// 10: a property is only written over what the person saw.
    NoBlindOverwrite,
    /// 11: undo takes back what its operation set and nothing else.
    UndoSafety,
    /// 12: what was acknowledged is shown until its end, and does not flicker.
    ReadYourWrites,
    /// 13: the mirror never goes back, and no record stands under another's id.
    MonotonicMirror,
    /// 14: once nothing fails any more everything comes to rest, and the mirror is what HubSpot has.
    Convergence,
    /// 15: an operation that always fails does not hold up other records.
    NoPoisonBlock,
    /// 16: nothing is written to a record that is known to be gone, and nothing is made anew.
    GoneStaysGone,
    /// 17: no request carries an operation of another account.
    AccountGuard,
    /// 18: HubSpot never has to refuse a request for its rate.
    Rate,
    /// 19: what a person does waits at most ten seconds for its turn.
    NoStarvation,
    /// 20: retries keep their distance, and a dead line is not hammered.
    RetryBound,
    /// 21: what says nothing about the operation (401, 429, offline) neither counts as an attempt nor ends it.
    FreeRefusals,
    /// 22: what the store could not keep is not called saved.
    RefuseRatherThanLie,
    /// 23: the token is nowhere but in the request.
    Secrets,
    /// 24: what people read holds no control character that came with the data.
    CleanText,
    /// 25: the same seed is the same run.
    Determinism,
}

impl Invariant {
    pub const ALL: [Self; 25] = [
        Self::NoDuplicateEffect,
        Self::NoSilentDuplicate,
        Self::NoLostAction,
        Self::WriteAhead,
        Self::NoFalseDone,
        Self::AmbiguityIsSticky,
        Self::OrderPerRecord,
        Self::OneWriter,
        Self::CoalescingSafety,
        Self::NoBlindOverwrite,
        Self::UndoSafety,
        Self::ReadYourWrites,
        Self::MonotonicMirror,
        Self::Convergence,
        Self::NoPoisonBlock,
        Self::GoneStaysGone,
        Self::AccountGuard,
        Self::Rate,
        Self::NoStarvation,
        Self::RetryBound,
        Self::FreeRefusals,
        Self::RefuseRatherThanLie,
        Self::Secrets,
        Self::CleanText,
        Self::Determinism,
    ];
}

/// How many lines of the log are kept for whoever looks for the cause.
const KEPT: usize = 100_000;

/// One run written down.
#[derive(Default)]
pub struct Book {
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    checks: BTreeMap<Invariant, u64>,
    violations: Vec<(Invariant, String)>,
    faults: BTreeMap<&'static str, u64>,
    hash: u64,
    lines: VecDeque<String>,
}

impl Book {
    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.pages.lock().expect("nobody panicked over the book")
    }

    /// One check of a promise.
    pub fn check(&self, invariant: Invariant, holds: bool, what: impl FnOnce() -> String) {
        let mut pages = self.pages();
        *pages.checks.entry(invariant).or_default() += 1;
        if !holds {
            let what = what();
            pages.violations.push((invariant, what));
        }
    }

    /// One fault that was injected.
    pub fn fault(&self, kind: &'static str) {
        *self.pages().faults.entry(kind).or_default() += 1;
    }

    /// One line of the log. It must not name anything that differs from run to run, such as an operation's id.
    pub fn log(&self, line: String) {
        let mut pages = self.pages();
        for byte in line.bytes() {
            pages.hash = (pages.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        static IS_TRACED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("DEALDECK_TEST_TRACE").is_some());
        if *IS_TRACED {
            println!("{line}");
        }
        pages.lines.push_back(line);
        if pages.lines.len() > KEPT {
            pages.lines.pop_front();
        }
    }

    pub fn hash(&self) -> u64 {
        self.pages().hash
    }

    pub fn lines(&self) -> Vec<String> {
        self.pages().lines.iter().cloned().collect()
    }

    pub fn violations(&self) -> Vec<(Invariant, String)> {
        self.pages().violations.clone()
    }

    pub fn checks(&self) -> BTreeMap<Invariant, u64> {
        self.pages().checks.clone()
    }

    pub fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.pages().faults.clone()
    }
}

/// What many runs come to.
#[derive(Default)]
pub struct Tally {
    pub seeds: u64,
    pub checks: BTreeMap<Invariant, u64>,
    pub faults: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn add(&mut self, book: &Book) {
        self.seeds += 1;
        for (invariant, count) in book.checks() {
            *self.checks.entry(invariant).or_default() += count;
        }
        for (kind, count) in book.faults() {
            *self.faults.entry(kind).or_default() += count;
        }
    }

    pub fn merge(&mut self, other: Self) {
        self.seeds += other.seeds;
        for (invariant, count) in other.checks {
            *self.checks.entry(invariant).or_default() += count;
        }
        for (kind, count) in other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
    }

    /// The figures, for whoever runs with `--nocapture`.
    pub fn tell(&self) {
        println!("{} seeds", self.seeds);
        println!(
            "{} faults of {} kinds",
            self.faults.values().sum::<u64>(),
            self.faults.len()
        );
        for (kind, count) in &self.faults {
            println!("  {kind:<22}{count:>8}");
        }
        println!("{} checks", self.checks.values().sum::<u64>());
        for (nth, invariant) in Invariant::ALL.iter().enumerate() {
            let count = self.checks.get(invariant).copied().unwrap_or_default();
            println!("  {:>2} {:<22}{count:>9}", nth + 1, format!("{invariant:?}"));
        }
    }
}
