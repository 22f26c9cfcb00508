//! The gate before every store call: a simulation that lets a disk fail stands there. A build without debug assertions
//! never asks it.

use std::{fmt, sync::Arc};

use crate::domain::Fault;

/// Which way to the store a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// What the engine writes.
    Write,
    /// What a person changes.
    Keep,
    /// What is looked at.
    Read,
    /// What is counted.
    Count,
}

impl Call {
    /// The name of whoever does it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Write => "writer",
            Self::Keep => "keeper",
            Self::Read => "reader",
            Self::Count => "counter",
        }
    }
}

type Ask = dyn Fn(Call) -> Option<Fault> + Send + Sync;

/// Asked before each call; a fault fails it before its work begins. Nobody stands there unless a test puts somebody.
#[derive(Clone, Default)]
pub struct StoreGate(Option<Arc<Ask>>);

impl StoreGate {
    /// A gate with somebody at it.
    #[must_use]
    pub fn new(ask: impl Fn(Call) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(ask)))
    }

    /// Lets a call through, or fails it.
    pub(super) fn pass(&self, call: Call) -> Result<(), Fault> {
        match &self.0 {
            Some(ask) if cfg!(debug_assertions) => ask(call).map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for StoreGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreGate").field(&self.0.is_some()).finish()
    }
}

impl PartialEq for StoreGate {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            (None, None) => true,
            _ => false,
        }
    }
}

impl Eq for StoreGate {}
