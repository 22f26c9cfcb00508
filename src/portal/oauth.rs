//! The account's OAuth app: codes, refresh tokens and access tokens that run out. Consent is never asked for: whoever comes
//! to the door is sent back at once with a code.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::base::mix;
use super::keys::{Bearer, Caller};

/// How long a code may be exchanged, milliseconds.
const CODE_LIFE: i64 = 10 * 60_000;

/// The one OAuth app of a portal.
pub(super) struct OAuthApp {
    pub client_id: String,
    pub client_secret: String,
    pub app: u64,
    /// Milliseconds an access token lives.
    pub ttl: i64,
    seed: u64,
    /// Secrets handed out so far; each is made from the seed and its number.
    issued: u64,
    codes: BTreeMap<String, Code>,
    /// By refresh token.
    grants: BTreeMap<String, Arc<[String]>>,
    access: BTreeMap<String, Access>,
}

/// A code that waits to be exchanged.
#[derive(Clone)]
pub(super) struct Code {
    pub redirect_uri: String,
    /// `code_challenge` of PKCE, method S256.
    pub challenge: Option<String>,
    pub scopes: Arc<[String]>,
    expires: i64,
}

/// An access token that was handed out.
#[derive(Clone)]
pub(super) struct Access {
    pub refresh: String,
    pub scopes: Arc<[String]>,
    /// Unix milliseconds.
    pub expires: i64,
}

/// Why a code is not taken.
pub(super) enum BadCode {
    Unknown,
    Expired,
    Redirect,
    Verifier,
}

/// A fresh pair of tokens.
pub(super) struct Pair {
    pub access: String,
    pub refresh: String,
    pub scopes: Arc<[String]>,
}

impl OAuthApp {
    pub(super) fn new(seed: u64, app: u64, ttl: i64) -> Self {
        let mut made = Self {
            client_id: String::new(),
            client_secret: String::new(),
            app,
            ttl,
            seed: mix(seed ^ 0x6175_7468),
            issued: 0,
            codes: BTreeMap::new(),
            grants: BTreeMap::new(),
            access: BTreeMap::new(),
        };
        made.client_id = made.uuid();
        made.client_secret = made.uuid();
        made
    }

    fn draw(&mut self) -> u64 {
        self.issued += 1;
        mix(self.seed ^ mix(self.issued))
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xfff,
            b >> 48 & 0xfff,
            b & 0xffff_ffff_ffff
        )
    }

    /// A code for these scopes, to be sent to `redirect_uri`.
    pub(super) fn code(
        &mut self,
        redirect_uri: &str,
        challenge: Option<&str>,
        scopes: Vec<String>,
        now: i64,
    ) -> String {
        let code = format!("na1-{}", self.uuid());
        let kept = Code {
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.map(str::to_owned),
            scopes: scopes.into(),
            expires: now + CODE_LIFE,
        };
        self.codes.insert(code.clone(), kept);
        code
    }

    /// Exchanges a code, once.
    pub(super) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        now: i64,
    ) -> Result<Pair, BadCode> {
        let kept = self.codes.get(code).ok_or(BadCode::Unknown)?.clone();
        if kept.expires <= now {
            return Err(BadCode::Expired);
        }
        if kept.redirect_uri != redirect_uri {
            return Err(BadCode::Redirect);
        }
        let proof = verifier.map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
        if kept.challenge.is_some() && kept.challenge != proof {
            return Err(BadCode::Verifier);
        }
        self.codes.remove(code);
        let refresh = format!("na1-{}", self.uuid());
        self.grants.insert(refresh.clone(), Arc::clone(&kept.scopes));
        Ok(self.grant(refresh, kept.scopes, now))
    }

    /// A new access token for a refresh token that is still good; the refresh token stays the same.
    pub(super) fn refresh(&mut self, refresh: &str, now: i64) -> Option<Pair> {
        let scopes = Arc::clone(self.grants.get(refresh)?);
        Some(self.grant(refresh.to_owned(), scopes, now))
    }

    /// Access tokens are long and tell nothing: clients must not look into them.
    fn grant(&mut self, refresh: String, scopes: Arc<[String]>, now: i64) -> Pair {
        let access: String = std::iter::once("C".to_owned())
            .chain((0..32).map(|_| format!("{:016x}", self.draw())))
            .collect();
        let kept = Access {
            refresh: refresh.clone(),
            scopes: Arc::clone(&scopes),
            expires: now + self.ttl,
        };
        self.access.insert(access.clone(), kept);
        Pair {
            access,
            refresh,
            scopes,
        }
    }

    pub(super) fn access(&self, token: &str) -> Option<&Access> {
        self.access.get(token)
    }

    pub(super) fn granted(&self, refresh: &str) -> Option<&Arc<[String]>> {
        self.grants.get(refresh)
    }

    /// Takes a token back; with a refresh token go the access tokens it made.
    pub(super) fn revoke(&mut self, token: &str) {
        self.access.remove(token);
        if self.grants.remove(token).is_some() {
            self.access.retain(|_, access| access.refresh != token);
        }
    }

    pub(super) fn bearer(&self, token: &str, now: i64) -> Bearer {
        match self.access.get(token) {
            Some(access) if access.expires <= now => Bearer::Expired(access.expires),
            Some(access) => Bearer::Known(Caller {
                app: self.app,
                scopes: Arc::clone(&access.scopes),
                oauth: true,
            }),
            None => Bearer::Unknown,
        }
    }
}
