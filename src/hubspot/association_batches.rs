//! Associations in batches: many links of one kind in one request. They can be sent again as they are.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    association_types::type_id,
    associations::label,
    batch::few_enough,
    budget::Permit,
    call::Call,
    client::Client,
    failure::Failure,
    paths,
    signal::Signal,
    transport::Response,
    wire::{self, ItemError, Plain, Text},
    writes,
};
use crate::domain::{AssociationLabel, ObjectType};

/// Links per request.
const MOST: usize = 2_000;

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "wire::or_default")]
    results: Vec<WireLink>,
    #[serde(default, deserialize_with = "wire::or_default")]
    errors: Vec<ItemError>,
}

/// A link as HubSpot confirms it: ids beside their types under labels, ends and a type of association without.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLink {
    from_object_type_id: Option<Text>,
    from_object_id: Option<Text>,
    to_object_id: Option<Text>,
    from: Option<End>,
    to: Option<End>,
    association_spec: Option<Spec>,
}

#[derive(Debug, Deserialize)]
struct End {
    id: Text,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    association_type_id: Option<Plain<u32>>,
}

impl Client {
    /// Links up to 2,000 pairs of records `(from, to)`: under these labels, which replace those there were, or plainly
    /// where there are none. Answers for every pair, in their order; a pair the answer does not account for has failed
    /// with [`Signal::MissingItem`]. The permit may be one out of [`Quota::Free`](super::Quota::Free).
    ///
    /// # Errors
    /// [`Failure`] of the request as a whole.
    pub async fn associate_batch(
        &self,
        permit: Permit,
        (from, to): (ObjectType, ObjectType),
        pairs: &[(String, String)],
        labels: &[AssociationLabel],
    ) -> Result<Vec<Result<(), Failure>>, Failure> {
        few_enough(pairs.len(), MOST)?;
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let types: Vec<Value> = labels.iter().map(label).collect();
        let inputs = pairs.iter().map(|(from, to)| {
            let mut input = json!({ "from": { "id": from }, "to": { "id": to } });
            if !types.is_empty() {
                input["types"] = json!(types);
            }
            input
        });
        let body = json!({ "inputs": inputs.collect::<Vec<Value>>() });
        let verb = if labels.is_empty() {
            "associate/default"
        } else {
            "create"
        };
        let call = Call::post(paths::association_batch(from, to, verb), &body);
        let response = self.write(permit, &call).await?;
        outcomes(&response, (from, to), pairs)
    }

    /// Takes up to 2,000 pairs of records apart, whatever their labels; those that are not linked stay so. The permit may
    /// be one out of [`Quota::Free`](super::Quota::Free).
    ///
    /// # Errors
    /// [`Failure`]; the request can be sent again as it is.
    pub async fn dissociate_batch(
        &self,
        permit: Permit,
        (from, to): (ObjectType, ObjectType),
        pairs: &[(String, String)],
    ) -> Result<(), Failure> {
        few_enough(pairs.len(), MOST)?;
        if pairs.is_empty() {
            return Ok(());
        }
        let mut ends: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for (from, to) in pairs {
            ends.entry(from).or_default().push(json!({ "id": to }));
        }
        let inputs = ends
            .into_iter()
            .map(|(from, to)| json!({ "from": { "id": from }, "to": to }));
        let body = json!({ "inputs": inputs.collect::<Vec<Value>>() });
        let call = Call::post(paths::association_batch(from, to, "archive"), &body);
        let response = self.write(permit, &call).await?;
        writes::written(&response)
    }
}

fn outcomes(
    response: &Response,
    kinds: (ObjectType, ObjectType),
    pairs: &[(String, String)],
) -> Result<Vec<Result<(), Failure>>, Failure> {
    let answer: Answer = wire::read(response)?;
    let linked: BTreeSet<(String, String)> = answer.results.into_iter().filter_map(|link| link.pair(kinds)).collect();
    let blame = |(from, to): &(String, String)| {
        let is_about = |error: &&ItemError| {
            let names = |key: &str, id: &String| error.named(key).contains(id);
            let other = error.named("toObjectId");
            names("fromObjectId", from) && (other.is_empty() || other.contains(to))
        };
        answer.errors.iter().find(is_about).map(ItemError::failure)
    };
    let outcome = |pair: &(String, String)| {
        if linked.contains(pair) {
            return Ok(());
        }
        Err(blame(pair).unwrap_or_else(|| {
            let (from, to) = (kinds.0.singular(), kinds.1.singular());
            let message = format!(
                "the answer does not say whether {from} '{}' is linked to {to} '{}'",
                pair.0, pair.1
            );
            Failure {
                status: Some(response.status.as_u16()),
                ..Failure::new(Signal::MissingItem, message)
            }
        }))
    };
    Ok(pairs.iter().map(outcome).collect())
}

impl WireLink {
    /// The pair, if it is one of the direction that was asked for: HubSpot confirms the way back as well.
    fn pair(self, (from, to): (ObjectType, ObjectType)) -> Option<(String, String)> {
        let named_back = self.from_object_type_id.is_some_and(|kind| kind.0 != from.type_id());
        let numbered_back = self
            .association_spec
            .and_then(|spec| spec.association_type_id)
            .is_some_and(|number| from != to && Some(number.0) == type_id(to, from));
        let back = named_back || numbered_back;
        let from = self.from_object_id.or(self.from.map(|end| end.id))?;
        let to = self.to_object_id.or(self.to.map(|end| end.id))?;
        (!back).then_some((from.0, to.0))
    }
}
