//! Batches of writes: create, update, upsert, archive, at most 100 records a request. Of a batch, as of every write, at
//! most one attempt may have an effect; it has a permit of its own. A success may hold failures and may be silent about an
//! input; so every input gets an outcome, and what the answer does not account for is not called written.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    batch_answer::{self, Question},
    batch_read,
    budget::Permit,
    call::Call,
    classify::{Applied, OpClass},
    client::Client,
    failure::Failure,
    paths,
    signal::Signal,
    unique,
    writes::{self, new_record, values},
};
use crate::domain::{ObjectType, Properties, Record, RecordRef};

/// A record to create, with its links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRecord {
    /// Its properties.
    pub properties: Properties,
    /// Records it is linked to from the start, by the default label.
    pub links: Vec<RecordRef>,
}

/// What to set on one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// Its id, or its value of the unique property that the batch goes by.
    pub id: String,
    /// Values to set; `None` clears.
    pub properties: Properties,
}

/// What became of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// Written.
    Landed {
        /// The record, with the properties that HubSpot answers. Its id differs from the one that was written to when
        /// the record was merged.
        record: Record,
        /// Whether the write made it.
        created: bool,
    },
    /// Certainly not written; the failure's verdict says what to do.
    Refused(Failure),
    /// Nobody knows: the exchange ended early, or the answer says nothing of it.
    Unknown(Failure),
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchWrite {
    /// One for every input, in the order of the inputs.
    pub outcomes: Vec<ItemOutcome>,
    /// What ended the request as a whole, if anything did: then it is every input's outcome.
    pub whole: Option<Failure>,
}

impl BatchWrite {
    /// How many records one request takes.
    pub const MOST: usize = 100;

    /// Where to cut the inputs to send both parts again on their own: HubSpot refuses a whole batch for what one of its
    /// records says. `None` when no record is to blame (the token, the rate, the connection), when there is but one,
    /// and when anything may have been written.
    #[must_use]
    pub fn cut(&self) -> Option<usize> {
        let blames_a_record = match self.whole.as_ref()?.signal {
            Signal::Validation | Signal::UniqueClash | Signal::Conflict | Signal::NeedsFields => true,
            // Too large, or not to be processed: a smaller one may be.
            Signal::BadRequest(status) => matches!(status, 413 | 422),
            _ => false,
        };
        (blames_a_record && self.outcomes.len() > 1).then_some(self.outcomes.len() / 2)
    }

    fn ended(failure: &Failure, class: OpClass, inputs: usize) -> Self {
        Self {
            outcomes: vec![ItemOutcome::failed(failure.clone(), class); inputs],
            whole: Some(failure.clone()),
        }
    }
}

impl ItemOutcome {
    pub(super) fn failed(failure: Failure, class: OpClass) -> Self {
        match failure.verdict(class).applied {
            Applied::No => Self::Refused(failure),
            Applied::Yes | Applied::Unknown => Self::Unknown(failure),
        }
    }
}

impl Client {
    /// Creates up to 100 records. Each carries a trace id, so that HubSpot refuses records one by one instead of all for
    /// one.
    pub async fn batch_create(&self, permit: Permit, object: ObjectType, records: &[NewRecord]) -> BatchWrite {
        let emails = records.iter().map(|record| match object {
            ObjectType::Contacts => record.properties.get("email").cloned().flatten(),
            _ => None,
        });
        let question = Question {
            object,
            class: OpClass::UnkeyedCreate,
            id_property: None,
            inputs: records.len(),
            keys: BTreeMap::new(),
        };
        let bodies = unrepeated("email", emails).and_then(|_| {
            let bodies = records
                .iter()
                .map(|record| new_record(object, &record.properties, &record.links));
            bodies.collect::<Result<Vec<Value>, Failure>>()
        });
        self.batch_write(permit, "create", &question, bodies).await
    }

    /// Sets properties of up to 100 records, which go by id, or by `id_property` where one is named. HubSpot drops ids
    /// that were merged away without a word: their outcome is unknown.
    pub async fn batch_update(
        &self,
        permit: Permit,
        object: ObjectType,
        id_property: Option<&str>,
        changes: &[RecordChange],
    ) -> BatchWrite {
        self.batch_set(permit, "update", object, OpClass::PropertySet, id_property, changes)
            .await
    }

    /// Sets properties of up to 100 records that go by a unique property, and creates those that are not there.
    pub async fn batch_upsert(
        &self,
        permit: Permit,
        object: ObjectType,
        id_property: &str,
        changes: &[RecordChange],
    ) -> BatchWrite {
        self.batch_set(
            permit,
            "upsert",
            object,
            OpClass::KeyedCreate,
            Some(id_property),
            changes,
        )
        .await
    }

    /// Archives up to 100 records; those that are archived, or not there, are as good as archived.
    ///
    /// # Errors
    /// [`Failure`]; the request can be sent again as it is.
    pub async fn batch_archive(&self, permit: Permit, object: ObjectType, ids: &[String]) -> Result<(), Failure> {
        let mut ids = ids.to_vec();
        super::wire::dedupe(&mut ids);
        few_enough(ids.len(), BatchWrite::MOST)?;
        if ids.is_empty() {
            return Ok(());
        }
        let path = format!("{}/batch/archive", paths::objects(object));
        let call = Call::post(path, &json!({ "inputs": batch_read::inputs(&ids) }));
        let response = self.write(permit, &call).await?;
        writes::written(&response)
    }

    async fn batch_set(
        &self,
        permit: Permit,
        verb: &str,
        object: ObjectType,
        class: OpClass,
        id_property: Option<&str>,
        changes: &[RecordChange],
    ) -> BatchWrite {
        let by = id_property.unwrap_or("hs_object_id");
        let keys = unrepeated(by, changes.iter().map(|change| Some(change.id.clone())));
        let bodies = changes.iter().map(|change| {
            let mut body = json!({ "id": change.id, "properties": values(&change.properties) });
            if let Some(name) = id_property {
                body["idProperty"] = json!(name);
            }
            body
        });
        let bodies = keys.as_ref().map(|_| bodies.collect()).map_err(Clone::clone);
        let question = Question {
            object,
            class,
            id_property,
            inputs: changes.len(),
            keys: keys.unwrap_or_default(),
        };
        self.batch_write(permit, verb, &question, bodies).await
    }

    async fn batch_write(
        &self,
        permit: Permit,
        verb: &str,
        question: &Question<'_>,
        bodies: Result<Vec<Value>, Failure>,
    ) -> BatchWrite {
        if question.inputs == 0 {
            return BatchWrite::default();
        }
        let sent = async {
            let mut bodies = bodies?;
            few_enough(bodies.len(), BatchWrite::MOST)?;
            for (index, body) in bodies.iter_mut().enumerate() {
                body["objectWriteTraceId"] = json!(batch_answer::trace(index));
            }
            let path = format!("{}/batch/{verb}", paths::objects(question.object));
            let call = Call::post(path, &json!({ "inputs": bodies }));
            let response = self.write(permit, &call).await?;
            question.outcomes(&response)
        };
        match sent.await {
            Ok(outcomes) => BatchWrite { outcomes, whole: None },
            Err(failure) => BatchWrite::ended(&failure, question.class, question.inputs),
        }
    }
}

/// Refuses, before anything is sent, more than one request takes.
pub(super) fn few_enough(inputs: usize, most: usize) -> Result<(), Failure> {
    if inputs <= most {
        return Ok(());
    }
    let message = format!("one request takes at most {most} records, not '{inputs}'; send them in parts");
    Err(Failure::new(Signal::Validation, message))
}

/// The index of every key, folded; refuses, before anything is sent, a key that comes twice.
fn unrepeated(property: &str, keys: impl Iterator<Item = Option<String>>) -> Result<BTreeMap<String, usize>, Failure> {
    let mut indexes = BTreeMap::new();
    for (index, key) in keys.enumerate() {
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            continue;
        };
        if indexes.insert(unique::fold(property, &key), index).is_some() {
            let message = format!("the batch names '{key}' twice; give every record once");
            return Err(Failure::new(Signal::Validation, message));
        }
    }
    Ok(indexes)
}
