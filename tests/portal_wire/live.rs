//! Colleagues: their edits arrive by themselves, on open deals, under their own names.

use std::time::Duration;

use dealdeck::portal::Settings;
use serde_json::Value;

use crate::harness::{Client, client, settings};

async fn run(seed: u64) -> (Client, Vec<Value>) {
    let client = client(Settings {
        seed,
        live_per_minute: 6.0,
        ..settings()
    });
    let before = client.witness("objects/deals").await;
    client.portal.start_live();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let after = client.witness("objects/deals").await;
    let changed = after.into_iter().filter(|deal| !before.contains(deal)).collect();
    (client, changed)
}

#[tokio::test(start_paused = true)]
async fn colleagues_edit_open_deals_under_their_own_names() {
    let (client, changed) = run(5).await;
    assert!(
        changed.len() > 15,
        "{} deals changed in ten minutes at six edits a minute",
        changed.len()
    );
    let me = client.get("/crm/owners/2026-09").await.body["results"][0]["userId"].clone();
    let mut names = std::collections::BTreeSet::new();
    for deal in &changed {
        for (name, history) in deal["history"].as_object().unwrap() {
            let newest = &history[0];
            if newest["timestamp"].as_str().unwrap() > "2026-11-22T12:00:00" {
                assert_eq!(newest["sourceType"], "CRM_UI");
                assert_ne!(newest["updatedByUserId"], me);
                names.insert(name.clone());
            }
        }
        assert!(deal["properties"]["hs_lastmodifieddate"].as_str().unwrap() > "2026-11-22T12:00:00");
    }
    for name in ["dealstage", "amount", "closedate"] {
        assert!(names.contains(name), "{name} was edited");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_edits() {
    assert_eq!(run(5).await.1, run(5).await.1);
}
