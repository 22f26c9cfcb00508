//! What is tried again, how often and when; what is not.

use super::*;

#[tokio::test(start_paused = true)]
async fn reads_are_tried_again_after_one_two_and_four_seconds_at_most_three_times() {
    let failing = || status(503, json!({}));
    let (client, script) = client(vec![failing(), failing(), failing(), failing()]);
    let start = client.clock().now();
    let failure = client.pipelines(Lane::Read).await.unwrap_err();
    assert_eq!(failure.status, Some(503));
    assert_eq!(script.asked().len(), 4);
    let took = client.clock().now() - start;
    assert!(
        took >= Duration::from_secs(7) && took < Duration::from_secs(15),
        "{took:?}"
    );
    let limits = client.limits();
    assert_eq!(
        (limits.retries, limits.total_requests),
        (3, 4),
        "each attempt takes a permit of its own"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_succeed_is_not_tried_again() {
    for status_code in [400, 401, 403, 404, 409, 414, 418, 477, 530] {
        let (client, script) = client(vec![status(status_code, json!({ "message": "no" }))]);
        assert!(client.pipelines(Lane::Read).await.is_err());
        assert_eq!(script.asked().len(), 1, "{status_code}");
    }
}

#[tokio::test(start_paused = true)]
async fn timeouts_locks_cut_bodies_and_lost_connections_are_tried_again() {
    let empty = || ok(json!({ "results": [] }));
    let cut = ok(json!("x")).map(|mut response| {
        response.body = Bytes::from_static(b"{\"results\":[{");
        response
    });
    for first in [
        lost(TransportErrorKind::Timeout, true),
        lost(TransportErrorKind::Refused, false),
        lost(TransportErrorKind::Closed, true),
        status(423, json!({})),
        cut,
    ] {
        let (client, script) = client(vec![first, empty()]);
        assert_eq!(client.pipelines(Lane::Read).await.unwrap(), []);
        assert_eq!(script.asked().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_window_freezes_the_lane_and_then_goes_on() {
    let refused = with_header(
        status(429, json!({ "policyName": "TEN_SECONDLY_ROLLING" })),
        "retry-after",
        "4",
    );
    let (client, _) = client(vec![refused, ok(json!({ "results": [] }))]);
    let start = client.clock().now();
    client.pipelines(Lane::Sync).await.unwrap();
    let took = client.clock().now() - start;
    assert!(
        took >= Duration::from_secs(4) && took < Duration::from_secs(5),
        "{took:?}"
    );
    assert_eq!(client.limits().rate_limited, 1);
}

#[tokio::test(start_paused = true)]
async fn a_spent_day_fails_at_once_with_the_reset_time() {
    let refused = status(
        429,
        json!({ "message": "You have reached your daily limit.", "policyName": "DAILY" }),
    );
    let account =
        json!({ "portalId": 123, "timeZone": "US/Eastern", "companyCurrency": "USD", "uiDomain": "app.hubspot.com" });
    let (client, script) = client(vec![ok(account), refused]);
    client.account(Lane::Read).await.unwrap();
    let reset = "2026-11-23T05:00:00Z".parse().unwrap();
    let fault = client.pipelines(Lane::Sync).await.unwrap_err().fault();
    assert_eq!((fault.kind, fault.retry_at), (FaultKind::Rate, Some(reset)));
    let again = client.pipelines(Lane::Read).await.unwrap_err();
    assert_eq!((again.signal.clone(), again.retry_at), (Signal::Denied, Some(reset)));
    assert_eq!(script.asked().len(), 2, "nothing is sent any more");
    assert_eq!(client.budget().closed_until(Lane::Write), Some(reset));
}

#[tokio::test(start_paused = true)]
async fn another_region_is_remembered() {
    let moved = status(
        488,
        json!({ "message": "Hub 123 is unknown to this Hublet", "correctHublet": "eu1" }),
    );
    let (client, script) = client(vec![moved, ok(json!({ "results": [] }))]);
    client.pipelines(Lane::Read).await.unwrap();
    assert_eq!(script.asked()[0].hublet, None);
    assert_eq!(script.asked()[1].hublet.as_deref(), Some("eu1"));
}

#[tokio::test(start_paused = true)]
async fn a_region_that_sends_us_back_to_itself_is_not_asked_again() {
    let moved = |to: &str| status(488, json!({ "message": "unknown to this Hublet", "correctHublet": to }));
    let (client, script) = client(vec![moved("eu1"), moved("eu1")]);
    let failure = client.pipelines(Lane::Read).await.unwrap_err();
    assert_eq!((failure.signal, script.asked().len()), (Signal::Unreachable(488), 2));
    let record = RecordRef::new(ObjectType::Deals, "1");
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let write = client.update(permit, &record, &Properties::new()).await.unwrap_err();
    assert_eq!((write.signal, script.asked().len()), (Signal::Resting, 2));
}

#[tokio::test(start_paused = true)]
async fn a_refused_second_of_what_is_no_search_is_waited_out_too() {
    let refused = || status(429, json!({ "policyName": "SECONDLY" }));
    let longer = with_header(refused(), "retry-after", "3");
    let answers = (0..11).map(|_| refused()).chain([longer, ok(json!({ "results": [] }))]);
    let (client, script) = client(answers.collect());
    let start = client.clock().now();
    client.pipelines(Lane::Sync).await.unwrap();
    let took = client.clock().now() - start;
    assert!(
        took >= Duration::from_secs(14) && took < Duration::from_secs(16),
        "{took:?}"
    );
    assert_eq!(script.asked().len(), 13);
}

#[tokio::test(start_paused = true)]
async fn two_requests_that_learn_of_a_region_together_both_go_there() {
    let moved = || {
        status(
            488,
            json!({ "message": "unknown to this Hublet", "correctHublet": "eu1" }),
        )
    };
    let empty = || ok(json!({ "results": [] }));
    let (client, script) = client(vec![moved(), moved(), empty(), empty()]);
    let (one, two) = futures::join!(client.pipelines(Lane::Read), client.pipelines(Lane::Read));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    let regions: Vec<_> = script.asked().into_iter().map(|request| request.hublet).collect();
    assert_eq!(regions, [None, None, Some("eu1".into()), Some("eu1".into())]);
    assert_eq!(client.rests_until(), None);
}

#[tokio::test(start_paused = true)]
async fn the_plain_host_that_names_the_first_region_names_itself() {
    let moved = status(
        488,
        json!({ "message": "unknown to this Hublet", "correctHublet": "na1" }),
    );
    let (client, script) = client(vec![moved]);
    let failure = client.pipelines(Lane::Read).await.unwrap_err();
    assert_eq!((failure.signal, script.asked().len()), (Signal::Unreachable(488), 1));
}
