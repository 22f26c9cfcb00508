//! The simulated HubSpot: what `--demo` shows, what `dealdeck simulate` serves and what every test talks to.
//!
//! An independent witness: it imports nothing of ours, so that it cannot share a type, a parser or a bug with the client.
//! It keeps a whole account (generated from a seed, or loaded from a fixture), holds clients to HubSpot's budgets, makes
//! mistakes on request, and tells the truth about all of it under `/__portal/`. It keeps nothing on disk, and it never
//! guesses what a client means: what HubSpot refuses, it refuses, with HubSpot's words.
//!
//! From the outside in: `serve` (sockets) → `door` (one request: gate, delay, fault, answer) → `gate` (log and budgets) →
//! `routes` → `world` (the rules of the account) → `truth` (records over `base`, the generated account).
//!
//! All time comes from tokio's clock: under a paused clock the portal is as still as everything else.

mod answer;
mod base;
mod budget;
mod check;
mod clock;
mod door;
mod effects;
mod errors;
mod faults;
mod fixture;
mod gate;
mod index;
mod keys;
mod kinds;
mod lists;
mod live;
mod names;
mod oauth;
mod opening;
mod pipelines;
mod record;
mod render;
mod routes;
mod schema;
mod scopes;
mod search;
mod serve;
mod settings;
mod spoil;
mod switches;
mod truth;
mod version;
mod wire;
mod witness;
mod world;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

pub use faults::{FaultKind, FaultPlan};
pub use settings::{BadSetting, CursorKind, Grant, Latency, Quota, Settings};
pub use switches::{Switch, Switches};

use clock::Clock;
use world::World;

/// Why a portal could not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A line of the fixture could not be read; lines count from 1.
    #[error("fixture line {line}: {reason}")]
    Fixture {
        /// Which line.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The account's time zone is not in the zone database.
    #[error("'{0}' is not a known time zone; write an IANA name such as 'US/Eastern'")]
    TimeZone(String),
}

/// What happened to the connection instead of an answer: an extension of responses given in process, where there is no
/// connection to close. Over TCP the connection really is closed. A response that carries one was never sent: a transport
/// must drop it, body and all, and report a closed connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Closed without a single byte of an answer. Whether the request was carried out, nobody can tell from here.
    Reset,
    /// Silence for 120 seconds, then closed. The request was not carried out.
    Hang,
}

/// One simulated account and its server. Clones share the account.
#[derive(Clone)]
pub struct Portal {
    inner: Arc<Inner>,
}

struct Inner {
    world: Mutex<World>,
    clock: Clock,
    token: String,
    portal_id: u64,
    settings: Settings,
    /// Ends hanging requests and the colleagues when the server stops.
    stop: CancellationToken,
}

impl Portal {
    /// Opens an account. The clock starts now: under a paused runtime, call it inside that runtime.
    ///
    /// # Errors
    /// A fixture line that cannot be read, or a time zone nobody knows.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let clock = Clock::start(settings.now);
        let world = opening::world(&settings, &clock)?;
        let token = world.keys.first().map_or_else(String::new, |(token, _)| token.clone());
        let portal_id = world.portal_id;
        let stop = CancellationToken::new();
        Ok(Self {
            inner: Arc::new(Inner {
                world: Mutex::new(world),
                clock,
                token,
                portal_id,
                settings,
                stop,
            }),
        })
    }

    /// The token that a portal of this seed accepts when it is given none.
    pub fn made_up_token(seed: u64) -> String {
        opening::token(seed)
    }

    /// What can be done to the account under `/__portal/` besides a client's requests, for a help text.
    pub fn witness_help() -> String {
        witness::help()
    }

    /// The first token this portal accepts.
    pub fn token(&self) -> &str {
        &self.inner.token
    }

    /// Id and secret of the account's OAuth app, when it has one.
    pub fn oauth_client(&self) -> Option<(String, String)> {
        let world = self.world();
        let app = world.keys.oauth.as_ref()?;
        Some((app.client_id.clone(), app.client_secret.clone()))
    }

    /// HubSpot's number of the account.
    pub fn portal_id(&self) -> u64 {
        self.inner.portal_id
    }

    /// The portal as a service, to be called in process. Closed connections show as [`Wire`] on the response; a body that
    /// breaks off ends in an error.
    pub fn router(&self) -> axum::Router {
        axum::Router::new().fallback(door::knock).with_state(self.clone())
    }

    /// Serves until `shutdown` is done; starts the colleagues when there are any.
    ///
    /// # Errors
    /// What the listener reports.
    pub async fn serve(
        self,
        listener: tokio::net::TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        serve::serve(self, listener, shutdown).await
    }

    /// Starts the colleagues, who edit open deals `live_per_minute` times a minute until the portal is gone. Does nothing
    /// at a rate of 0. Must be called inside a runtime.
    pub fn start_live(&self) {
        live::start(self);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.inner.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
