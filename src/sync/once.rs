//! One pass and out: what `dealdeck sync` does. Push first, then every type, all of them at once, then push again for what
//! became possible.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::future::{join, join_all};
use tokio_util::sync::CancellationToken;

use super::{
    connection::later,
    contact_queue, contacts,
    core::Core,
    course::Course,
    engine::begin_epoch,
    extent, partial,
    pull::{self, Look, MIRRORED, Trouble, Walk},
    push::Push,
    scopes::Need,
    segments,
};
use crate::{
    domain::{Fault, LastSync, ObjectCount, ObjectType, Progress, Segment, SyncReport},
    hubspot::{Action, Failure, OpClass, Signal},
    store::Lock,
};

/// What one pass does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncOptions {
    /// Read everything again, even what is known to be fresh; finds what vanished, too.
    pub full: bool,
    /// Only these types; empty = all.
    pub only: Vec<ObjectType>,
    /// Stop after so many records of each type.
    pub max: Option<u64>,
    /// Records per page, at most 100; `None` = 100.
    pub page: Option<u32>,
    /// Leave the outbox alone.
    pub no_push: bool,
    /// Only some of the contacts, and nothing else.
    pub part: Option<Part>,
}

/// Some of the contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Those of a segment, by its name.
    Segment(String),
    /// Those of a HubSpot list, by its id or name.
    List(String),
}

impl SyncOptions {
    /// Everything is asked for.
    pub(super) const fn is_whole(&self) -> bool {
        self.only.is_empty() && self.part.is_none()
    }

    fn wants(&self, object: ObjectType) -> bool {
        match self.part {
            Some(_) => object == ObjectType::Contacts,
            None => self.only.is_empty() || self.only.contains(&object),
        }
    }
}

/// How often a type is read on after HubSpot failed in the middle of it.
const PATIENCE: u32 = 3;
/// Before it is read on the first time; twice as long every time.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest rest of the client that is waited for. Who wants longer is moving the account: the next try then fails at
/// once, and the rest is left to a later pass.
const LONGEST_REST: Duration = Duration::from_mins(5);

/// Runs one pass. The lock is held until it ends.
pub async fn sync_once(
    core: &Core,
    options: &SyncOptions,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<SyncReport, Fault> {
    let report = Box::pin(pass(core, options, progress)).await;
    core.sum_up();
    if let Ok(report) = &report {
        let last = LastSync {
            at: core.now(),
            report: report.clone(),
        };
        let json = serde_json::to_string(&last).unwrap_or_default();
        core.desk
            .write(move |store| Ok(store.mirror.set_cursor(LAST_SYNC, &json)?))
            .await?;
    }
    report
}

/// The cursor that keeps what the last pass did.
const LAST_SYNC: &str = "last sync";

/// What the last pass did, whichever process ran it; `None` before the first one.
pub async fn last_sync(core: &Core) -> Result<Option<LastSync>, Fault> {
    let kept = core.desk.read(|reader| Ok(reader.mirror.cursor(LAST_SYNC)?)).await?;
    Ok(kept.and_then(|json| serde_json::from_str(&json).ok()))
}

async fn pass(core: &Core, options: &SyncOptions, progress: &(dyn Fn(Progress) + Sync)) -> Result<SyncReport, Fault> {
    if let Some(Part::Segment(name)) = &options.part {
        Segment::find(&core.settings.segments, name)?;
    }
    let Some(_lock) = Lock::try_take(&core.dir)? else {
        return Err(contacts::busy());
    };
    let course = Course::take_up(core, options).await?;
    let started = core.client.clock().now();
    let before = core.client.limits();
    let epoch = begin_epoch(core).await?;
    let mut report = SyncReport::default();
    let basics = match course.is_taken_up {
        // The same token, a moment ago: whose it is was made sure of.
        true => pull::believe(core).await.map_err(Trouble::from),
        false => pull::basics(core).await,
    };
    let stop = CancellationToken::new();
    let mut push = Push::new(core, epoch);
    let may_push = !options.no_push && !core.settings.read_only;
    if may_push {
        if basics.is_ok() {
            contact_queue::take_due(core).await?;
        }
        // Nothing is sent before it is sure whose account it is; afterwards it is, even when reading has to stop.
        Box::pin(push.drain(&stop)).await;
    }
    basics?;
    core.line.reopened();
    course.is_sure(core).await?;
    let wanted: Vec<ObjectType> = MIRRORED.into_iter().filter(|object| options.wants(*object)).collect();
    report.complete = true;
    pull::meet(core, &wanted).await;
    // The deals come first: a board beside this pass shows them as they come.
    let (deals, others): (Vec<ObjectType>, Vec<ObjectType>) =
        wanted.iter().partition(|object| **object == ObjectType::Deals);
    let all = |objects: &[ObjectType]| {
        let reads = objects
            .iter()
            .map(|object| read(core, *object, options, &course, progress));
        Box::pin(join_all(reads.collect::<Vec<_>>()))
    };
    let reads = async {
        let mut passes = all(&deals).await;
        passes.extend(all(&others).await);
        passes
    };
    let (facts, passes) = join(pull::facts(core, &wanted, options.full), Box::pin(reads)).await;
    report.errors.extend(facts.err().map(|trouble| trouble.fault()));
    let needs = [Need::Pipelines, Need::Owners];
    report
        .errors
        .extend(needs.into_iter().filter_map(|need| core.scopes.lacking(need)));
    for (object, (complete, count, error)) in deals.into_iter().chain(others).zip(passes) {
        report.complete &= complete;
        report.objects.insert(object, count);
        let is_left_out = complete && !Need::Read(object).is_essential();
        if is_left_out {
            report.left_out.extend(error);
        } else {
            report.errors.extend(error);
        }
    }
    let may_read = core.line.refusal().is_none();
    if may_read && wanted.contains(&ObjectType::Deals) && options.max.is_none() {
        match Box::pin(pull::history::fill(core, ObjectType::Deals, u64::MAX, progress)).await {
            Ok(read) => report.histories = read,
            Err(trouble) => {
                report.complete = false;
                report.errors.push(trouble.fault());
            }
        }
    }
    if may_read && options.is_whole() {
        match Box::pin(pull::lists::refresh(core, progress)).await {
            Ok((count, unread)) => {
                report.lists = count;
                report.complete &= unread.is_none();
                report.errors.extend(unread);
            }
            Err(trouble) => {
                report.complete = false;
                report.errors.push(trouble.fault());
            }
        }
        report.left_out.extend(core.scopes.lacking(Need::Lists));
    }
    if may_push {
        Box::pin(push.drain(&stop)).await;
        report.pushed = push.count().await?;
    }
    if report.complete && wanted.len() == MIRRORED.len() {
        pull::complete(core, course.began).await?;
    }
    course.end(core).await?;
    segments::recount(core).await?;
    report.by_segment = by_segment(core).await?;
    let settings = core.settings.clone();
    let mistakes = core
        .desk
        .read(move |reader| extent::mistakes(&reader.mirror, &settings))
        .await?;
    report.left_out.extend(mistakes);
    let mut told = BTreeSet::new();
    report.errors.retain(|fault| told.insert(fault.what.clone()));
    let after = core.client.limits();
    report.requests = after.total_requests - before.total_requests;
    report.rate_limited = after.rate_limited - before.rate_limited;
    report.retries = after.retries - before.retries;
    report.waited = after.total_wait.saturating_sub(before.total_wait);
    report.duration = core.client.clock().now() - started;
    Ok(report)
}

/// Reads one type. Where HubSpot fails on the way, that is logged and the type read on from there, a few times.
async fn read(
    core: &Core,
    object: ObjectType,
    options: &SyncOptions,
    course: &Course,
    progress: &(dyn Fn(Progress) + Sync),
) -> (bool, ObjectCount, Option<Fault>) {
    let need = Need::Read(object);
    if course.has_done(object) {
        return (true, ObjectCount::default(), None);
    }
    if let Some(refusal) = core.line.refusal() {
        return (false, ObjectCount::default(), Some(refusal));
    }
    // What was read before a failure was read.
    let mut count = ObjectCount::default();
    let mut failures = 0;
    loop {
        let pass = read_on(core, object, options, progress, &mut count);
        match pull::allowed(core, need, pass).await {
            Ok(Some(complete)) => {
                // HubSpot answers: what the first drain found out about the line is over, and the second may send.
                core.line.reopened();
                if complete && let Err(fault) = course.done(core, object).await {
                    return (complete, count, Some(fault));
                }
                return (complete, count, None);
            }
            // What the token may not read was only asked for when it was asked for by name.
            Ok(None) => {
                return (options.is_whole(), count, core.scopes.lacking(need));
            }
            Err(Trouble::Failure(failure)) if failures < PATIENCE && passes(&failure) => {
                tracing::warn!(%object, fault = %failure.fault(), "HubSpot failed; reading goes on in a moment");
                tokio::time::sleep(FIRST_WAIT * (1 << failures)).await;
                let longest = later(core.now(), LONGEST_REST);
                let rest = core.client.rests_until().unwrap_or_else(|| core.now());
                core.wait_until(rest.min(longest)).await;
                failures += 1;
            }
            Err(trouble) => {
                let fault = trouble.fault();
                if matches!(&trouble, Trouble::Failure(failure) if failure.signal == Signal::Unauthorized) {
                    // Nothing else will be answered: only another token helps.
                    core.line.refused(fault.clone());
                }
                return (false, count, Some(fault));
            }
        }
    }
}

/// Whether it makes sense to go on in a moment: HubSpot is there, but failed. Without a network there is no sense in it.
fn passes(failure: &Failure) -> bool {
    let action = failure.verdict(OpClass::Read).action;
    matches!(action, Action::Requeue { .. }) || matches!(failure.signal, Signal::Resting | Signal::NotHubSpot)
}

async fn read_on(
    core: &Core,
    object: ObjectType,
    options: &SyncOptions,
    progress: &(dyn Fn(Progress) + Sync),
    count: &mut ObjectCount,
) -> Result<bool, Trouble> {
    if let Some(part) = &options.part {
        return Box::pin(partial::read(core, part, options, progress, count)).await;
    }
    read_type(core, object, options, progress, count).await
}

/// A whole type: what changed, or all of it. Answers whether it is complete, and adds to `count` what was read.
pub async fn read_type(
    core: &Core,
    object: ObjectType,
    options: &SyncOptions,
    progress: &(dyn Fn(Progress) + Sync),
    count: &mut ObjectCount,
) -> Result<bool, Trouble> {
    let began = core.now();
    let known = pull::known(core, object).await?;
    if known.is_some() && !options.full && options.max.is_none() {
        refresh(core, object, progress, count).await?;
        return Ok(true);
    }
    // An interrupted walk goes on; a finished one begins anew.
    let walk = Walk {
        fresh: false,
        max: options.max,
        page: options.page,
    };
    let complete = pull::walk(core, object, walk, progress, count).await?;
    if complete {
        pull::looked(core, object, began).await?;
    }
    Ok(complete)
}

/// What changed, and what is gone since: no search names it.
async fn refresh(
    core: &Core,
    object: ObjectType,
    progress: &(dyn Fn(Progress) + Sync),
    count: &mut ObjectCount,
) -> Result<(), Trouble> {
    pull::refresh(core, object, Look::Thorough, progress, count).await?;
    count.deleted += pull::archived(core, object).await?;
    let found = pull::audit(core, object).await?;
    count.fetched += found.fetched;
    count.deleted += found.deleted;
    Ok(())
}

async fn by_segment(core: &Core) -> Result<BTreeMap<String, Option<u64>>, Fault> {
    Ok(segments::counted(core)
        .await?
        .into_iter()
        .map(|count| (count.segment.name, count.as_of.map(|_| count.count)))
        .collect())
}
