//! The simulation must be able to fail: each of these deliberate bugs breaks one promise, and the check of that promise,
//! not just any, must notice.

use std::sync::atomic::{AtomicUsize, Ordering};

use dealdeck::domain::Bug;

use crate::{Plan, at_once, in_virtual_time, invariants::Invariant, plan};

/// The bug, the check that must fire, and the first seed on whose day it does.
const BUGS: [(Bug, Invariant, u64); 20] = [
    (Bug::KeyNotSent, Invariant::NoDuplicateEffect, 0),
    (Bug::UnkeyedResent, Invariant::NoSilentDuplicate, 42),
    (Bug::AckBeforeCommit, Invariant::NoLostAction, 0),
    (Bug::ClaimAfterSend, Invariant::WriteAhead, 0),
    (Bug::FalseLanding, Invariant::NoFalseDone, 0),
    (Bug::UncertainToQueued, Invariant::AmbiguityIsSticky, 0),
    (Bug::OrderIgnored, Invariant::OrderPerRecord, 0),
    (Bug::EpochIgnored, Invariant::OneWriter, 5),
    (Bug::ClaimedCoalesced, Invariant::CoalescingSafety, 38),
    (Bug::BlindOverwrite, Invariant::NoBlindOverwrite, 0),
    (Bug::OverlayDropped, Invariant::ReadYourWrites, 0),
    (Bug::PageLost, Invariant::Convergence, 0),
    (Bug::PoisonBlocks, Invariant::NoPoisonBlock, 4),
    (Bug::GoneIgnored, Invariant::GoneStaysGone, 5),
    (Bug::NoAccountCheck, Invariant::AccountGuard, 1),
    (Bug::UndoUnguarded, Invariant::UndoSafety, 0),
    (Bug::OlderRowWins, Invariant::MonotonicMirror, 0),
    (Bug::NoBackoff, Invariant::RetryBound, 13),
    (Bug::RefusalsCharged, Invariant::FreeRefusals, 0),
    (Bug::SavedAnyway, Invariant::RefuseRatherThanLie, 1),
];

/// How many days after that one may be needed, should the days change.
const MORE: u64 = 60;

fn caught(bug: Bug, invariant: Invariant, seed: u64) -> Result<u64, Vec<Invariant>> {
    let mut others = Vec::new();
    for seed in seed..seed + MORE {
        let day = Plan {
            bug: Some(bug),
            until: Some(invariant),
            ..plan(seed)
        };
        let book = in_virtual_time(day);
        let fired: Vec<Invariant> = book.violations().into_iter().map(|(fired, _)| fired).collect();
        if fired.contains(&invariant) {
            return Ok(seed);
        }
        others.extend(fired);
    }
    others.sort();
    others.dedup();
    Err(others)
}

fn all_caught(bugs: &[(Bug, Invariant, u64)]) {
    let next = AtomicUsize::new(0);
    let looks = || {
        let mut missed = Vec::new();
        while let Some((bug, invariant, seed)) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
            match caught(*bug, *invariant, *seed) {
                Ok(seed) => println!("{bug:?}: {invariant:?} notices on the day of seed {seed}"),
                Err(others) => missed.push(format!("{bug:?} is not noticed by {invariant:?}, but by {others:?}")),
            }
        }
        missed
    };
    let missed = at_once(&looks).concat();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_deliberate_bug_is_caught_by_the_check_of_what_it_breaks() {
    all_caught(&BUGS);
}
