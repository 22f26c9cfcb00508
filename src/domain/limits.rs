//! The budgets as gauges: what HubSpot allows, what is left, who uses it, and the last requests.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who a request is for, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// A person's write.
    Write,
    /// A read somebody waits for.
    Read,
    /// Finding out what became of a write.
    Verify,
    /// Background sync.
    Sync,
}

impl Lane {
    /// Most urgent first.
    pub const ALL: [Self; 4] = [Self::Write, Self::Read, Self::Verify, Self::Sync];

    /// The word on the screen and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Verify => "verify",
            Self::Sync => "sync",
        }
    }
}

/// One window or day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauge {
    /// How many requests it allows.
    pub capacity: u64,
    /// How many of them are left.
    pub left: u64,
    /// Its length; zero for the day.
    pub window: Duration,
    /// When it is full again (the day only).
    pub resets_at: Option<Timestamp>,
}

impl Gauge {
    /// How many are used up.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.capacity.saturating_sub(self.left)
    }
}

/// How busy a lane is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneLoad {
    /// Requests on the wire.
    pub active: u32,
    /// Requests waiting for a slot.
    pub waiting: u32,
    /// Requests this process sent since its start.
    pub total: u64,
}

/// What a lane has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneUsage {
    /// Requests sent.
    pub requests: u64,
    /// Time they waited for a slot, all together.
    pub waited: Duration,
}

/// What every process of a store has used since the day began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Since when this is counted: the last midnight of the account's zone. `None` when nothing is counted.
    pub since: Option<Timestamp>,
    /// Per lane, in the order of [`Lane::ALL`].
    pub lanes: [LaneUsage; 4],
    /// Requests in the last sixty seconds.
    pub per_minute: u64,
    /// Answers that said 429.
    pub rate_limited: u64,
    /// Requests sent again.
    pub retries: u64,
}

impl Usage {
    /// For how long counts are kept, in quarters of an hour: eight days.
    pub const QUARTERS_KEPT: i64 = 8 * 24 * 4;

    /// The quarter of an hour counts are kept by. Every zone's midnight is the beginning of one.
    #[must_use]
    pub fn quarter(at: Timestamp) -> i64 {
        at.as_second().div_euclid(15 * 60)
    }

    /// Requests of all lanes.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.requests).sum()
    }

    /// Time requests of all lanes waited for a slot.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.lanes.iter().map(|lane| lane.waited).sum()
    }
}

/// One request as it is remembered for people. It never holds a query, an address of a person or a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    /// When it was sent.
    pub at: Timestamp,
    /// Who it was for.
    pub lane: Lane,
    /// `GET`, `POST` and so on.
    pub method: String,
    /// Without the query; what may name a person or be a secret stands as `…`.
    pub path: String,
    /// The answer's status; `None` while there is none, and for ever when it was lost.
    pub status: Option<u16>,
    /// From sending to the answer, or to giving up; `None` while it is on the wire.
    pub took: Option<Duration>,
}

impl SentRequest {
    /// How many are remembered: more than any tier allows in a minute, so that they tell the pace, too.
    pub const REMEMBERED: usize = 4_000;
}

/// Both budgets and the statistics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The rolling window, e.g. 190 per 10 s.
    pub burst: Gauge,
    /// The search quota, e.g. 5 per second.
    pub search: Gauge,
    /// The day; `None` until HubSpot has said it.
    pub daily: Option<Gauge>,
    /// So little of the day is left that background work waits and people should know.
    pub daily_low: bool,
    /// Somebody else uses the same windows: since when it is seen without a pause. We send less meanwhile.
    pub shared_since: Option<Timestamp>,
    /// What all processes of the store have used today.
    pub today: Usage,
    /// Load per lane of this process, in the order of [`Lane::ALL`].
    pub lanes: [LaneLoad; 4],
    /// Requests this process sent since its start.
    pub total_requests: u64,
    /// Time they waited for a slot, all together.
    pub total_wait: Duration,
    /// Those of the last sixty seconds.
    pub requests_per_minute: u64,
    /// Answers to this process that said 429.
    pub rate_limited: u64,
    /// Requests this process sent again.
    pub retries: u64,
}
