//! Faults: each as a client sees it, in process, and what the truth is afterwards.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use dealdeck::portal::{Settings, Wire};
use serde_json::{Value, json};

use crate::harness::{Client, client, open, settings};

async fn create(client: &Client) -> Response<Body> {
    let request = Request::post("/crm/objects/2026-09/deals")
        .header("Authorization", format!("Bearer {}", client.portal.token()))
        .body(Body::from(json!({"properties": {"dealname": "Faulty"}}).to_string()));
    client.raw(request.unwrap()).await
}

async fn created(client: &Client) -> usize {
    client
        .witness("objects/deals")
        .await
        .iter()
        .filter(|deal| deal["properties"]["dealname"] == "Faulty")
        .count()
}

fn faulty(plan: &str) -> Client {
    client(Settings {
        faults: plan.parse().unwrap(),
        ..settings()
    })
}

#[tokio::test(start_paused = true)]
async fn statuses_are_injected_before_anything_is_done() {
    for (kind, json) in [
        ("500", true),
        ("502", false),
        ("503", true),
        ("504", false),
        ("429", true),
        ("401", true),
        ("403", true),
        ("423", true),
        ("477", true),
    ] {
        let client = faulty(&format!("{kind}=1"));
        let answer = open(create(&client).await).await;
        assert_eq!(answer.status.to_string(), kind);
        assert_eq!(answer.body.is_object(), json, "{kind}: {}", answer.text);
        assert_eq!(
            (created(&client).await, open(create(&client).await).await.status),
            (0, 201),
            "{kind} strikes once"
        );
        assert_eq!(client.witness("requests").await[0]["fault"], kind);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_was_carried_out_and_a_reset_was_not() {
    for (plan, times) in [("POST:lost=1", 1), ("reset=1", 0), ("524=1", 1), ("html=1", 0)] {
        let client = faulty(plan);
        let response = create(&client).await;
        let wire = response.extensions().get::<Wire>().copied();
        assert_eq!(
            wire,
            (plan.contains("lost") || plan.contains("reset")).then_some(Wire::Reset),
            "{plan}"
        );
        if wire.is_none() {
            assert_eq!(response.headers()["content-type"], "text/html; charset=UTF-8");
        }
        assert_eq!(created(&client).await, times, "{plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_request_is_carried_out_after_its_connection_is_gone() {
    let client = faulty("late=1");
    assert_eq!(create(&client).await.extensions().get(), Some(&Wire::Reset));
    tokio::time::sleep(Duration::from_secs(44)).await;
    assert_eq!(created(&client).await, 0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(created(&client).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_hang_is_silence_for_two_minutes() {
    let client = faulty("hang=1");
    let before = tokio::time::Instant::now();
    let waited = tokio::time::timeout(Duration::from_secs(30), create(&client)).await;
    assert!(waited.is_err(), "nothing comes within a client's patience");
    let client = faulty("hang=1");
    assert_eq!(create(&client).await.extensions().get(), Some(&Wire::Hang));
    assert_eq!(before.elapsed(), Duration::from_secs(150));
    assert_eq!(created(&client).await, 0);
    assert_eq!(client.witness("requests").await[0]["status"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_breaks_off_or_is_cut() {
    let broken = create(&faulty("truncated=1")).await;
    assert!(axum::body::to_bytes(broken.into_body(), usize::MAX).await.is_err());
    let cut = open(create(&faulty("cut=1")).await).await;
    assert_eq!((cut.status, &cut.body), (201, &Value::Null));
    assert!(cut.text.starts_with('{'));
}

#[tokio::test(start_paused = true)]
async fn the_witness_changes_the_plan_and_is_never_struck() {
    let client = faulty("500=100%");
    assert_eq!(client.get("/__portal/stats").await.status, 200);
    assert_eq!(client.get("/crm/owners/2026-09").await.status, 500);
    assert_eq!(
        client
            .post("/__portal/faults", json!({"faults": "boom=1"}))
            .await
            .status,
        400
    );
    assert_eq!(client.post("/__portal/faults", json!({"faults": ""})).await.status, 200);
    assert_eq!(client.get("/crm/owners/2026-09").await.status, 200);
    assert_eq!(
        client.witness("requests").await.len(),
        2,
        "witness calls are not in the log"
    );
}
