//! Reading the members of a list page by page.

use tempfile::TempDir;

use super::*;
use crate::store::{Settings, Store};

const MARK: (&str, &str) = ("members:7:contacts", "a page");

fn store(dir: &TempDir) -> Store {
    let dir = dir.path().join("data");
    Store::open(&Settings { dir }).unwrap().store
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn list(id: &str) -> List {
    List {
        id: id.into(),
        name: id.into(),
        object: None,
        kind: None,
        status: String::new(),
        size: None,
        updated_at: None,
        joined_at: None,
        left_at: None,
        filters: None,
    }
}

fn page(ids: &[&str]) -> Vec<ListMember> {
    let member = |id: &&str| ListMember {
        record: (*id).to_owned(),
        joined_at: Some(at(1)),
    };
    ids.iter().map(member).collect()
}

fn ids(store: &Store, list: &ListId) -> Vec<String> {
    let members = store.mirror.members(list).unwrap();
    members.into_iter().map(|member| member.record).collect()
}

fn news(store: &Store) -> Vec<(String, bool)> {
    let changes = store.mirror.member_changes(Timestamp::MIN).unwrap();
    changes
        .into_iter()
        .map(|change| (change.record, change.joins))
        .collect()
}

#[test]
fn whoever_no_page_named_leaves_with_the_last_page_and_not_before() {
    let dir = tempfile::tempdir().unwrap();
    let (seven, other) = (ListId::from("7"), ListId::from("abc"));
    let mut store_ = store(&dir);
    store_.mirror.put_lists(&[list("7"), list("abc")]).unwrap();
    for id in [&seven, &other] {
        let all = page(&["1", "2", "3", "4", "5"]);
        store_.mirror.put_members(id, &all, "first", at(10)).unwrap();
    }
    assert_eq!(news(&store_), [], "nobody joins a list that is read for the first time");
    store_.mirror.members_begin(&seven, MARK).unwrap();
    store_
        .mirror
        .members_page(&seven, &page(&["1", "6"]), at(20), MARK)
        .unwrap();
    assert_eq!(ids(&store_, &seven), ["1", "2", "3", "4", "5", "6"]);
    // Somebody is known to have joined although the page that would name them has passed.
    let membership = Membership {
        list: seven.clone(),
        joined_at: Some(at(21)),
    };
    store_
        .mirror
        .put_memberships(&[("0".into(), vec![membership])], at(21))
        .unwrap();
    // The next process goes on where this one ended.
    drop(store_);
    let mut store_ = store(&dir);
    assert!(store_.mirror.members_open(&seven).unwrap());
    assert_eq!(store_.mirror.cursor(MARK.0).unwrap().as_deref(), Some(MARK.1));
    store_
        .mirror
        .members_finish(&seven, &page(&["4"]), "then", at(30), MARK)
        .unwrap();
    assert_eq!(ids(&store_, &seven), ["0", "1", "4", "6"]);
    assert_eq!(store_.mirror.list_told(&seven).unwrap().as_deref(), Some("then"));
    assert!(!store_.mirror.members_open(&seven).unwrap());
    let expected = [("6", true), ("0", true), ("2", false), ("3", false), ("5", false)];
    let mut expected = expected.map(|(id, joins)| (id.to_owned(), joins)).to_vec();
    let mut told = news(&store_);
    expected.sort();
    told.sort();
    assert_eq!(told, expected);
    assert_eq!(ids(&store_, &other).len(), 5, "another list is left alone");
}

#[test]
fn without_a_beginning_nobody_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let seven = ListId::from("7");
    let mut store = store(&dir);
    store.mirror.put_lists(&[list("7")]).unwrap();
    store
        .mirror
        .put_members(&seven, &page(&["1", "2"]), "first", at(10))
        .unwrap();
    store.mirror.members_begin(&seven, MARK).unwrap();
    // The list goes, and comes back: what was met of it is forgotten.
    store.mirror.put_lists(&[]).unwrap();
    store.mirror.put_lists(&[list("7")]).unwrap();
    store
        .mirror
        .members_finish(&seven, &page(&["3"]), "then", at(30), MARK)
        .unwrap();
    assert_eq!(ids(&store, &seven), ["3"]);
    assert_eq!(store.mirror.list_told(&seven).unwrap(), None, "it is to be read again");
}
