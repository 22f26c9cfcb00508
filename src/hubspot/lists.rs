//! Lists, which HubSpot's screens call segments: all of them, or one with its filters in brief. Filters are never changed
//! from here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::Call,
    client::Client,
    cursor::Cursor,
    failure::Failure,
    paths::{self, Query},
    signal::Signal,
    wire::{self, Paging, Text},
};
use crate::domain::{FilterSummary, Lane, List, ListId, ListKind, ObjectType};

/// What HubSpot counts of a list's members.
const TOLD: [&str; 3] = ["hs_list_size", "hs_last_record_added_at", "hs_last_record_removed_at"];

/// Which lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListSearch {
    /// Words in the name.
    pub query: Option<String>,
    /// Lists of this type's records.
    pub object: Option<ObjectType>,
    /// Kinds of lists; none means all.
    pub kinds: Vec<ListKind>,
}

/// A page, by cursor under `results` or by offset under `lists`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLists {
    #[serde(alias = "results")]
    lists: Vec<WireList>,
    paging: Option<Paging>,
    #[serde(default)]
    has_more: bool,
    offset: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct WireOne {
    list: WireList,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireList {
    list_id: Text,
    #[serde(default)]
    name: String,
    object_type_id: Option<String>,
    processing_type: Option<String>,
    #[serde(default)]
    processing_status: String,
    updated_at: Option<Text>,
    #[serde(default, deserialize_with = "wire::or_default")]
    additional_properties: BTreeMap<String, Option<Text>>,
    filter_branch: Option<Branch>,
}

/// A branch of the tree of filters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Branch {
    #[serde(default, deserialize_with = "wire::or_default")]
    filter_branches: Vec<Branch>,
    #[serde(default, deserialize_with = "wire::or_default")]
    filters: Vec<Filter>,
}

#[derive(Debug, Deserialize)]
struct Filter {
    property: Option<String>,
}

impl Client {
    /// The lists of the account, in HubSpot's order.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn lists(&self, lane: Lane, search: &ListSearch) -> Result<Vec<List>, Failure> {
        if search.query.is_some() {
            return self.lists_found(lane, search).await;
        }
        match self.lists_all(lane, search).await {
            // An account whose API version does not have it yet.
            Err(failure) if failure.signal == Signal::NotFound => self.lists_found(lane, search).await,
            answer => answer,
        }
    }

    async fn lists_all(&self, lane: Lane, search: &ListSearch) -> Result<Vec<List>, Failure> {
        let (mut lists, mut cursor) = (Vec::new(), Cursor::default());
        loop {
            let mut body = search.body(100);
            if let Some(after) = cursor.after() {
                body["after"] = json!(after);
            }
            let call = Call::post(format!("{}/all", paths::lists()), &body);
            let page = self.read(lane, call, wire::read::<WireLists>).await?;
            lists.extend(page.lists.into_iter().map(WireList::into_list));
            if !cursor.advance(wire::after(page.paging))? {
                return Ok(lists);
            }
        }
    }

    async fn lists_found(&self, lane: Lane, search: &ListSearch) -> Result<Vec<List>, Failure> {
        let (mut lists, mut offset) = (Vec::new(), 0);
        loop {
            let mut body = search.body(500);
            body["offset"] = json!(offset);
            if let Some(query) = &search.query {
                body["query"] = json!(query);
            }
            let call = Call::post(format!("{}/search", paths::lists()), &body);
            let page = self.read(lane, call, wire::read::<WireLists>).await?;
            let count = page.lists.len() as u64;
            lists.extend(page.lists.into_iter().map(WireList::into_list));
            if !page.has_more {
                return Ok(lists);
            }
            let next = page.offset.unwrap_or(offset + count);
            if next <= offset {
                return Err(Failure::new(
                    Signal::Unreadable,
                    "HubSpot's answer leads back to the same page",
                ));
            }
            offset = next;
        }
    }

    /// One list, with its filters in brief.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn list_by_id(&self, lane: Lane, list: &ListId) -> Result<List, Failure> {
        self.one_list(lane, &paths::list(list)).await
    }

    /// The list of this type's records with exactly this name, with its filters in brief.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries; [`Signal::NotFound`] when there is none.
    pub async fn list_by_name(&self, lane: Lane, object: ObjectType, name: &str) -> Result<List, Failure> {
        self.one_list(lane, &paths::list_named(object, name)).await
    }

    async fn one_list(&self, lane: Lane, path: &str) -> Result<List, Failure> {
        let path = Query::default().with("includeFilters", "true").on(path);
        let answer = self.read(lane, Call::get(path), wire::read::<WireOne>).await?;
        Ok(answer.list.into_list())
    }
}

impl ListSearch {
    fn body(&self, count: u32) -> Value {
        let mut body = json!({ "count": count, "additionalProperties": TOLD });
        if let Some(object) = self.object {
            body["objectTypeId"] = json!(object.type_id());
        }
        if !self.kinds.is_empty() {
            body["processingTypes"] = self.kinds.iter().map(|kind| json!(word(*kind))).collect();
        }
        body
    }
}

const fn word(kind: ListKind) -> &'static str {
    match kind {
        ListKind::Manual => "MANUAL",
        ListKind::Dynamic => "DYNAMIC",
        ListKind::Snapshot => "SNAPSHOT",
    }
}

impl WireList {
    fn into_list(self) -> List {
        let told = |name: &str| self.additional_properties.get(name).and_then(Option::as_ref);
        let [size, joined, left] = TOLD.map(told);
        let kinds = [ListKind::Manual, ListKind::Dynamic, ListKind::Snapshot];
        let kind = self.processing_type.as_deref();
        let type_id = self.object_type_id.as_deref();
        List {
            id: self.list_id.0.into(),
            name: self.name,
            object: ObjectType::ALL
                .into_iter()
                .find(|object| type_id == Some(object.type_id())),
            kind: kinds.into_iter().find(|known| kind == Some(word(*known))),
            status: self.processing_status,
            size: size.and_then(|text| text.0.parse().ok()),
            updated_at: wire::time(self.updated_at.as_ref()),
            joined_at: wire::time(joined),
            left_at: wire::time(left),
            filters: self.filter_branch.map(|branch| {
                let mut summary = FilterSummary::default();
                branch.count(&mut summary);
                summary
            }),
        }
    }
}

impl Branch {
    fn count(self, summary: &mut FilterSummary) {
        for filter in self.filters {
            summary.conditions += 1;
            if let Some(property) = filter.property {
                *summary.properties.entry(property).or_default() += 1;
            }
        }
        self.filter_branches
            .into_iter()
            .for_each(|branch| branch.count(summary));
    }
}
