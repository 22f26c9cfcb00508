//! Segments counted: what every segment counts against the portal's truth, worked out here without the filter language;
//! and that nobody who looks waits for the counting.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test they stand in")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::{World, pass, small, test_size, until};
use dealdeck::{
    domain::{FaultKind, ObjectType, Segment, SegmentCount},
    filter::{self, Schema, Segments},
    portal,
    sync::{ContactQuery, Handle, SyncOptions},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// A segment of the tests with what it means, in plain words of the record.
struct Meant {
    name: &'static str,
    filter: &'static str,
    list: Option<&'static str>,
    means: fn(&Person<'_>) -> bool,
}

/// A contact as HubSpot has it.
struct Person<'a> {
    properties: &'a Value,
    now: Timestamp,
    lists: &'a BTreeMap<String, BTreeSet<String>>,
    id: &'a str,
}

impl Person<'_> {
    fn text(&self, name: &str) -> &str {
        self.properties[name].as_str().unwrap_or_default()
    }

    /// How long ago; never where the property is empty.
    fn ago(&self, name: &str) -> Option<SignedDuration> {
        let at: Timestamp = self.text(name).parse().ok()?;
        Some(self.now.duration_since(at))
    }

    fn is_in(&self, list: &str) -> bool {
        self.lists[list].contains(self.id)
    }
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// The shipped four, and others that are counted in other ways.
const MEANT: [Meant; 14] = [
    Meant {
        name: "engaged",
        filter: "",
        list: None,
        means: |person| person.ago("lastmodifieddate") < Some(days(30)),
    },
    Meant {
        name: "cold",
        filter: "",
        list: None,
        means: |person| person.ago("lastmodifieddate") >= Some(days(90)),
    },
    Meant {
        name: "high_value",
        filter: "",
        list: None,
        means: |person| ["customer", "evangelist", "opportunity"].contains(&person.text("lifecyclestage")),
    },
    Meant {
        name: "chainge",
        filter: "",
        list: None,
        means: |person| person.text("company").to_lowercase().contains("chainge"),
    },
    Meant {
        name: "no stage",
        filter: "lifecycle:none",
        list: None,
        means: |person| person.text("lifecyclestage").is_empty(),
    },
    Meant {
        name: "no customer lately",
        filter: "lifecycle!=customer updated<90d",
        list: None,
        means: |person| person.text("lifecyclestage") != "customer" && person.ago("lastmodifieddate") < Some(days(90)),
    },
    Meant {
        name: "lead or mail",
        filter: "lifecycle~lead or email~\"1@\"",
        list: None,
        means: |person| person.text("lifecyclestage").contains("lead") || person.text("email").contains("1@"),
    },
    Meant {
        name: "companies in a",
        filter: "company:a -company~inc",
        list: None,
        means: |person| {
            let company = person.text("company").to_lowercase();
            company.starts_with('a') && !company.contains("inc")
        },
    },
    Meant {
        name: "quiet",
        filter: "activity>=2w or activity:none",
        list: None,
        means: |person| person.ago("notes_last_updated").is_none_or(|ago| ago >= days(14)),
    },
    Meant {
        name: "old",
        filter: "created>365d",
        list: None,
        means: |person| person.ago("createdate") > Some(days(365)),
    },
    Meant {
        name: "unowned",
        filter: "owner:none phone!~1",
        list: None,
        means: |person| person.text("hubspot_owner_id").is_empty() && !person.text("phone").contains('1'),
    },
    Meant {
        name: "listed",
        filter: "",
        list: Some("LIST"),
        means: |person| person.is_in("LIST"),
    },
    Meant {
        name: "listed and engaged",
        filter: "updated < 30d",
        list: Some("LIST"),
        means: |person| person.is_in("LIST") && person.ago("lastmodifieddate") < Some(days(30)),
    },
    Meant {
        name: "in no list",
        filter: "list:none",
        list: None,
        means: |person| person.lists.values().all(|members| !members.contains(person.id)),
    },
];

/// Who is in which list, as HubSpot says over its API; `LIST` stands for the one with the most members.
async fn lists(world: &World) -> BTreeMap<String, BTreeSet<String>> {
    let ask = async |path: String| -> Value {
        let request = axum::http::Request::builder()
            .uri(path)
            .header("authorization", format!("Bearer {}", world.portal.token()))
            .body(axum::body::Body::empty())
            .unwrap();
        let answer = world.portal.router().oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    let mut all = BTreeMap::new();
    for list in world.reader().mirror.lists().unwrap() {
        let (mut members, mut after) = (BTreeSet::new(), String::new());
        loop {
            let page = ask(format!("/crm/v3/lists/{}/memberships?limit=250{after}", list.id)).await;
            let results = page["results"].as_array().unwrap();
            members.extend(
                results
                    .iter()
                    .map(|member| member["recordId"].as_str().unwrap().to_owned()),
            );
            match page["paging"]["next"]["after"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
            // The window of the portal's budget is shared with the client.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        all.insert(list.id.to_string(), members);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn every_segment_counts_what_the_portal_has() {
    let mut world = World::with(portal::Settings {
        contacts: 10_000 * test_size().min(6),
        companies: 500,
        latency: "5ms..20ms".parse().unwrap(),
        ..small()
    });
    // Generated contacts have a stage; some of these have none.
    let ids: Vec<String> = world.truth(ObjectType::Contacts).await.into_keys().take(7).collect();
    for id in &ids {
        world
            .edit(ObjectType::Contacts, id, json!({"lifecyclestage": ""}), "2")
            .await;
    }
    let (_engine, handle) = world.open();
    handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    let mut lists = lists(&world).await;
    let (largest, members) = lists.iter().max_by_key(|(_, members)| members.len()).unwrap();
    let (largest, members) = (largest.clone(), members.clone());
    assert!(members.len() > 10, "a list worth the name: {members:?}");
    lists.insert("LIST".into(), members);
    let shipped = Segment::defaults();
    world.settings.segments = MEANT
        .iter()
        .map(|meant| Segment {
            name: meant.name.into(),
            filter: shipped
                .iter()
                .find(|segment| segment.name == meant.name)
                .map_or_else(|| meant.filter.to_owned(), |segment| segment.filter.clone()),
            list: meant.list.map(|_| largest.as_str().into()),
        })
        .collect();
    let (_engine, handle) = world.open();
    let fresh = handle.segments().await.unwrap();
    assert!(
        fresh
            .iter()
            .all(|count| count.as_of.is_some() == shipped.contains(&count.segment)),
        "what was counted is known, the rest is not made up: {fresh:?}"
    );
    let counts = handle.count_segments().await.unwrap();
    let now = counts[0].as_of.unwrap();
    let truth = world.truth(ObjectType::Contacts).await;
    assert_eq!(truth.len(), 10_000 * test_size().min(6) as usize);
    for (meant, count) in MEANT.iter().zip(&counts) {
        let is_meant = |(id, record): &(&String, &Value)| {
            (meant.means)(&Person {
                properties: &record["properties"],
                now,
                lists: &lists,
                id,
            })
        };
        let expected = truth.iter().filter(is_meant).count() as u64;
        assert_eq!(count.count, expected, "{}: {}", meant.name, count.segment.filter);
        assert!(expected > 0, "{} means nobody here", meant.name);
        assert_eq!(count.as_of, Some(now));
    }
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn counts_follow_changes_and_ages_and_are_there_at_once_at_the_next_start() {
    let mut world = World::new();
    world.settings.segments.push(Segment {
        name: "fresh".into(),
        filter: "updated < 1h".into(),
        list: None,
    });
    let running = world.start_synced().await;
    let count = async |name: &str| {
        let counts = running.handle.segments().await.unwrap();
        counts.into_iter().find(|count| count.segment.name == name).unwrap()
    };
    pass(60).await;
    let before = count("chainge").await.count;
    let id = world.truth(ObjectType::Contacts).await.into_keys().next().unwrap();
    world
        .edit(ObjectType::Contacts, &id, json!({"company": "Chainge of Hearts"}), "2")
        .await;
    until("the change is counted", Duration::from_secs(180), async || {
        count("chainge").await.count == before + 1
    })
    .await;
    assert!(count("fresh").await.count > 0);
    // Nobody changes anything, and nobody can be asked: who was fresh is not any more.
    world.cut(true);
    pass(90 * 60).await;
    let later = count("fresh").await;
    assert_eq!(later.count, 0, "{later:?}");
    running.stop().await;
    let (_engine, next) = world.open();
    let counts = next.segments().await.unwrap();
    assert_eq!(counts.len(), 5);
    assert_eq!((counts[4].count, counts[4].as_of), (0, later.as_of), "{counts:?}");
    world.end().await;
}

fn segment(name: &str, filter: &str) -> Segment {
    Segment {
        name: name.into(),
        filter: filter.into(),
        list: None,
    }
}

async fn sync(handle: &Handle) -> dealdeck::domain::SyncReport {
    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(report.complete && report.errors.is_empty(), "{report:?}");
    report
}

async fn counted(handle: &Handle, name: &str) -> SegmentCount {
    let counts = handle.count_segments().await.unwrap();
    counts.into_iter().find(|count| count.segment.name == name).unwrap()
}

/// How many contacts have this text in this property.
async fn true_count(world: &World, property: &str, text: &str) -> u64 {
    let truth = world.truth(ObjectType::Contacts).await;
    let has = |record: &&Value| record["properties"][property].as_str().unwrap_or_default() == text;
    truth.values().filter(has).count() as u64
}

/// How many pages of the list of a type were asked for; of what is archived every pass asks for one.
fn listed(world: &World, object: &str) -> usize {
    let path = format!("GET /crm/objects/2026-09/{object}");
    let archived = world.asked_all(&[&path, "archived=true"]);
    world.sent(&path) - archived
}

/// A city in which some contacts live.
async fn city(world: &World) -> String {
    let truth = world.truth(ObjectType::Contacts).await;
    let first = truth.values().next().unwrap();
    first["properties"]["city"].as_str().unwrap().to_owned()
}

/// A process that has this segment beside the shipped ones.
fn open_with(world: &mut World, name: &str, filter: &str) -> Handle {
    world.settings.segments = Segment::defaults();
    world.settings.segments.push(segment(name, filter));
    world.open().1
}

#[tokio::test(start_paused = true)]
async fn lead_status_is_read() {
    let mut world = World::new();
    world.settings.segments = vec![segment("new", "status:new"), segment("none", "status:none")];
    let (_engine, handle) = world.open();
    let report = sync(&handle).await;
    let (new, none) = (
        true_count(&world, "hs_lead_status", "NEW").await,
        true_count(&world, "hs_lead_status", "").await,
    );
    assert!(new > 0 && none > 0 && none < 60, "{new} and {none}");
    assert_eq!(report.by_segment["new"], Some(new));
    assert_eq!(report.by_segment["none"], Some(none));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_property_that_a_new_segment_asks_for_is_read_of_every_contact() {
    let mut world = World::new();
    let (_engine, handle) = world.open();
    sync(&handle).await;
    let city = city(&world).await;
    let filter = format!("city=\"{city}\"");

    // Nobody has read it yet, and nothing is made up.
    let handle = open_with(&mut world, "here", &filter);
    let count = counted(&handle, "here").await;
    let obstacle = count.obstacle.unwrap();
    assert_eq!((count.as_of, obstacle.kind), (None, FaultKind::Refused));
    assert!(
        obstacle.what.contains("'city' was not read of every contact"),
        "{obstacle}"
    );
    let definitions = handle.definitions(ObjectType::Contacts).await.unwrap();
    for text in [filter.as_str(), "-segment:here", "segment:none"] {
        let schema = Schema::Contacts(&definitions, Segments::Of(&world.settings.segments));
        let query = ContactQuery {
            filter: Some(filter::parse(text, schema).unwrap()),
            ..ContactQuery::default()
        };
        let fault = handle.list_contacts(query).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused, "{text}: {fault}");
    }
    let everybody = handle.list_contact_details(ContactQuery::default()).await.unwrap();
    assert!(
        everybody
            .rows
            .iter()
            .all(|row| !row.segments.contains(&"here".to_owned()))
    );

    let report = sync(&handle).await;
    let expected = true_count(&world, "city", &city).await;
    assert!(expected > 0 && expected < 60, "{expected}");
    assert_eq!(report.by_segment["here"], Some(expected));
    let count = counted(&handle, "here").await;
    assert_eq!((count.count, count.obstacle), (expected, None));
    let deals = report.objects[&ObjectType::Deals];
    assert_eq!(deals.fetched, 0, "only contacts are read again");

    // Once.
    let (before, requests) = (listed(&world, ""), world.requests());
    sync(&handle).await;
    let plain = world.requests() - requests;
    assert_eq!(listed(&world, ""), before, "nothing is listed again");
    let (_engine, handle) = world.open();
    let requests = world.requests();
    sync(&handle).await;
    assert_eq!(world.requests() - requests, plain);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_dashboard_reads_it_too() {
    let mut world = World::new();
    let running = world.start_synced().await;
    running.stop().await;
    let city = city(&world).await;
    world
        .settings
        .segments
        .push(segment("here", &format!("city=\"{city}\"")));
    let expected = true_count(&world, "city", &city).await;
    let running = world.start();
    until("the count", Duration::from_secs(120), async || {
        let counts = running.handle.segments().await.unwrap();
        let here = counts.iter().find(|count| count.segment.name == "here").unwrap();
        here.as_of.is_some() && here.count == expected
    })
    .await;
    // Nobody is read whole a second time.
    let before = listed(&world, "contacts");
    pass(150).await;
    assert_eq!(listed(&world, "contacts"), before);
    running.stop().await;
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_not_read_for_a_while_is_read_again() {
    let mut world = World::new();
    let city = city(&world).await;
    let filter = format!("city=\"{city}\"");
    let handle = open_with(&mut world, "here", &filter);
    sync(&handle).await;
    let expected = counted(&handle, "here").await.count;
    world.settings.segments = Segment::defaults();
    let (_engine, handle) = world.open();
    let before = listed(&world, "contacts");
    sync(&handle).await;
    assert_eq!(
        listed(&world, "contacts"),
        before,
        "what is not asked for any more is no reason to read"
    );
    // Somebody moves, and nobody here asks where to.
    let truth = world.truth(ObjectType::Contacts).await;
    let lives_here = |(_, record): &(&String, &Value)| record["properties"]["city"] == json!(city);
    let id = truth.iter().find(lives_here).unwrap().0.clone();
    world
        .edit(ObjectType::Contacts, &id, json!({"city": "Elsewhere"}), "2")
        .await;
    pass(60).await;
    sync(&handle).await;
    let handle = open_with(&mut world, "here", &filter);
    sync(&handle).await;
    assert_eq!(counted(&handle, "here").await.count, expected - 1);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn pages_that_were_read_without_it_are_read_again() {
    let mut world = World::with(portal::Settings {
        contacts: 450,
        ..small()
    });
    let city = city(&world).await;
    let (_engine, handle) = world.open();
    let options = SyncOptions {
        max: Some(200),
        ..SyncOptions::default()
    };
    handle.sync_once(options, |_| {}).await.unwrap();
    let handle = open_with(&mut world, "here", &format!("city=\"{city}\""));
    let report = sync(&handle).await;
    assert_eq!(report.by_segment["here"], Some(true_count(&world, "city", &city).await));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_property_that_is_new_in_hubspot_is_counted_by_the_next_pass() {
    let mut world = World::new();
    let (_engine, handle) = world.open();
    sync(&handle).await;
    let request = axum::http::Request::post("/crm/properties/2026-09/contacts")
        .header("authorization", format!("Bearer {}", world.portal.token()))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(
            json!({"name": "seats", "label": "Seats", "type": "number", "fieldType": "number",
                "groupName": "contactinformation"})
            .to_string(),
        ))
        .unwrap();
    let answer = world.portal.router().oneshot(request).await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    for (id, seats) in world
        .truth(ObjectType::Contacts)
        .await
        .into_keys()
        .zip(["5", "50", "500"])
    {
        world
            .edit(ObjectType::Contacts, &id, json!({"seats": seats}), "2")
            .await;
    }
    let handle = open_with(&mut world, "large", "seats >= 50");
    let report = sync(&handle).await;
    assert_eq!(report.by_segment["large"], Some(2));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_slip_in_a_segment_is_told_and_costs_no_second_reading() {
    let mut world = World::new();
    world.settings.properties = [(ObjectType::Contacts, vec!["hs_nothing".to_owned()])].into();
    let handle = open_with(&mut world, "slip", "lifecycle:lead citty:paris");
    assert!(
        counted(&handle, "slip")
            .await
            .obstacle
            .unwrap()
            .what
            .contains("not known yet"),
        "before anything is read, nobody can tell"
    );
    sync(&handle).await;
    let before = listed(&world, "contacts");
    let report = sync(&handle).await;
    assert_eq!(report.by_segment["slip"], None);
    assert!(report.by_segment["engaged"].is_some());
    let told: Vec<String> = report.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the filter of the segment 'slip' cannot be read: column 16: no field or property is called 'citty'; the nearest \
             ones are 'city', 'activity' and 'country'; mend it in the configuration",
            "HubSpot has no property 'hs_nothing' of contacts; mend 'mirror.contact_properties' in the configuration",
        ]
    );
    assert_eq!(
        counted(&handle, "slip").await.obstacle.map(|fault| fault.kind),
        Some(FaultKind::Usage)
    );
    assert_eq!(listed(&world, "contacts"), before);
    world.end().await;
}

/// Everything but what contacts need.
const DEALS_ONLY: [&str; 6] = [
    "oauth",
    "crm.objects.deals.read",
    "crm.objects.companies.read",
    "crm.objects.owners.read",
    "crm.objects.tickets.read",
    "crm.lists.read",
];
const ALL: [&str; 7] = [
    "oauth",
    "crm.objects.deals.read",
    "crm.objects.companies.read",
    "crm.objects.owners.read",
    "crm.objects.tickets.read",
    "crm.lists.read",
    "crm.objects.contacts.read",
];

/// Deals, companies and tickets are linked to the contacts they have in HubSpot.
async fn assert_linked(world: &World) {
    world.assert_mirrored().await;
    for object in [ObjectType::Deals, ObjectType::Companies, ObjectType::Tickets] {
        let records = world.mirror(object);
        assert!(
            records
                .iter()
                .all(|record| record.associations.contains_key(&ObjectType::Contacts)),
            "{object}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn links_appear_when_a_scope_is_granted_later() {
    for dashboard in [true, false] {
        let world = World::new();
        world.grant(&DEALS_ONLY);
        let (_engine, handle) = world.open();
        handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
        let deals = world.mirror(ObjectType::Deals);
        assert!(
            deals
                .iter()
                .all(|deal| !deal.associations.contains_key(&ObjectType::Contacts))
        );
        let linked = deals.iter().map(|deal| &deal.associations[&ObjectType::Companies]);
        assert!(linked.flatten().count() > 0);
        world.grant(&ALL);
        if dashboard {
            let running = world.start();
            until("the links", Duration::from_secs(180), async || {
                let deals = world.mirror(ObjectType::Deals);
                deals.iter().any(|deal| {
                    deal.associations
                        .get(&ObjectType::Contacts)
                        .is_some_and(|ids| !ids.is_empty())
                })
            })
            .await;
            pass(130).await;
            assert_linked(&world).await;
            let board = running.handle.board().await.unwrap();
            assert!(board.deals.iter().any(|deal| !deal.contacts.is_empty()));
            assert!(board.activity.is_empty(), "nobody did anything: {:?}", board.activity);
            let before = listed(&world, "deals");
            pass(150).await;
            assert_eq!(listed(&world, "deals"), before);
            running.stop().await;
        } else {
            sync(&handle).await;
            assert_linked(&world).await;
            let before = listed(&world, "");
            sync(&handle).await;
            assert_eq!(listed(&world, ""), before);
        }
        world.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_is_not_there_is_no_reason_to_read_again() {
    let world = World::new();
    world.grant(&DEALS_ONLY);
    let (_engine, handle) = world.open();
    handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    let before = listed(&world, "");
    handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert_eq!(listed(&world, ""), before);
    world.end().await;
}
