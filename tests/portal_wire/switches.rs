//! Switches, other integrations, regions, compression, and the faults that spoil a batch or a body.

use std::io::Read;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use dealdeck::portal::Settings;
use serde_json::json;

use crate::harness::{Client, client, open, settings};

fn switched(names: &str) -> Client {
    client(Settings {
        switches: names.parse().unwrap(),
        ..settings()
    })
}

fn faulty(plan: &str) -> Client {
    client(Settings {
        faults: plan.parse().unwrap(),
        ..settings()
    })
}

#[tokio::test(start_paused = true)]
async fn refusals_carry_what_the_switches_say() {
    let client = client(Settings {
        switches: "retry-after,group-sometimes,bare-429".parse().unwrap(),
        limit: "1/10s".parse().unwrap(),
        ..settings()
    });
    client.get("/crm/owners/2026-09").await;
    let (one, two) = (
        client.get("/crm/owners/2026-09").await,
        client.get("/crm/owners/2026-09").await,
    );
    assert_eq!((one.status, one.header("Retry-After")), (429, Some("10")));
    assert_eq!(one.header("X-HubSpot-RateLimit-Remaining"), None);
    assert!(one.body.get("groupName").is_some() && two.body.get("groupName").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_walk_over_short_and_empty_pages_finds_everything() {
    let client = switched("short-pages");
    let all = client.all("contacts").await;
    assert_eq!(all.len(), 120);
    let (mut path, mut short, mut seen) = ("/crm/objects/2026-09/contacts?limit=4".to_owned(), 0, 0);
    loop {
        let page = client.get(&path).await;
        seen += page.ids().len();
        let Some(after) = page.body.pointer("/paging/next/after") else {
            break;
        };
        short += usize::from(page.ids().len() < 4);
        path = format!(
            "/crm/objects/2026-09/contacts?limit=4&after={}",
            after.as_str().unwrap()
        );
    }
    assert_eq!(seen, 120);
    assert!(short > 0, "some page with a cursor is short");
}

#[tokio::test(start_paused = true)]
async fn ids_of_associations_are_texts_where_the_switch_says_so() {
    let client = switched("text-ids");
    let deals = client.all("deals").await;
    let inputs: Vec<_> = deals.iter().map(|id| json!({"id": id})).collect();
    let read = |path: &'static str| client.post(path, json!({"inputs": inputs}));
    let dated = read("/crm/associations/2026-09/deals/contacts/batch/read").await;
    assert!(dated.body["results"][0]["to"][0]["toObjectId"].is_string());
    let legacy = read("/crm/v4/associations/deals/contacts/batch/read").await;
    assert!(legacy.body["results"][0]["to"][0]["toObjectId"].is_number());
}

#[tokio::test(start_paused = true)]
async fn another_integration_eats_from_the_window_the_search_and_the_day() {
    let client = client(Settings {
        limit: "10/10s".parse().unwrap(),
        others: Some("5/10s".parse().unwrap()),
        others_search: Some("5/1s".parse().unwrap()),
        ..settings()
    });
    tokio::time::advance(Duration::from_secs(10)).await;
    let answer = client.get("/crm/owners/2026-09").await;
    assert_eq!(
        answer.header("X-HubSpot-RateLimit-Remaining"),
        Some("4"),
        "five of theirs and one of ours"
    );
    let refused = client
        .post("/crm/objects/2026-09/deals/search", json!({"limit": 1}))
        .await;
    assert_eq!((refused.status, refused.str("/policyName")), (429, "SECONDLY"));
}

#[tokio::test(start_paused = true)]
async fn an_account_in_another_region_is_found_at_its_own_host() {
    let client = client(Settings {
        hublet: Some("eu1".to_owned()),
        ..settings()
    });
    let ask = |host: &'static str| {
        let request = Request::get("/account-info/2026-09/details")
            .header("Host", host)
            .header("Authorization", format!("Bearer {}", client.portal.token()));
        client.raw(request.body(Body::empty()).unwrap())
    };
    let wrong = open(ask("api.hubapi.com").await).await;
    assert_eq!((wrong.status, wrong.str("/correctHublet")), (488, "eu1"));
    assert!(
        wrong
            .str("/message")
            .ends_with("is unknown to this Hublet, but it appears to exist in Hublet eu1")
    );
    let right = open(ask("api-eu1.hubapi.com").await).await;
    assert_eq!((right.status, right.str("/dataHostingLocation")), (200, "eu1"));
}

#[tokio::test(start_paused = true)]
async fn bodies_are_compressed_for_those_who_take_it() {
    let client = client(Settings {
        gzip: true,
        ..settings()
    });
    let request = Request::get("/crm/objects/2026-09/deals?limit=100")
        .header("Accept-Encoding", "gzip, br")
        .header("Authorization", format!("Bearer {}", client.portal.token()));
    let response = client.raw(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, client.get("/crm/objects/2026-09/deals?limit=100").await.text);
}

#[tokio::test(start_paused = true)]
async fn a_batch_fails_in_part_is_passed_over_or_does_nothing() {
    for (kind, status, results, errors) in [("partial", 207, 1, 1), ("missing", 200, 1, 0), ("noop", 200, 0, 0)] {
        let client = faulty(&format!("{kind}=1"));
        let deals = client.all("deals").await;
        let inputs: Vec<_> = deals[..2]
            .iter()
            .map(|id| json!({"id": id, "properties": {"description": "struck"}}))
            .collect();
        let answer = client
            .post("/crm/objects/2026-09/deals/batch/update", json!({"inputs": inputs}))
            .await;
        assert_eq!((answer.status, answer.ids().len()), (status, results), "{kind}");
        let told = answer.body["errors"].as_array().map_or(0, Vec::len);
        assert_eq!(told, errors, "{kind}");
        if kind == "partial" {
            assert_eq!(answer.body["errors"][0]["context"]["ids"], json!([deals[1]]));
        }
        let truth = client.witness("objects/deals").await;
        let struck = truth
            .iter()
            .filter(|deal| deal["properties"]["description"] == "struck");
        assert_eq!(struck.count(), results, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_carried_out_twice_or_before_its_error() {
    for (plan, status, times) in [
        ("twice=1", 201, 2),
        ("500applied=1", 500, 1),
        ("502applied=1", 502, 1),
        ("500=1", 500, 0),
    ] {
        let client = faulty(plan);
        let answer = client
            .post(
                "/crm/objects/2026-09/deals",
                json!({"properties": {"dealname": "Faulty"}}),
            )
            .await;
        assert_eq!(answer.status, status, "{plan}");
        let truth = client.witness("objects/deals").await;
        assert_eq!(
            truth
                .iter()
                .filter(|deal| deal["properties"]["dealname"] == "Faulty")
                .count(),
            times,
            "{plan}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn slow_and_dripping_bodies_arrive_whole() {
    for (plan, seconds) in [("slow=1", 15), ("drip=1", 29)] {
        let client = faulty(plan);
        let before = tokio::time::Instant::now();
        let answer = client.get("/crm/owners/2026-09").await;
        assert_eq!(
            (answer.status, answer.str("/results/0/firstName")),
            (200, "Robin"),
            "{plan}"
        );
        assert_eq!(before.elapsed(), Duration::from_secs(seconds), "{plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_contact_is_forgotten_for_good_and_a_lifecycle_only_moves_forward() {
    let client = client(settings());
    let body = json!({"properties": {"email": "pip@example.com", "lifecyclestage": "customer"}});
    let id = client
        .post("/crm/objects/2026-09/contacts", body)
        .await
        .str("/id")
        .to_owned();
    let path = format!("/crm/objects/2026-09/contacts/{id}");
    let stage = |stage: &str| json!({"properties": {"lifecyclestage": stage}});
    let back = client.patch(&path, stage("lead")).await;
    assert_eq!((back.status, back.str("/properties/lifecyclestage")), (200, "customer"));
    client.patch(&path, stage("")).await;
    assert_eq!(
        client
            .patch(&path, stage("lead"))
            .await
            .str("/properties/lifecyclestage"),
        "lead"
    );
    client
        .post("/__portal/switches", json!({"switches": "lifecycle-400"}))
        .await;
    assert_eq!(client.patch(&path, stage("subscriber")).await.status, 400);
    let gone = client
        .post(
            "/crm/objects/2026-09/contacts/gdpr-delete",
            json!({"objectId": "pip@example.com", "idProperty": "email"}),
        )
        .await;
    assert_eq!(gone.status, 204);
    assert_eq!(client.get(&path).await.status, 404);
    assert_eq!(client.get(&format!("{path}?archived=true")).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn overlapping_writes_to_one_record_are_locked_out() {
    let client = client(Settings {
        switches: "locks".parse().unwrap(),
        latency: "200ms".parse().unwrap(),
        ..settings()
    });
    let id = client.new_deal("Crowded").await;
    let path = format!("/crm/objects/2026-09/deals/{id}");
    let write = || client.patch(&path, json!({"properties": {"amount": "5"}}));
    let (one, two) = tokio::join!(write(), write());
    assert_eq!((one.status, two.status), (200, 423));
    assert_eq!(write().await.status, 200, "the lock goes with the write");
}
