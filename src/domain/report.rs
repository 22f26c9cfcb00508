//! What one pass of the engine did.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Fault, ObjectType};

/// Records of one type in one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectCount {
    /// Records read.
    pub fetched: u64,
    /// Pages read.
    pub pages: u64,
    /// Records found to be gone.
    pub deleted: u64,
}

impl std::ops::AddAssign for ObjectCount {
    fn add_assign(&mut self, more: Self) {
        self.fetched += more.fetched;
        self.pages += more.pages;
        self.deleted += more.deleted;
    }
}

/// Operations of one pass, by where they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushCount {
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

/// The report of one pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncReport {
    /// Everything that was asked for is in the mirror.
    pub complete: bool,
    /// Per object type.
    pub objects: BTreeMap<ObjectType, ObjectCount>,
    /// Deals whose past was read.
    pub histories: u64,
    /// Memberships of lists.
    pub lists: ObjectCount,
    /// Requests sent.
    pub requests: u64,
    /// Answers that said 429.
    pub rate_limited: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Time spent waiting for slots, all requests together.
    pub waited: Duration,
    /// How long it took.
    pub duration: Duration,
    /// Contacts per segment afterwards; `None` = it cannot be counted.
    pub by_segment: BTreeMap<String, Option<u64>>,
    /// What became of the outbox.
    pub pushed: PushCount,
    /// What went wrong, each with its next step.
    pub errors: Vec<Fault>,
    /// What the token may not read and nothing else needs, and what the configuration names and HubSpot does not have: told,
    /// but the pass did what it could.
    pub left_out: Vec<Fault>,
}

/// The last pass, as the mirror remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSync {
    /// When it ended.
    pub at: Timestamp,
    /// What it did.
    pub report: SyncReport,
}
