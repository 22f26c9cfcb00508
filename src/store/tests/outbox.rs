//! An operation's way, step by step.

use super::{Home, at, deal_ref, ids, note, properties, stage_move};
use crate::{
    domain::{Fault, FaultKind, OpError, OpState, Payload},
    store::{Error, NewOperation, OutboxFilter, Outcome, Reader},
};

#[test]
fn what_was_kept_is_there_after_opening_again() {
    let home = Home::new();
    let kept = home
        .open()
        .outbox
        .keep(
            NewOperation {
                not_before: Some(at(5)),
                ..stage_move("1", "qualified", "contract")
            },
            at(0),
        )
        .unwrap();
    let outbox = home.open().outbox;
    assert_eq!(outbox.get(kept.id).unwrap().as_ref(), Some(&kept));
    assert_eq!(kept.state, OpState::Queued);
    assert_eq!((kept.seq, kept.account, kept.attempts), (1, 42, 0));
    assert_eq!(kept.op_key, kept.id.to_string());
    assert_eq!(outbox.pending().unwrap(), [kept]);
    assert_eq!(outbox.next_due().unwrap(), Some(at(5)));
}

#[test]
fn the_way_from_queued_to_done_is_written_down() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let epoch = outbox.epoch_begin(at(0)).unwrap();
    let claimed = outbox.claim(op.id, epoch, at(1)).unwrap();
    assert_eq!((claimed.state, claimed.attempts), (OpState::InFlight, 1));
    assert_eq!((claimed.epoch, claimed.claimed_at), (Some(epoch), Some(at(1))));
    let outcome = Outcome {
        remote_id: Some("1".into()),
        landed_version: Some(at(2)),
        http_status: Some(200),
        correlation_id: Some("c-1".into()),
        ..Outcome::to(OpState::Landed)
    };
    let landed = outbox.finish(op.id, &outcome, at(3)).unwrap();
    assert_eq!(landed.landed_version, Some(at(2)));
    assert_eq!(ids(&outbox.landed().unwrap()), [op.id]);
    assert_eq!(outbox.settle(op.id, at(4)).unwrap().state, OpState::Done);
    assert!(outbox.pending().unwrap().is_empty());
    let [attempt] = outbox.attempts(op.id).unwrap().try_into().unwrap();
    assert_eq!(
        (attempt.n, attempt.intent_at, attempt.ended_at),
        (1, at(1), Some(at(3)))
    );
    assert_eq!((attempt.outcome, attempt.ambiguous), (Some(OpState::Landed), false));
    assert_eq!(
        (attempt.http_status, attempt.correlation_id.as_deref()),
        (Some(200), Some("c-1"))
    );
    assert!(matches!(outbox.settle(op.id, at(5)), Err(Error::Transition { .. })));
}

#[test]
fn an_ambiguous_send_is_refused_every_way_but_uncertain() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = outbox.keep(note("1", "call back"), at(0)).unwrap();
    let epoch = outbox.epoch_begin(at(0)).unwrap();
    outbox.claim(op.id, epoch, at(1)).unwrap();
    for state in OpState::ALL.into_iter().filter(|state| *state != OpState::Uncertain) {
        let outcome = Outcome {
            ambiguous: true,
            ..Outcome::to(state)
        };
        let refused = outbox.finish(op.id, &outcome, at(2));
        assert!(matches!(refused, Err(Error::Transition { .. })), "{state:?}");
    }
    let outcome = Outcome {
        ambiguous: true,
        ..Outcome::to(OpState::Uncertain)
    };
    let op = outbox.finish(op.id, &outcome, at(2)).unwrap();
    assert_eq!((op.state, op.ambiguous_sends), (OpState::Uncertain, 1));
    assert!(!outbox.cancel(op.id, at(3)).unwrap());
    assert_eq!(ids(&outbox.uncertain().unwrap()), [op.id]);
    assert!(outbox.ready(at(9), 100, |_| false).unwrap().is_empty());
    // Found out that it did not arrive: sent again, but never taken back, since the first send may still arrive.
    outbox.finish(op.id, &Outcome::to(OpState::Queued), at(4)).unwrap();
    assert!(!outbox.cancel(op.id, at(5)).unwrap());
    assert_eq!(ids(&outbox.ready(at(9), 100, |_| false).unwrap()), [op.id]);
}

#[test]
fn offline_charges_no_attempt_and_leaves_it_cancellable() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let epoch = outbox.epoch_begin(at(0)).unwrap();
    for round in 0..3 {
        outbox.claim(op.id, epoch, at(round * 10)).unwrap();
        let offline = Outcome {
            charged: false,
            not_before: Some(at(round * 10 + 9)),
            error: Some(OpError {
                class: "offline".into(),
                message: "no connection".into(),
                correlation_id: None,
            }),
            ..Outcome::to(OpState::Queued)
        };
        let op = outbox.finish(op.id, &offline, at(round * 10 + 1)).unwrap();
        assert_eq!((op.attempts, op.state), (0, OpState::Queued));
        assert!(op.error.is_some());
        assert!(outbox.ready(at(round * 10 + 8), 100, |_| false).unwrap().is_empty());
    }
    assert_eq!(outbox.attempts(op.id).unwrap().len(), 3);
    assert!(outbox.cancel(op.id, at(40)).unwrap());
    assert!(!outbox.cancel(op.id, at(41)).unwrap());
}

#[test]
fn a_record_has_one_operation_in_flight_and_keeps_their_order() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let first = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let second = outbox.keep(note("1", "moved"), at(1)).unwrap();
    let other = outbox.keep(stage_move("2", "a", "b"), at(2)).unwrap();
    assert_eq!((first.seq, second.seq, other.seq), (1, 2, 1));
    assert_eq!(ids(&outbox.ready(at(9), 100, |_| false).unwrap()), [first.id, other.id]);
    let epoch = outbox.epoch_begin(at(9)).unwrap();
    assert!(matches!(
        outbox.claim(second.id, epoch, at(9)),
        Err(Error::Blocked { .. })
    ));
    outbox.claim(first.id, epoch, at(9)).unwrap();
    assert_eq!(ids(&outbox.ready(at(9), 100, |_| false).unwrap()), [other.id]);
    assert!(matches!(
        outbox.claim(second.id, epoch, at(9)),
        Err(Error::Blocked { .. })
    ));
    outbox.finish(first.id, &Outcome::to(OpState::Landed), at(10)).unwrap();
    assert_eq!(
        ids(&outbox.ready(at(10), 100, |_| false).unwrap()),
        [second.id, other.id]
    );
}

#[test]
fn one_sent_back_to_the_queue_waits_for_a_later_one_on_the_wire() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let first = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let later = outbox.keep(note("1", "moved"), at(1)).unwrap();
    let epoch = outbox.epoch_begin(at(2)).unwrap();
    outbox.finish(first.id, &Outcome::to(OpState::Held), at(3)).unwrap();
    outbox.claim(later.id, epoch, at(4)).unwrap();
    outbox.requeue_by_hand(first.id, None, at(5)).unwrap();
    assert!(outbox.ready(at(6), 100, |_| false).unwrap().is_empty());
    assert!(matches!(
        outbox.claim(first.id, epoch, at(6)),
        Err(Error::Blocked { .. })
    ));
    outbox.finish(later.id, &Outcome::to(OpState::Landed), at(7)).unwrap();
    assert_eq!(ids(&outbox.ready(at(8), 100, |_| false).unwrap()), [first.id]);
}

#[test]
fn a_conflict_blocks_only_what_touches_the_same_property() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let stuck = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    outbox.finish(stuck.id, &Outcome::to(OpState::Conflict), at(1)).unwrap();
    let same = outbox.keep(stage_move("1", "b", "c"), at(2)).unwrap();
    let wait = outbox.ready(at(9), 100, |_| false).unwrap();
    assert!(wait.is_empty());
    let epoch = outbox.epoch_begin(at(3)).unwrap();
    assert!(matches!(
        outbox.claim(same.id, epoch, at(3)),
        Err(Error::Blocked { .. })
    ));
    outbox.cancel(same.id, at(3)).unwrap();
    let note = outbox.keep(note("1", "still goes"), at(4)).unwrap();
    assert_eq!(ids(&outbox.ready(at(9), 100, |_| false).unwrap()), [note.id]);
    outbox.drop_by_hand(stuck.id, at(5)).unwrap();
    assert_eq!(outbox.get(stuck.id).unwrap().unwrap().state, OpState::Cancelled);
}

#[test]
fn what_a_dead_process_left_in_flight_is_uncertain_and_at_last_held() {
    let home = Home::new();
    let mut store = home.open();
    let op = store.outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    for death in 1..=3_u32 {
        let epoch = store.outbox.epoch_begin(at(0)).unwrap();
        store.outbox.claim(op.id, epoch, at(1)).unwrap();
        drop(store);
        store = home.open();
        assert!(store.outbox.recover(epoch, at(2)).unwrap().is_empty(), "its own claim");
        let next = store.outbox.epoch_begin(at(2)).unwrap();
        let [left] = store.outbox.recover(next, at(2)).unwrap().try_into().unwrap();
        assert_eq!(left.crashes, death);
        let attempts = store.outbox.attempts(op.id).unwrap();
        assert!(
            attempts
                .iter()
                .all(|attempt| attempt.ambiguous && attempt.ended_at == Some(at(2)))
        );
        if death < 3 {
            assert_eq!(left.state, OpState::Uncertain);
            store
                .outbox
                .finish(op.id, &Outcome::to(OpState::Queued), at(3))
                .unwrap();
        } else {
            assert_eq!(left.state, OpState::Held);
            assert_eq!(left.error.as_ref().unwrap().class, "poison");
        }
    }
    let again = store.outbox.requeue_by_hand(op.id, None, at(9)).unwrap();
    assert_eq!(
        (again.state, again.crashes, again.error.clone()),
        (OpState::Queued, 0, None)
    );
}

#[test]
fn a_stale_epoch_claims_nothing() {
    let home = Home::new();
    let (mut old, mut new) = (home.open().outbox, home.open().outbox);
    let op = old.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let mine = old.epoch_begin(at(0)).unwrap();
    let current = new.epoch_begin(at(1)).unwrap();
    assert_eq!(current, mine + 1);
    let refused = old.claim(op.id, mine, at(2)).unwrap_err();
    assert!(matches!(refused, Error::Stale { mine: m, current: c } if m == mine && c == current));
    assert_eq!(Fault::from(refused).kind, FaultKind::Busy);
    assert_eq!(new.get(op.id).unwrap().unwrap().state, OpState::Queued);
    assert!(new.attempts(op.id).unwrap().is_empty());
    new.claim(op.id, current, at(3)).unwrap();
    assert!(matches!(
        new.claim(op.id, current, at(3)),
        Err(Error::Transition { .. })
    ));
}

#[test]
fn two_moves_become_one_with_the_oldest_base() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let first = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let both = outbox
        .replace_queued(first.id, stage_move("1", "b", "c"), at(1))
        .unwrap()
        .unwrap();
    let Payload::SetProperties { values, base } = &both.payload else {
        panic!("{both:?}");
    };
    assert_eq!(
        (values, base),
        (&properties(&[("dealstage", "c")]), &properties(&[("dealstage", "a")]))
    );
    let first = outbox.get(first.id).unwrap().unwrap();
    assert_eq!((first.state, first.superseded_by), (OpState::Superseded, Some(both.id)));
    assert_eq!(ids(&outbox.pending().unwrap()), [both.id]);
    assert_eq!(outbox.newest_undo().unwrap().map(|op| op.id), Some(both.id));
}

#[test]
fn there_and_back_again_sends_nothing() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let there = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let back = outbox
        .replace_queued(there.id, stage_move("1", "b", "a"), at(1))
        .unwrap()
        .unwrap();
    assert_eq!(back.state, OpState::Cancelled);
    assert_eq!(outbox.get(there.id).unwrap().unwrap().state, OpState::Cancelled);
    assert!(outbox.pending().unwrap().is_empty());
    assert_eq!(outbox.newest_undo().unwrap(), None);
}

#[test]
fn what_was_claimed_once_is_never_rewritten() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let epoch = outbox.epoch_begin(at(0)).unwrap();
    outbox.claim(op.id, epoch, at(1)).unwrap();
    assert_eq!(
        outbox.replace_queued(op.id, stage_move("1", "b", "c"), at(2)).unwrap(),
        None
    );
    outbox.finish(op.id, &Outcome::to(OpState::Queued), at(2)).unwrap();
    assert_eq!(
        outbox.replace_queued(op.id, stage_move("1", "b", "c"), at(2)).unwrap(),
        None
    );
    let followed = outbox.keep(stage_move("2", "a", "b"), at(3)).unwrap();
    outbox.keep(note("2", "in between"), at(3)).unwrap();
    assert_eq!(
        outbox
            .replace_queued(followed.id, stage_move("2", "b", "c"), at(4))
            .unwrap(),
        None
    );
    assert_eq!(
        outbox.list(&OutboxFilter::default()).unwrap().len(),
        3,
        "nothing was kept"
    );
}

#[test]
fn undo_takes_the_newest_action_of_any_face_once() {
    let home = Home::new();
    let (mut screen, mut command) = (home.open().outbox, home.open().outbox);
    let moved = screen.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let noted = command.keep(note("1", "from a script"), at(1)).unwrap();
    assert_eq!(screen.newest_undo().unwrap().map(|op| op.id), Some(noted.id));
    assert!(screen.cancel(noted.id, at(2)).unwrap());
    assert_eq!(screen.newest_undo().unwrap().map(|op| op.id), Some(moved.id));
    let inverse = NewOperation {
        undo_of: Some(moved.id),
        ..stage_move("1", "b", "a")
    };
    let undo = screen.keep(inverse.clone(), at(3)).unwrap();
    assert_eq!(undo.undo_of, Some(moved.id));
    assert_eq!(command.newest_undo().unwrap(), None, "an undo is no action to undo");
    let again = command.keep(inverse, at(4)).unwrap_err();
    assert!(matches!(again, Error::Undone(of) if of == moved.id));
    assert_eq!(
        command.list(&OutboxFilter::default()).unwrap().len(),
        3,
        "the second undo left nothing"
    );
    assert!(matches!(
        command.mark_undone(moved.id, false, at(5)),
        Err(Error::Undone(_))
    ));
}

#[test]
fn a_conflict_decided_for_ours_expects_their_value() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    outbox.finish(op.id, &Outcome::to(OpState::Conflict), at(1)).unwrap();
    let theirs = properties(&[("dealstage", "z")]);
    let decided = Payload::SetProperties {
        values: properties(&[("dealstage", "b")]),
        base: theirs,
    };
    let other_kind = outbox.requeue_by_hand(op.id, Some(&Payload::Archive), at(2)).unwrap();
    assert_eq!(other_kind.payload, op.payload, "what an operation is does not change");
    outbox.finish(op.id, &Outcome::to(OpState::Conflict), at(2)).unwrap();
    let again = outbox.requeue_by_hand(op.id, Some(&decided), at(2)).unwrap();
    assert_eq!(again.payload, decided);
    assert!(matches!(
        outbox.drop_by_hand(op.id, at(3)),
        Err(Error::Transition { .. })
    ));
}

#[test]
fn listings_and_counts_show_what_was_asked_for() {
    let home = Home::new();
    let mut store = home.open();
    let outbox = &mut store.outbox;
    let one = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let two = outbox.keep(stage_move("2", "a", "b"), at(1)).unwrap();
    let three = outbox.keep(note("1", "x"), at(2)).unwrap();
    outbox.cancel(two.id, at(3)).unwrap();
    let reader = Reader::open(&home.settings()).unwrap().outbox;
    let list = |filter: OutboxFilter| ids(&reader.list(&filter).unwrap());
    assert_eq!(list(OutboxFilter::default()), [three.id, two.id, one.id]);
    let queued = OutboxFilter {
        states: vec![OpState::Queued, OpState::Held],
        limit: Some(1),
        ..OutboxFilter::default()
    };
    assert_eq!(list(queued), [three.id]);
    let of_deal = OutboxFilter {
        entity: Some(deal_ref("1")),
        ..OutboxFilter::default()
    };
    assert_eq!(list(of_deal), [three.id, one.id]);
    assert_eq!(ids(&reader.pending_of(&deal_ref("1")).unwrap()), [one.id, three.id]);
    let counts: Vec<_> = reader.counts().unwrap().into_iter().collect();
    assert_eq!(counts, [(OpState::Queued, 2), (OpState::Cancelled, 1)]);
}

#[test]
fn drafts_values_and_aliases_survive() {
    let home = Home::new();
    let mut outbox = home.open().outbox;
    outbox.put_draft("note 1", "Dear").unwrap();
    outbox.put_draft("note 1", "Dear Ms Quill").unwrap();
    outbox.note_value("last look", "2026-11-22T09:00:00Z").unwrap();
    outbox.put_alias(crate::domain::ObjectType::Deals, "1", "2").unwrap();
    outbox.put_alias(crate::domain::ObjectType::Deals, "2", "3").unwrap();
    let mut outbox = home.open().outbox;
    assert_eq!(outbox.draft("note 1").unwrap().as_deref(), Some("Dear Ms Quill"));
    assert_eq!(
        outbox.value("last look").unwrap().as_deref(),
        Some("2026-11-22T09:00:00Z")
    );
    assert_eq!(outbox.value("other").unwrap(), None);
    assert_eq!(
        outbox.alias(&deal_ref("1")).unwrap(),
        Some(deal_ref("3")),
        "a merge of a merge"
    );
    assert_eq!(outbox.alias(&deal_ref("3")).unwrap(), None);
    outbox.drop_draft("note 1").unwrap();
    assert_eq!(outbox.draft("note 1").unwrap(), None);
}

#[test]
fn a_repair_is_kept_together_with_settling_and_is_nobodys_action() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let repair = stage_move("1", "a", "b");
    assert!(
        outbox.settle_with_repair(op.id, &repair, at(1)).is_err(),
        "it has not landed"
    );
    assert_eq!(ids(&outbox.pending().unwrap()), [op.id], "nothing was kept");
    let epoch = outbox.epoch_begin(at(0)).unwrap();
    outbox.claim(op.id, epoch, at(1)).unwrap();
    outbox.finish(op.id, &Outcome::to(OpState::Landed), at(2)).unwrap();
    let kept = outbox.settle_with_repair(op.id, &repair, at(3)).unwrap();
    assert_eq!(outbox.get(op.id).unwrap().unwrap().state, OpState::Done);
    assert_eq!(ids(&outbox.pending().unwrap()), [kept.id]);
    assert_eq!(outbox.newest_undo().unwrap().unwrap().id, op.id);
}
