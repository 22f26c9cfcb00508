//! Pushes of one's own contacts that were sent: what becomes of them, and what a person may still decide.

use super::{
    Home, at,
    local_contacts::{contact, how, only, sends, words},
};
use crate::{
    domain::{Behind, NewContact, OpError, OpId, OpState, Payload, PushDecision},
    store::{Outbox, Outcome, Pushing},
};

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
