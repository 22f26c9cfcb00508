//! Ties the concrete parts of the engine together: transport, budget, store, clock. Every face starts here.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{Fault, FaultKind},
    hubspot::{self, Client, Credentials, HttpTransport, TokenStore},
    store,
    sync::{Clock, Engine, Handle, StoredSlots},
};

use super::{trial::Trial, wiring::Wiring};

/// How long an engine may take to end in order before it is left alone.
const PATIENCE: Duration = Duration::from_secs(3);

/// A running engine.
pub struct Session {
    /// Its handle.
    pub handle: Handle,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

/// What an engine is made of.
pub struct Parts {
    /// How to reach HubSpot.
    pub hubspot: hubspot::Settings,
    /// What requests are signed with.
    pub credentials: Credentials,
    /// Where what is learnt about them is kept.
    pub tokens: Arc<dyn TokenStore>,
    /// How the engine behaves.
    pub sync: crate::sync::Settings,
    /// Where everything lives.
    pub dir: PathBuf,
    /// The time.
    pub clock: Clock,
}

impl Parts {
    /// From the configuration, with these credentials.
    ///
    /// # Errors
    /// An address that must not be used.
    pub fn new(wiring: &Wiring, credentials: Credentials, clock: &Clock) -> Result<Self, Fault> {
        Ok(Self {
            hubspot: wiring.hubspot()?,
            credentials,
            tokens: Arc::new(wiring.kept()),
            sync: wiring.sync(),
            dir: wiring.dir().to_owned(),
            clock: clock.clone(),
        })
    }

    /// The same for credentials that are new here: what is kept stays as it is until they are accepted.
    ///
    /// # Errors
    /// As [`Parts::new`].
    pub fn on_trial(wiring: &Wiring, credentials: Credentials, clock: &Clock) -> Result<(Self, Arc<Trial>), Fault> {
        let trial = Arc::new(Trial::new(credentials.clone(), wiring.kept())?);
        let parts = Self {
            tokens: trial.clone(),
            ..Self::new(wiring, credentials, clock)?
        };
        Ok((parts, trial))
    }

    /// A client, with the budget that every process on the data directory shares.
    ///
    /// # Errors
    /// The store cannot be opened, or TLS cannot be set up.
    pub fn client(&self) -> Result<Client, Fault> {
        let place = store::Settings { dir: self.dir.clone() };
        let transport = Arc::new(HttpTransport::new(&self.hubspot)?);
        let slots = Arc::new(StoredSlots::open(&place, self.clock.clone())?);
        let (credentials, tokens) = (self.credentials.clone(), self.tokens.clone());
        Ok(Client::signed(
            &self.hubspot,
            credentials,
            tokens,
            transport,
            self.clock.clone(),
            slots,
        ))
    }
}

impl Session {
    /// Opens the store and makes an engine that does nothing yet: it answers from the mirror and keeps changes.
    ///
    /// # Errors
    /// The store cannot be opened, or TLS cannot be set up.
    pub fn open(parts: Parts) -> Result<(Self, Engine), Fault> {
        let client = parts.client()?;
        let place = store::Settings { dir: parts.dir };
        let (engine, handle) = Engine::open(parts.sync, &place, client)?;
        Ok((
            Self {
                handle,
                stop: CancellationToken::new(),
                task: None,
            },
            engine,
        ))
    }

    /// Starts the engine: it polls and sends until [`Session::close`].
    pub fn start(&mut self, engine: Engine) {
        self.task = Some(tokio::spawn(engine.run(self.stop.clone())));
    }

    /// Stops the engine in order: what is on the wire gets its answer, within reason. What does not is found out about
    /// at the next start.
    pub async fn close(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            let _ = tokio::time::timeout(PATIENCE, task).await;
        }
    }
}

/// The runtime everything asynchronous runs on.
///
/// # Errors
/// The system gives us no threads.
pub fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            Fault::new(
                FaultKind::Bug,
                format!("no threads to run on: {error}"),
                "close other programs and try again",
            )
        })
}
