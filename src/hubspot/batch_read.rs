//! Records by id or by a unique value, in batches. It accounts for every one that was asked for.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::{
    call::Call,
    client::Client,
    failure::Failure,
    paths::{self, Query},
    queries::BatchRead,
    unique,
    wire::{self, Results, WireRecord},
};
use crate::domain::{Lane, ObjectType, Record};

/// Batches on the wire at once: more would only wait in our own queue.
const IN_FLIGHT: usize = 16;

/// What to read of every record of a batch.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) object: ObjectType,
    pub(super) properties: &'a [String],
    pub(super) history: &'a [String],
    pub(super) archived: bool,
    /// The unique property that the inputs are values of, instead of ids.
    pub(super) id_property: Option<&'a str>,
}

/// The answer to one chunk.
struct Part {
    records: Vec<Record>,
    /// What it says is not there.
    absent: Vec<String>,
}

impl Client {
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
        let (properties, history) = (owned(properties), owned(history));
        let batch = Batch {
            object,
            properties: &properties,
            history: &history,
            archived: false,
            id_property: None,
        };
        self.batches(lane, &batch, ids).await
    }

    /// Records by a value of a unique property, in chunks of 100. Every value is accounted for; an e-mail address finds
    /// its contact however it is capitalised, also where it is not the contact's first one. With `archived` only archived
    /// records are found.
    ///
    /// # Errors
    /// [`Failure`] when any chunk failed after its retries.
    pub async fn batch_read_by(
        &self,
        lane: Lane,
        (object, archived): (ObjectType, bool),
        id_property: &str,
        values: &[String],
        properties: &[&str],
    ) -> Result<BatchRead, Failure> {
        let mut properties = owned(properties);
        properties.extend(owned(&unique::properties(id_property)));
        wire::dedupe(&mut properties);
        let batch = Batch {
            object,
            properties: &properties,
            history: &[],
            archived,
            id_property: Some(id_property),
        };
        self.batches(lane, &batch, values).await
    }

    pub(super) async fn batches(&self, lane: Lane, batch: &Batch<'_>, ids: &[String]) -> Result<BatchRead, Failure> {
        let mut seen = BTreeSet::new();
        let ids: Vec<String> = ids.iter().filter(|id| seen.insert(batch.fold(id))).cloned().collect();
        let chunks = ids.chunks(if batch.history.is_empty() { 100 } else { 50 });
        let calls: Vec<_> = chunks.map(|chunk| self.batch(lane, batch, chunk)).collect();
        let parts: Vec<Part> = stream::iter(calls).buffer_unordered(IN_FLIGHT).try_collect().await?;
        let mut records: BTreeMap<String, Record> = BTreeMap::new();
        let (mut found, mut named) = (BTreeSet::new(), BTreeSet::new());
        for part in parts {
            named.extend(part.absent.iter().map(|id| batch.fold(id)));
            for record in part.records {
                found.extend(batch.found_by(&record));
                records.insert(record.id.clone(), record);
            }
        }
        let missing: Vec<String> = ids.into_iter().filter(|id| !found.contains(&batch.fold(id))).collect();
        let is_silent = |id: &&String| !named.contains(&batch.fold(id));
        Ok(BatchRead {
            records: records.into_values().collect(),
            silent: missing.iter().filter(is_silent).cloned().collect(),
            missing,
        })
    }

    async fn batch(&self, lane: Lane, batch: &Batch<'_>, ids: &[String]) -> Result<Part, Failure> {
        let mut body = json!({ "inputs": inputs(ids), "properties": batch.properties });
        if !batch.history.is_empty() {
            body["propertiesWithHistory"] = json!(batch.history);
        }
        if let Some(name) = batch.id_property {
            body["idProperty"] = json!(name);
        }
        let path = Query::default()
            .with_some("archived", batch.archived.then_some("true"))
            .on(&format!("{}/batch/read", paths::objects(batch.object)));
        let asked: BTreeSet<String> = ids.iter().map(|id| batch.fold(id)).collect();
        self.read(lane, Call::post(path, &body), |response| {
            let answer: Results<WireRecord> = wire::read(response)?;
            wire::only_absences(&answer.errors)?;
            let is_asked = |record: &Record| batch.found_by(record).iter().any(|key| asked.contains(key));
            let records = wire::records(answer.results, batch.object)?.into_iter();
            Ok(Part {
                records: records.filter(is_asked).collect(),
                absent: answer.errors.iter().flat_map(|error| error.named("ids")).collect(),
            })
        })
        .await
    }
}

impl Batch<'_> {
    fn fold(&self, id: &str) -> String {
        self.id_property
            .map_or_else(|| id.to_owned(), |name| unique::fold(name, id))
    }

    fn found_by(&self, record: &Record) -> Vec<String> {
        match self.id_property {
            None => vec![record.id.clone()],
            Some(name) => unique::values(name, record),
        }
    }
}

pub(super) fn inputs(ids: &[String]) -> Vec<Value> {
    ids.iter().map(|id| json!({ "id": id })).collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
