//! The property that makes a create safe to repeat: HubSpot keeps its values unique, so a second send of the same create
//! cannot make a second record.

use super::core::Core;
use crate::{
    domain::{Fault, KeySupport, Lane, NewProperty, ObjectType, PropertyDefinition, PropertyKind},
    hubspot::{Failure, Quota},
};

/// HubSpot's own; some accounts may write it, others only read it.
const BUILT_IN: &str = "hs_unique_creation_key";
/// Ours, where somebody has made it.
pub const OWN: &str = "dealdeck_key";

/// The property of a type that carries an operation's key; `None` where there is none that may be written.
pub fn property(definitions: &[PropertyDefinition]) -> Option<String> {
    [BUILT_IN, OWN]
        .into_iter()
        .find(|name| {
            definitions
                .iter()
                .any(|definition| definition.name == *name && definition.unique && !definition.read_only)
        })
        .map(str::to_owned)
}

/// The types that are created here.
const CREATED: [ObjectType; 3] = [ObjectType::Notes, ObjectType::Tasks, ObjectType::Deals];

/// Which types have a property for the key, as HubSpot says now. The mirror learns it, so that the next create carries one.
pub async fn support(core: &Core) -> Vec<KeySupport> {
    let mut support = Vec::new();
    for object in CREATED {
        support.push(told(core, object, core.client.definitions(Lane::Read, object).await).await);
    }
    support
}

/// Gives the types that have none a property of our own: a unique text, at most ten of which a type may have.
pub async fn set_up(core: &Core) -> Vec<KeySupport> {
    let mut support = Vec::new();
    for object in CREATED {
        let definitions = match core.client.definitions(Lane::Read, object).await {
            Ok(definitions) if property(&definitions).is_none() => defined(core, object, definitions).await,
            definitions => definitions,
        };
        support.push(told(core, object, definitions).await);
    }
    support
}

async fn defined(
    core: &Core,
    object: ObjectType,
    mut definitions: Vec<PropertyDefinition>,
) -> Result<Vec<PropertyDefinition>, Failure> {
    let new = NewProperty {
        name: OWN.to_owned(),
        label: "dealdeck key".to_owned(),
        description: "Makes a create that was sent twice one record. Written by dealdeck, read by nobody else."
            .to_owned(),
        group: match object {
            ObjectType::Deals => "dealinformation",
            _ => "engagement",
        }
        .to_owned(),
        kind: PropertyKind::Text,
        unique: true,
    };
    let permit = core.client.permit(Lane::Write, Quota::Burst).await;
    let definition = core.client.ensure_property(permit, object, &new).await?;
    definitions.retain(|known| known.name != definition.name);
    definitions.push(definition);
    Ok(definitions)
}

async fn told(core: &Core, object: ObjectType, definitions: Result<Vec<PropertyDefinition>, Failure>) -> KeySupport {
    let told = |property, trouble| KeySupport {
        object,
        property,
        trouble,
    };
    let definitions = match definitions {
        Ok(definitions) => definitions,
        Err(failure) => return told(None, Some(failure.fault())),
    };
    let found = property(&definitions);
    let kept: Result<(), Fault> = core
        .desk
        .write(move |store| Ok(store.mirror.put_definitions(object, &definitions)?))
        .await;
    told(found, kept.err())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str, unique: bool, read_only: bool) -> PropertyDefinition {
        PropertyDefinition {
            name: name.to_owned(),
            label: String::new(),
            kind: "string".to_owned(),
            options: Vec::new(),
            read_only,
            hidden: false,
            unique,
            several: false,
        }
    }

    #[test]
    fn only_a_property_that_is_unique_and_may_be_written_carries_a_key() {
        assert_eq!(property(&[]), None);
        assert_eq!(
            property(&[definition(BUILT_IN, true, true), definition(OWN, false, false)]),
            None
        );
        let ours = [definition(BUILT_IN, true, true), definition(OWN, true, false)];
        assert_eq!(property(&ours).as_deref(), Some(OWN));
        let both = [definition(OWN, true, false), definition(BUILT_IN, true, false)];
        assert_eq!(property(&both).as_deref(), Some(BUILT_IN), "HubSpot's own first");
    }
}
