//! When what is read: the deals often, so that a first sync of a million contacts never holds them up; everything else
//! beside them, less often. Both give way to what people changed, and rest while the line is down. What fails by itself
//! waits by itself.

use std::time::Duration;

use futures::future::{join_all, join3};
use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    Look, MIRRORED, Trouble, allowed, audit, basics, complete, facts, gone, history, known, lists, refresh,
    round::{Due, Round, Stop},
};
use crate::{
    domain::{Connection, Lane, ObjectCount, ObjectType},
    hubspot::Signal,
    sync::{
        connection::{Part, later},
        core::Core,
        scopes::Need,
        segments,
    },
};

/// Between two thorough looks.
const THOROUGH: Duration = Duration::from_mins(10);
/// Between two readings of the account and of what the token may do.
const BASICS: Duration = Duration::from_hours(1);
/// Between two readings of pipelines, owners and definitions.
const FACTS: Duration = Duration::from_mins(10);
/// Between two looks for what is gone: deletions are seen within ten minutes.
const GONE: Duration = Duration::from_mins(5);
/// The part of the day's budget that polls of the deals may use, in percent, and the requests of one such poll: one search
/// and the associations of what it found.
const POLL_PERCENT: u64 = 10;
const POLL_REQUESTS: u64 = 3;
/// Between two readings of what properties were before.
const PAST: Duration = Duration::from_mins(1);
/// Between two readings of the day's gauge.
const USAGE: Duration = Duration::from_mins(5);
/// Segments speak of ages: they change even when no contact does.
const RECOUNT: Duration = Duration::from_mins(10);
const DAY: Duration = Duration::from_hours(24);
/// The deals are polled at least this often, whatever is left of the day.
const SLOWEST: Duration = Duration::from_mins(10);
/// How long a poll gives way to what people changed while the line was down.
const PUSH_FIRST: Duration = Duration::from_secs(10);
/// How long reading rests after a refusal that only time, or somebody else, can heal.
const REST: Duration = Duration::from_secs(30);

/// Polls until dropped.
pub async fn run(core: &Core) {
    await_unread(core).await;
    let now = core.now();
    let tried = watch::Sender::new(false);
    let mut deals = Deals::new(now, &tried);
    let mut others = Others::new(now);
    let mut past = Past {
        deals: Due::at(now),
        contacts: Due::at(now),
    };
    let afterwards = async {
        deals_were_tried(core, &tried).await;
        Box::pin(drive(core, &mut others)).await;
    };
    let past = async {
        deals_were_tried(core, &tried).await;
        Box::pin(drive(core, &mut past)).await;
    };
    join3(Box::pin(drive(core, &mut deals)), afterwards, past).await;
}

/// What a dashboard shows is not live before all of it was read once.
async fn await_unread(core: &Core) {
    for object in MIRRORED.into_iter().filter(|object| Need::Read(*object).is_essential()) {
        if let Ok(None) = known(core, object).await {
            core.line.awaits(object);
        }
    }
}

/// Nothing is read beside the deals before they were read whole once, or proved not to be readable now.
async fn deals_were_tried(core: &Core, tried: &watch::Sender<bool>) {
    core.account_is_checked().await;
    let (mut freshness, mut tried) = (core.line.watch(), tried.subscribe());
    // Both senders live longer: neither wait can fail.
    tokio::select! {
        biased;
        _ = freshness.wait_for(|freshness| freshness.as_of.is_some()) => {}
        _ = tried.wait_for(|tried| *tried) => {}
    }
}

/// Things that are read together.
trait Stream {
    /// Reads what is due.
    async fn round(&mut self, round: &Round<'_>) -> Result<(), Stop>;
    /// When the next thing is due.
    fn next(&self) -> Timestamp;
    /// Somebody wants fresh data by then, and what failed to be tried again.
    fn hurry(&mut self, by: Timestamp);
}

async fn drive(core: &Core, stream: &mut impl Stream) {
    let mut watched = core.watched.subscribe();
    loop {
        core.line.opened().await;
        give_way(core).await;
        let mut next = match stream.round(&Round::begin(core)).await {
            Ok(()) => stream.next(),
            Err(Stop) => stream.next().max(later(core.now(), REST)),
        };
        if let Connection::Slowed { until } = core.line.freshness().connection {
            next = next.max(until);
        }
        tokio::select! {
            biased;
            () = core.wait_until(next) => {}
            () = core.poll_bell.notified() => stream.hurry(core.now()),
            _ = watched.changed() => stream.hurry(later(core.now(), between_polls(core))),
            _ = core.line.shut() => {
                core.line.opened().await;
                stream.hurry(core.now());
            }
        }
    }
}

/// Lets what people changed go first, for a while.
async fn give_way(core: &Core) {
    let mut idle = core.push_idle.subscribe();
    let _ = tokio::time::timeout(PUSH_FIRST, idle.wait_for(|idle| *idle)).await;
}

/// Between two polls of the deals: less often while nobody looks, and when little is left of the day.
pub fn between_polls(core: &Core) -> Duration {
    let wanted = if core.is_watched() {
        core.settings.poll
    } else {
        core.settings.idle_poll
    };
    let Some(day) = core.client.limits().daily else {
        return wanted;
    };
    let until_reset = day
        .resets_at
        .map_or(DAY, |reset| reset.duration_since(core.now()).unsigned_abs().min(DAY));
    let may_use = (day.left * POLL_PERCENT / 100).max(1);
    let affordable = until_reset.as_millis() * u128::from(POLL_REQUESTS) / u128::from(may_use);
    wanted
        .max(Duration::from_millis(u64::try_from(affordable).unwrap_or(u64::MAX)))
        .min(SLOWEST)
}

const fn look(is_thorough: bool) -> Look {
    if is_thorough { Look::Thorough } else { Look::Quick }
}

/// Account, pipelines, owners, definitions, the day's gauge and the deals.
struct Deals<'a> {
    basics: Due,
    facts: Due,
    deals: Due,
    gone: Due,
    usage: Timestamp,
    thorough: Timestamp,
    /// Becomes true once the deals were read, or could not be.
    tried: &'a watch::Sender<bool>,
}

impl<'a> Deals<'a> {
    fn new(now: Timestamp, tried: &'a watch::Sender<bool>) -> Self {
        Self {
            basics: Due::at(now),
            facts: Due::at(now),
            deals: Due::at(now),
            gone: Due::at(now),
            usage: now,
            thorough: later(now, THOROUGH),
            tried,
        }
    }

    /// Whose account it is. Nothing is read of one that nobody is sure of.
    async fn make_sure(&mut self, round: &Round<'_>) -> Result<(), Stop> {
        let (core, now) = (round.core, round.now);
        let is_stale = core.scopes.is_stale() && !self.basics.has_failed();
        if !self.basics.is_due(now) && core.is_account_checked() && !is_stale {
            return Ok(());
        }
        let outcome = basics(core).await;
        let next = later(now, BASICS);
        if let Some(()) = round.settle(Part::Account, &mut self.basics, next, outcome).await? {
            self.facts.hurry(now);
        }
        if core.is_account_checked() { Ok(()) } else { Err(Stop) }
    }
}

impl Stream for Deals<'_> {
    async fn round(&mut self, round: &Round<'_>) -> Result<(), Stop> {
        let (core, now) = (round.core, round.now);
        self.make_sure(round).await?;
        if self.facts.is_due(now) {
            let outcome = facts(core, &MIRRORED, true).await;
            let next = later(now, FACTS);
            round.settle(Part::Facts, &mut self.facts, next, outcome).await?;
        }
        if self.usage <= now {
            // A gauge that cannot be read must not stop the deals, unless nothing can be read.
            let usage = allowed(core, Need::Usage, core.client.daily_usage(Lane::Sync)).await;
            self.usage = later(now, USAGE);
            if let Err(Trouble::Failure(failure)) = usage
                && failure.signal == Signal::Unauthorized
            {
                core.failed(&failure);
                return Err(Stop);
            }
        }
        let is_thorough = self.thorough <= now;
        if self.deals.is_due(now) || (is_thorough && !self.deals.has_failed()) {
            let outcome = async {
                read(core, ObjectType::Deals, is_thorough).await?;
                Ok(complete(core, now).await?)
            };
            let (outcome, next) = (outcome.await, later(now, between_polls(core)));
            let part = Part::Read(ObjectType::Deals);
            let went_through = round.settle(part, &mut self.deals, next, outcome).await;
            self.tried.send_replace(true);
            if went_through?.is_some() && is_thorough {
                self.thorough = later(now, THOROUGH);
            }
        }
        if self.gone.is_due(now) {
            let outcome = vanished(core, ObjectType::Deals).await;
            let next = later(now, GONE);
            round
                .settle(Part::Gone(ObjectType::Deals), &mut self.gone, next, outcome)
                .await?;
        }
        Ok(())
    }

    fn next(&self) -> Timestamp {
        let others = [self.basics, self.facts, self.gone].map(|due| due.when());
        let others = others.into_iter().min().unwrap_or(self.usage).min(self.usage);
        next_read(&self.deals, self.thorough).min(others)
    }

    fn hurry(&mut self, by: Timestamp) {
        self.deals.hurry(by);
        for due in [&mut self.basics, &mut self.facts, &mut self.gone] {
            due.retry(by);
        }
    }
}

/// When a type is read next, quickly or thoroughly; one that failed waits for its time.
fn next_read(poll: &Due, thorough: Timestamp) -> Timestamp {
    if poll.has_failed() {
        poll.when()
    } else {
        poll.when().min(thorough)
    }
}

/// One type as it is now. One the token may not read does not keep the others from being read.
async fn read(core: &Core, object: ObjectType, is_thorough: bool) -> Result<Option<ObjectCount>, Trouble> {
    let refresh = async {
        let mut count = ObjectCount::default();
        refresh(core, object, look(is_thorough), &|_| {}, &mut count).await?;
        Ok::<_, Trouble>(count)
    };
    let outcome = allowed(core, Need::Read(object), refresh).await;
    if let Ok(None) = outcome {
        core.line.came(object);
    }
    outcome
}

/// What is gone of a type the token may read: archived, or otherwise not to be counted any more.
async fn vanished(core: &Core, object: ObjectType) -> Result<(), Trouble> {
    let look = async {
        gone::archived(core, object).await?;
        audit(core, object).await
    };
    allowed(core, Need::Read(object), look).await?;
    Ok(())
}

/// What watched properties were before.
struct Past {
    deals: Due,
    contacts: Due,
}

impl Stream for Past {
    async fn round(&mut self, round: &Round<'_>) -> Result<(), Stop> {
        let core = round.core;
        if self.deals.is_due(core.now()) {
            let outcome = history::fill(core, ObjectType::Deals, u64::MAX, &|_| {}).await;
            let (part, next) = (Part::Past(ObjectType::Deals), later(core.now(), PAST));
            round.settle(part, &mut self.deals, next, outcome).await?;
        }
        if self.contacts.is_due(core.now()) {
            let most = history::affordable(core, PAST);
            let outcome = history::fill(core, ObjectType::Contacts, most, &|_| {}).await;
            let (part, next) = (Part::Past(ObjectType::Contacts), later(core.now(), PAST));
            round.settle(part, &mut self.contacts, next, outcome).await?;
        }
        Ok(())
    }

    fn next(&self) -> Timestamp {
        self.deals.when().min(self.contacts.when())
    }

    /// Nobody waits for it.
    fn hurry(&mut self, _by: Timestamp) {}
}

/// A type that is read beside the deals.
struct Other {
    object: ObjectType,
    poll: Due,
    gone: Due,
    thorough: Timestamp,
}

impl Other {
    fn is_thorough(&self, now: Timestamp) -> bool {
        self.thorough <= now
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.poll.is_due(now) || (self.is_thorough(now) && !self.poll.has_failed())
    }
}

/// Everything but the deals, and what is counted from it.
struct Others {
    types: Vec<Other>,
    lists: Due,
    recount: Due,
}

impl Others {
    fn new(now: Timestamp) -> Self {
        let types = MIRRORED.into_iter().filter(|object| *object != ObjectType::Deals);
        Self {
            types: types
                .map(|object| Other {
                    object,
                    poll: Due::at(now),
                    gone: Due::at(now),
                    thorough: later(now, THOROUGH),
                })
                .collect(),
            lists: Due::at(now),
            recount: Due::at(now),
        }
    }

    /// What changed, all types at the same time.
    async fn read(&mut self, round: &Round<'_>) -> Result<(), Stop> {
        let (core, now) = (round.core, round.now);
        let due = |other: &&mut Other| other.is_due(now);
        let due: Vec<&mut Other> = self.types.iter_mut().filter(due).collect();
        if due.is_empty() {
            return Ok(());
        }
        let reads = due
            .iter()
            .map(|other| Box::pin(read(core, other.object, other.is_thorough(now))));
        let outcomes = join_all(reads.collect::<Vec<_>>()).await;
        for (other, outcome) in due.into_iter().zip(outcomes) {
            let next = later(now, core.settings.idle_poll);
            let part = Part::Read(other.object);
            let Some(count) = round.settle(part, &mut other.poll, next, outcome).await? else {
                continue;
            };
            if other.is_thorough(now) {
                other.thorough = later(now, THOROUGH);
            }
            if count.is_some_and(|count| count.fetched > 0) && other.object == ObjectType::Contacts {
                self.recount.hurry(now);
            }
        }
        Ok(())
    }
}

impl Stream for Others {
    async fn round(&mut self, round: &Round<'_>) -> Result<(), Stop> {
        let (core, now) = (round.core, round.now);
        self.read(round).await?;
        if self.recount.is_due(now) {
            let outcome = segments::recount(core).await.map_err(Trouble::from);
            let next = later(now, RECOUNT);
            round.settle(Part::Segments, &mut self.recount, next, outcome).await?;
        }
        for other in self.types.iter_mut().filter(|other| other.gone.is_due(now)) {
            let outcome = vanished(core, other.object).await;
            let next = later(now, GONE);
            round
                .settle(Part::Gone(other.object), &mut other.gone, next, outcome)
                .await?;
        }
        if self.lists.is_due(now) {
            let outcome = lists::look(core).await;
            let next = later(now, GONE);
            if let Some((_, unread)) = round.settle(Part::Lists, &mut self.lists, next, outcome).await? {
                core.line.troubled(Part::Members, unread);
            }
        }
        Ok(())
    }

    fn next(&self) -> Timestamp {
        let types = self.types.iter();
        let types = types.map(|other| next_read(&other.poll, other.thorough).min(other.gone.when()));
        let rest = self.lists.when().min(self.recount.when());
        types.fold(rest, Timestamp::min)
    }

    fn hurry(&mut self, by: Timestamp) {
        for other in &mut self.types {
            other.poll.hurry(by);
            other.gone.retry(by);
        }
        self.lists.retry(by);
        self.recount.retry(by);
    }
}
