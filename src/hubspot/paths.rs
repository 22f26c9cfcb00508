//! Every path of the API, built with the one version (app events and one introspection excepted, which HubSpot offers in
//! none so new), their encoding, and what of them people may see.

use super::API_VERSION;
use crate::domain::{ListId, ObjectType, PipelineId, RecordRef, StageId};

/// Paths longer than this are not sent: HubSpot's edge refuses URLs of about 16,000 characters.
pub(super) const LONGEST: usize = 15_000;

/// The longest part of a path that is shown to people; ids are shorter, tokens longer.
const LONGEST_SHOWN: usize = 40;

/// `/{area}/{version}`: the only place that knows the version.
fn versioned(area: &str) -> String {
    format!("/{area}/{API_VERSION}")
}

pub(super) fn objects(object: ObjectType) -> String {
    format!("{}/{object}", versioned("crm/objects"))
}

pub(super) fn record(record: &RecordRef) -> String {
    format!("{}/{}", objects(record.object), encode(&record.id))
}

pub(super) fn default_association(from: &RecordRef, to: &RecordRef) -> String {
    let to_id = encode(&to.id);
    format!("{}/associations/default/{}/{to_id}", record(from), to.object)
}

pub(super) fn associations(from: &RecordRef, to: ObjectType) -> String {
    format!("{}/associations/{to}", record(from))
}

pub(super) fn association(from: &RecordRef, to: &RecordRef) -> String {
    format!("{}/{}", associations(from, to.object), encode(&to.id))
}

pub(super) fn association_batch(from: ObjectType, to: ObjectType, verb: &str) -> String {
    format!("{}/{from}/{to}/batch/{verb}", versioned("crm/associations"))
}

pub(super) fn association_labels(from: ObjectType, to: ObjectType) -> String {
    format!("{}/{from}/{to}/labels", versioned("crm/associations"))
}

pub(super) fn pipelines(object: ObjectType) -> String {
    format!("{}/{object}", versioned("crm/pipelines"))
}

pub(super) fn stage(object: ObjectType, pipeline: &PipelineId, stage: &StageId) -> String {
    let (pipeline, stage) = (encode(pipeline.as_str()), encode(stage.as_str()));
    format!("{}/{pipeline}/stages/{stage}", pipelines(object))
}

pub(super) fn owners() -> String {
    versioned("crm/owners")
}

pub(super) fn owner(id: &str) -> String {
    format!("{}/{}", owners(), encode(id))
}

pub(super) fn definitions(object: ObjectType) -> String {
    format!("{}/{object}", versioned("crm/properties"))
}

pub(super) fn definition(object: ObjectType, name: &str) -> String {
    format!("{}/{}", definitions(object), encode(name))
}

pub(super) fn property_groups(object: ObjectType) -> String {
    format!("{}/groups", definitions(object))
}

pub(super) fn lists() -> String {
    versioned("crm/lists")
}

pub(super) fn list(list: &ListId) -> String {
    format!("{}/{}", lists(), encode(list.as_str()))
}

pub(super) fn list_named(object: ObjectType, name: &str) -> String {
    format!("{}/object-type-id/{}/name/{}", lists(), object.type_id(), encode(name))
}

pub(super) fn lists_of(record: &RecordRef) -> String {
    format!(
        "{}/records/{}/{}/memberships",
        lists(),
        record.object.type_id(),
        encode(&record.id)
    )
}

/// App events have stayed at the version before.
pub(super) const fn app_events() -> &'static str {
    "/integrators/timeline/2026-03/events"
}

pub(super) fn account_details() -> String {
    format!("{}/details", versioned("account-info"))
}

pub(super) fn daily_usage() -> String {
    format!("{}/api-usage/daily/private-apps", versioned("account-info"))
}

/// Where codes and refresh tokens become grants.
pub(super) fn oauth_token() -> String {
    format!("{}/token", versioned("oauth"))
}

/// Whose an OAuth access token is.
pub(super) fn oauth_introspection() -> String {
    format!("{}/token/introspect", versioned("oauth"))
}

/// The one call without a date version: HubSpot offers it in no other spelling.
pub(super) const fn introspection() -> &'static str {
    "/oauth/v2/private-apps/get/access-token-info"
}

/// A query string under construction.
#[derive(Debug, Default)]
pub(super) struct Query(String);

impl Query {
    pub(super) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(&encode(value.as_ref()));
        self
    }

    pub(super) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A comma list; nothing when it is empty.
    pub(super) fn with_list<'a>(self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let list = values.into_iter().collect::<Vec<_>>().join(",");
        if list.is_empty() { self } else { self.with(name, list) }
    }

    pub(super) fn on(self, path: &str) -> String {
        format!("{path}{}", self.0)
    }
}

/// Percent-encodes everything but unreserved characters and the comma.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A path for people: without its query, and with `…` for every part that is not plainly an id or a word of HubSpot's.
pub(super) fn shown(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_plain = |part: &str| {
        part.len() <= LONGEST_SHOWN
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let parts = path.split('/').map(|part| if is_plain(part) { part } else { "…" });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_carries_the_one_version() {
        let deal = RecordRef::new(ObjectType::Deals, "1");
        let company = RecordRef::new(ObjectType::Companies, "2");
        for path in [
            record(&deal),
            default_association(&deal, &company),
            association(&deal, &company),
            association_batch(ObjectType::Deals, ObjectType::Notes, "read"),
            association_labels(ObjectType::Deals, ObjectType::Contacts),
            stage(ObjectType::Deals, &"default".into(), &"new".into()),
            owner("1"),
            definition(ObjectType::Contacts, "email"),
            property_groups(ObjectType::Contacts),
            list(&"7".into()),
            list_named(ObjectType::Contacts, "Hot leads"),
            lists_of(&deal),
            account_details(),
            daily_usage(),
            oauth_token(),
            oauth_introspection(),
        ] {
            assert!(path.contains("/2026-09"), "{path}");
        }
        assert_eq!(
            default_association(&deal, &company),
            "/crm/objects/2026-09/deals/1/associations/default/companies/2"
        );
        assert_eq!(
            association_batch(ObjectType::Deals, ObjectType::Notes, "read"),
            "/crm/associations/2026-09/deals/notes/batch/read"
        );
    }

    #[test]
    fn lists_go_by_type_ids() {
        assert_eq!(
            list_named(ObjectType::Contacts, "Hot/leads"),
            "/crm/lists/2026-09/object-type-id/0-1/name/Hot%2Fleads"
        );
        assert_eq!(
            lists_of(&RecordRef::new(ObjectType::Contacts, "12")),
            "/crm/lists/2026-09/records/0-1/12/memberships"
        );
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        let odd = RecordRef::new(ObjectType::Contacts, "../owners?x=a+b@c.de");
        assert_eq!(
            record(&odd),
            "/crm/objects/2026-09/contacts/..%2Fowners%3Fx%3Da%2Bb%40c.de"
        );
    }

    #[test]
    fn queries_leave_out_what_is_empty() {
        let query = Query::default()
            .with("limit", "100")
            .with_list("properties", ["amount", "dealname"])
            .with_list("associations", [])
            .with_some("after", Some("a=b"));
        assert_eq!(query.on("/x"), "/x?limit=100&properties=amount,dealname&after=a%3Db");
    }

    #[test]
    fn a_path_shows_neither_query_nor_person_nor_token() {
        assert_eq!(
            shown("/crm/objects/2026-09/deals/17?properties=a"),
            "/crm/objects/2026-09/deals/17"
        );
        assert_eq!(
            shown("/crm/objects/2026-09/contacts/ada@example.com"),
            "/crm/objects/2026-09/contacts/…"
        );
        assert_eq!(shown("/contacts/ada%40example.com?idProperty=email"), "/contacts/…");
        assert_eq!(
            shown("/oauth/v1/access-tokens/pat-na1-01234567-89ab-cdef-0123-456789abcdef"),
            "/oauth/v1/access-tokens/…"
        );
    }
}
