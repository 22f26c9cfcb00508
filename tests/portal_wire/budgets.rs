//! The budgets: exact windows, exact headers, exact words.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use dealdeck::portal::Settings;
use serde_json::json;

use crate::harness::{client, open, settings};

const LIST: &str = "/crm/objects/2026-09/deals?limit=1";

#[tokio::test(start_paused = true)]
async fn the_ten_second_window_is_exact_and_told_in_headers() {
    let client = client(Settings {
        limit: "3/10s".parse().unwrap(),
        ..settings()
    });
    for left in ["2", "1", "0"] {
        let answer = client.get(LIST).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("X-HubSpot-RateLimit-Max"), Some("3"));
        assert_eq!(answer.header("X-HubSpot-RateLimit-Remaining"), Some(left));
        assert_eq!(
            answer.header("X-HubSpot-RateLimit-Interval-Milliseconds"),
            Some("10000")
        );
        assert_eq!(answer.header("X-HubSpot-RateLimit-Daily"), Some("625000"));
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let refused = client.get(LIST).await;
    assert_eq!(refused.status, 429);
    let correlation = refused.str("/correlationId").to_owned();
    assert_eq!(refused.header("X-HubSpot-Correlation-Id"), Some(correlation.as_str()));
    assert_eq!(
        refused.body,
        json!({"status": "error", "message": "You have reached your ten_secondly_rolling limit.",
            "errorType": "RATE_LIMIT", "correlationId": correlation, "policyName": "TEN_SECONDLY_ROLLING",
            "groupName": format!("publicapi:private-apps-api-calls-ten-secondly:{}", client.portal.portal_id())})
    );
    tokio::time::advance(Duration::from_micros(6_999_999)).await;
    assert_eq!(
        client.get(LIST).await.status,
        429,
        "the first request is still inside the window"
    );
    tokio::time::advance(Duration::from_micros(1)).await;
    assert_eq!(
        client.get(LIST).await.status,
        200,
        "the first request has just left the window"
    );
    let stats = &client.witness("stats").await[0];
    assert_eq!(stats["refused"], 2);
    assert_eq!(stats["by_status"], json!({"200": 4, "429": 2}));
    assert_eq!(stats["worst_window"], json!({"seconds": 10, "count": 5}));
}

#[tokio::test(start_paused = true)]
async fn search_has_its_own_quota_outside_the_window_and_no_headers() {
    let client = client(Settings {
        limit: "1/10s".parse().unwrap(),
        ..settings()
    });
    for _ in 0..5 {
        let answer = client
            .post("/crm/objects/2026-09/deals/search", json!({"limit": 1}))
            .await;
        assert_eq!(answer.status, 200);
        assert!(answer.headers.keys().all(|name| !name.as_str().contains("ratelimit")));
    }
    let refused = client
        .post("/crm/objects/2026-09/contacts/search", json!({"limit": 1}))
        .await;
    assert_eq!((refused.status, refused.str("/policyName")), (429, "SECONDLY"));
    assert_eq!(refused.str("/message"), "You have reached your secondly limit.");
    assert!(refused.str("/groupName").starts_with("publicapi:crm:search:oauth:"));
    let links = client
        .post(
            "/crm/associations/2026-09/deals/notes/batch/read",
            json!({"inputs": []}),
        )
        .await;
    assert_eq!(links.status, 200);
    assert_eq!(client.get(LIST).await.status, 200, "the window is still free");
    let stats = &client.witness("stats").await[0];
    assert_eq!(
        (&stats["worst_search_second"], &stats["worst_window"]["count"]),
        (&json!(6), &json!(1))
    );
}

#[tokio::test(start_paused = true)]
async fn the_day_ends_at_midnight_of_the_account() {
    let client = client(Settings { daily: 2, ..settings() });
    assert_eq!(
        client.get(LIST).await.header("X-HubSpot-RateLimit-Daily-Remaining"),
        Some("1")
    );
    let usage = client.get("/account-info/2026-09/api-usage/daily/private-apps").await;
    assert_eq!(usage.body["results"][0]["currentUsage"], 2);
    assert_eq!(usage.body["results"][0]["resetsAt"], "2026-11-23T05:00:00Z");
    let refused = client.get(LIST).await;
    assert_eq!((refused.status, refused.str("/policyName")), (429, "DAILY"));
    tokio::time::advance(Duration::from_hours(17)).await;
    assert_eq!(client.get(LIST).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn without_the_token_there_is_nothing_but_401() {
    let client = client(settings());
    let bare = open(client.raw(Request::get(LIST).body(Body::empty()).unwrap()).await).await;
    assert_eq!((bare.status, bare.str("/category")), (401, "INVALID_AUTHENTICATION"));
    assert!(
        bare.str("/message")
            .starts_with("Authentication credentials not found.")
    );
    let request = Request::get(LIST)
        .header("Authorization", "Bearer pat-na1-nonsense")
        .body(Body::empty())
        .unwrap();
    let wrong = open(client.raw(request).await).await;
    assert_eq!((wrong.status, wrong.str("/category")), (401, "EXPIRED_AUTHENTICATION"));
    assert_eq!(
        wrong.str("/message"),
        "The OAuth token used to make this call expired 20779 day(s) ago."
    );
    let told = client
        .post(
            "/oauth/v2/private-apps/get/access-token-info",
            json!({"tokenKey": client.portal.token()}),
        )
        .await;
    assert_eq!(told.body["hubId"], client.portal.portal_id());
    let owners = client.get("/crm/owners/2026-09").await;
    assert_eq!(told.body["userId"], owners.body["results"][0]["userId"]);
    assert_eq!(owners.str("/results/0/lastName"), "Quill");
}

#[tokio::test(start_paused = true)]
async fn an_answer_takes_as_long_as_the_settings_say() {
    let client = client(Settings {
        latency: "120ms".parse().unwrap(),
        ..settings()
    });
    let before = tokio::time::Instant::now();
    assert_eq!(client.get(LIST).await.status, 200);
    assert_eq!(before.elapsed(), Duration::from_millis(120));
    let request = &client.witness("requests").await[0];
    assert_eq!(
        (&request["t_us"], &request["method"], &request["status"]),
        (&json!(0), &json!("GET"), &json!(200))
    );
    assert_eq!(
        (&request["path"], &request["fault"]),
        (&json!("/crm/objects/2026-09/deals"), &json!(null))
    );
}
