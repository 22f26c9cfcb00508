//! The mirror at a million contacts: what loading them costs, how large the file is, and how long what a key asks for takes.
//!
//! `cargo bench --bench store` (`-- 100000` for another number). Prints each figure with its goal beside it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, measures the machine, and stops where it cannot go on"
)]

use std::time::{Duration, Instant};

use dealdeck::{
    domain::{ObjectType, Record, RecordRef},
    store::{Put, Query, Reader, Settings, Sort, SortKey, Store, Via},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const FIRST: [&str; 8] = ["Ada", "Bo", "Chidi", "Dörte", "Eun-ji", "Farouk", "Greta", "Hye"];
const LAST: [&str; 8] = [
    "Quill",
    "Marsh",
    "Okafor",
    "Lindqvist",
    "Park",
    "Haddad",
    "Vogel",
    "Nakamura",
];
const STAGES: [&str; 5] = ["subscriber", "lead", "opportunity", "customer", "evangelist"];

/// A contact as a page brings it: thirteen properties, about what the simulated portal makes.
fn contact(nth: u64, dice: &mut ChaCha8Rng) -> Record {
    let (first, last) = (FIRST[dice.random_range(0..8)], LAST[dice.random_range(0..8)]);
    let created = 1_700_000_000_000 + i64::try_from(nth).unwrap() * 60_000;
    let updated = created + dice.random_range(0..200 * 86_400_000);
    let time = |millis| jiff::Timestamp::from_millisecond(millis).unwrap();
    let company = dice.random_range(0..20_000);
    let some = |name: &str, value: String| (name.to_owned(), Some(value));
    let none = |name: &str| (name.to_owned(), None);
    Record {
        object: ObjectType::Contacts,
        id: (27_000_000_000 + nth * 8 + dice.random_range(0..8)).to_string(),
        properties: [
            some("firstname", first.to_owned()),
            some("lastname", last.to_owned()),
            some(
                "email",
                format!("{first}.{last}.{nth}@company-{company}.example").to_lowercase(),
            ),
            some("company", format!("Company Number {company}")),
            some("phone", format!("+1-555-{:04}", nth % 10_000)),
            some("jobtitle", "Head of Purchasing".to_owned()),
            some("lifecyclestage", STAGES[dice.random_range(0..5)].to_owned()),
            some("hubspot_owner_id", "41629714".to_owned()),
            some("createdate", time(created).to_string()),
            some("lastmodifieddate", time(updated).to_string()),
            none("notes_last_updated"),
            none("hs_merged_object_ids"),
        ]
        .into(),
        created_at: time(created),
        updated_at: time(updated),
        archived: false,
        associations: std::collections::BTreeMap::new(),
        history: std::collections::BTreeMap::new(),
    }
}

/// Median and 99th percentile of so many runs.
fn measure(name: &str, goal: &str, runs: u32, mut work: impl FnMut(u32)) {
    let mut times: Vec<Duration> = (0..runs)
        .map(|nth| {
            let begun = Instant::now();
            work(nth);
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0;
    println!("{name:<44} p50 {:8.3} ms   p99 {:8.3} ms   goal {goal}", at(50), at(99));
}

fn load(store: &mut Store, count: u64) {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    store.mirror.relist_begin(ObjectType::Contacts).unwrap();
    let (mut writing, mut nth) = (Duration::ZERO, 0);
    while nth < count {
        let page: Vec<Record> = (nth..(nth + 100).min(count))
            .map(|nth| contact(nth, &mut dice))
            .collect();
        nth += page.len() as u64;
        let begun = Instant::now();
        store
            .mirror
            .put(ObjectType::Contacts, &page, Put::via(Via::List))
            .unwrap();
        writing += begun.elapsed();
    }
    let begun = Instant::now();
    let mut longest = Duration::ZERO;
    loop {
        let step = Instant::now();
        let more = store.mirror.settle_load(ObjectType::Contacts).unwrap();
        longest = longest.max(step.elapsed());
        if !more {
            break;
        }
    }
    let settling = begun.elapsed();
    store.mirror.relist_end(ObjectType::Contacts).unwrap();
    let per = |time: Duration| time.as_secs_f64() * 1_000.0 / (count as f64 / 1_000.0);
    println!(
        "{:<44} {:8.1} ms per 1,000 rows              goal 30 with the network's part",
        "first load: rows",
        per(writing)
    );
    println!(
        "{:<44} {:8.1} ms per 1,000 rows, longest step {:.0} ms",
        "first load: indexes and words",
        per(settling),
        longest.as_secs_f64() * 1_000.0
    );
}

fn main() {
    let count: u64 = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .next_back()
        .unwrap_or(1_000_000);
    let dir = tempfile::tempdir().unwrap();
    let place = Settings {
        dir: dir.path().to_owned(),
    };
    let mut store = Store::open(&place).unwrap().store;
    println!("{count} contacts");
    load(&mut store, count);
    let reader = Reader::open(&place).unwrap();
    let size = std::fs::metadata(dir.path().join("mirror.db")).unwrap().len();
    println!(
        "{:<44} {:8} bytes per contact                goal 700",
        "file",
        size / count
    );
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let ids: Vec<String> = (0..1_000).map(|nth| contact(nth, &mut dice).id).collect();
    measure("a contact by its id", "5 ms", 2_000, |nth| {
        let reference = RecordRef::new(ObjectType::Contacts, ids[nth as usize % ids.len()].as_str());
        assert!(reader.mirror.record(&reference).unwrap().is_some());
    });
    for (name, key) in [
        ("a page of 60 by name", SortKey::Name),
        ("a page of 60 by last change", SortKey::Updated),
        ("a page of 60 by e-mail", SortKey::Email),
    ] {
        let mut after = None;
        measure(name, "5 ms", 500, |_| {
            let query = Query {
                sort: Sort { key, descending: true },
                limit: 60,
                after: after.take(),
                ..Query::default()
            };
            let page = reader.mirror.page(ObjectType::Contacts, &query).unwrap();
            assert_eq!(page.rows.len(), 60);
            after = page.next_after;
        });
    }
    for words in ["gre", "greta vo", "company-777", "ada quill number 12"] {
        measure(
            &format!("finding '{words}' while typing, 50 of them"),
            "5 ms",
            300,
            |_| {
                reader.mirror.find(ObjectType::Contacts, words, 50).unwrap();
            },
        );
    }
    let page: Vec<Record> = (0..100)
        .map(|nth| Record {
            updated_at: jiff::Timestamp::from_millisecond(1_800_000_000_000 + nth).unwrap(),
            ..contact(u64::try_from(nth).unwrap() * 7, &mut dice)
        })
        .collect();
    measure("a page of 100 changes, indexes and words kept", "8 ms", 50, |nth| {
        let at = 1_800_000_000_000 + i64::from(nth) * 1_000;
        let page: Vec<Record> = page
            .iter()
            .map(|record| {
                let mut record = record.clone();
                record.updated_at = jiff::Timestamp::from_millisecond(at).unwrap();
                record
                    .properties
                    .insert("firstname".to_owned(), Some(format!("Changed {nth}")));
                record
            })
            .collect();
        store
            .mirror
            .put(ObjectType::Contacts, &page, Put::via(Via::Search))
            .unwrap();
    });
}
