//! What the engine can be told, with its defaults. Reading a configuration is not done here.

use std::{collections::BTreeMap, time::Duration};

use super::gate::StoreGate;
use crate::domain::{Drill, ObjectType, OwnerId, Segment};

/// How the engine behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Between two polls of the deals while a dashboard is watched.
    pub poll: Duration,
    /// Between two polls of everything else, and of the deals while nobody watches.
    pub idle_poll: Duration,
    /// How long a property write from the screen waits before it is claimed, so that undoing it costs nothing.
    pub undo_grace: Duration,
    /// Segments of contacts whose counts are kept.
    pub segments: Vec<Segment>,
    /// Properties that are read besides those the product needs and those that segments ask for.
    pub properties: BTreeMap<ObjectType, Vec<String>>,
    /// Whose deals are "mine"; `None` = the owner behind the token.
    pub owner: Option<OwnerId>,
    /// The only account a token may belong to; `None` = whichever it is, and from then on that one.
    pub portal_id: Option<u64>,
    /// First month of the fiscal year, 1 to 12, for filters that speak of quarters.
    pub fiscal_year_start: i8,
    /// Refuse every change.
    pub read_only: bool,
    /// Run store calls on the calling thread. Tests in virtual time need it: paused time runs away while another thread
    /// works. Production leaves it off, so that a slow disk never stops the screen.
    pub inline_store: bool,
    /// How many records are written at the same time; operations of one record always go one after the other.
    pub parallel_writes: usize,
    /// A deliberate bug, for the simulation that must catch it.
    pub drill: Drill,
    /// Who may fail a store call, for the simulation of a disk that fails.
    pub store_gate: StoreGate,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(5),
            idle_poll: Duration::from_secs(60),
            undo_grace: Duration::from_secs(5),
            segments: Segment::defaults(),
            properties: BTreeMap::new(),
            owner: None,
            portal_id: None,
            fiscal_year_start: 1,
            read_only: false,
            inline_store: false,
            parallel_writes: 4,
            drill: Drill::default(),
            store_gate: StoreGate::default(),
        }
    }
}
