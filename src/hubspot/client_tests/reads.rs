//! Records: listings, single reads, batches, associations, searches.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_page_of_deals_is_read_with_associations_once_each() {
    let mut acme = deal("40912345678");
    acme["associations"] = json!({ "contacts": { "results": [
        { "id": "1", "type": "deal_to_contact" }, { "id": "1", "type": "deal_to_contact_unlabeled" }, { "id": 2, "type": "x" },
    ] }, "line items": { "results": [{ "id": "9", "type": "x" }] } });
    acme["propertiesWithHistory"] = json!({ "dealstage": [
        { "value": "b", "timestamp": "2026-01-03T00:00:00Z", "sourceType": "CRM_UI", "updatedByUserId": 9586504 },
        { "value": "a", "timestamp": "2026-01-02T00:00:00.123Z", "sourceType": "API" },
    ] });
    let page = json!({ "results": [acme], "paging": { "next": { "after": "MTAw", "link": "x" } } });
    let (client, script) = client(vec![ok(page)]);
    let query = ListQuery {
        properties: vec!["dealname".into(), "amount".into()],
        associations: vec![ObjectType::Contacts, ObjectType::Companies],
        after: Some("a=".into()),
        ..ListQuery::default()
    };
    let page = client.list(Lane::Sync, ObjectType::Deals, &query).await.unwrap();
    assert_eq!(
        script.path(0),
        "/crm/objects/2026-09/deals?limit=100&properties=dealname,amount&associations=contacts,companies&after=a%3D"
    );
    assert_eq!(page.after.as_deref(), Some("MTAw"));
    let record = &page.records[0];
    assert_eq!(record.associations[&ObjectType::Contacts], ["1", "2"]);
    assert_eq!(
        record.associations[&ObjectType::Companies],
        Vec::<String>::new(),
        "asked for and none"
    );
    assert_eq!(record.associations.len(), 2);
    assert_eq!(record.get("amount"), Some("1500.00"), "the decimal text");
    assert_eq!(record.properties["closedate"], None);
    assert_eq!(record.updated_at.to_string(), "2026-01-03T03:04:05.678Z");
    assert_eq!(
        record.history["dealstage"][0].user.as_ref().unwrap().as_str(),
        "9586504"
    );
}

#[tokio::test(start_paused = true)]
async fn an_association_list_that_was_cut_off_is_read_to_its_end() {
    let mut acme = deal("1");
    acme["associations"] =
        json!({ "contacts": { "results": [{ "id": "5", "type": "x" }], "paging": { "next": { "after": "5" } } } });
    let first = json!({ "results": [{ "from": { "id": "1" }, "to": [{ "toObjectId": 5 }, { "toObjectId": "6" }],
        "paging": { "next": { "after": "6" } } }] });
    let second = json!({ "results": [{ "from": { "id": "1" }, "to": [{ "toObjectId": 7 }] }] });
    let (client, script) = client(vec![ok(acme), ok(first), ok(second)]);
    let query = GetQuery {
        associations: vec![ObjectType::Contacts],
        ..GetQuery::default()
    };
    let deal = client
        .get(Lane::Read, &RecordRef::new(ObjectType::Deals, "1"), &query)
        .await
        .unwrap();
    assert_eq!(deal.associations[&ObjectType::Contacts], ["5", "6", "7"]);
    assert_eq!(script.body(2), json!({ "inputs": [{ "id": "1", "after": "6" }] }));
}

#[tokio::test(start_paused = true)]
async fn a_selection_too_wide_for_an_address_is_read_in_batches() {
    let properties: Vec<String> = (0..600).map(|n| format!("hs_v2_date_entered_stage_{n}")).collect();
    let mut listed = deal("1");
    listed["associations"] = json!({ "contacts": { "results": [{ "id": "5", "type": "x" }] } });
    let list = json!({ "results": [listed, deal("2")], "paging": { "next": { "after": "3" } } });
    let mut wide = deal("1");
    wide["properties"]["hs_v2_date_entered_stage_599"] = json!("2026-01-01T00:00:00Z");
    let batch = json!({ "status": "COMPLETE", "results": [deal("2"), wide] });
    let (client, script) = client(vec![ok(list), ok(batch)]);
    let query = ListQuery {
        properties: properties.clone(),
        associations: vec![ObjectType::Contacts],
        ..ListQuery::default()
    };
    let page = client.list(Lane::Sync, ObjectType::Deals, &query).await.unwrap();
    assert!(script.path(0).len() < 200 && script.path(1).ends_with("/deals/batch/read"));
    assert_eq!(script.body(1)["properties"], json!(properties));
    assert_eq!(page.records[0].id, "1", "the order of the listing");
    assert_eq!(page.records[0].associations[&ObjectType::Contacts], ["5"]);
    assert!(page.records[0].get("hs_v2_date_entered_stage_599").is_some());
    assert_eq!(page.after.as_deref(), Some("3"));
}

#[tokio::test(start_paused = true)]
async fn a_batch_accounts_for_every_id() {
    let errors = json!([{ "status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some", "context": { "ids": ["149"] } }]);
    let first: Vec<Value> = (0..100).rev().map(|id| deal(&id.to_string())).collect();
    let second: Vec<Value> = (100..148).map(|id| deal(&id.to_string())).collect();
    let answers = vec![
        ok(json!({ "status": "COMPLETE", "results": first })),
        status(
            207,
            json!({ "status": "COMPLETE", "results": second, "numErrors": 1, "errors": errors }),
        ),
    ];
    let (client, script) = client(answers);
    let mut asked = ids(0..150);
    asked.push("7".to_owned());
    let read = client
        .batch_read(Lane::Sync, ObjectType::Deals, &asked, &["dealname"], &[])
        .await
        .unwrap();
    assert_eq!(read.records.len(), 148);
    assert_eq!(read.missing, ["148", "149"], "one reported, one silently dropped");
    assert_eq!(
        script.body(0)["inputs"].as_array().unwrap().len(),
        100,
        "the repeated id once"
    );
}

#[tokio::test(start_paused = true)]
async fn history_is_read_in_chunks_of_fifty() {
    let page = |range: std::ops::Range<usize>| {
        ok(json!({ "results": range.map(|id| deal(&id.to_string())).collect::<Vec<_>>() }))
    };
    let (client, script) = client(vec![page(0..50), page(50..60)]);
    let read = client
        .batch_read(Lane::Verify, ObjectType::Deals, &ids(0..60), &[], &["dealstage"])
        .await
        .unwrap();
    assert!(read.missing.is_empty());
    assert_eq!(script.body(0)["inputs"].as_array().unwrap().len(), 50);
    assert_eq!(script.body(0)["propertiesWithHistory"], json!(["dealstage"]));
}

#[tokio::test(start_paused = true)]
async fn nothing_associated_is_an_empty_list_not_a_failure() {
    let answer = json!({ "status": "COMPLETE", "numErrors": 3, "errors": [none("2")],
        "results": [{ "from": { "id": "1" }, "to": [{ "toObjectId": 77, "associationTypes": [] }, { "toObjectId": 77 }] }] });
    let (client, script) = client(vec![status(207, answer)]);
    let links = client
        .associations(
            Lane::Sync,
            ObjectType::Deals,
            ObjectType::Companies,
            &["1".into(), "2".into()],
        )
        .await
        .unwrap();
    assert_eq!(links["1"], ["77"]);
    assert!(links["2"].is_empty());
    assert_eq!(script.path(0), "/crm/associations/2026-09/deals/companies/batch/read");
    assert_eq!(client.limits().burst.left, 25, "the window is not touched");
}

#[tokio::test(start_paused = true)]
async fn a_batch_with_a_broken_part_is_not_an_empty_answer() {
    let broken = || {
        status(
            207,
            json!({ "results": [], "errors": [{ "category": "INTERNAL", "message": "try later" }] }),
        )
    };
    let whole = ok(json!({ "results": [{ "from": { "id": "1" }, "to": [{ "toObjectId": 5 }] }] }));
    let (client, _) = client(vec![broken(), whole]);
    let links = client
        .associations(Lane::Sync, ObjectType::Deals, ObjectType::Notes, &["1".into()])
        .await
        .unwrap();
    assert_eq!(links["1"], ["5"]);
    assert_eq!(client.limits().retries, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_inside_a_batch_is_told_by_its_name() {
    for (category, signal) in [
        ("MISSING_SCOPES", Signal::MissingScope),
        ("FORBIDDEN", Signal::Forbidden),
        ("VALIDATION_ERROR", Signal::Validation),
    ] {
        let answer = json!({ "results": [], "errors": [{ "category": category, "message": "no" }] });
        let (client, script) = client(vec![status(207, answer)]);
        let read = client
            .batch_read(Lane::Sync, ObjectType::Deals, &ids(1..3), &[], &[])
            .await;
        assert_eq!((read.unwrap_err().signal, script.asked().len()), (signal, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_inside_a_batch_is_waited_out() {
    let limited = json!({ "results": [], "errors": [{ "category": "RATE_LIMITS", "message": "too many" }] });
    let whole = ok(json!({ "results": [deal("1")] }));
    let (client, script) = client(vec![status(207, limited), whole]);
    let start = client.clock().now();
    let read = client
        .batch_read(Lane::Sync, ObjectType::Deals, &ids(1..2), &[], &[])
        .await;
    assert_eq!((read.unwrap().records.len(), script.asked().len()), (1, 2));
    assert!(client.clock().now() - start >= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_search_says_what_it_wants_and_takes_a_search_slot() {
    let answer = json!({ "total": 123, "results": [deal("1")], "paging": { "next": { "after": "200" } } });
    let (client, script) = client(vec![ok(answer)]);
    let query = SearchQuery {
        filter_groups: vec![vec![
            SearchFilter::new("hs_lastmodifieddate", Comparison::Gte("1763800000000".into())),
            SearchFilter::new("amount", Comparison::Between("1".into(), "9".into())),
            SearchFilter::new("dealstage", Comparison::In(vec!["a".into(), "b".into()])),
            SearchFilter::new("closedate", Comparison::Has),
        ]],
        sort: Some(SearchSort {
            property: "hs_lastmodifieddate".into(),
            descending: false,
        }),
        ..SearchQuery::default()
    };
    let page = client.search(Lane::Sync, ObjectType::Deals, &query).await.unwrap();
    assert_eq!((page.total, page.after.as_deref()), (123, Some("200")));
    assert_eq!(
        script.body(0),
        json!({ "limit": 200, "sorts": [{ "propertyName": "hs_lastmodifieddate", "direction": "ASCENDING" }],
            "filterGroups": [{ "filters": [
                { "propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "1763800000000" },
                { "propertyName": "amount", "operator": "BETWEEN", "value": "1", "highValue": "9" },
                { "propertyName": "dealstage", "operator": "IN", "values": ["a", "b"] },
                { "propertyName": "closedate", "operator": "HAS_PROPERTY" },
            ] }] })
    );
    let limits = client.limits();
    assert_eq!((limits.search.left, limits.burst.left), (4, 25));
}

#[tokio::test(start_paused = true)]
async fn a_search_with_too_many_properties_reads_them_in_a_batch() {
    let found = json!({ "total": 2, "results": [{ "id": "2", "properties": {} }, { "id": "1", "properties": {} }] });
    let batch = json!({ "results": [deal("1"), deal("2")] });
    let (client, script) = client(vec![ok(found), ok(batch)]);
    let query = SearchQuery {
        properties: (0..200).map(|n| format!("a_rather_long_property_{n}")).collect(),
        ..SearchQuery::default()
    };
    let page = client.search(Lane::Sync, ObjectType::Deals, &query).await.unwrap();
    assert!(script.asked()[0].body.len() <= 3000);
    let order: Vec<&str> = page.records.iter().map(|record| record.id.as_str()).collect();
    assert_eq!(order, ["2", "1"]);
    assert_eq!(page.records[0].get("dealname"), Some("Acme"));
}

#[tokio::test(start_paused = true)]
async fn a_key_finds_the_record_it_was_made_with() {
    let (client, script) = client(vec![ok(deal("900"))]);
    let query = GetQuery {
        id_property: Some("dealdeck_key".into()),
        ..GetQuery::default()
    };
    let note = client
        .get(Lane::Verify, &RecordRef::new(ObjectType::Notes, "op-1"), &query)
        .await
        .unwrap();
    assert_eq!(note.id, "900");
    assert_eq!(
        script.path(0),
        "/crm/objects/2026-09/notes/op-1?idProperty=dealdeck_key"
    );
}
