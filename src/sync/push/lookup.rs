//! Looking up what may be repeated: a note by the key HubSpot keeps unique, a contact by its address, a link, an archived
//! record. What is there has landed; what is not is sent again, as it was. Up to a hundred are looked up in one request.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{Fault, Lane, ObjectType, OpError, OpState, Payload, Record, RecordRef},
    hubspot::{Failure, Quota, Signal},
    store::{Kept, Moment, Outcome, reached},
    sync::{core::Core, pull::properties_of},
};

use super::{
    Rest, Turn, land, outcome, precheck,
    resolve::{again, unseen},
    send::target,
};

/// HubSpot says that the key is taken, and shows nobody who has it: after so many attempts a person is asked.
const MOST_CLASHES: u32 = 3;

/// Notes that carry a key.
pub async fn keyed(core: &Core, ops: Vec<Kept>) -> Vec<Turn> {
    let mut by_property: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    for op in ops {
        if let Payload::CreateNote { key: Some(key), .. } = &op.payload {
            by_property.entry(key.clone()).or_default().push(op);
        }
    }
    let mut turns = Vec::new();
    for (property, ops) in by_property {
        let found = by_key(core, &property, &ops).await;
        reached(Moment::LookedUp);
        for op in ops {
            let rest = match &found {
                Ok(found) => match found.get(&op.op_key) {
                    // Somebody archived it since: it took effect all the same.
                    Some(note) if note.archived => land::landed(core, &op, None).await.map(|()| None),
                    Some(note) => land::landed(core, &op, Some(note.clone())).await.map(|()| None),
                    None => absent(core, &op).await,
                },
                Err(failure) if failure.signal == Signal::Validation => without_key(core, &op).await,
                Err(failure) => unseen(core, failure).await,
            };
            turns.push((op.id, rest));
        }
    }
    turns
}

/// The notes that have these keys, archived ones too, each linked to what it is about.
async fn by_key(core: &Core, property: &str, ops: &[Kept]) -> Result<BTreeMap<String, Record>, Failure> {
    let mut properties = properties_of(core, ObjectType::Notes);
    properties.push(property.to_owned());
    let names: Vec<&str> = properties.iter().map(String::as_str).collect();
    let mut open: Vec<String> = ops.iter().map(|op| op.op_key.clone()).collect();
    let mut found = BTreeMap::new();
    for archived in [false, true] {
        if open.is_empty() {
            break;
        }
        let read = core
            .client
            .batch_read_by(Lane::Verify, (ObjectType::Notes, archived), property, &open, &names)
            .await?;
        for mut note in read.records {
            note.archived = archived;
            if let Some(key) = note.get(property) {
                found.insert(key.to_owned(), note);
            }
        }
        open = read.missing;
    }
    linked(core, ops, &found).await?;
    Ok(found)
}

/// A note is linked in the request that creates it. Linking again changes nothing, and makes sure of it; a refusal says that
/// one of the records is gone by now, and is no reason to wait.
async fn linked(core: &Core, ops: &[Kept], found: &BTreeMap<String, Record>) -> Result<(), Failure> {
    let mut pairs: BTreeMap<ObjectType, Vec<(String, String)>> = BTreeMap::new();
    for op in ops {
        let note = found.get(&op.op_key).filter(|note| !note.archived);
        if let (Some(note), Payload::CreateNote { links, .. }) = (note, &op.payload) {
            for link in links {
                let pair = (note.id.clone(), link.id.clone());
                pairs.entry(link.object).or_default().push(pair);
            }
        }
    }
    for (object, pairs) in pairs {
        let permit = core.client.permit(Lane::Verify, Quota::Free).await;
        let linked = core
            .client
            .associate_batch(permit, (ObjectType::Notes, object), &pairs, &[])
            .await;
        match linked {
            Err(failure) if failure.signal.is_silence() || failure.signal.is_about_everything() => return Err(failure),
            _ => {}
        }
    }
    Ok(())
}

async fn absent(core: &Core, op: &Kept) -> Result<Rest, Fault> {
    let is_taken = op.error.as_ref().is_some_and(|error| error.class == outcome::TAKEN);
    if !is_taken || op.attempts < MOST_CLASHES {
        return again(core, op).await;
    }
    let held = Outcome {
        error: Some(OpError {
            class: "unknown_outcome".to_owned(),
            message:
                "HubSpot says that it has this note, and does not show it; look there, then send it again or drop it"
                    .to_owned(),
            correlation_id: op.error.as_ref().and_then(|error| error.correlation_id.clone()),
        }),
        ..Outcome::to(OpState::Held)
    };
    land::finish(core, op, held).await.map(|()| None)
}

/// The property is gone, so nothing can be looked up by it: the note is looked for on its deal instead.
async fn without_key(core: &Core, op: &Kept) -> Result<Rest, Fault> {
    let (id, now) = (op.id, core.now());
    core.desk
        .write(move |store| Ok(store.outbox.forget_key(id, now)?))
        .await
        .map(|_| None)
}

/// Contacts that were to be created or updated by their address.
pub async fn contacts(core: &Core, ops: Vec<Kept>) -> Vec<Turn> {
    let mut names = BTreeSet::new();
    let mut emails = Vec::new();
    for op in &ops {
        if let Payload::UpsertContact { email, values } = &op.payload {
            names.extend(values.keys().map(String::as_str));
            emails.push(email.clone());
        }
    }
    if emails.is_empty() {
        return Vec::new();
    }
    let names: Vec<&str> = names.into_iter().collect();
    let read = core
        .client
        .batch_read_by(Lane::Verify, (ObjectType::Contacts, false), "email", &emails, &names)
        .await;
    reached(Moment::LookedUp);
    let mut turns = Vec::new();
    let by_email: Result<BTreeMap<String, Record>, Failure> = read.map(|read| {
        let named = |record: Record| {
            let emails: Vec<String> = emails_of(&record);
            emails.into_iter().map(move |email| (email, record.clone()))
        };
        read.records.into_iter().flat_map(named).collect()
    });
    for op in &ops {
        let Payload::UpsertContact { email, values } = &op.payload else {
            continue;
        };
        let rest = match &by_email {
            Ok(by_email) => match by_email.get(&email.trim().to_lowercase()) {
                Some(record) if precheck::has(record, values) => {
                    land::landed(core, op, Some(record.clone())).await.map(|()| None)
                }
                _ => untaken(core, op).await,
            },
            Err(failure) => unseen(core, failure).await,
        };
        turns.push((op.id, rest));
    }
    turns
}

/// HubSpot has not taken it: it is sent again on the schedule of contacts.
async fn untaken(core: &Core, op: &Kept) -> Result<Rest, Fault> {
    let outcome = outcome::after_doubt(op, &core.settings.push.retry, core.now());
    land::finish(core, op, outcome).await.map(|()| None)
}

fn emails_of(record: &Record) -> Vec<String> {
    ["email", "hs_additional_emails"]
        .into_iter()
        .filter_map(|name| record.get(name))
        .flat_map(|text| text.split(';'))
        .map(|email| email.trim().to_lowercase())
        .collect()
}

/// What was to be archived, linked or listed: what is so already has landed, the rest is simply done again.
pub async fn repeatable(core: &Core, ops: Vec<Kept>) -> Vec<Turn> {
    let mut archives: BTreeMap<ObjectType, Vec<(Kept, RecordRef)>> = BTreeMap::new();
    let mut links: BTreeMap<(ObjectType, ObjectType), Vec<Kept>> = BTreeMap::new();
    let mut turns = Vec::new();
    for op in ops {
        match &op.payload {
            Payload::Archive => match target(core, &op).await {
                Ok(Some(target)) => archives.entry(target.object).or_default().push((op, target)),
                Ok(None) => turns.push((op.id, again(core, &op).await)),
                Err(fault) => turns.push((op.id, Err(fault))),
            },
            Payload::Associate { with, .. } if op.entity.email().is_none() => {
                links.entry((op.entity.object, with.object)).or_default().push(op);
            }
            _ => turns.push((op.id, again(core, &op).await)),
        }
    }
    for (object, archives) in archives {
        turns.extend(archived(core, object, archives).await);
    }
    for (kinds, ops) in links {
        turns.extend(associated(core, kinds, ops).await);
    }
    turns
}

async fn archived(core: &Core, object: ObjectType, ops: Vec<(Kept, RecordRef)>) -> Vec<Turn> {
    let ids: Vec<String> = ops.iter().map(|(_, target)| target.id.clone()).collect();
    let read = core.client.batch_read(Lane::Verify, object, &ids, &[], &[]).await;
    reached(Moment::LookedUp);
    let mut turns = Vec::with_capacity(ops.len());
    for (op, target) in ops {
        let rest = match &read {
            Ok(read) if read.records.iter().any(|record| record.id == target.id) => again(core, &op).await,
            Ok(_) => land::landed(core, &op, None).await.map(|()| None),
            Err(failure) => unseen(core, failure).await,
        };
        turns.push((op.id, rest));
    }
    turns
}

async fn associated(core: &Core, (from, to): (ObjectType, ObjectType), ops: Vec<Kept>) -> Vec<Turn> {
    let ids: Vec<String> = ops.iter().map(|op| op.entity.id.clone()).collect();
    let read = core.client.associations(Lane::Verify, from, to, &ids).await;
    reached(Moment::LookedUp);
    let mut turns = Vec::with_capacity(ops.len());
    for op in ops {
        let Payload::Associate { with, linked } = &op.payload else {
            continue;
        };
        let rest = match &read {
            Ok(links) => {
                let is_linked = links.get(&op.entity.id).is_some_and(|ids| ids.contains(&with.id));
                if is_linked == *linked {
                    land::landed(core, &op, None).await.map(|()| None)
                } else {
                    again(core, &op).await
                }
            }
            Err(failure) => unseen(core, failure).await,
        };
        turns.push((op.id, rest));
    }
    turns
}
