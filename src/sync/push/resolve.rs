//! Finding out what became of a send. A property write is read back with its history; a note is looked for on its deal,
//! but only when no earlier send of it can still arrive; archiving is simply done again. Nothing is resent on a guess.

use std::{collections::BTreeMap, sync::Mutex, sync::PoisonError, time::Duration};

use jiff::Timestamp;

use crate::{
    domain::{Fault, Lane, OpError, OpId, OpState, Payload, Record, html_to_text, parse_time},
    store::{Kept, Outcome},
    sync::{
        connection::{earlier, later},
        core::Core,
        pull::{Trouble, notes},
    },
};

use super::{
    REST, Rest, land, late, outcome,
    precheck::{self, Look, was_set_by_us},
    send::in_conflict,
};

/// Between the two looks that must both find nothing before a person is asked.
const SECOND_LOOK: Duration = Duration::from_secs(60);

/// Notes that were looked for once, in vain, and when.
pub type Missed = Mutex<BTreeMap<OpId, Timestamp>>;

/// Works on an operation of unknown outcome.
pub async fn resolve(core: &Core, missed: &Missed, op: Kept) -> Result<Rest, Fault> {
    match &op.payload {
        Payload::SetProperties { .. } => resolve_properties(core, &op).await,
        Payload::CreateNote { .. } => resolve_note(core, missed, &op).await,
        Payload::UpsertContact { .. } => {
            let epoch = core.desk.read(|reader| Ok(reader.outbox.epoch()?)).await?;
            let outcome = outcome::after_doubt(&op, epoch, &core.settings.push.retry, core.now());
            land::finish(core, &op, outcome).await.map(|()| None)
        }
        _ => again(core, &op, outcome::backoff(&op, Duration::from_secs(1))).await,
    }
}

async fn resolve_properties(core: &Core, op: &Kept) -> Result<Rest, Fault> {
    let Payload::SetProperties { values, base } = &op.payload else {
        return Ok(None);
    };
    let since = earlier(op.claimed_at.unwrap_or(op.created_at), late::SKEW);
    match precheck::look(core, op, Lane::Verify).await {
        Look::Already(record) => land::landed(core, op, Some(*record)).await?,
        Look::Changed(record) | Look::Go(record) if was_set_by_us(&record, values, since) => {
            land::landed(core, op, Some(*record)).await?;
        }
        Look::Go(_) => return again(core, op, outcome::backoff(op, Duration::from_secs(1))).await,
        Look::Changed(record) if late::is_ours(core, op, &record).await? => {
            return again(core, op, outcome::backoff(op, Duration::from_secs(1))).await;
        }
        Look::Changed(record) => {
            let owners = core.desk.read(|reader| Ok(reader.mirror.owners()?)).await?;
            let message = precheck::conflict(&record, values, base, &owners);
            land::shown(core, *record).await?;
            land::finish(core, op, in_conflict(message)).await?;
        }
        Look::Gone | Look::Merged(_) => {
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
async fn again(core: &Core, op: &Kept, wait: Duration) -> Result<Rest, Fault> {
    let outcome = Outcome {
        not_before: Some(later(core.now(), wait)),
        error: op.error.clone(),
        ..Outcome::to(OpState::Queued)
    };
    land::finish(core, op, outcome).await.map(|()| None)
}

async fn resolve_note(core: &Core, missed: &Missed, op: &Kept) -> Result<Rest, Fault> {
    let Payload::CreateNote { body, at, .. } = &op.payload else {
        return Ok(None);
    };
    let deal = op.entity.id.as_str().into();
    let found = match notes::read(core, Lane::Verify, &deal).await {
        Ok(found) => found,
        Err(failure) => return unseen(core, &failure).await,
    };
    let mut ours: Vec<Record> = found.into_iter().filter(|note| is_ours(note, body, *at)).collect();
    ours.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    let copies = ours.len();
    if let Some(note) = ours.into_iter().next() {
        forget(missed, op.id);
        land::landed(core, op, Some(note)).await?;
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
            let wanted_gone = store.outbox.pending()?.iter().any(|undo| undo.undo_of == Some(id));
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

async fn unseen(core: &Core, failure: &crate::hubspot::Failure) -> Result<Rest, Fault> {
    core.weigh(failure).await;
    Ok(Some(later(core.now(), failure.retry_after.unwrap_or(REST))))
}

/// Works on an operation that landed and is not done: brings its record into the mirror; where a send was ambiguous, makes
/// sure first that no late, older send of ours overwrote a newer intent.
pub async fn settle(core: &Core, op: Kept) -> Result<Rest, Fault> {
    match &op.payload {
        Payload::SetProperties { .. } => settle_properties(core, &op).await,
        Payload::CreateNote { .. } => {
            let deal = op.entity.id.as_str().into();
            match notes::refresh(core, Lane::Verify, &deal).await {
                Ok(()) => done(core, &op, None).await,
                Err(Trouble::Failure(failure)) => unseen(core, &failure).await,
                Err(Trouble::Fault(fault)) => Err(fault),
            }
        }
        _ => done(core, &op, None).await,
    }
}

async fn settle_properties(core: &Core, op: &Kept) -> Result<Rest, Fault> {
    let record = match precheck::look(core, op, Lane::Verify).await {
        Look::Already(record) => return done(core, op, Some(*record)).await,
        Look::Go(record) | Look::Changed(record) => *record,
        Look::Gone | Look::Merged(_) => return done(core, op, None).await,
        Look::Failed(failure) => return unseen(core, &failure).await,
    };
    let Some(repair) = late::overwritten(core, op, &record).await? else {
        return done(core, op, Some(record)).await;
    };
    land::mirrored(core, op, Some(record), false).await?;
    let (id, now) = (op.id, core.now());
    let kept = core
        .desk
        .write(move |store| {
            // A newer intent is on its way: it will overwrite the late value itself, and must not be overwritten by an old one.
            if late::is_outdated(&repair, &store.outbox.pending_of(&repair.entity)?) {
                store.outbox.settle(id, now)?;
                return Ok(None);
            }
            Ok(Some(store.outbox.settle_with_repair(id, &repair, now)?))
        })
        .await?;
    land::tell(core, op, OpState::Done).await;
    if let Some(kept) = kept {
        land::tell(core, &kept, OpState::Queued).await;
    }
    Ok(None)
}

async fn done(core: &Core, op: &Kept, record: Option<Record>) -> Result<Rest, Fault> {
    let state = land::mirrored(core, op, record, true).await?;
    land::tell(core, op, state).await;
    Ok(None)
}
