//! Operations of the outbox.

use jiff::Timestamp;
use serde::Serialize;

use super::{Column, Format, Names, Sheet, json};
use crate::domain::{
    Attempt, OpError, Operation, OperationStory, Payload, Properties, RecordRef, format, html_to_text,
};

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

/// One send, for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct AttemptJson {
    /// Its number, from 1.
    pub n: u32,
    /// When it was claimed: its bytes left later, if at all.
    pub at: Timestamp,
    /// When its outcome was known; null while it is in flight.
    pub ended_at: Option<Timestamp>,
    /// The state it led to.
    pub outcome: Option<&'static str>,
    /// Nobody knew whether it took effect.
    pub ambiguous: bool,
    /// The answer's status.
    pub status: Option<u16>,
    /// HubSpot's correlation id.
    pub correlation_id: Option<String>,
}

/// An operation with all that is known of it, for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct OperationStoryJson {
    /// Every key of [`OperationJson`].
    #[serde(flatten)]
    pub operation: OperationJson,
    /// `portalId` it is meant for.
    pub portal_id: u64,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// The operation that replaced it before it was sent.
    pub superseded_by: Option<String>,
    /// The values it sets, by property.
    pub values: Properties,
    /// What the person saw of these properties.
    pub base: Properties,
    /// What the mirror has of them now.
    pub theirs: Properties,
    /// The text of a note.
    pub text: Option<String>,
    /// Every send, first to last.
    pub sends: Vec<AttemptJson>,
}

/// The JSON of an operation with all that is known of it.
#[must_use]
pub fn operation_story_json(story: &OperationStory) -> OperationStoryJson {
    let send = |attempt: &Attempt| AttemptJson {
        n: attempt.n,
        at: attempt.intent_at,
        ended_at: attempt.ended_at,
        outcome: attempt.outcome.map(|state| state.word()),
        ambiguous: attempt.ambiguous,
        status: attempt.http_status,
        correlation_id: attempt.correlation_id.clone(),
    };
    let (values, base) = match &story.operation.payload {
        Payload::SetProperties { values, base } => (values.clone(), base.clone()),
        Payload::UpsertContact { values, .. } => (values.clone(), Properties::new()),
        _ => (Properties::new(), Properties::new()),
    };
    OperationStoryJson {
        operation: operation_json(&story.operation),
        portal_id: story.account,
        changed_at: story.changed_at,
        superseded_by: story.superseded_by.map(|id| id.to_string()),
        values,
        base,
        theirs: story.mirrored.clone(),
        text: note_text(&story.operation.payload),
        sends: story.attempts.iter().map(send).collect(),
    }
}

fn note_text(payload: &Payload) -> Option<String> {
    match payload {
        Payload::CreateNote { body, .. } => Some(html_to_text(body, usize::MAX)),
        _ => None,
    }
}

/// One operation in any format: a document for scripts, a line per fact for people.
///
/// # Errors
/// As [`super::compact`].
pub fn operation(story: &OperationStory, names: &Names<'_>, format: Format) -> serde_json::Result<String> {
    Ok(match format {
        Format::Json | Format::Jsonl => json::compact(&operation_story_json(story))? + "\n",
        Format::Csv => keys(vec![operation_json(&story.operation)]).csv(),
        Format::Table => facts(story, names).table_within(names.width),
        Format::Markdown => facts(story, names).markdown(),
    })
}

/// What is known of one operation, a line each.
fn facts(story: &OperationStory, names: &Names<'_>) -> Sheet {
    let operation = &story.operation;
    let mut rows = vec![
        ("id", operation.id.to_string()),
        ("what", operation.title.clone()),
        ("record", entity(&operation.entity)),
        ("state", said(operation.state.word())),
        ("since", names.second(story.changed_at)),
        ("kept", names.second(operation.created_at)),
    ];
    let mut fact = |name, value: Option<String>| rows.extend(value.map(|value| (name, value)));
    fact("not before", operation.not_before.map(|at| names.second(at)));
    fact("error", operation.error.as_ref().map(error));
    let reference = operation.error.as_ref().and_then(|error| error.correlation_id.clone());
    fact("correlation id", reference);
    fact("came of it", operation.remote_id.clone());
    fact("undoes", operation.undo_of.map(|id| id.to_string()));
    fact("replaced by", story.superseded_by.map(|id| id.to_string()));
    fact("page", names.url(&operation.entity));
    fact("text", note_text(&operation.payload));
    let mut rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(fact, value)| vec![fact.to_owned(), value])
        .collect();
    if let Payload::SetProperties { values, base } = &operation.payload {
        let shown = |value: Option<&Option<String>>| match value {
            Some(Some(value)) => format!("'{value}'"),
            Some(None) => "nothing".to_owned(),
            None => format::UNKNOWN.to_owned(),
        };
        rows.extend(values.iter().map(|(name, ours)| {
            let (seen, theirs) = (shown(base.get(name)), shown(story.mirrored.get(name)));
            let value = format!("you saw {seen}, there is {theirs}, you want {}", shown(Some(ours)));
            vec![name.clone(), value]
        }));
    }
    rows.extend(story.attempts.iter().map(|attempt| {
        let outcome = attempt
            .outcome
            .map_or_else(|| "no outcome yet".to_owned(), |state| said(state.word()));
        let status = attempt
            .http_status
            .map(|status| format!(", status {status}"))
            .unwrap_or_default();
        let line = format!("{}: {outcome}{status}", names.second(attempt.intent_at));
        vec![format!("send {}", attempt.n), line]
    }));
    Sheet {
        columns: vec![Column::text("fact"), Column::text("value")],
        rows,
    }
}

/// A word of JSON as people read it.
fn said(word: &str) -> String {
    word.replace('_', " ")
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
            said(operation.state.word()),
            operation.attempts.to_string(),
            names.minute(operation.created_at),
            operation.not_before.map(|at| names.minute(at)).unwrap_or_default(),
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
            Column::text("next try"),
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
