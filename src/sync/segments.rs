//! Segments: how many contacts each has, now and at the end of the last days. Faces read what was counted last, from
//! memory or from the mirror; counting is done beside them, on a connection of its own, whenever contacts or lists changed
//! and as time passes, since filters speak of ages.

use std::{collections::BTreeMap, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use super::{Settings, connection::later, core::Core, extent::obstacle, words::Words};
use crate::{
    domain::{Event, Fault, FaultKind, ObjectType, Segment, SegmentCount},
    filter::Plan,
    store::{KeptCount, MirrorView},
};

/// How many days of history a segment shows.
const DAYS: usize = 7;
/// How often it is looked whether there is something to count: changes are counted together.
const LOOK: Duration = Duration::from_secs(15);
/// The same while one is not known yet and what it waits for is being read.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How old counts may become although nothing changed.
const OLD: Duration = Duration::from_mins(10);

/// Counts whenever it is due, until dropped.
pub async fn keep(core: &Core) {
    loop {
        let outcome = match is_due(core).await {
            Ok(true) => recount(core).await,
            Ok(false) => Ok(()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = outcome {
            tracing::warn!(%fault, "the segments cannot be counted");
        }
        let is_awaited = |count: &SegmentCount| {
            let obstacle = count.obstacle.as_ref();
            obstacle.is_some_and(|fault| fault.kind == FaultKind::Refused)
        };
        let is_any = core
            .counted()
            .as_deref()
            .is_none_or(|counts| counts.iter().any(is_awaited));
        let comes = core.line.is_awaiting() || core.line.freshness().as_of.is_none();
        tokio::time::sleep(if is_any && comes { LOOK_AGAIN } else { LOOK }).await;
    }
}

/// Whether contacts, lists or definitions are not those that were counted, or the counts are old.
pub async fn is_due(core: &Core) -> Result<bool, Fault> {
    let (settings, now) = (core.settings.clone(), core.now());
    let (counts, is_changed) = core
        .desk
        .read(move |reader| {
            let mirror = &reader.mirror;
            let counts = kept(mirror, &settings.segments)?;
            Ok((counts, mirror.counted_mark()? != Some(mirror.contacts_mark()?)))
        })
        .await?;
    let is_old = |count: &SegmentCount| count.obstacle.is_none() && count.as_of.is_none_or(|at| later(at, OLD) <= now);
    let obstacles =
        |counts: &[SegmentCount]| -> Vec<Option<Fault>> { counts.iter().map(|count| count.obstacle.clone()).collect() };
    let told = core.counted().as_deref().map(obstacles);
    Ok(is_changed || counts.iter().any(is_old) || told.is_some_and(|told| told != obstacles(&counts)))
}

/// Counts again and keeps the counts.
pub async fn recount(core: &Core) -> Result<(), Fault> {
    let (settings, now) = (core.settings.clone(), core.now());
    let (counts, mark) = core
        .desk
        .count(move |reader| {
            // What changes while it is counted is counted again.
            let mark = reader.mirror.contacts_mark()?;
            Ok((count(&reader.mirror, &settings, now)?, mark))
        })
        .await?;
    let settings = core.settings.clone();
    let counts = core
        .desk
        .write(move |store| {
            let zone = store.mirror.account()?.map_or(TimeZone::UTC, |account| account.zone());
            let pairs: Vec<(&str, u64)> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
            store.mirror.segment_snapshot(now.to_zoned(zone).date(), &pairs)?;
            let kept_counts: Vec<KeptCount> = settings
                .segments
                .iter()
                .filter_map(|segment| {
                    Some(KeptCount {
                        name: segment.name.clone(),
                        definition: segment.definition(),
                        count: *counts.get(&segment.name)?,
                        at: now,
                    })
                })
                .collect();
            store.mirror.keep_counts(&kept_counts, &mark)?;
            kept(&store.mirror, &settings.segments)
        })
        .await?;
    let before = core.counted().replace(counts.clone());
    let shown = |counts: &[SegmentCount]| -> Vec<SegmentCount> {
        let without_time = |count: &SegmentCount| SegmentCount {
            as_of: None,
            ..count.clone()
        };
        counts.iter().map(without_time).collect()
    };
    if before.as_deref().map(shown) != Some(shown(&counts)) {
        core.tell(Event::SegmentsChanged);
    }
    Ok(())
}

/// The counts as they were counted last; nothing is counted for this.
pub async fn counted(core: &Core) -> Result<Vec<SegmentCount>, Fault> {
    if let Some(counts) = core.counted().clone() {
        return Ok(counts);
    }
    let settings = core.settings.clone();
    let counts = core
        .desk
        .read(move |reader| kept(&reader.mirror, &settings.segments))
        .await?;
    core.counted().get_or_insert_with(|| counts.clone());
    Ok(counts)
}

/// Contacts per segment, of those that can be counted.
fn count(mirror: &MirrorView, settings: &Settings, now: Timestamp) -> Result<BTreeMap<String, u64>, Fault> {
    let words = Words::read(mirror, settings, ObjectType::Contacts, now)?;
    let known: Vec<(&str, Plan)> = words
        .known_segments()
        .map(|(name, plan)| (name.as_str(), plan.clone()))
        .collect();
    Ok(mirror.segment_counts(&known)?)
}

/// The kept counts of these segments, with their history.
fn kept(mirror: &MirrorView, segments: &[Segment]) -> Result<Vec<SegmentCount>, Fault> {
    let kept = mirror.kept_counts()?;
    segments
        .iter()
        .map(|segment| {
            if let Some(fault) = obstacle(mirror, segment)? {
                return Ok(SegmentCount {
                    segment: segment.clone(),
                    count: 0,
                    as_of: None,
                    history: Vec::new(),
                    obstacle: Some(fault),
                });
            }
            let definition = segment.definition();
            let count = kept
                .iter()
                .find(|kept| kept.name == segment.name && kept.definition == definition);
            let history = mirror.segment_history(&segment.name, DAYS)?;
            Ok(SegmentCount {
                segment: segment.clone(),
                count: count.map(|kept| kept.count).unwrap_or_default(),
                as_of: count.map(|kept| kept.at),
                history: history.into_iter().map(|(_, count)| count).collect(),
                obstacle: None,
            })
        })
        .collect()
}
