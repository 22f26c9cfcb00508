//! Property definitions: what fields a type has and what may be written to them.

use serde::Deserialize;

use super::{
    call::Call,
    client::Client,
    failure::Failure,
    paths,
    wire::{self, Results},
};
use crate::domain::{Lane, ObjectType, PropertyDefinition};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDefinition {
    name: String,
    #[serde(default)]
    label: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    options: Vec<WireOption>,
    #[serde(default)]
    calculated: bool,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    has_unique_value: bool,
    #[serde(default)]
    modification_metadata: Modification,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOption {
    value: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    display_order: i64,
    #[serde(default)]
    hidden: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Modification {
    read_only_value: bool,
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
        self.options.retain(|option| !option.hidden);
        self.options.sort_by_key(|option| option.display_order);
        PropertyDefinition {
            name: self.name,
            label: self.label,
            kind: self.kind,
            options: self
                .options
                .into_iter()
                .map(|option| (option.value, option.label))
                .collect(),
            read_only: self.calculated || self.modification_metadata.read_only_value,
            hidden: self.hidden,
            unique: self.has_unique_value,
        }
    }
}
