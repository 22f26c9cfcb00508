//! dealdeck: a terminal dashboard for HubSpot sales pipelines. This page is the map of the house.
//!
//! One engine, many faces. The dashboard and the commands are faces of the same engine: every write by any of them is an
//! operation in the same durable outbox, every read comes from the same local mirror, every request passes the same budget.
//!
//! ```text
//! key ─ term ─ app::update ─ Effect::Submit ─ term ─ sync::Handle::submit
//!       └ store::outbox COMMIT (the change now survives anything) ─ Event ─ app::update ─ ui: card in its new place
//!       └ sync::push: budget slot ─ claim ─ hubspot ─ outcome ─ store::mirror ─ Event ─ app::update ─ ui
//! poll ─ sync::pull ─ budget slot ─ hubspot ─ page ─ store::mirror COMMIT ─ Event ─ app::update ─ ui
//! ```
//!
//! What a face shows is always *mirror ⊕ pending operations*, recomputed, never patched in place.
//!
//! | room | what it is for | may import |
//! |---|---|---|
//! | [`domain`] | what a pipeline is: deals, stages, people, money, operations, limits, faults. Pure | – |
//! | [`filter`] | the filter language and fuzzy ranking. Pure | domain |
//! | [`hubspot`] | HubSpot's HTTP API and nothing else: transport, credentials, budget, breaker, classification, one file per family | domain |
//! | [`store`] | what must survive: `outbox.db` (precious), `mirror.db` (disposable), `budget.db` (slots) | domain, filter |
//! | [`sync`] | the engine: pull, push, schedule; one `Handle` for every face | domain, filter, hubspot, store |
//! | [`app`] | the dashboard as data and one function. Pure | domain, filter |
//! | [`ui`] | model → cells. Pure | domain, filter, app |
//! | [`report`] | numbers as text: table, json, jsonl, csv, markdown | domain, filter |
//! | [`term`] | all that is impure about a terminal: guard, input, signals, the loop | domain, app, ui, report, sync |
//! | [`config`] | file + environment + flags → settings, with errors that point at the line | every room's `Settings` |
//! | [`portal`] | the simulated HubSpot, the witness of every test | nothing of ours |
//! | [`cli`] | one file per command; the only place that ties concrete parts together | anything |
//!
//! `tests/architecture.rs` holds the code to this table.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod filter;
pub mod hubspot;
pub mod portal;
pub mod report;
pub mod store;
pub mod sync;
pub mod term;
pub mod ui;
