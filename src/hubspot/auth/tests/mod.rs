//! Grants against a scripted HubSpot, in virtual time: when they are renewed, by whom, and what a refusal means.

mod around;

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{
    domain::{FaultKind, Lane, ObjectType, Properties, RecordRef},
    hubspot::{
        Action, Applied, Client, Clock, MemoryBook, OpClass, Quota, Request, Response, Settings, Signal, Transport,
        TransportError, TransportErrorKind,
    },
};

const START: &str = "2026-11-22T12:00:00Z";

/// A HubSpot that knows which access token is good, and answers its token endpoint from a script.
struct HubSpot {
    /// The token that opens the API now.
    good: Mutex<String>,
    /// The token endpoint's answers; when they are used up it hands out `renewed-N`.
    desk: Mutex<VecDeque<(u16, Value)>>,
    renewals: AtomicUsize,
    desk_takes: Mutex<Duration>,
    asked: Mutex<Vec<Request>>,
}

impl HubSpot {
    fn new(good: &str) -> Arc<Self> {
        Arc::new(Self {
            good: Mutex::new(good.to_owned()),
            desk: Mutex::default(),
            renewals: AtomicUsize::new(0),
            desk_takes: Mutex::new(Duration::from_millis(100)),
            asked: Mutex::default(),
        })
    }

    fn will_say(&self, status: u16, body: Value) {
        self.desk.lock().unwrap().push_back((status, body));
    }

    fn renewals(&self) -> usize {
        self.renewals.load(Ordering::SeqCst)
    }

    /// Bearers of the API's requests, in order.
    fn bearers(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let text = |request: &Request| Some(request.headers.get("authorization")?.to_str().ok()?[7..].to_owned());
        asked.iter().filter_map(text).collect()
    }

    fn forms(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let form = |request: &&Request| request.path_and_query.starts_with("/oauth/");
        asked
            .iter()
            .filter(form)
            .map(|request| String::from_utf8_lossy(&request.body).into_owned())
            .collect()
    }

    fn answer(&self, request: &Request) -> (u16, Value) {
        if request.path_and_query == "/oauth/2026-09/token" {
            let nth = self.renewals.fetch_add(1, Ordering::SeqCst) + 1;
            let scripted = self.desk.lock().unwrap().pop_front();
            return scripted.unwrap_or_else(|| {
                *self.good.lock().unwrap() = format!("renewed-{nth}");
                (200, granted(&format!("renewed-{nth}"), &format!("refresh-{nth}")))
            });
        }
        if request.path_and_query == "/oauth/2026-09/token/introspect" {
            return (
                200,
                json!({"active": true, "hub_id": 123, "user_id": 7, "scopes": ["crm.lists.read"]}),
            );
        }
        let bearer = format!("Bearer {}", self.good.lock().unwrap());
        if request.headers.get("authorization").is_some_and(|sent| *sent == bearer) {
            (200, json!({"results": [], "id": "1", "properties": {}}))
        } else {
            (
                401,
                json!({"category": "EXPIRED_AUTHENTICATION", "message": "The OAuth token expired."}),
            )
        }
    }
}

impl Transport for Arc<HubSpot> {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, TransportError>> {
        self.asked.lock().unwrap().push(request.clone());
        let (status, body) = self.answer(&request);
        let takes = match request.path_and_query.starts_with("/oauth/") {
            true => *self.desk_takes.lock().unwrap(),
            false => Duration::from_millis(100),
        };
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            if status == 0 {
                return Err(TransportError {
                    kind: TransportErrorKind::Closed,
                    sent: true,
                    message: "closed".to_owned(),
                });
            }
            let mut headers = HeaderMap::new();
            headers.insert("content-type", HeaderValue::from_static("application/json"));
            if status == 429 {
                headers.insert("retry-after", HeaderValue::from_static("20"));
            }
            Ok(Response {
                status: StatusCode::from_u16(status).unwrap(),
                headers,
                body: Bytes::from(body.to_string()),
            })
        })
    }
}

fn granted(access: &str, refresh: &str) -> Value {
    json!({"access_token": access, "refresh_token": refresh, "expires_in": 1800, "token_type": "bearer", "hub_id": 123})
}

fn grant(life: i64) -> Grant {
    let issued_at: Timestamp = START.parse().unwrap();
    Grant {
        access_token: "first".into(),
        refresh_token: "refresh-0".into(),
        issued_at,
        expires_at: issued_at + Duration::from_secs(life.unsigned_abs()),
        portal_id: Some(123),
        user: None,
        scopes: vec!["oauth".to_owned()],
    }
}

fn app() -> OAuthApp {
    OAuthApp {
        client_id: "client & co".to_owned(),
        client_secret: "hush-canary".into(),
        redirect: Redirect::parse("http://localhost:8477/oauth/callback").unwrap(),
        scopes: vec!["crm.objects.deals.read".to_owned(), "oauth".to_owned()],
    }
}

/// A client with a grant of thirty minutes that began this long ago.
async fn client(hubspot: &Arc<HubSpot>, age: u64) -> (Client, Arc<MemoryTokens>) {
    let clock = Clock::starting_at(START.parse().unwrap());
    let store = Arc::new(MemoryTokens::new());
    store.keep_grant(&grant(1_800)).unwrap();
    let client = with_store(hubspot, &clock, store.clone());
    clock.sleep(Duration::from_secs(age)).await;
    (client, store)
}

fn with_store(hubspot: &Arc<HubSpot>, clock: &Clock, store: Arc<MemoryTokens>) -> Client {
    let credentials = Credentials::OAuth {
        app: Box::new(app()),
        grant: store.grant().unwrap_or_else(|| grant(1_800)),
    };
    let settings = Settings {
        jitter_seed: Some(7),
        ..Settings::default()
    };
    let book = Arc::new(MemoryBook::new());
    Client::signed(
        &settings,
        credentials,
        store,
        Arc::new(hubspot.clone()),
        clock.clone(),
        book,
    )
}

async fn read(client: &Client) -> Result<(), Failure> {
    client.pipelines(Lane::Read).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_renewed_sixty_seconds_before_its_end_and_not_earlier() {
    let hubspot = HubSpot::new("first");
    let (client, store) = client(&hubspot, 1_700).await;
    read(&client).await.unwrap();
    assert_eq!(hubspot.renewals(), 0);
    client.clock().sleep(Duration::from_secs(41)).await;
    read(&client).await.unwrap();
    assert_eq!(hubspot.renewals(), 1);
    assert_eq!(hubspot.bearers(), ["first", "renewed-1"]);
    let kept = store.grant().unwrap();
    assert_eq!(
        kept.refresh_token.expose_secret(),
        "refresh-1",
        "the token that came back is the one kept"
    );
    assert_eq!(kept.scopes, ["oauth"], "what an answer leaves out stays");
    assert_eq!(
        hubspot.forms(),
        ["grant_type=refresh_token&refresh_token=refresh-0&client_id=client+%26+co&client_secret=hush-canary"]
    );
}

#[tokio::test(start_paused = true)]
async fn one_renewal_serves_every_task() {
    let hubspot = HubSpot::new("first");
    let (client, _) = client(&hubspot, 1_900).await;
    let all = join_all((0..40).map(|_| read(&client))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(hubspot.renewals(), 1);
    assert!(hubspot.bearers().iter().all(|bearer| bearer == "renewed-1"));
}

#[tokio::test(start_paused = true)]
async fn a_401_is_answered_by_one_renewal_and_one_replay_of_reads_and_writes() {
    let hubspot = HubSpot::new("something else");
    let (client, _) = client(&hubspot, 300).await;
    let permit = client.permit(Lane::Write, Quota::Burst).await;
    let deal = RecordRef::new(ObjectType::Deals, "1");
    let nothing = Properties::default();
    let write = client.update(permit, &deal, &nothing);
    let (reads, written) = futures::join!(join_all((0..10).map(|_| read(&client))), write);
    assert!(reads.iter().all(Result::is_ok), "{reads:?}");
    written.unwrap();
    assert_eq!(hubspot.renewals(), 1);
    let replays = hubspot.bearers().iter().filter(|bearer| *bearer == "renewed-1").count();
    assert_eq!(replays, 11);
    assert_eq!(client.limits().total_requests, 22, "the token endpoint takes no permit");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_although_it_is_new_is_not_renewed_again_and_again() {
    let hubspot = HubSpot::new("nobody has it");
    hubspot.will_say(200, granted("useless", "refresh-1"));
    let (client, _) = client(&hubspot, 300).await;
    for _ in 0..5 {
        let failure = read(&client).await.unwrap_err();
        assert_eq!(failure.signal, Signal::Unauthorized);
        assert!(
            failure.fault().next.contains("dealdeck setup --oauth"),
            "{}",
            failure.fault()
        );
    }
    assert_eq!(hubspot.renewals(), 1);
    assert_eq!(hubspot.bearers().len(), 6, "one replay, then each request once");
}

#[tokio::test(start_paused = true)]
async fn a_refused_refresh_token_is_an_auth_fault_and_is_not_offered_again() {
    let hubspot = HubSpot::new("gone");
    let message = "refresh token is invalid, expired or revoked";
    hubspot.will_say(
        400,
        json!({"error": "invalid_grant", "error_description": message, "status": "BAD_REFRESH_TOKEN", "message": message}),
    );
    let (client, store) = client(&hubspot, 1_900).await;
    for _ in 0..4 {
        let fault = read(&client).await.unwrap_err().fault();
        assert_eq!(fault.kind, FaultKind::Auth);
        assert_eq!(
            fault.to_string(),
            "HubSpot refuses the token: refresh token is invalid, expired or revoked; run 'dealdeck setup --oauth' to \
             give access again"
        );
    }
    assert_eq!(hubspot.renewals(), 1);
    assert!(
        hubspot.bearers().is_empty(),
        "nothing is sent with a token that has ended"
    );
    // Somebody gave access again in another process.
    let again = Grant {
        access_token: "anew".into(),
        issued_at: client.clock().wall(),
        expires_at: client.clock().wall() + Duration::from_secs(1_800),
        ..grant(1_800)
    };
    *hubspot.good.lock().unwrap() = "anew".to_owned();
    store.keep_grant(&again).unwrap();
    read(&client).await.unwrap();
    assert_eq!(hubspot.renewals(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failing_token_endpoint_is_asked_ever_more_rarely_and_nothing_is_sent_meanwhile() {
    let hubspot = HubSpot::new("first");
    for answer in [(503, json!({})), (429, json!({"message": "slow down"})), (0, json!({}))] {
        hubspot.will_say(answer.0, answer.1);
    }
    let (client, _) = client(&hubspot, 1_900).await;
    let start = client.clock().now();
    let tasks = join_all((0..10).map(|_| read(&client))).await;
    assert!(
        hubspot.renewals() <= 4,
        "{} renewals for ten readers",
        hubspot.renewals()
    );
    let offline = |ended: &Result<(), Failure>| ended.as_ref().err().map(|failure| failure.fault().kind);
    assert!(
        tasks
            .iter()
            .all(|ended| offline(ended).is_none_or(|kind| kind == FaultKind::Offline)),
        "{tasks:?}"
    );
    // Whoever failed comes back at its next turn, not at once.
    while read(&client).await.is_err() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(hubspot.renewals(), 4);
    assert!(
        client.clock().now() - start >= Duration::from_secs(20),
        "Retry-After is honoured"
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_that_still_works_is_used_while_its_renewal_fails() {
    let hubspot = HubSpot::new("first");
    hubspot.will_say(503, json!({}));
    let (client, _) = client(&hubspot, 1_745).await;
    read(&client).await.unwrap();
    assert_eq!(hubspot.bearers(), ["first"]);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_by_another_process_is_taken_over() {
    let hubspot = HubSpot::new("first");
    let (one, store) = client(&hubspot, 1_900).await;
    let two = with_store(&hubspot, one.clock(), store);
    read(&one).await.unwrap();
    read(&two).await.unwrap();
    assert_eq!(hubspot.renewals(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_is_finished_although_whoever_wanted_it_went_away() {
    let hubspot = HubSpot::new("first");
    let (client, store) = client(&hubspot, 1_900).await;
    let gone = tokio::time::timeout(Duration::from_millis(50), read(&client)).await;
    assert!(gone.is_err());
    client.clock().sleep(Duration::from_secs(1)).await;
    assert_eq!(store.grant().unwrap().refresh_token.expose_secret(), "refresh-1");
}
