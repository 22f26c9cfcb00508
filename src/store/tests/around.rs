//! What the mirror holds around the records: notes, account, definitions, segment counts, the feed.

use super::{Home, at, deal, linked, record};
use crate::{
    domain::{
        Account, ActivityItem, ActivityKind, DealId, ObjectType, PropertyDefinition, PropertyVersion, Record,
        RecordRef, Who,
    },
    store::{Put, Via},
};

const LIST: Put<'static> = Put::via(Via::List);
const DIRECT: Put<'static> = Put::via(Via::Direct);

#[test]
fn notes_of_a_deal_are_replaced_whole_but_for_the_newest() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let note = |id: &str, at_second: i64| Record {
        created_at: at(at_second),
        ..record(
            ObjectType::Notes,
            id,
            at_second,
            &[("hs_timestamp", &at(at_second).to_string())],
        )
    };
    let deal = DealId::from("1");
    assert_eq!(mirror.notes_of(&deal).unwrap(), (vec![], None));
    mirror
        .put_notes(&deal, &[note("10", 0), note("11", 100)], at(200))
        .unwrap();
    let (notes, as_of) = mirror.notes_of(&deal).unwrap();
    assert_eq!(
        notes.iter().map(|note| note.id.as_str()).collect::<Vec<_>>(),
        ["11", "10"]
    );
    assert_eq!(as_of, Some(at(200)));
    // Ours landed while an older read was on its way: the read does not take it away.
    let ours = linked(note("12", 290), ObjectType::Deals, &["1"]);
    mirror.put(ObjectType::Notes, &[ours], DIRECT).unwrap();
    mirror.put_notes(&deal, &[note("10", 0)], at(300)).unwrap();
    let shown = |mirror: &crate::store::Mirror| -> Vec<String> {
        let (notes, _) = mirror.notes_of(&DealId::from("1")).unwrap();
        notes.into_iter().map(|note| note.id).collect()
    };
    assert_eq!(shown(mirror), ["12", "10"]);
    mirror.put_notes(&deal, &[note("10", 0)], at(400)).unwrap();
    assert_eq!(shown(mirror), ["10"]);
}

#[test]
fn a_note_on_two_deals_is_a_note_of_both() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let read = |id: &str| record(ObjectType::Notes, id, 0, &[("hs_timestamp", &at(0).to_string())]);
    let shown = |mirror: &crate::store::Mirror, deal: &str| -> Vec<String> {
        let (notes, _) = mirror.notes_of(&DealId::from(deal)).unwrap();
        notes.into_iter().map(|note| note.id).collect()
    };
    for deal in ["1", "2", "1"] {
        mirror.put_notes(&deal.into(), &[read("10")], at(100)).unwrap();
        assert_eq!(shown(mirror, "1"), ["10"], "after a look at {deal}");
    }
    assert_eq!(shown(mirror, "2"), ["10"]);

    // Taken off one deal it stays with the other; taken off both it is gone.
    mirror.put_notes(&"1".into(), &[], at(200)).unwrap();
    assert_eq!(
        (shown(mirror, "1"), shown(mirror, "2")),
        (vec![], vec!["10".to_owned()])
    );
    let note = RecordRef::new(ObjectType::Notes, "10");
    assert!(mirror.record(&note).unwrap().is_some());
    mirror.put_notes(&"2".into(), &[], at(300)).unwrap();
    assert_eq!(mirror.record(&note).unwrap(), None);

    // A note that belongs to a contact, too, is kept.
    let ours = linked(
        linked(read("11"), ObjectType::Deals, &["1"]),
        ObjectType::Contacts,
        &["7"],
    );
    mirror.put(ObjectType::Notes, &[ours], DIRECT).unwrap();
    mirror.put_notes(&"1".into(), &[], at(400)).unwrap();
    assert!(shown(mirror, "1").is_empty());
    let contact = RecordRef::new(ObjectType::Contacts, "7");
    assert_eq!(mirror.associated(&contact, ObjectType::Notes).unwrap(), ["11"]);
}

#[test]
fn a_past_read_before_the_newest_change_stays_due() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let deals = [deal("1", 1, "a"), deal("2", 1, "a")];
    mirror.put(ObjectType::Deals, &deals, LIST).unwrap();
    let asked = mirror.history_due(ObjectType::Deals, 9).unwrap();
    assert_eq!(asked.len(), 2);
    // While the answer is awaited, one of them moves on.
    mirror.put(ObjectType::Deals, &[deal("1", 2, "b")], LIST).unwrap();
    let version = PropertyVersion {
        value: Some("a".into()),
        at: at(1),
        source: "CRM_UI".into(),
        user: None,
    };
    let answer = ["1", "2"].map(|id| Record {
        history: [("dealstage".to_owned(), vec![version.clone()])].into(),
        ..deal(id, 1, "a")
    });
    mirror.put_history(ObjectType::Deals, &asked, &answer).unwrap();
    let due = mirror.history_due(ObjectType::Deals, 9).unwrap();
    assert_eq!(due.iter().map(|due| due.id.as_str()).collect::<Vec<_>>(), ["1"]);
    assert_eq!(mirror.history(&deals[0].reference()).unwrap().len(), 1);
    // Found or not: who was asked for as it is now is not due any more.
    mirror.put_history(ObjectType::Deals, &due, &[]).unwrap();
    assert!(mirror.history_due(ObjectType::Deals, 9).unwrap().is_empty());
}

#[test]
fn catalog_feed_and_history_are_remembered_and_cleared() {
    let home = Home::new();
    let mut store = home.open();
    let account = Account {
        portal_id: 42,
        time_zone: "US/Eastern".into(),
        currency: "USD".into(),
        ui_domain: "app.hubspot.com".into(),
    };
    let definition = PropertyDefinition {
        name: "dealname".into(),
        label: "Deal name".into(),
        kind: "string".into(),
        options: vec![],
        read_only: false,
        hidden: false,
        unique: false,
        several: false,
    };
    store.mirror.put_account(&account).unwrap();
    store
        .mirror
        .put_definitions(ObjectType::Deals, std::slice::from_ref(&definition))
        .unwrap();
    store.mirror.put(ObjectType::Deals, &[deal("1", 1, "a")], LIST).unwrap();
    for day in 1..=9_i8 {
        let day = jiff::civil::date(2026, 11, day);
        store
            .mirror
            .segment_snapshot(day, &[("cold", day.day() as u64)])
            .unwrap();
    }
    let mirror = &mut home.open().mirror;
    assert_eq!(mirror.account().unwrap(), Some(account));
    assert_eq!(mirror.definitions(ObjectType::Deals).unwrap(), [definition]);
    assert!(mirror.definitions(ObjectType::Contacts).unwrap().is_empty());
    let history = mirror.segment_history("cold", 7).unwrap();
    assert_eq!(
        history.iter().map(|(_, count)| *count).collect::<Vec<_>>(),
        [3, 4, 5, 6, 7, 8, 9]
    );
    drop(store);
    mirror.clear().unwrap();
    assert_eq!(
        (mirror.account().unwrap(), mirror.count(ObjectType::Deals).unwrap()),
        (None, 0)
    );
    assert!(mirror.segment_history("cold", 7).unwrap().is_empty());
    for file in ["mirror.db", "mirror.db-wal"] {
        let bytes = std::fs::read(home.settings().dir.join(file)).unwrap_or_default();
        assert!(
            !bytes.windows(4).any(|four| four == b"Acme"),
            "a trace of a deal in {file}"
        );
    }
}

#[test]
fn the_feed_tells_a_thing_once_and_forgets_the_oldest() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let item = |second| ActivityItem {
        at: at(second),
        who: Who::You,
        deal: Some("1".into()),
        name: "Acme".into(),
        kind: ActivityKind::Moved("Contract".into()),
    };
    let items: Vec<_> = (0..600).map(item).collect();
    assert_eq!(mirror.feed_add(&items).unwrap().len(), 600);
    assert!(mirror.feed_add(&items[590..]).unwrap().is_empty());
    let feed = mirror.feed(1000).unwrap();
    assert_eq!(feed.len(), 500);
    assert_eq!((&feed[0], &feed[499]), (&item(599), &item(100)));
}
