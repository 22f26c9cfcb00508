//! Successful answers as HubSpot spells them, read leniently into domain types: ids as text or numbers, times with and
//! without fractions, keys we do not know. It refuses answers HubSpot did not write and bodies no client should parse.

use std::{collections::BTreeMap, fmt, str::FromStr};

use http::header;
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, Visitor},
};
use serde_json::Value;

use super::{failure::Failure, refusal, signal::Signal, transport::Response};
use crate::domain::{ObjectType, PropertyVersion, Record, UserId, parse_time};

/// Deeper JSON than this is not HubSpot's.
const DEEPEST: usize = 64;
/// No record has more properties than this.
const MOST_PROPERTIES: usize = 10_000;

/// Reads the body of a success.
pub(super) fn read<T: DeserializeOwned>(response: &Response) -> Result<T, Failure> {
    let status = response.status.as_u16();
    let fail = |signal, message: String| Failure {
        status: Some(status),
        correlation_id: response
            .headers
            .get("x-hubspot-correlation-id")
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned),
        ..Failure::new(signal, message)
    };
    if !is_json(response) {
        return Err(fail(
            Signal::NotHubSpot,
            format!("the answer with status {status} is not HubSpot's"),
        ));
    }
    if depth(&response.body) > DEEPEST {
        return Err(fail(
            Signal::Unreadable,
            "HubSpot's answer is nested too deeply".to_owned(),
        ));
    }
    // Keeping track of the path takes most of the time of reading, so that is done only for the one that fails.
    if let Ok(value) = serde_json::from_slice(&response.body) {
        return Ok(value);
    }
    let mut json = serde_json::Deserializer::from_slice(&response.body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // The path only: the error's own text quotes values of records.
        let message = format!("HubSpot's answer cannot be read at '{}'", error.path());
        fail(Signal::Unreadable, message)
    })
}

/// Whether HubSpot wrote a success: JSON, or nothing where nothing is to be said.
pub(super) fn is_hubspots(response: &Response) -> bool {
    response.body.is_empty() || is_json(response)
}

/// By the content type where there is one, else by the first character.
fn is_json(response: &Response) -> bool {
    match response.headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str()) {
        Some(Ok(kind)) => kind.to_ascii_lowercase().contains("json"),
        Some(Err(_)) => false,
        None => matches!(response.body.trim_ascii_start().first(), Some(b'{' | b'[')),
    }
}

/// How deeply brackets nest outside of texts.
fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut text, mut escaped) = (0_usize, 0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'{' | b'[' if !text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A text, or a number or flag that should have been one. Numbers keep their digits as far as JSON gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AnyScalar;
        impl Visitor<'_> for AnyScalar {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a flag")
            }
            fn visit_str<E>(self, value: &str) -> Result<Text, E> {
                Ok(Text(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Text, E> {
                Ok(Text(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
        }
        from.deserialize_any(AnyScalar)
    }
}

/// A number or a flag, whether it is written as one or as a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Plain<T>(pub(super) T);

impl<'de, T: FromStr> Deserialize<'de> for Plain<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(from)?;
        let parsed = text.trim().parse().map(Plain);
        parsed.map_err(|_| D::Error::custom("neither a number nor a flag"))
    }
}

/// A key whose value is null says no more than a key that is not there.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// An instant in any spelling of the wire; what cannot be read counts as absent.
pub(super) fn time(text: Option<&Text>) -> Option<Timestamp> {
    text.and_then(|text| parse_time(&text.0))
}

/// `paging`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Paging {
    next: Option<Next>,
}

#[derive(Debug, Deserialize)]
struct Next {
    after: Option<Text>,
}

/// The cursor, if there is a next page.
pub(super) fn after(paging: Option<Paging>) -> Option<String> {
    paging?
        .next?
        .after
        .map(|after| after.0)
        .filter(|after| !after.is_empty())
}

/// A page of anything. Its results are the one key that must be there: some other server's JSON is not an empty page.
#[derive(Debug, Deserialize)]
pub(super) struct Results<T> {
    pub(super) results: Vec<T>,
    pub(super) paging: Option<Paging>,
    /// Searches only.
    pub(super) total: Option<Plain<u64>>,
    /// Batches only: what failed inside a success.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) errors: Vec<ItemError>,
}

/// An error inside a success. Every field of it is optional.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct ItemError(Value);

impl ItemError {
    /// What it stands for.
    pub(super) fn failure(&self) -> Failure {
        refusal::item(&self.0)
    }

    /// The texts of `context.{key}`.
    pub(super) fn named(&self, key: &str) -> Vec<String> {
        refusal::context(&self.0, key)
    }

    /// What is asked for is not there: an answer, not a failure. An error without a category says no more than the input
    /// that is missing among the results, which an answer may leave without any error at all.
    pub(super) fn is_absence(&self) -> bool {
        self.0
            .get("category")
            .and_then(Value::as_str)
            .is_none_or(|category| category == "OBJECT_NOT_FOUND")
    }
}

/// Refuses a batch in which something other than an absence went wrong, for what that was.
pub(super) fn only_absences(errors: &[ItemError]) -> Result<(), Failure> {
    match errors.iter().find(|error| !error.is_absence()) {
        None => Ok(()),
        Some(error) => Err(error.failure()),
    }
}

/// A record.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireRecord {
    id: Text,
    #[serde(default, deserialize_with = "or_default")]
    properties: BTreeMap<String, Option<Text>>,
    created_at: Option<Text>,
    updated_at: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    archived: Plain<bool>,
    pub(super) archived_at: Option<Text>,
    /// Upserts only: whether the record is new.
    #[serde(rename = "new")]
    pub(super) is_new: Option<Plain<bool>>,
    /// Batch writes only: which input it answers.
    #[serde(rename = "objectWriteTraceId")]
    pub(super) trace: Option<Text>,
    #[serde(default, deserialize_with = "or_default")]
    associations: BTreeMap<String, Option<Associated>>,
    #[serde(default, deserialize_with = "or_default")]
    properties_with_history: BTreeMap<String, Option<Vec<Version>>>,
}

#[derive(Debug, Default, Deserialize)]
struct Associated {
    #[serde(default, deserialize_with = "or_default")]
    results: Vec<AssociatedId>,
    paging: Option<Paging>,
}

#[derive(Debug, Deserialize)]
struct AssociatedId {
    id: Text,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    value: Option<Text>,
    timestamp: Option<Text>,
    source_type: Option<String>,
    updated_by_user_id: Option<Text>,
}

impl WireRecord {
    /// The record, and the types of which it has more associations than the answer holds.
    pub(super) fn into_record(self, object: ObjectType) -> Result<(Record, Vec<ObjectType>), Failure> {
        if self.properties.len() > MOST_PROPERTIES {
            return Err(Failure::new(
                Signal::Unreadable,
                "HubSpot's answer has too many properties",
            ));
        }
        let property = |name: &str| time(self.properties.get(name).and_then(Option::as_ref));
        let created = time(self.created_at.as_ref())
            .or_else(|| property("createdate"))
            .or_else(|| property("hs_createdate"))
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let updated = time(self.updated_at.as_ref())
            .or_else(|| property(object.modified_property()))
            .unwrap_or(created);
        let mut associations: BTreeMap<ObjectType, Vec<String>> = BTreeMap::new();
        let mut more = Vec::new();
        for (name, associated) in self.associations {
            let Ok(kind) = name.parse::<ObjectType>() else {
                continue;
            };
            let ids = associations.entry(kind).or_default();
            let associated = associated.unwrap_or_default();
            ids.extend(associated.results.into_iter().map(|result| result.id.0));
            dedupe(ids);
            if after(associated.paging).is_some() {
                more.push(kind);
            }
        }
        let record = Record {
            object,
            id: self.id.0,
            properties: self
                .properties
                .into_iter()
                .map(|(name, value)| (name, value.map(|text| text.0)))
                .collect(),
            created_at: created,
            updated_at: updated,
            archived: self.archived.0,
            associations,
            history: self
                .properties_with_history
                .into_iter()
                .map(|(name, of)| (name, versions(of.unwrap_or_default())))
                .collect(),
        };
        Ok((record, more))
    }
}

/// The records of a page that was not asked for associations.
pub(super) fn records(wire: Vec<WireRecord>, object: ObjectType) -> Result<Vec<Record>, Failure> {
    let records = wire.into_iter().map(|wire| wire.into_record(object));
    records.map(|record| record.map(|(record, _)| record)).collect()
}

fn versions(wire: Vec<Version>) -> Vec<PropertyVersion> {
    let mut versions: Vec<PropertyVersion> = wire
        .into_iter()
        .filter_map(|version| {
            Some(PropertyVersion {
                at: time(version.timestamp.as_ref())?,
                value: version.value.map(|text| text.0),
                source: version.source_type.unwrap_or_default(),
                user: version.updated_by_user_id.map(|user| UserId::from(user.0)),
            })
        })
        .collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version.at));
    versions
}

/// Keeps the first of each, in order: one record appears once per association type.
pub(super) fn dedupe(ids: &mut Vec<String>) {
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
}
