//! Contacts: listed, filtered and counted by SQL, which must mean what the filter means in memory.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{Home, at, cases, record};
use crate::{
    domain::{Contact, List, ListMember, ObjectType, PropertyDefinition, Record, Segment},
    filter::{ContactRow, Context, Expr, Field, Plan, Schema, Segments, Test},
    store::{Put, Query, Sort, SortKey, Store, Via},
};

const NOW: i64 = 0;
const DAY: i64 = 86_400;

fn definitions() -> Vec<PropertyDefinition> {
    let definition = |name: &str, kind: &str| PropertyDefinition {
        name: name.into(),
        label: name.into(),
        kind: kind.into(),
        options: vec![],
        read_only: false,
        hidden: false,
        unique: false,
        several: false,
    };
    vec![
        definition("score", "number"),
        definition("birthday", "date"),
        definition("seen_at", "datetime"),
        definition("vip", "bool"),
        definition("city", "string"),
        definition("lifecyclestage", "enumeration"),
    ]
}

/// Ids of which one begins another, a name that begins like an id, and one that nobody is in.
const LISTS: [(&str, &str); 4] = [
    ("7", "Newsletter"),
    ("77", "news of old"),
    ("abc", "77 things"),
    ("8", "Empty"),
];

fn lists() -> Vec<List> {
    let list = |(id, name): (&str, &str)| List {
        id: id.into(),
        name: name.into(),
        object: Some(ObjectType::Contacts),
        kind: None,
        status: String::new(),
        size: None,
        updated_at: None,
        joined_at: None,
        left_at: None,
        filters: None,
    };
    LISTS.map(list).to_vec()
}

fn segments() -> Vec<Segment> {
    let bound = Segment {
        name: "bound".into(),
        filter: "company~a".into(),
        list: Some("77".into()),
    };
    [Segment::defaults(), vec![bound]].concat()
}

fn plans() -> Vec<(String, Plan)> {
    let definitions = definitions();
    let plan = |segment: Segment| {
        let expr = Expr::parse(&segment.filter, Schema::Contacts(&definitions, Segments::Barred)).unwrap();
        let plan = expr.plan(&context(&definitions));
        let plan = match &segment.list {
            Some(list) => Plan::All(vec![Plan::Test(Field::List, Test::OneOf(vec![list.to_string()])), plan]),
            None => plan,
        };
        (segment.name, plan)
    };
    segments().into_iter().map(plan).collect()
}

fn context(definitions: &[PropertyDefinition]) -> Context<'_> {
    Context {
        definitions,
        ..Context::new(at(NOW), TimeZone::get("America/New_York").unwrap())
    }
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(String::new())),
        1 => Just(Some("   ".into())),
        6 => prop::sample::select(vec![
            "Chainge", "chainge GmbH", "ACME", "Ärzte & Söhne", "ärzte", "İstanbul", "straße", "100%", "a_b", "a.b@c.example",
            "customer", "lead", "opportunity", "O'Brien \"x\"", "日本", "9", "77",
        ]).prop_map(|text| Some(text.to_owned())),
    ]
}

fn odd_values() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(vec![
        "",
        "0",
        "12",
        "12.50",
        "12.5",
        "-3",
        "1e3",
        "many",
        "true",
        "false",
        "TRUE",
        "2026-11-22",
        "2026-11-21T23:30:00Z",
        "1795338000000",
        "not a date",
    ]))
    .prop_map(|value| value.map(str::to_owned))
}

fn contact() -> impl Strategy<Value = Record> {
    let names = [
        "firstname",
        "lastname",
        "email",
        "company",
        "phone",
        "jobtitle",
        "lifecyclestage",
        "hs_lead_status",
        "hubspot_owner_id",
        "city",
    ];
    let odd = [
        "score",
        "birthday",
        "seen_at",
        "vip",
        "notes_last_updated",
        "createdate",
    ];
    (
        prop::collection::vec(text(), names.len()),
        prop::collection::vec(odd_values(), odd.len()),
        -200 * DAY..DAY,
    )
        .prop_map(move |(texts, values, updated)| {
            let mut contact = record(ObjectType::Contacts, "1", updated, &[]);
            for (name, value) in names.into_iter().zip(texts).chain(odd.into_iter().zip(values)) {
                contact.properties.insert(name.into(), value);
            }
            contact
        })
}

fn filter() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "chainge",
        "\"ä\"",
        "name:ä",
        "name~e",
        "name:none",
        "name!=ACME",
        "email~@c",
        "email:none",
        "company ~ \"chainge\"",
        "company=acme",
        "company!~a",
        "company:İ",
        "company~ss",
        "company~\"100%\"",
        "company~\"a_b\"",
        "phone:9",
        "title:lead",
        "lifecycle:(customer, evangelist, opportunity)",
        "lifecycle:none",
        "lifecycle!=customer",
        "status:lead",
        "owner:9",
        "owner:me",
        "owner!=77",
        "updated < 30d",
        "updated >= 90d",
        "updated:today",
        "updated:none",
        "updated > -30d",
        "created >= -30d",
        "created<2026-11-22",
        "activity >= 2w",
        "activity:none",
        "activity:2026-11-01..2026-11-22",
        "score>=12.5",
        "score=12.50",
        "score!=12.5",
        "score:-3..12",
        "score:none",
        "score>0",
        "birthday:today",
        "birthday<=2026-11-22",
        "birthday:none",
        "seen_at<today",
        "seen_at:2026-11-21",
        "seen_at:none",
        "vip:yes",
        "vip:no",
        "vip:none",
        "city~ö",
        "city:none",
        "city!=acme",
        "-city:acme",
        "list:7",
        "list:77",
        "list:(7, abc)",
        "list:news",
        "list=newsletter",
        "list~s",
        "list:none",
        "list:8",
        "list:nowhere",
        "list!=77",
        "segment:engaged",
        "segment:bound",
        "segment:(high_value, bound)",
        "segment:none",
        "segment!=cold",
        "lifecycle:none or lifecycle!=customer",
        "company:none or company~a",
        "not (company:ä or company!~chainge)",
        "not (owner:none owner:9)",
        "updated<0d",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("not ({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) or ({b})")),
        ]
    })
}

fn plan(text: &str) -> Plan {
    let definitions = definitions();
    let (segments, plans, lists) = (segments(), plans(), lists());
    let context = Context {
        lists: &lists,
        segments: &plans,
        ..context(&definitions)
    };
    Expr::parse(text, Schema::Contacts(&definitions, Segments::Of(&segments)))
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .plan(&context)
}

/// In which of [`LISTS`] each contact is, as bits; contacts past the end are in none.
type Bits = Vec<u8>;

fn lists_of(record: &Record, bits: &Bits) -> Vec<&'static str> {
    let nth: usize = record.id.parse().unwrap();
    let bits = bits.get(nth - 1).copied().unwrap_or_default();
    let ids = LISTS.iter().enumerate().filter(|(list, _)| bits & (1 << list) != 0);
    ids.map(|(_, (id, _))| *id).collect()
}

fn put_members(store: &mut Store, contacts: &[Record], bits: &Bits) {
    store.mirror.put_lists(&lists()).unwrap();
    for (list, _) in LISTS {
        let members: Vec<ListMember> = contacts
            .iter()
            .filter(|contact| lists_of(contact, bits).contains(&list))
            .map(|contact| ListMember {
                record: contact.id.clone(),
                joined_at: None,
            })
            .collect();
        store
            .mirror
            .put_members(&list.into(), &members, "told", at(NOW))
            .unwrap();
    }
}

fn matching(plan: &Plan, records: &[Record], bits: &Bits) -> Vec<String> {
    let definitions = definitions();
    let context = context(&definitions);
    let matches = |record: &&Record| {
        let contact = Contact::from_record(record);
        let row = ContactRow {
            contact: &contact,
            properties: Some(&record.properties),
            lists: &lists_of(record, bits),
        };
        plan.matches(&row, &context)
    };
    records.iter().filter(matches).map(|record| record.id.clone()).collect()
}

fn put(store: &mut Store, contacts: &[Record]) {
    store
        .mirror
        .put(ObjectType::Contacts, contacts, Put::via(Via::List))
        .unwrap();
}

fn numbered(contacts: Vec<Record>) -> Vec<Record> {
    let with_id = |(index, record): (usize, Record)| Record {
        id: (index + 1).to_string(),
        ..record
    };
    contacts.into_iter().enumerate().map(with_id).collect()
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn sql_and_memory_mean_the_same(
        contacts in prop::collection::vec(contact(), 1..25),
        filters in prop::collection::vec(filter(), 1..8),
        bits in prop::collection::vec(0..8_u8, 25),
    ) {
        let home = Home::new();
        let mut store = home.open();
        let contacts = numbered(contacts);
        put(&mut store, &contacts);
        put_members(&mut store, &contacts, &bits);
        for text in filters {
            let plan = plan(&text);
            let expected = matching(&plan, &contacts, &bits);
            let query = Query { plan: Some(plan.clone()), limit: 100, ..Query::default() };
            let page = store.mirror.page(ObjectType::Contacts, &query).unwrap();
            let found: Vec<String> = page.rows.iter().map(|row| row.id.clone()).collect();
            prop_assert_eq!(&found, &expected, "{}", text);
            prop_assert_eq!(page.total, expected.len(), "{}", text);
            let counts = store.mirror.segment_counts(&[(text.as_str(), plan)]).unwrap();
            prop_assert_eq!(counts[&text], expected.len() as u64, "{}", text);
        }
    }
}

proptest! {
    #![proptest_config(cases(6))]

    /// In every order, either way, the pages together are all rows once, the same as one long page and as skipping.
    #[test]
    fn pages_together_are_the_whole_list(contacts in prop::collection::vec(contact(), 1..25), limit in 1..7_usize) {
        let home = Home::new();
        let mut store = home.open();
        let contacts = numbered(contacts);
        put(&mut store, &contacts);
        let keys = [SortKey::Id, SortKey::Created, SortKey::Updated, SortKey::Activity, SortKey::Name, SortKey::Email,
            SortKey::Company, SortKey::Lifecycle, SortKey::Owner];
        for (key, descending) in keys.into_iter().flat_map(|key| [(key, false), (key, true)]) {
            let whole = Query { limit: 100, sort: Sort { key, descending }, ..Query::default() };
            let ids = |query: &Query| -> (Vec<String>, Option<String>) {
                let page = store.mirror.page(ObjectType::Contacts, query).unwrap();
                (page.rows.into_iter().map(|row| row.id).collect(), page.next_after)
            };
            let (expected, _) = ids(&whole);
            prop_assert_eq!(expected.len(), contacts.len());
            let mut pages = Vec::new();
            let mut query = Query { limit, ..whole.clone() };
            loop {
                let (rows, next) = ids(&query);
                pages.extend(rows);
                query.after = next;
                if query.after.is_none() {
                    break;
                }
            }
            prop_assert_eq!(&pages, &expected, "{:?}", key);
            for offset in 0..=contacts.len() {
                let (skipped, _) = ids(&Query { limit, offset, ..whole.clone() });
                let end = (offset + limit).min(expected.len());
                prop_assert_eq!(&skipped[..], &expected[offset..end], "{:?} from {}", key, offset);
            }
        }
    }
}

#[test]
fn the_segments_that_ship_are_counted() {
    let home = Home::new();
    let mut store = home.open();
    let contact = |id: &str, updated: i64, pairs: &[(&str, &str)]| record(ObjectType::Contacts, id, updated, pairs);
    let contacts = [
        contact("1", -DAY, &[("lifecyclestage", "customer"), ("company", "ChainGE Ltd")]),
        contact("2", -29 * DAY, &[("lifecyclestage", "lead")]),
        contact("3", -91 * DAY, &[("lifecyclestage", "evangelist")]),
        contact("4", -200 * DAY, &[]),
    ];
    put(&mut store, &contacts);
    let segments: Vec<(String, Plan)> = Segment::defaults()
        .into_iter()
        .map(|segment| (segment.name, plan(&segment.filter)))
        .collect();
    let counts = store.mirror.segment_counts(&segments).unwrap();
    let counts: Vec<(&str, u64)> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(counts, [("chainge", 1), ("cold", 2), ("engaged", 2), ("high_value", 2)]);
    let archived = Record {
        archived: true,
        ..contact("1", 0, &[])
    };
    put(&mut store, &[archived]);
    assert_eq!(store.mirror.segment_counts(&segments).unwrap()["engaged"], 1);
    assert_eq!(store.mirror.contacts(&["2", "1", "9"]).unwrap().len(), 1);
}

#[test]
fn hostile_text_in_a_filter_is_only_text() {
    let home = Home::new();
    let mut store = home.open();
    put(
        &mut store,
        &[record(
            ObjectType::Contacts,
            "1",
            0,
            &[("company", "'); DROP TABLE contact; --")],
        )],
    );
    let hostile = Plan::Test(
        crate::filter::Field::Company,
        crate::filter::Test::Contains("'); drop table contact; --".into()),
    );
    let query = Query {
        plan: Some(hostile),
        limit: 10,
        ..Query::default()
    };
    assert_eq!(store.mirror.page(ObjectType::Contacts, &query).unwrap().rows.len(), 1);
    let property = |name: &str| {
        let property = crate::filter::Property {
            name: name.into(),
            kind: crate::filter::PropertyKind::Text,
        };
        Plan::Test(crate::filter::Field::Property(property), crate::filter::Test::Set)
    };
    for name in ["a\"b", "$.x", "x' OR 1=1", "", "a.b"] {
        let counts = store.mirror.segment_counts(&[(name, property(name))]).unwrap();
        assert_eq!(counts[name], 0, "{name}");
    }
    assert_eq!(store.mirror.count(ObjectType::Contacts).unwrap(), 1);
}
