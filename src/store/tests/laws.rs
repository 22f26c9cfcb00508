//! What holds for every sequence of calls: no operation is lost, every step is one the table allows, a record has at most
//! one operation in flight, and doubt never turns into a resend or a cancellation by itself.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Home, at, cases, note, stage_move};
use crate::{
    domain::{OpId, OpState},
    store::{Error, NewOperation, Outbox, OutboxFilter, Outcome},
};

#[derive(Clone, Debug)]
enum Step {
    Move {
        deal: u8,
        to: u8,
    },
    Note {
        deal: u8,
    },
    Claim {
        op: usize,
        stale: bool,
    },
    Finish {
        op: usize,
        state: usize,
        ambiguous: bool,
        charged: bool,
    },
    Settle {
        op: usize,
    },
    Cancel {
        op: usize,
    },
    Replace {
        op: usize,
        to: u8,
    },
    Requeue {
        op: usize,
    },
    Drop {
        op: usize,
    },
    Undo {
        op: usize,
    },
    Die,
}

fn step() -> impl Strategy<Value = Step> {
    let op = 0..12_usize;
    prop_oneof![
        3 => (0..3_u8, 0..4_u8).prop_map(|(deal, to)| Step::Move { deal, to }),
        2 => (0..3_u8).prop_map(|deal| Step::Note { deal }),
        6 => (op.clone(), prop::bool::weighted(0.1)).prop_map(|(op, stale)| Step::Claim { op, stale }),
        8 => (op.clone(), 0..10_usize, any::<bool>(), any::<bool>())
            .prop_map(|(op, state, ambiguous, charged)| Step::Finish { op, state, ambiguous, charged }),
        1 => op.clone().prop_map(|op| Step::Settle { op }),
        1 => op.clone().prop_map(|op| Step::Cancel { op }),
        2 => (op.clone(), 0..4_u8).prop_map(|(op, to)| Step::Replace { op, to }),
        1 => op.clone().prop_map(|op| Step::Requeue { op }),
        1 => op.clone().prop_map(|op| Step::Drop { op }),
        1 => op.prop_map(|op| Step::Undo { op }),
        1 => Just(Step::Die),
    ]
}

struct World {
    home: Home,
    outbox: Outbox,
    epoch: u64,
    /// Every operation whose keeping was acknowledged.
    kept: Vec<OpId>,
}

impl World {
    fn new() -> Self {
        let home = Home::new();
        let mut outbox = home.open().outbox;
        let epoch = outbox.epoch_begin(at(0)).unwrap();
        Self {
            home,
            outbox,
            epoch,
            kept: Vec::new(),
        }
    }

    fn states(&self) -> BTreeMap<OpId, OpState> {
        let all = self.outbox.list(&OutboxFilter::default()).unwrap();
        all.iter().map(|op| (op.id, op.state)).collect()
    }

    fn keep(&mut self, new: NewOperation) {
        match self.outbox.keep(new, at(0)) {
            Ok(op) => self.kept.push(op.id),
            Err(Error::Undone(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn take(&mut self, step: &Step) {
        let pick = |op: &usize| self.kept.get(*op % self.kept.len().max(1)).copied();
        match step {
            Step::Move { deal, to } => self.keep(stage_move(&deal.to_string(), "0", &to.to_string())),
            Step::Note { deal } => self.keep(note(&deal.to_string(), "hello")),
            Step::Claim { op, stale } => {
                let Some(id) = pick(op) else { return };
                let claimed = self.outbox.claim(id, self.epoch - u64::from(*stale), at(1));
                assert!(!stale || matches!(claimed, Err(Error::Stale { .. })));
            }
            Step::Finish {
                op,
                state,
                ambiguous,
                charged,
            } => {
                let Some(id) = pick(op) else { return };
                let outcome = Outcome {
                    ambiguous: *ambiguous,
                    charged: *charged,
                    ..Outcome::to(OpState::ALL[*state])
                };
                let finished = self.outbox.finish(id, &outcome, at(2));
                let other_ways = [
                    OpState::InFlight,
                    OpState::Done,
                    OpState::Cancelled,
                    OpState::Superseded,
                ];
                assert!(finished.is_err() || !other_ways.contains(&outcome.state));
            }
            Step::Settle { op } => drop(pick(op).map(|id| self.outbox.settle(id, at(3)))),
            Step::Cancel { op } => drop(pick(op).map(|id| self.outbox.cancel(id, at(3)))),
            Step::Requeue { op } => drop(pick(op).map(|id| self.outbox.requeue_by_hand(id, None, at(3)))),
            Step::Drop { op } => drop(pick(op).map(|id| self.outbox.drop_by_hand(id, at(3)))),
            Step::Replace { op, to } => {
                let Some(id) = pick(op) else { return };
                let deal = self.outbox.get(id).unwrap().unwrap().entity.id.clone();
                let new = stage_move(&deal, "0", &to.to_string());
                let replaced = self.outbox.replace_queued(id, new, at(4)).unwrap();
                self.kept.extend(replaced.map(|op| op.id));
            }
            Step::Undo { op } => {
                let Some(of) = pick(op) else { return };
                let deal = self.outbox.get(of).unwrap().unwrap().entity.id.clone();
                self.keep(NewOperation {
                    undo_of: Some(of),
                    ..stage_move(&deal, "1", "0")
                });
            }
            Step::Die => {
                self.outbox = self.home.open().outbox;
                self.epoch = self.outbox.epoch_begin(at(5)).unwrap();
                self.outbox.recover(self.epoch, at(5)).unwrap();
                assert!(!self.states().values().any(|state| *state == OpState::InFlight));
            }
        }
    }

    fn check(&self, step: &Step, before: &BTreeMap<OpId, OpState>) {
        let after = self.states();
        assert_eq!(after.len(), self.kept.len(), "an operation was lost or invented");
        for id in &self.kept {
            assert!(after.contains_key(id), "{id} was lost");
        }
        for (id, old) in before {
            let new = after[id];
            if *old == new {
                continue;
            }
            let by_hand = matches!(step, Step::Requeue { .. } | Step::Drop { .. });
            match old {
                OpState::InFlight | OpState::Uncertain => {
                    assert_ne!(new, OpState::Cancelled, "{step:?}");
                    assert_ne!(new, OpState::Superseded, "{step:?}");
                    if let Step::Finish { ambiguous, .. } = step {
                        assert!(
                            !ambiguous || new == OpState::Uncertain,
                            "{old:?} to {new:?} by {step:?}"
                        );
                    }
                }
                OpState::Dead => assert!(by_hand || matches!(step, Step::Finish { ambiguous: false, .. })),
                OpState::Done | OpState::Cancelled | OpState::Superseded => panic!("{old:?} to {new:?} by {step:?}"),
                _ => {}
            }
        }
        let mut in_flight = BTreeMap::new();
        for op in self.outbox.list(&OutboxFilter::default()).unwrap() {
            let attempts = self.outbox.attempts(op.id).unwrap();
            let open = attempts.iter().filter(|attempt| attempt.ended_at.is_none()).count();
            assert_eq!(
                open,
                usize::from(op.state == OpState::InFlight),
                "an attempt is open while it is in flight"
            );
            assert!(op.attempts as usize <= attempts.len());
            if op.state == OpState::InFlight {
                *in_flight.entry(op.entity.clone()).or_insert(0) += 1;
            }
        }
        assert!(in_flight.values().all(|n| *n == 1), "{in_flight:?}");
        for op in self.outbox.ready(at(9), 100, |_| false).unwrap() {
            assert!(!in_flight.contains_key(&op.entity));
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn no_sequence_of_calls_loses_an_operation_or_forgets_a_doubt(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            let before = world.states();
            world.take(step);
            world.check(step, &before);
        }
    }
}
