//! The contact queue: what people selected is pushed a few at a time, at its pace; what could not be pushed because nobody
//! knew the account yet, as soon as it is known. Only the process that leads runs it, and the operations it makes are its
//! claims: a contact is never taken twice. Sending them is the push worker's business.

use std::time::Duration;

use futures::future::join;
use jiff::{SignedDuration, Timestamp};

use super::{connection::later, core::Core};
use crate::{
    domain::{Connection, Fault, ObjectType, OpState, PushDecision},
    store::{MirrorView, Pushing},
};

use super::PushSettings;

/// The name under which the outbox keeps when the scheduler last took contacts.
const RAN: &str = "contact queue ran";
/// How often contacts are looked for that other processes kept before the account was known.
const LOOK: Duration = Duration::from_secs(5);
/// How many contacts one transaction queues.
const PART: usize = 500;

/// Runs the queue as long as this process leads.
pub async fn run(core: &Core) {
    if core.settings.read_only {
        return std::future::pending().await;
    }
    join(keep_running(core), alert(core)).await;
}

async fn keep_running(core: &Core) {
    let settings = &core.settings.push;
    let mut last = last_run(core).await;
    loop {
        core.account_is_checked().await;
        core.line.opened().await;
        if let Err(fault) = push_waiting(core).await {
            tracing::warn!(%fault, "contacts that wait could not be queued");
        }
        let now = core.now();
        let due = next_run(last, settings, now);
        if settings.enabled && due <= now {
            match push_selected(core).await {
                Ok(_) => last = Some(now),
                Err(fault) => tracing::warn!(%fault, "the contact queue could not run"),
            }
        }
        let now = core.now();
        let mut next = later(now, LOOK);
        // A run that failed is tried again at the next look.
        let due = next_run(last, settings, now);
        if settings.enabled && due > now {
            next = next.min(due);
        }
        tokio::select! {
            () = core.wait_until(next) => {}
            () = core.queue_bell.notified() => {}
        }
    }
}

/// What a pass without a screen takes: one run, when one is due however late, and everything that waits.
pub async fn take_due(core: &Core) -> Result<(), Fault> {
    push_waiting(core).await?;
    let (settings, now) = (&core.settings.push, core.now());
    let is_due = last_run(core)
        .await
        .is_none_or(|last| last > now || later(last, settings.interval) <= now);
    if settings.enabled && is_due {
        push_selected(core).await?;
    }
    Ok(())
}

/// When the next run is due. A late one is made up for within the grace; one that is later was missed, and the next one
/// comes at its own time. A last run in the future is of a clock that was wrong.
fn next_run(last: Option<Timestamp>, settings: &PushSettings, now: Timestamp) -> Timestamp {
    let Some(last) = last.filter(|last| *last <= now) else {
        return now;
    };
    let due = later(last, settings.interval);
    if now <= later(due, settings.misfire_grace) {
        return due;
    }
    let interval = SignedDuration::try_from(settings.interval).unwrap_or(SignedDuration::MAX);
    let past = now.duration_since(last).as_secs().rem_euclid(interval.as_secs().max(1));
    let left = u64::try_from(interval.as_secs().saturating_sub(past)).unwrap_or_default();
    later(now, Duration::from_secs(left))
}

async fn last_run(core: &Core) -> Option<Timestamp> {
    let noted = core.desk.read(|reader| Ok(reader.outbox.value(RAN)?)).await;
    noted.ok().flatten()?.parse().ok()
}

/// One run of the scheduler. Answers how many contacts it took.
async fn push_selected(core: &Core) -> Result<usize, Fault> {
    let (settings, now) = (core.settings.push.clone(), core.now());
    let taken = core
        .desk
        .write(move |store| {
            let how = pushing(&store.mirror, &settings, now)?;
            Ok(store.outbox.push_selected(settings.batch, RAN, &how, now)?)
        })
        .await?;
    if taken > 0 {
        tracing::info!(taken, "the contact queue took selected contacts");
        core.push_bell.notify_one();
    }
    Ok(taken)
}

/// Queues everything that waited for the account to be known.
async fn push_waiting(core: &Core) -> Result<(), Fault> {
    if !core
        .desk
        .read(|reader| Ok(reader.outbox.has_waiting_contacts()?))
        .await?
    {
        return Ok(());
    }
    loop {
        let (settings, now) = (core.settings.push.clone(), core.now());
        let queued = core
            .desk
            .write(move |store| {
                let how = pushing(&store.mirror, &settings, now)?;
                match how.account {
                    Some(_) => Ok(store.outbox.push_waiting(PART, &how, now)?),
                    None => Ok(0),
                }
            })
            .await?;
        core.push_bell.notify_one();
        if queued < PART {
            return Ok(());
        }
    }
}

/// How contacts are pushed now: to which account, and with which day. A property that HubSpot does not have would spoil
/// every push.
pub fn pushing(mirror: &MirrorView, settings: &PushSettings, now: Timestamp) -> Result<Pushing, Fault> {
    let day = now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let stamp = match &settings.sync_date {
        Some(name) => {
            let definitions = mirror.definitions(ObjectType::Contacts)?;
            let is_there = definitions.is_empty() || definitions.iter().any(|known| known.name == *name);
            if !is_there {
                tracing::warn!(property = %name, "HubSpot has no such property of contacts: the day of the push is left out");
            }
            is_there.then(|| (name.clone(), day))
        }
        None => None,
    };
    Ok(Pushing {
        account: mirror.account()?.map(|account| account.portal_id),
        stamp,
        ..Pushing::default()
    })
}

/// Says once that HubSpot refuses the token while contacts wait.
async fn alert(core: &Core) {
    let mut line = core.line.watch();
    let mut was_refused = false;
    loop {
        let is_refused = matches!(line.borrow_and_update().connection, Connection::ReadOnly(_));
        if is_refused && !was_refused {
            let waiting = waiting(core).await.unwrap_or_default();
            if waiting > 0 {
                let said = format!(
                    "HubSpot refuses the token; the contact queue waits with {waiting} until there is another one"
                );
                tracing::warn!(waiting, "the contact queue is paused: HubSpot refuses the token");
                core.say(said).await;
            }
        }
        was_refused = is_refused;
        if line.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// How many contacts are on their way or wait for the scheduler.
async fn waiting(core: &Core) -> Result<u64, Fault> {
    core.desk
        .read(|reader| {
            let waits = |decision, state: Option<OpState>| match state {
                None => decision != PushDecision::Skipped,
                Some(state) => matches!(state, OpState::Queued | OpState::InFlight | OpState::Uncertain),
            };
            let contacts = reader.outbox.contacts()?;
            let waiting = contacts
                .iter()
                .filter(|row| waits(row.decision, row.operation.as_ref().map(|operation| operation.state)));
            Ok(u64::try_from(waiting.count()).unwrap_or(u64::MAX))
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_run_is_made_up_for_within_the_grace() {
        let at = |minute: i64| Timestamp::from_second(60 * minute).unwrap();
        let next = |last: Option<i64>, now: i64| {
            let next = next_run(last.map(at), &PushSettings::default(), at(now));
            next.as_second() / 60
        };
        assert_eq!(next(None, 7), 7, "the first one at once");
        assert_eq!(next(Some(100), 102), 105);
        assert_eq!(next(Some(100), 105), 105);
        assert_eq!(next(Some(100), 134), 105, "late, and forgiven");
        assert_eq!(next(Some(100), 136), 140, "missed: the next one comes at its time");
        assert_eq!(next(Some(100), 50), 50, "a clock that was wrong");
    }
}
