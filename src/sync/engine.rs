//! The engine running: take the lock and sync, or watch what the process that has it does, and take over when it ends.

use std::{sync::Arc, time::Duration};

use futures::future::{join3, join5};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    Settings,
    connection::{Part, later},
    contact_queue,
    core::{AS_OF, Core, deal_of},
    handle::Handle,
    pull,
    push::Push,
    segments,
};
use crate::{
    domain::{Account, ActivityItem, ActivityKind, Connection, Event, Fault, Lane, Who},
    hubspot,
    store::{self, Lock},
};

/// Between two checks of the whole mirror, and the name under which it keeps when that was.
const CHECK: Duration = Duration::from_hours(24);
const CHECKED: &str = "checked";
/// How often a watcher looks for news and tries the lock.
const BEAT: Duration = Duration::from_secs(1);
/// How long what is on the wire may take to end after a stop; what takes longer is looked up at the next start.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a refused watcher waits before it asks again.
const REST: Duration = Duration::from_secs(30);
/// Between two looks at the gauges.
const GAUGES: Duration = Duration::from_secs(1);

/// The engine. One per process; faces talk to it through its [`Handle`].
pub struct Engine {
    core: Arc<Core>,
}

impl Engine {
    /// Opens the store. Nothing is read from the network yet; the handle already answers from the mirror.
    ///
    /// # Errors
    /// When the store is damaged, full, another user's, or of a newer version.
    pub fn open(settings: Settings, place: &store::Settings, client: hubspot::Client) -> Result<(Self, Handle), Fault> {
        let core = Arc::new(Core::new(settings, place, client)?);
        Ok((
            Self {
                core: Arc::clone(&core),
            },
            Handle::new(core),
        ))
    }

    /// Syncs and sends until `stop`. While another process holds the store's lock, it only watches.
    pub async fn run(self, stop: CancellationToken) {
        let core = &*self.core;
        let news = tell_freshness(core);
        let life = async {
            while !stop.is_cancelled() {
                if let Some(lock) = Box::pin(watch(core, &stop)).await {
                    Box::pin(lead(core, &stop)).await;
                    drop(lock);
                }
            }
        };
        tokio::select! {
            biased;
            () = life => {}
            () = news => {}
        }
        core.sum_up();
    }
}

/// Begins an epoch: claims of earlier ones are void, and what they left on the wire is uncertain now.
pub async fn begin_epoch(core: &Core) -> Result<u64, Fault> {
    let now = core.now();
    let (epoch, left) = core
        .desk
        .write(move |store| {
            let epoch = store.outbox.epoch_begin(now)?;
            let left = store.outbox.recover(epoch, now)?;
            let told = left
                .into_iter()
                .map(|op| (op.id, deal_of(&store.outbox, &op), op.state));
            Ok((epoch, told.collect::<Vec<_>>()))
        })
        .await?;
    for (op, deal, state) in left {
        core.tell_operation(op, deal, state);
    }
    Ok(epoch)
}

async fn lead(core: &Core, stop: &CancellationToken) {
    let epoch = match begin_epoch(core).await {
        Ok(epoch) => epoch,
        Err(fault) => {
            core.line.refused(fault);
            stop.cancelled().await;
            return;
        }
    };
    let mut push = Push::new(core, epoch);
    let pushing = push.run(stop);
    let rest = join5(
        pull::run(core),
        pull::notes::serve_looks(core),
        probe(core),
        gauges(core),
        join5(
            pace(core),
            segments::keep(core),
            check(core),
            contact_queue::run(core),
            ages(core),
        ),
    );
    tokio::pin!(pushing);
    tokio::select! {
        biased;
        () = &mut pushing => return,
        _ = rest => {}
        () = stop.cancelled() => {}
    }
    // Reading stops at once; what is being sent may end.
    let _ = tokio::time::timeout(FAREWELL, pushing).await;
}

/// What is not older than two polls is live: a poll that nobody answers ends that, long before the line counts as broken.
async fn ages(core: &Core) {
    let mut watch = core.line.watch();
    loop {
        let freshness = watch.borrow_and_update().clone();
        let live = freshness.as_of.filter(|_| freshness.connection == Connection::Live);
        let old = async {
            match live {
                Some(as_of) => {
                    // A time in the future is of a clock that was set back since.
                    let since = as_of.min(core.now());
                    core.wait_until(later(since, pull::between_polls(core) * 2)).await;
                    as_of
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            as_of = old => core.line.aged(as_of),
            changed = watch.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

/// Once a day, while it leads, the whole mirror is checked beside everything else: the check at the start only looks at a
/// large file's beginning.
async fn check(core: &Core) {
    if core.settings.inline_store {
        return;
    }
    let kept = core.desk.read(|reader| Ok(reader.mirror.cursor(CHECKED)?)).await;
    let mut checked: Option<Timestamp> = kept.ok().flatten().and_then(|text| text.parse().ok());
    loop {
        // One in the future is of a clock that was wrong.
        if let Some(at) = checked.filter(|at| *at <= core.now()) {
            core.wait_until(later(at, CHECK)).await;
        }
        let (now, place) = (core.now(), store::Settings { dir: core.dir.clone() });
        match tokio::task::spawn_blocking(move || store::check_mirror(&place)).await {
            Ok(Ok(())) => {
                let _ = core
                    .desk
                    .write(move |store| Ok(store.mirror.set_cursor(CHECKED, &now.to_string())?))
                    .await;
            }
            Ok(Err(error @ store::Error::Damaged { .. })) => {
                tracing::warn!(%error, "the mirror is damaged");
                let said = "the copy of HubSpot here is damaged; start dealdeck again, and it is read anew".to_owned();
                core.tell(Event::Happened(ActivityItem {
                    at: now,
                    who: Who::Net,
                    deal: None,
                    name: String::new(),
                    kind: ActivityKind::Said(said),
                }));
                return;
            }
            Ok(Err(error)) => tracing::warn!(%error, "the mirror could not be checked"),
            Err(error) => tracing::warn!(%error, "the check of the mirror ended early"),
        }
        checked = Some(now);
    }
}

/// While the line is down: one read at a time, until one is answered. While HubSpot refuses us: only when somebody asks.
async fn probe(core: &Core) {
    loop {
        let next_try = core.line.shut().await;
        tokio::select! {
            biased;
            () = core.wait_until(next_try.unwrap_or(Timestamp::MAX)), if next_try.is_some() => {}
            () = core.poll_bell.notified() => {}
        }
        match core.client.account(Lane::Verify).await {
            Ok(account) => {
                // Whose account it is is made sure of again before anything is sent or kept.
                let is_known = next_try.is_some() && core.is_account_checked() && is_ours(core, &account).await;
                core.account_checked.send_replace(is_known);
                core.line.reopened();
                core.push_bell.notify_one();
                core.say("back online".to_owned()).await;
            }
            Err(failure) => core.failed(&failure),
        }
    }
}

/// Whether the line leads to the account the mirror is of.
async fn is_ours(core: &Core, account: &Account) -> bool {
    let mirrored = core.desk.read(|reader| Ok(reader.mirror.account()?)).await;
    mirrored.is_ok_and(|known| known.is_some_and(|known| known.portal_id == account.portal_id))
}

/// Tells the faces how the gauges move, while somebody watches.
async fn gauges(core: &Core) {
    let mut watched = core.watched.subscribe();
    let mut last = None;
    loop {
        // The sender lives in the core: this wait cannot fail.
        let _ = watched.wait_for(|watched| *watched).await;
        let limits = core.client.limits();
        if last.as_ref() != Some(&limits) {
            core.tell(Event::Limits(Box::new(limits.clone())));
            last = Some(limits);
        }
        tokio::time::sleep(GAUGES).await;
    }
}

/// Keeps the client's reserve for people as long as a dashboard is open.
async fn pace(core: &Core) {
    let mut watched = core.watched.subscribe();
    loop {
        core.client.set_interactive(*watched.borrow_and_update());
        if watched.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Tells the faces how the connection and the age of the data change.
async fn tell_freshness(core: &Core) {
    let mut watch = core.line.watch();
    let mut was_offline = false;
    while watch.changed().await.is_ok() {
        let freshness = watch.borrow_and_update().clone();
        let is_offline = matches!(freshness.connection, Connection::Offline { .. });
        core.tell(Event::Freshness(freshness));
        if is_offline && !was_offline {
            core.say("offline; changes are kept here and sent when HubSpot answers again".to_owned())
                .await;
        }
        was_offline = is_offline;
    }
}

/// Watches until the lock is free. Meanwhile nothing is sent and nothing polled, but what somebody looks at here is read:
/// the process that has the lock does not know of it.
async fn watch(core: &Core, stop: &CancellationToken) -> Option<Lock> {
    let free = async {
        loop {
            match Lock::try_take(&core.dir) {
                Ok(Some(lock)) => return lock,
                Ok(None) => beat(core).await,
                Err(error) => {
                    tracing::warn!(%error, "the lock cannot be tried");
                    tokio::time::sleep(BEAT).await;
                }
            }
        }
    };
    let looking = join3(make_sure(core), pull::notes::serve_looks(core), probe(core));
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        lock = free => Some(lock),
        _ = Box::pin(looking) => None,
    }
}

/// Makes sure whose token it is, and again after a refusal.
async fn make_sure(core: &Core) {
    let mut checked = core.account_checked.subscribe();
    loop {
        // The sender lives in the core: this wait cannot fail.
        let _ = checked.wait_for(|checked| !*checked).await;
        core.line.opened().await;
        let answers = core.client.answers();
        let outcome = pull::check(core).await;
        core.ended(Part::Looks, &outcome, answers).await;
        if outcome.is_ok() {
            core.account_checked.send_replace(true);
        } else {
            tokio::time::sleep(REST).await;
        }
    }
}

/// One beat of watching: what the leader did shows in the store.
async fn beat(core: &Core) {
    let before = fingerprint(core).await;
    tokio::time::sleep(BEAT).await;
    let after = fingerprint(core).await;
    let as_of = after.as_ref().and_then(|(as_of, _)| as_of.as_deref()?.parse().ok());
    core.line.seen(as_of, core.now(), core.settings.idle_poll * 2);
    if before != after {
        *core.counted() = None;
        core.tell(Event::BoardChanged);
    }
}

/// What tells one state of the store from another without reading it whole.
type Fingerprint = (Option<String>, Vec<(crate::domain::OpState, u64)>);

async fn fingerprint(core: &Core) -> Option<Fingerprint> {
    core.desk
        .read(|reader| {
            let counts = reader.outbox.counts()?;
            Ok((reader.mirror.cursor(AS_OF)?, counts.into_iter().collect()))
        })
        .await
        .ok()
}
