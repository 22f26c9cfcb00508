//! Objects: list, get, batch read, create, update, archive.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    associations::inline_association,
    budget::Permit,
    call::Call,
    client::Client,
    failure::Failure,
    paths::{self, Query},
    queries::{BatchRead, GetQuery, ListQuery, RecordPage},
    transport::Response,
    wire::{self, Results, WireRecord},
};
use crate::domain::{Lane, ObjectType, Properties, Record, RecordRef};

impl Client {
    /// One page of a listing, in the order of ids. Where the properties would make the address too long, the ids are
    /// listed and the properties read in batches; nothing is dropped silently.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn list(&self, lane: Lane, object: ObjectType, query: &ListQuery) -> Result<RecordPage, Failure> {
        let path = query.path(object);
        if path.len() > paths::LONGEST {
            return self.list_wide(lane, object, query).await;
        }
        let (page, more) = self
            .read(lane, Call::get(path), |response| {
                record_page(response, object, &query.associations)
            })
            .await?;
        self.complete(lane, object, page, more).await
    }

    async fn list_wide(&self, lane: Lane, object: ObjectType, query: &ListQuery) -> Result<RecordPage, Failure> {
        let narrow = ListQuery {
            properties: Vec::new(),
            history: Vec::new(),
            limit: query.page_size(),
            ..query.clone()
        };
        let (page, more) = self
            .read(lane, Call::get(narrow.path(object)), |response| {
                record_page(response, object, &query.associations)
            })
            .await?;
        let page = self.complete(lane, object, page, more).await?;
        let ids: Vec<String> = page.records.iter().map(|record| record.id.clone()).collect();
        let batch = Batch {
            object,
            properties: &query.properties,
            history: &query.history,
            archived: query.archived,
        };
        let read = self.batches(lane, &batch, &ids).await?;
        let mut wide: BTreeMap<String, Record> = read.records.into_iter().map(|r| (r.id.clone(), r)).collect();
        let records = page.records.into_iter().filter_map(|narrow| {
            let record = wide.remove(&narrow.id)?;
            Some(Record {
                associations: narrow.associations,
                ..record
            })
        });
        Ok(RecordPage {
            records: records.collect(),
            after: page.after,
        })
    }

    /// One record. Its id differs from the one asked for when the record was merged into another.
    ///
    /// # Errors
    /// [`Failure`]; [`Signal::NotFound`](super::Signal::NotFound) when there is none (or only an archived one).
    pub async fn get(&self, lane: Lane, record: &RecordRef, query: &GetQuery) -> Result<Record, Failure> {
        let path = query.path(record);
        let wide = path.len() > paths::LONGEST;
        let narrow = GetQuery {
            properties: Vec::new(),
            history: Vec::new(),
            ..query.clone()
        };
        let path = if wide { narrow.path(record) } else { path };
        let (found, more) = self
            .read(lane, Call::get(path), |response| {
                let wire: WireRecord = wire::read(response)?;
                let (mut found, more) = wire.into_record(record.object)?;
                only_asked(&mut found, &query.associations);
                Ok((found, more))
            })
            .await?;
        let more = more.into_iter().map(|kind| (kind, found.id.clone())).collect();
        let page = RecordPage {
            records: vec![found],
            after: None,
        };
        let mut page = self.complete(lane, record.object, page, more).await?;
        let gone = || {
            Failure::new(
                super::Signal::NotFound,
                format!("{} '{}' is gone", record.object.singular(), record.id),
            )
        };
        let found = page.records.pop().ok_or_else(gone)?;
        if !wide {
            return Ok(found);
        }
        let batch = Batch {
            object: record.object,
            properties: &query.properties,
            history: &query.history,
            archived: query.archived,
        };
        let read = self.batches(lane, &batch, std::slice::from_ref(&found.id)).await?;
        let full = read.records.into_iter().next().ok_or_else(gone)?;
        Ok(Record {
            associations: found.associations,
            ..full
        })
    }

    /// Records by id, in chunks of 100 (50 with history). Every id is accounted for: found or missing.
    ///
    /// # Errors
    /// [`Failure`] when any chunk failed after its retries.
    pub async fn batch_read(
        &self,
        lane: Lane,
        object: ObjectType,
        ids: &[String],
        properties: &[&str],
        history: &[&str],
    ) -> Result<BatchRead, Failure> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (properties, history) = (owned(properties), owned(history));
        let batch = Batch {
            object,
            properties: &properties,
            history: &history,
            archived: false,
        };
        self.batches(lane, &batch, ids).await
    }

    pub(super) async fn batches(&self, lane: Lane, batch: &Batch<'_>, ids: &[String]) -> Result<BatchRead, Failure> {
        let mut ids = ids.to_vec();
        wire::dedupe(&mut ids);
        let chunks = ids.chunks(if batch.history.is_empty() { 100 } else { 50 });
        let calls: Vec<_> = chunks.map(|chunk| self.batch(lane, batch, chunk)).collect();
        let parts: Vec<Vec<Record>> = stream::iter(calls).buffer_unordered(IN_FLIGHT).try_collect().await?;
        let records: Vec<Record> = parts.into_iter().flatten().collect();
        let found: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
        let missing = ids.iter().filter(|id| !found.contains(id.as_str())).cloned().collect();
        Ok(BatchRead { records, missing })
    }

    async fn batch(&self, lane: Lane, batch: &Batch<'_>, ids: &[String]) -> Result<Vec<Record>, Failure> {
        let mut body = json!({ "inputs": inputs(ids), "properties": batch.properties });
        if !batch.history.is_empty() {
            body["propertiesWithHistory"] = json!(batch.history);
        }
        let path = Query::default()
            .with_some("archived", batch.archived.then_some("true"))
            .on(&format!("{}/batch/read", paths::objects(batch.object)));
        self.read(lane, Call::post(path, &body), |response| {
            let answer: Results<WireRecord> = wire::read(response)?;
            wire::only_absences(&answer.errors)?;
            let asked = |record: &Record| ids.contains(&record.id);
            let records: Result<Vec<Record>, Failure> = records(answer.results, batch.object);
            Ok(records?.into_iter().filter(asked).collect())
        })
        .await
    }

    /// Creates a record, linked to `links` in the same request.
    ///
    /// # Errors
    /// [`Failure`]; nothing was sent when two types cannot be linked.
    pub async fn create(
        &self,
        permit: Permit,
        object: ObjectType,
        properties: &Properties,
        links: &[RecordRef],
    ) -> Result<Record, Failure> {
        let associations = links
            .iter()
            .map(|link| inline_association(object, link))
            .collect::<Result<Vec<Value>, Failure>>()?;
        let mut body = json!({ "properties": values(properties) });
        if !associations.is_empty() {
            body["associations"] = Value::Array(associations);
        }
        let call = Call::post(paths::objects(object), &body);
        let response = self.write(permit, &call).await?;
        one_record(&response, object)
    }

    /// Sets properties; `None` clears. The answer holds the changed properties, not all of them, and another id when
    /// the record was merged; `None` when HubSpot only says that it is done.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn update(
        &self,
        permit: Permit,
        record: &RecordRef,
        changes: &Properties,
    ) -> Result<Option<Record>, Failure> {
        let body = json!({ "properties": values(changes) });
        let call = Call::send(Method::PATCH, paths::record(record), &body);
        let response = self.write(permit, &call).await?;
        if response.status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        one_record(&response, record.object).map(Some)
    }

    /// Archives a record; archiving an archived one succeeds too.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn archive(&self, permit: Permit, record: &RecordRef) -> Result<(), Failure> {
        let call = Call {
            method: Method::DELETE,
            ..Call::get(paths::record(record))
        };
        let response = self.write(permit, &call).await?;
        written(&response)
    }

    /// Fetches the rest of association lists that an answer cut off.
    async fn complete(
        &self,
        lane: Lane,
        object: ObjectType,
        mut page: RecordPage,
        more: Vec<(ObjectType, String)>,
    ) -> Result<RecordPage, Failure> {
        let mut by_type: BTreeMap<ObjectType, Vec<String>> = BTreeMap::new();
        for (kind, id) in more {
            by_type.entry(kind).or_default().push(id);
        }
        for (kind, ids) in by_type {
            let mut all = self.associations(lane, object, kind, &ids).await?;
            for record in &mut page.records {
                if let Some(ids) = all.remove(&record.id) {
                    record.associations.insert(kind, ids);
                }
            }
        }
        Ok(page)
    }
}

/// Batches on the wire at once: more would only wait in our own queue.
const IN_FLIGHT: usize = 16;

/// What to read of every record of a batch.
pub(super) struct Batch<'a> {
    pub(super) object: ObjectType,
    pub(super) properties: &'a [String],
    pub(super) history: &'a [String],
    pub(super) archived: bool,
}

/// A page with the `(type, id)` of every association list that was cut off.
fn record_page(
    response: &Response,
    object: ObjectType,
    associations: &[ObjectType],
) -> Result<(RecordPage, Vec<(ObjectType, String)>), Failure> {
    let answer: Results<WireRecord> = wire::read(response)?;
    let (mut records, mut cut) = (Vec::with_capacity(answer.results.len()), Vec::new());
    for wire in answer.results {
        let (mut record, more) = wire.into_record(object)?;
        only_asked(&mut record, associations);
        cut.extend(more.into_iter().map(|kind| (kind, record.id.clone())));
        records.push(record);
    }
    let after = wire::after(answer.paging);
    Ok((RecordPage { records, after }, cut))
}

/// The types asked for are keys, also when nothing is associated; no others are.
fn only_asked(record: &mut Record, associations: &[ObjectType]) {
    record.associations.retain(|kind, _| associations.contains(kind));
    for kind in associations {
        record.associations.entry(*kind).or_default();
    }
}

pub(super) fn records(wire: Vec<WireRecord>, object: ObjectType) -> Result<Vec<Record>, Failure> {
    let records = wire.into_iter().map(|wire| wire.into_record(object));
    records.map(|record| record.map(|(record, _)| record)).collect()
}

fn one_record(response: &Response, object: ObjectType) -> Result<Record, Failure> {
    let wire: WireRecord = wire::read(response)?;
    wire.into_record(object).map(|(record, _)| record)
}

/// A success without a record in it: nothing at all, or one of HubSpot's two ways to report links. Any other text was not
/// written by HubSpot.
pub(super) fn written(response: &Response) -> Result<(), Failure> {
    if response.status == StatusCode::NO_CONTENT || response.body.is_empty() {
        return Ok(());
    }
    let body: Value = wire::read(response)?;
    if body.get("results").is_some() || body.get("fromObjectId").is_some() {
        return Ok(());
    }
    let message = "the answer to a write does not say what was written";
    Err(Failure::new(super::Signal::Unreadable, message))
}

pub(super) fn inputs(ids: &[String]) -> Vec<Value> {
    ids.iter().map(|id| json!({ "id": id })).collect()
}

/// The empty text clears a property; null is not accepted everywhere.
fn values(properties: &Properties) -> BTreeMap<&str, &str> {
    properties
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default()))
        .collect()
}
