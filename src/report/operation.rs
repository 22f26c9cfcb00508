//! Operations of the outbox.

use jiff::Timestamp;
use serde::Serialize;

use super::{Column, Format, Names, Sheet, json};
use crate::domain::{OpError, Operation, RecordRef};

/// An operation for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct OperationJson {
    /// Its id.
    pub id: String,
    /// `set_properties`, `create_note`, `archive`
    pub kind: &'static str,
    /// The record it is about: `{"type","id"}`.
    pub entity: RecordRef,
    /// [`crate::domain::OpState::word`]
    pub state: &'static str,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was kept.
    pub created_at: Timestamp,
    /// Not sent before this time.
    pub not_before: Option<Timestamp>,
    /// The last error: `{"class","message","correlation_id"}`.
    pub error: Option<OpError>,
    /// The record it created or changed, once known.
    pub remote_id: Option<String>,
    /// The operation this one undoes.
    pub undo_of: Option<String>,
    /// In words.
    pub title: String,
}

/// The JSON of an operation.
#[must_use]
pub fn operation_json(operation: &Operation) -> OperationJson {
    OperationJson {
        id: operation.id.to_string(),
        kind: operation.kind().word(),
        entity: operation.entity.clone(),
        state: operation.state.word(),
        attempts: operation.attempts,
        created_at: operation.created_at,
        not_before: operation.not_before,
        error: operation.error.clone(),
        remote_id: operation.remote_id.clone(),
        undo_of: operation.undo_of.map(|id| id.to_string()),
        title: operation.title.clone(),
    }
}

/// Operations in any format.
///
/// # Errors
/// As [`super::compact`].
pub fn operations(operations: &[Operation], names: &Names<'_>, format: Format) -> serde_json::Result<String> {
    let rows = || operations.iter().map(operation_json).collect::<Vec<_>>();
    Ok(match format {
        Format::Json => json::compact(&rows())? + "\n",
        Format::Jsonl => json::lines(&rows())?,
        Format::Csv => keys(rows()).csv(),
        Format::Table => people(operations, names).table(),
        Format::Markdown => people(operations, names).markdown(),
    })
}

/// Every key; the entity as `deals/5`, the error as its class and message.
fn keys(rows: Vec<OperationJson>) -> Sheet {
    let columns = vec![
        Column::text("id"),
        Column::text("kind"),
        Column::text("entity"),
        Column::text("state"),
        Column::number("attempts"),
        Column::text("created_at"),
        Column::text("not_before"),
        Column::text("error"),
        Column::text("remote_id"),
        Column::text("undo_of"),
        Column::text("title"),
    ];
    let cells = |operation: OperationJson| {
        vec![
            operation.id,
            operation.kind.to_owned(),
            entity(&operation.entity),
            operation.state.to_owned(),
            operation.attempts.to_string(),
            operation.created_at.to_string(),
            operation.not_before.map(|at| at.to_string()).unwrap_or_default(),
            operation.error.as_ref().map(error).unwrap_or_default(),
            operation.remote_id.unwrap_or_default(),
            operation.undo_of.unwrap_or_default(),
            operation.title,
        ]
    };
    Sheet {
        columns,
        rows: rows.into_iter().map(cells).collect(),
    }
}

/// The columns people read.
fn people(operations: &[Operation], names: &Names<'_>) -> Sheet {
    let cells = |operation: &Operation| {
        vec![
            operation.id.to_string(),
            operation.state.word().replace('_', " "),
            operation.attempts.to_string(),
            names.minute(operation.created_at),
            operation.title.clone(),
            operation.error.as_ref().map(error).unwrap_or_default(),
        ]
    };
    Sheet {
        columns: vec![
            Column::text("id"),
            Column::text("state"),
            Column::number("attempts"),
            Column::text("kept"),
            Column::text("what"),
            Column::text("error"),
        ],
        rows: operations.iter().map(cells).collect(),
    }
}

fn entity(record: &RecordRef) -> String {
    format!("{}/{}", record.object, record.id)
}

fn error(error: &OpError) -> String {
    format!("{}: {}", error.class, error.message)
}
