//! One send: look, take a slot, claim, send, record. Every step that matters is on disk before the next one begins.

use crate::{
    domain::{Bug, Fault, FaultKind, Lane, ObjectType, OpError, OpState, Payload, Properties, Record, RecordRef},
    hubspot::{Action, Failure, Permit, Quota, Signal},
    store::{self, Kept, Moment, OutboxFilter, Outcome, reached},
    sync::{connection::later, core::Core, scopes::Need},
};

use super::{
    REST, Rest, arrived_by, drilled, is_unborn, land, late, outcome,
    precheck::{self, Look},
};

/// Works on a queued operation that is due.
pub async fn send(core: &Core, epoch: u64, op: Kept) -> Result<Rest, Fault> {
    match &op.payload {
        Payload::SetProperties { .. } => set_properties(core, epoch, &op).await,
        Payload::CreateNote { .. } => create_note(core, epoch, &op).await,
        Payload::Archive => archive(core, epoch, &op).await,
        Payload::Associate { .. } | Payload::ListMember { .. } => tie(core, epoch, &op).await,
        // Contacts leave together, by a way of their own.
        Payload::UpsertContact { .. } => Ok(None),
    }
}

async fn set_properties(core: &Core, epoch: u64, op: &Kept) -> Result<Rest, Fault> {
    let Payload::SetProperties { values, base } = &op.payload else {
        return Ok(None);
    };
    match precheck::look(core, op, Lane::Write).await {
        Look::Go(record) => remember(core, op, &record).await?,
        Look::Changed(record) if late::is_ours(core, op, &record).await? => remember(core, op, &record).await?,
        Look::Already(record) => return land::landed(core, op, Some(*record)).await.map(|()| None),
        Look::Changed(record) => return conflict(core, op, &record, values, base).await.map(|()| None),
        Look::Gone if core.settings.drill.has(Bug::GoneIgnored) => {}
        Look::Gone => return land::finish(core, op, held(outcome::gone(None))).await.map(|()| None),
        Look::Merged(id) => return merged(core, op, id).await.map(|()| None),
        Look::Failed(failure) => return unseen(core, op, &failure).await,
    }
    let permit = core.client.permit(Lane::Write, Quota::Burst).await;
    let Some(claimed) = claim(core, epoch, op).await? else {
        return Ok(None);
    };
    let answer = core.client.update(permit, &op.entity, values).await;
    let has_landed = answer.is_ok();
    let rest = record(core, &claimed, answer).await?;
    if has_landed && let Some(sentence) = late::overwrote(core, op).await {
        core.say(sentence).await;
    }
    Ok(rest)
}

/// What HubSpot is about to change along with a write is remembered as it is right before, for an undo.
async fn remember(core: &Core, op: &Kept, record: &Record) -> Result<(), Fault> {
    let Payload::SetProperties { values, base } = &op.payload else {
        return Ok(());
    };
    let mut fresh = base.clone();
    fresh
        .iter_mut()
        .filter(|(name, _)| !values.contains_key(*name))
        .for_each(|(name, value)| *value = record.get(name).map(str::to_owned));
    if fresh == *base {
        return Ok(());
    }
    let payload = Payload::SetProperties {
        values: values.clone(),
        base: fresh,
    };
    let id = op.id;
    core.desk
        .write(move |store| Ok(store.outbox.remember(id, &payload)?))
        .await
}

async fn create_note(core: &Core, epoch: u64, op: &Kept) -> Result<Rest, Fault> {
    let Payload::CreateNote {
        body,
        at,
        owner,
        links,
        key,
    } = &op.payload
    else {
        return Ok(None);
    };
    let mut properties = Properties::from([
        ("hs_timestamp".to_owned(), Some(at.to_string())),
        ("hs_note_body".to_owned(), Some(body.clone())),
    ]);
    if let Some(owner) = owner {
        properties.insert("hubspot_owner_id".to_owned(), Some(owner.to_string()));
    }
    if let Some(key) = key
        && !core.settings.drill.has(Bug::KeyNotSent)
    {
        properties.insert(key.clone(), Some(op.op_key.clone()));
    }
    let permit = core.client.permit(Lane::Write, Quota::Burst).await;
    let Some(claimed) = claim(core, epoch, op).await? else {
        return Ok(None);
    };
    let answer = core.client.create(permit, ObjectType::Notes, &properties, links).await;
    match (answer, key) {
        (Err(failure), Some(key)) if failure.signal == Signal::Validation && failure.message.contains(key) => {
            key_is_gone(core, &claimed, &failure).await
        }
        (answer, _) => record(core, &claimed, answer.map(Some)).await,
    }
}

/// HubSpot refuses the property that carries the key: somebody took it away. It had no effect; without the key it goes as
/// notes go where there is none, and where an earlier send may have arrived, it is looked for first.
async fn key_is_gone(core: &Core, op: &Kept, failure: &Failure) -> Result<Rest, Fault> {
    let state = match op.ambiguous_sends {
        0 => OpState::Queued,
        _ => OpState::Uncertain,
    };
    let outcome = Outcome {
        ambiguous: state == OpState::Uncertain,
        charged: false,
        http_status: failure.status,
        correlation_id: failure.correlation_id.clone(),
        ..Outcome::to(state)
    };
    let (id, now) = (op.id, core.now());
    core.desk
        .write(move |store| {
            store.outbox.finish(id, &outcome, now)?;
            Ok(store.outbox.forget_key(id, now)?)
        })
        .await?;
    land::tell(core, op, state).await;
    Ok(None)
}

async fn archive(core: &Core, epoch: u64, op: &Kept) -> Result<Rest, Fault> {
    let Some(target) = target(core, op).await? else {
        return after_unborn(core, op).await;
    };
    // An archived note gives its key away: a lost send that arrives then makes another one.
    let in_doubt = original(core, op).await?.filter(|note| note.ambiguous_sends > 0);
    let arrived = in_doubt.map(|note| arrived_by(&note));
    if let Some(arrived) = arrived.filter(|at| *at > core.now()) {
        return Ok(Some(arrived));
    }
    let permit: Permit = core.client.permit(Lane::Write, Quota::Burst).await;
    let Some(claimed) = claim(core, epoch, op).await? else {
        return Ok(None);
    };
    let answer = core.client.archive(permit, &target).await;
    record(core, &claimed, answer.map(|()| None)).await
}

/// Links, unlinks, puts on a list, takes off it: all may be repeated.
async fn tie(core: &Core, epoch: u64, op: &Kept) -> Result<Rest, Fault> {
    let Some(record) = known(core, &op.entity).await? else {
        let unknown = OpError {
            class: "not_found".to_owned(),
            message: "HubSpot has no contact with this e-mail address; push it first, then send this again".to_owned(),
            correlation_id: None,
        };
        return land::finish(core, op, held(unknown)).await.map(|()| None);
    };
    let permit = core.client.permit(Lane::Write, Quota::Burst).await;
    let Some(claimed) = claim(core, epoch, op).await? else {
        return Ok(None);
    };
    let ids = [record.id.clone()];
    let answer = match &op.payload {
        Payload::Associate { with, linked: true } => core.client.associate(permit, &record, with).await,
        Payload::Associate { with, .. } => core.client.dissociate(permit, &record, with).await,
        Payload::ListMember { list, member: true } => core.client.add_to_list(permit, list, &ids).await.map(drop),
        Payload::ListMember { list, .. } => core.client.remove_from_list(permit, list, &ids).await.map(drop),
        _ => return Ok(None),
    };
    self::record(core, &claimed, answer.map(|()| None)).await
}

/// The record under HubSpot's own id: a contact that goes by its address got one when it was last pushed.
async fn known(core: &Core, entity: &RecordRef) -> Result<Option<RecordRef>, Fault> {
    if entity.email().is_none() {
        return Ok(Some(entity.clone()));
    }
    let filter = OutboxFilter {
        states: vec![OpState::Landed, OpState::Done],
        entity: Some(entity.clone()),
        limit: None,
    };
    let landed = core.desk.read(move |reader| Ok(reader.outbox.list(&filter)?)).await?;
    Ok(landed
        .into_iter()
        .find(|op| matches!(op.payload, Payload::UpsertContact { .. }))
        .and_then(|op| op.op.remote_id)
        .map(|id| RecordRef::new(entity.object, id)))
}

/// What an archive is about: its record, or the note that came of the operation it takes back.
pub async fn target(core: &Core, op: &Kept) -> Result<Option<RecordRef>, Fault> {
    if !is_unborn(&op.entity) {
        return Ok(Some(op.entity.clone()));
    }
    Ok(original(core, op)
        .await?
        .filter(|original| matches!(original.state, OpState::Landed | OpState::Done))
        .and_then(|original| original.remote_id.clone())
        .map(|id| RecordRef::new(ObjectType::Notes, id)))
}

/// The note to take back does not exist yet: wait for it, or be done when it will never exist.
async fn after_unborn(core: &Core, op: &Kept) -> Result<Rest, Fault> {
    match original(core, op).await?.map(|original| original.state) {
        Some(OpState::Queued | OpState::InFlight | OpState::Uncertain) => Ok(Some(later(core.now(), REST))),
        _ => {
            let id = op.id;
            let now = core.now();
            core.desk.write(move |store| Ok(store.outbox.cancel(id, now)?)).await?;
            land::tell(core, op, OpState::Cancelled).await;
            Ok(None)
        }
    }
}

async fn original(core: &Core, op: &Kept) -> Result<Option<Kept>, Fault> {
    let Some(of) = op.undo_of else {
        return Ok(None);
    };
    core.desk.read(move |reader| Ok(reader.outbox.get(of)?)).await
}

/// Claims on disk. `None` when somebody was faster and it was taken back. That another process sends now is a fault: the
/// operation rests, or this process would try to claim it without a pause.
async fn claim(core: &Core, epoch: u64, op: &Kept) -> Result<Option<Kept>, Fault> {
    if core.settings.drill.has(Bug::ClaimAfterSend) {
        return Ok(Some(op.clone()));
    }
    let (id, now) = (op.id, core.now());
    reached(Moment::SlotTaken);
    let claimed = core
        .desk
        .write(move |store| match store.outbox.claim(id, epoch, now) {
            Ok(claimed) => Ok(Some(claimed)),
            Err(store::Error::Transition { .. } | store::Error::Blocked { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        })
        .await?;
    if claimed.is_some() {
        land::tell(core, op, OpState::InFlight).await;
        reached(Moment::Sending);
    }
    Ok(claimed)
}

/// Records what became of a send.
async fn record(core: &Core, op: &Kept, answer: Result<Option<Record>, Failure>) -> Result<Rest, Fault> {
    reached(Moment::Answered);
    match answer {
        Ok(answered) => {
            core.line.answered();
            land::landed(core, op, answered).await?;
        }
        Err(failure) => {
            if failure.signal == Signal::MissingScope {
                core.scopes.refused(need(op), failure.fault());
            }
            let failed = outcome::after_failure(op, &failure, &core.settings.push.retry, core.now());
            let outcome = drilled::outcome(core, failed);
            let state = outcome.state;
            if state == OpState::Landed {
                land::landed(core, op, None).await?;
            } else {
                land::finish(core, op, outcome).await?;
            }
            if is_about_the_line(op, &failure) {
                core.failed(&failure);
            }
        }
    }
    Ok(None)
}

/// A write that HubSpot refused, or failed at, says nothing about the line; one that nobody answered does, and so does
/// every answer after which no other operation should go out either.
pub fn is_about_the_line(op: &Kept, failure: &Failure) -> bool {
    let action = failure.verdict(outcome::class(&op.payload)).action;
    matches!(failure.status, None | Some(429))
        || matches!(
            action,
            Action::PauseAccount | Action::PauseFor(_) | Action::StopSending | Action::BreakCircuit | Action::Offline
        )
}

/// What the token must be allowed to for an operation.
pub fn need(op: &Kept) -> Need {
    Need::Write(match op.payload {
        Payload::CreateNote { .. } => ObjectType::Notes,
        _ => op.entity.object,
    })
}

/// The outcome of an operation the token is not allowed to.
pub fn without_scope(fault: &Fault) -> Outcome {
    held(OpError {
        class: "scope".to_owned(),
        message: format!("{}; grant it, then send this again", fault.what),
        correlation_id: None,
    })
}

/// The look before the write failed: nothing was claimed, nothing is charged.
async fn unseen(core: &Core, op: &Kept, failure: &Failure) -> Result<Rest, Fault> {
    core.weigh(failure).await;
    let refused = outcome::after_failure(op, failure, &core.settings.push.retry, core.now());
    if matches!(refused.state, OpState::Held) {
        land::finish(core, op, refused).await?;
        return Ok(None);
    }
    Ok(Some(later(core.now(), failure.retry_after.unwrap_or(REST))))
}

async fn conflict(
    core: &Core,
    op: &Kept,
    record: &Record,
    values: &Properties,
    base: &Properties,
) -> Result<(), Fault> {
    let labels = core.labels(op.entity.object).await?;
    let message = precheck::conflict(record, values, base, &labels);
    land::shown(core, record.clone()).await?;
    land::finish(core, op, in_conflict(message)).await
}

/// The outcome of an operation that somebody else was faster than.
pub fn in_conflict(message: String) -> Outcome {
    Outcome {
        error: Some(OpError {
            class: "conflict".to_owned(),
            message,
            correlation_id: None,
        }),
        ..Outcome::to(OpState::Conflict)
    }
}

/// The record was merged into another one: a person decides whether the change goes there.
pub async fn merged(core: &Core, op: &Kept, into: String) -> Result<(), Fault> {
    let (entity, new) = (op.entity.clone(), into.clone());
    core.desk
        .write(move |store| {
            store.outbox.put_alias(entity.object, &entity.id, &new)?;
            store.mirror.merge(entity.object, &entity.id, &new)?;
            Ok(())
        })
        .await?;
    let error = OpError {
        class: OpError::MERGED.to_owned(),
        message: format!(
            "this {} was merged into '{into}'; send it again to make the change there, or drop it",
            op.entity.object.singular()
        ),
        correlation_id: None,
    };
    land::finish(core, op, held(error)).await
}

fn held(error: OpError) -> Outcome {
    Outcome {
        error: Some(error),
        ..Outcome::to(OpState::Held)
    }
}

/// The outcome of an operation of another account.
pub fn wrong_account() -> Outcome {
    let fault = Fault::new(
        FaultKind::Auth,
        "this change was made in another HubSpot account",
        "use that account's token, then send it again, or drop it",
    );
    held(OpError {
        class: "auth".to_owned(),
        message: fault.to_string(),
        correlation_id: None,
    })
}
