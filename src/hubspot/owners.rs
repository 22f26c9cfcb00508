//! Owners, live and archived: old deals still name people who left.

use serde::Deserialize;

use super::{
    call::Call,
    client::Client,
    failure::Failure,
    paths::{self, Query},
    wire::{self, Plain, Results, Text},
};
use crate::domain::{Lane, Owner, UserId};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOwner {
    id: Text,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    user_id: Option<Text>,
    /// Set for archived owners too, whose `userId` is null.
    user_id_including_inactive: Option<Text>,
    #[serde(default, deserialize_with = "wire::or_default")]
    archived: Plain<bool>,
}

impl Client {
    /// All owners: the live ones, then the archived ones.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn owners(&self, lane: Lane) -> Result<Vec<Owner>, Failure> {
        let mut owners = self.owners_of(lane, false).await?;
        owners.extend(self.owners_of(lane, true).await?);
        Ok(owners)
    }

    async fn owners_of(&self, lane: Lane, archived: bool) -> Result<Vec<Owner>, Failure> {
        let (mut owners, mut after) = (Vec::new(), None);
        loop {
            let path = Query::default()
                .with("limit", "500")
                .with("archived", archived.to_string())
                .with_some("after", after.as_deref())
                .on(&paths::owners());
            let page = self
                .read(lane, Call::get(path), wire::read::<Results<WireOwner>>)
                .await?;
            owners.extend(page.results.into_iter().map(|owner| owner.into_owner(archived)));
            after = wire::after(page.paging);
            if after.is_none() {
                return Ok(owners);
            }
        }
    }
}

impl WireOwner {
    fn into_owner(self, archived: bool) -> Owner {
        let user = self.user_id.or(self.user_id_including_inactive);
        Owner {
            id: self.id.0.into(),
            user: user.map(|user| UserId::from(user.0)),
            first_name: self.first_name.unwrap_or_default(),
            last_name: self.last_name.unwrap_or_default(),
            email: self.email.unwrap_or_default(),
            archived: archived || self.archived.0,
        }
    }
}
