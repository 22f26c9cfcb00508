//! The stranger as a server: it listens, checks what any server would check, and answers in its manner.

use std::{
    collections::VecDeque,
    io::BufReader,
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    http::{self, Body, Request},
    manner::Manner,
    reads,
    truth::{self, TOKEN, World},
    writes,
};

/// How long a test waits for something to become true.
const PATIENCE: Duration = Duration::from_secs(30);

/// What it says to a request.
pub enum Reply {
    Json(u16, Value),
    Html(u16),
    /// A status and nothing else.
    Bare(u16),
    /// 429 with a `Retry-After` in seconds.
    Slower,
}

/// When the last requests of a quota were taken.
#[derive(Default)]
struct Quota(VecDeque<Instant>);

impl Quota {
    #[expect(clippy::disallowed_methods, reason = "a server elsewhere has a clock of its own")]
    fn takes(&mut self, most: usize, window: Duration) -> bool {
        let now = Instant::now();
        while self.0.front().is_some_and(|at| now.duration_since(*at) >= window) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        self.0.len() <= most
    }
}

struct Shared {
    manner: Manner,
    world: Mutex<World>,
    changed: Condvar,
    searches: Mutex<Quota>,
    others: Mutex<Quota>,
}

/// A running stranger. Its threads end with the test.
#[derive(Clone)]
pub struct Stranger {
    shared: Arc<Shared>,
    url: String,
}

impl Stranger {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            manner,
            world: Mutex::new(World::new()),
            changed: Condvar::new(),
            searches: Mutex::default(),
            others: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                thread::spawn(move || served.converse(stream));
            }
        });
        Self { shared, url }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap()
    }

    /// Waits until something is so in the account.
    pub fn wait_for(&self, what: &str, is_so: impl Fn(&World) -> bool) {
        let (world, _) = self
            .shared
            .changed
            .wait_timeout_while(self.world(), PATIENCE, |world| !is_so(world))
            .unwrap();
        assert!(is_so(&world), "waited for {what}; arrived: {:#?}", world.arrived);
    }
}

impl Shared {
    fn converse(&self, stream: TcpStream) -> Option<()> {
        let mut out = stream.try_clone().ok()?;
        let mut requests = BufReader::new(stream);
        while let Some(request) = Request::read(&mut requests) {
            let mut world = self.world.lock().unwrap();
            world.arrived.push(format!("{} {}", request.method, request.path));
            let reply = self.reply(&mut world, &request);
            if let Reply::Json(status @ 400.., body) = &reply
                && !(request.method == "GET" && *status == 404)
            {
                world.complain(format!("{} {}: {body}", request.method, request.path));
            }
            drop(world);
            self.changed.notify_all();
            self.say(&mut out, &request, reply)?;
        }
        Some(())
    }

    fn reply(&self, world: &mut World, request: &Request) -> Reply {
        if request.headers.get("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Reply::Json(401, self.manner.error("INVALID_AUTHENTICATION", "no token"));
        }
        let has_body = !request.body.is_null();
        if has_body
            && request
                .headers
                .get("content-type")
                .is_none_or(|kind| !kind.contains("application/json"))
        {
            return Reply::Json(415, self.manner.error("VALIDATION_ERROR", "no JSON"));
        }
        if !self.is_within_limits(request) {
            return Reply::Json(429, self.manner.error("RATE_LIMITS", "too many requests"));
        }
        if let Some(fault) = fault(self.manner, world, request) {
            return fault;
        }
        route(self.manner, world, request)
    }

    /// Searches five a second; batches of associations do not count; the rest a hundred in ten seconds.
    fn is_within_limits(&self, request: &Request) -> bool {
        if request.path.ends_with("/search") {
            self.searches.lock().unwrap().takes(5, Duration::from_secs(1))
        } else if request.path.starts_with("/crm/associations/") {
            true
        } else {
            self.others
                .lock()
                .unwrap()
                .takes(self.manner.window(), Duration::from_secs(10))
        }
    }

    fn say(&self, out: &mut TcpStream, request: &Request, reply: Reply) -> Option<()> {
        let is_search = request.path.ends_with("/search");
        let headers = |kind| self.manner.headers(kind, is_search);
        match reply {
            Reply::Json(status, body) => {
                let text = self.manner.text(&body);
                http::write(
                    out,
                    status,
                    &headers(self.manner.json_kind()),
                    &text,
                    self.manner.body(),
                )
            }
            Reply::Html(status) => {
                let page = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>…</body></html>";
                http::write(out, status, &headers("text/html; charset=UTF-8"), page, Body::Whole)
            }
            Reply::Bare(status) => http::write(out, status, &[], "", Body::Whole),
            Reply::Slower => {
                let mut headers = headers(self.manner.json_kind());
                headers.push(("RETRY-AFTER".to_owned(), "1".to_owned()));
                let body = json!({"message": "You have reached your secondly limit.", "errorType": "RATE_LIMIT"});
                http::write(out, 429, &headers, &body.to_string(), Body::Whole)
            }
        }
    }
}

/// What goes wrong once at each of them; nothing of it is the program's doing.
fn fault(manner: Manner, world: &mut World, request: &Request) -> Option<Reply> {
    let (method, path) = (request.method.as_str(), request.path.as_str());
    let (name, reply) = match (manner, method) {
        (Manner::Terse, "GET") if path.ends_with("/contacts") => ("a proxy's page", Reply::Html(502)),
        (Manner::Numeric, "POST") if path.ends_with("/search") => ("somebody else's searches", Reply::Slower),
        (Manner::Chatty, "GET") if path.ends_with("/deals") && path.contains("/objects/") => {
            ("an outage", Reply::Bare(503))
        }
        (_, "POST") if path.ends_with("/notes") && std::mem::take(&mut world.loses_next_note) => {
            // The note is made, and the answer lost on the way.
            let _ = route(manner, world, request);
            return Some(Reply::Html(502));
        }
        _ => return None,
    };
    if world.spent.contains(&name) {
        return None;
    }
    world.spent.push(name);
    Some(reply)
}

fn route(manner: Manner, world: &mut World, request: &Request) -> Reply {
    let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
    let of = |name: &str| truth::kind(name);
    match (request.method.as_str(), parts.as_slice()) {
        ("POST", ["oauth", "v2", "private-apps", "get", "access-token-info"]) => reads::introspection(manner),
        ("GET", ["account-info", "2026-09", "details"]) => reads::account(manner),
        ("GET", ["account-info", "2026-09", "api-usage", "daily", "private-apps"]) => reads::usage(manner),
        ("GET", ["crm", "pipelines", "2026-09", "deals"]) => reads::pipelines(manner),
        ("GET", ["crm", "owners", "2026-09"]) => reads::owners(manner, world, request),
        ("GET", ["crm", "properties", "2026-09", name]) if of(name).is_some() => reads::definitions(manner),
        ("POST", ["crm", "associations", "2026-09", from, to, "batch", "read"]) => match (of(from), of(to)) {
            (Some(from), Some(to)) => reads::associations(manner, world, request, from, to),
            _ => lost(manner, world, request),
        },
        // Nobody made a list yet.
        ("POST", ["crm", "lists", "2026-09", "all"]) => Reply::Json(200, json!({"results": []})),
        (method, ["crm", "objects", "2026-09", name, rest @ ..]) => match (of(name), method, rest) {
            (Some(kind), "GET", []) => reads::list(manner, world, request, kind),
            (Some(kind), "GET", [id]) => reads::get(manner, world, request, kind, id),
            (Some(kind), "POST", ["search"]) => reads::search(manner, world, request, kind),
            (Some(kind), "POST", ["batch", "read"]) => reads::batch(manner, world, request, kind),
            (Some(kind), "POST", []) => writes::create(manner, world, request, kind),
            (Some(kind), "PATCH", [id]) => writes::update(manner, world, request, kind, id),
            (Some(kind), "DELETE", [id]) => writes::archive(manner, world, kind, id),
            _ => lost(manner, world, request),
        },
        _ => lost(manner, world, request),
    }
}

/// An address nobody documented.
fn lost(manner: Manner, world: &mut World, request: &Request) -> Reply {
    world.complain(format!("unknown address {} {}", request.method, request.path));
    match manner {
        Manner::Terse => Reply::Html(404),
        _ => Reply::Json(404, manner.error("OBJECT_NOT_FOUND", "no such address")),
    }
}
