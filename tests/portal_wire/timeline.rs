//! The timeline of a generated deal: calls, e-mails and meetings beside its notes, as HubSpot would have kept them.

use std::collections::{BTreeMap, BTreeSet};

use dealdeck::portal::Settings;
use serde_json::{Value, json};

use crate::harness::{client, settings};

const TOLD: [&str; 4] = ["notes", "calls", "emails", "meetings"];

fn text<'a>(row: &'a Value, name: &str) -> Option<&'a str> {
    row["properties"][name].as_str()
}

fn at(row: &Value, name: &str) -> Option<jiff::Timestamp> {
    text(row, name).map(|text| text.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_activities_of_a_deal_are_its_own_and_its_newest_one_is_its_last() {
    let client = client(Settings {
        deals: 300,
        ..settings()
    });
    let deals = client.witness("objects/deals").await;
    let mut of_deal: BTreeMap<String, Vec<(&str, Value)>> = BTreeMap::new();
    for kind in TOLD.into_iter().chain(["tasks"]) {
        let rows = client.witness(&format!("objects/{kind}")).await;
        assert!(rows.len() > 20, "{} {kind} of 300 deals", rows.len());
        for row in rows {
            let deals = row["associations"]["deals"].as_array().unwrap();
            assert_eq!(deals.len(), 1, "{row}");
            let deal = deals[0].as_str().unwrap().to_owned();
            of_deal.entry(deal).or_default().push((kind, row));
        }
    }
    let mut most = 0;
    for deal in &deals {
        let none = Vec::new();
        let all = of_deal.get(deal["id"].as_str().unwrap()).unwrap_or(&none);
        assert_eq!(text(deal, "num_notes"), Some(all.len().to_string().as_str()), "{deal}");
        let people = deal["associations"]["contacts"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        for (kind, row) in all.iter().filter(|(kind, _)| *kind != "tasks") {
            assert_eq!(
                row["properties"].get("hubspot_owner_id"),
                deal["properties"].get("hubspot_owner_id")
            );
            assert!(at(row, "hs_timestamp") >= at(deal, "createdate"), "{row}");
            let with = row["associations"]["contacts"]
                .as_array()
                .map_or(&[][..], Vec::as_slice);
            assert_eq!(with.len(), people.len().min(1), "{kind} {row}");
            assert!(with.iter().all(|one| people.contains(one)), "{kind} {row}");
        }
        let newest = |kinds: &[&str]| {
            let rows = all.iter().filter(|(kind, _)| kinds.contains(kind));
            rows.filter_map(|(_, row)| at(row, "hs_timestamp")).max()
        };
        assert_eq!(at(deal, "notes_last_updated"), newest(&TOLD), "{deal}");
        assert_eq!(at(deal, "notes_last_contacted"), newest(&TOLD[1..]), "{deal}");
        most = most.max(all.len());
    }
    assert!((6..=16).contains(&most), "at most {most} activities of one deal");
    let contacts = client.witness("objects/contacts").await;
    for contact in contacts
        .iter()
        .filter(|contact| contact["associations"]["calls"].is_array())
    {
        let last = at(contact, "notes_last_updated").unwrap();
        assert!(
            deals.iter().any(|deal| at(deal, "notes_last_updated") == Some(last)),
            "{contact}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn generated_activities_hold_what_hubspot_would_accept() {
    let client = client(Settings {
        deals: 300,
        ..settings()
    });
    for (kind, chosen, told) in [
        (
            "calls",
            &["hs_call_direction", "hs_call_status"][..],
            &["hs_call_title", "hs_call_body"][..],
        ),
        (
            "emails",
            &["hs_email_direction", "hs_email_status"],
            &["hs_email_subject", "hs_email_text", "hs_email_html"],
        ),
        (
            "meetings",
            &["hs_meeting_outcome"],
            &["hs_meeting_title", "hs_meeting_body"],
        ),
    ] {
        let rows = client.witness(&format!("objects/{kind}")).await;
        for row in &rows {
            assert!(at(row, "hs_timestamp").unwrap() <= crate::harness::NOON.parse().unwrap());
            assert_eq!(at(row, "hs_createdate"), at(row, "hs_timestamp"));
        }
        for name in chosen {
            let definition = client.get(&format!("/crm/properties/2026-09/{kind}/{name}")).await;
            let options = definition.body["options"].as_array().unwrap().iter();
            let options: BTreeSet<&str> = options.map(|option| option["value"].as_str().unwrap()).collect();
            let used: BTreeSet<&str> = rows.iter().map(|row| text(row, name).unwrap()).collect();
            assert!(used.is_subset(&options), "{name}: {used:?}");
            assert!(used.len() > 1 || *name == "hs_email_status", "{name}: {used:?}");
        }
        for name in told {
            let used: BTreeSet<&str> = rows.iter().filter_map(|row| text(row, name)).collect();
            assert!(used.len() > 3, "{name}: {used:?}");
        }
    }
    for call in client.witness("objects/calls").await {
        let reached = text(&call, "hs_call_status") == Some("COMPLETED");
        let duration: u64 = text(&call, "hs_call_duration").unwrap().parse().unwrap();
        assert_eq!(duration > 0, reached, "{call}");
        assert_eq!(text(&call, "hs_call_disposition").is_some(), reached);
    }
    for meeting in client.witness("objects/meetings").await {
        let (start, end) = (
            at(&meeting, "hs_meeting_start_time").unwrap(),
            at(&meeting, "hs_meeting_end_time").unwrap(),
        );
        assert_eq!(Some(start), at(&meeting, "hs_timestamp"));
        assert!((30..=60).contains(&(end.as_second() - start.as_second()).div_euclid(60)));
        assert!(end <= crate::harness::NOON.parse().unwrap(), "{meeting}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_activity_logged_by_hand_counts_and_moves_the_dates() {
    let client = client(settings());
    let deal = client.new_deal("Gyroscopes").await;
    tokio::time::advance(std::time::Duration::from_hours(1)).await;
    let call = json!({"type": "calls", "properties": {"hs_timestamp": "2026-11-22T12:40:00Z", "hs_call_title": "Hello"},
        "associations": {"deals": [deal]}});
    assert_eq!(client.post("/__portal/create", call).await.status, 200);
    let names = "num_notes,notes_last_updated";
    let read = client
        .get(&format!("/crm/objects/2026-09/deals/{deal}?properties={names}"))
        .await;
    assert_eq!(read.str("/properties/num_notes"), "1");
    assert_eq!(read.str("/properties/notes_last_updated"), "2026-11-22T12:40:00Z");
    assert_eq!(read.str("/updatedAt"), "2026-11-22T13:00:00Z");
}
