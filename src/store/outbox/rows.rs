//! Rows of `outbox.db` and the types they stand for.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, types::Type};
use serde::de::DeserializeOwned;

use super::Kept;
use crate::{
    domain::{Attempt, OpId, OpState, Operation, RecordRef},
    store::{Error, Result},
};

/// The columns [`kept`] reads, in its order.
pub(super) const COLUMNS: &str = "id, object, entity, payload, state, attempts, created_at, not_before, error, remote_id, \
     undo_of, title, account, op_key, seq, ambiguous_sends, crashes, epoch, claimed_at, landed_version, changed_at, \
     superseded_by";

/// An operation out of a row of [`COLUMNS`].
pub(super) fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        op: Operation {
            id: op_id(row, 0)?,
            entity: RecordRef::new(parsed(row, 1)?, row.get::<_, String>(2)?),
            payload: json(row, 3)?,
            state: state(row, 4)?,
            attempts: row.get(5)?,
            created_at: time(row, 6)?,
            not_before: time_or_none(row, 7)?,
            error: row.get::<_, Option<String>>(8)?.map(|_| json(row, 8)).transpose()?,
            remote_id: row.get(9)?,
            undo_of: op_id_or_none(row, 10)?,
            title: row.get(11)?,
        },
        account: row.get::<_, i64>(12)?.cast_unsigned(),
        op_key: row.get(13)?,
        seq: row.get::<_, i64>(14)?.cast_unsigned(),
        ambiguous_sends: row.get(15)?,
        crashes: row.get(16)?,
        epoch: row.get::<_, Option<i64>>(17)?.map(i64::cast_unsigned),
        claimed_at: time_or_none(row, 18)?,
        landed_version: time_or_none(row, 19)?,
        changed_at: time(row, 20)?,
        superseded_by: op_id_or_none(row, 21)?,
    })
}

/// An attempt out of `n, epoch, intent_at, ended_at, outcome, ambiguous, http_status, correlation_id`.
pub(super) fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        n: row.get(0)?,
        epoch: row.get::<_, i64>(1)?.cast_unsigned(),
        intent_at: time(row, 2)?,
        ended_at: time_or_none(row, 3)?,
        outcome: row.get::<_, Option<String>>(4)?.map(|_| state(row, 4)).transpose()?,
        ambiguous: row.get(5)?,
        http_status: row.get(6)?,
        correlation_id: row.get(7)?,
    })
}

/// The operation with this id.
pub(super) fn load(conn: &Connection, id: OpId) -> Result<Kept> {
    find(conn, id)?.ok_or(Error::Missing(id))
}

/// The operation with this id, if there is one.
pub(super) fn find(conn: &Connection, id: OpId) -> Result<Option<Kept>> {
    let sql = format!("SELECT {COLUMNS} FROM op WHERE id = ?1");
    let found = conn
        .prepare_cached(&sql)?
        .query_row([id.to_string()], kept)
        .optional()?;
    Ok(found)
}

/// Every operation `tail` (conditions and order, bound by `params`) selects.
pub(super) fn select(conn: &Connection, tail: &str, params: &[&dyn rusqlite::ToSql]) -> Result<Vec<Kept>> {
    let sql = format!("SELECT {COLUMNS} FROM op {tail}");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params, kept)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A time as the file keeps it.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let micros = row.get(column)?;
    Timestamp::from_microsecond(micros).map_err(|error| broken(column, error))
}

pub(super) fn time_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?
        .map(|_| time(row, column))
        .transpose()
}

pub(super) fn op_id(row: &Row<'_>, column: usize) -> rusqlite::Result<OpId> {
    let text: String = row.get(column)?;
    text.parse()
        .map(OpId)
        .map_err(|error: uuid::Error| broken(column, error))
}

fn op_id_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<OpId>> {
    row.get::<_, Option<String>>(column)?
        .map(|_| op_id(row, column))
        .transpose()
}

pub(super) fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<OpState> {
    let word: String = row.get(column)?;
    OpState::parse(&word).ok_or_else(|| broken(column, format!("unknown state '{word}'")))
}

fn parsed<T: std::str::FromStr<Err = String>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    row.get::<_, String>(column)?
        .parse()
        .map_err(|error: String| broken(column, error))
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| broken(column, error))
}

pub(super) fn broken(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
