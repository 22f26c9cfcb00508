//! Writes of one record: create, update, archive, merge, privacy deletion. Of each at most one attempt may have an effect:
//! it is sent with the permit it was given, and once more only after a 401, with a renewed token. Whether it may be sent
//! again otherwise is for the outbox to know.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    association_types::inline_association,
    budget::Permit,
    call::Call,
    client::Client,
    failure::Failure,
    paths::{self, Query},
    signal::Signal,
    transport::Response,
    wire::{self, WireRecord},
};
use crate::domain::{ContactId, ObjectType, Properties, Record, RecordRef};

impl Client {
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
        let body = new_record(object, properties, links)?;
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
        self.patch(permit, paths::record(record), record.object, changes).await
    }

    /// Sets properties of the record that has this value of a unique property: the reference's id is the value (a
    /// contact's e-mail address, the key of a keyed create).
    ///
    /// # Errors
    /// [`Failure`]; [`Signal::NotFound`] when no record has the value.
    pub async fn update_by(
        &self,
        permit: Permit,
        record: &RecordRef,
        id_property: &str,
        changes: &Properties,
    ) -> Result<Option<Record>, Failure> {
        let path = Query::default()
            .with("idProperty", id_property)
            .on(&paths::record(record));
        self.patch(permit, path, record.object, changes).await
    }

    async fn patch(
        &self,
        permit: Permit,
        path: String,
        object: ObjectType,
        changes: &Properties,
    ) -> Result<Option<Record>, Failure> {
        let body = json!({ "properties": values(changes) });
        let call = Call::send(Method::PATCH, path, &body);
        let response = self.write(permit, &call).await?;
        if response.status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        one_record(&response, object).map(Some)
    }

    /// Archives a record; archiving an archived one succeeds too.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn archive(&self, permit: Permit, record: &RecordRef) -> Result<(), Failure> {
        let response = self.write(permit, &delete(paths::record(record))).await?;
        written(&response)
    }

    /// Merges `other` into `primary`, which nobody can undo. The survivor is a third record with an id of its own; both
    /// old ids lead to it from now on. Never sent again after an unknown outcome
    /// ([`OpClass::UnkeyedCreate`](super::OpClass::UnkeyedCreate)): a second merge would take in the survivor.
    ///
    /// # Errors
    /// [`Failure`]; nothing was sent when both are the same record, of different types, or of a type that HubSpot does
    /// not merge.
    pub async fn merge(&self, permit: Permit, primary: &RecordRef, other: &RecordRef) -> Result<Record, Failure> {
        use ObjectType::{Companies, Contacts, Deals, Tickets};
        let object = primary.object;
        let refusal = if object != other.object {
            Some(format!(
                "a {} and a {} cannot be merged",
                object.singular(),
                other.object.singular()
            ))
        } else if !matches!(object, Contacts | Companies | Deals | Tickets) {
            Some(format!("HubSpot does not merge {object}"))
        } else if primary.id == other.id {
            Some(format!(
                "{} '{}' cannot be merged with itself",
                object.singular(),
                other.id
            ))
        } else {
            None
        };
        if let Some(why) = refusal {
            return Err(Failure::new(Signal::Validation, why));
        }
        let body = json!({ "primaryObjectId": primary.id, "objectIdToMerge": other.id });
        let call = Call::post(format!("{}/merge", paths::objects(object)), &body);
        let response = self.write(permit, &call).await?;
        one_record(&response, object)
    }

    /// Deletes a contact and everything HubSpot knows of it for good, as privacy law asks; nobody can undo it.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn forget_contact(&self, permit: Permit, contact: &ContactId) -> Result<(), Failure> {
        let path = format!("{}/gdpr-delete", paths::objects(ObjectType::Contacts));
        let call = Call::post(path, &json!({ "objectId": contact.as_str() }));
        let response = self.write(permit, &call).await?;
        written(&response)
    }
}

/// A request to take something away.
pub(super) fn delete(path: String) -> Call {
    Call {
        method: Method::DELETE,
        ..Call::get(path)
    }
}

/// The body of a record that is being created.
pub(super) fn new_record(object: ObjectType, properties: &Properties, links: &[RecordRef]) -> Result<Value, Failure> {
    let mut body = json!({ "properties": values(properties) });
    if !links.is_empty() {
        let links = links.iter().map(|link| inline_association(object, link));
        body["associations"] = Value::Array(links.collect::<Result<Vec<Value>, Failure>>()?);
    }
    Ok(body)
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
    Err(Failure::new(Signal::Unreadable, message))
}

/// The empty text clears a property; null is not accepted everywhere.
pub(super) fn values(properties: &Properties) -> BTreeMap<&str, &str> {
    properties
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default()))
        .collect()
}
