//! A deal as somebody looks at it: the deal itself, its notes, its contacts and companies, read directly.

use std::collections::{BTreeMap, BTreeSet};

use super::{Trouble, activities, allowed, direct, properties_of, readable};
use crate::{
    domain::{
        ActivityItem, ActivityKind, Deal, DealId, Event, Fault, Lane, Note, ObjectType, OpState, Payload, Record,
        RecordRef, Who, html_to_text,
    },
    hubspot::{Failure, GetQuery, Signal},
    store::{OutboxFilter, Store},
    sync::{connection::Part, core::Core, scopes::Need},
};

/// Who belongs to a deal.
const PEOPLE: [ObjectType; 2] = [ObjectType::Contacts, ObjectType::Companies];

/// Serves the wishes of people who look at deals, until dropped.
pub async fn serve_looks(core: &Core) {
    loop {
        let Some(deal) = next_wish(core) else {
            core.look_bell.notified().await;
            continue;
        };
        core.account_is_checked().await;
        core.line.opened().await;
        let answers = core.client.answers();
        let outcome = look(core, &deal).await;
        core.ended(Part::Looks, &outcome, answers).await;
        if let Err(trouble) = outcome {
            tracing::info!(%deal, fault = %trouble.fault(), "a deal could not be read");
        }
    }
}

/// The newest wish first: it is what is on the screen.
fn next_wish(core: &Core) -> Option<DealId> {
    core.wishes().pop_back()
}

async fn look(core: &Core, deal: &DealId) -> Result<(), Trouble> {
    if let Some(fault) = core.scopes.lacking(Need::Read(ObjectType::Deals)) {
        return Err(fault.into());
    }
    let query = GetQuery {
        properties: properties_of(core, ObjectType::Deals),
        associations: readable(core, PEOPLE),
        ..GetQuery::default()
    };
    let reference = RecordRef::new(ObjectType::Deals, deal.as_str());
    let record = match core.client.get(Lane::Read, &reference, &query).await {
        Ok(record) if record.id == deal.as_str() && !record.archived => record,
        Ok(record) => return vanished(core, deal, Some(record.id)).await,
        Err(failure) if failure.signal == Signal::NotFound => return vanished(core, deal, None).await,
        Err(failure) => return Err(failure.into()),
    };
    for object in readable(core, PEOPLE) {
        let ids = record.associations.get(&object).cloned().unwrap_or_default();
        // Whoever the token may not read is missing; the deal and its notes are shown all the same.
        if let Some(people) = allowed(core, Need::Read(object), batch(core, Lane::Read, object, &ids)).await? {
            core.desk
                .write(move |store| Ok(store.mirror.put(object, &people, direct())?))
                .await?;
        }
    }
    core.desk
        .write(move |store| Ok(store.mirror.put(ObjectType::Deals, &[record], direct())?))
        .await?;
    refresh(core, Lane::Read, std::slice::from_ref(deal)).await?;
    activities::refresh(core, Lane::Read, deal).await?;
    core.tell_deals(vec![deal.clone()]);
    Ok(())
}

/// The deal is not there under this id any more: archived, or merged into another one.
async fn vanished(core: &Core, deal: &DealId, into: Option<String>) -> Result<(), Trouble> {
    let id = deal.clone();
    core.desk
        .write(move |store| {
            match into.filter(|into| into != id.as_str()) {
                Some(into) => {
                    store.outbox.put_alias(ObjectType::Deals, id.as_str(), &into)?;
                    store.mirror.merge(ObjectType::Deals, id.as_str(), &into)?;
                }
                None => {
                    store.mirror.remove(ObjectType::Deals, &[id.as_str()])?;
                }
            }
            Ok(())
        })
        .await?;
    core.tell(Event::DealsChanged {
        ids: vec![deal.clone()],
        by: None,
        remote: true,
    });
    Ok(())
}

/// Reads the notes of deals from HubSpot: never by search, whose index lags. Every deal is a key.
pub async fn read(core: &Core, lane: Lane, deals: &[DealId]) -> Result<BTreeMap<DealId, Vec<Record>>, Failure> {
    let ids: Vec<String> = deals.iter().map(ToString::to_string).collect();
    let links = core
        .client
        .associations(lane, ObjectType::Deals, ObjectType::Notes, &ids)
        .await?;
    let all: BTreeSet<&String> = links.values().flatten().collect();
    let all: Vec<String> = all.into_iter().cloned().collect();
    let notes = batch(core, lane, ObjectType::Notes, &all).await?;
    let notes: BTreeMap<&str, &Record> = notes.iter().map(|note| (note.id.as_str(), note)).collect();
    let of = |ids: &[String]| {
        let notes = ids.iter().filter_map(|id| notes.get(id.as_str()).copied().cloned());
        notes.collect()
    };
    Ok(links
        .iter()
        .map(|(deal, ids)| (deal.as_str().into(), of(ids)))
        .collect())
}

async fn batch(core: &Core, lane: Lane, object: ObjectType, ids: &[String]) -> Result<Vec<Record>, Failure> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let properties = properties_of(core, object);
    let names: Vec<&str> = properties.iter().map(String::as_str).collect();
    Ok(core.client.batch_read(lane, object, ids, &names, &[]).await?.records)
}

/// Reads the notes of deals into the mirror, if the token may, and tells of those a colleague wrote since the last time.
pub async fn refresh(core: &Core, lane: Lane, deals: &[DealId]) -> Result<(), Trouble> {
    let as_of = core.now();
    let Some(found) = allowed(core, Need::Read(ObjectType::Notes), read(core, lane, deals)).await? else {
        return Ok(());
    };
    let items = core
        .desk
        .write(move |store| {
            let mut items = Vec::new();
            for (deal, found) in found {
                let (before, known) = store.mirror.notes_of(&deal)?;
                if known.is_some() {
                    items.extend(news(store, &deal, &before, &found)?);
                }
                store.mirror.put_notes(&deal, &found, as_of)?;
            }
            Ok(items)
        })
        .await?;
    core.happened(items).await;
    Ok(())
}

/// The same for several deals, as far as their notes were ever read.
pub async fn refresh_known(core: &Core, lane: Lane, deals: Vec<DealId>) -> Result<(), Trouble> {
    for deal in deals {
        let id = deal.clone();
        let (_, known) = core.desk.read(move |reader| Ok(reader.mirror.notes_of(&id)?)).await?;
        if known.is_some() {
            refresh(core, lane, std::slice::from_ref(&deal)).await?;
            core.tell_deals(vec![deal]);
        }
    }
    Ok(())
}

/// Notes that were not there before and are not ours.
fn news(store: &Store, deal: &DealId, before: &[Record], found: &[Record]) -> Result<Vec<ActivityItem>, Fault> {
    let entity = RecordRef::new(ObjectType::Deals, deal.as_str());
    let mut known: BTreeSet<String> = before.iter().map(|note| note.id.clone()).collect();
    let filter = OutboxFilter {
        states: vec![OpState::InFlight, OpState::Uncertain, OpState::Landed, OpState::Done],
        entity: Some(entity.clone()),
        limit: Some(50),
    };
    let ours = store.outbox.list(&filter)?;
    known.extend(ours.iter().filter_map(|op| op.remote_id.clone()));
    let unanswered = |note: &Note| {
        ours.iter()
            .any(|op| matches!(&op.payload, Payload::CreateNote { at, .. } if at.as_millisecond() == note.at.as_millisecond()))
    };
    let name = store
        .mirror
        .record(&entity)?
        .map(|record| Deal::from_record(&record).name)
        .unwrap_or_default();
    Ok(found
        .iter()
        .filter(|note| !known.contains(&note.id))
        .map(Note::from_record)
        .filter(|note| !unanswered(note))
        .map(|note| ActivityItem {
            at: note.at,
            who: note.owner.map_or(Who::Someone, Who::Owner),
            deal: Some(deal.clone()),
            name: name.clone(),
            kind: ActivityKind::Note(html_to_text(&note.body, 200).lines().count()),
        })
        .collect())
}

/// Adds a note HubSpot just confirmed to a deal's notes. `false` when they were never read whole: then they must be.
pub fn add(store: &mut Store, deal: &DealId, note: Record) -> Result<bool, Fault> {
    let (mut notes, Some(as_of)) = store.mirror.notes_of(deal)? else {
        return Ok(false);
    };
    notes.retain(|known| known.id != note.id);
    notes.push(note);
    store.mirror.put_notes(deal, &notes, as_of)?;
    Ok(true)
}
