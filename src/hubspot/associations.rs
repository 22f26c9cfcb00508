//! Associations: who belongs to what, read in batches of 1,000, written by default label or inline with a create.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    budget::{Permit, Quota},
    call::Call,
    client::Client,
    failure::Failure,
    objects, paths,
    signal::Signal,
    wire::{self, Paging, Results, Text},
};
use crate::domain::{Lane, ObjectType, RecordRef};

/// Records per batch.
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
        let mut open: Vec<(String, Option<String>)> = links.keys().map(|id| (id.clone(), None)).collect();
        while !open.is_empty() {
            let rest = open.split_off(open.len().min(BATCH));
            let answers = self.association_batch(lane, from, to, &open).await?;
            open = rest;
            for answer in answers {
                // An answer about a record nobody asked for (a merged one) has no place to go.
                let Some(known) = links.get_mut(&answer.from.id.0) else {
                    continue;
                };
                known.extend(answer.to.into_iter().map(|to| to.to_object_id.0));
                if let Some(after) = wire::after(answer.paging) {
                    open.push((answer.from.id.0, Some(after)));
                }
            }
        }
        links.values_mut().for_each(wire::dedupe);
        Ok(links)
    }

    /// One batch; each input goes on from its cursor.
    async fn association_batch(
        &self,
        lane: Lane,
        from: ObjectType,
        to: ObjectType,
        inputs: &[(String, Option<String>)],
    ) -> Result<Vec<WireLinks>, Failure> {
        let inputs = inputs.iter().map(|(id, after)| match after {
            Some(after) => json!({ "id": id, "after": after }),
            None => json!({ "id": id }),
        });
        let body = json!({ "inputs": inputs.collect::<Vec<_>>() });
        let call = Call::post(paths::association_batch(from, to), &body).out_of(Quota::Free);
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
        objects::written(&response)
    }
}

/// The link of a record that is being created.
pub(super) fn inline_association(from: ObjectType, to: &RecordRef) -> Result<Value, Failure> {
    let type_id = type_id(from, to.object).ok_or_else(|| {
        let message = format!("a {} cannot be linked to a {}", from.singular(), to.object.singular());
        Failure::new(Signal::Validation, message)
    })?;
    Ok(json!({
        "to": { "id": to.id },
        "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id }],
    }))
}

/// HubSpot's unlabelled association types. Direction matters.
const fn type_id(from: ObjectType, to: ObjectType) -> Option<u32> {
    use ObjectType::{Calls, Companies, Contacts, Deals, Emails, Meetings, Notes, Tasks, Tickets};
    let id = match (from, to) {
        (Contacts, Contacts) => 449,
        (Contacts, Companies) => 279,
        (Contacts, Deals) => 4,
        (Contacts, Tickets) => 15,
        (Companies, Contacts) => 280,
        (Companies, Companies) => 450,
        (Companies, Deals) => 342,
        (Companies, Tickets) => 340,
        (Deals, Contacts) => 3,
        (Deals, Companies) => 341,
        (Deals, Deals) => 451,
        (Deals, Tickets) => 27,
        (Tickets, Contacts) => 16,
        (Tickets, Companies) => 339,
        (Tickets, Deals) => 28,
        (Tickets, Tickets) => 452,
        (Notes, Contacts) => 202,
        (Notes, Companies) => 190,
        (Notes, Deals) => 214,
        (Notes, Tickets) => 228,
        (Tasks, Contacts) => 204,
        (Tasks, Companies) => 192,
        (Tasks, Deals) => 216,
        (Tasks, Tickets) => 230,
        (Calls, Contacts) => 194,
        (Calls, Companies) => 182,
        (Calls, Deals) => 206,
        (Calls, Tickets) => 220,
        (Emails, Contacts) => 198,
        (Emails, Companies) => 186,
        (Emails, Deals) => 210,
        (Emails, Tickets) => 224,
        (Meetings, Contacts) => 200,
        (Meetings, Companies) => 188,
        (Meetings, Deals) => 212,
        (Meetings, Tickets) => 226,
        // Towards an activity, the id is one less than from it.
        (Contacts | Companies | Deals | Tickets, Notes | Tasks | Calls | Emails | Meetings) => {
            return match type_id(to, from) {
                Some(id) => Some(id - 1),
                None => None,
            };
        }
        _ => return None,
    };
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_ids_are_the_documented_ones() {
        use ObjectType::{Calls, Companies, Contacts, Deals, Emails, Meetings, Notes, Tasks, Tickets};
        let activities = [Notes, Tasks, Calls, Emails, Meetings];
        for (from, ids) in [
            (Contacts, [201, 203, 193, 197, 199]),
            (Companies, [189, 191, 181, 185, 187]),
            (Deals, [213, 215, 205, 209, 211]),
            (Tickets, [227, 229, 219, 223, 225]),
        ] {
            for (to, id) in activities.into_iter().zip(ids) {
                assert_eq!(type_id(from, to), Some(id), "{from} to {to}");
            }
        }
        assert_eq!(type_id(Deals, Contacts), Some(3));
        assert_eq!(type_id(Notes, Deals), Some(214));
        assert_eq!(type_id(Notes, Calls), None);
    }
}
