//! Both budgets, and who used them.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use super::{Column, Format, Names, Sheet, json};
use crate::domain::{Gauge, Lane, Limits, format};

/// The budgets for scripts; utilisation is used ÷ capacity, 0 to 1.
#[derive(Clone, Debug, Serialize)]
pub struct LimitsJson {
    /// The rolling window.
    pub burst: WindowJson,
    /// The day; null until HubSpot has said it.
    pub daily: Option<DayJson>,
    /// The search quota.
    pub search: WindowJson,
    /// Since when somebody else is seen to use the same windows; null while we are alone.
    pub shared_since: Option<Timestamp>,
    /// So little of the day is left that background work waits.
    pub daily_low: bool,
    /// Since when all that follows is counted, for every process of the data directory: midnight of the account.
    pub counted_since: Option<Timestamp>,
    /// Requests sent.
    pub total_requests: u64,
    /// Time requests waited for a slot, all together.
    pub total_wait_seconds: f64,
    /// Requests in the last sixty seconds.
    pub requests_per_minute: u64,
    /// Answers that said 429.
    pub rate_limited: u64,
    /// Requests sent again.
    pub retries: u64,
    /// `write`, `read`, `verify`, `sync`
    pub lanes: BTreeMap<&'static str, LaneJson>,
}

/// A rolling window for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct WindowJson {
    /// Requests it allows.
    pub capacity: u64,
    /// Requests left.
    pub left: u64,
    /// Its length.
    pub window_seconds: f64,
    /// 0 to 1.
    pub utilisation: f64,
}

/// The day for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct DayJson {
    /// Requests it allows.
    pub capacity: u64,
    /// Requests left.
    pub left: u64,
    /// 0 to 1.
    pub utilisation: f64,
    /// When it is full again.
    pub resets_at: Option<Timestamp>,
}

/// A lane for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct LaneJson {
    /// Requests of this process on the wire.
    pub active: u32,
    /// Requests of this process waiting for a slot.
    pub waiting: u32,
    /// Requests sent.
    pub total: u64,
    /// Of all requests, 0 to 1.
    pub share: f64,
    /// Time its requests waited for a slot, all together.
    pub wait_seconds: f64,
}

/// The JSON of the budgets.
#[must_use]
pub fn limits_json(limits: &Limits) -> LimitsJson {
    let window = |gauge: &Gauge| WindowJson {
        capacity: gauge.capacity,
        left: gauge.left,
        window_seconds: seconds(gauge.window),
        utilisation: utilisation(gauge),
    };
    let today = &limits.today;
    let lane = |lane: Lane| {
        let (load, usage) = (limits.lanes[lane as usize], today.lanes[lane as usize]);
        let shape = LaneJson {
            active: load.active,
            waiting: load.waiting,
            total: usage.requests,
            share: ratio(usage.requests, today.requests()),
            wait_seconds: seconds(usage.waited),
        };
        (lane.word(), shape)
    };
    LimitsJson {
        burst: window(&limits.burst),
        daily: limits.daily.as_ref().map(|day| DayJson {
            capacity: day.capacity,
            left: day.left,
            utilisation: utilisation(day),
            resets_at: day.resets_at,
        }),
        search: window(&limits.search),
        shared_since: limits.shared_since,
        daily_low: limits.daily_low,
        counted_since: today.since,
        total_requests: today.requests(),
        total_wait_seconds: seconds(today.waited()),
        requests_per_minute: today.per_minute,
        rate_limited: today.rate_limited,
        retries: today.retries,
        lanes: Lane::ALL.into_iter().map(lane).collect(),
    }
}

/// Seconds, to the millisecond.
pub(super) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000.0).round() / 1_000.0
}

/// Used ÷ capacity; an unknown capacity is unused.
fn utilisation(gauge: &Gauge) -> f64 {
    ratio(gauge.used(), gauge.capacity)
}

/// To four decimals; of nothing it is nothing.
fn ratio(part: u64, whole: u64) -> f64 {
    let ratio = part as f64 / whole.max(1) as f64;
    (ratio * 10_000.0).round() / 10_000.0
}

/// The budgets in any format; CSV and markdown have one row per budget, the table adds the statistics.
///
/// # Errors
/// As [`super::compact`].
pub fn limits(limits: &Limits, names: &Names<'_>, format: Format) -> serde_json::Result<String> {
    Ok(match format {
        Format::Json | Format::Jsonl => json::compact(&limits_json(limits))? + "\n",
        Format::Csv => rows(limits, |at| at.to_string()).csv(),
        Format::Markdown => [
            rows(limits, |at| names.minute(at)).markdown(),
            lanes(limits).markdown(),
            statistics(limits, names),
        ]
        .join("\n"),
        Format::Table => [
            rows(limits, |at| names.minute(at)).table(),
            lanes(limits).table(),
            statistics(limits, names),
        ]
        .join("\n"),
    })
}

fn rows(limits: &Limits, time: impl Fn(Timestamp) -> String) -> Sheet {
    let row = |(name, gauge): (&str, &Gauge)| {
        let window = if gauge.window.is_zero() {
            String::new()
        } else {
            seconds(gauge.window).to_string()
        };
        vec![
            name.to_owned(),
            gauge.capacity.to_string(),
            gauge.left.to_string(),
            utilisation(gauge).to_string(),
            window,
            gauge.resets_at.map(&time).unwrap_or_default(),
        ]
    };
    let budgets = [("burst", &limits.burst), ("search", &limits.search)];
    let rows = budgets
        .into_iter()
        .chain(limits.daily.as_ref().map(|day| ("daily", day)))
        .map(row)
        .collect();
    Sheet {
        columns: vec![
            Column::text("budget"),
            Column::number("capacity"),
            Column::number("left"),
            Column::number("utilisation"),
            Column::number("window_seconds"),
            Column::text("resets_at"),
        ],
        rows,
    }
}

/// Who used them: of all processes since midnight, but for what this one has on the wire and waiting.
fn lanes(limits: &Limits) -> Sheet {
    let row = |lane: Lane| {
        let (load, usage) = (limits.lanes[lane as usize], limits.today.lanes[lane as usize]);
        vec![
            lane.word().to_owned(),
            usage.requests.to_string(),
            ratio(usage.requests, limits.today.requests()).to_string(),
            seconds(usage.waited).to_string(),
            load.active.to_string(),
            load.waiting.to_string(),
        ]
    };
    Sheet {
        columns: vec![
            Column::text("lane"),
            Column::number("requests"),
            Column::number("share"),
            Column::number("wait_seconds"),
            Column::number("active"),
            Column::number("waiting"),
        ],
        rows: Lane::ALL.into_iter().map(row).collect(),
    }
}

fn statistics(limits: &Limits, names: &Names<'_>) -> String {
    let today = &limits.today;
    let mut text = format!(
        "{} today, {} per minute, {} s waited, {} answered 429, {} sent again\n",
        format::plural(today.requests(), "request", "requests"),
        format::count(today.per_minute),
        seconds(today.waited()),
        format::count(today.rate_limited),
        format::count(today.retries),
    );
    if let Some(since) = limits.shared_since {
        text += &format!(
            "shared with another client since {}; we send less meanwhile\n",
            names.minute(since)
        );
    }
    if let Some(day) = limits.daily.as_ref().filter(|_| limits.daily_low) {
        let resets = day.resets_at.map(|at| format!(" until {}", names.minute(at)));
        text += &format!(
            "{} left today; background work waits{}\n",
            format::plural(day.left, "request", "requests"),
            resets.unwrap_or_default()
        );
    }
    text
}
