//! Segments counted: what every segment counts against the portal's truth, worked out here without the filter language;
//! and that nobody who looks waits for the counting.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::{World, pass, small, test_size, until};
use dealdeck::{
    domain::{ObjectType, Segment},
    portal,
    sync::SyncOptions,
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
#[expect(clippy::unwrap_used, reason = "a test says what it expected by panicking")]
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
