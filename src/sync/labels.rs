//! What people call what HubSpot stores: properties, stages, owners, options, days. For the sentences of the engine.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    domain::{
        Account, Fault, ObjectType, Owner, OwnerId, Pipeline, PropertyDefinition, Record, UserId, format, stage_of,
    },
    store::MirrorView,
};

/// The words of one object type in this account.
pub struct Labels {
    zone: TimeZone,
    currency: String,
    owners: Vec<Owner>,
    pipelines: Vec<Pipeline>,
    definitions: Vec<PropertyDefinition>,
}

impl Labels {
    /// Reads them from the mirror.
    pub fn read(mirror: &MirrorView, object: ObjectType) -> Result<Self, Fault> {
        let account = mirror.account()?;
        Ok(Self {
            zone: account.as_ref().map_or(TimeZone::UTC, Account::zone),
            currency: account.map_or_else(String::new, |account| account.currency),
            owners: mirror.owners()?,
            pipelines: mirror.pipelines()?,
            definitions: mirror.definitions(object)?,
        })
    }

    fn definition(&self, name: &str) -> Option<&PropertyDefinition> {
        self.definitions.iter().find(|definition| definition.name == name)
    }

    /// The label of a property; its internal name where nothing is known of it.
    pub fn property<'l>(&'l self, name: &'l str) -> &'l str {
        let label = self.definition(name).map(|definition| definition.label.trim());
        label.filter(|label| !label.is_empty()).unwrap_or(name)
    }

    /// A value of a record as people read it; `nothing` where there is none.
    pub fn value(&self, record: &Record, name: &str, value: Option<&str>) -> String {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return "nothing".to_owned();
        };
        let known = match name {
            "dealstage" => stage_of(&self.pipelines, &value.into()).map(|(_, stage)| stage.label.clone()),
            "pipeline" => (self.pipelines.iter())
                .find(|pipeline| pipeline.id.as_str() == value)
                .map(|pipeline| pipeline.label.clone()),
            "hubspot_owner_id" => self.owner(&value.into()),
            "amount" => (value.parse().ok()).map(|amount| {
                let currency = record.get("deal_currency_code").filter(|code| !code.is_empty());
                format::money_exact(amount, currency.unwrap_or(&self.currency))
            }),
            _ => None,
        };
        known
            .or_else(|| {
                let definition = self.definition(name)?;
                let option = definition.options.iter().find(|(key, _)| key == value);
                match definition.kind.as_str() {
                    "datetime" => Some(self.moment(value.parse().ok()?)),
                    "date" => Some(format::day_exact(value.parse().ok()?)),
                    _ => option.map(|(_, label)| label.clone()),
                }
            })
            .unwrap_or_else(|| value.to_owned())
    }

    fn owner(&self, id: &OwnerId) -> Option<String> {
        self.owners.iter().find(|owner| owner.id == *id).map(Owner::name)
    }

    /// The name of a user, when it is known.
    pub fn user(&self, user: Option<&UserId>) -> Option<String> {
        let user = user?;
        let owner = self.owners.iter().find(|owner| owner.user.as_ref() == Some(user));
        owner.map(Owner::name)
    }

    /// A moment in the account's zone.
    pub fn moment(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%-d %b %Y %H:%M").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str, label: &str, kind: &str, options: &[(&str, &str)]) -> PropertyDefinition {
        PropertyDefinition {
            name: name.to_owned(),
            label: label.to_owned(),
            kind: kind.to_owned(),
            options: options
                .iter()
                .map(|(key, label)| ((*key).to_owned(), (*label).to_owned()))
                .collect(),
            read_only: false,
            hidden: false,
            unique: false,
            several: false,
        }
    }

    fn record(currency: Option<&str>) -> Record {
        let at = Timestamp::UNIX_EPOCH;
        Record {
            object: ObjectType::Deals,
            id: "1".into(),
            properties: [("deal_currency_code".to_owned(), currency.map(str::to_owned))].into(),
            created_at: at,
            updated_at: at,
            archived: false,
            associations: std::collections::BTreeMap::new(),
            history: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn values_are_said_as_people_read_them() {
        let labels = Labels {
            zone: TimeZone::get("America/New_York").unwrap(),
            currency: "USD".to_owned(),
            owners: vec![Owner {
                id: "5".into(),
                user: Some("9".into()),
                first_name: "Cleo".to_owned(),
                last_name: "Marsh".to_owned(),
                email: String::new(),
                archived: false,
            }],
            pipelines: Vec::new(),
            definitions: vec![
                definition("amount", "Amount", "number", &[]),
                definition("closedate", "Close Date", "datetime", &[]),
                definition("hs_priority", "Priority", "enumeration", &[("high", "High")]),
                definition("renewal", " ", "date", &[]),
            ],
        };
        assert_eq!(labels.property("closedate"), "Close Date");
        assert_eq!(labels.property("renewal"), "renewal", "no label");
        assert_eq!(labels.property("unheard_of"), "unheard_of");
        for (name, value, said) in [
            ("amount", Some("90000"), "$90,000.00 USD"),
            ("closedate", Some("2026-12-01T02:30:00Z"), "30 Nov 2026 21:30"),
            ("hs_priority", Some("high"), "High"),
            ("hs_priority", Some("odd"), "odd"),
            ("renewal", Some("2026-12-01"), "1 Dec 2026"),
            ("hubspot_owner_id", Some("5"), "Cleo Marsh"),
            ("dealstage", Some("12345"), "12345"),
            ("dealname", Some(""), "nothing"),
            ("dealname", None, "nothing"),
        ] {
            assert_eq!(labels.value(&record(None), name, value), said, "{name}");
        }
        assert_eq!(
            labels.value(&record(Some("EUR")), "amount", Some("90000")),
            "90,000.00 EUR"
        );
        assert_eq!(labels.user(Some(&"9".into())).as_deref(), Some("Cleo Marsh"));
        assert_eq!(labels.user(Some(&"8".into())), None);
    }
}
