//! What a type is read with: the properties every read of it asks for, and the associations that are read beside it. The
//! mirror remembers with what it has read each type whole. What is asked for now and was not then is unknown of every record
//! that has not changed since, so the type is read whole again, and until then whoever asks for it is told. What is not
//! asked for any more is forgotten at once: it would grow old.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Settings,
    core::Core,
    pull::{self, properties_of},
    scopes::Need,
};
use crate::{
    domain::{Fault, FaultKind, ObjectType, PropertyDefinition, Segment},
    filter::{self, Expr, Schema, Segments},
    store::{Mirror, MirrorView},
};

/// What a type is, or was, read with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Properties, by their internal names.
    properties: BTreeSet<String>,
    /// Types whose ids are kept with the records.
    links: BTreeSet<ObjectType>,
}

impl Extent {
    /// What every read asks for now, as far as the token may.
    pub fn asked(core: &Core, object: ObjectType) -> Self {
        Self {
            properties: properties_of(core, object).into_iter().collect(),
            links: pull::linked(core, object).into_iter().collect(),
        }
    }

    /// With what the mirror has read a type whole; nothing where it does not say.
    pub fn kept(mirror: &MirrorView, object: ObjectType) -> Result<Self, Fault> {
        let text = mirror.cursor(&name(object))?;
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// Keeps it as that.
    pub fn keep(&self, mirror: &mut Mirror, object: ObjectType) -> Result<(), Fault> {
        let text = serde_json::to_string(self).unwrap_or_default();
        Ok(mirror.set_cursor(&name(object), &text)?)
    }

    /// What both have.
    pub fn shared(&self, other: &Self) -> Self {
        Self {
            properties: self.properties.intersection(&other.properties).cloned().collect(),
            links: self.links.intersection(&other.links).copied().collect(),
        }
    }

    /// Whether it has everything the other has.
    pub fn covers(&self, other: &Self) -> bool {
        self.shared(other) == *other
    }

    /// Without those properties of the configuration that HubSpot does not define: there is nothing to read of them yet.
    pub fn defined(mut self, mirror: &MirrorView, wished: &Wished, object: ObjectType) -> Result<Self, Fault> {
        let names = wished.get(&object).map_or(&[][..], Vec::as_slice);
        if !names.is_empty() {
            let definitions = mirror.definitions(object)?;
            let unknown = undefined(names, &definitions);
            self.properties.retain(|name| !unknown.contains(&name.as_str()));
        }
        Ok(self)
    }
}

/// The properties that the configuration wants read, per type.
pub type Wished = BTreeMap<ObjectType, Vec<String>>;

/// The cursor that keeps it.
fn name(object: ObjectType) -> String {
    format!("with:{object}")
}

/// Those of these properties that HubSpot does not have; none while nobody knows what it has.
fn undefined<'a>(names: &'a [String], definitions: &[PropertyDefinition]) -> Vec<&'a str> {
    let is_known = |name: &str| definitions.is_empty() || definitions.iter().any(|known| known.name == name);
    names
        .iter()
        .map(String::as_str)
        .filter(|name| !is_known(name))
        .collect()
}

/// What the configuration wants read: what it lists, and what segments ask for.
pub fn wished(settings: &Settings) -> Wished {
    let mut wished = settings.properties.clone();
    let asked = settings.segments.iter().filter_map(|segment| unread(segment).ok());
    let asked: Vec<String> = asked
        .flat_map(|filter| filter.properties().into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    wished.entry(ObjectType::Contacts).or_default().extend(asked);
    wished
}

/// Whether a type is to be read whole although it was before: something is asked for that it was not read with. What is
/// not asked for any more is forgotten.
pub async fn is_short(core: &Core, object: ObjectType) -> Result<bool, Fault> {
    let asked = Extent::asked(core, object);
    let kept = core
        .desk
        .read(move |reader| Extent::kept(&reader.mirror, object))
        .await?;
    if !asked.covers(&kept) {
        let shared = kept.shared(&asked);
        core.desk
            .write(move |store| shared.keep(&mut store.mirror, object))
            .await?;
    }
    if kept.covers(&asked) {
        return Ok(false);
    }
    let wished = core.wished.clone();
    let (due, read) = core
        .desk
        .read(move |reader| {
            let due = asked.defined(&reader.mirror, &wished, object)?;
            let mut read = BTreeSet::new();
            for link in &due.links {
                if reader.mirror.cursor(&pull::since(*link))?.is_some() {
                    read.insert(*link);
                }
            }
            Ok((due, read))
        })
        .await?;
    // A token that does not tell its scopes may try everything: that it may read a type is believed once it did.
    let is_sure = |link: &ObjectType| read.contains(link) || core.scopes.is_granted(Need::Read(*link));
    let due = Extent {
        links: due.links.into_iter().filter(is_sure).collect(),
        ..due
    };
    Ok(!kept.covers(&due))
}

/// A segment's filter, as far as it can be read without the account.
fn unread(segment: &Segment) -> Result<Expr, filter::FilterError> {
    filter::parse(&segment.filter, Schema::Unread)
}

/// Why a segment cannot be counted: its filter is wrong, or asks for what was not read of every contact.
pub fn obstacle(mirror: &MirrorView, segment: &Segment) -> Result<Option<Fault>, Fault> {
    let name = &segment.name;
    let wrong = |error: &filter::FilterError| {
        Fault::new(
            FaultKind::Usage,
            format!("the filter of the segment '{name}' cannot be read: {error}"),
            "mend it in the configuration",
        )
    };
    let filter = match unread(segment) {
        Ok(filter) => filter,
        Err(error) => return Ok(Some(wrong(&error))),
    };
    if let Some(list) = &segment.list {
        let lists = mirror.lists()?;
        if !lists.is_empty() && !lists.iter().any(|known| known.id == *list) {
            return Ok(Some(Fault::new(
                FaultKind::Usage,
                format!("the segment '{name}' is about the list '{list}', which HubSpot does not have"),
                "mend its list_id in the configuration; 'dealdeck segments list' shows the lists",
            )));
        }
    }
    let names = filter.properties();
    if names.is_empty() {
        return not_all(mirror, name);
    }
    let definitions = mirror.definitions(ObjectType::Contacts)?;
    if let Err(error) = filter::parse(&segment.filter, Schema::Contacts(&definitions, Segments::Barred)) {
        return Ok(Some(if definitions.is_empty() {
            Fault::new(
                FaultKind::Refused,
                format!("the segment '{name}' is not known yet: which properties contacts have was not read"),
                "run 'dealdeck sync'",
            )
        } else {
            wrong(&error)
        }));
    }
    match awaited(mirror, ObjectType::Contacts, &names)?.first() {
        Some(property) => Ok(Some(Fault::new(
            FaultKind::Refused,
            format!("the segment '{name}' is not known yet: '{property}' was not read of every contact"),
            "the next sync reads it",
        ))),
        None => not_all(mirror, name),
    }
}

/// As long as not all contacts are here, no segment is known.
fn not_all(mirror: &MirrorView, name: &str) -> Result<Option<Fault>, Fault> {
    if mirror.cursor(&pull::since(ObjectType::Contacts))?.is_some() {
        return Ok(None);
    }
    Ok(Some(Fault::new(
        FaultKind::Refused,
        format!("the segment '{name}' is not known yet: not all contacts were read"),
        "'dealdeck sync' reads them, or says why it may not",
    )))
}

/// Those of these properties that the mirror does not have of every record of a type it has read whole.
fn awaited<'a>(mirror: &MirrorView, object: ObjectType, names: &[&'a str]) -> Result<Vec<&'a str>, Fault> {
    if mirror.cursor(&pull::since(object))?.is_none() {
        // Nothing is whole, and everybody is told so.
        return Ok(Vec::new());
    }
    let kept = Extent::kept(mirror, object)?;
    Ok(names
        .iter()
        .copied()
        .filter(|name| !kept.properties.contains(*name))
        .collect())
}

/// Refuses properties that the mirror does not have.
pub fn check(mirror: &MirrorView, wished: &Wished, object: ObjectType, names: &[&str]) -> Result<(), Fault> {
    let read = pull::asked_of(object, wished);
    if let Some(name) = names.iter().find(|name| !read.iter().any(|read| read == *name)) {
        let next = match key(object) {
            Some(key) => format!("add it to '{key}' in the configuration and run 'dealdeck sync'"),
            None => String::new(),
        };
        let what = format!("the property '{name}' is not mirrored: {object} are read without it");
        return Err(Fault::new(FaultKind::Usage, what, next));
    }
    match awaited(mirror, object, names)?.first() {
        None => Ok(()),
        Some(name) => Err(Fault::new(
            FaultKind::Refused,
            format!("the property '{name}' was not read of all {object} yet"),
            "the next sync reads it; run 'dealdeck sync'",
        )),
    }
}

/// The key of the configuration that has more properties of a type read.
const fn key(object: ObjectType) -> Option<&'static str> {
    match object {
        ObjectType::Contacts => Some("mirror.contact_properties"),
        ObjectType::Deals => Some("mirror.deal_properties"),
        _ => None,
    }
}

/// What the configuration names and HubSpot does not have: segments' filters, and properties to be read.
pub fn mistakes(mirror: &MirrorView, settings: &Settings) -> Result<Vec<Fault>, Fault> {
    let mut mistakes = Vec::new();
    for segment in &settings.segments {
        mistakes.extend(obstacle(mirror, segment)?.filter(|fault| fault.kind == FaultKind::Usage));
    }
    for (object, names) in &settings.properties {
        for name in undefined(names, &mirror.definitions(*object)?) {
            let what = format!("HubSpot has no property '{name}' of {object}");
            let next = format!("mend '{}' in the configuration", key(*object).unwrap_or("mirror"));
            mistakes.push(Fault::new(FaultKind::Usage, what, next));
        }
    }
    Ok(mistakes)
}

/// Whether the configuration names a property that is not known here: it may be new in HubSpot.
pub fn has_unknown(mirror: &MirrorView, wished: &Wished) -> Result<bool, Fault> {
    for (object, names) in wished {
        if !names.is_empty() && !undefined(names, &mirror.definitions(*object)?).is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Field;

    /// The properties behind a field of the language; none where it is worked out of something else.
    fn behind(object: ObjectType, field: &Field) -> &'static [&'static str] {
        match field {
            Field::Name if object == ObjectType::Deals => &["dealname"],
            Field::Name => &["firstname", "lastname", "email"],
            Field::Stage => &["dealstage"],
            Field::Pipeline => &["pipeline"],
            Field::State => &["dealstage", "hs_is_closed", "hs_is_closed_won"],
            Field::Amount => &["amount", "amount_in_home_currency", "deal_currency_code"],
            Field::Weighted => &["amount", "hs_deal_stage_probability"],
            Field::Probability => &["hs_deal_stage_probability"],
            Field::Close => &["closedate"],
            Field::Created | Field::Age => &["createdate"],
            Field::Updated if object == ObjectType::Deals => &["hs_lastmodifieddate"],
            Field::Updated => &["lastmodifieddate"],
            Field::Activity => &["notes_last_updated"],
            Field::DaysInStage => &["hs_v2_date_entered_current_stage"],
            Field::Idle => &["notes_last_updated", "hs_v2_date_entered_current_stage"],
            Field::Owner => &["hubspot_owner_id"],
            Field::NextStep => &["hs_next_step"],
            Field::Category => &["hs_manual_forecast_category"],
            Field::Currency => &["deal_currency_code"],
            Field::Company if object == ObjectType::Contacts => &["company"],
            Field::Email => &["email"],
            Field::Phone => &["phone"],
            Field::Title => &["jobtitle"],
            Field::Lifecycle => &["lifecyclestage"],
            Field::Status => &["hs_lead_status"],
            Field::Company | Field::Contacts | Field::Pending | Field::List | Field::Segment | Field::Property(_) => {
                &[]
            }
        }
    }

    #[test]
    fn every_named_field_of_a_filter_is_read() {
        for (object, fields) in [
            (ObjectType::Deals, &Field::DEALS[..]),
            (ObjectType::Contacts, &Field::CONTACTS[..]),
        ] {
            let read = pull::asked_of(object, &Wished::new());
            for field in fields {
                for property in behind(object, field) {
                    assert!(
                        read.iter().any(|read| read == property),
                        "{property} for {}",
                        field.name()
                    );
                }
                assert!(
                    field
                        .property()
                        .is_none_or(|name| behind(object, field).contains(&name)),
                    "{}",
                    field.name()
                );
            }
        }
    }

    #[test]
    fn an_extent_covers_what_it_has() {
        let extent = |properties: &[&str], links: &[ObjectType]| Extent {
            properties: properties.iter().map(|name| (*name).to_owned()).collect(),
            links: links.iter().copied().collect(),
        };
        let (contacts, companies) = (ObjectType::Contacts, ObjectType::Companies);
        let both = extent(&["amount", "city"], &[contacts, companies]);
        assert!(both.covers(&extent(&["city"], &[companies])));
        assert!(!both.covers(&extent(&["city", "zip"], &[])));
        assert!(!extent(&["city"], &[companies]).covers(&extent(&["city"], &[contacts])));
        assert_eq!(
            both.shared(&extent(&["zip", "city"], &[companies])),
            extent(&["city"], &[companies])
        );
        let text = serde_json::to_string(&both).unwrap();
        assert_eq!(serde_json::from_str::<Extent>(&text).unwrap(), both);
    }

    #[test]
    fn what_segments_and_the_configuration_name_is_asked_for_once() {
        let mut settings = Settings::default();
        settings.segments.push(Segment {
            name: "x".into(),
            filter: "city:oslo or (zip:none -status:new) email~x".into(),
            list: None,
        });
        settings.properties = [(ObjectType::Contacts, vec!["zip".into(), "email".into()])].into();
        let wished = wished(&settings);
        let mut read = pull::asked_of(ObjectType::Contacts, &wished);
        let fixed = pull::asked_of(ObjectType::Contacts, &Wished::new());
        assert_eq!(read.split_off(fixed.len()), ["zip", "city"]);
        assert_eq!(read, fixed);
        assert_eq!(
            pull::asked_of(ObjectType::Deals, &wished),
            pull::asked_of(ObjectType::Deals, &Wished::new())
        );
    }
}
