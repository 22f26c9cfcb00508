//! The end of an operation: its outcome in the outbox, HubSpot's answer in the mirror, and the news for every face.

use crate::{
    domain::{
        ActivityItem, ActivityKind, Bug, Deal, DealId, Fault, ObjectType, OpId, OpState, Operation, Payload, Record,
        RecordRef, Who, html_to_text,
    },
    store::{Kept, Outcome, Store},
    sync::{
        core::{Core, deal_of},
        feed,
        pull::{direct, notes, properties_of},
    },
};

/// Records an outcome and tells.
pub async fn finish(core: &Core, op: &Kept, outcome: Outcome) -> Result<(), Fault> {
    let (id, now) = (op.id, core.now());
    let finished = core
        .desk
        .write(move |store| Ok(store.outbox.finish(id, &outcome, now)?))
        .await?;
    tell(core, op, finished.state).await;
    Ok(())
}

/// Records the outcomes of operations that left together and tells.
pub async fn finish_all(core: &Core, outcomes: Vec<(Kept, Outcome)>) -> Result<(), Fault> {
    if outcomes.is_empty() {
        return Ok(());
    }
    let now = core.now();
    let steps: Vec<(OpId, Outcome)> = outcomes.iter().map(|(op, outcome)| (op.id, outcome.clone())).collect();
    let finished = core
        .desk
        .write(move |store| Ok(store.outbox.finish_all(&steps, now)?))
        .await?;
    for op in &finished {
        tell_faces(core, op, op.state).await;
    }
    core.push_bell.notify_one();
    Ok(())
}

/// HubSpot has it. The answer goes into the mirror, and the operation is done unless a last look is due: after an
/// ambiguous send, and where the answer to a property write held no record to show.
pub async fn landed(core: &Core, op: &Kept, answer: Option<Record>) -> Result<(), Fault> {
    let (kept, now) = (op.clone(), core.now());
    let outcome = Outcome {
        remote_id: answer.as_ref().map(|record| record.id.clone()),
        landed_version: answer.as_ref().map(|record| record.updated_at),
        ..Outcome::to(OpState::Landed)
    };
    core.desk
        .write(move |store| Ok(store.outbox.finish(kept.id, &outcome, now)?))
        .await?;
    if core.settings.drill.has(Bug::OverlayDropped) {
        let id = op.id;
        core.desk.write(move |store| Ok(store.outbox.settle(id, now)?)).await?;
        tell(core, op, OpState::Done).await;
        return Ok(());
    }
    let is_settled =
        !matches!(op.payload, Payload::SetProperties { .. }) || (op.ambiguous_sends == 0 && answer.is_some());
    let state = mirrored(core, op, answer, is_settled).await?;
    tell(core, op, state).await;
    Ok(())
}

/// Puts the answer of a landed operation into the mirror; with `settle` the operation is done then. Answers its state.
pub async fn mirrored(core: &Core, op: &Kept, answer: Option<Record>, settle: bool) -> Result<OpState, Fault> {
    let (op, now) = (op.clone(), core.now());
    let answer = answer.map(|record| match op.payload {
        Payload::SetProperties { .. } => lasting(core, &op, record),
        _ => record,
    });
    let (items, state) = core
        .desk
        .write(move |store| {
            let (items, is_shown) = match (&op.payload, answer) {
                (Payload::SetProperties { .. }, Some(record)) => (put(store, &op, record)?, true),
                (Payload::CreateNote { body, .. }, Some(record)) => put_note(store, &op, record, body, now)?,
                (Payload::Archive, _) => (remove(store, &op)?, true),
                _ => (Vec::new(), true),
            };
            let state = if settle && is_shown && !is_behind_unsettled(store, &op)? {
                store.outbox.settle(op.id, now)?.state
            } else {
                OpState::Landed
            };
            Ok((items, state))
        })
        .await?;
    core.happened(items).await;
    Ok(state)
}

/// Puts a record that was just read into the mirror.
pub async fn shown(core: &Core, record: Record) -> Result<(), Fault> {
    core.desk
        .write(move |store| {
            store.mirror.put(record.object, &[without_history(record)], direct())?;
            Ok(())
        })
        .await
}

/// Tells that an operation is in a new state, and looks at once what became possible.
pub async fn tell(core: &Core, op: &Kept, state: OpState) {
    tell_faces(core, op, state).await;
    core.push_bell.notify_one();
}

/// Tells the faces alone.
pub async fn tell_faces(core: &Core, op: &Kept, state: OpState) {
    let operation: Operation = op.op.clone();
    let deal = core
        .desk
        .read(move |reader| Ok(deal_of(&reader.outbox, &operation)))
        .await
        .unwrap_or_default();
    core.tell_operation(op.id, deal, state);
}

/// An earlier operation of the record still waits for its last look: were this one done before it, what is shown would
/// fall back to the earlier value.
fn is_behind_unsettled(store: &Store, op: &Kept) -> Result<bool, Fault> {
    let earlier = store.outbox.pending_of(&op.entity)?;
    Ok(earlier
        .iter()
        .any(|other| other.seq < op.seq && other.state == OpState::Landed))
}

fn put(store: &mut Store, op: &Operation, record: Record) -> Result<Vec<ActivityItem>, Fault> {
    let record = without_history(record);
    let changed = store.mirror.put(record.object, &[record], direct())?;
    if op.entity.object != ObjectType::Deals {
        return Ok(Vec::new());
    }
    let (owners, pipelines) = (store.mirror.owners()?, store.mirror.pipelines()?);
    let ours = std::slice::from_ref(op);
    Ok(changed
        .iter()
        .flat_map(|change| feed::items(change.before.as_ref(), &change.after, ours, &owners, &pipelines))
        .collect())
}

fn put_note(
    store: &mut Store,
    op: &Operation,
    record: Record,
    body: &str,
    now: jiff::Timestamp,
) -> Result<(Vec<ActivityItem>, bool), Fault> {
    let deal: DealId = op.entity.id.as_str().into();
    let is_shown = notes::add(store, &deal, without_history(record))?;
    let name = deal_name(store, &op.entity)?;
    let item = ActivityItem {
        at: now,
        who: Who::You,
        deal: Some(deal),
        name,
        kind: ActivityKind::Note(html_to_text(body, 200).lines().count()),
    };
    Ok((vec![item], is_shown))
}

fn remove(store: &mut Store, op: &Operation) -> Result<Vec<ActivityItem>, Fault> {
    // An undone note may have been asked for before HubSpot had given it an id: its own operation knows it by now.
    let original = match op.undo_of {
        Some(of) => store.outbox.get(of)?,
        None => None,
    };
    let id = original
        .and_then(|original| original.remote_id.clone())
        .unwrap_or_else(|| op.entity.id.clone());
    store.mirror.remove(op.entity.object, &[id])?;
    Ok(Vec::new())
}

fn deal_name(store: &Store, entity: &RecordRef) -> Result<String, Fault> {
    Ok(store
        .mirror
        .record(entity)?
        .map(|record| Deal::from_record(&record).name)
        .unwrap_or_default())
}

/// The answer to a write names what HubSpot computed, too. Only what later reads name is kept, and what the person set: the
/// rest would stay as it is now for ever.
fn lasting(core: &Core, op: &Operation, mut record: Record) -> Record {
    let read = properties_of(core, record.object);
    let is_set =
        |name: &String| matches!(&op.payload, Payload::SetProperties { values, .. } if values.contains_key(name));
    record.properties.retain(|name, _| read.contains(name) || is_set(name));
    record
}

fn without_history(mut record: Record) -> Record {
    record.history.clear();
    record
}
