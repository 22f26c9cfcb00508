//! Objects: listings and single reads, with their associations.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    batch_read::Batch,
    call::Call,
    client::Client,
    failure::Failure,
    paths,
    queries::{Found, GetQuery, ListQuery, RecordPage},
    signal::Signal,
    transport::Response,
    wire::{self, Results, WireRecord},
};
use crate::domain::{Lane, ObjectType, Record, RecordRef};

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
            id_property: None,
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
    /// [`Failure`]; [`Signal::NotFound`] when there is none (or only an archived one; [`find`](Self::find) tells).
    pub async fn get(&self, lane: Lane, record: &RecordRef, query: &GetQuery) -> Result<Record, Failure> {
        let (found, _) = self.get_dated(lane, record, query).await?;
        Ok(found)
    }

    /// What has become of a record: it lives, was merged into another, was archived, or is nowhere to be found.
    ///
    /// # Errors
    /// [`Failure`] for anything but its absence.
    pub async fn find(&self, lane: Lane, record: &RecordRef, query: &GetQuery) -> Result<Found, Failure> {
        for archived in [false, true] {
            let query = GetQuery {
                archived,
                ..query.clone()
            };
            match self.get_dated(lane, record, &query).await {
                Ok((record, at)) if record.archived || archived => return Ok(Found::Archived { record, at }),
                Ok((found, _)) if query.id_property.is_none() && found.id != record.id => {
                    return Ok(Found::Merged(found));
                }
                Ok((found, _)) => return Ok(Found::Live(found)),
                Err(failure) if failure.signal == Signal::NotFound => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(Found::Absent)
    }

    /// The record, and when it was archived. Properties that would make the address too long are read in a batch.
    async fn get_dated(
        &self,
        lane: Lane,
        record: &RecordRef,
        query: &GetQuery,
    ) -> Result<(Record, Option<Timestamp>), Failure> {
        let path = query.path(record);
        let wide = path.len() > paths::LONGEST;
        let narrow = GetQuery {
            properties: Vec::new(),
            history: Vec::new(),
            ..query.clone()
        };
        let path = if wide { narrow.path(record) } else { path };
        let (found, more, archived_at) = self
            .read(lane, Call::get(path), |response| {
                let wire: WireRecord = wire::read(response)?;
                let archived_at = wire::time(wire.archived_at.as_ref());
                let (mut found, more) = wire.into_record(record.object)?;
                only_asked(&mut found, &query.associations);
                Ok((found, more, archived_at))
            })
            .await?;
        let more = more.into_iter().map(|kind| (kind, found.id.clone())).collect();
        let page = RecordPage {
            records: vec![found],
            after: None,
        };
        let mut page = self.complete(lane, record.object, page, more).await?;
        let gone = || {
            let message = format!("{} '{}' is gone", record.object.singular(), record.id);
            Failure::new(Signal::NotFound, message)
        };
        let found = page.records.pop().ok_or_else(gone)?;
        if !wide {
            return Ok((found, archived_at));
        }
        let batch = Batch {
            object: record.object,
            properties: &query.properties,
            history: &query.history,
            archived: query.archived,
            id_property: None,
        };
        let read = self.batches(lane, &batch, std::slice::from_ref(&found.id)).await?;
        let full = read.records.into_iter().next().ok_or_else(gone)?;
        let full = Record {
            associations: found.associations,
            ..full
        };
        Ok((full, archived_at))
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
