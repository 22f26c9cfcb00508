//! Both budgets.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use super::{Column, Format, Names, Sheet, json};
use crate::domain::{Gauge, Lane, LaneLoad, Limits, format};

/// The budgets for scripts; utilisation is used ÷ capacity, 0 to 1.
#[derive(Clone, Debug, Serialize)]
pub struct LimitsJson {
    /// The rolling window.
    pub burst: WindowJson,
    /// The day; null until HubSpot has said it.
    pub daily: Option<DayJson>,
    /// The search quota.
    pub search: WindowJson,
    /// Requests since the start.
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
    /// Requests on the wire.
    pub active: u32,
    /// Requests waiting for a slot.
    pub waiting: u32,
    /// Requests since the start.
    pub total: u64,
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
    let lane = |(lane, load): (Lane, LaneLoad)| {
        let LaneLoad { active, waiting, total } = load;
        (lane.word(), LaneJson { active, waiting, total })
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
        total_requests: limits.total_requests,
        total_wait_seconds: seconds(limits.total_wait),
        requests_per_minute: limits.requests_per_minute,
        rate_limited: limits.rate_limited,
        retries: limits.retries,
        lanes: Lane::ALL.into_iter().zip(limits.lanes).map(lane).collect(),
    }
}

/// Seconds, to the millisecond.
pub(super) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000.0).round() / 1_000.0
}

/// Used ÷ capacity to four decimals; an unknown capacity is unused.
fn utilisation(gauge: &Gauge) -> f64 {
    let ratio = gauge.used() as f64 / gauge.capacity.max(1) as f64;
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
        Format::Markdown => rows(limits, |at| names.minute(at)).markdown() + "\n" + &statistics(limits),
        Format::Table => rows(limits, |at| names.minute(at)).table() + "\n" + &statistics(limits),
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

fn statistics(limits: &Limits) -> String {
    format!(
        "{}, {} per minute, {} s waited, {} answered 429, {} sent again\n",
        format::plural(limits.total_requests, "request", "requests"),
        format::count(limits.requests_per_minute),
        seconds(limits.total_wait),
        format::count(limits.rate_limited),
        format::count(limits.retries),
    )
}
