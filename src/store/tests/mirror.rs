//! The copy of HubSpot: forward only, whole or not at all.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Home, at, cases, deal, deal_ref, linked, record};
use crate::{
    domain::{Deal, ObjectType, Record, RecordRef},
    store::{Error, Put, Query, Sort, SortKey, Via},
};

const LIST: Put<'static> = Put::via(Via::List);
const SEARCH: Put<'static> = Put::via(Via::Search);
const DIRECT: Put<'static> = Put::via(Via::Direct);

#[test]
fn a_change_is_told_whole_and_only_once() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let first = linked(deal("1", 1, "a"), ObjectType::Contacts, &["7", "8", "7"]);
    let told = mirror.put(ObjectType::Deals, &[first], LIST).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].id.as_str(), &told[0].before), ("1", &None));
    assert_eq!(told[0].after.associations[&ObjectType::Contacts], ["7", "8"]);
    let same = told[0].after.clone();
    assert!(
        mirror
            .put(ObjectType::Deals, std::slice::from_ref(&same), SEARCH)
            .unwrap()
            .is_empty()
    );

    // A search names fewer properties and no associations: the rest stays.
    let moved = record(ObjectType::Deals, "1", 2, &[("dealstage", "b")]);
    let told = mirror.put(ObjectType::Deals, &[moved], SEARCH).unwrap();
    assert_eq!(told[0].before.as_ref(), Some(&same));
    let after = &told[0].after;
    assert_eq!(
        (after.get("dealstage"), after.get("dealname")),
        (Some("b"), Some("Acme Rocket Skates"))
    );
    assert_eq!(after.associations, same.associations);
    assert_eq!(mirror.record(&deal_ref("1")).unwrap().as_ref(), Some(after));
}

#[test]
fn an_older_row_never_overwrites_a_newer_one() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    mirror.put(ObjectType::Deals, &[deal("1", 5, "new")], DIRECT).unwrap();
    for how in [SEARCH, LIST, DIRECT] {
        assert!(
            mirror
                .put(ObjectType::Deals, &[deal("1", 4, "old")], how)
                .unwrap()
                .is_empty()
        );
    }
    assert_eq!(
        mirror.record(&deal_ref("1")).unwrap().unwrap().get("dealstage"),
        Some("new")
    );
}

#[test]
fn only_a_direct_read_proves_a_version() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    mirror.put(ObjectType::Deals, &[deal("1", 1, "a")], LIST).unwrap();
    assert_eq!(mirror.direct_version(&deal_ref("1")).unwrap(), None);
    mirror.put(ObjectType::Deals, &[deal("1", 2, "b")], DIRECT).unwrap();
    mirror.put(ObjectType::Deals, &[deal("1", 3, "c")], SEARCH).unwrap();
    assert_eq!(mirror.direct_version(&deal_ref("1")).unwrap(), Some(at(2)));
    // The same row read directly changes nothing to be seen, and proves it.
    assert!(
        mirror
            .put(ObjectType::Deals, &[deal("1", 3, "c")], DIRECT)
            .unwrap()
            .is_empty()
    );
    assert_eq!(mirror.direct_version(&deal_ref("1")).unwrap(), Some(at(3)));
}

#[test]
fn page_and_cursor_are_one_transaction() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    mirror
        .put(
            ObjectType::Deals,
            &[deal("1", 1, "a")],
            LIST.with_cursors(&[("deals", "after-1")]),
        )
        .unwrap();
    assert_eq!(mirror.cursor("deals").unwrap().as_deref(), Some("after-1"));
    // A page that cannot be written moves nothing: neither its first record nor its cursor.
    let pages: i64 = mirror
        .connection()
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let limit = format!("PRAGMA max_page_count = {}", pages + 4);
    mirror.connection().query_row(&limit, [], |_| Ok(())).unwrap();
    let huge = record(ObjectType::Deals, "3", 1, &[("description", &"x".repeat(200_000))]);
    let refused = mirror.put(
        ObjectType::Deals,
        &[deal("2", 1, "a"), huge],
        LIST.with_cursors(&[("deals", "after-3")]),
    );
    assert!(matches!(refused, Err(Error::Full)), "{refused:?}");
    assert_eq!(mirror.cursor("deals").unwrap().as_deref(), Some("after-1"));
    assert_eq!(mirror.count(ObjectType::Deals).unwrap(), 1);
    assert_eq!(mirror.deals().unwrap().len(), 1);
    mirror.drop_cursor("deals").unwrap();
    assert_eq!(mirror.cursor("deals").unwrap(), None);
}

#[test]
fn whom_a_list_left_out_is_known_to_the_next_process_too() {
    let home = Home::new();
    let mut store = home.open();
    let all: Vec<Record> = (1..=5).map(|id| deal(&id.to_string(), 1, "a")).collect();
    store.mirror.put(ObjectType::Deals, &all, LIST).unwrap();
    assert!(matches!(
        store.mirror.relist_end(ObjectType::Deals),
        Err(Error::NotRelisting(_))
    ));
    store.mirror.relist_begin(ObjectType::Deals).unwrap();
    store.mirror.put(ObjectType::Deals, &all[..2], LIST).unwrap();
    assert_eq!(store.mirror.count(ObjectType::Deals).unwrap(), 5);

    // The next process goes on where this one ended.
    drop(store);
    let mirror = &mut home.open().mirror;
    mirror.put(ObjectType::Deals, &[deal("9", 1, "a")], SEARCH).unwrap();
    mirror.put(ObjectType::Deals, &all[3..4], LIST).unwrap();
    let unmet = |mirror: &crate::store::Mirror, above: Option<&str>, limit| {
        mirror.unmet(ObjectType::Deals, above, limit).unwrap()
    };
    assert_eq!(unmet(mirror, None, 9), ["3", "5"]);
    assert_eq!(unmet(mirror, None, 1), ["3"]);
    assert_eq!(unmet(mirror, Some("3"), 9), ["5"]);
    mirror.relist_end(ObjectType::Deals).unwrap();
    assert_eq!(unmet(mirror, None, 9), [""; 0]);
    assert_eq!(mirror.count(ObjectType::Deals).unwrap(), 6, "a list deletes nothing");
    assert!(matches!(
        mirror.relist_end(ObjectType::Deals),
        Err(Error::NotRelisting(_))
    ));

    // Beginning again forgets what the unfinished one had met.
    mirror.relist_begin(ObjectType::Deals).unwrap();
    mirror.put(ObjectType::Deals, &all[..1], LIST).unwrap();
    mirror.relist_begin(ObjectType::Deals).unwrap();
    mirror.put(ObjectType::Deals, &all[1..2], LIST).unwrap();
    assert_eq!(unmet(mirror, None, 9), ["1", "3", "4", "5", "9"]);
}

#[test]
fn a_lagging_search_cannot_bring_a_removed_record_back() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    mirror.put(ObjectType::Deals, &[deal("1", 5, "a")], LIST).unwrap();
    let (removed, _) = mirror.remove(ObjectType::Deals, &["1", "2"]).unwrap();
    assert_eq!(removed.len(), 1);
    assert!(
        mirror
            .put(ObjectType::Deals, &[deal("1", 5, "a")], SEARCH)
            .unwrap()
            .is_empty()
    );
    assert_eq!(mirror.count(ObjectType::Deals).unwrap(), 0);
    assert!(mirror.deals().unwrap().is_empty());
    // Restored in HubSpot, it comes back with a newer version, or when it is read directly.
    assert_eq!(
        mirror
            .put(ObjectType::Deals, &[deal("1", 6, "a")], SEARCH)
            .unwrap()
            .len(),
        1
    );
    mirror.remove(ObjectType::Deals, &["1"]).unwrap();
    assert_eq!(
        mirror
            .put(ObjectType::Deals, &[deal("1", 5, "a")], DIRECT)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn archived_records_are_kept_and_not_listed() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    mirror
        .put(ObjectType::Deals, &[deal("1", 1, "a"), deal("2", 1, "a")], LIST)
        .unwrap();
    let archived = Record {
        archived: true,
        ..deal("1", 2, "a")
    };
    let told = mirror.put(ObjectType::Deals, &[archived], LIST).unwrap();
    assert!(told[0].after.archived && !told[0].before.as_ref().unwrap().archived);
    assert_eq!(mirror.count(ObjectType::Deals).unwrap(), 1);
    assert_eq!(mirror.all(ObjectType::Deals).unwrap().len(), 1);
    assert_eq!(mirror.deals().unwrap()[0].id.as_str(), "2");
    assert!(mirror.record(&deal_ref("1")).unwrap().unwrap().archived);
    mirror.put(ObjectType::Deals, &[deal("1", 3, "a")], LIST).unwrap();
    assert_eq!(mirror.count(ObjectType::Deals).unwrap(), 2);
    assert_eq!(mirror.deals().unwrap().len(), 2);
}

#[test]
fn associations_are_found_from_both_sides() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let contact = |id: &str| record(ObjectType::Contacts, id, 1, &[("email", "a@b.example")]);
    mirror
        .put(ObjectType::Contacts, &[contact("7"), contact("8")], LIST)
        .unwrap();
    let deals = [
        linked(deal("1", 1, "a"), ObjectType::Contacts, &["8", "7"]),
        linked(deal("2", 1, "a"), ObjectType::Contacts, &["7"]),
    ];
    mirror.put(ObjectType::Deals, &deals, LIST).unwrap();
    let of_contact = |mirror: &crate::store::Mirror, id| {
        mirror
            .associated(&RecordRef::new(ObjectType::Contacts, id), ObjectType::Deals)
            .unwrap()
    };
    assert_eq!(
        mirror.associated(&deal_ref("1"), ObjectType::Contacts).unwrap(),
        ["8", "7"]
    );
    assert_eq!(of_contact(mirror, "7"), ["1", "2"]);
    // The other side says which deals a contact belongs to: 7 left the first deal, and belongs to one nobody knows.
    let links = [("7".to_owned(), vec!["2".to_owned(), "404".to_owned()])];
    let told = mirror.told(ObjectType::Deals, ObjectType::Contacts, &links).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].after.associations[&ObjectType::Contacts], ["8"]);
    assert_eq!(of_contact(mirror, "7"), ["2"]);
    assert!(
        mirror
            .told(ObjectType::Deals, ObjectType::Contacts, &links)
            .unwrap()
            .is_empty()
    );
    let links = [("8".to_owned(), vec!["1".to_owned(), "2".to_owned()])];
    mirror.told(ObjectType::Deals, ObjectType::Contacts, &links).unwrap();
    assert_eq!(of_contact(mirror, "8"), ["1", "2"]);
    assert_eq!(mirror.deals().unwrap()[1].contacts.len(), 2, "the board knows, too");
}

#[test]
fn whoever_named_a_record_names_its_survivor_or_nobody() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let contact = |id: &str| record(ObjectType::Contacts, id, 1, &[("email", "a@b.example")]);
    let contacts = ["7", "8", "9"].map(contact);
    mirror.put(ObjectType::Contacts, &contacts, LIST).unwrap();
    let deals = [
        linked(deal("1", 1, "a"), ObjectType::Contacts, &["7", "8"]),
        linked(deal("2", 1, "a"), ObjectType::Contacts, &["8"]),
    ];
    mirror.put(ObjectType::Deals, &deals, LIST).unwrap();
    let (was, touched) = mirror.merge(ObjectType::Contacts, "7", "9").unwrap();
    assert_eq!(was.unwrap().id, "7");
    assert_eq!(touched[0].after.associations[&ObjectType::Contacts], ["8", "9"]);
    let (removed, touched) = mirror.remove(ObjectType::Contacts, &["8", "404"]).unwrap();
    assert_eq!((removed.len(), touched.len()), (1, 2));
    let linked = mirror.deals().unwrap();
    assert_eq!(linked[0].contacts, ["9".into()]);
    assert!(linked[1].contacts.is_empty());
}

#[test]
fn deals_are_what_their_records_say() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let full = record(
        ObjectType::Deals,
        "1",
        1,
        &[
            ("dealname", "Acme"),
            ("dealstage", "77"),
            ("pipeline", "default"),
            ("amount", "48000.00"),
            ("deal_currency_code", "EUR"),
            ("amount_in_home_currency", "52000.10"),
            ("hs_deal_stage_probability", "0.4"),
            ("closedate", "2026-12-31T17:00:00.123Z"),
            ("hubspot_owner_id", "9"),
            ("hs_next_step", "call"),
            ("hs_manual_forecast_category", "COMMIT"),
            ("hs_is_closed", "false"),
            ("hs_is_closed_won", "false"),
            ("createdate", "1770000000123"),
            ("hs_v2_date_entered_current_stage", "2026-11-01T00:00:00Z"),
            ("notes_last_updated", "2026-11-02T00:00:00Z"),
            ("notes_next_activity_date", "2026-11-03"),
        ],
    );
    let full = linked(
        linked(full, ObjectType::Contacts, &["7", "8"]),
        ObjectType::Companies,
        &["5"],
    );
    let broken = record(
        ObjectType::Deals,
        "x-2",
        1,
        &[("amount", "much"), ("closedate", "soon"), ("dealname", "")],
    );
    mirror
        .put(ObjectType::Deals, &[full.clone(), broken.clone()], LIST)
        .unwrap();
    assert_eq!(
        mirror.deals().unwrap(),
        [Deal::from_record(&full), Deal::from_record(&broken)]
    );
}

#[test]
fn thousands_of_deals_load() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let size = if std::env::var_os("DEALDECK_TEST_SIZE").is_some() {
        100_000
    } else {
        5_000
    };
    let deals: Vec<Record> = (0..size).map(|id| deal(&id.to_string(), 1, "a")).collect();
    for page in deals.chunks(10_000) {
        mirror.put(ObjectType::Deals, page, LIST).unwrap();
    }
    let loaded = mirror.deals().unwrap();
    assert_eq!(loaded.len(), size);
    assert_eq!(mirror.count(ObjectType::Deals).unwrap(), size as u64);
    assert_eq!(loaded[size - 1], Deal::from_record(&deals[size - 1]));
}

#[test]
fn records_of_every_type_are_listed_by_id_and_time() {
    let home = Home::new();
    let mirror = &mut home.open().mirror;
    let company = |id: &str, version| record(ObjectType::Companies, id, version, &[("name", "Acme")]);
    let all = [company("10", 3), company("9", 1), company("abc", 2)];
    mirror.put(ObjectType::Companies, &all, LIST).unwrap();
    let mut query = Query {
        limit: 2,
        ..Query::default()
    };
    let page = mirror.page(ObjectType::Companies, &query).unwrap();
    let names = |rows: &[Record]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!((names(&page.rows), page.total), (vec!["9".into(), "10".into()], 3));
    query.after = page.next_after;
    let page = mirror.page(ObjectType::Companies, &query).unwrap();
    assert_eq!((names(&page.rows), page.next_after), (vec!["abc".into()], None));
    query.after = None;
    query.sort = Sort {
        key: SortKey::Updated,
        descending: true,
    };
    assert_eq!(
        names(&mirror.page(ObjectType::Companies, &query).unwrap().rows),
        ["10", "abc"]
    );
    query.sort.key = SortKey::Email;
    assert!(matches!(
        mirror.page(ObjectType::Companies, &query),
        Err(Error::Query(_))
    ));
    query.sort.key = SortKey::Id;
    query.after = Some("'; DROP TABLE record; --".into());
    assert!(matches!(
        mirror.page(ObjectType::Companies, &query),
        Err(Error::After(_))
    ));
}

proptest! {
    #![proptest_config(cases(24))]

    /// Whatever arrives in whatever order: a row's version never decreases, and its values are those of its version.
    #[test]
    fn the_mirror_only_moves_forward(
        arrivals in prop::collection::vec((0..4_u8, 0..20_i64, 0..3_usize), 1..80)
    ) {
        let home = Home::new();
        let mirror = &mut home.open().mirror;
        let mut newest: BTreeMap<String, i64> = BTreeMap::new();
        for (id, version, how) in arrivals {
            let id = id.to_string();
            let told = mirror
                .put(ObjectType::Deals, &[deal(&id, version, &version.to_string())], [LIST, SEARCH, DIRECT][how])
                .unwrap();
            let known = newest.get(&id).copied();
            prop_assert_eq!(told.len(), usize::from(known.is_none_or(|known| version > known)));
            newest.insert(id, known.map_or(version, |known| known.max(version)));
            for deal in mirror.deals().unwrap() {
                let expected = newest[deal.id.as_str()];
                prop_assert_eq!(deal.updated, at(expected));
                prop_assert_eq!(deal.stage.as_str(), expected.to_string());
            }
            prop_assert_eq!(mirror.count(ObjectType::Deals).unwrap(), newest.len() as u64);
        }
    }
}
