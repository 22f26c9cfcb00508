//! OAuth: consent, tokens, what a token is good for, taking it back. Also the introspection of static tokens.

use axum::http::Method;
use serde_json::{Value, json};

use super::wrong_method;
use crate::portal::answer::{Answer, Call, Reply};
use crate::portal::clock::iso;
use crate::portal::errors::Problem;
use crate::portal::keys::Bearer;
use crate::portal::oauth::{BadCode, OAuthApp, Pair};
use crate::portal::switches::Switch;
use crate::portal::version::Version;
use crate::portal::world::World;

/// `/oauth/…`.
pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Reply {
    match (&call.method, rest) {
        (&Method::POST, ["v2", "private-apps", "get", "access-token-info"]) => introspect_static(world, call),
        (&Method::GET, ["authorize"]) => authorize(world, call),
        (&Method::POST, [version, "token"]) if known(version) => token(world, call, *version != "v1"),
        (&Method::POST, [version, "token", "introspect"]) if known(version) => introspect(world, call),
        (&Method::POST, [version, "token", "revoke"]) if known(version) => revoke(world, call),
        (&Method::GET, ["v1", "access-tokens", token]) => access_token(world, token),
        (_, ["v2", "private-apps", ..] | ["authorize"] | [_, "token", ..]) => Err(wrong_method(call)),
        _ => Err(Problem::not_found()),
    }
}

fn known(version: &str) -> bool {
    version == "v1" || Version::parse(version).is_some()
}

fn introspect_static(world: &World, call: &Call) -> Reply {
    let body = call.object()?;
    let token = body.get("tokenKey").and_then(Value::as_str).unwrap_or_default();
    let Some(caller) = world.keys.fixed(token) else {
        return Err(Problem::wrong_token(world.clock.now()));
    };
    Answer::ok(
        json!({"userId": world.token_user(), "hubId": world.portal_id, "appId": caller.app, "scopes": *caller.scopes}),
    )
}

/// Sends the browser straight back: with a code, or with `access_denied` when `deny=1` is asked for or the switch is on.
fn authorize(world: &mut World, call: &Call) -> Reply {
    let denied = world.switches.on(Switch::ConsentDenied) || matches!(call.get("deny"), Some("1" | "true"));
    let now = world.clock.now();
    let text = |name: &str| call.get(name).unwrap_or_default();
    let (client_id, redirect_uri) = (text("client_id"), text("redirect_uri"));
    let app = world.keys.oauth.as_mut().filter(|app| app.client_id == client_id);
    let (Some(app), false) = (app, redirect_uri.is_empty()) else {
        return Ok(Answer::html(
            400,
            "This app cannot be installed: its client id or redirect address is not known",
        ));
    };
    let mut pairs = if denied {
        vec![
            ("error", "access_denied".to_owned()),
            ("error_description", "The user denied the request".to_owned()),
        ]
    } else {
        let challenge = call.get("code_challenge").filter(|text| !text.is_empty());
        if challenge.is_some() && text("code_challenge_method") != "S256" {
            return Ok(Answer::html(400, "Only the S256 code challenge is known"));
        }
        let mut scopes: Vec<String> = format!("{} {}", text("scope"), text("optional_scope"))
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        scopes.push("oauth".to_owned());
        scopes.sort();
        scopes.dedup();
        vec![("code", app.code(redirect_uri, challenge, scopes, now))]
    };
    if let Some(state) = call.get("state") {
        pairs.push(("state", state.to_owned()));
    }
    let query: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    let join = if redirect_uri.contains('?') { '&' } else { '?' };
    Ok(Answer::bare(302).header("Location", format!("{redirect_uri}{join}{}", query.join("&"))))
}

/// A value as a query may hold it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

type Form = Vec<(String, String)>;

fn field<'a>(form: &'a Form, name: &str) -> &'a str {
    form.iter()
        .find(|(key, _)| key == name)
        .map_or("", |(_, value)| value.as_str())
}

/// An OAuth error: the keys of RFC 6749 beside HubSpot's.
fn refused(error: &str, status: &str, message: &str) -> Problem {
    Problem::new(400, message)
        .with("status", json!(status))
        .with("error", json!(error))
        .with("error_description", json!(message))
}

/// The app, once id and secret have been checked.
fn client<'a>(world: &'a mut World, form: &Form) -> Result<&'a mut OAuthApp, Problem> {
    let app = world
        .keys
        .oauth
        .as_mut()
        .filter(|app| app.client_id == field(form, "client_id"))
        .ok_or_else(|| refused("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id"))?;
    if app.client_secret != field(form, "client_secret") {
        return Err(refused(
            "invalid_client",
            "BAD_CLIENT_SECRET",
            "missing or invalid client secret",
        ));
    }
    Ok(app)
}

fn token(world: &mut World, call: &Call, full: bool) -> Reply {
    let (now, hub, user) = (world.clock.now(), world.portal_id, world.token_user());
    let form = call.form();
    let app = client(world, &form)?;
    let ttl = app.ttl;
    let pair = match field(&form, "grant_type") {
        "authorization_code" => {
            let verifier = Some(field(&form, "code_verifier")).filter(|text| !text.is_empty());
            app.exchange(field(&form, "code"), field(&form, "redirect_uri"), verifier, now)
                .map_err(|bad| match bad {
                    BadCode::Unknown => refused("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code"),
                    BadCode::Expired => refused("invalid_grant", "EXPIRED_AUTH_CODE", "auth code is expired"),
                    BadCode::Redirect => refused(
                        "invalid_grant",
                        "BAD_REDIRECT_URI",
                        "redirect URI does not match the one the code was sent to",
                    ),
                    BadCode::Verifier => refused(
                        "invalid_grant",
                        "BAD_AUTH_CODE",
                        "code verifier does not match the code challenge",
                    ),
                })?
        }
        "refresh_token" => {
            let message = "refresh token is invalid, expired or revoked";
            app.refresh(field(&form, "refresh_token"), now)
                .ok_or_else(|| refused("invalid_grant", "BAD_REFRESH_TOKEN", message))?
        }
        _ => {
            return Err(refused(
                "unsupported_grant_type",
                "BAD_GRANT_TYPE",
                "missing or unknown grant type",
            ));
        }
    };
    let Pair {
        access,
        refresh,
        scopes,
    } = pair;
    let mut body =
        json!({"access_token": access, "refresh_token": refresh, "expires_in": ttl / 1_000, "token_type": "bearer"});
    if full {
        body["hub_id"] = json!(hub);
        body["scopes"] = json!(*scopes);
        body["user_id"] = json!(user);
        body["token_use"] = json!("access_token");
    }
    Answer::ok(body)
}

fn introspect(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    let (now, hub, user) = (world.clock.now(), world.portal_id, world.token_user());
    let email = world
        .owners
        .iter()
        .find(|owner| !owner.archived)
        .map_or_else(String::new, |owner| owner.email.clone());
    let app = client(world, &form)?;
    let token = field(&form, "token");
    let (scopes, expires, kind) = match (app.access(token), app.granted(token)) {
        (Some(access), _) if access.expires > now => (&access.scopes, Some(access.expires), "access_token"),
        (None, Some(scopes)) => (scopes, None, "refresh_token"),
        _ => return Answer::ok(json!({"active": false})),
    };
    let mut body = json!({
        "active": true, "hub_id": hub, "hub_domain": "teapot-orbital.example", "user": email, "user_id": user,
        "app_id": app.app, "client_id": app.client_id, "scopes": **scopes, "token_type": "bearer", "token_use": kind,
        "is_private_distribution": false,
    });
    if let Some(expires) = expires {
        body["expires_in"] = json!((expires - now) / 1_000);
        body["signed_access_token"] =
            json!({"hubId": hub, "userId": user, "appId": app.app, "hublet": "na1", "expiresAt": iso(expires)});
    }
    Answer::ok(body)
}

/// Taking back a token nobody has is no error.
fn revoke(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    client(world, &form)?.revoke(field(&form, "token"));
    Ok(Answer::bare(200))
}

/// The old look at an access token; static tokens are told too.
fn access_token(world: &World, token: &str) -> Reply {
    let now = world.clock.now();
    let caller = match world.keys.bearer(token, now) {
        Bearer::Known(caller) => caller,
        Bearer::Expired(at) => return Err(Problem::expired_token(at, now)),
        Bearer::Unknown => return Err(Problem::not_found()),
    };
    let left = world.keys.oauth.as_ref().and_then(|app| app.access(token));
    let left = left.map_or(0, |access| (access.expires - now) / 1_000);
    Answer::ok(json!({
        "token": token, "hub_id": world.portal_id, "hub_domain": "teapot-orbital.example", "user_id": world.token_user(),
        "app_id": caller.app, "scopes": *caller.scopes, "expires_in": left, "token_type": "access",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_into_a_redirect_is_escaped() {
        assert_eq!(escaped("a b&c=ä~"), "a%20b%26c%3D%C3%A4~");
    }
}
