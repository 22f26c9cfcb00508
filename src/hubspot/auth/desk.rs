//! HubSpot's token endpoint: codes and refresh tokens in, grants out. Its calls take no permit of the budget: they are made
//! for the app and not on an account, carry no rate headers and are counted by none of the account's limits. So that it is
//! never hammered, every call here is one attempt; when the next may follow is for `renewal` to say.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{
    ASK_AGAIN,
    consent::OAuthApp,
    grant::{Grant, WireGrant},
};
use crate::{
    domain::{Identity, UserId},
    hubspot::{
        budget::Quota,
        clock::Clock,
        failure::Failure,
        paths, refusal,
        signal::Signal,
        transport::{Request, Response, Transport},
        wire::{self, Text},
    },
};

/// The token endpoint, reached over one transport.
#[derive(Clone)]
pub struct TokenDesk {
    transport: Arc<dyn Transport>,
    pub(super) clock: Clock,
    timeout: Duration,
}

impl std::fmt::Debug for TokenDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenDesk").finish_non_exhaustive()
    }
}

/// What introspection says of an access token.
#[derive(Deserialize)]
struct WireToken {
    active: Option<bool>,
    hub_id: Option<u64>,
    user_id: Option<Text>,
    #[serde(default)]
    scopes: Vec<String>,
}

impl TokenDesk {
    /// A desk; `timeout` is for one whole exchange.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, clock: Clock, timeout: Duration) -> Self {
        Self {
            transport,
            clock,
            timeout,
        }
    }

    /// Turns the code a browser brought back into the first grant.
    ///
    /// # Errors
    /// [`Signal::Unauthorized`] when HubSpot refuses the code or the app; [`Signal::NotSent`] when it could not be asked.
    pub async fn redeem(&self, app: &OAuthApp, code: &SecretString, verifier: &SecretString) -> Result<Grant, Failure> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", &app.redirect.url),
            ("code_verifier", verifier.expose_secret()),
        ];
        let answer = self.post(paths::oauth_token(), app, &form).await?;
        let now = self.clock.wall();
        Grant::first(read(&answer)?, now).ok_or_else(|| later("HubSpot's answer holds no refresh token", None))
    }

    /// Renews a grant. The refresh token that comes back replaces the old one.
    ///
    /// # Errors
    /// What it means for the request that waits: [`Signal::Unauthorized`], [`Signal::NotSent`] or
    /// [`Signal::Interception`], nothing else.
    pub(super) async fn renew(&self, app: &OAuthApp, grant: &Grant) -> Result<Grant, Failure> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", grant.refresh_token.expose_secret()),
        ];
        let answer = self.post(paths::oauth_token(), app, &form).await?;
        let now = self.clock.wall();
        grant
            .renewed(read(&answer)?, now)
            .ok_or_else(|| later("HubSpot's answer holds no refresh token", None))
    }

    /// Whose grant it is. Where HubSpot offers no introspection, the grant says what it knows.
    pub(super) async fn introspect(&self, app: &OAuthApp, grant: &Grant) -> Result<Identity, Failure> {
        let form = [
            ("token", grant.access_token.expose_secret()),
            ("token_type_hint", "access_token"),
        ];
        let answer = self.send(paths::oauth_introspection(), app, &form).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return grant.identity().ok_or_else(|| refusal::read(&answer, Quota::Burst));
        }
        let said: WireToken = wire::read(&accepted(answer)?)?;
        if said.active == Some(false) {
            return Err(refused("HubSpot says that the access was taken back", ASK_AGAIN));
        }
        Ok(Identity {
            portal_id: said
                .hub_id
                .or(grant.portal_id)
                .ok_or_else(|| later("HubSpot does not say whose token it is", None))?,
            user: said
                .user_id
                .map(|user| UserId::from(user.0))
                .or_else(|| grant.user.clone()),
            scopes: if said.scopes.is_empty() {
                grant.scopes.clone()
            } else {
                said.scopes
            },
        })
    }

    /// One form post that must succeed.
    async fn post(&self, path: String, app: &OAuthApp, form: &[(&str, &str)]) -> Result<Response, Failure> {
        accepted(self.send(path, app, form).await?)
    }

    /// One form post, signed by the app, and its answer whatever it is.
    async fn send(&self, path: String, app: &OAuthApp, form: &[(&str, &str)]) -> Result<Response, Failure> {
        let body = Serializer::new(String::new())
            .extend_pairs(form)
            .append_pair("client_id", &app.client_id)
            .append_pair("client_secret", app.client_secret.expose_secret())
            .finish();
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, form);
        let request = Request {
            method: Method::POST,
            path_and_query: path,
            headers,
            body: Bytes::from(body),
            timeout: self.timeout,
            hublet: None,
        };
        self.transport.send(request).await.map_err(|error| {
            let failure = Failure::from_transport(&error);
            // Whether the post arrived does not matter: the request that waits for it has certainly not been sent.
            match failure.signal {
                Signal::Interception => failure,
                _ => later(&failure.message, None),
            }
        })
    }
}

fn accepted(answer: Response) -> Result<Response, Failure> {
    if answer.status.is_success() {
        Ok(answer)
    } else {
        Err(refusal(&answer))
    }
}

/// An answer that is no success: refused for good, or not now, whatever the status. It is about the token and never about
/// the request that waits for it: a 404 here is no record that is gone. RFC 6749's keys and HubSpot's stand next to each
/// other, and either may be missing.
fn refusal(answer: &Response) -> Failure {
    let failure = refusal::read(answer, Quota::Burst);
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let (error, status) = (text("error"), text("status"));
    let says = match text("message") {
        "" => text("error_description"),
        message => message,
    };
    let next = match (error, status) {
        (_, "BAD_REFRESH_TOKEN" | "BAD_AUTH_CODE" | "EXPIRED_AUTH_CODE" | "BAD_HUB")
        | ("invalid_grant" | "access_denied", _) => ASK_AGAIN,
        (_, "BAD_CLIENT_ID" | "BAD_CLIENT_SECRET") | ("invalid_client" | "unauthorized_client", _) => {
            "check the client id and secret that [oauth] names, then run 'dealdeck setup --oauth'"
        }
        (_, "BAD_REDIRECT_URI") => "register oauth.redirect_uri in the app, letter by letter the same",
        ("invalid_scope", _) => "ask for scopes that the app has, in oauth.scopes",
        ("invalid_request" | "unsupported_grant_type", _) => "check [oauth] in the configuration",
        _ => return later(&failure.message, failure.retry_after),
    };
    Failure {
        status: failure.status,
        correlation_id: failure.correlation_id,
        ..refused(if says.is_empty() { error } else { says }, next)
    }
}

/// Refused for good.
fn refused(message: &str, next: &'static str) -> Failure {
    Failure {
        next: Some(next),
        ..Failure::new(Signal::Unauthorized, message)
    }
}

/// Not now. To whoever wanted to send something with the token: it was not sent.
pub(super) fn later(message: &str, retry_after: Option<Duration>) -> Failure {
    Failure {
        retry_after,
        ..Failure::new(
            Signal::NotSent,
            format!("the access token could not be renewed: {message}"),
        )
    }
}

/// The grant in an answer. What was read is not quoted: it holds tokens.
fn read(answer: &Response) -> Result<WireGrant, Failure> {
    wire::read(answer).map_err(|_| later("the answer is not HubSpot's", None))
}
