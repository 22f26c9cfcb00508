//! Who is in a list, and which lists a record is in. Members of an active list are its filters' business: HubSpot refuses
//! to add or remove any.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{
    budget::Permit,
    call::Call,
    client::Client,
    cursor::Cursor,
    failure::Failure,
    paths::{self, Query},
    signal::Signal,
    wire::{self, Results, Text},
};
use crate::domain::{Lane, ListId, ListMember, Membership, MembershipChange, ObjectType, RecordRef};

/// Records per batch read.
const BATCH: usize = 100;

/// In which order members come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberOrder {
    /// By record id.
    #[default]
    Id,
    /// By the time they joined.
    Joined,
}

/// One page of members, at most 250.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPage {
    /// The page.
    pub members: Vec<ListMember>,
    /// How many there are on all pages, where HubSpot says so.
    pub total: Option<u64>,
    /// The cursor of the next page; `None` on the last one.
    pub after: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMember {
    record_id: Text,
    membership_timestamp: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMembership {
    list_id: Text,
    last_added_timestamp: Option<Text>,
    first_added_timestamp: Option<Text>,
}

/// One record of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOfRecord {
    record_id: Text,
    #[serde(default, deserialize_with = "wire::or_default")]
    record_list_memberships: Vec<WireMembership>,
}

/// The first key is HubSpot's own spelling. An answer with none of them did not come from there.
#[derive(Debug, Deserialize)]
struct WireChange {
    #[serde(rename = "recordsIdsAdded", alias = "recordIdsAdded")]
    added: Option<Vec<Text>>,
    #[serde(rename = "recordIdsRemoved", alias = "recordsIdsRemoved")]
    removed: Option<Vec<Text>>,
    #[serde(rename = "recordIdsMissing", alias = "recordsIdsMissing")]
    missing: Option<Vec<Text>>,
}

impl Client {
    /// One page of a list's members.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn list_members(
        &self,
        lane: Lane,
        list: &ListId,
        order: MemberOrder,
        after: Option<&str>,
    ) -> Result<MemberPage, Failure> {
        let page = self.member_page(lane, list, order, after).await?;
        Ok(MemberPage {
            total: page.total.map(|total| total.0),
            members: page.results.into_iter().map(WireMember::into_member).collect(),
            after: wire::after(page.paging),
        })
    }

    async fn member_page(
        &self,
        lane: Lane,
        list: &ListId,
        order: MemberOrder,
        after: Option<&str>,
    ) -> Result<Results<WireMember>, Failure> {
        let way = match order {
            MemberOrder::Id => "memberships",
            MemberOrder::Joined => "memberships/join-order",
        };
        let path = Query::default()
            .with("limit", "250")
            .with_some("after", after)
            .on(&format!("{}/{way}", paths::list(list)));
        self.read(lane, Call::get(path), wire::read).await
    }

    /// The lists a record is in.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn lists_of(&self, lane: Lane, record: &RecordRef) -> Result<Vec<Membership>, Failure> {
        let (mut all, mut cursor) = (Vec::new(), Cursor::default());
        loop {
            let path = Query::default()
                .with_some("after", cursor.after())
                .on(&paths::lists_of(record));
            let page = self
                .read(lane, Call::get(path), wire::read::<Results<WireMembership>>)
                .await?;
            all.extend(page.results.into_iter().map(WireMembership::into_membership));
            if !cursor.advance(wire::after(page.paging))? {
                return Ok(all);
            }
        }
    }

    /// The lists each of these records is in, in chunks of 100; every id asked for is a key.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries; [`Signal::NotFound`] where the account's API does not have
    /// it.
    pub async fn memberships_of(
        &self,
        lane: Lane,
        object: ObjectType,
        ids: &[String],
    ) -> Result<BTreeMap<String, Vec<Membership>>, Failure> {
        let mut all: BTreeMap<String, Vec<Membership>> = ids.iter().map(|id| (id.clone(), Vec::new())).collect();
        let ids: Vec<String> = all.keys().cloned().collect();
        for chunk in ids.chunks(BATCH) {
            let input = |id: &String| json!({ "objectTypeId": object.type_id(), "recordId": id });
            let body = json!({ "inputs": chunk.iter().map(input).collect::<Vec<_>>() });
            let call = Call::post(format!("{}/records/memberships/batch/read", paths::lists()), &body);
            let answer = self.read(lane, call, wire::read::<Results<WireOfRecord>>).await?;
            for record in answer.results {
                // An answer about a record nobody asked for has no place to go.
                if let Some(lists) = all.get_mut(&record.record_id.0) {
                    lists.extend(
                        record
                            .record_list_memberships
                            .into_iter()
                            .map(WireMembership::into_membership),
                    );
                }
            }
        }
        Ok(all)
    }

    /// Adds records to a list that people fill; members stay members, so it can be sent again.
    ///
    /// # Errors
    /// [`Failure`]; [`Signal::Validation`] when the list's filters decide who is in it.
    pub async fn add_to_list(
        &self,
        permit: Permit,
        list: &ListId,
        ids: &[String],
    ) -> Result<MembershipChange, Failure> {
        self.change_members(permit, list, "add", ids).await
    }

    /// Takes records out of a list that people fill; those that are no members stay so, so it can be sent again.
    ///
    /// # Errors
    /// [`Failure`]; [`Signal::Validation`] when the list's filters decide who is in it.
    pub async fn remove_from_list(
        &self,
        permit: Permit,
        list: &ListId,
        ids: &[String],
    ) -> Result<MembershipChange, Failure> {
        self.change_members(permit, list, "remove", ids).await
    }

    async fn change_members(
        &self,
        permit: Permit,
        list: &ListId,
        verb: &str,
        ids: &[String],
    ) -> Result<MembershipChange, Failure> {
        if ids.is_empty() {
            return Ok(MembershipChange::default());
        }
        let mut ids = ids.to_vec();
        wire::dedupe(&mut ids);
        let path = format!("{}/memberships/{verb}", paths::list(list));
        let call = Call::send(Method::PUT, path, &json!(ids));
        let response = self
            .write(permit, &call)
            .await
            .map_err(|failure| match failure.signal {
                Signal::Validation => Failure {
                    message: format!(
                        "{} (an active list, like '{list}' may be, is filled by its filters only)",
                        failure.message.trim_end_matches('.')
                    ),
                    ..failure
                },
                _ => failure,
            })?;
        let wire: WireChange = wire::read(&response)?;
        if wire.added.is_none() && wire.removed.is_none() && wire.missing.is_none() {
            let message = format!("the answer does not say who is in list '{list}' now");
            return Err(Failure::new(Signal::Unreadable, message));
        }
        let ids = |texts: Option<Vec<Text>>| texts.unwrap_or_default().into_iter().map(|text| text.0).collect();
        Ok(MembershipChange {
            added: ids(wire.added),
            removed: ids(wire.removed),
            missing: ids(wire.missing),
        })
    }
}

impl WireMembership {
    fn into_membership(self) -> Membership {
        Membership {
            list: self.list_id.0.into(),
            joined_at: wire::time(self.last_added_timestamp.or(self.first_added_timestamp).as_ref()),
        }
    }
}

impl WireMember {
    fn into_member(self) -> ListMember {
        ListMember {
            record: self.record_id.0,
            joined_at: wire::time(self.membership_timestamp.as_ref()),
        }
    }
}
