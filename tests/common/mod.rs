//! A world for engine tests: the simulated portal in process, one data directory, engines that start, stop and are killed
//! in virtual time. Whatever a test does, its end checks that the portal never had to refuse a request for its rate.

#![expect(dead_code, reason = "each test file uses its own part of the world")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dealdeck::{
    domain::{
        Change, DealId, Event, Fault, ObjectType, OpId, OpState, Operation, Origin, Receipt, Record, StageId,
        Submission,
    },
    hubspot::{
        self, Client, Clock, Consent, Credentials, MemoryTokens, OAuthApp, Redirect, Request, Response, TokenDesk,
        TokenStore as _, Transport, TransportError, TransportErrorKind,
    },
    portal::{self, Portal, Wire},
    store::{self, Reader},
    sync::{Engine, Handle, Settings, StoredSlots},
};
use futures::future::{BoxFuture, FutureExt as _};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::{sync::broadcast, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// The types that are mirrored.
pub const MIRRORED: [ObjectType; 5] = [
    ObjectType::Deals,
    ObjectType::Contacts,
    ObjectType::Companies,
    ObjectType::Tickets,
    ObjectType::Tasks,
];

/// When every world begins.
pub const BEGIN: &str = "2026-11-22T12:00:00Z";

/// How large seeded tests are: 1 = a few seconds.
pub fn test_size() -> u32 {
    std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}

/// The way to the portal, with a switch to cut it and a log of what went over it.
pub struct Line {
    router: axum::Router,
    cut: AtomicBool,
    log: Mutex<Vec<String>>,
    forbidden: Mutex<Option<&'static str>>,
    instead: Mutex<Option<Instead>>,
    scopes: Mutex<Option<Vec<&'static str>>>,
    /// The token became another account's: this portal answers now.
    other: Mutex<Option<Portal>>,
    /// What goes wrong with the very next request (`lost=1`).
    pub mishap: Mutex<Option<String>>,
}

/// An answer somebody on the way gives instead of the portal.
#[derive(Clone, Copy, Debug)]
pub struct Instead {
    /// To requests of this method …
    pub method: &'static str,
    /// … whose path has this part.
    pub part: &'static str,
    /// 0: nobody answers, the connection is refused.
    pub status: u16,
    pub headers: &'static [(&'static str, &'static str)],
    pub body: &'static str,
    /// How many more times.
    pub times: u32,
}

impl Instead {
    fn response(&self) -> Response {
        let json = [("content-type", "application/json")];
        let headers = if self.headers.is_empty() {
            &json[..]
        } else {
            self.headers
        };
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                axum::http::HeaderName::from_static(name),
                axum::http::HeaderValue::from_static(value),
            )
        };
        Response {
            status: axum::http::StatusCode::from_u16(self.status).expect("a status"),
            headers: headers.iter().map(pair).collect(),
            body: self.body.into(),
        }
    }
}

impl Line {
    fn exchange(&self, request: &Request) -> BoxFuture<'static, Result<Response, TransportError>> {
        let mut built = axum::http::Request::builder()
            .method(request.method.clone())
            .uri(&request.path_and_query)
            .body(axum::body::Body::from(request.body.clone()))
            .expect("a request");
        built.headers_mut().extend(request.headers.clone());
        let mut router = self.router.clone();
        if let Some(other) = &*self.other.lock().unwrap() {
            let bearer = format!("Bearer {}", other.token()).parse().expect("a header");
            built.headers_mut().insert(axum::http::header::AUTHORIZATION, bearer);
            router = other.router();
            if request.path_and_query.ends_with("/access-token-info") {
                *built.body_mut() = serde_json::json!({"tokenKey": other.token()}).to_string().into();
            }
        }
        let scopes = self.scopes.lock().unwrap().clone();
        let scopes = scopes.filter(|_| request.path_and_query.ends_with("/access-token-info"));
        let mishap = self.mishap.lock().unwrap().take();
        async move {
            if let Some(plan) = mishap {
                let plan = serde_json::json!({"faults": plan}).to_string();
                let plan = axum::http::Request::post("/__portal/faults").body(axum::body::Body::from(plan));
                // Nobody comes in between: neither of the two waits before it has arrived.
                let _ = router.clone().oneshot(plan.expect("a request")).await;
            }
            let answer = router.oneshot(built).await.expect("infallible");
            if answer.extensions().get::<Wire>().is_some() {
                return Err(broken(TransportErrorKind::Closed, true, "the connection was closed"));
            }
            let (parts, body) = answer.into_parts();
            let body = axum::body::to_bytes(body, 10_000_000)
                .await
                .map_err(|_| broken(TransportErrorKind::Closed, true, "the answer broke off"))?;
            let body = match scopes {
                Some(scopes) => {
                    let mut told: Value = serde_json::from_slice(&body).expect("JSON");
                    told["scopes"] = scopes.into();
                    told.to_string().into()
                }
                None => body,
            };
            Ok(Response {
                status: parts.status,
                headers: parts.headers,
                body,
            })
        }
        .boxed()
    }
}

/// The answer to a token that may not read this.
fn missing_scope() -> Response {
    let body = serde_json::json!({
        "status": "error",
        "message": "This app hasn't been granted all required scopes to make this call.",
        "category": "MISSING_SCOPES",
        "errors": [{"message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": ["the.scope.read"]}}],
    });
    Response {
        status: axum::http::StatusCode::FORBIDDEN,
        headers: [(
            axum::http::header::CONTENT_TYPE,
            axum::http::HeaderValue::from_static("application/json"),
        )]
        .into_iter()
        .collect(),
        body: body.to_string().into(),
    }
}

fn broken(kind: TransportErrorKind, sent: bool, message: &str) -> TransportError {
    TransportError {
        kind,
        sent,
        message: message.to_owned(),
    }
}

/// The transport over a [`Line`].
pub struct InProcess(pub Arc<Line>);

impl Transport for InProcess {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, TransportError>> {
        if self.0.cut.load(Ordering::SeqCst) {
            return async { Err(broken(TransportErrorKind::Refused, false, "connection refused")) }.boxed();
        }
        self.0
            .log
            .lock()
            .unwrap()
            .push(format!("{} {}", request.method, request.path_and_query));
        let forbidden = *self.0.forbidden.lock().unwrap();
        if forbidden.is_some_and(|part| request.path_and_query.contains(part)) {
            return async { Ok(missing_scope()) }.boxed();
        }
        if let Some(instead) = self.0.instead.lock().unwrap().as_mut()
            && instead.times > 0
            && request.method == instead.method
            && request.path_and_query.contains(instead.part)
        {
            instead.times -= 1;
            if instead.status == 0 {
                return async { Err(broken(TransportErrorKind::Refused, false, "connection refused")) }.boxed();
            }
            let answer = instead.response();
            return async { Ok(answer) }.boxed();
        }
        let timeout = request.timeout;
        // On a task of its own: a request that was given up may still arrive.
        let exchange = tokio::spawn(self.0.exchange(&request));
        async move {
            match tokio::time::timeout(timeout, exchange).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(broken(TransportErrorKind::Other, true, "the exchange ended early")),
                Err(_) => Err(broken(TransportErrorKind::Timeout, true, "no answer in time")),
            }
        }
        .boxed()
    }
}

/// The portal, the way there, and the disk.
pub struct World {
    pub portal: Portal,
    pub line: Arc<Line>,
    pub clock: Clock,
    pub dir: tempfile::TempDir,
    pub settings: Settings,
    /// What somebody granted to their OAuth app; without it the portal's own token is used.
    pub granted: Option<(Credentials, Arc<MemoryTokens>)>,
}

/// An engine at work.
pub struct Running {
    pub handle: Handle,
    pub events: broadcast::Receiver<Event>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Ends as a program ends that was asked to.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("the engine ends");
    }

    /// Ends as a program ends that was killed: nothing runs any more, nothing is said goodbye to.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// A small account with everything in it.
pub fn small() -> portal::Settings {
    portal::Settings {
        seed: 7,
        contacts: 60,
        companies: 20,
        deals: 30,
        tickets: 2,
        owners: 4,
        latency: "40ms..200ms".parse().expect("a delay"),
        now: BEGIN.parse().ok(),
        ..portal::Settings::default()
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(small())
    }

    pub fn with(settings: portal::Settings) -> Self {
        let begin = settings.now.unwrap_or_else(|| BEGIN.parse().expect("a time"));
        let portal = Portal::new(settings).expect("a portal");
        let line = Arc::new(Line {
            router: portal.router(),
            cut: AtomicBool::new(false),
            log: Mutex::default(),
            forbidden: Mutex::default(),
            instead: Mutex::default(),
            scopes: Mutex::default(),
            other: Mutex::default(),
            mishap: Mutex::default(),
        });
        Self {
            portal,
            line,
            clock: Clock::starting_at(begin),
            dir: tempfile::tempdir().expect("a directory"),
            settings: Settings {
                inline_store: true,
                ..Settings::default()
            },
            granted: None,
        }
    }

    pub fn place(&self) -> store::Settings {
        store::Settings {
            dir: self.dir.path().join("data"),
        }
    }

    /// A new process on the same disk.
    pub fn open(&self) -> (Engine, Handle) {
        Engine::open(self.settings.clone(), &self.place(), self.client()).expect("an engine")
    }

    /// The way to the portal that processes on this disk share.
    pub fn client(&self) -> Client {
        let settings = hubspot::Settings {
            token: self.portal.token().into(),
            jitter_seed: Some(7),
            ..hubspot::Settings::default()
        };
        let book = StoredSlots::open(&self.place(), self.clock.clone()).expect("slots");
        let transport = Arc::new(InProcess(Arc::clone(&self.line)));
        let (credentials, tokens) = self
            .granted
            .clone()
            .unwrap_or_else(|| (Credentials::Token(settings.token.clone()), Arc::default()));
        Client::signed(
            &settings,
            credentials,
            tokens,
            transport,
            self.clock.clone(),
            Arc::new(book),
        )
    }

    /// Somebody grants access in the browser; processes that start from now on use it.
    pub async fn authorize(&mut self) {
        let (client_id, client_secret) = self.portal.oauth_client().expect("the portal has an OAuth app");
        let scopes = "crm.objects.deals.read crm.objects.deals.write crm.objects.contacts.read \
                      crm.objects.contacts.write crm.objects.companies.read crm.objects.owners.read";
        let app = OAuthApp {
            client_id,
            client_secret: client_secret.into(),
            redirect: Redirect::parse("http://localhost:9999/granted").expect("an address"),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        };
        let consent = Consent::new(&app, "/oauth/authorize", &[7; 64]);
        let asked = axum::http::Request::get(consent.url.expose_secret())
            .body(axum::body::Body::empty())
            .expect("a request");
        let answer = self.portal.router().oneshot(asked).await.expect("infallible");
        let back = answer.headers()["location"].to_str().expect("text").to_owned();
        let (_, code) = back.split_once("code=").expect("a code");
        let code = code.split('&').next().unwrap_or_default().to_owned();
        let transport = Arc::new(InProcess(Arc::clone(&self.line)));
        let desk = TokenDesk::new(transport, self.clock.clone(), Duration::from_secs(30));
        let grant = desk
            .redeem(&app, &code.into(), &consent.verifier)
            .await
            .expect("a grant");
        let tokens = Arc::new(MemoryTokens::new());
        tokens.keep_grant(&grant).expect("it is kept");
        let app = Box::new(app);
        self.granted = Some((Credentials::OAuth { app, grant }, tokens));
    }

    /// A new process on the same disk, at work.
    pub fn start(&self) -> Running {
        let (engine, handle) = self.open();
        let events = handle.subscribe();
        let stop = CancellationToken::new();
        let task = tokio::spawn(engine.run(stop.clone()));
        Running {
            handle,
            events,
            stop,
            task,
        }
    }

    /// A new process that has read everything.
    pub async fn start_synced(&self) -> Running {
        let running = self.start();
        running.handle.set_watched(true);
        let handle = running.handle.clone();
        until("the first sync", Duration::from_secs(120), async || {
            handle.freshness().as_of.is_some()
                && self.mirror(ObjectType::Companies).len() >= self.truth(ObjectType::Companies).await.len()
        })
        .await;
        running
    }

    pub fn cut(&self, cut: bool) {
        self.line.cut.store(cut, Ordering::SeqCst);
    }

    /// From now on the token lacks the scope for every path with this part.
    pub fn forbid(&self, part: Option<&'static str>) {
        *self.line.forbidden.lock().unwrap() = part;
    }

    /// Another integration of the account spends its day, until only this much is left. It reads associations, which cost
    /// no slot of the ten-second window.
    pub async fn spend_the_day(&self, allowance: usize, left: usize) {
        let stats: Value = serde_json::from_str(&self.witness("GET", "stats", None).await).expect("JSON");
        let used = usize::try_from(stats["requests"].as_u64().expect("a count")).expect("a number");
        let call = || async {
            let request = axum::http::Request::post("/crm/associations/2026-09/deals/contacts/batch/read")
                .header("authorization", format!("Bearer {}", self.portal.token()))
                .header("content-type", "application/json")
                .body(axum::body::Body::from(r#"{"inputs":[{"id":"1"}]}"#))
                .expect("a request");
            let answer = self.portal.router().oneshot(request).await.expect("infallible");
            assert!(answer.status().is_success(), "{answer:?}");
        };
        let calls: Vec<_> = (0..allowance.saturating_sub(used + left)).map(|_| call()).collect();
        futures::future::join_all(calls).await;
    }

    /// Somebody on the way answers from now on.
    pub fn answer(&self, instead: Instead) {
        *self.line.instead.lock().unwrap() = Some(instead);
    }

    /// How many of those answers are left.
    pub fn answers_left(&self) -> u32 {
        self.line.instead.lock().unwrap().map_or(0, |instead| instead.times)
    }

    /// From now on introspection says that the token has these scopes.
    pub fn grant(&self, scopes: &[&'static str]) {
        *self.line.scopes.lock().unwrap() = Some(scopes.to_vec());
    }

    /// From now on the token is this portal's.
    pub fn token_of(&self, other: &Portal) {
        *self.line.other.lock().unwrap() = Some(other.clone());
    }

    /// How many requests went over the line at all.
    pub fn requests(&self) -> usize {
        self.line.log.lock().unwrap().len()
    }

    /// How many requests with this part in method or path went over the line.
    pub fn asked(&self, part: &str) -> usize {
        let log = self.line.log.lock().unwrap();
        log.iter().filter(|line| line.contains(part)).count()
    }

    /// How many requests with all these parts in method or path went over the line.
    pub fn asked_all(&self, parts: &[&str]) -> usize {
        let log = self.line.log.lock().unwrap();
        log.iter()
            .filter(|line| parts.iter().all(|part| line.contains(part)))
            .count()
    }

    /// How many requests with this beginning went over the line (`POST /crm/objects/2026-09/notes`), batch reads and
    /// searches not counted.
    pub fn sent(&self, beginning: &str) -> usize {
        let rest = |line: &String| line.strip_prefix(beginning).map(str::to_owned);
        let is_plain = |rest: &String| !rest.contains("batch") && !rest.contains("search");
        self.line
            .log
            .lock()
            .unwrap()
            .iter()
            .filter_map(rest)
            .filter(is_plain)
            .count()
    }

    pub async fn witness(&self, method: &str, path: &str, body: Option<Value>) -> String {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("/__portal/{path}"))
            .header("content-type", "application/json")
            .body(axum::body::Body::from(
                body.map(|body| body.to_string()).unwrap_or_default(),
            ))
            .expect("a request");
        let answer = self.portal.router().oneshot(request).await.expect("infallible");
        let status = answer.status();
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
            .await
            .expect("a body");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        text
    }

    /// The records of a type as HubSpot has them, by id; archived ones are left out.
    pub async fn truth(&self, object: ObjectType) -> BTreeMap<String, Value> {
        let text = self
            .witness("GET", &format!("objects/{}?archived=false", object.name()), None)
            .await;
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
            .map(|record| (record["id"].as_str().expect("an id").to_owned(), record))
            .collect()
    }

    /// One record as HubSpot has it, archived or not; none that is not there or was merged away.
    pub async fn true_record(&self, object: ObjectType, id: &str) -> Option<Value> {
        let text = self
            .witness("GET", &format!("objects/{}/{id}", object.name()), None)
            .await;
        text.lines()
            .next()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
    }

    /// One property of one record as HubSpot has it.
    pub async fn true_value(&self, object: ObjectType, id: &str, property: &str) -> Option<String> {
        let truth = self.truth(object).await;
        truth[id]["properties"][property].as_str().map(str::to_owned)
    }

    /// The records of a type as the mirror has them.
    pub fn mirror(&self, object: ObjectType) -> Vec<Record> {
        self.reader().mirror.all(object).expect("records")
    }

    pub fn reader(&self) -> Reader {
        Reader::open(&self.place()).expect("a reader")
    }

    /// A colleague edits a record.
    pub async fn edit(&self, object: ObjectType, id: &str, properties: Value, actor: &str) {
        let body = serde_json::json!({"type": object.name(), "id": id, "properties": properties, "actor": actor});
        self.witness("POST", "edit", Some(body)).await;
    }

    pub async fn archive(&self, object: ObjectType, id: &str) {
        let body = serde_json::json!({"type": object.name(), "id": id});
        self.witness("POST", "archive", Some(body)).await;
    }

    pub async fn merge(&self, object: ObjectType, primary: &str, other: &str) {
        let body = serde_json::json!({"type": object.name(), "primaryObjectId": primary, "objectIdToMerge": other});
        self.witness("POST", "merge", Some(body)).await;
    }

    pub async fn faults(&self, plan: &str) {
        self.witness("POST", "faults", Some(serde_json::json!({"faults": plan})))
            .await;
    }

    /// What the portal's log says of every request: its fault, if it had one.
    pub async fn struck(&self) -> std::collections::BTreeSet<String> {
        let text = self.witness("GET", "requests", None).await;
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
            .filter_map(|entry| entry["fault"].as_str().map(str::to_owned))
            .collect()
    }

    /// Where the mirror is not what HubSpot has, field by field and link by link; empty when it is.
    pub async fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        let reader = self.reader();
        for object in MIRRORED {
            let truth = self.truth(object).await;
            let mirror = reader.mirror.all(object).expect("records");
            if mirror.len() != truth.len() {
                differences.push(format!("{} {object} instead of {}", mirror.len(), truth.len()));
            }
            for record in &mirror {
                let name = format!("{object} {}", record.id);
                match truth.get(&record.id) {
                    Some(truth) => differences.extend(unlike(record, truth).map(|what| format!("{name}: {what}"))),
                    None => differences.push(format!("{name} is not there")),
                }
            }
        }
        differences
    }

    /// The mirror is what HubSpot has, field by field and link by link.
    pub async fn assert_mirrored(&self) {
        let differences = self.differences().await;
        assert!(differences.is_empty(), "{differences:#?}");
    }

    /// Every list and its members, with when they joined, are what HubSpot has.
    pub async fn assert_listed(&self) {
        let mut differences = Vec::new();
        let text = self.witness("GET", "objects/list", None).await;
        for line in text.lines() {
            let list: Value = serde_json::from_str(line).expect("JSON");
            let id = list["value"]["listId"].as_str().expect("an id").to_owned();
            let mut theirs: Vec<&str> = list["members"]
                .as_array()
                .expect("members")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let ours = self.reader().mirror.members(&id.as_str().into()).expect("members");
            let mut ours: Vec<&str> = ours.iter().map(|member| member.record.as_str()).collect();
            theirs.sort_unstable();
            ours.sort_unstable();
            if ours != theirs {
                differences.push(format!("list {id}: {} members instead of {}", ours.len(), theirs.len()));
            }
        }
        assert!(differences.is_empty(), "{differences:#?}");
    }

    /// The last requests, for those who wonder what they were for.
    pub fn last_requests(&self, count: usize) -> Vec<String> {
        let log = self.line.log.lock().unwrap();
        log[log.len().saturating_sub(count)..]
            .iter()
            .map(|line| line.split("properties").next().unwrap_or_default().to_owned())
            .collect()
    }

    /// The notes HubSpot has on a deal.
    pub async fn true_notes(&self, deal: &DealId) -> Vec<Value> {
        let notes = self.truth(ObjectType::Notes).await;
        notes
            .into_values()
            .filter(|note| {
                note["associations"]["deals"]
                    .as_array()
                    .is_some_and(|deals| deals.iter().any(|id| id.as_str() == Some(deal.as_str())))
            })
            .collect()
    }

    /// The end of every test: the portal never refused a request for its rate, and no window was ever too full.
    pub async fn end(self) {
        let stats: Value = serde_json::from_str(&self.witness("GET", "stats", None).await).expect("JSON");
        assert_eq!(stats["refused"], 0, "{stats}");
        let worst = stats["worst_window"]["count"].as_u64().expect("a count");
        assert!(worst <= 190, "{stats}");
        assert!(stats["worst_search_second"].as_u64().expect("a count") <= 5, "{stats}");
    }
}

fn unlike<'a>(record: &'a Record, truth: &'a Value) -> impl Iterator<Item = String> + 'a {
    assert!(!record.properties.is_empty());
    let fields = record.properties.iter().filter_map(|(name, value)| {
        let (ours, theirs) = (value.as_deref().unwrap_or_default(), &truth["properties"][name]);
        let theirs = theirs.as_str().unwrap_or_default();
        (ours != theirs).then(|| format!("{name} is '{ours}' instead of '{theirs}'"))
    });
    let links = record.associations.iter().filter_map(|(object, ids)| {
        let theirs = truth["associations"][object.name()].as_array().into_iter().flatten();
        let mut theirs: Vec<&str> = theirs.filter_map(Value::as_str).collect();
        let mut ours: Vec<&str> = ids.iter().map(String::as_str).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        (ours != theirs).then(|| format!("{object} are {ours:?} instead of {theirs:?}"))
    });
    fields.chain(links)
}

/// Waits in virtual time until something holds.
pub async fn until(what: &str, most: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + most;
    while !holds().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{what} did not happen within {most:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Lets virtual time pass.
pub async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// What tests ask of a handle.
pub trait Acts {
    /// Moves a deal as a key press or as a command does.
    async fn move_deal(&self, deal: &DealId, stage: &StageId, origin: Origin) -> Result<Receipt, Fault>;
    /// Sets one property by a command.
    async fn set(&self, deal: &DealId, property: &str, value: &str) -> Result<Receipt, Fault>;
    /// Writes a note.
    async fn note(&self, deal: &DealId, text: &str) -> Receipt;
    /// Waits until an operation is where it should be.
    async fn reaches(&self, op: OpId, states: &[OpState], most: Duration) -> Operation;
    /// An open deal and another stage of its pipeline it can go to.
    async fn open_deal(&self, nth: usize) -> (DealId, StageId, StageId);
}

impl Acts for Handle {
    async fn move_deal(&self, deal: &DealId, stage: &StageId, origin: Origin) -> Result<Receipt, Fault> {
        let change = Change::MoveDeal {
            deal: deal.clone(),
            stage: stage.clone(),
            pipeline: None,
        };
        self.submit(Submission { change, origin }).await
    }

    async fn set(&self, deal: &DealId, property: &str, value: &str) -> Result<Receipt, Fault> {
        let record = dealdeck::domain::RecordRef::new(ObjectType::Deals, deal.as_str());
        let values = [(property.to_owned(), Some(value.to_owned()))].into();
        let change = Change::SetProperties { record, values };
        self.submit(Submission {
            change,
            origin: Origin::Command,
        })
        .await
    }

    async fn note(&self, deal: &DealId, text: &str) -> Receipt {
        let change = Change::AddNote {
            deal: deal.clone(),
            text: text.to_owned(),
            at: None,
        };
        self.submit(Submission {
            change,
            origin: Origin::Screen,
        })
        .await
        .expect("the note is kept")
    }

    async fn reaches(&self, op: OpId, states: &[OpState], most: Duration) -> Operation {
        until(&format!("{states:?} of {op}"), most, async || {
            states.contains(&self.operation(op).await.expect("an operation").state)
        })
        .await;
        self.operation(op).await.expect("an operation")
    }

    async fn open_deal(&self, nth: usize) -> (DealId, StageId, StageId) {
        let board = self.board().await.expect("a board");
        let mut open: Vec<_> = board
            .deals
            .iter()
            .filter(|deal| deal.state(&board.pipelines) == dealdeck::domain::DealState::Open)
            .collect();
        open.sort_by_key(|deal| deal.id.clone());
        let deal = open[nth % open.len()];
        let pipeline = board
            .pipelines
            .iter()
            .find(|pipeline| pipeline.id == deal.pipeline)
            .expect("a pipeline");
        let other = pipeline
            .stages
            .iter()
            .find(|stage| !stage.closed && stage.id != deal.stage)
            .expect("another open stage");
        (deal.id.clone(), deal.stage.clone(), other.id.clone())
    }
}
