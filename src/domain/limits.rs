//! The budgets as gauges: what HubSpot allows, what is left, who uses it.

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
    /// Requests sent since the start.
    pub total: u64,
}

/// Both budgets and the statistics since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The rolling window, e.g. 190 per 10 s.
    pub burst: Gauge,
    /// The search quota, e.g. 5 per second.
    pub search: Gauge,
    /// The day; `None` until HubSpot has said it.
    pub daily: Option<Gauge>,
    /// Load per lane, in the order of [`Lane::ALL`].
    pub lanes: [LaneLoad; 4],
    /// Requests sent since the start.
    pub total_requests: u64,
    /// Time requests waited for a slot, all together.
    pub total_wait: Duration,
    /// Requests in the last sixty seconds.
    pub requests_per_minute: u64,
    /// Answers that said 429.
    pub rate_limited: u64,
    /// Requests sent again.
    pub retries: u64,
}
