//! Reads the answer to a batch of writes: which input each result and each error is about. By trace id, by id, by unique
//! value; never by position, for HubSpot answers in an order of its own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    batch::ItemOutcome,
    classify::OpClass,
    failure::Failure,
    signal::Signal,
    transport::Response,
    unique,
    wire::{self, ItemError, WireRecord},
};
use crate::domain::ObjectType;

/// What was asked in one batch.
pub(super) struct Question<'a> {
    pub(super) object: ObjectType,
    pub(super) class: OpClass,
    /// The unique property the keys are values of; `None` where they are ids.
    pub(super) id_property: Option<&'a str>,
    pub(super) inputs: usize,
    /// The index of every input by its key, folded; none for creates.
    pub(super) keys: BTreeMap<String, usize>,
}

/// Everything may be missing: what is not there accounts for nothing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default, deserialize_with = "wire::or_default")]
    results: Vec<WireRecord>,
    #[serde(default, deserialize_with = "wire::or_default")]
    errors: Vec<ItemError>,
}

/// What tells an input from the others of its request. It only correlates: HubSpot deduplicates nothing by it.
pub(super) fn trace(index: usize) -> String {
    format!("input-{index}")
}

impl Question<'_> {
    /// One outcome for every input, in their order.
    pub(super) fn outcomes(&self, response: &Response) -> Result<Vec<ItemOutcome>, Failure> {
        let answer: Answer = wire::read(response)?;
        let mut outcomes: Vec<Option<ItemOutcome>> = vec![None; self.inputs];
        let alone = self.inputs == 1 && answer.results.len() == 1 && answer.errors.is_empty();
        for result in answer.results {
            let (trace, is_new) = (result.trace.clone(), result.is_new);
            let (record, _) = result.into_record(self.object)?;
            let index = trace
                .and_then(|trace| self.traced(&trace.0))
                .or_else(|| match self.id_property {
                    None => self.keys.get(&record.id).copied(),
                    Some(name) => {
                        let mut values = unique::values(name, &record).into_iter();
                        values.find_map(|value| self.keys.get(&value).copied())
                    }
                });
            if let Some(outcome) = index.or(alone.then_some(0)).and_then(|index| outcomes.get_mut(index)) {
                let created = self.class == OpClass::UnkeyedCreate || is_new.is_some_and(|new| new.0);
                *outcome = Some(ItemOutcome::Landed { record, created });
            }
        }
        let said = self.blame(&mut outcomes, &answer.errors);
        let silent = || self.unaccounted(said.as_ref());
        Ok(outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(silent))
            .collect())
    }

    /// Gives every error to the inputs it names, as far as they did not land. Answers what an error says that names
    /// none: where a single input is left, it can only be about that one.
    fn blame(&self, outcomes: &mut [Option<ItemOutcome>], errors: &[ItemError]) -> Option<Failure> {
        let mut nameless = Vec::new();
        for error in errors {
            let mut named = self.named(error);
            named.retain(|index| *index < outcomes.len());
            if named.is_empty() {
                nameless.push(error.failure());
            }
            for index in named {
                outcomes[index].get_or_insert_with(|| ItemOutcome::failed(error.failure(), self.class));
            }
        }
        let mut open = outcomes.iter_mut().filter(|outcome| outcome.is_none());
        if let (Some(only), None, [failure]) = (open.next(), open.next(), nameless.as_slice()) {
            *only = Some(ItemOutcome::failed(failure.clone(), self.class));
        }
        nameless.into_iter().next()
    }

    fn named(&self, error: &ItemError) -> Vec<usize> {
        let traces = error.named("objectWriteTraceId");
        let by_trace: Vec<usize> = traces.iter().filter_map(|trace| self.traced(trace)).collect();
        if !by_trace.is_empty() {
            return by_trace;
        }
        let by = self.id_property.unwrap_or("hs_object_id");
        let ids = ["ids", "id"].into_iter().flat_map(|key| error.named(key));
        ids.filter_map(|id| self.keys.get(&unique::fold(by, &id)).copied())
            .collect()
    }

    fn traced(&self, text: &str) -> Option<usize> {
        text.strip_prefix("input-")?.parse().ok()
    }

    /// The answer says nothing of an input: it is not known to be written.
    fn unaccounted(&self, said: Option<&Failure>) -> ItemOutcome {
        let said = said
            .map(|failure| format!(", but: {}", failure.message))
            .unwrap_or_default();
        let message = format!(
            "the answer to the batch does not account for every {}{said}",
            self.object.singular()
        );
        ItemOutcome::Unknown(Failure {
            status: Some(207),
            ..Failure::new(Signal::MissingItem, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// What HubSpot does with an input, and how it tells.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fate {
        Written { traced: bool },
        Merged,
        Refused { traced: bool },
        Silent,
    }

    fn fates() -> impl Strategy<Value = Vec<(Fate, u32)>> {
        let fate = prop_oneof![
            any::<bool>().prop_map(|traced| Fate::Written { traced }),
            Just(Fate::Merged),
            any::<bool>().prop_map(|traced| Fate::Refused { traced }),
            Just(Fate::Silent),
        ];
        // Two at least: what is said without a name can only be about a single one.
        proptest::collection::vec((fate, any::<u32>()), 2..30)
    }

    /// The answer, its parts in an order of their own.
    fn answer(fates: &[(Fate, u32)]) -> Response {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for (index, (fate, order)) in fates.iter().enumerate() {
            let id = index.to_string();
            match fate {
                Fate::Written { traced: false } => results.push((order, json!({ "id": id }))),
                Fate::Written { traced: true } => {
                    results.push((order, json!({ "id": id, "objectWriteTraceId": trace(index) })));
                }
                Fate::Merged => {
                    let survivor = format!("{index}000");
                    results.push((order, json!({ "id": survivor, "objectWriteTraceId": trace(index) })));
                }
                Fate::Refused { traced } => {
                    let (key, name) = if *traced {
                        ("objectWriteTraceId", trace(index))
                    } else {
                        ("ids", id)
                    };
                    errors.push((
                        order,
                        json!({ "category": "VALIDATION_ERROR", "context": { key: [name] } }),
                    ));
                }
                Fate::Silent => {}
            }
        }
        let shuffled = |mut parts: Vec<(&u32, Value)>| {
            parts.sort_by_key(|(order, _)| **order);
            parts.into_iter().map(|(_, part)| part).collect::<Vec<Value>>()
        };
        let body = json!({ "results": shuffled(results), "errors": shuffled(errors), "numErrors": fates.len() });
        Response {
            status: StatusCode::MULTI_STATUS,
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_string()),
        }
    }

    fn size() -> u32 {
        let factor = std::env::var("DEALDECK_TEST_SIZE")
            .ok()
            .and_then(|text| text.parse::<u32>().ok());
        factor.unwrap_or(1).max(1) * 200
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(size()))]

        #[test]
        fn every_input_gets_the_outcome_it_had(fates in fates()) {
            let question = Question {
                object: ObjectType::Deals,
                class: OpClass::PropertySet,
                id_property: None,
                inputs: fates.len(),
                keys: (0..fates.len()).map(|index| (index.to_string(), index)).collect(),
            };
            let outcomes = question.outcomes(&answer(&fates)).unwrap();
            prop_assert_eq!(outcomes.len(), fates.len());
            for (index, (outcome, (fate, _))) in outcomes.iter().zip(&fates).enumerate() {
                let matches = match (fate, outcome) {
                    (Fate::Written { .. }, ItemOutcome::Landed { record, .. }) => record.id == index.to_string(),
                    (Fate::Merged, ItemOutcome::Landed { record, .. }) => record.id == format!("{index}000"),
                    (Fate::Refused { .. }, ItemOutcome::Refused(failure)) => failure.signal == Signal::Validation,
                    (Fate::Silent, ItemOutcome::Unknown(failure)) => failure.signal == Signal::MissingItem,
                    _ => false,
                };
                prop_assert!(matches, "input {} of {:?} ended as {:?}", index, fates, outcome);
            }
        }
    }
}
