//! Batches of writes: every input has an outcome, whatever HubSpot answers and in whatever order.

use super::*;

fn contact(id: &str, email: &str) -> Value {
    json!({ "id": id, "properties": { "email": email }, "createdAt": "2026-01-02T03:04:05Z", "updatedAt": "2026-01-02T03:04:05Z" })
}

fn traced(mut record: Value, trace: usize) -> Value {
    record["objectWriteTraceId"] = json!(format!("input-{trace}"));
    record
}

fn new(email: &str) -> NewRecord {
    NewRecord {
        properties: Properties::from([("email".into(), Some(email.into()))]),
        links: Vec::new(),
    }
}

fn change(id: &str) -> RecordChange {
    RecordChange {
        id: id.to_owned(),
        properties: Properties::from([("dealstage".into(), Some("won".into()))]),
    }
}

fn not_found(ids: &[&str]) -> Value {
    json!({ "status": "error", "category": "OBJECT_NOT_FOUND", "context": { "ids": ids },
        "message": "Could not get some DEAL objects, they may be deleted or not exist. Check that ids are valid." })
}

/// `landed <id>`, `new <id>`, `refused <signal>` or `unknown <signal>`, for every input.
fn told(write: &BatchWrite) -> Vec<String> {
    let tell = |outcome: &ItemOutcome| match outcome {
        ItemOutcome::Landed { record, created: true } => format!("new {}", record.id),
        ItemOutcome::Landed { record, .. } => format!("landed {}", record.id),
        ItemOutcome::Refused(failure) => format!("refused {:?}", failure.signal),
        ItemOutcome::Unknown(failure) => format!("unknown {:?}", failure.signal),
    };
    write.outcomes.iter().map(tell).collect()
}

async fn create(answer: Answer, emails: &[&str]) -> (BatchWrite, Arc<Script>) {
    let (client, script) = client(vec![answer]);
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let records: Vec<NewRecord> = emails.iter().map(|email| new(email)).collect();
    (
        client.batch_create(permit, ObjectType::Contacts, &records).await,
        script,
    )
}

async fn update(answer: Answer, ids: &[&str]) -> (BatchWrite, Arc<Script>) {
    let (client, script) = client(vec![answer]);
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let changes: Vec<RecordChange> = ids.iter().map(|id| change(id)).collect();
    (
        client.batch_update(permit, ObjectType::Deals, None, &changes).await,
        script,
    )
}

async fn upsert(answer: Answer, emails: &[&str]) -> BatchWrite {
    let (client, _) = client(vec![answer]);
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let changes: Vec<RecordChange> = emails.iter().map(|id| change(id)).collect();
    client
        .batch_upsert(permit, ObjectType::Contacts, "email", &changes)
        .await
}

#[tokio::test(start_paused = true)]
async fn created_records_are_matched_by_their_trace_in_any_order() {
    let conflict = json!({ "status": "error", "category": "CONFLICT", "message": "Contact already exists. Existing ID: 12",
        "context": { "objectWriteTraceId": ["input-1"], "existingId": ["12"] } });
    let answer = json!({ "status": "COMPLETE", "results": [traced(contact("903", "c@x.de"), 2), traced(contact("901", "a@x.de"), 0)],
        "numErrors": 1, "errors": [conflict] });
    let (write, script) = create(status(207, answer), &["a@x.de", "b@x.de", "c@x.de"]).await;
    assert_eq!(told(&write), ["new 901", "refused Conflict", "new 903"]);
    let ItemOutcome::Refused(failure) = &write.outcomes[1] else {
        panic!("a refusal")
    };
    assert_eq!(failure.existing_id.as_deref(), Some("12"));
    assert_eq!(write.cut(), None);
    assert_eq!(script.path(0), "/crm/objects/2026-09/contacts/batch/create");
    assert_eq!(
        script.body(0)["inputs"][1],
        json!({ "properties": { "email": "b@x.de" }, "objectWriteTraceId": "input-1" })
    );
}

#[tokio::test(start_paused = true)]
async fn a_batch_creates_records_with_their_links() {
    let (client, script) = client(vec![status(201, json!({ "results": [traced(deal("900"), 0)] }))]);
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let note = NewRecord {
        properties: Properties::from([("hs_timestamp".into(), Some("2026-11-22T12:00:00Z".into()))]),
        links: vec![RecordRef::new(ObjectType::Deals, "1")],
    };
    let write = client.batch_create(permit, ObjectType::Notes, &[note]).await;
    assert_eq!(told(&write), ["new 900"]);
    assert_eq!(
        script.body(0)["inputs"][0]["associations"][0]["types"][0]["associationTypeId"],
        214
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_says_nothing_is_not_a_success() {
    for silent in [
        json!({ "status": "COMPLETE", "results": [] }),
        json!({ "status": "COMPLETE", "results": [], "errors": [] }),
        json!({ "status": "COMPLETE", "results": null, "numErrors": 2, "errors": null }),
        json!({ "status": "COMPLETE" }),
    ] {
        for code in [200, 207] {
            let (write, _) = update(status(code, silent.clone()), &["1", "2"]).await;
            assert_eq!(told(&write), ["unknown MissingItem", "unknown MissingItem"], "{silent}");
            assert_eq!(write.cut(), None, "they may have been written");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn missing_ids_are_refused_and_merged_ones_unknown() {
    let answer = json!({ "results": [deal("3"), deal("1")], "numErrors": 1, "errors": [not_found(&["99"])] });
    let (write, _) = update(status(207, answer), &["1", "99", "3", "40"]).await;
    assert_eq!(
        told(&write),
        ["landed 1", "refused NotFound", "landed 3", "unknown MissingItem"]
    );
}

#[tokio::test(start_paused = true)]
async fn fewer_errors_than_counted_leave_the_rest_unknown() {
    let answer = json!({ "results": [deal("1")], "numErrors": 2, "errors": [not_found(&["2"])] });
    let (write, _) = update(status(207, answer), &["1", "2", "3"]).await;
    assert_eq!(told(&write), ["landed 1", "refused NotFound", "unknown MissingItem"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_without_a_name_is_about_the_only_input_that_is_left() {
    let error = || json!({ "category": "VALIDATION_ERROR", "message": "Property values were not valid" });
    let one_left = json!({ "results": [deal("1")], "errors": [error()] });
    let (write, _) = update(status(207, one_left), &["1", "2"]).await;
    assert_eq!(told(&write), ["landed 1", "refused Validation"]);
    let two_left = json!({ "results": [], "errors": [error()] });
    let (write, _) = update(status(207, two_left), &["1", "2"]).await;
    assert_eq!(told(&write), ["unknown MissingItem", "unknown MissingItem"]);
    let ItemOutcome::Unknown(failure) = &write.outcomes[0] else {
        panic!("unknown")
    };
    assert!(failure.message.contains("Property values were not valid"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_kind_nobody_knows_may_have_had_its_effect() {
    let error =
        json!({ "category": "INTERNAL", "message": "try later", "context": { "objectWriteTraceId": ["input-0"] } });
    let (write, _) = update(status(207, json!({ "results": [], "errors": [error] })), &["1"]).await;
    assert_eq!(told(&write), ["unknown MissingItem"]);
}

#[tokio::test(start_paused = true)]
async fn a_result_with_another_id_belongs_to_the_input_whose_trace_it_carries() {
    let answer = json!({ "results": [deal("2"), traced(deal("77"), 0)] });
    let (write, _) = update(ok(answer), &["1", "2"]).await;
    assert_eq!(told(&write), ["landed 77", "landed 2"], "1 was merged into 77");
    let (write, _) = update(ok(json!({ "results": [deal("77")] })), &["1"]).await;
    assert_eq!(told(&write), ["landed 77"], "the only result for the only input");
    let stranger = json!({ "results": [deal("2"), deal("77")] });
    let (write, _) = update(ok(stranger), &["1", "2"]).await;
    assert_eq!(told(&write), ["unknown MissingItem", "landed 2"], "never by position");
}

#[tokio::test(start_paused = true)]
async fn a_trace_of_no_input_is_nobodys() {
    for trace in ["input-7", "input-", "x", "18446744073709551616"] {
        let mut record = deal("9");
        record["objectWriteTraceId"] = json!(trace);
        let error = json!({ "category": "CONFLICT", "context": { "objectWriteTraceId": ["input-9"] } });
        let answer = json!({ "results": [record], "errors": [error] });
        let (write, _) = update(status(207, answer), &["1", "2"]).await;
        assert_eq!(told(&write), ["unknown MissingItem", "unknown MissingItem"]);
    }
}

#[tokio::test(start_paused = true)]
async fn upserts_are_matched_by_the_address_however_it_is_spelt() {
    let mut old = contact("1", "ann@old.de");
    old["properties"]["hs_additional_emails"] = json!("other@x.de;ann@x.de");
    old["new"] = json!(false);
    let mut made = contact("2", "bob@x.de");
    made["new"] = json!(true);
    let write = upsert(
        ok(json!({ "results": [made, old] })),
        &["Ann@X.de", "bob@x.de", "cy@x.de"],
    )
    .await;
    assert_eq!(told(&write), ["landed 1", "new 2", "unknown MissingItem"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_whole_is_everybodys_and_says_where_to_cut() {
    let body = json!({ "status": "error", "category": "VALIDATION_ERROR", "message": "Property values were not valid: []",
        "errors": [{ "message": "no", "code": "PROPERTY_DOESNT_EXIST", "context": { "propertyName": ["foo"] } }] });
    let (write, _) = update(status(400, body), &["1", "2", "3"]).await;
    assert_eq!(told(&write), ["refused Validation"; 3]);
    assert_eq!(write.cut(), Some(1));
    assert_eq!(write.whole.unwrap().fields, ["foo"]);
    let (write, _) = update(status(400, json!({})), &["1"]).await;
    assert_eq!(write.cut(), None, "there is nothing smaller than one");
    let (write, _) = create(
        status(
            409,
            json!({ "message": "Contact already exists", "category": "CONFLICT" }),
        ),
        &["a", "b"],
    )
    .await;
    assert_eq!((told(&write)[0].as_str(), write.cut()), ("refused Conflict", Some(1)));
}

#[tokio::test(start_paused = true)]
async fn what_no_record_is_to_blame_for_is_not_cut() {
    for (answer, outcome) in [
        (status(401, json!({})), "refused Unauthorized"),
        (
            status(429, json!({ "policyName": "TEN_SECONDLY_ROLLING" })),
            "refused RateWindow { retry_after: None }",
        ),
        (lost(TransportErrorKind::Refused, false), "refused NotSent"),
        (lost(TransportErrorKind::Timeout, true), "unknown TimedOut"),
        (status(502, json!({})), "unknown Server(502)"),
    ] {
        let (write, script) = update(answer, &["1", "2"]).await;
        assert_eq!(told(&write), [outcome, outcome]);
        assert_eq!((write.cut(), script.asked().len()), (None, 1), "sent once");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_right_is_refused_before_it_is_sent() {
    let (client, script) = client(Vec::new());
    let permit = || client.permit(Lane::Write, Quota::Burst);
    let deals = ObjectType::Deals;
    let write = client
        .batch_update(permit().await, deals, None, &[change("7"), change("8"), change("7")])
        .await;
    assert_eq!(told(&write), ["refused Validation"; 3]);
    assert_eq!(
        write.whole.unwrap().message,
        "the batch names '7' twice; give every record once"
    );
    let contacts = ObjectType::Contacts;
    let write = client
        .batch_create(permit().await, contacts, &[new("Ann@x.de"), new("ann@X.de")])
        .await;
    assert_eq!(
        write.whole.unwrap().message,
        "the batch names 'ann@X.de' twice; give every record once"
    );
    let many: Vec<RecordChange> = ids(0..101).iter().map(|id| change(id)).collect();
    let write = client.batch_update(permit().await, deals, None, &many).await;
    assert_eq!((write.outcomes.len(), write.cut()), (101, Some(50)));
    assert_eq!(
        write.whole.unwrap().message,
        "one request takes at most 100 records, not '101'; send them in parts"
    );
    let write = client.batch_update(permit().await, deals, None, &[]).await;
    assert_eq!(write, BatchWrite::default());
    assert!(script.asked().is_empty());
    assert_eq!(client.limits().burst.left, 25, "the slots were given back");
}

#[tokio::test(start_paused = true)]
async fn archiving_a_batch_names_every_record_once() {
    let (client, script) = client(vec![status(204, Value::Null)]);
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let twice = ["1".to_owned(), "2".to_owned(), "1".to_owned()];
    client.batch_archive(permit, ObjectType::Deals, &twice).await.unwrap();
    assert_eq!(script.body(0), json!({ "inputs": [{ "id": "1" }, { "id": "2" }] }));
}
