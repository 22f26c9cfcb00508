//! What a write must look like at the moment HubSpot sees it.

use dealdeck::{
    domain::{OpState, Payload, Properties},
    hubspot::Request,
    store::{Kept, OutboxFilter, Reader},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    invariants::{Book, Invariant},
    wire::{State, Wire},
};

/// Retries of one operation keep at least this distance, unless a person wants it sent now.
const DISTANCE: SignedDuration = SignedDuration::from_millis(900);

/// An operation in a write.
pub struct Sent {
    pub op: Kept,
    /// The number of the attempt.
    pub attempt: u32,
}

/// Whether a request changes something that an operation of the outbox stands behind.
pub fn is_write(method: &str, path: &str) -> bool {
    let is_object =
        path.contains("/crm/objects/") || path.contains("/crm/associations/") || path.contains("/crm/lists/");
    match method {
        "PATCH" | "PUT" | "DELETE" => is_object,
        "POST" => {
            is_object
                && (path.ends_with("/notes")
                    || path.ends_with("/contacts")
                    || path.ends_with("/upsert")
                    || path.ends_with("/batch/create"))
        }
        _ => false,
    }
}

/// The id of a path to one record: `/crm/objects/2026-09/deals/12`.
pub fn record_of(path: &str) -> Option<&str> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["crm", "objects", _, _, id] if *id != "search" => Some(id),
        _ => None,
    }
}

/// The operations of a write, each checked.
pub fn written(wire: &Wire, request: &Request, path: &str) -> Vec<Sent> {
    let method = request.method.as_str();
    if !is_write(method, path) {
        return Vec::new();
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let mut state = wire.state();
    let Some(reader) = state.reader.take() else {
        return Vec::new();
    };
    let claimed = in_flight(&reader);
    let mut sent = Vec::new();
    for op in claimed.into_iter().filter(|op| is_of(&reader, op, method, path, &body)) {
        let attempts = reader.outbox.attempts(op.id).unwrap();
        let attempt = attempts.last().map_or(0, |attempt| attempt.n);
        sent.push(Sent { op, attempt });
    }
    if sent.is_empty() && is_of_the_dead(&reader, method, path, &body) {
        state.reader = Some(reader);
        return sent;
    }
    let book = &wire.book;
    book.check(Invariant::WriteAhead, !sent.is_empty(), || {
        let kept = reader.outbox.list(&OutboxFilter::default()).unwrap();
        let of_it = kept.iter().filter(|op| is_of(&reader, op, method, path, &body));
        format!(
            "{} {method} {path} has no claim on disk: {:?}",
            wire.now(),
            of_it.collect::<Vec<_>>()
        )
    });
    for sent in &sent {
        look(book, &state, &reader, sent, &body);
    }
    state.reader = Some(reader);
    let now = wire.clock.wall();
    for sent in &sent {
        state.left.entry(sent.op.id).or_insert(now);
    }
    sent
}

/// A process may die between sending and arriving: its claim is in doubt by then, and on disk.
fn is_of_the_dead(reader: &Reader, method: &str, path: &str, body: &Value) -> bool {
    let all = reader.outbox.list(&OutboxFilter::default()).unwrap();
    let mut died = all.into_iter().filter(|op| op.crashes > 0);
    died.any(|op| {
        is_of(reader, &op, method, path, body)
            && reader
                .outbox
                .attempts(op.id)
                .unwrap()
                .iter()
                .any(|attempt| attempt.ambiguous)
    })
}

fn in_flight(reader: &Reader) -> Vec<Kept> {
    let filter = OutboxFilter {
        states: vec![OpState::InFlight],
        ..OutboxFilter::default()
    };
    reader.outbox.list(&filter).unwrap()
}

fn is_of(reader: &Reader, op: &Kept, method: &str, path: &str, body: &Value) -> bool {
    let text = |name: &str| body["properties"][name].as_str().unwrap_or_default().to_owned();
    match &op.payload {
        Payload::SetProperties { values, .. } => {
            method == "PATCH"
                && path.ends_with(&format!("/{}", op.entity.id))
                && values
                    .iter()
                    .all(|(name, value)| text(name) == value.as_deref().unwrap_or_default())
        }
        Payload::CreateNote { body: note, .. } => {
            let is_in = |input: &Value| input["properties"]["hs_note_body"].as_str() == Some(note);
            method == "POST"
                && (is_in(body) || body["inputs"].as_array().is_some_and(|inputs| inputs.iter().any(is_in)))
        }
        Payload::Archive => {
            let original = op.undo_of.and_then(|of| reader.outbox.get(of).unwrap());
            let born = original.and_then(|original| original.op.remote_id);
            let is_it = |id: &String| path.ends_with(&format!("/{id}"));
            method == "DELETE" && (is_it(&op.entity.id) || born.as_ref().is_some_and(is_it))
        }
        Payload::Associate { with, .. } => {
            matches!(method, "PUT" | "DELETE") && path.contains(&op.entity.id) && path.contains(&with.id)
        }
        Payload::ListMember { .. } => method == "PUT" && path.contains("/lists/"),
        Payload::UpsertContact { email, values } => {
            let is_it = |input: &Value| input["id"].as_str() == Some(email);
            let together = body["inputs"].as_array().is_some_and(|inputs| inputs.iter().any(is_it));
            // By itself, where somebody was faster.
            let sets = values
                .iter()
                .all(|(name, value)| text(name) == value.as_deref().unwrap_or_default());
            together || (path.contains("/contacts") && sets && (method == "PATCH" || text("email") == *email))
        }
    }
}

/// Everything that is promised about one operation in a write.
fn look(book: &Book, state: &State, reader: &Reader, sent: &Sent, body: &Value) {
    let op = &sent.op;
    let attempts = reader.outbox.attempts(op.id).unwrap();
    let open = attempts.last().is_some_and(|attempt| attempt.ended_at.is_none());
    book.check(Invariant::WriteAhead, open, || format!("no open attempt: {op:?}"));
    book.check(Invariant::AccountGuard, op.account == state.account, || {
        format!("account {} hears of {op:?}", state.account)
    });
    let claimed = op.claimed_at.unwrap_or(op.changed_at);
    let epoch = reader.outbox.epoch().unwrap();
    let is_ours = op.epoch == Some(epoch) || state.stolen.is_some_and(|stolen| stolen >= claimed);
    book.check(Invariant::OneWriter, is_ours, || {
        format!("epoch {:?} sends in epoch {epoch}: {op:?}", op.epoch)
    });
    let busy = state.busy.get(&op.entity).copied().unwrap_or_default();
    book.check(Invariant::OneWriter, busy == 0, || {
        format!("two writes at a time: {op:?}")
    });
    order(book, reader, op, claimed);
    copies(book, state, op, sent.attempt, &attempts, body);
    distance(book, state, op, &attempts);
    if let Payload::SetProperties { values, base } = &op.payload {
        guarded(book, state, reader, op, values, base);
    }
}

/// Nothing older of the record that waits to be sent is overtaken.
fn order(book: &Book, reader: &Reader, op: &Kept, claimed: Timestamp) {
    let pending = reader.outbox.pending_of(&op.entity).unwrap();
    let overtaken = pending.iter().find(|other| {
        other.seq < op.seq
            && other.changed_at < claimed
            && matches!(other.state, OpState::Queued | OpState::InFlight | OpState::Uncertain)
    });
    book.check(Invariant::OrderPerRecord, overtaken.is_none(), || {
        format!("{op:?} overtakes {overtaken:?}")
    });
}

/// What makes a second copy impossible, or a person's decision.
fn copies(book: &Book, state: &State, op: &Kept, attempt: u32, attempts: &[dealdeck::domain::Attempt], body: &Value) {
    match &op.payload {
        Payload::CreateNote { key: Some(key), .. } => {
            let carries = |input: &Value| input["properties"][key].as_str() == Some(op.op_key.as_str());
            let inputs = body["inputs"].as_array();
            let is_there = carries(body) || inputs.is_some_and(|inputs| inputs.iter().any(carries));
            book.check(Invariant::NoDuplicateEffect, is_there, || {
                format!("sent without its key: {op:?}")
            });
        }
        Payload::CreateNote { key: None, .. } => {
            let decided = state.decided.get(&op.id).copied().unwrap_or_default();
            let in_doubt = attempts
                .iter()
                .any(|earlier| earlier.n < attempt && earlier.n > decided && earlier.ambiguous);
            book.check(Invariant::NoSilentDuplicate, !in_doubt, || {
                format!("nobody decided to send it again: {op:?} {attempts:?}")
            });
        }
        _ => {}
    }
}

/// A retry after an answer that was the operation's own keeps its distance.
fn distance(book: &Book, state: &State, op: &Kept, attempts: &[dealdeck::domain::Attempt]) {
    let [.., before, this] = attempts else { return };
    let decided = state.decided.get(&op.id).copied().unwrap_or_default();
    let counts = before
        .http_status
        .is_some_and(|status| !matches!(status, 401 | 403 | 429 | 477) && !(300..400).contains(&status));
    if before.n <= decided || !counts {
        return;
    }
    let Some(ended) = before.ended_at else { return };
    let passed = this.intent_at.duration_since(ended);
    // A clock that was set back says nothing.
    let keeps = passed >= DISTANCE || passed.is_negative();
    book.check(Invariant::RetryBound, keeps, || {
        format!("again after {passed}: {op:?} {attempts:?}")
    });
}

/// A property write only goes over what the person saw, or over an earlier value of ours that came late.
fn guarded(book: &Book, state: &State, reader: &Reader, op: &Kept, values: &Properties, base: &Properties) {
    let id = &op.entity.id;
    book.check(Invariant::GoneStaysGone, !state.gone.contains(id), || {
        format!("written to although it is gone: {op:?}")
    });
    let seen = state.seen.get(id).map(|(_, seen)| seen);
    let ours = earlier_values(reader, op);
    for (name, expected) in base.iter().filter(|(name, _)| values.contains_key(*name)) {
        let there = seen.and_then(|seen| seen.get(name)).map_or("", String::as_str);
        let is_expected = same(there, expected.as_deref().unwrap_or_default());
        let is_ours = ours.iter().any(|(their, value)| their == name && same(there, value));
        book.check(
            Invariant::NoBlindOverwrite,
            seen.is_some() && (is_expected || is_ours),
            || format!("{name} was '{there}' when it was looked at: {op:?}"),
        );
        if let Some(original) = op.undo_of.and_then(|of| reader.outbox.get(of).unwrap())
            && let Payload::SetProperties { values: set, base } = &original.payload
        {
            // What HubSpot changed along with it goes back to what it was.
            let is_along = !set.contains_key(name) && base.contains_key(name) && base.get(name) == values.get(name);
            let set = set.get(name).cloned().flatten().unwrap_or_default();
            let is_theirs = same(expected.as_deref().unwrap_or_default(), &set);
            book.check(
                Invariant::UndoSafety,
                is_theirs || is_along || state.decided.contains_key(&op.id),
                || format!("{name} was set to '{set}', undo takes back '{expected:?}': {op:?}"),
            );
        }
    }
}

/// The values that earlier operations of ours may have set later than they should have.
fn earlier_values(reader: &Reader, op: &Kept) -> Vec<(String, String)> {
    let filter = OutboxFilter {
        entity: Some(op.entity.clone()),
        ..OutboxFilter::default()
    };
    let all = reader.outbox.list(&filter).unwrap();
    all.iter()
        .filter(|other| other.seq < op.seq && other.ambiguous_sends > 0)
        .filter_map(|other| match &other.payload {
            Payload::SetProperties { values, .. } => Some(values.clone()),
            _ => None,
        })
        .flatten()
        .map(|(name, value)| (name, value.unwrap_or_default()))
        .collect()
}

/// Equal as HubSpot's values are: the same text, number or instant.
pub fn same(a: &str, b: &str) -> bool {
    a == b
        || matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if (a - b).abs() < 1e-9)
        || matches!((a.parse::<Timestamp>(), b.parse::<Timestamp>()), (Ok(a), Ok(b)) if a == b)
}
