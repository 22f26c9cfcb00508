//! When what is read: the deals often, so that a first sync of a million contacts never holds them up; everything else
//! beside them, less often. Both give way to what people changed, and rest while the line is down.

use std::time::Duration;

use futures::future::{join_all, join3};
use jiff::Timestamp;

use super::{Look, MIRRORED, Trouble, allowed, audit, basics, complete, facts, gone, history, lists, refresh};
use crate::{
    domain::{Connection, Lane, ObjectCount, ObjectType},
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
    let now = core.now();
    let mut deals = Deals {
        basics: now,
        facts: now,
        deals: now,
        gone: now,
        usage: now,
        thorough: later(now, THOROUGH),
    };
    let mut others = Others {
        poll: now,
        gone: now,
        recount: now,
        thorough: later(now, THOROUGH),
    };
    let mut past = Past { due: now };
    let afterwards = async {
        core.account_is_checked().await;
        let mut freshness = core.line.watch();
        let _ = freshness.wait_for(|freshness| freshness.as_of.is_some()).await;
        Box::pin(drive(core, &mut others)).await;
    };
    let past = async {
        core.account_is_checked().await;
        let mut freshness = core.line.watch();
        let _ = freshness.wait_for(|freshness| freshness.as_of.is_some()).await;
        Box::pin(drive(core, &mut past)).await;
    };
    join3(Box::pin(drive(core, &mut deals)), afterwards, past).await;
}

/// Things that are read together.
trait Stream {
    /// Reads what is due.
    async fn round(&mut self, core: &Core) -> Result<(), Trouble>;
    /// When the next thing is due.
    fn next(&self) -> Timestamp;
    /// Somebody wants fresh data by then.
    fn hurry(&mut self, by: Timestamp);
    /// What stands still when it fails.
    fn part(&self) -> Part;
}

async fn drive(core: &Core, stream: &mut impl Stream) {
    let mut watched = core.watched.subscribe();
    loop {
        core.line.opened().await;
        give_way(core).await;
        let outcome = stream.round(core).await;
        core.ended(stream.part(), &outcome);
        let mut next = match outcome {
            Ok(()) => stream.next(),
            Err(trouble) => {
                tracing::info!(fault = %trouble.fault(), "reading from HubSpot stopped");
                stream.next().max(later(core.now(), REST))
            }
        };
        if let Connection::Slowed { until } = core.line.freshness().connection {
            next = next.max(until);
        }
        tokio::select! {
            () = core.wait_until(next) => {}
            () = core.poll_bell.notified() => stream.hurry(core.now()),
            _ = watched.changed() => stream.hurry(later(core.now(), pace(core))),
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
fn pace(core: &Core) -> Duration {
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
struct Deals {
    basics: Timestamp,
    facts: Timestamp,
    deals: Timestamp,
    gone: Timestamp,
    usage: Timestamp,
    thorough: Timestamp,
}

impl Stream for Deals {
    async fn round(&mut self, core: &Core) -> Result<(), Trouble> {
        let now = core.now();
        if self.basics <= now || !core.is_account_checked() || core.scopes.is_stale() {
            basics(core).await?;
            self.basics = later(now, BASICS);
            self.facts = now;
        }
        if self.facts <= now {
            facts(core, &MIRRORED, true).await?;
            self.facts = later(now, FACTS);
        }
        if self.usage <= now {
            // A gauge that cannot be read must not stop the deals.
            let _ = allowed(core, Need::Usage, core.client.daily_usage(Lane::Sync)).await;
            self.usage = later(now, USAGE);
        }
        let is_thorough = self.thorough <= now;
        if self.deals <= now || is_thorough {
            read(core, ObjectType::Deals, is_thorough).await?;
            complete(core, now).await?;
            self.deals = later(now, pace(core));
            if is_thorough {
                self.thorough = later(now, THOROUGH);
            }
        }
        if self.gone <= now {
            vanished(core, ObjectType::Deals).await?;
            self.gone = later(now, GONE);
        }
        Ok(())
    }

    fn next(&self) -> Timestamp {
        let others = self
            .basics
            .min(self.facts)
            .min(self.gone)
            .min(self.usage)
            .min(self.thorough);
        self.deals.min(others)
    }

    fn hurry(&mut self, by: Timestamp) {
        self.deals = self.deals.min(by);
    }

    fn part(&self) -> Part {
        Part::Deals
    }
}

/// One type as it is now. One the token may not read does not keep the others from being read.
async fn read(core: &Core, object: ObjectType, is_thorough: bool) -> Result<Option<ObjectCount>, Trouble> {
    let refresh = refresh(core, object, look(is_thorough));
    allowed(core, Need::Read(object), refresh).await
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

/// The types that are read beside the deals.
fn others() -> impl Iterator<Item = ObjectType> {
    MIRRORED.into_iter().filter(|object| *object != ObjectType::Deals)
}

/// What watched properties were before.
struct Past {
    due: Timestamp,
}

impl Stream for Past {
    async fn round(&mut self, core: &Core) -> Result<(), Trouble> {
        history::fill(core, ObjectType::Deals, u64::MAX).await?;
        let most = history::affordable(core, PAST);
        history::fill(core, ObjectType::Contacts, most).await?;
        self.due = later(core.now(), PAST);
        Ok(())
    }

    fn next(&self) -> Timestamp {
        self.due
    }

    /// Nobody waits for it.
    fn hurry(&mut self, _by: Timestamp) {}

    fn part(&self) -> Part {
        Part::Past
    }
}

/// Everything but the deals, and what is counted from it.
struct Others {
    poll: Timestamp,
    gone: Timestamp,
    recount: Timestamp,
    thorough: Timestamp,
}

impl Stream for Others {
    async fn round(&mut self, core: &Core) -> Result<(), Trouble> {
        let now = core.now();
        let is_thorough = self.thorough <= now;
        if self.poll <= now || is_thorough {
            let reads = others().map(|object| Box::pin(read(core, object, is_thorough)));
            for (object, count) in others().zip(join_all(reads).await) {
                if count?.is_some_and(|count| count.fetched > 0) && object == ObjectType::Contacts {
                    self.recount = now;
                }
            }
            core.line.synced();
            self.poll = later(now, core.settings.idle_poll);
            if is_thorough {
                self.thorough = later(now, THOROUGH);
            }
        }
        if self.recount <= now {
            segments::recount(core).await?;
            self.recount = later(now, RECOUNT);
        }
        if self.gone <= now {
            for object in others() {
                vanished(core, object).await?;
            }
            lists::refresh(core).await?;
            self.gone = later(now, GONE);
        }
        Ok(())
    }

    fn next(&self) -> Timestamp {
        self.poll.min(self.gone).min(self.recount).min(self.thorough)
    }

    fn hurry(&mut self, by: Timestamp) {
        self.poll = self.poll.min(by);
    }

    fn part(&self) -> Part {
        Part::Others
    }
}
