//! The way from the engine to the portal. It draws what goes wrong with each request, and looks at every write the moment
//! HubSpot would see it: with a connection of its own to the outbox, which shows what is committed and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use dealdeck::{
    domain::{OpId, RecordRef},
    hubspot::{Request, Response, Transport, TransportError},
    portal::Portal,
    store::Reader,
};
use futures::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::{
    common::{InProcess, Line},
    faults::{self, Kind, Shown, Where},
    invariants::Book,
    sent::{self, Sent},
};

/// What the way knows and what is wanted of it.
pub struct State {
    pub rng: ChaCha8Rng,
    /// Of a hundred reads, and of a hundred writes, so many fail.
    pub reads: u32,
    pub writes: u32,
    /// The next request is spoiled like this and the ones after it are not: for a sweep.
    pub nth: Option<(u32, &'static str)>,
    pub requests: u32,
    /// The look into the outbox; none while no process runs.
    pub reader: Option<Reader>,
    /// Whose portal answers.
    pub account: u64,
    /// Writes under way, by record.
    pub busy: BTreeMap<RecordRef, u32>,
    /// What the engine last read of a record, and when it asked.
    pub seen: BTreeMap<String, (Timestamp, BTreeMap<String, String>)>,
    /// Records the engine was told are gone.
    pub gone: BTreeSet<String>,
    /// What each send of each operation showed: the attempt's number and the exchange.
    pub exchanges: BTreeMap<OpId, Vec<(u32, Shown)>>,
    /// How many attempts an operation had when a person last decided about it.
    pub decided: BTreeMap<OpId, u32>,
    /// When the lease was last stolen.
    pub stolen: Option<Timestamp>,
    /// When the first write of an operation left.
    pub left: BTreeMap<OpId, Timestamp>,
    /// Writes to this record fail for ever.
    pub poison: Option<String>,
    /// Properties that colleagues changed in the race, by record.
    pub raced: Vec<(String, &'static str)>,
    /// The day's end must come before anything goes on.
    pub day_spent: bool,
    /// A refusal that only a person's asking again ends.
    pub refused: bool,
}

pub struct Wire {
    pub line: Arc<Line>,
    portal: Portal,
    pub book: Arc<Book>,
    pub clock: dealdeck::hubspot::Clock,
    begun: tokio::time::Instant,
    state: Mutex<State>,
}

/// The transport over a [`Wire`].
pub struct Way(pub Arc<Wire>);

impl Transport for Way {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, TransportError>> {
        let wire = Arc::clone(&self.0);
        async move { wire.exchange(request).await }.boxed()
    }
}

/// Writes of these records are under way until this is dropped, however that comes.
struct Busy {
    wire: Arc<Wire>,
    entities: Vec<RecordRef>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.wire.state();
        for entity in &self.entities {
            if let Some(count) = state.busy.get_mut(entity) {
                *count -= 1;
            }
        }
    }
}

impl Wire {
    pub fn new(
        line: Arc<Line>,
        portal: Portal,
        book: Arc<Book>,
        clock: dealdeck::hubspot::Clock,
        seed: u64,
    ) -> Arc<Self> {
        let account = portal.portal_id();
        Arc::new(Self {
            line,
            portal,
            book,
            clock,
            begun: tokio::time::Instant::now(),
            state: Mutex::new(State {
                rng: ChaCha8Rng::seed_from_u64(seed ^ 0x5eed),
                reads: 0,
                writes: 0,
                nth: None,
                requests: 0,
                reader: None,
                account,
                busy: BTreeMap::new(),
                seen: BTreeMap::new(),
                gone: BTreeSet::new(),
                exchanges: BTreeMap::new(),
                decided: BTreeMap::new(),
                stolen: None,
                left: BTreeMap::new(),
                poison: None,
                raced: Vec::new(),
                day_spent: false,
                refused: false,
            }),
        })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Milliseconds since the world began.
    pub fn now(&self) -> u128 {
        self.begun.elapsed().as_millis()
    }

    async fn exchange(self: Arc<Self>, request: Request) -> Result<Response, TransportError> {
        let (method, path) = (request.method.as_str().to_owned(), path(&request));
        let sent = sent::written(&self, &request, &path);
        let entities: Vec<RecordRef> = sent.iter().map(|sent| sent.op.entity.clone()).collect();
        let fault = self.draw(&method, &path, sent::is_write(&method, &path));
        self.book.log(format!(
            "{} {method} {} {}",
            self.now(),
            without_ids(&path),
            fault.map_or("", |kind| kind.name)
        ));
        let began = self.clock.wall();
        let answer = {
            for entity in &entities {
                *self.state().busy.entry(entity.clone()).or_default() += 1;
            }
            let _busy = Busy {
                wire: Arc::clone(&self),
                entities,
            };
            self.spoil(fault, &request, &path).await
        };
        self.remember(&method, &path, &request, began, &answer, &sent);
        answer
    }

    /// What goes wrong with this request.
    fn draw(&self, method: &str, path: &str, is_write: bool) -> Option<Kind> {
        let mut state = self.state();
        state.requests += 1;
        let name = match state.nth {
            Some((nth, name)) if nth == state.requests => Some(name),
            Some(_) => None,
            None => {
                let share = if is_write { state.writes } else { state.reads };
                if share == 0 || state.rng.random_range(0..100) >= share {
                    return None;
                }
                let kind = faults::draw(&mut state.rng, method, path)?;
                if kind.name == "429daily" {
                    // Once is enough for a day.
                    if std::mem::replace(&mut state.day_spent, true) {
                        return None;
                    }
                }
                Some(kind.name)
            }
        }?;
        let kind = *faults::KINDS.iter().find(|kind| kind.name == name)?;
        state.refused |= matches!(kind.name, "401" | "expired" | "untrusted" | "redirect");
        self.book.fault(kind.name);
        Some(kind)
    }

    async fn spoil(&self, fault: Option<Kind>, request: &Request, path: &str) -> Result<Response, TransportError> {
        let line = InProcess(Arc::clone(&self.line));
        let poisoned = self
            .state()
            .poison
            .as_ref()
            .is_some_and(|id| request.method.as_str() == "PATCH" && path.ends_with(&format!("/{id}")));
        let pass = async |mishap: Option<&str>| {
            *self.line.mishap.lock().unwrap() = mishap.map(|name| format!("{name}=1"));
            line.send(request.clone()).await
        };
        if poisoned {
            return pass(Some("500")).await;
        }
        let Some(kind) = fault else {
            return pass(None).await;
        };
        let broken = |kind, sent| TransportError {
            kind,
            sent,
            message: "the line failed".to_owned(),
        };
        match kind.place {
            Where::Portal => pass(Some(kind.name)).await,
            Where::Before(error, sent) => Err(broken(error, sent)),
            Where::Behind => {
                let _ = pass(None).await;
                Err(broken(dealdeck::hubspot::TransportErrorKind::TooLarge, true))
            }
            Where::Answer(status) => Ok(Response {
                status: axum::http::StatusCode::from_u16(status).unwrap(),
                headers: axum::http::HeaderMap::new(),
                body: Vec::new().into(),
            }),
            Where::Race => {
                self.race(path).await;
                pass(None).await
            }
        }
    }

    /// A colleague is faster by the blink of an eye.
    async fn race(&self, path: &str) {
        let id = path.rsplit('/').next().unwrap_or_default().to_owned();
        let property = if self.state().rng.random_bool(0.7) {
            "amount"
        } else {
            "hs_next_step"
        };
        let value = self.state().rng.random_range(100..900).to_string();
        self.state().raced.push((id.clone(), property));
        let body = json!({"type": "deals", "id": id, "properties": {property: value}, "actor": "2"});
        let _ = self.witness("edit", &body).await;
    }

    /// What colleagues do; `false` when that could not be done.
    pub async fn witness(&self, what: &str, body: &Value) -> bool {
        use tower::ServiceExt as _;
        let request = axum::http::Request::post(format!("/__portal/{what}"))
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        let answer = self.portal.router().oneshot(request).await.unwrap();
        answer.status().is_success()
    }

    fn remember(
        &self,
        method: &str,
        path: &str,
        request: &Request,
        began: Timestamp,
        answer: &Result<Response, TransportError>,
        sent: &[Sent],
    ) {
        let shown = faults::shown(method, answer);
        self.book.log(format!("{}   {shown:?}", self.now()));
        let mut state = self.state();
        for sent in sent {
            state
                .exchanges
                .entry(sent.op.id)
                .or_default()
                .push((sent.attempt, shown));
        }
        if method != "GET" || request.path_and_query.contains("__portal") {
            return;
        }
        let Some(id) = sent::record_of(path) else { return };
        if let Ok(response) = answer
            && response.status.as_u16() == 404
        {
            state.gone.insert(id.to_owned());
        }
        let (Shown::Applied, Ok(response)) = (shown, answer) else {
            return;
        };
        let Ok(record) = serde_json::from_slice::<Value>(&response.body) else {
            return;
        };
        if record["id"].as_str() != Some(id) || record["archived"] == true {
            state.gone.insert(id.to_owned());
            return;
        }
        state.gone.remove(id);
        let text = |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap_or_default().to_owned());
        let properties = record["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(text)
            .collect();
        state.seen.insert(id.to_owned(), (began, properties));
    }
}

fn path(request: &Request) -> String {
    let path = request.path_and_query.split('?').next().unwrap_or_default();
    path.to_owned()
}

/// The path without an operation's key, which differs from run to run.
fn without_ids(path: &str) -> String {
    let is_key = |part: &str| part.len() == 36 && part.matches('-').count() == 4;
    let parts = path.split('/').map(|part| if is_key(part) { "KEY" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
