//! Contacts by their e-mail addresses: up to a hundred leave in one request that creates or updates, since HubSpot keeps
//! addresses unique. One that HubSpot refuses does not keep the others: the request is cut in two until it stands alone,
//! and where somebody else was faster, a create becomes an update and an update a create.

use crate::{
    domain::{Fault, Lane, ObjectType, OpState, Payload, Properties, RecordRef},
    hubspot::{Failure, ItemOutcome, Quota, RecordChange, Signal},
    store::{Kept, Moment, Outcome, reached},
    sync::{connection::later, core::Core},
};

use super::{REST, Turn, land, outcome, send};

/// Sends contacts that are due.
pub async fn send(core: &Core, epoch: u64, ops: Vec<Kept>) -> Vec<Turn> {
    let turns = |outcome: Result<(), Fault>| ops.iter().map(|op| (op.id, outcome.clone().map(|()| None))).collect();
    let Some(first) = ops.first() else {
        return Vec::new();
    };
    if let Some(fault) = core.scopes.lacking(send::need(first)) {
        let held = ops.iter().map(|op| (op.clone(), send::without_scope(&fault))).collect();
        return turns(land::finish_all(core, held).await);
    }
    let permit = core.client.permit(Lane::Write, Quota::Burst).await;
    reached(Moment::SlotTaken);
    let (ids, now) = (ops.iter().map(|op| op.id).collect::<Vec<_>>(), core.now());
    let claimed = core
        .desk
        .write(move |store| Ok(store.outbox.claim_all(&ids, epoch, now)?))
        .await;
    let claimed = match claimed {
        Ok(claimed) => claimed,
        Err(fault) => return turns(Err(fault)),
    };
    for op in &claimed {
        land::tell_faces(core, op, OpState::InFlight).await;
    }
    reached(Moment::Sending);
    let outcomes = written(core, permit, &claimed).await;
    reached(Moment::Answered);
    let finished = land::finish_all(core, outcomes).await;
    // What could not be claimed rests, or it would be tried without a pause.
    let later = later(core.now(), REST);
    let rest = |op: &Kept| {
        if claimed.iter().any(|claimed| claimed.id == op.id) {
            None
        } else {
            Some(later)
        }
    };
    ops.iter()
        .map(|op| (op.id, finished.clone().map(|()| rest(op))))
        .collect()
}

/// Sends claimed contacts, in fewer and fewer at a time while HubSpot refuses a whole request for what one of them says.
async fn written(core: &Core, first: crate::hubspot::Permit, ops: &[Kept]) -> Vec<(Kept, Outcome)> {
    let (mut open, mut first) = (vec![ops], Some(first));
    let mut outcomes = Vec::with_capacity(ops.len());
    while let Some(part) = open.pop() {
        let changes: Vec<RecordChange> = part.iter().map(change).collect();
        let permit = match first.take() {
            Some(permit) => permit,
            None => core.client.permit(Lane::Write, Quota::Burst).await,
        };
        let written = core
            .client
            .batch_upsert(permit, ObjectType::Contacts, "email", &changes)
            .await;
        if let Some(cut) = written.cut() {
            let (left, right) = part.split_at(cut);
            open.extend([right, left]);
            continue;
        }
        match &written.whole {
            None => core.line.answered(),
            Some(failure) => weigh(core, part, failure),
        }
        for (op, item) in part.iter().zip(written.outcomes) {
            let outcome = match item {
                ItemOutcome::Landed { record, .. } => landed(record.id),
                ItemOutcome::Refused(failure) if is_race(&failure) => turned_around(core, op).await,
                ItemOutcome::Refused(failure) | ItemOutcome::Unknown(failure) => {
                    outcome::after_failure(op, &failure, &core.settings.push.retry, core.now())
                }
            };
            outcomes.push((op.clone(), outcome));
        }
    }
    outcomes
}

fn change(op: &Kept) -> RecordChange {
    let (email, properties) = parts(op);
    RecordChange { id: email, properties }
}

/// The address, and what is set besides it.
fn parts(op: &Kept) -> (String, Properties) {
    let Payload::UpsertContact { email, values } = &op.payload else {
        return (String::new(), Properties::new());
    };
    let mut values = values.clone();
    values.remove("email");
    (email.clone(), values)
}

fn landed(id: String) -> Outcome {
    Outcome {
        remote_id: Some(id),
        ..Outcome::to(OpState::Landed)
    }
}

fn weigh(core: &Core, part: &[Kept], failure: &Failure) {
    if failure.signal == Signal::MissingScope
        && let Some(op) = part.first()
    {
        core.scopes.refused(send::need(op), failure.fault());
    }
    if part.first().is_some_and(|op| send::is_about_the_line(op, failure)) {
        core.failed(failure);
    }
}

/// Somebody created it, or took it away, at the same moment.
const fn is_race(failure: &Failure) -> bool {
    matches!(
        failure.signal,
        Signal::Conflict | Signal::UniqueClash | Signal::NotFound
    )
}

/// By itself: updates the contact with the address; creates it when there is none; updates the one HubSpot names when
/// somebody was faster again.
async fn turned_around(core: &Core, op: &Kept) -> Outcome {
    let (email, values) = parts(op);
    let permit = core.client.permit(Lane::Write, Quota::Burst).await;
    let by_email = RecordRef::new(ObjectType::Contacts, email.clone());
    let failure = match core.client.update_by(permit, &by_email, "email", &values).await {
        Ok(record) => return record.map_or_else(|| Outcome::to(OpState::Landed), |record| landed(record.id)),
        Err(failure) => failure,
    };
    if failure.signal != Signal::NotFound {
        return outcome::after_failure(op, &failure, &core.settings.push.retry, core.now());
    }
    let mut all = values.clone();
    all.insert("email".to_owned(), Some(email));
    let permit = core.client.permit(Lane::Write, Quota::Burst).await;
    let failure = match core.client.create(permit, ObjectType::Contacts, &all, &[]).await {
        Ok(record) => return landed(record.id),
        Err(failure) => failure,
    };
    let Some(id) = failure
        .existing_id
        .clone()
        .filter(|_| failure.signal == Signal::Conflict)
    else {
        return outcome::after_failure(op, &failure, &core.settings.push.retry, core.now());
    };
    let permit = core.client.permit(Lane::Write, Quota::Burst).await;
    let existing = RecordRef::new(ObjectType::Contacts, id.clone());
    match core.client.update(permit, &existing, &values).await {
        Ok(_) => landed(id),
        Err(failure) => outcome::after_failure(op, &failure, &core.settings.push.retry, core.now()),
    }
}
