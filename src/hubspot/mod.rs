//! HubSpot's HTTP API and nothing else: transport, budget, retries and classification, wire shapes, one file per API
//! family, credentials. It refuses to store anything, to decide what is synced, and to repeat a write that may have had an
//! effect: of a write at most one attempt may have one. What HubSpot certainly did not look at, since it refused the token,
//! is sent once more with a new one.
//!
//! The engine uses the families of `account`, `objects`, `search`, `associations`, `pipelines`, `owners`, `properties`
//! (reading) and `writes` (create, update, archive). The others are the ground for faces to come, tried against the portal
//! like these: batches of writes and of associations, labelled and single associations, lists and memberships, searches to
//! their end, reads by a unique value, new properties, merges, privacy deletion, app events.
#![expect(
    clippy::result_large_err,
    reason = "a failure is rare, made once per exchange and read at once; a box would only hide its fields"
)]

mod account;
mod app_events;
mod association_batches;
mod association_types;
mod associations;
mod auth;
mod batch;
mod batch_answer;
mod batch_read;
mod breaker;
mod budget;
mod call;
mod classify;
#[cfg(test)]
mod classify_table;
mod client;
#[cfg(test)]
mod client_tests;
mod clock;
mod cursor;
mod failure;
mod lists;
mod memberships;
mod objects;
mod owners;
mod paths;
mod pipelines;
mod properties;
mod queries;
mod refusal;
mod retry_budget;
mod search;
mod search_walk;
mod settings;
mod signal;
mod transport;
mod unique;
mod wire;
mod writes;

pub use auth::{Consent, Credentials, Grant, MemoryTokens, OAuthApp, Redirect, TokenDesk, TokenStore, consent_page};
pub use batch::{BatchWrite, ItemOutcome, NewRecord, RecordChange};
pub use budget::{
    Budget, Day, EntryId, Learnt, Ledger, MemoryBook, Pace, Permit, Quota, Setback, SlotBook, SlotId, SlotTime, Taken,
};
pub use classify::{Action, Applied, HeldReason, OpClass, Verdict, classify};
pub use client::Client;
pub use clock::Clock;
pub use cursor::Cursor;
pub use failure::Failure;
pub use lists::ListSearch;
pub use memberships::{MemberOrder, MemberPage};
pub use queries::{BatchRead, Found, GetQuery, ListQuery, RecordPage};
pub use search::{Comparison, SearchFilter, SearchPage, SearchQuery, SearchSort};
pub use search_walk::SearchWalk;
pub use settings::{DEFAULT_BASE_URL, Settings, check_base_url, is_region};
pub use signal::Signal;
pub use transport::{HttpTransport, Request, Response, Transport, TransportError, TransportErrorKind};

/// The version of HubSpot's API. Every path is built with it, in one function of `paths`.
pub const API_VERSION: &str = "2026-09";
