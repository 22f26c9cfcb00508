//! What must stay cheap however much there is: how many rows a change writes, and what is found along which index.

use super::{Home, at, deal, linked, plan_of, record};
use crate::{
    domain::{List, ListId, ListKind, ListMember, ObjectType, Record, RecordRef},
    filter::{Field, Plan, Test},
    store::{Mirror, Put, Via, sql},
};

const LIST: Put<'static> = Put::via(Via::List);

fn contact(id: usize) -> Record {
    record(ObjectType::Contacts, &id.to_string(), 1, &[("email", "a@b.example")])
}

/// How many rows the work wrote, with those of triggers.
fn rows_written(mirror: &mut Mirror, work: impl FnOnce(&mut Mirror)) -> u64 {
    let before = mirror.connection().total_changes();
    work(mirror);
    mirror.connection().total_changes() - before
}

#[test]
fn contacts_that_join_a_company_or_leave_it_cost_no_more_than_themselves() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let ids: Vec<String> = (0..1_000).map(|id| id.to_string()).collect();
    let refs: Vec<&str> = ids.iter().map(String::as_str).collect();
    let company = linked(record(ObjectType::Companies, "7", 1, &[]), ObjectType::Contacts, &refs);
    mirror.put(ObjectType::Companies, &[company], LIST).unwrap();
    let contacts: Vec<Record> = (1_000..1_100).map(contact).collect();
    mirror.put(ObjectType::Contacts, &contacts, LIST).unwrap();
    let join: Vec<_> = contacts
        .iter()
        .map(|contact| (contact.id.clone(), vec!["7".to_owned()]))
        .collect();
    let company = RecordRef::new(ObjectType::Companies, "7");
    let members = |mirror: &Mirror| mirror.associated(&company, ObjectType::Contacts).unwrap().len();

    let written = rows_written(mirror, |mirror| {
        let changed = mirror.told(ObjectType::Companies, ObjectType::Contacts, &join).unwrap();
        assert_eq!(changed.len(), 1, "told once");
    });
    assert_eq!(members(mirror), 1_100);
    assert_eq!(written, 101, "a link each, and the company");

    let leave: Vec<_> = join.iter().map(|(id, _)| (id.clone(), Vec::new())).collect();
    let written = rows_written(mirror, |mirror| {
        mirror
            .told(ObjectType::Companies, ObjectType::Contacts, &leave)
            .unwrap();
    });
    assert_eq!((members(mirror), written), (1_000, 101));

    // The same when they are gone, and when the company itself says so.
    mirror.told(ObjectType::Companies, ObjectType::Contacts, &join).unwrap();
    let gone: Vec<&str> = contacts.iter().map(|contact| contact.id.as_str()).collect();
    let (removed, touched) = mirror.remove(ObjectType::Contacts, &gone).unwrap();
    assert_eq!((removed.len(), touched.len(), members(mirror)), (100, 1, 1_000));
    let shorter = linked(
        record(ObjectType::Companies, "7", 2, &[]),
        ObjectType::Contacts,
        &refs[1..],
    );
    let written = rows_written(mirror, |mirror| {
        mirror.put(ObjectType::Companies, &[shorter], LIST).unwrap();
    });
    assert_eq!((members(mirror), written), (999, 2));
}

#[test]
fn a_condition_on_few_values_reads_them_along_their_index() {
    let mut store = Home::new().open();
    while store.mirror.settle_load(ObjectType::Contacts).unwrap() {}
    for field in [Field::Lifecycle, Field::Owner, Field::Company] {
        let plan = Plan::Test(field, Test::Contains("a".into()));
        let condition = sql::compile(ObjectType::Contacts, &plan).unwrap().sql;
        let query = format!("SELECT count(*) FROM contact AS c WHERE {condition}");
        let steps = plan_of(store.mirror.connection(), &query);
        let mut looks = steps
            .iter()
            .filter(|step| step.contains(" contact") || step.contains(" c "));
        assert!(
            looks.all(|step| step.contains(" INDEX contact_")),
            "{plan:?}: {steps:?}"
        );
    }
}

#[test]
fn an_index_that_a_newer_version_adds_comes_to_older_mirrors() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    while mirror.settle_load(ObjectType::Contacts).unwrap() {}
    mirror.connection().execute("DROP INDEX contact_owner", []).unwrap();
    assert!(mirror.settle_load(ObjectType::Contacts).unwrap());
    while mirror.settle_load(ObjectType::Contacts).unwrap() {}
    let steps = plan_of(mirror.connection(), "SELECT key FROM contact WHERE owner = ?");
    assert!(steps[0].contains("contact_owner"), "{steps:?}");
}

#[test]
fn records_are_found_by_the_beginnings_of_their_words() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let named = |id: &str, first: &str, email: &str| {
        let properties = [("firstname", first), ("lastname", "Vogel"), ("email", email)];
        record(ObjectType::Contacts, id, 1, &properties)
    };
    let early = [
        named("1", "Greta", "greta@acme.example"),
        named("2", "Dörte", "d@acme.example"),
    ];
    mirror.put(ObjectType::Contacts, &early, LIST).unwrap();
    mirror.put(ObjectType::Deals, &[deal("1", 1, "a")], LIST).unwrap();
    let found = |mirror: &Mirror, object, words: &str, limit| -> Vec<String> {
        let records = mirror.find(object, words, limit).unwrap();
        let mut ids: Vec<String> = records.into_iter().map(|record| record.id).collect();
        ids.sort();
        ids
    };
    let contacts = |mirror: &Mirror, words: &str| found(mirror, ObjectType::Contacts, words, 9);
    assert!(contacts(mirror, "greta").is_empty(), "not loaded yet");
    for object in [ObjectType::Contacts, ObjectType::Deals] {
        while mirror.settle_load(object).unwrap() {}
    }
    mirror
        .put(
            ObjectType::Contacts,
            &[named("3", "Gregor", "gregor@acme.example")],
            LIST,
        )
        .unwrap();
    for (words, ids) in [
        ("gre", &["1", "3"][..]),
        ("VOG gret", &["1"]),
        ("dorte", &["2"]),
        ("acme.example", &["1", "2", "3"]),
        ("greta skates", &[]),
        ("reta", &[]),
        ("", &[]),
        ("\"' - *", &[]),
        ("gre\" OR \"skates", &[]),
    ] {
        assert_eq!(contacts(mirror, words), ids, "{words}");
    }
    assert_eq!(found(mirror, ObjectType::Contacts, "acme", 2).len(), 2);
    assert_eq!(found(mirror, ObjectType::Deals, "acme rock", 9), ["1"]);

    // Words follow what happens to a record.
    let renamed = Record {
        updated_at: at(2),
        ..named("1", "Henrike", "henrike@acme.example")
    };
    mirror.put(ObjectType::Contacts, &[renamed], LIST).unwrap();
    let archived = Record {
        archived: true,
        updated_at: at(2),
        ..named("2", "Dörte", "d@acme.example")
    };
    mirror.put(ObjectType::Contacts, &[archived], LIST).unwrap();
    mirror.remove(ObjectType::Contacts, &["3"]).unwrap();
    assert_eq!(contacts(mirror, "acme"), ["1"]);
    assert_eq!(contacts(mirror, "hen"), ["1"]);
}

#[test]
fn who_joined_a_list_and_who_left_it_is_remembered() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let list = List {
        id: ListId::from("5"),
        name: "Warm".into(),
        object: Some(ObjectType::Contacts),
        kind: Some(ListKind::Manual),
        status: "COMPLETE".into(),
        size: None,
        updated_at: None,
        joined_at: None,
        left_at: None,
        filters: None,
    };
    mirror.put_lists(std::slice::from_ref(&list)).unwrap();
    let member = |id: &str, second| ListMember {
        record: id.into(),
        joined_at: Some(at(second)),
    };
    mirror
        .put_members(&list.id, &[member("1", 0), member("2", 0)], "first", at(10))
        .unwrap();
    assert!(mirror.member_changes(at(0)).unwrap().is_empty(), "that is how it was");
    mirror
        .put_members(&list.id, &[member("2", 0), member("3", 15)], "second", at(20))
        .unwrap();
    let told = |since| -> Vec<_> {
        let changes = mirror.member_changes(since).unwrap();
        changes
            .into_iter()
            .map(|change| (change.record, change.joins, change.at))
            .collect()
    };
    assert_eq!(
        told(at(0)),
        [("3".to_owned(), true, at(15)), ("1".to_owned(), false, at(20))]
    );
    assert_eq!(told(at(16)).len(), 1);
}
