//! Contacts of one's own: kept with their pushes, in one step, each with one push at most that is not on the wire.

use super::{Home, at, plan_of};
use crate::{
    domain::{
        Behind, LocalContact, NewContact, ObjectType, OpError, OpId, OpState, Payload, Properties, PushDecision,
        RecordRef,
    },
    store::{
        Outbox, Outcome, Pushing,
        outbox::{
            contacts::{HAS_WAITING, SELECTED, WAITING},
            pushes::{FOLLOWERS, HEARD, PUSHES},
        },
    },
};

fn contact(email: &str, phone: &str) -> NewContact {
    NewContact {
        email: email.to_owned(),
        values: Properties::from([("phone".to_owned(), Some(phone.to_owned()))]),
        hubspot_id: None,
    }
}

fn how() -> Pushing {
    Pushing {
        account: Some(42),
        stamp: Some(("synced_on".to_owned(), "2026-11-22".to_owned())),
        ..Pushing::default()
    }
}

fn only(outbox: &Outbox) -> LocalContact {
    outbox.contacts().unwrap().pop().unwrap()
}

fn words(outbox: &Outbox) -> (&'static str, Option<&'static str>) {
    let (sync, processing) = only(outbox).statuses();
    (sync.word(), processing.map(|status| status.word()))
}

fn sends(outbox: &Outbox) -> Vec<(OpState, Option<String>)> {
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

fn keep(outbox: &mut Outbox, phone: &str, second: i64) -> OpId {
    outbox
        .keep_contacts(&[contact("a@b.example", phone)], &how(), at(second))
        .unwrap();
    only(outbox).operation.unwrap().id
}

fn claim(outbox: &mut Outbox, op: OpId, second: i64) {
    let epoch = outbox.epoch_begin(at(second)).unwrap();
    outbox.claim(op, epoch, at(second)).unwrap();
}

fn land(outbox: &mut Outbox, op: OpId, id: &str, second: i64) {
    claim(outbox, op, second);
    let landed = Outcome {
        remote_id: Some(id.to_owned()),
        ..Outcome::to(OpState::Landed)
    };
    outbox.finish_all(&[(op, landed)], at(second)).unwrap();
}

fn failed(class: &str, state: OpState) -> Outcome {
    let error = OpError {
        class: class.to_owned(),
        message: "no".to_owned(),
        correlation_id: None,
    };
    Outcome {
        error: Some(error),
        ..Outcome::to(state)
    }
}

fn behind() -> Pushing {
    Pushing {
        anyway: true,
        behind: vec![Behind::List("7".into(), true)],
        ..how()
    }
}

/// What a push sets, without the day it was made on.
fn sets(outbox: &Outbox, op: OpId) -> Vec<(String, String)> {
    let Payload::UpsertContact { values, .. } = outbox.get(op).unwrap().unwrap().op.payload else {
        panic!("no push");
    };
    let values = values.into_iter().filter(|(name, _)| name != "synced_on");
    values.map(|(name, value)| (name, value.unwrap_or_default())).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn what_leaves_the_wire_without_landing_gives_way_to_the_newer_push() {
    for (state, end) in [
        (OpState::Queued, OpState::Superseded),
        (OpState::Held, OpState::Cancelled),
        (OpState::Dead, OpState::Cancelled),
    ] {
        let home = Home::new();
        let outbox = &mut home.open().outbox;
        let first = keep(outbox, "1", 0);
        outbox
            .keep_contacts(&[contact("a@b.example", "1")], &behind(), at(1))
            .unwrap();
        claim(outbox, first, 2);
        let second = keep(outbox, "2", 3);
        let ended = outbox.finish(first, &failed("offline", state), at(4)).unwrap();
        assert_eq!((ended.state, ended.superseded_by), (end, Some(second)), "{state:?}");
        let ready = outbox.ready(at(5), 10, |_| false).unwrap();
        assert_eq!(
            ready.first().map(|op| op.id),
            Some(second),
            "before what is to follow: {state:?}"
        );
    }
}

#[test]
fn a_push_that_kills_processes_gives_way_as_well() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let first = keep(outbox, "1", 0);
    for second in 1..=2 {
        claim(outbox, first, second);
        let epoch = outbox.epoch_begin(at(second)).unwrap();
        outbox.recover(epoch, at(second)).unwrap();
        outbox.finish(first, &Outcome::to(OpState::Queued), at(second)).unwrap();
    }
    claim(outbox, first, 3);
    let newer = keep(outbox, "2", 4);
    let epoch = outbox.epoch_begin(at(5)).unwrap();
    outbox.recover(epoch, at(5)).unwrap();
    assert_eq!(outbox.get(first).unwrap().unwrap().state, OpState::Cancelled);
    claim(outbox, newer, 6);
}

#[test]
fn decisions_are_about_every_push_of_a_contact() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let first = keep(outbox, "1", 0);
    claim(outbox, first, 1);
    keep(outbox, "2", 2);
    let n = [only(outbox).n];
    assert_eq!(
        outbox.reset_contacts(&n, at(3)).unwrap(),
        0,
        "HubSpot may be hearing of it"
    );
    outbox.decide_contacts(&n, PushDecision::Skipped, at(4)).unwrap();
    assert_eq!(
        words(outbox),
        ("Processing", Some("Processing")),
        "what is on the wire cannot be un-sent"
    );
    assert_eq!(sends(outbox).len(), 1);
    let ended = outbox
        .finish(first, &failed("offline", OpState::Queued), at(5))
        .unwrap();
    assert_eq!(ended.state, OpState::Cancelled, "it is not tried again");
    assert_eq!(words(outbox).0, "Skipped");
}

#[test]
fn what_changed_behind_a_push_on_the_wire_is_pushed_once_it_is_wanted_again() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let first = keep(outbox, "1", 0);
    claim(outbox, first, 1);
    keep(outbox, "2", 2);
    let n = [only(outbox).n];
    outbox.decide_contacts(&n, PushDecision::Skipped, at(3)).unwrap();
    let anyway = Pushing { anyway: true, ..how() };
    let again = NewContact {
        email: "a@b.example".to_owned(),
        ..NewContact::default()
    };
    outbox.keep_contacts(&[again], &anyway, at(4)).unwrap();
    let sent: Vec<_> = sends(outbox).into_iter().map(|(_, phone)| phone).collect();
    assert_eq!(sent, [Some("1".to_owned()), Some("2".to_owned())]);
}

#[test]
fn a_refused_contact_is_sent_again_only_after_an_edit() {
    for (class, state) in [
        (OpError::VALIDATION, OpState::Dead),
        (OpError::NEEDS_FIELDS, OpState::Held),
    ] {
        let home = Home::new();
        let outbox = &mut home.open().outbox;
        let op = keep(outbox, "1", 0);
        claim(outbox, op, 1);
        outbox.finish(op, &failed(class, state), at(2)).unwrap();
        let n = [only(outbox).n];
        assert_eq!(keep(outbox, "1", 3), op, "{class}");
        outbox.decide_contacts(&n, PushDecision::Selected, at(4)).unwrap();
        assert_eq!(outbox.push_selected(10, "ran", &how(), at(5)).unwrap(), 0, "{class}");
        outbox.decide_contacts(&n, PushDecision::Skipped, at(6)).unwrap();
        assert!(only(outbox).is_refused(), "giving it up is no edit: {class}");
        keep(outbox, "2", 7);
        assert!(!only(outbox).is_refused(), "{class}");
        outbox.decide_contacts(&n, PushDecision::Selected, at(8)).unwrap();
        assert_eq!(outbox.push_selected(10, "ran", &how(), at(9)).unwrap(), 1, "{class}");
    }
}

#[test]
fn what_is_skipped_is_neither_linked_nor_listed_and_nothing_of_it_waits() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    keep(outbox, "1", 0);
    outbox
        .keep_contacts(&[contact("a@b.example", "1")], &behind(), at(1))
        .unwrap();
    let n = [only(outbox).n];
    outbox.decide_contacts(&n, PushDecision::Skipped, at(2)).unwrap();
    assert_eq!(sends(outbox), []);
    outbox
        .keep_contacts(&[contact("a@b.example", "1")], &behind(), at(3))
        .unwrap();
    let op = only(outbox).operation.unwrap().id;
    claim(outbox, op, 4);
    outbox.finish(op, &failed("scope", OpState::Held), at(5)).unwrap();
    assert_eq!(sends(outbox).len(), 2);
    outbox.decide_contacts(&n, PushDecision::Skipped, at(6)).unwrap();
    assert_eq!(sends(outbox), []);
}

#[test]
fn only_what_hubspot_has_not_taken_yet_is_sent() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let mut march = contact("a@b.example", "1");
    march.values.insert("city".to_owned(), Some("Bern".to_owned()));
    outbox.keep_contacts(&[march], &how(), at(0)).unwrap();
    let first = only(outbox).operation.unwrap().id;
    assert_eq!(sets(outbox, first), pairs(&[("city", "Bern"), ("phone", "1")]));
    land(outbox, first, "900", 1);
    let second = keep(outbox, "2", 2);
    assert_eq!(
        sets(outbox, second),
        pairs(&[("phone", "2")]),
        "a colleague may have changed the city"
    );
    // Nobody knows yet which of both HubSpot has.
    claim(outbox, second, 3);
    let third = keep(outbox, "1", 4);
    assert_eq!(sets(outbox, third), pairs(&[("phone", "1")]));
    outbox
        .finish(second, &failed("offline", OpState::Queued), at(5))
        .unwrap();
    land(outbox, third, "900", 6);
    let n = [only(outbox).n];
    outbox.reset_contacts(&n, at(7)).unwrap();
    outbox.push_selected(10, "ran", &how(), at(8)).unwrap();
    let anew = only(outbox).operation.unwrap().id;
    assert_eq!(sets(outbox, anew), pairs(&[("city", "Bern"), ("phone", "1")]));
}

#[test]
fn where_nothing_is_left_to_send_nothing_is_sent() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let plain = Pushing {
        stamp: None,
        anyway: true,
        ..how()
    };
    let one = [contact("a@b.example", "1")];
    outbox.keep_contacts(&one, &plain, at(0)).unwrap();
    let first = only(outbox).operation.unwrap().id;
    land(outbox, first, "900", 1);
    let again = outbox.keep_contacts(&one, &plain, at(2)).unwrap();
    assert_eq!((again.count.unchanged, again.count.queued), (1, 0));
    outbox
        .keep_contacts(&[contact("a@b.example", "2")], &plain, at(3))
        .unwrap();
    outbox.keep_contacts(&one, &plain, at(4)).unwrap();
    assert!(sends(outbox).is_empty(), "changed, and changed back");
    assert_eq!(words(outbox), ("Complete", Some("Complete")));
    let n = [only(outbox).n];
    outbox.decide_contacts(&n, PushDecision::Selected, at(5)).unwrap();
    assert_eq!(outbox.push_selected(10, "ran", &plain, at(6)).unwrap(), 1);
    assert_eq!(words(outbox), ("Complete", Some("Complete")));
}

#[test]
fn a_contact_that_hubspot_made_anew_gets_the_rest_too() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let mut march = contact("a@b.example", "1");
    march.values.insert("city".to_owned(), Some("Bern".to_owned()));
    outbox.keep_contacts(&[march], &how(), at(0)).unwrap();
    let first = only(outbox).operation.unwrap().id;
    land(outbox, first, "900", 1);
    let second = keep(outbox, "2", 2);
    land(outbox, second, "901", 3);
    let rest = only(outbox).operation.unwrap().id;
    assert_eq!(sets(outbox, rest), pairs(&[("city", "Bern")]));
    land(outbox, rest, "901", 4);
    assert_eq!(words(outbox), ("Complete", Some("Complete")));
    assert_eq!(only(outbox).hubspot_id.as_deref(), Some("901"));
}

#[test]
fn another_account_gets_everything() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = keep(outbox, "1", 0);
    land(outbox, op, "900", 1);
    let there = Pushing {
        account: Some(43),
        anyway: true,
        stamp: None,
        ..how()
    };
    outbox
        .keep_contacts(&[contact("a@b.example", "1")], &there, at(2))
        .unwrap();
    let second = only(outbox).operation.unwrap().id;
    assert_ne!(second, op);
    assert_eq!(sets(outbox, second), pairs(&[("phone", "1")]));
}

#[test]
fn a_decision_is_no_change_of_a_contact() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    keep(outbox, "1", 0);
    let n = [only(outbox).n];
    outbox.decide_contacts(&n, PushDecision::Skipped, at(1)).unwrap();
    assert_eq!((only(outbox).updated_at, only(outbox).decided_at), (at(0), at(1)));
    outbox.reset_contacts(&n, at(2)).unwrap();
    assert_eq!((only(outbox).updated_at, only(outbox).decided_at), (at(0), at(2)));
}

#[test]
fn without_an_account_what_hubspot_calls_a_contact_is_not_forgotten() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    let op = keep(outbox, "1", 0);
    land(outbox, op, "900", 1);
    let nowhere = Pushing::default();
    outbox
        .keep_contacts(&[contact("a@b.example", "2")], &nowhere, at(2))
        .unwrap();
    assert_eq!(words(outbox), ("Queued", None));
    assert_eq!(only(outbox).hubspot_id.as_deref(), Some("900"));
    assert_eq!(outbox.contacts_called("900").unwrap().len(), 1);
}

#[test]
fn no_question_the_queue_asks_all_the_time_reads_every_contact() {
    let home = Home::new();
    let outbox = &mut home.open().outbox;
    keep(outbox, "1", 0);
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
        ("SELECT n FROM contact WHERE op_id = ?1".to_owned(), "contact_op"),
    ] {
        let steps = plan_of(outbox.connection(), &query);
        assert!(
            steps.iter().any(|step| step.contains(index)) && !steps.iter().any(|step| step.contains("TEMP B-TREE")),
            "{query}: {steps:#?}"
        );
    }
}
