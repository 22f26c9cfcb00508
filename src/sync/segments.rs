//! Segments: how many contacts each has, now and at the end of the last days.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{core::Core, words::Words};
use crate::{
    domain::{Event, Fault, ObjectType, Segment, SegmentCount},
    store::MirrorView,
};

/// How many days of history a segment shows.
const DAYS: usize = 7;

/// Counts again and keeps today's counts.
pub async fn recount(core: &Core) -> Result<(), Fault> {
    let (settings, now) = (core.settings.clone(), core.now());
    let counts = core
        .desk
        .write(move |store| {
            let counts = count(&store.mirror, &settings, now)?;
            let zone = store.mirror.account()?.map_or(TimeZone::UTC, |account| account.zone());
            let pairs: Vec<(&str, u64)> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
            store.mirror.segment_snapshot(now.to_zoned(zone).date(), &pairs)?;
            with_history(&store.mirror, &settings.segments, &counts)
        })
        .await?;
    let changed = core.counted().replace(counts.clone()) != Some(counts);
    if changed {
        core.tell(Event::SegmentsChanged);
    }
    Ok(())
}

/// The counts as last computed, else computed now.
pub async fn counted(core: &Core) -> Result<Vec<SegmentCount>, Fault> {
    if let Some(counts) = core.counted().clone() {
        return Ok(counts);
    }
    let (settings, now) = (core.settings.clone(), core.now());
    let counts = core
        .desk
        .read(move |reader| {
            let counts = count(&reader.mirror, &settings, now)?;
            with_history(&reader.mirror, &settings.segments, &counts)
        })
        .await?;
    *core.counted() = Some(counts.clone());
    Ok(counts)
}

/// Contacts per segment.
fn count(
    mirror: &MirrorView,
    settings: &super::Settings,
    now: jiff::Timestamp,
) -> Result<BTreeMap<String, u64>, Fault> {
    let words = Words::read(mirror, settings, ObjectType::Contacts, now)?;
    Ok(mirror.segment_counts(&words.segments)?)
}

fn with_history(
    mirror: &MirrorView,
    segments: &[Segment],
    counts: &BTreeMap<String, u64>,
) -> Result<Vec<SegmentCount>, Fault> {
    segments
        .iter()
        .map(|segment| {
            let history = mirror.segment_history(&segment.name, DAYS)?;
            Ok(SegmentCount {
                segment: segment.clone(),
                count: counts.get(&segment.name).copied().unwrap_or_default(),
                history: history.into_iter().map(|(_, count)| count).collect(),
            })
        })
        .collect()
}
