//! The way in: the log of every request and the budgets it is held to, decided in order of arrival.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use super::budget::{Daily, Window, worst};
use super::faults::{FaultKind, Faults};
use super::settings::Settings;

/// Which budgets a request is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// The ten-second window and the day.
    Burst,
    /// The search quota and the day.
    Search,
    /// The day alone: association batches.
    Daily,
    /// None: requests without a usable token.
    Free,
}

/// One line of the request log.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Entry {
    /// Arrival, microseconds since the portal opened; never going back from line to line.
    pub t_us: u64,
    pub method: String,
    pub path: String,
    pub query: String,
    /// 0 as long as there is no answer, and for ever when there is none.
    pub status: u16,
    /// Bytes of the answer's body.
    pub bytes: u64,
    pub fault: Option<&'static str>,
    #[serde(skip)]
    lane: Lane,
}

/// Which budget refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Burst,
    Search,
    Daily,
}

/// What the gate decided about a request.
pub(super) struct Pass {
    /// Its place in the log.
    pub place: usize,
    pub refusal: Option<Refusal>,
    pub fault: Option<FaultKind>,
    pub lane: Lane,
}

pub(super) struct Gate {
    burst: Window,
    search: Window,
    pub daily: Daily,
    pub faults: Faults,
    pub log: Vec<Entry>,
    refused: u64,
}

impl Gate {
    pub(super) fn new(settings: &Settings, zone: TimeZone, now: i64) -> Self {
        Self {
            burst: Window::new(settings.limit),
            search: Window::new(settings.search_limit),
            daily: Daily::new(settings.daily, zone, now),
            faults: Faults::new(settings.faults.clone(), settings.seed),
            log: Vec::new(),
            refused: 0,
        }
    }

    /// Writes the arrival down and decides. Budgets come before faults: a refused request is never also faulted.
    pub(super) fn arrive(&mut self, method: &str, path: &str, query: &str, lane: Lane, micros: u64, now: i64) -> Pass {
        let refusal = match lane {
            Lane::Free => None,
            _ if self.daily.left(now) == 0 => Some(Refusal::Daily),
            Lane::Burst => (!self.burst.admit(micros)).then_some(Refusal::Burst),
            Lane::Search => (!self.search.admit(micros)).then_some(Refusal::Search),
            Lane::Daily => None,
        };
        if refusal.is_some() {
            self.refused += 1;
        } else if lane != Lane::Free {
            self.daily.spend(now);
        }
        let fault = if refusal.is_none() {
            self.faults.next(method)
        } else {
            None
        };
        self.log.push(Entry {
            t_us: micros,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            status: 0,
            bytes: 0,
            fault: fault.map(FaultKind::name),
            lane,
        });
        Pass {
            place: self.log.len() - 1,
            refusal,
            fault,
            lane,
        }
    }

    /// The answer has gone out.
    pub(super) fn answered(&mut self, place: usize, status: u16, bytes: u64) {
        if let Some(entry) = self.log.get_mut(place) {
            entry.status = status;
            entry.bytes = bytes;
        }
    }

    /// HubSpot's rate headers, as they stand after this request. None on search and association batch answers.
    pub(super) fn headers(&mut self, lane: Lane, micros: u64, now: i64) -> Vec<(&'static str, String)> {
        if lane != Lane::Burst {
            return Vec::new();
        }
        let quota = self.burst.quota();
        let left = self.burst.left(micros);
        vec![
            ("X-HubSpot-RateLimit-Daily", self.daily.allowance().to_string()),
            ("X-HubSpot-RateLimit-Daily-Remaining", self.daily.left(now).to_string()),
            (
                "X-HubSpot-RateLimit-Interval-Milliseconds",
                quota.window.as_millis().to_string(),
            ),
            ("X-HubSpot-RateLimit-Max", quota.count.to_string()),
            ("X-HubSpot-RateLimit-Remaining", left.to_string()),
            ("X-HubSpot-RateLimit-Secondly", (quota.count / 10).to_string()),
            ("X-HubSpot-RateLimit-Secondly-Remaining", (left / 10).to_string()),
        ]
    }

    /// What a witness wants to know. Refused requests count in the worst windows: they arrived.
    pub(super) fn stats(&self) -> Value {
        let arrivals = |lane| {
            self.log
                .iter()
                .filter(|entry| entry.lane == lane)
                .map(|entry| entry.t_us)
                .collect::<Vec<_>>()
        };
        let mut by_status: BTreeMap<String, u64> = BTreeMap::new();
        for entry in &self.log {
            *by_status.entry(entry.status.to_string()).or_default() += 1;
        }
        let window = self.burst.quota().window;
        let seconds = if window.subsec_nanos() == 0 {
            json!(window.as_secs())
        } else {
            json!(window.as_secs_f64())
        };
        json!({
            "requests": self.log.len(), "by_status": by_status, "refused": self.refused,
            "faulted": self.log.iter().filter(|entry| entry.fault.is_some()).count(),
            "worst_window": {"seconds": seconds, "count": worst(&arrivals(Lane::Burst), window)},
            "worst_search_second": worst(&arrivals(Lane::Search), Duration::from_secs(1)),
        })
    }
}
