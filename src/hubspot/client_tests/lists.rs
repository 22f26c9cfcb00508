//! Lists, their members, and the lists of a record.

use super::*;
use crate::domain::ListKind;

fn list(id: u32, kind: &str) -> Value {
    json!({ "listId": id.to_string(), "listVersion": 1, "name": format!("List {id}"), "objectTypeId": "0-1",
        "processingType": kind, "processingStatus": "COMPLETE", "updatedAt": "2026-11-01T00:00:00Z",
        "additionalProperties": { "hs_list_size": "42", "hs_folder_name": null,
            "hs_last_record_added_at": "1793491200000" } })
}

#[tokio::test(start_paused = true)]
async fn all_lists_are_read_by_cursor() {
    let first = json!({ "results": [list(1, "MANUAL")], "paging": { "next": { "after": "2" } } });
    let second = json!({ "results": [list(2, "DYNAMIC"), list(3, "WHATEVER")] });
    let (client, script) = client(vec![ok(first), ok(second)]);
    let search = ListSearch {
        object: Some(ObjectType::Contacts),
        kinds: vec![ListKind::Manual, ListKind::Dynamic],
        ..ListSearch::default()
    };
    let lists = client.lists(Lane::Sync, &search).await.unwrap();
    let kinds: Vec<Option<ListKind>> = lists.iter().map(|list| list.kind).collect();
    assert_eq!(kinds, [Some(ListKind::Manual), Some(ListKind::Dynamic), None]);
    assert_eq!((lists[0].size, lists[0].object), (Some(42), Some(ObjectType::Contacts)));
    assert_eq!(lists[0].joined_at, "2026-11-01T00:00:00Z".parse().ok());
    assert_eq!(lists[0].left_at, None);
    assert_eq!(script.path(1), "/crm/lists/2026-09/all");
    assert_eq!(
        script.body(1),
        json!({ "count": 100, "after": "2", "objectTypeId": "0-1", "processingTypes": ["MANUAL", "DYNAMIC"],
            "additionalProperties": ["hs_list_size", "hs_last_record_added_at", "hs_last_record_removed_at"] })
    );
}

#[tokio::test(start_paused = true)]
async fn where_all_is_not_offered_lists_are_searched_by_offset() {
    let first = json!({ "offset": 1, "hasMore": true, "total": 2, "lists": [list(1, "MANUAL")] });
    let second = json!({ "offset": 2, "hasMore": false, "total": 2, "lists": [list(2, "SNAPSHOT")] });
    let (client, script) = client(vec![status(404, json!({ "message": "x" })), ok(first), ok(second)]);
    let lists = client.lists(Lane::Sync, &ListSearch::default()).await.unwrap();
    assert_eq!(
        lists.iter().map(|list| list.id.as_str()).collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert_eq!(
        (script.path(2).as_str(), &script.body(2)["offset"]),
        ("/crm/lists/2026-09/search", &json!(1))
    );
}

#[tokio::test(start_paused = true)]
async fn an_offset_that_stands_still_ends_the_walk() {
    let page = json!({ "offset": 0, "hasMore": true, "lists": [] });
    let (client, _) = client(vec![ok(page)]);
    let search = ListSearch {
        query: Some("hot".to_owned()),
        ..ListSearch::default()
    };
    assert_eq!(
        client.lists(Lane::Read, &search).await.unwrap_err().signal,
        Signal::Unreadable
    );
}

#[tokio::test(start_paused = true)]
async fn a_lists_filters_are_told_in_brief() {
    let mut hot = list(7, "DYNAMIC");
    hot["filterBranch"] = json!({ "filterBranchType": "OR", "filters": [], "filterBranches": [
        { "filterBranchType": "AND", "filterBranches": [], "filters": [
            { "filterType": "PROPERTY", "property": "email", "operation": { "operator": "IS_KNOWN" } },
            { "filterType": "PROPERTY", "property": "lifecyclestage", "operation": {} } ] },
        { "filterBranchType": "AND", "filters": [ { "filterType": "PROPERTY", "property": "email" }, { "filterType": "IN_LIST", "listId": "3" } ] },
    ] });
    let (client, script) = client(vec![ok(json!({ "list": hot }))]);
    let hot = client
        .list_by_name(Lane::Read, ObjectType::Contacts, "List 7")
        .await
        .unwrap();
    let filters = hot.filters.unwrap();
    assert_eq!(
        (
            filters.conditions,
            filters.properties["email"],
            filters.properties["lifecyclestage"]
        ),
        (4, 2, 1)
    );
    assert_eq!(
        script.path(0),
        "/crm/lists/2026-09/object-type-id/0-1/name/List%207?includeFilters=true"
    );
}

#[tokio::test(start_paused = true)]
async fn members_come_in_pages_and_a_record_knows_its_lists() {
    let first = json!({ "results": [{ "recordId": "1", "membershipTimestamp": "2026-11-01T00:00:00Z" }], "total": 2,
        "paging": { "next": { "after": "M" } } });
    let second = json!({ "results": [{ "recordId": 2 }] });
    let lists = json!({ "results": [{ "listId": 7, "lastAddedTimestamp": "2026-11-02T00:00:00Z" }] });
    let (client, script) = client(vec![ok(first), ok(second.clone()), ok(second), ok(lists)]);
    let mut ids = Vec::new();
    for after in [None, Some("M")] {
        let page = client
            .list_members(Lane::Read, &"7".into(), MemberOrder::Id, after)
            .await
            .unwrap();
        ids.extend(page.members.into_iter().map(|member| member.record));
        assert_eq!(page.after.is_some(), after.is_none());
    }
    assert_eq!(ids, ["1", "2"]);
    let page = client
        .list_members(Lane::Read, &"7".into(), MemberOrder::Joined, Some("M"))
        .await
        .unwrap();
    assert_eq!((page.members.len(), page.after), (1, None));
    let maria = RecordRef::new(ObjectType::Contacts, "2");
    assert_eq!(client.lists_of(Lane::Read, &maria).await.unwrap()[0].list.as_str(), "7");
    assert_eq!(script.path(1), "/crm/lists/2026-09/7/memberships?limit=250&after=M");
    assert_eq!(
        script.path(2),
        "/crm/lists/2026-09/7/memberships/join-order?limit=250&after=M"
    );
}

#[tokio::test(start_paused = true)]
async fn adding_and_removing_members_says_what_changed() {
    let added = json!({ "recordsIdsAdded": ["1"], "recordIdsRemoved": [], "recordIdsMissing": [99] });
    let removed = json!({ "recordIdsRemoved": ["1"] });
    let (client, script) = client(vec![ok(added), ok(removed), ok(json!({}))]);
    let permit = || client.permit(Lane::Write, Quota::Burst);
    let ids = ["1".to_owned(), "99".to_owned(), "1".to_owned()];
    let change = client.add_to_list(permit().await, &"7".into(), &ids).await.unwrap();
    assert_eq!(
        (change.added, change.missing),
        (vec!["1".to_owned()], vec!["99".to_owned()])
    );
    assert_eq!(
        (script.asked()[0].method.clone(), script.body(0)),
        (Method::PUT, json!(["1", "99"]))
    );
    let change = client
        .remove_from_list(permit().await, &"7".into(), &ids[..1])
        .await
        .unwrap();
    assert_eq!(change.removed, ["1"]);
    assert_eq!(script.path(1), "/crm/lists/2026-09/7/memberships/remove");
    let silent = client.add_to_list(permit().await, &"7".into(), &ids).await.unwrap_err();
    assert_eq!(silent.signal, Signal::Unreadable, "nothing said is not nothing done");
}

#[tokio::test(start_paused = true)]
async fn an_active_list_takes_no_members() {
    let refused = json!({ "category": "VALIDATION_ERROR", "message": "List 7 is not manual." });
    let (client, _) = client(vec![status(400, refused)]);
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let failure = client
        .add_to_list(permit, &"7".into(), &["1".to_owned()])
        .await
        .unwrap_err();
    assert_eq!(failure.signal, Signal::Validation);
    assert_eq!(
        failure.message,
        "List 7 is not manual (an active list, like '7' may be, is filled by its filters only)"
    );
}
