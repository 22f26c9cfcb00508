//! The way in: the log of every request and the budgets it is held to, decided in order of arrival.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use super::budget::{Daily, Window, worst};
use super::faults::{FaultKind, Faults};
use super::opening::app_id;
use super::settings::{Quota, Settings};

/// Which budgets a request is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// The ten-second window and the day.
    Burst,
    /// The search quota and the day.
    Search,
    /// The day alone: association batches.
    Daily,
    /// None: requests without a usable token, and those that ask for one.
    Free,
}

/// What an OAuth app is held to in its window.
const OAUTH: Quota = Quota {
    count: 110,
    window: Duration::from_secs(10),
};

/// A request as the gate sees it.
pub(super) struct Knock<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub lane: Lane,
    /// The app whose window counts.
    pub app: u64,
    /// An OAuth app: a window of its own size, no day.
    pub oauth: bool,
    /// How long the request will take: one record is not written twice at a time. `None` where it does not matter.
    pub holds: Option<Duration>,
    /// Microseconds since the start, and Unix milliseconds.
    pub at: (u64, i64),
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
    #[serde(skip)]
    app: u64,
}

/// Which budget refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Burst,
    Search,
    Daily,
    /// Another write to the same record is under way.
    Locked,
}

/// What the gate decided about a request.
pub(super) struct Pass {
    /// Its place in the log.
    pub place: usize,
    pub refusal: Option<Refusal>,
    pub fault: Option<FaultKind>,
    pub lane: Lane,
    pub app: u64,
    pub oauth: bool,
}

/// Another integration, whose requests nobody sees but everybody pays for.
struct Others {
    quota: Quota,
    /// When its next request arrives, microseconds.
    next: u64,
}

impl Others {
    /// Its arrivals up to now, evenly spread.
    fn arrivals(&mut self, now: u64) -> Vec<u64> {
        let window = u64::try_from(self.quota.window.as_micros()).unwrap_or(u64::MAX);
        let step = (window / u64::from(self.quota.count.max(1))).max(1);
        let mut due = Vec::new();
        while self.next <= now {
            due.push(self.next);
            self.next += step;
        }
        due
    }
}

pub(super) struct Gate {
    limit: Quota,
    /// One window per app.
    bursts: BTreeMap<u64, Window>,
    /// The app that the other integration shares.
    shared: u64,
    others: Option<Others>,
    others_search: Option<Others>,
    /// Records being written, by path, and until when (microseconds).
    busy: HashMap<String, u64>,
    search: Window,
    pub daily: Daily,
    pub faults: Faults,
    pub log: Vec<Entry>,
    refused: u64,
}

impl Gate {
    pub(super) fn new(settings: &Settings, zone: TimeZone, now: i64) -> Self {
        Self {
            limit: settings.limit,
            bursts: BTreeMap::new(),
            shared: app_id(settings.seed),
            others: settings.others.map(|quota| Others { quota, next: 0 }),
            others_search: settings.others_search.map(|quota| Others { quota, next: 0 }),
            busy: HashMap::new(),
            search: Window::new(settings.search_limit),
            daily: Daily::new(settings.daily, zone, now),
            faults: Faults::new(settings.faults.clone(), settings.seed),
            log: Vec::new(),
            refused: 0,
        }
    }

    /// Writes the arrival down and decides. Budgets come before faults: a refused request is never also faulted.
    pub(super) fn arrive(&mut self, knock: &Knock<'_>) -> Pass {
        let (micros, now) = knock.at;
        self.let_others_in(micros, now);
        let refusal = self.refusal(knock);
        if refusal.is_some() {
            self.refused += 1;
        } else if knock.lane != Lane::Free && !knock.oauth {
            self.daily.spend(now);
        }
        let fault = if refusal.is_none() {
            self.faults.next(knock.method, knock.path)
        } else {
            None
        };
        self.log.push(Entry {
            t_us: micros,
            method: knock.method.to_owned(),
            path: knock.path.to_owned(),
            query: knock.query.to_owned(),
            status: 0,
            bytes: 0,
            fault: fault.map(FaultKind::name),
            lane: knock.lane,
            app: knock.app,
        });
        Pass {
            place: self.log.len() - 1,
            refusal,
            fault,
            lane: knock.lane,
            app: knock.app,
            oauth: knock.oauth,
        }
    }

    fn refusal(&mut self, knock: &Knock<'_>) -> Option<Refusal> {
        let (micros, now) = knock.at;
        match knock.lane {
            Lane::Free => return None,
            _ if !knock.oauth && self.daily.left(now) == 0 => return Some(Refusal::Daily),
            Lane::Burst if !self.window(knock.app, knock.oauth).admit(micros) => return Some(Refusal::Burst),
            Lane::Search if !self.search.admit(micros) => return Some(Refusal::Search),
            _ => {}
        }
        let holds = knock.holds?;
        self.busy.retain(|_, until| *until > micros);
        if self.busy.contains_key(knock.path) {
            return Some(Refusal::Locked);
        }
        let until = micros.saturating_add(u64::try_from(holds.as_micros()).unwrap_or(u64::MAX));
        self.busy.insert(knock.path.to_owned(), until);
        None
    }

    fn window(&mut self, app: u64, oauth: bool) -> &mut Window {
        let quota = if oauth { OAUTH } else { self.limit };
        self.bursts.entry(app).or_insert_with(|| Window::new(quota))
    }

    /// The other integration's requests up to now. What does not fit is refused it, as it would be us.
    fn let_others_in(&mut self, micros: u64, now: i64) {
        let wall = |at: u64| now - i64::try_from((micros - at) / 1_000).unwrap_or(0);
        let burst = self
            .others
            .as_mut()
            .map(|others| others.arrivals(micros))
            .unwrap_or_default();
        for at in burst {
            if self.window(self.shared, false).admit(at) {
                self.daily.spend(wall(at));
            }
        }
        let search = self
            .others_search
            .as_mut()
            .map(|others| others.arrivals(micros))
            .unwrap_or_default();
        for at in search {
            if self.search.admit(at) {
                self.daily.spend(wall(at));
            }
        }
    }

    /// How many requests were refused so far.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// The answer has gone out.
    pub(super) fn answered(&mut self, place: usize, status: u16, bytes: u64) {
        if let Some(entry) = self.log.get_mut(place) {
            entry.status = status;
            entry.bytes = bytes;
        }
    }

    /// HubSpot's rate headers, as they stand after this request. An OAuth app is told nothing of the day.
    pub(super) fn headers(&mut self, pass: &Pass, micros: u64, now: i64) -> Vec<(&'static str, String)> {
        let (day, left_today) = (self.daily.allowance(), self.daily.left(now));
        let window = self.window(pass.app, pass.oauth);
        let (quota, left) = (window.quota(), window.left(micros));
        let mut headers = vec![
            (
                "X-HubSpot-RateLimit-Interval-Milliseconds",
                quota.window.as_millis().to_string(),
            ),
            ("X-HubSpot-RateLimit-Max", quota.count.to_string()),
            ("X-HubSpot-RateLimit-Remaining", left.to_string()),
            ("X-HubSpot-RateLimit-Secondly", (quota.count / 10).to_string()),
            ("X-HubSpot-RateLimit-Secondly-Remaining", (left / 10).to_string()),
        ];
        if !pass.oauth {
            headers.push(("X-HubSpot-RateLimit-Daily", day.to_string()));
            headers.push(("X-HubSpot-RateLimit-Daily-Remaining", left_today.to_string()));
        }
        headers
    }

    /// What a witness wants to know. Refused requests count in the worst windows: they arrived.
    pub(super) fn stats(&self) -> Value {
        let arrivals = |lane, app: Option<u64>| {
            self.log
                .iter()
                .filter(|entry| entry.lane == lane && app.is_none_or(|app| entry.app == app))
                .map(|entry| entry.t_us)
                .collect::<Vec<_>>()
        };
        let mut by_status: BTreeMap<String, u64> = BTreeMap::new();
        for entry in &self.log {
            *by_status.entry(entry.status.to_string()).or_default() += 1;
        }
        let window = self.limit.window;
        let seconds = if window.subsec_nanos() == 0 {
            json!(window.as_secs())
        } else {
            json!(window.as_secs_f64())
        };
        // Every app has a window of its own: the worst is the worst of one app.
        let apps = self.bursts.keys();
        let worst_burst = apps
            .map(|app| worst(&arrivals(Lane::Burst, Some(*app)), window))
            .max()
            .unwrap_or(0);
        json!({
            "requests": self.log.len(), "by_status": by_status, "refused": self.refused,
            "faulted": self.log.iter().filter(|entry| entry.fault.is_some()).count(),
            "worst_window": {"seconds": seconds, "count": worst_burst},
            "worst_search_second": worst(&arrivals(Lane::Search, None), Duration::from_secs(1)),
        })
    }
}
