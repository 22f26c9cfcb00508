//! The property that makes a create safe to repeat: HubSpot keeps its values unique, so a second send of the same create
//! cannot make a second record.

use crate::domain::PropertyDefinition;

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
