//! What the engine tells its faces, and how true the data is.

use std::fmt;

use jiff::Timestamp;

use super::{ActivityItem, DealId, Fault, Limits, ObjectType, OpId, OpState, OwnerId};

/// The state of the connection, as the header shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Nothing was tried yet: what is shown is the mirror.
    Cached,
    /// The first sync is on its way.
    Syncing(Progress),
    /// The last poll succeeded.
    Live,
    /// HubSpot says slow down; reads wait.
    Slowed {
        /// When reading goes on.
        until: Timestamp,
    },
    /// HubSpot does not answer.
    Offline {
        /// Since when.
        since: Timestamp,
        /// The next try.
        next_try: Timestamp,
    },
    /// The token is refused or something else keeps us from sending: reading the mirror still works.
    ReadOnly(Fault),
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// Records of a type.
    Records(ObjectType),
    /// What properties of a type were before.
    Past(ObjectType),
    /// Who is in HubSpot's lists.
    Members,
}

impl Reading {
    /// Its name, as progress shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Records(object) => object.name(),
            Self::Past(_) => "history",
            Self::Members => "members",
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far reading something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being read.
    pub what: Reading,
    /// Records read so far.
    pub fetched: u64,
    /// Pages and batches read by this process.
    pub pages: u64,
    /// How many there are, when known.
    pub about: Option<u64>,
}

/// How true the data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The connection.
    pub connection: Connection,
    /// Everything up to here is in the mirror; `None` before the first complete pass.
    pub as_of: Option<Timestamp>,
    /// What keeps part of the data from being read or sent although HubSpot answers: a missing scope, an answer nobody can
    /// read, a full disk. `None` once a pass goes through again.
    pub trouble: Option<Fault>,
}

/// One thing that happened in the engine. Faces re-read what they show; an event carries no record data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// These deals look different now (mirror or outbox).
    DealsChanged {
        /// Which.
        ids: Vec<DealId>,
        /// The colleague who did it, when the change came from HubSpot and somebody is named.
        by: Option<OwnerId>,
        /// It came from HubSpot and not from us.
        remote: bool,
    },
    /// Pipelines, owners, account or so many deals changed that the whole board is to be read again.
    BoardChanged,
    /// Segment counts may have changed.
    SegmentsChanged,
    /// An operation is in a new state.
    OperationChanged {
        /// Which.
        op: OpId,
        /// The deal it is about, if it is about one.
        deal: Option<DealId>,
        /// Its state now.
        state: OpState,
    },
    /// Something for the feed.
    Happened(ActivityItem),
    /// The connection or the age of the data changed.
    Freshness(Freshness),
    /// The gauges moved.
    Limits(Box<Limits>),
}
