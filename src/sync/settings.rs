//! What the engine can be told, with its defaults. Reading a configuration is not done here.

use std::{collections::BTreeMap, time::Duration};

use super::gate::StoreGate;
use crate::domain::{Drill, NewProperty, ObjectType, OwnerId, RetryPolicy, Segment};

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
    /// How contacts of one's own are pushed.
    pub push: PushSettings,
}

/// How contacts of one's own are pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushSettings {
    /// The scheduler pushes the selected ones; what is queued at once goes out either way.
    pub enabled: bool,
    /// Between two runs of the scheduler.
    pub interval: Duration,
    /// How many contacts a run takes at most.
    pub batch: usize,
    /// A run may be so late; one that would be later waits for the next one's time.
    pub misfire_grace: Duration,
    /// How often, and when, a contact is tried again.
    pub retry: RetryPolicy,
    /// The property that every push sets to the day it was made on.
    pub sync_date: Option<String>,
    /// Fields of contact lists and the properties they mean, besides those that are known anyway.
    pub map: BTreeMap<String, String>,
    /// Properties that are made in HubSpot when that is asked for.
    pub properties: Vec<NewProperty>,
}

impl Default for PushSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: Duration::from_mins(5),
            batch: 10,
            misfire_grace: Duration::from_mins(30),
            retry: RetryPolicy::default(),
            sync_date: None,
            map: BTreeMap::new(),
            properties: Vec::new(),
        }
    }
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
            push: PushSettings::default(),
            drill: Drill::default(),
            store_gate: StoreGate::default(),
        }
    }
}
