//! The store as the engine uses it, on real files.

mod around;
mod contacts;
mod durable;
mod laws;
mod local_contacts;
mod mirror;
mod outbox;
mod pushes;
mod scale;
mod slots;
mod undo;

use std::collections::BTreeMap;

use jiff::Timestamp;
use tempfile::TempDir;

use super::{Kept, NewOperation, Settings, Store};
use crate::domain::{ObjectType, OpId, Payload, Properties, Record, RecordRef};

/// A data directory of its own, removed at the end.
pub(super) struct Home {
    dir: TempDir,
}

impl Home {
    pub(super) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            dir: self.dir.path().join("data"),
        }
    }

    pub(super) fn open(&self) -> Store {
        super::Store::open(&self.settings()).unwrap().store
    }
}

/// How many cases a property tries: `DEALDECK_TEST_SIZE` times the small default.
fn cases(small: u32) -> proptest::test_runner::Config {
    let size: f64 = std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(1.0);
    proptest::test_runner::Config {
        cases: ((f64::from(small) * size) as u32).max(1),
        failure_persistence: None,
        ..Default::default()
    }
}

/// So many seconds after nine in the morning.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_338_000 + second).unwrap()
}

fn properties(pairs: &[(&str, &str)]) -> Properties {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())))
        .collect()
}

pub(super) fn record(object: ObjectType, id: &str, version: i64, pairs: &[(&str, &str)]) -> Record {
    Record {
        object,
        id: id.into(),
        properties: properties(pairs),
        created_at: at(-1_000_000),
        updated_at: at(version),
        archived: false,
        associations: BTreeMap::new(),
        history: BTreeMap::new(),
    }
}

fn deal(id: &str, version: i64, stage: &str) -> Record {
    record(
        ObjectType::Deals,
        id,
        version,
        &[
            ("dealname", "Acme Rocket Skates"),
            ("dealstage", stage),
            ("pipeline", "default"),
        ],
    )
}

fn deal_ref(id: &str) -> RecordRef {
    RecordRef::new(ObjectType::Deals, id)
}

fn linked(mut record: Record, to: ObjectType, ids: &[&str]) -> Record {
    record
        .associations
        .insert(to, ids.iter().map(|id| (*id).to_owned()).collect());
    record
}

/// A stage move that was seen at `from`.
fn stage_move(deal: &str, from: &str, to: &str) -> NewOperation {
    NewOperation {
        account: 42,
        entity: deal_ref(deal),
        payload: Payload::SetProperties {
            values: properties(&[("dealstage", to)]),
            base: properties(&[("dealstage", from)]),
        },
        title: format!("stage of {deal}: {from} → {to}"),
        not_before: None,
        undo_of: None,
        op_key: None,
    }
}

fn note(deal: &str, text: &str) -> NewOperation {
    NewOperation {
        payload: Payload::CreateNote {
            body: text.into(),
            at: at(0),
            owner: None,
            links: vec![deal_ref(deal)],
            key: None,
        },
        title: format!("note on {deal}"),
        ..stage_move(deal, "", "")
    }
}

fn ids(ops: &[Kept]) -> Vec<OpId> {
    ops.iter().map(|op| op.id).collect()
}

/// How SQLite would run a query, step by step.
pub(super) fn plan_of(conn: &rusqlite::Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    for nth in 1..=statement.parameter_count() {
        statement.raw_bind_parameter(nth, 1).unwrap();
    }
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}
