//! The HubSpot account (portal) and who we are in it.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::UserId;

/// What the account says about itself; every date and every sum depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `portalId`. Checked before any queued write is sent.
    pub portal_id: u64,
    /// IANA name of the account's zone, e.g. `US/Eastern`.
    pub time_zone: String,
    /// ISO code of the company currency, e.g. `USD`.
    pub currency: String,
    /// Host of the web interface, e.g. `app.hubspot.com`.
    pub ui_domain: String,
}

impl Account {
    /// The zone, UTC when its name is unknown here.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// The record's page in HubSpot.
    #[must_use]
    pub fn url(&self, record: &super::RecordRef) -> String {
        format!(
            "https://{}/contacts/{}/record/{}/{}",
            self.ui_domain,
            self.portal_id,
            record.object.type_id(),
            record.id
        )
    }
}

/// Whose token it is and what it may do, from introspection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The portal the token belongs to.
    pub portal_id: u64,
    /// The user who made the token, where known.
    pub user: Option<UserId>,
    /// Granted scopes; empty when the portal does not say.
    pub scopes: Vec<String>,
}
