//! Associations: who belongs to what. Read in batches of 1,000 or for one record with its labels, written one by one or in
//! batches. Every write can be sent again: associating twice changes nothing.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    budget::{Permit, Quota},
    call::Call,
    client::Client,
    cursor::Cursor,
    failure::Failure,
    paths::{self, Query},
    wire::{self, Paging, Plain, Results, Text},
    writes,
};
use crate::domain::{Association, AssociationCategory, AssociationLabel, Lane, ObjectType, RecordRef};

/// Records per batch read.
const BATCH: usize = 1_000;

#[derive(Debug, Deserialize)]
struct WireLinks {
    from: WireFrom,
    #[serde(default, deserialize_with = "wire::or_default")]
    to: Vec<WireTo>,
    paging: Option<Paging>,
}

#[derive(Debug, Deserialize)]
struct WireFrom {
    id: Text,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTo {
    /// A number in some versions, a text in others.
    to_object_id: Text,
    #[serde(default)]
    association_types: Vec<WireLabel>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLabel {
    category: AssociationCategory,
    type_id: Plain<u32>,
    label: Option<String>,
}

impl From<WireLabel> for AssociationLabel {
    fn from(wire: WireLabel) -> Self {
        Self {
            category: wire.category,
            type_id: wire.type_id.0,
            label: wire.label.filter(|label| !label.is_empty()),
        }
    }
}

impl Client {
    /// The ids of `to` that each of `ids` is associated with; every id asked for is a key. HubSpot reports "none" as an
    /// error inside a success; here it is an empty list.
    ///
    /// # Errors
    /// [`Failure`] when any batch failed after its retries.
    pub async fn associations(
        &self,
        lane: Lane,
        from: ObjectType,
        to: ObjectType,
        ids: &[String],
    ) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        let mut links: BTreeMap<String, Vec<String>> = ids.iter().map(|id| (id.clone(), Vec::new())).collect();
        let mut open: Vec<(String, Cursor)> = links.keys().map(|id| (id.clone(), Cursor::default())).collect();
        while !open.is_empty() {
            let rest = open.split_off(open.len().min(BATCH));
            let answers = self.association_batch(lane, from, to, &open).await?;
            let mut asked: BTreeMap<String, Cursor> = std::mem::replace(&mut open, rest).into_iter().collect();
            for answer in answers {
                let id = answer.from.id.0;
                // An answer about a record nobody asked for (a merged one), or a second one, has no place to go.
                let (Some(mut cursor), Some(known)) = (asked.remove(&id), links.get_mut(&id)) else {
                    continue;
                };
                let before = known.len();
                known.extend(answer.to.into_iter().map(|to| to.to_object_id.0));
                wire::dedupe(known);
                let is_first = cursor.after().is_none();
                let after = wire::after(answer.paging);
                let goes_on = after.is_none() || is_first || known.len() > before;
                match cursor.advance(after) {
                    Ok(true) if goes_on => open.push((id, cursor)),
                    Ok(false) => {}
                    // HubSpot is known to ignore the cursors of a batch: the record is asked by itself.
                    Ok(true) | Err(_) => {
                        let record = RecordRef::new(from, id);
                        let links = Box::pin(self.associations_of(lane, &record, to)).await?;
                        known.extend(links.into_iter().map(|link| link.to));
                        wire::dedupe(known);
                    }
                }
            }
        }
        Ok(links)
    }

    /// One batch; each input goes on from its cursor.
    async fn association_batch(
        &self,
        lane: Lane,
        from: ObjectType,
        to: ObjectType,
        inputs: &[(String, Cursor)],
    ) -> Result<Vec<WireLinks>, Failure> {
        let inputs = inputs.iter().map(|(id, cursor)| match cursor.after() {
            Some(after) => json!({ "id": id, "after": after }),
            None => json!({ "id": id }),
        });
        let body = json!({ "inputs": inputs.collect::<Vec<_>>() });
        let call = Call::post(paths::association_batch(from, to, "read"), &body).out_of(Quota::Free);
        self.read(lane, call, |response| {
            let answer: Results<WireLinks> = wire::read(response)?;
            wire::only_absences(&answer.errors)?;
            Ok(answer.results)
        })
        .await
    }

    /// Links two records with the default label; linking them again changes nothing.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn associate(&self, permit: Permit, from: &RecordRef, to: &RecordRef) -> Result<(), Failure> {
        let call = Call {
            method: Method::PUT,
            ..Call::get(paths::default_association(from, to))
        };
        let response = self.write(permit, &call).await?;
        writes::written(&response)
    }

    /// What one record is associated with, and under which labels.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn associations_of(
        &self,
        lane: Lane,
        from: &RecordRef,
        to: ObjectType,
    ) -> Result<Vec<Association>, Failure> {
        let (mut all, mut cursor) = (BTreeMap::<String, Vec<AssociationLabel>>::new(), Cursor::default());
        loop {
            let path = Query::default()
                .with("limit", "500")
                .with_some("after", cursor.after())
                .on(&paths::associations(from, to));
            let page = self.read(lane, Call::get(path), wire::read::<Results<WireTo>>).await?;
            for link in page.results {
                let labels = all.entry(link.to_object_id.0).or_default();
                labels.extend(link.association_types.into_iter().map(AssociationLabel::from));
            }
            if !cursor.advance(wire::after(page.paging))? {
                break;
            }
        }
        Ok(all.into_iter().map(|(to, labels)| Association { to, labels }).collect())
    }

    /// The labels that may stand on an association from one type to another, HubSpot's own included.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn association_labels(
        &self,
        lane: Lane,
        from: ObjectType,
        to: ObjectType,
    ) -> Result<Vec<AssociationLabel>, Failure> {
        let call = Call::get(paths::association_labels(from, to));
        let answer = self.read(lane, call, wire::read::<Results<WireLabel>>).await?;
        Ok(answer.results.into_iter().map(AssociationLabel::from).collect())
    }

    /// Links two records under these labels, which replace those there were.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn associate_as(
        &self,
        permit: Permit,
        from: &RecordRef,
        to: &RecordRef,
        labels: &[AssociationLabel],
    ) -> Result<(), Failure> {
        let body = Value::Array(labels.iter().map(label).collect());
        let call = Call::send(Method::PUT, paths::association(from, to), &body);
        let response = self.write(permit, &call).await?;
        writes::written(&response)
    }

    /// Takes two records apart, whatever their labels; records that are not linked stay so.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn dissociate(&self, permit: Permit, from: &RecordRef, to: &RecordRef) -> Result<(), Failure> {
        let response = self
            .write(permit, &writes::delete(paths::association(from, to)))
            .await?;
        writes::written(&response)
    }
}

/// A label as a write spells it.
pub(super) fn label(of: &AssociationLabel) -> Value {
    json!({ "associationCategory": of.category, "associationTypeId": of.type_id })
}
