//! OAuth and scopes: tokens are made, used, told of, run out and are taken back; what a token may not do is refused.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use dealdeck::portal::{Grant, Settings};
use serde_json::{Value, json};

use crate::harness::{Answer, Client, client, open, settings};

const REDIRECT: &str = "http://localhost:8123/callback";

fn with_app() -> Client {
    client(Settings {
        oauth: true,
        ..settings()
    })
}

async fn form(client: &Client, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = Request::post(path)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(Body::from(text.join("&")));
    open(client.raw(request.unwrap()).await).await
}

async fn with_token(client: &Client, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("Authorization", format!("Bearer {token}"));
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    open(client.raw(request.body(body).unwrap()).await).await
}

/// Goes to the door and comes back with the query of the redirect.
async fn authorize(client: &Client, more: &str) -> (u16, String) {
    let (id, _) = client.portal.oauth_client().unwrap();
    let path = format!("/oauth/authorize?client_id={id}&redirect_uri={REDIRECT}&state=a%20b{more}");
    let answer = open(client.raw(Request::get(path).body(Body::empty()).unwrap()).await).await;
    (answer.status, answer.header("Location").unwrap_or_default().to_owned())
}

async fn pair(client: &Client, path: &str, scopes: &str) -> Answer {
    let (_, location) = authorize(client, &format!("&scope={scopes}")).await;
    let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let (id, secret) = client.portal.oauth_client().unwrap();
    form(
        client,
        path,
        &[
            ("grant_type", "authorization_code"),
            ("client_id", &id),
            ("client_secret", &secret),
            ("redirect_uri", REDIRECT),
            ("code", code),
        ],
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn a_code_becomes_a_pair_of_tokens_once() {
    let client = with_app();
    let (status, location) = authorize(&client, "&scope=oauth").await;
    assert_eq!(status, 302);
    assert!(location.starts_with(&format!("{REDIRECT}?code=na1-")), "{location}");
    assert!(location.ends_with("&state=a%20b"), "{location}");
    let pair = pair(&client, "/oauth/2026-09/token", "crm.objects.deals.read").await;
    assert_eq!(pair.status, 200, "{}", pair.text);
    assert_eq!(
        (&pair.body["expires_in"], &pair.body["token_type"], &pair.body["hub_id"]),
        (&json!(1800), &json!("bearer"), &json!(client.portal.portal_id()))
    );
    assert_eq!(pair.body["scopes"], json!(["crm.objects.deals.read", "oauth"]));
    assert!(pair.str("/refresh_token").starts_with("na1-") && pair.str("/access_token").len() >= 512);
    let old = self::pair(&client, "/oauth/v1/token", "oauth").await;
    let keys: Vec<&String> = old.body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["access_token", "expires_in", "refresh_token", "token_type"]);
}

#[tokio::test(start_paused = true)]
async fn consent_may_be_denied() {
    let client = with_app();
    let (status, location) = authorize(&client, "&scope=oauth&deny=1").await;
    assert_eq!(status, 302);
    assert!(
        location.starts_with(&format!("{REDIRECT}?error=access_denied&")),
        "{location}"
    );
    client
        .post("/__portal/switches", json!({"switches": "consent-denied"}))
        .await;
    let (_, location) = authorize(&client, "&scope=oauth").await;
    assert!(location.contains("error=access_denied"), "{location}");
}

#[tokio::test(start_paused = true)]
async fn the_token_endpoint_refuses_in_the_words_of_the_standard_and_of_hubspot() {
    let client = with_app();
    let (id, secret) = client.portal.oauth_client().unwrap();
    let token = |pairs: Vec<(&'static str, String)>| {
        let client = &client;
        async move {
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            form(client, "/oauth/2026-03/token", &pairs).await
        }
    };
    let app = || vec![("client_id", id.clone()), ("client_secret", secret.clone())];
    let more = |extra: &[(&'static str, &str)]| {
        let extra = extra.iter().map(|(name, value)| (*name, (*value).to_owned()));
        app().into_iter().chain(extra).collect::<Vec<_>>()
    };
    let refused = token(more(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", "na1-nonsense"),
    ]))
    .await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.body,
        json!({"error": "invalid_grant", "error_description": "refresh token is invalid, expired or revoked",
            "status": "BAD_REFRESH_TOKEN", "message": "refresh token is invalid, expired or revoked"})
    );
    let (_, location) = authorize(
        &client,
        "&scope=oauth&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
    )
    .await;
    let code = location
        .split("code=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    let exchange = |redirect: &str, verifier: &str| {
        more(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ])
    };
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    for (answer, error, status) in [
        (
            token(exchange("http://elsewhere", verifier)).await,
            "invalid_grant",
            "BAD_REDIRECT_URI",
        ),
        (
            token(exchange(REDIRECT, "wrong")).await,
            "invalid_grant",
            "BAD_AUTH_CODE",
        ),
        (
            token(vec![("client_id", "nobody".to_owned())]).await,
            "invalid_client",
            "BAD_CLIENT_ID",
        ),
        (
            token(vec![("client_id", id.clone())]).await,
            "invalid_client",
            "BAD_CLIENT_SECRET",
        ),
    ] {
        assert_eq!(
            (answer.status, answer.str("/error"), answer.str("/status")),
            (400, error, status)
        );
    }
    assert_eq!(
        token(exchange(REDIRECT, verifier)).await.status,
        200,
        "RFC 7636's own example"
    );
    assert_eq!(
        token(exchange(REDIRECT, verifier)).await.str("/status"),
        "BAD_AUTH_CODE",
        "a code is good once"
    );
}

#[tokio::test(start_paused = true)]
async fn an_access_token_runs_out_and_is_renewed() {
    let client = with_app();
    let first = pair(&client, "/oauth/v3/token", "crm.objects.deals.read").await;
    let path = "/crm/objects/2026-09/deals?limit=1";
    let answer = with_token(&client, "GET", path, first.str("/access_token"), None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        (
            answer.header("X-HubSpot-RateLimit-Max"),
            answer.header("X-HubSpot-RateLimit-Remaining")
        ),
        (Some("110"), Some("109"))
    );
    assert_eq!(answer.header("X-HubSpot-RateLimit-Daily"), None);
    tokio::time::advance(Duration::from_secs(1_805)).await;
    let expired = with_token(&client, "GET", path, first.str("/access_token"), None).await;
    assert_eq!(
        (expired.status, expired.str("/category")),
        (401, "EXPIRED_AUTHENTICATION")
    );
    assert_eq!(
        expired.str("/message"),
        "The OAuth token used to make this call expired 5 second(s) ago."
    );
    assert_eq!(
        expired.body["context"],
        json!({"expire time": ["2026-11-22T12:30:00Z"]})
    );
    let (id, secret) = client.portal.oauth_client().unwrap();
    let app = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    let renew = [
        &app[..],
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", first.str("/refresh_token")),
        ],
    ]
    .concat();
    let second = form(&client, "/oauth/2026-09/token", &renew).await;
    assert_eq!(second.str("/refresh_token"), first.str("/refresh_token"));
    assert_eq!(
        with_token(&client, "GET", path, second.str("/access_token"), None)
            .await
            .status,
        200
    );
    let told = form(
        &client,
        "/oauth/2026-09/token/introspect",
        &[&app[..], &[("token", second.str("/access_token"))]].concat(),
    )
    .await;
    assert_eq!(
        (&told.body["active"], &told.body["expires_in"], told.str("/client_id")),
        (&json!(true), &json!(1800), id.as_str())
    );
    let old = with_token(
        &client,
        "GET",
        &format!("/oauth/v1/access-tokens/{}", second.str("/access_token")),
        "",
        None,
    )
    .await;
    assert_eq!(
        (old.str("/token_type"), &old.body["hub_id"]),
        ("access", &json!(client.portal.portal_id()))
    );
    let revoke = [&app[..], &[("token", first.str("/refresh_token"))]].concat();
    assert_eq!(form(&client, "/oauth/2026-09/token/revoke", &revoke).await.status, 200);
    assert_eq!(
        form(&client, "/oauth/2026-09/token", &renew).await.str("/status"),
        "BAD_REFRESH_TOKEN"
    );
    assert_eq!(
        with_token(&client, "GET", path, second.str("/access_token"), None)
            .await
            .status,
        401
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_does_only_what_its_scopes_say() {
    let grant = |token: &str, scopes: &[&str]| Grant {
        token: token.to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    };
    let client = client(Settings {
        tokens: vec![
            grant("everything", &[]),
            grant("reader", &["crm.objects.deals.read", "crm.objects.contacts.read"]),
        ],
        limit: "5/10s".parse().unwrap(),
        ..settings()
    });
    assert_eq!(client.portal.token(), "everything");
    let read = with_token(&client, "GET", "/crm/objects/2026-09/deals?limit=1", "reader", None).await;
    assert_eq!(read.status, 200);
    let body = json!({"properties": {"dealname": "Not mine to make"}});
    let refused = with_token(&client, "POST", "/crm/objects/2026-09/deals", "reader", Some(body)).await;
    assert_eq!((refused.status, refused.str("/category")), (403, "MISSING_SCOPES"));
    assert_eq!(
        refused.str("/message"),
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes."
    );
    assert_eq!(
        refused.body["errors"],
        json!([{"message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": ["crm.objects.deals.write"]}}])
    );
    let schema = with_token(&client, "GET", "/crm/properties/2026-09/companies", "reader", None).await;
    assert_eq!(
        (schema.status, schema.str("/message")),
        (403, "One or more of the following scopes are required.")
    );
    assert_eq!(
        schema.body["context"],
        json!({"requiredGranularScopes": ["crm.schemas.companies.read", "crm.objects.companies.read"]})
    );
    let told = client
        .post(
            "/oauth/v2/private-apps/get/access-token-info",
            json!({"tokenKey": "reader"}),
        )
        .await;
    assert_eq!(
        told.body["scopes"],
        json!(["crm.objects.deals.read", "crm.objects.contacts.read"])
    );
    let other = with_token(&client, "GET", "/crm/objects/2026-09/deals?limit=1", "everything", None).await;
    assert_eq!(
        other.header("X-HubSpot-RateLimit-Remaining"),
        Some("3"),
        "every app has its own window"
    );
}

#[tokio::test(start_paused = true)]
async fn what_an_email_says_has_a_scope_of_its_own() {
    let grant = |token: &str, scopes: &[&str]| Grant {
        token: token.to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    };
    let client = client(Settings {
        tokens: vec![grant("all", &[]), grant("some", &["crm.objects.contacts.read"])],
        ..settings()
    });
    let email = json!({"properties": {"hs_timestamp": "2026-11-22T11:00:00Z", "hs_email_direction": "EMAIL",
        "hs_email_text": "The teapot is on its way"}});
    let id = client
        .post("/crm/objects/2026-09/emails", email)
        .await
        .str("/id")
        .to_owned();
    let path = format!("/crm/objects/2026-09/emails/{id}?properties=hs_email_text,hs_email_direction");
    assert_eq!(
        client.get(&path).await.str("/properties/hs_email_text"),
        "The teapot is on its way"
    );
    let seen = with_token(&client, "GET", &path, "some", None).await;
    assert_eq!(seen.str("/properties/hs_email_direction"), "EMAIL");
    assert_eq!(seen.body["properties"].get("hs_email_text"), None);
}
