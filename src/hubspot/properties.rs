//! Property definitions: what fields a type has, what may be written to them, and new ones of our own.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    budget::Permit,
    call::Call,
    client::Client,
    failure::Failure,
    paths,
    signal::Signal,
    wire::{self, Plain, Results, Text},
    writes,
};
use crate::domain::{Lane, NewProperty, ObjectType, PropertyDefinition};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDefinition {
    name: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    label: String,
    #[serde(default, rename = "type", deserialize_with = "wire::or_default")]
    kind: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    field_type: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    options: Vec<WireOption>,
    #[serde(default, deserialize_with = "wire::or_default")]
    calculated: Plain<bool>,
    #[serde(default, deserialize_with = "wire::or_default")]
    hidden: Plain<bool>,
    #[serde(default, deserialize_with = "wire::or_default")]
    has_unique_value: Plain<bool>,
    #[serde(default, deserialize_with = "wire::or_default")]
    modification_metadata: Modification,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOption {
    value: Text,
    #[serde(default, deserialize_with = "wire::or_default")]
    label: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    display_order: Plain<i64>,
    #[serde(default, deserialize_with = "wire::or_default")]
    hidden: Plain<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Modification {
    #[serde(default, deserialize_with = "wire::or_default")]
    read_only_value: Plain<bool>,
}

impl Client {
    /// The property definitions of a type.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn definitions(&self, lane: Lane, object: ObjectType) -> Result<Vec<PropertyDefinition>, Failure> {
        let call = Call::get(paths::definitions(object));
        self.read(lane, call, |response| {
            let answer: Results<WireDefinition> = wire::read(response)?;
            Ok(answer
                .results
                .into_iter()
                .map(WireDefinition::into_definition)
                .collect())
        })
        .await
    }

    /// One property definition.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries; [`Signal::NotFound`] when there is none, or an archived one.
    pub async fn definition(&self, lane: Lane, object: ObjectType, name: &str) -> Result<PropertyDefinition, Failure> {
        let call = Call::get(paths::definition(object, name));
        let wire: WireDefinition = self.read(lane, call, wire::read).await?;
        Ok(wire.into_definition())
    }

    /// Sees to it that a type has this property: defines it, restores it where it was archived, and takes the one that
    /// is there. So it can be sent again.
    ///
    /// # Errors
    /// [`Failure`]; [`Signal::Conflict`] when there is one by that name that holds something else, or does not keep its
    /// values unique as this one should: neither can be changed.
    pub async fn ensure_property(
        &self,
        permit: Permit,
        object: ObjectType,
        property: &NewProperty,
    ) -> Result<PropertyDefinition, Failure> {
        let lane = permit.lane();
        let call = Call::post(paths::definitions(object), &new_property(property));
        let defined = match self.write(permit, &call).await {
            Ok(response) => wire::read::<WireDefinition>(&response)?.into_definition(),
            Err(failure) if failure.signal == Signal::Conflict => self.definition(lane, object, &property.name).await?,
            Err(failure) => return Err(failure),
        };
        let (kind, _) = property.kind.names();
        let trouble = if defined.kind != kind {
            format!("is of type '{}', not {kind}", defined.kind)
        } else if property.unique && !defined.unique {
            "does not keep its values unique".to_owned()
        } else {
            return Ok(defined);
        };
        let message = format!(
            "the property '{}' of {object} {trouble}; choose another name",
            property.name
        );
        Err(Failure::new(Signal::Conflict, message))
    }

    /// Sees to it that a type has this group of properties.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn ensure_property_group(
        &self,
        permit: Permit,
        object: ObjectType,
        name: &str,
        label: &str,
    ) -> Result<(), Failure> {
        let body = json!({ "name": name, "label": label });
        let call = Call::post(paths::property_groups(object), &body);
        match self.write(permit, &call).await {
            Ok(response) => wire::read::<Value>(&response).map(|_| ()),
            Err(failure) if failure.signal == Signal::Conflict => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Archives a property with all its values; defining it again restores both.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn archive_property(&self, permit: Permit, object: ObjectType, name: &str) -> Result<(), Failure> {
        let call = writes::delete(paths::definition(object, name));
        let response = self.write(permit, &call).await?;
        writes::written(&response)
    }
}

fn new_property(property: &NewProperty) -> Value {
    let (kind, field) = property.kind.names();
    let mut body = json!({
        "name": property.name,
        "label": property.label,
        "description": property.description,
        "groupName": property.group,
        "type": kind,
        "fieldType": field,
        "hasUniqueValue": property.unique,
    });
    let options = property.kind.options().into_iter().enumerate().map(
        |(order, (value, label))| json!({ "value": value, "label": label, "displayOrder": order, "hidden": false }),
    );
    let options: Vec<Value> = options.collect();
    if !options.is_empty() {
        body["options"] = json!(options);
    }
    body
}

impl WireDefinition {
    fn into_definition(mut self) -> PropertyDefinition {
        self.options.retain(|option| !option.hidden.0);
        self.options.sort_by_key(|option| option.display_order.0);
        PropertyDefinition {
            name: self.name,
            label: self.label,
            kind: self.kind,
            options: self
                .options
                .into_iter()
                .map(|option| (option.value.0, option.label))
                .collect(),
            read_only: self.calculated.0 || self.modification_metadata.read_only_value.0,
            hidden: self.hidden.0,
            unique: self.has_unique_value.0,
            several: self.field_type == "checkbox",
        }
    }
}
