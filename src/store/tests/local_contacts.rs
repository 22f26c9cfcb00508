//! Contacts of one's own: kept with their pushes, in one step, each with one push at most that is not on the wire.

use super::{Home, at, note, plan_of, stage_move};
use crate::{
    domain::{
        Behind, LocalContact, NewContact, ObjectType, OpId, OpState, Payload, Properties, PushDecision, RecordRef,
    },
    store::{
        Outbox, Outcome, Pushing,
        outbox::{
            contacts::{HAS_WAITING, SELECTED, WAITING},
            pushes::{FOLLOWERS, HEARD, PUSHES},
            view::{UNDOING, of_deals},
        },
    },
};

pub(super) fn contact(email: &str, phone: &str) -> NewContact {
    NewContact {
        email: email.to_owned(),
        values: Properties::from([("phone".to_owned(), Some(phone.to_owned()))]),
        hubspot_id: None,
    }
}

pub(super) fn how() -> Pushing {
    Pushing {
        account: Some(42),
        stamp: Some(("synced_on".to_owned(), "2026-11-22".to_owned())),
        ..Pushing::default()
    }
}

pub(super) fn only(outbox: &Outbox) -> LocalContact {
    outbox.contacts().unwrap().pop().unwrap()
}

pub(super) fn words(outbox: &Outbox) -> (&'static str, Option<&'static str>) {
    let (sync, processing) = only(outbox).statuses();
    (sync.word(), processing.map(|status| status.word()))
}

pub(super) fn sends(outbox: &Outbox) -> Vec<(OpState, Option<String>)> {
    let phone = |payload: &Payload| match payload {
        Payload::UpsertContact { values, .. } => values["phone"].clone(),
        _ => None,
    };
    let pending = outbox.pending_of(&RecordRef::by_email("a@b.example")).unwrap();
    pending.iter().map(|op| (op.state, phone(&op.payload))).collect()
}

#[test]
fn a_contact_and_its_push_are_kept_together_and_not_on_the_undo_stack() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let kept = outbox
        .keep_contacts(&[contact(" A@B.example", "1")], &how(), at(0))
        .unwrap();
    assert_eq!((kept.count.imported, kept.count.queued), (1, 1));
    assert_eq!(words(outbox), ("Queued", Some("Queued")));
    assert_eq!(only(outbox).email, "a@b.example");
    let [op] = outbox.pending().unwrap().try_into().unwrap();
    let Payload::UpsertContact { values, .. } = &op.payload else {
        panic!("{op:?}");
    };
    assert_eq!(values["synced_on"].as_deref(), Some("2026-11-22"));
    assert!(outbox.newest_undo().unwrap().is_none());
    let again = outbox
        .keep_contacts(&[contact("a@b.example", "1")], &how(), at(1))
        .unwrap();
    assert_eq!(
        (again.count.unchanged, again.count.queued),
        (1, 1),
        "it is on its way already"
    );
    assert_eq!(outbox.pending().unwrap().len(), 1);
}

#[test]
fn a_change_takes_the_place_of_what_was_not_sent_and_follows_what_is_on_the_wire() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    outbox
        .keep_contacts(&[contact("a@b.example", "1")], &how(), at(0))
        .unwrap();
    let behind = Pushing {
        anyway: true,
        behind: vec![Behind::Link(RecordRef::new(ObjectType::Companies, "7"))],
        ..how()
    };
    outbox
        .keep_contacts(&[contact("a@b.example", "1")], &behind, at(1))
        .unwrap();
    outbox
        .keep_contacts(&[contact("a@b.example", "2")], &how(), at(2))
        .unwrap();
    let phone = |text: &str| Some(text.to_owned());
    assert_eq!(
        sends(outbox),
        [(OpState::Queued, phone("2")), (OpState::Queued, None)],
        "before what is to follow it"
    );
    let epoch = outbox.epoch_begin(at(3)).unwrap();
    let first = only(outbox).operation.unwrap().id;
    outbox.claim(first, epoch, at(3)).unwrap();
    assert_eq!(words(outbox), ("Processing", Some("Processing")));
    outbox
        .keep_contacts(&[contact("a@b.example", "3")], &how(), at(4))
        .unwrap();
    outbox
        .keep_contacts(&[contact("a@b.example", "4")], &how(), at(5))
        .unwrap();
    let states = sends(outbox);
    assert_eq!(states[0], (OpState::InFlight, phone("2")));
    assert_eq!(
        states.iter().filter(|(_, phone)| phone.is_some()).count(),
        2,
        "{states:?}"
    );
    assert!(states.contains(&(OpState::Queued, phone("4"))));
}

#[test]
fn what_became_of_it_is_read_off_its_operation_and_is_the_same_after_a_kill() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    outbox
        .keep_contacts(&[contact("a@b.example", "1")], &how(), at(0))
        .unwrap();
    let epoch = outbox.epoch_begin(at(1)).unwrap();
    let op = only(outbox).operation.unwrap().id;
    outbox.claim(op, epoch, at(1)).unwrap();
    let outbox = &mut home.open().outbox;
    let epoch = outbox.epoch_begin(at(2)).unwrap();
    outbox.recover(epoch, at(2)).unwrap();
    assert_eq!(words(outbox), ("Processing", Some("Processing")));
    let landed = Outcome {
        remote_id: Some("900".into()),
        ..Outcome::to(OpState::Landed)
    };
    outbox.finish(op, &landed, at(3)).unwrap();
    assert_eq!(words(outbox), ("Complete", Some("Complete")));
    let [called] = outbox.contacts_called("900").unwrap().try_into().unwrap();
    assert_eq!(called.hubspot_id.as_deref(), Some("900"));
    outbox.settle(op, at(4)).unwrap();
    let anyway = Pushing { anyway: true, ..how() };
    outbox
        .keep_contacts(&[contact("a@b.example", "1")], &anyway, at(5))
        .unwrap();
    assert_eq!(
        only(outbox).hubspot_id.as_deref(),
        Some("900"),
        "what earlier pushes learnt stays"
    );
    assert_eq!(words(outbox), ("Queued", Some("Queued")));
}

#[test]
fn decisions_take_back_what_was_not_sent_and_a_reset_forgets() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let kept = outbox
        .keep_contacts(&[contact("a@b.example", "1")], &how(), at(0))
        .unwrap();
    outbox
        .decide_contacts(&kept.numbers, PushDecision::Skipped, at(1))
        .unwrap();
    assert_eq!(words(outbox), ("Skipped", None));
    assert!(outbox.pending().unwrap().is_empty());
    let other = outbox
        .keep_contacts(&[contact("a@b.example", "2")], &how(), at(2))
        .unwrap();
    assert_eq!(
        (other.count.skipped, other.count.queued),
        (1, 0),
        "a file does not overrule a person"
    );
    outbox
        .decide_contacts(&kept.numbers, PushDecision::Selected, at(3))
        .unwrap();
    assert_eq!(outbox.push_selected(10, "ran", &how(), at(4)).unwrap(), 1);
    assert_eq!(outbox.push_selected(10, "ran", &how(), at(4)).unwrap(), 0, "taken once");
    assert_eq!(outbox.value("ran").unwrap(), Some(at(4).to_string()));
    let epoch = outbox.epoch_begin(at(5)).unwrap();
    outbox.claim(only(outbox).operation.unwrap().id, epoch, at(5)).unwrap();
    assert_eq!(
        outbox.reset_contacts(&kept.numbers, at(6)).unwrap(),
        0,
        "HubSpot may be hearing of it"
    );
    let op = only(outbox).operation.unwrap().id;
    outbox.finish(op, &Outcome::to(OpState::Dead), at(7)).unwrap();
    assert_eq!(words(outbox), ("Error", Some("Error")));
    assert_eq!(outbox.reset_contacts(&kept.numbers, at(8)).unwrap(), 1);
    assert_eq!(words(outbox), ("Selected", None));
}

#[test]
fn before_the_account_is_known_contacts_wait_for_it() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    outbox
        .keep_contacts(&[contact("a@b.example", "1")], &Pushing::default(), at(0))
        .unwrap();
    assert_eq!(words(outbox), ("Queued", None));
    assert!(outbox.has_waiting_contacts().unwrap() && outbox.pending().unwrap().is_empty());
    assert_eq!(outbox.push_waiting(10, &how(), at(1)).unwrap(), 1);
    assert!(!outbox.has_waiting_contacts().unwrap());
    assert_eq!(words(outbox), ("Queued", Some("Queued")));
}

#[test]
fn no_question_that_is_asked_all_the_time_reads_every_contact() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    outbox
        .keep_contacts(&[contact("a@b.example", "1")], &how(), at(0))
        .unwrap();
    let from = "SELECT c.n FROM contact AS c LEFT JOIN op AS o ON o.id = c.op_id";
    for tail in [PUSHES, FOLLOWERS, HEARD] {
        let steps = plan_of(outbox.connection(), &format!("SELECT id FROM op {tail}"));
        assert!(
            steps[0].contains("(object=? AND entity=?)"),
            "the operations of one contact alone: {tail}: {steps:#?}"
        );
    }
    for (query, index) in [
        (HAS_WAITING.to_owned(), "contact_waiting"),
        (format!("{from} {WAITING}"), "contact_waiting"),
        (format!("{from} {SELECTED}"), "contact_selected"),
        (
            format!("{from} WHERE c.hubspot_id = ?1 ORDER BY c.n"),
            "contact_hubspot",
        ),
        (format!("SELECT id FROM op {}", of_deals()), "op_of_deals"),
        (format!("SELECT id FROM op WHERE {UNDOING}"), "op_undo"),
    ] {
        let steps = plan_of(outbox.connection(), &query);
        assert!(
            steps.iter().any(|step| step.contains(index)) && !steps.iter().any(|step| step.contains("TEMP B-TREE")),
            "{query}: {steps:#?}"
        );
    }
}

#[test]
fn a_view_of_deals_reads_nothing_of_the_contacts_that_wait() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let many: Vec<NewContact> = (0..200).map(|n| contact(&format!("c{n}@b.example"), "1")).collect();
    outbox.keep_contacts(&many, &how(), at(0)).unwrap();
    let moved = outbox.keep(stage_move("5", "a", "b"), at(1)).unwrap();
    let noted = outbox.keep(note("5", "text"), at(2)).unwrap();
    let gone = outbox.keep(stage_move("6", "a", "b"), at(3)).unwrap();
    outbox.cancel(gone.id, at(4)).unwrap();
    let shown: Vec<OpId> = outbox.pending_of_deals().unwrap().iter().map(|op| op.id).collect();
    assert_eq!(shown, [moved.id, noted.id]);
    assert_eq!(outbox.pending().unwrap().len(), 202, "they do wait");
}

#[test]
fn whose_account_waits_and_what_is_being_undone_is_asked_without_reading_the_queue() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = outbox.keep(stage_move("5", "a", "b"), at(1)).unwrap();
    assert_eq!(outbox.pending_elsewhere(op.account).unwrap(), None);
    assert_eq!(outbox.pending_elsewhere(op.account + 1).unwrap(), Some(op.account));
    assert!(!outbox.is_being_undone(op.id).unwrap());
    let mut back = stage_move("5", "b", "a");
    back.undo_of = Some(op.id);
    let back = outbox.keep(back, at(2)).unwrap();
    assert!(outbox.is_being_undone(op.id).unwrap());
    outbox.cancel(back.id, at(3)).unwrap();
    assert!(!outbox.is_being_undone(op.id).unwrap(), "not any more");
    outbox.cancel(op.id, at(4)).unwrap();
    assert_eq!(outbox.pending_elsewhere(op.account + 1).unwrap(), None);
}
