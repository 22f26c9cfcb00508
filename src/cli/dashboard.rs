//! `dealdeck` and `dealdeck --demo`: the dashboard on the person's portal, or on a simulated one in the same process.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures::FutureExt as _;
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::Mutex};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{self, Model, registry::Keymap},
    domain::{Fault, FaultKind, OpState, format::plural},
    hubspot::{self, Credentials, MemoryTokens},
    portal::{self, Latency, Portal},
    sync::{self, Clock},
    term::{self, Connector, End, Start, Surroundings},
};

use super::{
    exit::{Outcome, remark_line},
    session::{Parts, Session},
    wiring::Wiring,
};

/// Colleagues' edits per minute in the demo: something happens while one looks, and not all the time.
const DEMO_EDITS: f64 = 6.0;
/// What an answer takes in the demo, as HubSpot's do.
const DEMO_LATENCY: Latency = Latency {
    min: Duration::from_millis(60),
    max: Duration::from_millis(180),
};

/// What the dashboard is opened on.
struct Opening {
    /// The engine's parts; `None` opens the set-up screen.
    parts: Option<Parts>,
    /// Why set-up is needed.
    why: Option<Fault>,
    /// The dashboard's settings.
    settings: app::Settings,
}

/// Opens the dashboard on the configured portal; without a usable token, on the set-up screen.
pub async fn run(wiring: &Wiring, surroundings: &Surroundings, clock: &Clock) -> Outcome {
    let (parts, why) = match wiring.credentials() {
        Ok(Some(credentials)) => (Some(Parts::new(wiring, credentials, clock)?), None),
        Ok(None) => (None, None),
        Err(fault) if fault.kind == FaultKind::Auth => (None, Some(fault)),
        Err(fault) => return Err(fault),
    };
    let opening = Opening {
        parts,
        why,
        settings: wiring.app(),
    };
    show(wiring, opening, surroundings, clock).await
}

/// Opens the dashboard on a simulated portal: real HTTP on loopback, its own data directory, no real token anywhere near.
pub async fn demo(wiring: &Wiring, surroundings: &Surroundings, clock: &Clock) -> Outcome {
    let failed = |error: &dyn std::fmt::Display| {
        let what = format!("the simulated portal does not start: {error}");
        Fault::new(FaultKind::Bug, what, "please report this")
    };
    let settings = portal::Settings {
        live_per_minute: DEMO_EDITS,
        latency: DEMO_LATENCY,
        now: Some(clock.wall()),
        time_zone: here(),
        ..portal::Settings::default()
    };
    let portal = Portal::new(settings).map_err(|error| failed(&error))?;
    let token = SecretString::from(portal.token().to_owned());
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(|error| failed(&error))?;
    let base_url = format!("http://{}", listener.local_addr().map_err(|error| failed(&error))?);
    let stop = CancellationToken::new();
    let server = tokio::spawn(portal.serve(listener, stop.clone().cancelled_owned()));

    let (dir, _scratch) = demo_dir(wiring)?;
    let parts = Parts {
        hubspot: hubspot::Settings {
            base_url,
            ca_pem: None,
            ..wiring.hubspot()?
        },
        credentials: Credentials::Token(token),
        tokens: Arc::new(MemoryTokens::new()),
        sync: sync::Settings {
            owner: None,
            portal_id: None,
            ..wiring.sync()
        },
        dir,
        clock: clock.clone(),
    };
    let opening = Opening {
        parts: Some(parts),
        why: None,
        settings: app::Settings {
            demo: true,
            pipeline: None,
            ..wiring.app()
        },
    };
    let ended = show(wiring, opening, surroundings, clock).await;
    stop.cancel();
    server.abort();
    ended
}

/// The zone of this machine, so that the demo's times are those of the clock on the wall.
fn here() -> String {
    let zone = jiff::tz::TimeZone::system();
    zone.iana_name()
        .map_or_else(|| portal::Settings::default().time_zone, str::to_owned)
}

/// The demo lives in a directory of its own: beside the real data where a data directory is given, else one that goes with
/// it. The demo's deals and the real ones never meet.
fn demo_dir(wiring: &Wiring) -> Result<(PathBuf, Option<Scratch>), Fault> {
    if wiring.dir_is_given() {
        return Ok((wiring.dir().join("demo"), None));
    }
    let dir = std::env::temp_dir().join(format!("dealdeck-demo-{}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|error| {
        let what = format!("'{}' cannot be made: {error}", dir.display());
        Fault::new(FaultKind::Store, what, "give a --data-dir")
    })?;
    Ok((dir.clone(), Some(Scratch(dir))))
}

/// A directory that is removed when it is dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn show(wiring: &Wiring, opening: Opening, surroundings: &Surroundings, clock: &Clock) -> Outcome {
    let (sessions, demo) = (Sessions::default(), opening.settings.demo);
    let keymap = Keymap::build(&opening.settings.keys).map_err(|clash| {
        Fault::new(
            FaultKind::Usage,
            clash.to_string(),
            "change one of them in the configuration",
        )
    })?;
    let model = Model::new(opening.settings, keymap, clock.wall(), (0, 0));
    let (model, engine) = match opening.parts {
        Some(parts) => (model, Some(sessions.start(Session::open(parts)?).await)),
        None => (model.in_setup(opening.why), None),
    };
    let start = Start {
        model,
        look: wiring.look(),
        engine,
        connect: connector(wiring.clone(), clock.clone(), sessions.clone()),
        clock: clock.clone(),
    };
    let ended = term::dashboard(start, surroundings).await;
    let waiting = sessions.waiting().await;
    sessions.close().await;
    if waiting > 0 && !demo {
        let changes = plural(waiting as u64, "change is", "changes are");
        remark_line(&format!(
            "{changes} kept and not sent yet; 'dealdeck sync' sends what waits, so does the next start"
        ));
    }
    match ended? {
        End::Quit => Ok(0),
        End::Signalled(code) => Ok(code),
        End::Panicked => Ok(1),
    }
}

/// Engines started while the dashboard runs; closed when it ends.
#[derive(Clone, Default)]
struct Sessions(Arc<Mutex<Vec<Session>>>);

impl Sessions {
    /// Starts an engine that a dashboard watches.
    async fn start(&self, (mut session, engine): (Session, sync::Engine)) -> sync::Handle {
        session.handle.set_watched(true);
        session.start(engine);
        let handle = session.handle.clone();
        self.0.lock().await.push(session);
        handle
    }

    /// How many kept changes HubSpot has not heard of yet.
    async fn waiting(&self) -> usize {
        let mut waiting = 0;
        for session in self.0.lock().await.iter() {
            let queued = session.handle.operations(Some(&[OpState::Queued]), usize::MAX).await;
            waiting += queued.map_or(0, |queued| queued.len());
        }
        waiting
    }

    async fn close(&self) {
        for session in std::mem::take(&mut *self.0.lock().await) {
            session.close().await;
        }
    }
}

/// Checks a token typed in set-up by asking whose it is, keeps it, and starts the engine.
fn connector(wiring: Wiring, clock: Clock, sessions: Sessions) -> Connector {
    Arc::new(move |token| {
        let (wiring, clock, sessions) = (wiring.clone(), clock.clone(), sessions.clone());
        async move {
            let credentials = Credentials::Token(SecretString::from(token));
            let (parts, trial) = Parts::on_trial(&wiring, credentials, &clock)?;
            let opened = Session::open(parts)?;
            opened.0.handle.check().await?;
            trial.accept()?;
            // One engine sends: an earlier one, whose token was refused, gives the store up first.
            sessions.close().await;
            Ok(sessions.start(opened).await)
        }
        .boxed()
    })
}
