//! The outbox: every change a person made, from the moment it is kept until HubSpot and the mirror both show it. One row
//! per operation, in exactly one state; every step is one transaction; what a call returns has been committed.
//!
//! It refuses to decide what an answer of HubSpot means: the engine says the outcome, the outbox says whether the step is
//! allowed (`transitions.rs`).

pub(super) mod contacts;
mod edit;
pub(super) mod pushes;
mod queue;
mod rows;
mod shelf;
mod transitions;
mod undo;
pub(super) mod view;

use std::{ops::Deref, path::Path};

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite_migration::M;

use super::{Result, files};
use crate::domain::{Drill, OpError, OpId, OpState, Operation, Payload, RecordRef};

pub use contacts::{KeptContacts, Pushing};

const STEPS: &[M<'static>] = &[
    M::up(include_str!("schema.sql")),
    M::up(include_str!("contacts.sql")),
    M::up(include_str!("bounded.sql")),
    M::up(include_str!("bundles.sql")),
];

/// What to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOperation {
    /// `portalId` the change is meant for; nothing is ever sent to another account.
    pub account: u64,
    /// Which record it is about; for a note, the deal it is written on.
    pub entity: RecordRef,
    /// What is sent, fixed now.
    pub payload: Payload,
    /// In words, for outbox and receipt.
    pub title: String,
    /// Not sent before this time (undo grace).
    pub not_before: Option<Timestamp>,
    /// The operation this one undoes; it is marked as undone in the same transaction.
    pub undo_of: Option<OpId>,
    /// The unique key a keyed create carries; `None` = the operation's own id.
    pub op_key: Option<String>,
}

/// An operation with what sending it needs. Reads like the [`Operation`] inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The operation as every face sees it.
    pub op: Operation,
    /// `portalId` it is meant for.
    pub account: u64,
    /// Unique among all operations: what a keyed create carries.
    pub op_key: String,
    /// Place among the operations of its record, from 1.
    pub seq: u64,
    /// Sends of which nobody knows whether they took effect.
    pub ambiguous_sends: u32,
    /// How often a process died while it was in flight.
    pub crashes: u32,
    /// The epoch of its last claim.
    pub epoch: Option<u64>,
    /// When it was last claimed.
    pub claimed_at: Option<Timestamp>,
    /// `updatedAt` of the record in HubSpot's answer: the mirror must show at least this version before it is done.
    pub landed_version: Option<Timestamp>,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// The operation that replaced it before it was sent.
    pub superseded_by: Option<OpId>,
}

impl Deref for Kept {
    type Target = Operation;

    fn deref(&self) -> &Operation {
        &self.op
    }
}

/// What became of a send, or of finding out about one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Where the operation goes.
    pub state: OpState,
    /// Why, when it did not go through; `None` clears an earlier error.
    pub error: Option<OpError>,
    /// The record it created or changed; `None` leaves what is known.
    pub remote_id: Option<String>,
    /// The version HubSpot answered; `None` leaves what is known.
    pub landed_version: Option<Timestamp>,
    /// Not tried again before this time.
    pub not_before: Option<Timestamp>,
    /// `false` when it certainly was not the operation's fault (offline, 401, 429): the attempt does not count.
    pub charged: bool,
    /// HubSpot may have applied it although nobody knows: only [`OpState::Uncertain`] may follow.
    pub ambiguous: bool,
    /// The answer's status, when there was one.
    pub http_status: Option<u16>,
    /// HubSpot's correlation id, when there was one.
    pub correlation_id: Option<String>,
}

impl Outcome {
    /// An outcome that goes to `state` and says nothing else. It counts as an attempt; `uncertain` is ambiguous.
    #[must_use]
    pub const fn to(state: OpState) -> Self {
        Self {
            state,
            error: None,
            remote_id: None,
            landed_version: None,
            not_before: None,
            charged: true,
            ambiguous: false,
            http_status: None,
            correlation_id: None,
        }
    }
}

/// Which operations a listing shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxFilter {
    /// Only these states; empty = all.
    pub states: Vec<OpState>,
    /// Only operations of this record.
    pub entity: Option<RecordRef>,
    /// At most so many; `None` = all.
    pub limit: Option<usize>,
}

/// Everything that reads the outbox.
#[derive(Debug)]
pub struct OutboxView {
    conn: Connection,
    drill: Drill,
}

/// Everything that changes the outbox; reads like an [`OutboxView`].
#[derive(Debug)]
pub struct Outbox {
    view: OutboxView,
}

impl Deref for Outbox {
    type Target = OutboxView;

    fn deref(&self) -> &OutboxView {
        &self.view
    }
}

impl Outbox {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let conn = files::open(dir, files::OUTBOX, STEPS)?;
        Ok(Self {
            view: OutboxView {
                conn,
                drill: Drill::default(),
            },
        })
    }

    /// Another connection to a file that [`Outbox::open`] has made and checked.
    pub(super) fn open_again(dir: &Path) -> Result<Self> {
        let conn = files::open_again(dir, files::OUTBOX)?;
        Ok(Self {
            view: OutboxView {
                conn,
                drill: Drill::default(),
            },
        })
    }

    /// The deliberate bug of a simulation.
    pub const fn drill(&mut self, drill: Drill) {
        self.view.drill = drill;
    }

    /// The connection, for a test that makes the disk full.
    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.view.conn
    }
}

impl OutboxView {
    /// The deliberate bug of a simulation.
    pub const fn drill(&mut self, drill: Drill) {
        self.drill = drill;
    }

    pub(super) fn open(dir: &Path) -> Result<Self> {
        let conn = files::open_to_read(dir, files::OUTBOX)?;
        Ok(Self {
            conn,
            drill: Drill::default(),
        })
    }
}
