//! The account, the token's identity, and the day's usage.

use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::{
    call::Call,
    client::Client,
    failure::Failure,
    paths,
    signal::Signal,
    wire::{self, Plain, Results, Text},
};
use crate::domain::{Account, Gauge, Identity, Lane, UserId};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAccount {
    portal_id: Plain<u64>,
    #[serde(default, deserialize_with = "wire::or_default")]
    time_zone: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    company_currency: String,
    ui_domain: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireIdentity {
    hub_id: Plain<u64>,
    user_id: Option<Text>,
    #[serde(default, deserialize_with = "wire::or_default")]
    scopes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsage {
    #[serde(default, deserialize_with = "wire::or_default")]
    name: String,
    usage_limit: Option<Plain<u64>>,
    current_usage: Option<Plain<u64>>,
    resets_at: Option<Text>,
}

impl Client {
    /// Whose token this is. Where introspection is not offered any more, the account's details say at least which
    /// portal it belongs to.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn identity(&self) -> Result<Identity, Failure> {
        if let Some(identity) = self.inner.auth.grant_identity().await {
            return identity;
        }
        let token = self.inner.auth.token().map_or("", ExposeSecret::expose_secret);
        let body = json!({ "tokenKey": token.trim() });
        let call = Call::post(paths::introspection().to_owned(), &body);
        let answer = self.read(Lane::Read, call, wire::read::<WireIdentity>).await;
        match answer {
            Ok(identity) => Ok(Identity {
                portal_id: identity.hub_id.0,
                user: identity.user_id.map(|user| UserId::from(user.0)),
                scopes: identity.scopes,
            }),
            Err(failure) if failure.signal == Signal::NotFound => {
                let account = self.account(Lane::Read).await?;
                Ok(Identity {
                    portal_id: account.portal_id,
                    user: None,
                    scopes: Vec::new(),
                })
            }
            Err(failure) => Err(failure),
        }
    }

    /// The account. Its time zone tells the budget when the day ends.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn account(&self, lane: Lane) -> Result<Account, Failure> {
        let call = Call::get(paths::account_details());
        let wire: WireAccount = self.read(lane, call, wire::read).await?;
        let account = Account {
            portal_id: wire.portal_id.0,
            time_zone: wire.time_zone,
            currency: wire.company_currency,
            ui_domain: wire.ui_domain.unwrap_or_else(|| "app.hubspot.com".to_owned()),
        };
        self.inner.budget.set_zone(account.zone());
        Ok(account)
    }

    /// The day's gauge from HubSpot's own counting; `None` when it has none at the moment.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn daily_usage(&self, lane: Lane) -> Result<Option<Gauge>, Failure> {
        let call = Call::get(paths::daily_usage());
        let answer = self.read(lane, call, wire::read::<Results<WireUsage>>).await?;
        let day = answer.results.into_iter().find(|usage| usage.name.contains("daily"));
        let gauge = day.and_then(|day| {
            let (Plain(limit), Plain(used)) = day.usage_limit.zip(day.current_usage)?;
            let resets_at = wire::time(day.resets_at.as_ref());
            self.inner.budget.observe_usage(limit, used, resets_at)
        });
        Ok(gauge)
    }
}
