//! `[push]`: how contacts of one's own are pushed. Two of its tables have names of people's own.

use std::{collections::BTreeMap, time::Duration};

use jiff::SignedDuration;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    file::{Reader, expected},
    given::Given,
    keys::{Key, key, or_empty, property_name, seconds},
};
use crate::domain::{NewProperty, PropertyKind, safe};

/// How contacts of one's own are pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Whether the scheduler runs; `None` = when there is a token.
    pub enabled: Option<bool>,
    /// Between two runs.
    pub interval: Duration,
    /// How many contacts a run takes.
    pub batch: u32,
    /// How often a contact is tried again.
    pub max_retries: u32,
    /// Waits double; else they grow by the first one.
    pub exponential: bool,
    /// Before the first retry.
    pub retry_delay: Duration,
    /// Taken for the sake of old files: runs never overlap, whatever it says.
    pub max_instances: u32,
    /// A run may be so late.
    pub misfire_grace: Duration,
    /// The property that every push sets to its day.
    pub sync_date: Option<String>,
    /// The property that the field `domain_id` means.
    pub domain_id: Option<String>,
    /// The property that the field `page_id` means.
    pub page_id: Option<String>,
    /// Fields of contact lists and the properties they mean.
    pub map: BTreeMap<String, String>,
    /// Properties that are made in HubSpot on request, by name.
    pub properties: BTreeMap<String, NewProperty>,
}

impl Default for Push {
    fn default() -> Self {
        Self {
            enabled: None,
            interval: Duration::from_mins(5),
            batch: 10,
            max_retries: 3,
            exponential: true,
            retry_delay: Duration::from_mins(5),
            max_instances: 1,
            misfire_grace: Duration::from_mins(30),
            sync_date: None,
            domain_id: None,
            page_id: None,
            map: BTreeMap::new(),
            properties: BTreeMap::new(),
        }
    }
}

impl Push {
    /// The fields of contact lists and the properties they mean, those of the two ids among them.
    #[must_use]
    pub fn fields(&self) -> BTreeMap<String, String> {
        let mut fields = self.map.clone();
        let ids = [("domain_id", &self.domain_id), ("page_id", &self.page_id)];
        for (field, property) in ids {
            if let Some(property) = property {
                for field in [field.to_owned(), format!("source_{field}")] {
                    fields.entry(field).or_insert_with(|| property.clone());
                }
            }
        }
        fields
    }

    /// The properties to make: those that are described, and those that are only named.
    #[must_use]
    pub fn wanted(&self) -> Vec<NewProperty> {
        let mut wanted = self.properties.clone();
        let named = [
            (&self.domain_id, PropertyKind::Text),
            (&self.page_id, PropertyKind::Text),
            (&self.sync_date, PropertyKind::Date),
        ];
        for (name, kind) in named {
            if let Some(name) = name {
                wanted.entry(name.clone()).or_insert_with(|| new_property(name, kind));
            }
        }
        wanted.into_values().collect()
    }
}

fn new_property(name: &str, kind: PropertyKind) -> NewProperty {
    NewProperty {
        name: name.to_owned(),
        label: name.replace('_', " "),
        description: String::new(),
        group: "contactinformation".to_owned(),
        kind,
        unique: false,
    }
}

/// The keys of the table, in the order of the example file.
pub(super) const PUSH_KEYS: [Key; 11] = [
    key(
        "push.enabled",
        |settings, given| {
            settings.push.enabled = match given {
                Given::Flag(flag) => Some(*flag),
                Given::Loose(text) | Given::Text(text) if text == "auto" => None,
                Given::Loose(_) => Some(given.flag()?),
                _ => return Err("\"auto\", true or false".to_owned()),
            };
            Ok(())
        },
        |settings| {
            settings
                .push
                .enabled
                .map_or_else(|| "auto".to_owned(), |on| on.to_string())
        },
    ),
    Key {
        env: &["HUBSPOT_SYNC_SCHEDULER_INTERVAL_MINUTES"],
        ..key(
            "push.interval",
            |settings, given| span(given).map(|span| settings.push.interval = span),
            |settings| seconds(settings.push.interval),
        )
    },
    Key {
        env: &["HUBSPOT_SYNC_SCHEDULER_BATCH_SIZE"],
        ..key(
            "push.batch",
            |settings, given| given.whole(1..=1_000_u32).map(|batch| settings.push.batch = batch),
            |settings| settings.push.batch.to_string(),
        )
    },
    Key {
        env: &["HUBSPOT_SYNC_MAX_RETRIES"],
        ..key(
            "push.max_retries",
            |settings, given| given.whole(0..=20_u32).map(|times| settings.push.max_retries = times),
            |settings| settings.push.max_retries.to_string(),
        )
    },
    Key {
        env: &["HUBSPOT_SYNC_RETRY_EXPONENTIAL"],
        ..key(
            "push.retry",
            |settings, given| {
                let wanted = || "\"exponential\" or \"linear\"".to_owned();
                settings.push.exponential = match given.text().map_err(|_| wanted())?.trim().to_lowercase().as_str() {
                    "exponential" => true,
                    "linear" => false,
                    // The variable says yes or no.
                    "true" | "1" | "yes" if matches!(given, Given::Loose(_)) => true,
                    "false" | "0" | "no" if matches!(given, Given::Loose(_)) => false,
                    _ => return Err(wanted()),
                };
                Ok(())
            },
            |settings| {
                if settings.push.exponential {
                    "exponential"
                } else {
                    "linear"
                }
                .to_owned()
            },
        )
    },
    Key {
        env: &["HUBSPOT_SYNC_RETRY_DELAY_MINUTES"],
        ..key(
            "push.retry_delay",
            |settings, given| span(given).map(|span| settings.push.retry_delay = span),
            |settings| seconds(settings.push.retry_delay),
        )
    },
    Key {
        env: &["HUBSPOT_SYNC_SCHEDULER_MAX_INSTANCES"],
        ..key(
            "push.max_instances",
            |settings, given| given.whole(1..=100_u32).map(|most| settings.push.max_instances = most),
            |settings| settings.push.max_instances.to_string(),
        )
    },
    key(
        "push.misfire_grace",
        |settings, given| span(given).map(|span| settings.push.misfire_grace = span),
        |settings| seconds(settings.push.misfire_grace),
    ),
    Key {
        env: &["HUBSPOT_CUSTOM_PROPERTY_SYNC_DATE"],
        ..key(
            "push.sync_date_property",
            |settings, given| property(given).map(|name| settings.push.sync_date = name),
            |settings| or_empty(settings.push.sync_date.as_ref()),
        )
    },
    Key {
        env: &["HUBSPOT_CUSTOM_PROPERTY_DOMAIN_ID"],
        ..key(
            "push.domain_id_property",
            |settings, given| property(given).map(|name| settings.push.domain_id = name),
            |settings| or_empty(settings.push.domain_id.as_ref()),
        )
    },
    Key {
        env: &["HUBSPOT_CUSTOM_PROPERTY_PAGE_ID"],
        ..key(
            "push.page_id_property",
            |settings, given| property(given).map(|name| settings.push.page_id = name),
            |settings| or_empty(settings.push.page_id.as_ref()),
        )
    },
];

/// Up to a day; a variable may say plain minutes.
fn span(given: &Given) -> Result<Duration, String> {
    let wanted = || "a time like \"5m\" or \"2h\", at most a day".to_owned();
    let text = given.text().map_err(|_| wanted())?.trim();
    let span = match (given, text.parse::<u64>()) {
        (Given::Loose(_), Ok(minutes)) => Some(Duration::from_secs(minutes.saturating_mul(60))),
        _ => text
            .parse::<SignedDuration>()
            .ok()
            .and_then(|span| span.try_into().ok()),
    };
    span.filter(|span: &Duration| !span.is_zero() && *span <= Duration::from_hours(24))
        .ok_or_else(wanted)
}

/// The internal name of a property; empty = none.
fn property(given: &Given) -> Result<Option<String>, String> {
    let wanted = || "the internal name of a property, like \"sync_date\"".to_owned();
    let name = given.text().map_err(|_| wanted())?.trim();
    match name {
        "" => Ok(None),
        name if property_name(name) => Ok(Some(name.to_owned())),
        _ => Err(wanted()),
    }
}

impl Reader<'_> {
    /// `[push.map] FIELD = "property"`
    pub(super) fn push_map(&mut self, table: &DeTable<'_>) {
        for (field, value) in table.iter() {
            match property(&Given::of(value.get_ref())) {
                Ok(Some(name)) => {
                    self.remember(&format!("push.map.{}", field.get_ref()), value.span());
                    self.loaded.settings.push.map.insert(field.get_ref().to_string(), name);
                }
                _ => {
                    let wanted = "the internal name of a HubSpot property, or \"full_name\"";
                    self.fail(value.span(), expected(wanted, &self.said(value.span())));
                }
            }
        }
    }

    /// `[push.properties.NAME] label type field_type group`
    pub(super) fn push_properties(&mut self, table: &DeTable<'_>) {
        for (name, value) in table.iter() {
            let path = format!("push.properties.{}", name.get_ref());
            if !property_name(name.get_ref()) {
                let shown = safe(name.get_ref());
                let message = format!("'{shown}' is no internal name of a property: lower case, digits and _");
                self.fail(name.span(), message);
                continue;
            }
            match value.get_ref().as_table() {
                Some(described) => self.push_property(name.get_ref(), &path, described),
                None => self.fail(
                    value.span(),
                    expected(&format!("a table, [{path}]"), &self.said(value.span())),
                ),
            }
        }
    }

    fn push_property(&mut self, name: &str, path: &str, described: &DeTable<'_>) {
        let mut property = new_property(name, PropertyKind::Text);
        let (mut kind, mut field) = ("string".to_owned(), None);
        let mut at = None;
        for (key, value) in described.iter() {
            let Some(text) = self.text_of(value) else { continue };
            match key.get_ref().as_ref() {
                "label" => property.label = text,
                "group" => property.group = text,
                "type" => (kind, at) = (text, Some(value.span())),
                "field_type" => (field, at) = (Some(text), Some(value.span())),
                other => {
                    self.unknown(key.span(), &format!("{path}.{other}"));
                    continue;
                }
            }
            self.remember(&format!("{path}.{}", key.get_ref()), value.span());
        }
        let kinds = [
            PropertyKind::Text,
            PropertyKind::LongText,
            PropertyKind::Number,
            PropertyKind::Flag,
            PropertyKind::Date,
            PropertyKind::DateTime,
        ];
        let fits = |known: &&PropertyKind| {
            let (known_kind, known_field) = known.names();
            known_kind == kind && field.as_deref().is_none_or(|field| field == known_field)
        };
        match (kinds.iter().find(fits), at) {
            (Some(found), _) => property.kind = found.clone(),
            (None, Some(at)) => {
                let pairs: Vec<String> = kinds
                    .iter()
                    .map(|kind| format!("{} {}", kind.names().0, kind.names().1))
                    .collect();
                let wanted = format!("a type with its field_type, one of: {}", pairs.join(", "));
                self.fail(at.clone(), expected(&wanted, &self.said(at)));
                return;
            }
            (None, None) => {}
        }
        self.loaded.settings.push.properties.insert(name.to_owned(), property);
    }

    fn text_of(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => {
                self.fail(value.span(), expected("text in quotes", &self.said(value.span())));
                None
            }
        }
    }
}
