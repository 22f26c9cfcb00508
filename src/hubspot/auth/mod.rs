//! Who we are to HubSpot: a static token, or an OAuth grant that is renewed before it ends. One renewal is in flight for
//! all tasks, and a 401 is answered by one renewal and one replay. It refuses to keep anything itself (a [`TokenStore`]
//! does), to open a browser, and to show a token to anybody.

mod consent;
mod desk;
mod grant;
mod redirect;
mod renewal;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use self::renewal::Renewal;
pub use self::{
    consent::{Consent, OAuthApp, consent_page},
    desk::TokenDesk,
    grant::Grant,
    redirect::Redirect,
};
use super::failure::Failure;
use crate::domain::{Fault, Identity};

/// The next step when an OAuth grant is of no use any more.
pub(super) const ASK_AGAIN: &str = "run 'dealdeck setup --oauth' to give access again";

/// What requests are signed with.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A service key or private-app token: it does not expire and cannot be renewed.
    Token(SecretString),
    /// What somebody granted to their own OAuth app.
    OAuth {
        /// The app; its secret renews the grant.
        app: Box<OAuthApp>,
        /// The grant as it was last kept.
        grant: Grant,
    },
}

/// Where credentials live between two runs. Processes that share a store see each other's renewals.
pub trait TokenStore: Send + Sync + 'static {
    /// The grant as it is kept now: another process may have renewed it. `None` also when it cannot be read.
    fn grant(&self) -> Option<Grant>;

    /// Keeps a renewed grant in place of the one before, readable by its owner alone.
    ///
    /// # Errors
    /// It cannot be written; the grant then lives as long as the process.
    fn keep_grant(&self, grant: &Grant) -> Result<(), Fault>;

    /// The region (`eu1`) in which the account was found, if it is not where HubSpot's plain host looks first.
    fn region(&self) -> Option<String>;

    /// Remembers it; `None`: the plain host knows the account. Losing it costs one request, so it cannot fail.
    fn keep_region(&self, region: Option<&str>);
}

/// A store that forgets with the process: for static tokens of tests and demos.
#[derive(Debug, Default)]
pub struct MemoryTokens {
    grant: Mutex<Option<Grant>>,
    region: Mutex<Option<String>>,
}

impl MemoryTokens {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl TokenStore for MemoryTokens {
    fn grant(&self) -> Option<Grant> {
        self.grant.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep_grant(&self, grant: &Grant) -> Result<(), Fault> {
        *self.grant.lock().unwrap_or_else(PoisonError::into_inner) = Some(grant.clone());
        Ok(())
    }

    fn region(&self) -> Option<String> {
        self.region.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep_region(&self, region: Option<&str>) {
        *self.region.lock().unwrap_or_else(PoisonError::into_inner) = region.map(str::to_owned);
    }
}

/// Signs requests.
pub(super) enum Auth {
    Token { bearer: HeaderValue, token: SecretString },
    OAuth(Arc<Renewal>),
}

impl Auth {
    pub(super) fn new(credentials: Credentials, desk: TokenDesk, store: Arc<dyn TokenStore>) -> Self {
        match credentials {
            Credentials::Token(token) => Self::Token {
                bearer: bearer(&token),
                token,
            },
            Credentials::OAuth { app, grant } => Self::OAuth(Arc::new(Renewal::new(*app, grant, desk, store))),
        }
    }

    /// What the next request is signed with; a grant that is about to end is renewed first.
    pub(super) async fn bearer(&self) -> Result<HeaderValue, Failure> {
        match self {
            Self::Token { bearer, .. } => Ok(bearer.clone()),
            Self::OAuth(renewal) => renewal.bearer().await,
        }
    }

    /// What a request refused with a 401 is replayed with: `None` when a replay would be refused as well.
    pub(super) async fn renewed(&self, refused: &HeaderValue) -> Result<Option<HeaderValue>, Failure> {
        match self {
            Self::Token { .. } => Ok(None),
            Self::OAuth(renewal) => renewal.renewed(refused).await,
        }
    }

    /// What to do about a refusal that stays: the next step of a static token is the failure's own.
    pub(super) const fn next_step(&self) -> Option<&'static str> {
        match self {
            Self::Token { .. } => None,
            Self::OAuth(_) => Some(ASK_AGAIN),
        }
    }

    /// The static token, for the body of its introspection.
    pub(super) const fn token(&self) -> Option<&SecretString> {
        match self {
            Self::Token { token, .. } => Some(token),
            Self::OAuth(_) => None,
        }
    }

    /// What tells one static token from another without telling the token.
    pub(super) fn fingerprint(&self) -> Option<String> {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::digest(self.token()?.expose_secret().trim().as_bytes());
        Some(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whose grant it is, as HubSpot sees it; `None` for a static token, which is asked about elsewhere.
    pub(super) async fn grant_identity(&self) -> Option<Result<Identity, Failure>> {
        match self {
            Self::Token { .. } => None,
            Self::OAuth(renewal) => Some(renewal.identity().await),
        }
    }
}

/// `Bearer …`, marked sensitive. A token that no header can hold is sent as an empty one, which HubSpot refuses like any
/// other wrong token.
fn bearer(token: &SecretString) -> HeaderValue {
    let text = SecretString::from(format!("Bearer {}", token.expose_secret().trim()));
    let mut header = HeaderValue::try_from(text.expose_secret()).unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
    header.set_sensitive(true);
    header
}
