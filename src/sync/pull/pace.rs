//! When what is read: the deals often, so that a first sync of a million contacts never holds them up; everything else
//! beside them, less often. Both give way to what people changed, and rest while the line is down.

use std::time::Duration;

use futures::future::join;
use jiff::Timestamp;

use super::{MIRRORED, OVERLAP, Trouble, allowed, basics, complete, gone, refresh};
use crate::{
    domain::{Connection, Lane, ObjectCount, ObjectType},
    sync::{
        connection::{Part, later},
        core::Core,
        scopes::Need,
        segments,
    },
};

/// How far back the slow second look goes: rarely the index lags by much more.
const LONG_OVERLAP: Duration = Duration::from_mins(70);
/// Between two slow second looks.
const SECOND_LOOK: Duration = Duration::from_mins(10);
/// Between two readings of account, pipelines, owners and definitions.
const BASICS: Duration = Duration::from_hours(1);
/// Between two readings of the archived records.
const ARCHIVED: Duration = Duration::from_mins(10);
/// Between two readings of the day's gauge.
const USAGE: Duration = Duration::from_mins(5);
/// Segments speak of ages: they change even when no contact does.
const RECOUNT: Duration = Duration::from_mins(10);
/// How long a poll gives way to what people changed while the line was down.
const PUSH_FIRST: Duration = Duration::from_secs(10);
/// How long reading rests after a refusal that only time, or somebody else, can heal.
const REST: Duration = Duration::from_secs(30);

/// Polls until dropped.
pub async fn run(core: &Core) {
    let now = core.now();
    let mut deals = Deals {
        basics: now,
        deals: now,
        archived: now,
        usage: now,
        second_look: later(now, SECOND_LOOK),
    };
    let mut others = Others {
        poll: now,
        archived: now,
        recount: now,
        second_look: later(now, SECOND_LOOK),
    };
    let afterwards = async {
        core.account_is_checked().await;
        let mut freshness = core.line.watch();
        let _ = freshness.wait_for(|freshness| freshness.as_of.is_some()).await;
        Box::pin(drive(core, &mut others)).await;
    };
    join(Box::pin(drive(core, &mut deals)), afterwards).await;
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

/// Between two polls of the deals.
fn pace(core: &Core) -> Duration {
    if core.is_watched() {
        core.settings.poll
    } else {
        core.settings.idle_poll
    }
}

const fn overlap(is_second_look: bool) -> Duration {
    if is_second_look { LONG_OVERLAP } else { OVERLAP }
}

/// Account, pipelines, owners, definitions, the day's gauge and the deals.
struct Deals {
    basics: Timestamp,
    deals: Timestamp,
    archived: Timestamp,
    usage: Timestamp,
    second_look: Timestamp,
}

impl Stream for Deals {
    async fn round(&mut self, core: &Core) -> Result<(), Trouble> {
        let now = core.now();
        if self.basics <= now || !core.is_account_checked() || core.scopes.is_stale() {
            basics(core).await?;
            self.basics = later(now, BASICS);
        }
        if self.usage <= now {
            // A gauge that cannot be read must not stop the deals.
            let _ = allowed(core, Need::Usage, core.client.daily_usage(Lane::Sync)).await;
            self.usage = later(now, USAGE);
        }
        let is_second_look = self.second_look <= now;
        if self.deals <= now || is_second_look {
            read(core, ObjectType::Deals, is_second_look).await?;
            complete(core, now).await?;
            self.deals = later(now, pace(core));
            if is_second_look {
                self.second_look = later(now, SECOND_LOOK);
            }
        }
        if self.archived <= now {
            archived(core, ObjectType::Deals).await?;
            self.archived = later(now, ARCHIVED);
        }
        Ok(())
    }

    fn next(&self) -> Timestamp {
        let others = self.basics.min(self.archived).min(self.usage).min(self.second_look);
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
async fn read(core: &Core, object: ObjectType, is_second_look: bool) -> Result<Option<ObjectCount>, Trouble> {
    let refresh = refresh(core, object, overlap(is_second_look));
    allowed(core, Need::Read(object), refresh).await
}

/// What was archived of a type the token may read.
async fn archived(core: &Core, object: ObjectType) -> Result<(), Trouble> {
    allowed(core, Need::Read(object), gone::archived(core, object)).await?;
    Ok(())
}

/// Contacts, companies and what is counted from them.
struct Others {
    poll: Timestamp,
    archived: Timestamp,
    recount: Timestamp,
    second_look: Timestamp,
}

impl Stream for Others {
    async fn round(&mut self, core: &Core) -> Result<(), Trouble> {
        let now = core.now();
        let is_second_look = self.second_look <= now;
        if self.poll <= now || is_second_look {
            let contacts = read(core, ObjectType::Contacts, is_second_look);
            let companies = read(core, ObjectType::Companies, is_second_look);
            let (contacts, companies) = Box::pin(join(contacts, companies)).await;
            companies?;
            if contacts?.is_some_and(|count| count.fetched > 0) {
                self.recount = now;
            }
            core.line.synced();
            self.poll = later(now, core.settings.idle_poll);
            if is_second_look {
                self.second_look = later(now, SECOND_LOOK);
            }
        }
        if self.recount <= now {
            segments::recount(core).await?;
            self.recount = later(now, RECOUNT);
        }
        if self.archived <= now {
            for object in MIRRORED.into_iter().filter(|object| *object != ObjectType::Deals) {
                archived(core, object).await?;
            }
            self.archived = later(now, ARCHIVED);
        }
        Ok(())
    }

    fn next(&self) -> Timestamp {
        self.poll.min(self.archived).min(self.recount).min(self.second_look)
    }

    fn hurry(&mut self, by: Timestamp) {
        self.poll = self.poll.min(by);
    }

    fn part(&self) -> Part {
        Part::Others
    }
}
