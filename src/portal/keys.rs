//! Who may come in: the static tokens of the account and the tokens its OAuth app has been given. Knows nothing of paths.

use std::sync::Arc;

use super::oauth::OAuthApp;
use super::settings::Grant;

/// What a token may do when nothing else is said: everything a sales client asks for.
pub(super) const SCOPES: [&str; 21] = [
    "crm.lists.read",
    "crm.lists.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.objects.owners.read",
    "crm.objects.tasks.read",
    "crm.objects.tickets.read",
    "crm.objects.tickets.write",
    "crm.schemas.companies.read",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.schemas.deals.read",
    "crm.schemas.deals.write",
    "crm.schemas.notes.read",
    "crm.schemas.notes.write",
    "sales-email-read",
    "tickets",
];

/// Whoever made a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The app the token belongs to: every app has its own ten-second window.
    pub app: u64,
    pub scopes: Arc<[String]>,
    /// A marketplace app: no daily limit, and no daily headers.
    pub oauth: bool,
}

impl Caller {
    /// Someone who may do nothing.
    pub(super) fn nobody(app: u64) -> Self {
        Self {
            app,
            scopes: Arc::new([]),
            oauth: false,
        }
    }

    pub(super) fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| held == scope)
    }
}

/// What is known of a bearer.
#[derive(Debug, Clone)]
pub(super) enum Bearer {
    Known(Caller),
    /// Ran out at this time, Unix milliseconds.
    Expired(i64),
    Unknown,
}

/// Every token of the account.
pub(super) struct Keys {
    /// Static tokens and what they may do; never empty.
    statics: Vec<(String, Caller)>,
    pub oauth: Option<OAuthApp>,
}

impl Keys {
    /// `own` is the token made from the seed, used when no other is given; `app` the number of the first app.
    pub(super) fn new(own: String, given: &[Grant], app: u64, oauth: Option<OAuthApp>) -> Self {
        let all = Grant {
            token: own,
            scopes: Vec::new(),
        };
        let grants = if given.is_empty() {
            std::slice::from_ref(&all)
        } else {
            given
        };
        let statics = grants.iter().zip(app..).map(|(grant, app)| {
            let scopes = match grant.scopes.is_empty() {
                true => SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
                false => grant.scopes.iter().cloned().collect(),
            };
            let caller = Caller {
                app,
                scopes,
                oauth: false,
            };
            (grant.token.clone(), caller)
        });
        Self {
            statics: statics.collect(),
            oauth,
        }
    }

    /// The first static token and what it may do.
    pub(super) fn first(&self) -> Option<&(String, Caller)> {
        self.statics.first()
    }

    /// What a static token may do.
    pub(super) fn fixed(&self, token: &str) -> Option<&Caller> {
        self.statics
            .iter()
            .find(|(known, _)| known == token)
            .map(|(_, caller)| caller)
    }

    pub(super) fn bearer(&self, token: &str, now: i64) -> Bearer {
        match (self.fixed(token), &self.oauth) {
            (Some(caller), _) => Bearer::Known(caller.clone()),
            (None, Some(oauth)) => oauth.bearer(token, now),
            (None, None) => Bearer::Unknown,
        }
    }
}
