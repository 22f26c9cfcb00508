//! Asking a person for access in their browser: the address of HubSpot's page, and the secrets that tie its answer to this
//! question (a state of 256 bits, PKCE with S256).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use form_urlencoded::Serializer;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::redirect::Redirect;
use crate::hubspot::settings::is_plain_http;

/// A person's own OAuth app, as it stands in HubSpot's developer settings. Its `Debug` does not show the secret.
#[derive(Clone, Debug)]
pub struct OAuthApp {
    /// The app's client id; not a secret.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: SecretString,
    /// Where the browser comes back to; registered in the app.
    pub redirect: Redirect,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
}

/// One question to one person. Its `Debug` shows no secret, and the address is one: it carries the state.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The page to open; holds the state and the challenge.
    pub url: SecretString,
    /// What the answer must bring back.
    pub state: SecretString,
    /// What proves to HubSpot that whoever redeems the code is who asked.
    pub verifier: SecretString,
}

impl Consent {
    /// The question with these random bytes: half of them for the state, half for the verifier.
    #[must_use]
    pub fn new(app: &OAuthApp, page: &str, random: &[u8; 64]) -> Self {
        let (state, verifier) = random.split_at(32);
        let (state, verifier) = (URL_SAFE_NO_PAD.encode(state), URL_SAFE_NO_PAD.encode(verifier));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let query = Serializer::new(String::new())
            .append_pair("client_id", &app.client_id)
            .append_pair("redirect_uri", &app.redirect.url)
            .append_pair("scope", &app.scopes.join(" "))
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        Self {
            url: SecretString::from(format!("{page}?{query}")),
            state: SecretString::from(state),
            verifier: SecretString::from(verifier),
        }
    }

    /// Whether an answer belongs to this question.
    #[must_use]
    pub fn is_answered_by(&self, state: &str) -> bool {
        // Compared by digest: how long it takes says nothing about the state.
        Sha256::digest(state.as_bytes()) == Sha256::digest(self.state.expose_secret().as_bytes())
    }
}

/// HubSpot's page for consent, or that of a simulated portal on this machine.
#[must_use]
pub fn consent_page(base_url: &str) -> String {
    if is_plain_http(base_url) {
        format!("{base_url}/oauth/authorize")
    } else {
        "https://app.hubspot.com/oauth/authorize".to_owned()
    }
}
