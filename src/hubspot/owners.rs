//! Owners, live and archived: old deals still name people who left.

use serde::Deserialize;

use super::{
    call::Call,
    client::Client,
    cursor::Cursor,
    failure::Failure,
    paths::{self, Query},
    signal::Signal,
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

    /// The owner behind a user, live or archived; `None` when the user owns nothing. "My deals" begins here:
    /// introspection names users, deals name owners.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn owner_of_user(&self, lane: Lane, user: &UserId) -> Result<Option<Owner>, Failure> {
        for archived in [false, true] {
            let path = Query::default()
                .with("idProperty", "userId")
                .with("archived", archived.to_string())
                .on(&paths::owner(user.as_str()));
            match self.read(lane, Call::get(path), wire::read::<WireOwner>).await {
                Ok(owner) => return Ok(Some(owner.into_owner(archived))),
                Err(failure) if failure.signal == Signal::NotFound => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(None)
    }

    async fn owners_of(&self, lane: Lane, archived: bool) -> Result<Vec<Owner>, Failure> {
        let (mut owners, mut cursor) = (Vec::new(), Cursor::default());
        loop {
            let path = Query::default()
                .with("limit", "500")
                .with("archived", archived.to_string())
                .with_some("after", cursor.after())
                .on(&paths::owners());
            let page = self
                .read(lane, Call::get(path), wire::read::<Results<WireOwner>>)
                .await?;
            owners.extend(page.results.into_iter().map(|owner| owner.into_owner(archived)));
            if !cursor.advance(wire::after(page.paging))? {
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
