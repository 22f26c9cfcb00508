//! What was undone can be done again, in the order in which it was undone, until something new is done.

use super::{Home, at, ids, note, stage_move};
use crate::{
    domain::OpId,
    store::{Kept, NewOperation, Outbox},
};

/// An inverse of it that is sent.
fn undone(outbox: &mut Outbox, op: &Kept, second: i64) -> Kept {
    let inverse = NewOperation {
        undo_of: Some(op.id),
        ..stage_move("1", "b", "a")
    };
    outbox.keep(inverse, at(second)).unwrap()
}

fn redoable(outbox: &Outbox) -> Vec<OpId> {
    ids(&outbox.newest_redos().unwrap())
}

#[test]
fn what_was_undone_last_is_done_again_first_and_something_new_ends_it() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let first = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let second = outbox.keep(note("1", "a note"), at(1)).unwrap();
    assert_eq!(redoable(outbox), []);
    undone(outbox, &second, 3);
    // The clock was set back meanwhile: the order of the deeds counts.
    undone(outbox, &first, 2);
    assert_eq!(redoable(outbox), [first.id]);
    let again = outbox.keep_again(&stage_move("1", "a", "b"), first.id, at(4)).unwrap();
    assert!(again.is_some());
    let twice = outbox.keep_again(&stage_move("1", "a", "b"), first.id, at(4)).unwrap();
    assert_eq!(twice, None, "nobody does it a third time");
    assert_eq!(redoable(outbox), [second.id], "a redo is nothing new");
    outbox.keep(stage_move("2", "a", "b"), at(1)).unwrap();
    assert_eq!(redoable(outbox), []);
}

#[test]
fn actions_that_were_one_are_undone_and_redone_as_one() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let mut keep = |deal: &str| outbox.keep(stage_move(deal, "a", "b"), at(0)).unwrap().id;
    let before = keep("9");
    let both = [keep("1"), keep("2")];
    outbox.bundle(&both).unwrap();
    assert_eq!(ids(&outbox.newest_undos().unwrap()), [both[1], both[0]]);
    for id in both {
        outbox.cancel(id, at(1)).unwrap();
        outbox.mark_undone(id, false, at(1)).unwrap();
    }
    assert_eq!(ids(&outbox.newest_undos().unwrap()), [before]);
    assert_eq!(redoable(outbox), both);
}

#[test]
fn what_could_not_be_undone_is_not_done_again() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    outbox.mark_undone(op.id, true, at(1)).unwrap();
    assert!(outbox.cancel(op.id, at(2)).unwrap());
    assert_eq!(redoable(outbox), []);
}

#[test]
fn an_undo_that_is_taken_back_leaves_the_action_as_it_was() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = outbox.keep(stage_move("1", "a", "b"), at(0)).unwrap();
    let undo = undone(outbox, &op, 1);
    assert_eq!(outbox.undone_by(op.id).unwrap().map(|undo| undo.id), Some(undo.id));
    assert!(outbox.take_undo_back(op.id, undo.id, at(2)).unwrap());
    assert_eq!(ids(&outbox.newest_undos().unwrap()), [op.id]);
    assert_eq!(redoable(outbox), []);
}
