//! Finding out what became of a send. A property write is read back with its history; a note without a key is looked for on
//! its deal, but only when no earlier send of it can still arrive; what has a key, or may be repeated, is looked up by
//! that (`lookup`). Nothing is resent on a guess.

use std::{collections::BTreeMap, sync::Mutex, sync::PoisonError, time::Duration};

use jiff::Timestamp;

use crate::{
    domain::{Bug, DealId, Fault, Lane, OpError, OpId, OpState, Payload, Record, html_to_text, parse_time},
    store::{Kept, Moment, Outcome, reached},
    sync::{
        connection::{earlier, later},
        core::Core,
        pull::notes,
    },
};

use super::{
    REST, Rest, Turn, land, late, lookup, outcome,
    precheck::{self, Look, was_set_by_us},
    send::{self, in_conflict},
};

/// Between the two looks that must both find nothing before a person is asked.
const SECOND_LOOK: Duration = Duration::from_secs(60);

/// Notes that were looked for once, in vain, and when.
pub type Missed = Mutex<BTreeMap<OpId, Timestamp>>;

/// Works on operations of unknown outcome: what can be looked up in one request is.
pub async fn resolve(core: &Core, missed: &Missed, ops: Vec<Kept>) -> Vec<Turn> {
    let (mut sets, mut keyed, mut notes, mut contacts, mut rest) = (vec![], vec![], vec![], vec![], vec![]);
    for op in ops {
        match &op.payload {
            Payload::SetProperties { .. } => sets.push(op),
            Payload::CreateNote { key: Some(_), .. } => keyed.push(op),
            Payload::CreateNote { key: None, .. } => notes.push(op),
            Payload::UpsertContact { .. } => contacts.push(op),
            Payload::Archive | Payload::Associate { .. } | Payload::ListMember { .. } => rest.push(op),
        }
    }
    let mut turns = resolve_properties(core, sets).await;
    turns.extend(lookup::keyed(core, keyed).await);
    turns.extend(resolve_notes(core, missed, notes).await);
    turns.extend(lookup::contacts(core, contacts).await);
    turns.extend(lookup::repeatable(core, rest).await);
    turns
}

async fn resolve_properties(core: &Core, ops: Vec<Kept>) -> Vec<Turn> {
    let mut looks = precheck::looks(core, &ops, Lane::Verify).await;
    if !ops.is_empty() {
        reached(Moment::LookedUp);
    }
    let mut turns = Vec::with_capacity(ops.len());
    for op in ops {
        let rest = match looks.remove(&op.id) {
            Some(look) => judge(core, &op, look).await,
            None => Ok(None),
        };
        turns.push((op.id, rest));
    }
    turns
}

async fn judge(core: &Core, op: &Kept, look: Look) -> Result<Rest, Fault> {
    let Payload::SetProperties { values, base } = &op.payload else {
        return Ok(None);
    };
    let since = earlier(op.claimed_at.unwrap_or(op.created_at), late::SKEW);
    match look {
        Look::Already(record) => land::landed(core, op, Some(*record)).await?,
        Look::Changed(record) | Look::Go(record) if was_set_by_us(&record, values, since) => {
            land::landed(core, op, Some(*record)).await?;
        }
        Look::Go(_) => return again(core, op).await,
        Look::Changed(record) if late::is_ours(core, op, &record).await? => return again(core, op).await,
        Look::Changed(record) => {
            let labels = core.labels(op.entity.object).await?;
            let message = precheck::conflict(&record, values, base, &labels);
            land::shown(core, *record).await?;
            land::finish(core, op, in_conflict(message)).await?;
        }
        Look::Merged(into) => send::merged(core, op, into).await?,
        Look::Gone => {
            let held = Outcome {
                error: Some(outcome::gone(None)),
                ..Outcome::to(OpState::Held)
            };
            land::finish(core, op, held).await?;
        }
        Look::Failed(failure) => return unseen(core, &failure).await,
    }
    Ok(None)
}

/// It certainly had no effect, or may be repeated: back to the queue.
pub async fn again(core: &Core, op: &Kept) -> Result<Rest, Fault> {
    let wait = outcome::backoff(op, Duration::from_secs(1));
    let outcome = Outcome {
        not_before: Some(later(core.now(), wait)),
        error: op.error.clone(),
        ..Outcome::to(OpState::Queued)
    };
    land::finish(core, op, outcome).await.map(|()| None)
}

/// Notes without a key, on their deals: by then no earlier send of them can still arrive.
async fn resolve_notes(core: &Core, missed: &Missed, ops: Vec<Kept>) -> Vec<Turn> {
    let deals: Vec<DealId> = ops.iter().map(|op| op.entity.id.as_str().into()).collect();
    if deals.is_empty() {
        return Vec::new();
    }
    let found = notes::read(core, Lane::Verify, &deals).await;
    reached(Moment::LookedUp);
    let mut turns = Vec::with_capacity(ops.len());
    for (op, deal) in ops.iter().zip(&deals) {
        let rest = match &found {
            Ok(found) => resolve_note(core, missed, op, found.get(deal).map_or(&[], Vec::as_slice)).await,
            Err(failure) => unseen(core, failure).await,
        };
        turns.push((op.id, rest));
    }
    turns
}

async fn resolve_note(core: &Core, missed: &Missed, op: &Kept, found: &[Record]) -> Result<Rest, Fault> {
    let Payload::CreateNote { body, at, .. } = &op.payload else {
        return Ok(None);
    };
    let mut ours: Vec<&Record> = found.iter().filter(|note| is_ours(note, body, *at)).collect();
    ours.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    let copies = ours.len();
    if let Some(note) = ours.into_iter().next() {
        forget(missed, op.id);
        land::landed(core, op, Some(note.clone())).await?;
        if copies > 1 {
            core.say(format!(
                "{copies} copies of one note are in HubSpot; archive the extra ones there"
            ))
            .await;
        }
        return Ok(None);
    }
    let now = core.now();
    let first = *missed
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(op.id)
        .or_insert(now);
    if later(first, SECOND_LOOK) > now {
        return Ok(Some(later(first, SECOND_LOOK)));
    }
    forget(missed, op.id);
    not_found(core, op).await.map(|()| None)
}

/// The operation is not uncertain any more: were it sent again and lost again, two new looks would be due.
fn forget(missed: &Missed, op: OpId) {
    missed.lock().unwrap_or_else(PoisonError::into_inner).remove(&op);
}

/// Two looks found nothing: a person decides, unless they have taken it back meanwhile.
async fn not_found(core: &Core, op: &Kept) -> Result<(), Fault> {
    if core.settings.drill.has(Bug::UnkeyedResent) {
        return again(core, op).await.map(drop);
    }
    let outcome = Outcome {
        error: Some(OpError {
            class: "unknown_outcome".to_owned(),
            message: "not found in HubSpot – send again?".to_owned(),
            correlation_id: op.error.as_ref().and_then(|error| error.correlation_id.clone()),
        }),
        ..Outcome::to(OpState::Held)
    };
    land::finish(core, op, outcome).await?;
    let (id, now) = (op.id, core.now());
    let taken_back = core
        .desk
        .write(move |store| {
            let wanted_gone = store.outbox.is_being_undone(id)?;
            if wanted_gone {
                store.outbox.drop_by_hand(id, now)?;
            }
            Ok(wanted_gone)
        })
        .await?;
    if taken_back {
        land::tell(core, op, OpState::Cancelled).await;
    }
    Ok(())
}

/// The same instant to the millisecond and the same text once markup and blanks are put aside.
fn is_ours(note: &Record, body: &str, at: Timestamp) -> bool {
    let same_time = note
        .get("hs_timestamp")
        .and_then(parse_time)
        .is_some_and(|theirs| theirs.as_millisecond() == at.as_millisecond());
    same_time && plain(note.get("hs_note_body").unwrap_or_default()) == plain(body)
}

fn plain(html: &str) -> String {
    html_to_text(html, 10_000)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The look itself failed: another one is due later.
pub async fn unseen(core: &Core, failure: &crate::hubspot::Failure) -> Result<Rest, Fault> {
    core.weigh(failure).await;
    Ok(Some(later(core.now(), failure.retry_after.unwrap_or(REST))))
}
