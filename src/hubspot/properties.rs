//! Property definitions: what fields a type has and what may be written to them.

use serde::Deserialize;

use super::{
    call::Call,
    client::Client,
    failure::Failure,
    paths,
    wire::{self, Plain, Results, Text},
};
use crate::domain::{Lane, ObjectType, PropertyDefinition};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDefinition {
    name: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    label: String,
    #[serde(default, rename = "type", deserialize_with = "wire::or_default")]
    kind: String,
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
        }
    }
}
