//! Marks that end by themselves, and midnight. Nothing ticks: one timer rings at the earliest end.

use jiff::{SignedDuration, Timestamp};

use crate::app::{Effect, Model, TimerId};

/// How long a sentence stays.
pub(super) const RECEIPT: SignedDuration = SignedDuration::from_secs(6);
/// How long a colleague's change stays marked.
pub(super) const FLASH: SignedDuration = SignedDuration::from_secs(8);
/// How long a landed write stays marked.
pub(super) const LANDED: SignedDuration = SignedDuration::from_secs(2);
/// How long a burst of events is collected before it is read.
pub(super) const BURST: SignedDuration = SignedDuration::from_millis(100);
/// How long after the last key a draft is kept.
pub(super) const DRAFT: SignedDuration = SignedDuration::from_secs(1);

/// This long after.
pub(super) fn after(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Takes away what has ended and asks to be woken when the next mark ends, or the day.
pub(super) fn arm(model: &mut Model) -> Vec<Effect> {
    let now = model.now;
    model.said = model.said.take().filter(|said| said.until > now);
    model.flashes.retain(|_, flash| flash.until > now);
    model.landed.retain(|_, until| *until > now);
    let next = (model.said.iter().map(|said| said.until))
        .chain(model.flashes.values().map(|flash| flash.until))
        .chain(model.landed.values().copied())
        .min();
    let mut effects = Vec::new();
    if let Some(next) = next.filter(|next| model.marks_at.is_none_or(|armed| armed <= now || *next < armed)) {
        model.marks_at = Some(next);
        effects.push(Effect::Timer(TimerId::Marks, next));
    }
    if model.midnight.is_none_or(|midnight| midnight <= now)
        && let Some(midnight) = midnight(model)
    {
        model.midnight = Some(midnight);
        effects.push(Effect::Timer(TimerId::Midnight, midnight));
    }
    effects
}

/// The next beginning of a day in the account's zone.
fn midnight(model: &Model) -> Option<Timestamp> {
    let tomorrow = model.today().tomorrow().ok()?;
    let start = tomorrow.to_zoned(model.facts.zone()).ok()?;
    Some(start.timestamp())
}
