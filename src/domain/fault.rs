//! What people are told when something fails: what happened, why, what to do next, when it is retried.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The kinds that scripts can act on; each has one exit code (`cli`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A bug of ours.
    Bug,
    /// Wrong use or wrong configuration.
    Usage,
    /// HubSpot or a rule refuses, or a conflict needs a person.
    Refused,
    /// No connection, or HubSpot is temporarily not able to answer.
    Offline,
    /// The token is missing, wrong, revoked, or lacks a scope.
    Auth,
    /// A rate or daily budget is spent.
    Rate,
    /// Another process holds the store.
    Busy,
    /// The store is damaged or the disk is full.
    Store,
    /// A write was sent and its outcome is not known.
    Uncertain,
}

impl FaultKind {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bug => "bug",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Offline => "offline",
            Self::Auth => "auth",
            Self::Rate => "rate",
            Self::Busy => "busy",
            Self::Store => "store",
            Self::Uncertain => "uncertain",
        }
    }
}

/// A failure in words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fault {
    /// For scripts.
    pub kind: FaultKind,
    /// What happened and why: one clause, lower-case start, no full stop.
    pub what: String,
    /// What to do next: one clause.
    pub next: String,
    /// When it is tried again by itself.
    pub retry_at: Option<Timestamp>,
}

impl Fault {
    /// A fault that is not retried by itself.
    #[must_use]
    pub fn new(kind: FaultKind, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            next: next.into(),
            retry_at: None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.next.is_empty() {
            f.write_str(&self.what)
        } else {
            write!(f, "{}; {}", self.what, self.next)
        }
    }
}

impl std::error::Error for Fault {}
