//! What somebody granted to their OAuth app: two tokens and how long the short one lives. It refuses to be serialised by
//! accident: only [`Grant::encode`] writes it out, into another secret.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::{
    domain::{Identity, UserId},
    hubspot::wire::Text,
};

/// A grant is renewed this long before it ends.
const AHEAD: Duration = Duration::from_secs(60);
/// What HubSpot's access tokens live where the answer does not say.
const USUAL_LIFE: u64 = 1_800;

/// An OAuth grant. Its `Debug` shows no token.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Signs requests until `expires_at`.
    pub access_token: SecretString,
    /// Buys the next access token. HubSpot may replace it with every renewal.
    pub refresh_token: SecretString,
    /// When the access token was handed out.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The account it is for, where the answer said.
    pub portal_id: Option<u64>,
    /// The person who granted it, where the answer said.
    pub user: Option<UserId>,
    /// What it may do; empty where the answer did not say.
    pub scopes: Vec<String>,
}

/// The token endpoint's answer; the oldest version knows only the first three.
#[derive(Deserialize)]
pub(super) struct WireGrant {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    expires_in: Option<u64>,
    hub_id: Option<u64>,
    user_id: Option<Text>,
    #[serde(default)]
    scopes: Vec<String>,
}

/// A grant on disk.
#[derive(Deserialize)]
struct KeptGrant {
    access_token: SecretString,
    refresh_token: SecretString,
    issued_at: Timestamp,
    expires_at: Timestamp,
    portal_id: Option<u64>,
    user: Option<UserId>,
    #[serde(default)]
    scopes: Vec<String>,
}

impl Grant {
    /// The first grant of an answer; `None` when it could not be renewed.
    pub(super) fn first(wire: WireGrant, now: Timestamp) -> Option<Self> {
        let life = Duration::from_secs(wire.expires_in.unwrap_or(USUAL_LIFE));
        Some(Self {
            access_token: wire.access_token,
            refresh_token: wire.refresh_token?,
            issued_at: now,
            expires_at: now.saturating_add(life).unwrap_or(Timestamp::MAX),
            portal_id: wire.hub_id,
            user: wire.user_id.map(|user| UserId::from(user.0)),
            scopes: wire.scopes,
        })
    }

    /// This grant renewed: what an answer leaves out stays as it was.
    pub(super) fn renewed(&self, mut wire: WireGrant, now: Timestamp) -> Option<Self> {
        wire.refresh_token.get_or_insert_with(|| self.refresh_token.clone());
        let fresh = Self::first(wire, now)?;
        Some(Self {
            portal_id: fresh.portal_id.or(self.portal_id),
            user: fresh.user.clone().or_else(|| self.user.clone()),
            scopes: if fresh.scopes.is_empty() {
                self.scopes.clone()
            } else {
                fresh.scopes.clone()
            },
            ..fresh
        })
    }

    /// Time to renew it: sixty seconds before its end, or half-way through a life shorter than two minutes.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let life = self.issued_at.duration_until(self.expires_at).unsigned_abs();
        self.left(now) <= AHEAD.min(life / 2)
    }

    /// It still opens doors.
    pub(super) fn is_alive(&self, now: Timestamp) -> bool {
        !self.left(now).is_zero()
    }

    /// It was handed out so lately that a refusal is not about its age.
    pub(super) fn is_young(&self, now: Timestamp) -> bool {
        self.issued_at.duration_until(now).unsigned_abs() < AHEAD
    }

    fn left(&self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_until(self.expires_at)).unwrap_or_default()
    }

    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.access_token.expose_secret() == other.access_token.expose_secret()
    }

    /// Whether both are for one account; where one of them does not say, whether both can be renewed by one token.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        match (self.portal_id, other.portal_id) {
            (Some(one), Some(another)) => one == another,
            _ => self.refresh_token.expose_secret() == other.refresh_token.expose_secret(),
        }
    }

    /// What the grant itself knows of its owner; `None` where HubSpot never named the account.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        Some(Identity {
            portal_id: self.portal_id?,
            user: self.user.clone(),
            scopes: self.scopes.clone(),
        })
    }

    /// As JSON, for a file that only its owner can read.
    #[must_use]
    pub fn encode(&self) -> SecretString {
        let grant = json!({
            "access_token": self.access_token.expose_secret(),
            "refresh_token": self.refresh_token.expose_secret(),
            "issued_at": self.issued_at,
            "expires_at": self.expires_at,
            "portal_id": self.portal_id,
            "user": self.user,
            "scopes": self.scopes,
        });
        SecretString::from(grant.to_string())
    }

    /// Reads what [`Grant::encode`] wrote; `None` when it is anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let kept: KeptGrant = serde_json::from_str(text).ok()?;
        Some(Self {
            access_token: kept.access_token,
            refresh_token: kept.refresh_token,
            issued_at: kept.issued_at,
            expires_at: kept.expires_at,
            portal_id: kept.portal_id,
            user: kept.user,
            scopes: kept.scopes,
        })
    }
}
