//! What a filter's words refer to in this account: labels, owners, "me", the zone. Read once per listing or count.

use jiff::{Timestamp, tz::TimeZone};

use super::Settings;
use crate::{
    domain::{Account, Fault, Identity, ObjectType, Owner, OwnerId, Pipeline, PropertyDefinition},
    filter::Context,
    store::MirrorView,
};

/// The name under which the mirror keeps whose token it is.
pub const IDENTITY: &str = "identity";

/// The words of one object type.
pub struct Words {
    account: Option<Account>,
    me: Option<OwnerId>,
    owners: Vec<Owner>,
    pipelines: Vec<Pipeline>,
    fiscal_year_start: i8,
    /// The definitions of the type's properties.
    pub definitions: Vec<PropertyDefinition>,
}

impl Words {
    /// Reads them from the mirror.
    pub fn read(mirror: &MirrorView, settings: &Settings, object: ObjectType) -> Result<Self, Fault> {
        let owners = mirror.owners()?;
        Ok(Self {
            account: mirror.account()?,
            me: me(mirror, settings, &owners)?,
            owners,
            pipelines: mirror.pipelines()?,
            fiscal_year_start: settings.fiscal_year_start,
            definitions: mirror.definitions(object)?,
        })
    }

    /// What they mean at this moment.
    pub fn context(&self, now: Timestamp) -> Context<'_> {
        Context {
            me: self.me.as_ref(),
            currency: self.account.as_ref().map_or("", |account| account.currency.as_str()),
            fiscal_year_start: self.fiscal_year_start,
            pipelines: &self.pipelines,
            owners: &self.owners,
            definitions: &self.definitions,
            ..Context::new(now, self.account.as_ref().map_or(TimeZone::UTC, Account::zone))
        }
    }
}

/// Whose deals are "mine": the configured owner, else the owner behind the token's user.
pub fn me(mirror: &MirrorView, settings: &Settings, owners: &[Owner]) -> Result<Option<OwnerId>, Fault> {
    if settings.owner.is_some() {
        return Ok(settings.owner.clone());
    }
    let identity: Option<Identity> = mirror
        .cursor(IDENTITY)?
        .and_then(|text| serde_json::from_str(&text).ok());
    let user = identity.and_then(|identity| identity.user);
    Ok(user.and_then(|user| super::feed::owner_of(owners, &user)))
}
