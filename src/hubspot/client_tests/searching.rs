//! The limits of a search, and walks past its end.

use super::*;
use crate::domain::PropertyDefinition;

fn query(groups: &[usize]) -> SearchQuery {
    let filter = || SearchFilter::new("amount", Comparison::Has);
    SearchQuery {
        filter_groups: groups
            .iter()
            .map(|filters| (0..*filters).map(|_| filter()).collect())
            .collect(),
        ..SearchQuery::default()
    }
}

fn page(ids: &[&str], more: bool) -> Answer {
    let mut answer = json!({ "total": 12_345, "results": ids.iter().map(|id| deal(id)).collect::<Vec<_>>() });
    if more {
        answer["paging"] = json!({ "next": { "after": "200" } });
    }
    ok(answer)
}

#[tokio::test(start_paused = true)]
async fn what_hubspot_would_refuse_is_not_sent() {
    let long = SearchQuery {
        query: Some("x".repeat(3_000)),
        ..SearchQuery::default()
    };
    let far = SearchQuery {
        after: Some("10000".to_owned()),
        ..SearchQuery::default()
    };
    for (query, message) in [
        (
            query(&[1; 6]),
            "a search takes at most 5 groups of conditions, not '6'; ask for less",
        ),
        (
            query(&[1, 7]),
            "a search takes at most 6 conditions in a group, not '7'; ask for less",
        ),
        (
            query(&[6, 6, 6, 1]),
            "a search takes at most 18 conditions in all, not '19'; ask for less",
        ),
        (long, "a search takes at most 3000 characters, not '3042'; ask for less"),
        (far, "a search ends after 10000 records; ask for less, or page by id"),
    ] {
        let (client, script) = client(Vec::new());
        let failure = client.search(Lane::Read, ObjectType::Deals, &query).await.unwrap_err();
        assert_eq!(
            (failure.signal, failure.message.as_str()),
            (Signal::Validation, message)
        );
        assert!(script.asked().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_largest_query_is_sent_and_the_last_page_ends_at_the_wall() {
    let (client, script) = client(vec![page(&[], false)]);
    let query = SearchQuery {
        after: Some("9900".to_owned()),
        ..query(&[6, 6, 6])
    };
    client.search(Lane::Read, ObjectType::Deals, &query).await.unwrap();
    assert_eq!(script.body(0)["limit"], 100);
}

#[test]
fn texts_in_a_list_are_looked_for_in_lower_case_and_options_are_not() {
    let property = |kind: &str| PropertyDefinition {
        name: "p".to_owned(),
        label: String::new(),
        kind: kind.to_owned(),
        options: Vec::new(),
        read_only: false,
        hidden: false,
        unique: false,
        several: false,
    };
    let list = || vec!["NEW".to_owned(), "Älter".to_owned()];
    let low = vec!["new".to_owned(), "älter".to_owned()];
    let is = |kind, is| SearchFilter::on(&property(kind), is).is;
    assert_eq!(is("string", Comparison::In(list())), Comparison::In(low.clone()));
    assert_eq!(is("phone_number", Comparison::NotIn(list())), Comparison::NotIn(low));
    assert_eq!(is("enumeration", Comparison::In(list())), Comparison::In(list()));
    assert_eq!(is("string", Comparison::Eq("New".into())), Comparison::Eq("New".into()));
}

#[tokio::test(start_paused = true)]
async fn every_operator_is_spelt_as_hubspot_does() {
    let text = || "a".to_owned();
    let with = RecordRef::new(ObjectType::Contacts, "5");
    let filters = [
        Comparison::Neq(text()),
        Comparison::Lt(text()),
        Comparison::Lte(text()),
        Comparison::Gt(text()),
        Comparison::NotIn(vec![text()]),
    ];
    let more = [
        Comparison::HasNot,
        Comparison::ContainsToken(text()),
        Comparison::NotContainsToken(text()),
    ];
    let group = |of: &[Comparison]| {
        of.iter()
            .map(|is| SearchFilter::new("p", is.clone()))
            .collect::<Vec<_>>()
    };
    let query = SearchQuery {
        filter_groups: vec![group(&filters), group(&more), vec![SearchFilter::associated(&with)]],
        query: Some("acme".to_owned()),
        ..SearchQuery::default()
    };
    let (client, script) = client(vec![page(&[], false)]);
    client.search(Lane::Read, ObjectType::Deals, &query).await.unwrap();
    let body = script.body(0);
    let groups = body["filterGroups"].as_array().unwrap();
    let operators: Vec<&str> = groups
        .iter()
        .flat_map(|group| group["filters"].as_array().unwrap())
        .map(|filter| filter["operator"].as_str().unwrap())
        .collect();
    assert_eq!(
        operators,
        [
            "NEQ",
            "LT",
            "LTE",
            "GT",
            "NOT_IN",
            "NOT_HAS_PROPERTY",
            "CONTAINS_TOKEN",
            "NOT_CONTAINS_TOKEN",
            "EQ"
        ]
    );
    assert_eq!(
        groups[2]["filters"][0],
        json!({ "propertyName": "associations.contact", "operator": "EQ", "value": "5" })
    );
    assert_eq!(body["query"], "acme");
}

#[tokio::test(start_paused = true)]
async fn a_walk_goes_on_after_the_last_id_as_text() {
    let (client, script) = client(vec![
        page(&["10", "9"], true),
        page(&["90", "91"], true),
        page(&[], false),
    ]);
    let mut walk = client
        .search_all(Lane::Sync, ObjectType::Deals, query(&[1, 2]))
        .unwrap();
    let mut ids = Vec::new();
    while let Some(records) = walk.next().await.unwrap() {
        ids.extend(records.into_iter().map(|record| record.id));
    }
    assert_eq!(ids, ["10", "9", "90", "91"]);
    assert_eq!(walk.total(), Some(12_345));
    let body = script.body(2);
    assert_eq!(
        body["sorts"],
        json!([{ "propertyName": "hs_object_id", "direction": "ASCENDING" }])
    );
    assert_eq!(body.get("after"), None);
    for (group, filters) in [(0, 2), (1, 3)] {
        let group = body["filterGroups"][group]["filters"].as_array().unwrap();
        assert_eq!(group.len(), filters);
        assert_eq!(
            group[filters - 1],
            json!({ "propertyName": "hs_object_id", "operator": "GT", "value": "91" })
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_does_not_get_on_ends_with_a_failure() {
    for second in [
        page(&["9"], true),
        page(&["10"], true),
        page(&[], true),
        page(&["91", "90"], false),
    ] {
        let (client, _) = client(vec![page(&["9"], true), second]);
        let mut walk = client
            .search_all(Lane::Sync, ObjectType::Deals, SearchQuery::default())
            .unwrap();
        assert!(walk.next().await.unwrap().is_some());
        assert_eq!(walk.next().await.unwrap_err().signal, Signal::Unreadable);
    }
}

#[tokio::test(start_paused = true)]
async fn a_walk_takes_up_where_a_failure_left_it() {
    let (client, script) = client(vec![page(&["1"], true), status(400, json!({})), page(&["2"], false)]);
    let mut walk = client
        .search_all(Lane::Sync, ObjectType::Deals, SearchQuery::default())
        .unwrap();
    walk.next().await.unwrap();
    walk.next().await.unwrap_err();
    assert_eq!(walk.next().await.unwrap().unwrap()[0].id, "2");
    assert!(walk.next().await.unwrap().is_none());
    assert_eq!(script.body(1), script.body(2));
}

#[tokio::test(start_paused = true)]
async fn a_walk_needs_room_for_one_condition_more() {
    let (client, _) = client(Vec::new());
    let failure = client
        .search_all(Lane::Sync, ObjectType::Deals, query(&[6]))
        .unwrap_err();
    assert_eq!(
        failure.message,
        "a search takes at most 6 conditions in a group, not '7'; ask for less"
    );
}
