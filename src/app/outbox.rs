//! The outbox as people look at it: every operation in the order in which it concerns them, and what it
//! waits for. Update decides by it and `ui` draws by it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::{
    Connection, DealId, Decision, ObjectType, OpError, OpId, OpState, Operation, OperationStory, Payload,
    PropertyDefinition, format,
};

use super::{Line, Model, Overlay, Screen};

/// The outbox on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxScreen {
    /// The operation in focus, by id: a row that moves takes the focus along. `None` only when there is none.
    pub chosen: Option<OpId>,
    /// Where it stood last: when it is gone, what stands there takes the focus over.
    pub row: usize,
    /// The deal that was open in detail before.
    pub from: Option<DealId>,
}

/// One operation, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationView {
    /// Which.
    pub op: OpId,
    /// Lines scrolled away; drawing stops at the last line.
    pub scroll: usize,
}

/// A question before something that cannot be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// The operation it is about.
    pub op: OpId,
    /// What a yes does.
    pub decision: Decision,
    /// When it was asked: keys that were pressed before it could be read do not count.
    pub since: Timestamp,
    /// The operation was open and is again after a no.
    pub back: bool,
}

/// Values to be filled in for an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldsForm {
    /// The operation.
    pub op: OpId,
    /// A line per property; at least one.
    pub fields: Vec<FormField>,
    /// The field with the cursor; within the fields.
    pub chosen: usize,
    /// Why it was not taken.
    pub fault: Option<String>,
    /// It was handed over; keys wait for the answer.
    pub sending: bool,
    /// The operation was open and is again when this closes.
    pub back: bool,
}

/// One line of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormField {
    /// The property's internal name.
    pub name: String,
    /// What is typed; where there are options, the search among them.
    pub line: Line,
    /// Position among the options that match; `None` = nothing was chosen.
    pub option: Option<usize>,
    /// The value it began with and the words for that: sent as it is while nothing else is typed.
    pub before: Option<(String, Option<String>)>,
}

/// An operation with all that is known of it, and what its properties are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Every send, and what the mirror has.
    pub story: OperationStory,
    /// The definitions of the properties it sets or wants.
    pub definitions: Vec<PropertyDefinition>,
}

/// How urgent a state is for a person: what needs one comes first, what is finished last.
const fn rank(state: OpState) -> u8 {
    match state {
        OpState::Conflict => 0,
        OpState::Held => 1,
        OpState::Dead => 2,
        OpState::Uncertain => 3,
        OpState::InFlight => 4,
        OpState::Queued => 5,
        OpState::Landed => 6,
        OpState::Done | OpState::Cancelled | OpState::Superseded => 7,
    }
}

/// Puts operations in the order of the table: by urgency, the oldest first; what is finished newest first.
pub fn arrange(operations: &mut [Operation]) {
    operations.sort_by_key(|operation| {
        let age = operation.created_at.as_millisecond();
        let rank = rank(operation.state);
        (rank, if rank == 7 { -age } else { age }, operation.id)
    });
}

/// The operation the next key is about: the one that is open, else the one in focus in the outbox.
#[must_use]
pub fn subject(model: &Model) -> Option<&Operation> {
    let id = match (&model.overlay, &model.screen) {
        (Some(Overlay::Operation(view)), _) => view.op,
        (Some(Overlay::Fields(form)), _) => form.op,
        (Some(Overlay::Confirm(confirm)), _) => confirm.op,
        (_, Screen::Outbox(screen)) => screen.chosen?,
        _ => return None,
    };
    find(model, id)
}

/// An operation that is listed.
#[must_use]
pub fn find(model: &Model, id: OpId) -> Option<&Operation> {
    model.operations.iter().find(|operation| operation.id == id)
}

/// What is known of an operation beyond its row, once it was read.
#[must_use]
pub fn story_of(model: &Model, id: OpId) -> Option<&Story> {
    model.story.as_deref().filter(|story| story.story.operation.id == id)
}

/// The deal an operation is about.
#[must_use]
pub fn deal_of(operation: &Operation) -> Option<DealId> {
    (operation.entity.object == ObjectType::Deals).then(|| operation.entity.id.as_str().into())
}

/// What the record an operation is about is called.
#[must_use]
pub fn record_name(model: &Model, operation: &Operation) -> String {
    let entity = &operation.entity;
    let deal = deal_of(operation).and_then(|id| model.deals.get(&id));
    match (deal, entity.email()) {
        (Some(deal), _) if !deal.name.trim().is_empty() => deal.name.trim().to_owned(),
        (_, Some(email)) => email.to_owned(),
        _ => titled(&operation.title).unwrap_or_else(|| format!("{} {}", entity.object.singular(), entity.id)),
    }
}

/// The name in a title (`stage of Acme  Qualified → Contract sent`): all that is left of a record that is gone.
fn titled(title: &str) -> Option<String> {
    let subject = title.split_once("  ").map_or(title, |(subject, _)| subject);
    let (_, name) = subject.split_once(" of ").or_else(|| subject.split_once(" on "))?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// What an operation does without the name of its record, which stands beside it.
#[must_use]
pub fn what(model: &Model, operation: &Operation) -> String {
    let name = record_name(model, operation);
    let title = &operation.title;
    [" of ", " on "]
        .into_iter()
        .find_map(|word| title.split_once(&format!("{word}{name}")))
        .map_or_else(
            || title.clone(),
            |(before, after)| format!("{before} {}", after.trim_start()).trim_end().to_owned(),
        )
}

/// When it is tried next, or what it waits for, in few words.
#[must_use]
pub fn next_try(model: &Model, operation: &Operation) -> String {
    let class = operation.error.as_ref().map_or("", |error| error.class.as_str());
    match operation.state {
        OpState::Queued => queued_until(model, operation),
        OpState::InFlight => "being sent".to_owned(),
        OpState::Uncertain => "looking it up".to_owned(),
        OpState::Conflict => "you choose".to_owned(),
        OpState::Held if class == OpError::NEEDS_FIELDS => "needs fields".to_owned(),
        OpState::Held if class == "scope" => "needs a scope".to_owned(),
        OpState::Held if class == "unknown_outcome" => "send again?".to_owned(),
        OpState::Held => "you decide".to_owned(),
        OpState::Dead => "refused".to_owned(),
        OpState::Landed => "reading back".to_owned(),
        OpState::Done | OpState::Cancelled | OpState::Superseded => format::UNKNOWN.to_owned(),
    }
}

/// A time, not a countdown: it stays true while nothing is drawn.
fn queued_until(model: &Model, operation: &Operation) -> String {
    let zone = model.facts.zone();
    let slowed = match &model.freshness.connection {
        Connection::Offline { .. } => return "when online".to_owned(),
        Connection::ReadOnly(_) => return "needs the token".to_owned(),
        Connection::Slowed { until } => Some(*until),
        _ => None,
    };
    match operation.not_before.max(slowed).filter(|at| *at > model.now) {
        Some(at) => format!("at {}", format::clock_seconds(at, &zone)),
        None => "now".to_owned(),
    }
}

/// Whether HubSpot can tell a second copy of a note from the first; `None` where a second send changes nothing anyway.
#[must_use]
pub const fn duplicate_safe(operation: &Operation) -> Option<bool> {
    match &operation.payload {
        Payload::CreateNote { key, .. } => Some(key.is_some()),
        _ => None,
    }
}

/// What was typed into forms and not sent, by operation and property: it is there again when the form is opened again.
pub type Typed = BTreeMap<OpId, BTreeMap<String, Line>>;
