//! What one pass of the engine did.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{Column, FaultJson, Format, Names, Sheet, fault_json, json, limits::seconds};
use crate::domain::{LastSync, ObjectCount, ObjectType, PushCount, SyncReport, format};

/// A pass for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct SyncJson {
    /// Everything that was asked for is in the mirror.
    pub complete: bool,
    /// Per object type.
    pub objects: BTreeMap<&'static str, ObjectJson>,
    /// Requests sent.
    pub requests: u64,
    /// Answers that said 429.
    pub rate_limited: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Time spent waiting for slots, all requests together.
    pub waited_seconds: f64,
    /// How long it took.
    pub duration_seconds: f64,
    /// Contacts per segment afterwards; null where it cannot be counted.
    pub by_segment: BTreeMap<String, Option<u64>>,
    /// What became of the outbox.
    pub pushed: PushedJson,
    /// What went wrong.
    pub errors: Vec<FaultJson>,
    /// What the token or the account does not let be read, and nothing else needs; what the configuration names and HubSpot
    /// does not have.
    pub left_out: Vec<FaultJson>,
}

/// Records of one type for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectJson {
    /// Records read.
    pub fetched: u64,
    /// Pages read.
    pub pages: u64,
    /// Records found to be gone.
    pub deleted: u64,
}

/// Operations by where they ended, for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct PushedJson {
    /// Landed or done.
    pub done: u64,
    /// Held.
    pub held: u64,
    /// In conflict.
    pub conflict: u64,
    /// Dead.
    pub dead: u64,
    /// Of unknown outcome.
    pub uncertain: u64,
}

/// The JSON of a pass that ended at `now`.
#[must_use]
pub fn sync_json(report: &SyncReport, now: Timestamp) -> SyncJson {
    let PushCount {
        done,
        held,
        conflict,
        dead,
        uncertain,
    } = report.pushed;
    let object = |count: &ObjectCount| {
        let ObjectCount {
            fetched,
            pages,
            deleted,
        } = *count;
        ObjectJson {
            fetched,
            pages,
            deleted,
        }
    };
    SyncJson {
        complete: report.complete,
        objects: report
            .objects
            .iter()
            .map(|(kind, count)| (kind.name(), object(count)))
            .collect(),
        requests: report.requests,
        rate_limited: report.rate_limited,
        retries: report.retries,
        waited_seconds: seconds(report.waited),
        duration_seconds: seconds(report.duration),
        by_segment: report.by_segment.clone(),
        pushed: PushedJson {
            done,
            held,
            conflict,
            dead,
            uncertain,
        },
        errors: report.errors.iter().map(|fault| fault_json(fault, now)).collect(),
        left_out: report.left_out.iter().map(|fault| fault_json(fault, now)).collect(),
    }
}

/// A pass in any format; CSV has one row per object type, table and markdown add the rest in sentences.
///
/// # Errors
/// As [`super::compact`].
pub fn sync(report: &SyncReport, now: Timestamp, format: Format) -> serde_json::Result<String> {
    Ok(match format {
        Format::Json | Format::Jsonl => json::compact(&sync_json(report, now))? + "\n",
        Format::Csv => objects(report).csv(),
        Format::Markdown => objects(report).markdown() + "\n" + &sentences(report),
        Format::Table => objects(report).table() + "\n" + &sentences(report),
    })
}

/// The last pass for scripts: the pass itself, and what callers of a contact sync expect.
#[derive(Clone, Debug, Serialize)]
pub struct StatsJson {
    /// The pass.
    #[serde(flatten)]
    pub sync: SyncJson,
    /// Contacts it read.
    pub total_synced: u64,
    /// Pages of contacts it read.
    pub total_pages: u64,
    /// When it ended.
    pub timestamp: Timestamp,
}

/// The JSON of the last pass, written at `now`.
#[must_use]
pub fn stats_json(last: &LastSync, now: Timestamp) -> StatsJson {
    let contacts = last
        .report
        .objects
        .get(&ObjectType::Contacts)
        .copied()
        .unwrap_or_default();
    StatsJson {
        sync: sync_json(&last.report, now),
        total_synced: contacts.fetched,
        total_pages: contacts.pages,
        timestamp: last.at,
    }
}

/// The last pass in any format.
///
/// # Errors
/// As [`super::compact`].
pub fn stats(last: &LastSync, names: &Names<'_>, now: Timestamp, format: Format) -> serde_json::Result<String> {
    let ended = format!("the last sync ended {}", names.minute(last.at));
    Ok(match format {
        Format::Json | Format::Jsonl => json::compact(&stats_json(last, now))? + "\n",
        Format::Csv => sync(&last.report, now, format)?,
        Format::Table | Format::Markdown => format!("{ended}\n\n{}", sync(&last.report, now, format)?),
    })
}

fn objects(report: &SyncReport) -> Sheet {
    let row = |(kind, count): (&crate::domain::ObjectType, &ObjectCount)| {
        let numbers = [count.fetched, count.pages, count.deleted].map(|number| number.to_string());
        std::iter::once(kind.name().to_owned()).chain(numbers).collect()
    };
    Sheet {
        columns: vec![
            Column::text("object"),
            Column::number("fetched"),
            Column::number("pages"),
            Column::number("deleted"),
        ],
        rows: report.objects.iter().map(row).collect(),
    }
}

/// A list like `3 done, 1 held`, without the zeros.
fn list<'a>(counts: impl IntoIterator<Item = (&'a str, u64)>) -> Option<String> {
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(word, number)| format!("{} {word}", format::count(number)))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn sentences(report: &SyncReport) -> String {
    let pushed = &report.pushed;
    let complete = if report.complete { "complete" } else { "not complete" };
    let mut lines = vec![format!(
        "{complete}: {} in {} s, {} s waited, {} answered 429, {} sent again",
        format::plural(report.requests, "request", "requests"),
        seconds(report.duration),
        seconds(report.waited),
        format::count(report.rate_limited),
        format::count(report.retries),
    )];
    let outbox = list([
        ("done", pushed.done),
        ("held", pushed.held),
        ("in conflict", pushed.conflict),
        ("dead", pushed.dead),
        ("of unknown outcome", pushed.uncertain),
    ]);
    lines.extend(outbox.map(|list| format!("outbox: {list}")));
    let counted = report
        .by_segment
        .iter()
        .filter_map(|(name, number)| Some((name.as_str(), (*number)?)));
    let segments = list(counted);
    lines.extend(segments.map(|list| format!("segments: {list}")));
    lines.extend(
        report
            .errors
            .iter()
            .map(|fault| crate::domain::safe(&fault.to_string()).into_owned()),
    );
    lines.join("\n") + "\n"
}
