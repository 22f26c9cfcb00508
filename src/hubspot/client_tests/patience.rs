//! How a client leaves a HubSpot alone that fails, and how it finds out that it works again.

use super::*;

fn failing() -> Answer {
    status(503, json!({}))
}

fn empty() -> Answer {
    ok(json!({ "results": [] }))
}

async fn wait(client: &Client, seconds: u64) {
    client.clock().sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn after_five_bad_answers_nothing_is_sent_until_one_read_gets_through() {
    let mut answers: Vec<Answer> = (0..6).map(|_| failing()).collect();
    answers.extend([empty(), ok(deal("1"))]);
    let (client, script) = client(answers);
    for _ in 0..2 {
        assert!(client.pipelines(Lane::Read).await.is_err());
    }
    assert_eq!(script.asked().len(), 5, "the second read stops at the fifth bad answer");
    assert!(client.rests_until().is_some());

    let denied = client.pipelines(Lane::Read).await.unwrap_err();
    assert_eq!(denied.signal, Signal::Resting);
    assert_eq!(denied.retry_at, client.rests_until());
    assert_eq!(denied.fault().kind, FaultKind::Offline);
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let record = RecordRef::new(ObjectType::Deals, "1");
    let write = client.update(permit, &record, &Properties::new()).await.unwrap_err();
    assert_eq!(write.signal, Signal::Resting);
    assert_eq!(write.verdict(OpClass::PropertySet).action, Action::Offline);
    assert_eq!(script.asked().len(), 5, "neither was sent");

    wait(&client, 6).await;
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let early = client.update(permit, &record, &Properties::new()).await;
    assert_eq!(early.unwrap_err().signal, Signal::Resting, "a write never finds out");
    let probe = client.pipelines(Lane::Read).await.unwrap_err();
    assert_eq!((probe.status, script.asked().len()), (Some(503), 6), "one read, once");
    wait(&client, 6).await;
    assert_eq!(client.pipelines(Lane::Read).await.unwrap_err().signal, Signal::Resting);
    wait(&client, 5).await;
    client.pipelines(Lane::Read).await.unwrap();
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    client.update(permit, &record, &Properties::new()).await.unwrap();
    assert_eq!(script.asked().len(), 8);
    assert_eq!(client.limits().total_requests, 8, "what is denied costs no slot");
}

#[tokio::test(start_paused = true)]
async fn limits_and_refusals_never_open_the_breaker() {
    for code in [400, 401, 403, 404, 409, 423] {
        let (client, script) = client((0..8).map(|_| status(code, json!({ "message": "no" }))).collect());
        while script.asked().len() < 8 {
            assert!(client.pipelines(Lane::Read).await.is_err());
        }
        assert_eq!(client.rests_until(), None, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_on_the_way_opens_it_at_once() {
    for (code, body) in [(403, "<html>1020</html>"), (530, "<html>"), (302, "")] {
        let mut page = status(code, Value::Null).unwrap();
        page.headers
            .insert("content-type", HeaderValue::from_static("text/html"));
        page.body = Bytes::from_static(body.as_bytes());
        let (client, script) = client(vec![Ok(page)]);
        assert!(client.pipelines(Lane::Read).await.is_err());
        assert_eq!(
            client.pipelines(Lane::Read).await.unwrap_err().signal,
            Signal::Resting,
            "{code}"
        );
        assert_eq!(script.asked().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_moving_account_is_asked_nothing_until_hubspot_says() {
    let moving = with_header(
        status(477, json!({ "message": "Hub 123 is being migrated" })),
        "retry-after",
        "7200",
    );
    let (client, script) = client(vec![moving, empty()]);
    let told = client.pipelines(Lane::Read).await.unwrap_err();
    let back = "2026-11-22T14:00:00.1Z".parse().ok();
    assert_eq!(told.retry_at, back);
    wait(&client, 7_000).await;
    let denied = client.pipelines(Lane::Read).await.unwrap_err();
    assert!(matches!(denied.signal, Signal::Migrating { .. }), "{denied:?}");
    assert_eq!((denied.retry_at, script.asked().len()), (back, 1));
    wait(&client, 200).await;
    client.pipelines(Lane::Read).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_empty_retry_budget_lets_the_failure_go_up() {
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.extend([failing(), empty()]);
    }
    // Ten good answers earned one more retry.
    answers.extend([failing(), empty(), failing()]);
    let (client, script) = client(answers);
    for _ in 0..11 {
        client.pipelines(Lane::Read).await.unwrap();
        // Far enough from each other not to open the breaker.
        wait(&client, 31).await;
    }
    let failure = client.pipelines(Lane::Read).await.unwrap_err();
    assert_eq!((failure.status, script.asked().len()), (Some(503), 23));
    assert_eq!(client.limits().retries, 11);
}

#[tokio::test(start_paused = true)]
async fn a_refused_window_is_waited_out_longer_than_a_failure_is_retried() {
    let refused = || status(429, json!({ "policyName": "TEN_SECONDLY_ROLLING" }));
    let (client, _) = client((0..10).map(|_| refused()).chain([empty()]).collect());
    client.pipelines(Lane::Sync).await.unwrap();
    assert_eq!(client.limits().rate_limited, 10);
}
