//! HubSpot's HTTP API and nothing else: transport, budget, retries and classification, wire shapes, one file per API
//! family. It refuses to store anything, to decide what is synced, and to repeat a write.
#![expect(
    clippy::result_large_err,
    reason = "a failure is rare, made once per exchange and read at once; a box would only hide its fields"
)]

mod account;
mod associations;
mod budget;
mod call;
mod classify;
#[cfg(test)]
mod classify_table;
mod client;
#[cfg(test)]
mod client_tests;
mod clock;
mod failure;
mod objects;
mod owners;
mod paths;
mod pipelines;
mod properties;
mod queries;
mod refusal;
mod search;
mod settings;
mod signal;
mod transport;
mod wire;

pub use budget::{
    Budget, Day, EntryId, Learnt, Ledger, MemoryBook, Pace, Permit, Quota, Setback, SlotBook, SlotId, SlotTime,
};
pub use classify::{Action, Applied, HeldReason, OpClass, Verdict, classify};
pub use client::Client;
pub use clock::Clock;
pub use failure::Failure;
pub use queries::{BatchRead, GetQuery, ListQuery, RecordPage};
pub use search::{Comparison, SearchFilter, SearchPage, SearchQuery, SearchSort};
pub use settings::{DEFAULT_BASE_URL, Settings, check_base_url};
pub use signal::Signal;
pub use transport::{HttpTransport, Request, Response, Transport, TransportError, TransportErrorKind};

/// The version of HubSpot's API. Every path is built with it, in one function of `paths`.
pub const API_VERSION: &str = "2026-09";
