//! The one clock of the engine: monotonic for waits, wall time for people, slot time for the budget that processes share.
//! Everything in `hubspot` and `sync` asks here; under tokio's paused clock all three run in virtual time. It refuses to
//! be used for windows or leases by its wall time, which people and networks may set at will.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use super::budget::SlotTime;

/// Monotonic, wall and slot time. Cheap to clone; every clone tells the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    /// The machine's clocks. Slot time counts suspension, so a laptop that slept eight hours finds its slots free.
    System,
    /// Runs on from a fixed instant, as tokio's clock does.
    From {
        start: Instant,
        wall: Timestamp,
        slot: SlotTime,
        /// How far somebody set the wall clock, in milliseconds.
        set_by: Arc<AtomicI64>,
    },
    /// Moved by a test: a laptop that sleeps, a wall clock somebody sets.
    #[cfg(test)]
    Hand(Arc<std::sync::Mutex<(Timestamp, SlotTime)>>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self { source: Source::System }
    }

    /// A wall clock that shows `wall` now and runs on from there (`DEALDECK_NOW`). It follows tokio's clock, so it is
    /// virtual when that is paused; simulations of a restart keep one clock and clone it.
    #[must_use]
    pub fn starting_at(wall: Timestamp) -> Self {
        Self {
            source: Source::From {
                start: Instant::now(),
                wall,
                slot: boot_time(),
                set_by: Arc::default(),
            },
        }
    }

    /// Monotonic time, for waits and deadlines.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::now()
    }

    /// Wall time, for people and for `hs_timestamp`.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        match &self.source {
            Source::System => system_time(),
            Source::From {
                start, wall, set_by, ..
            } => wall
                .saturating_add(start.elapsed())
                .and_then(|at| at.saturating_add(SignedDuration::from_millis(set_by.load(Ordering::Relaxed))))
                .unwrap_or(Timestamp::MAX),
            #[cfg(test)]
            Source::Hand(hand) => hand.lock().unwrap().0,
        }
    }

    /// The clock of the slots: shared by every process of the machine, never set back.
    #[must_use]
    pub fn slot_time(&self) -> SlotTime {
        match &self.source {
            Source::System => boot_time(),
            Source::From { start, slot, .. } => slot.after(start.elapsed()),
            #[cfg(test)]
            Source::Hand(hand) => hand.lock().unwrap().1,
        }
    }

    /// Somebody sets the wall clock, of every clone; the machine's own is not ours to set. Waits and slots go on.
    pub fn set_wall_by(&self, span: SignedDuration) {
        if let Source::From { set_by, .. } = &self.source {
            let millis = i64::try_from(span.as_millis()).unwrap_or_default();
            set_by.fetch_add(millis, Ordering::Relaxed);
        }
    }

    /// A clock that stands still until a test sets it. Slot time must never be set back.
    #[cfg(test)]
    pub(super) fn in_hand(wall: Timestamp) -> Self {
        let hand = Arc::new(std::sync::Mutex::new((wall, SlotTime(0))));
        Self {
            source: Source::Hand(hand),
        }
    }

    /// Sets a clock that is in hand.
    #[cfg(test)]
    pub(super) fn set(&self, wall: Timestamp, slot: SlotTime) {
        if let Source::Hand(hand) = &self.source {
            *hand.lock().unwrap() = (wall, slot);
        }
    }

    /// Waits until `deadline`.
    pub async fn sleep_until(&self, deadline: Instant) {
        tokio::time::sleep_until(deadline).await;
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one clock everything else asks")]
fn system_time() -> Timestamp {
    Timestamp::now()
}

/// Microseconds since the machine started. Linux counts suspension here; elsewhere the monotonic clock stands in.
fn boot_time() -> SlotTime {
    #[cfg(target_os = "linux")]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: ClockId = ClockId::Monotonic;
    let time = clock_gettime(CLOCK);
    SlotTime(time.tv_sec * 1_000_000 + time.tv_nsec / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_fixed_start_runs_on_with_virtual_time() {
        let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(noon);
        let (slot, other) = (clock.slot_time(), clock.clone());
        clock.sleep(Duration::from_secs(90)).await;
        assert_eq!(clock.wall().to_string(), "2026-11-22T12:01:30Z");
        assert_eq!(other.slot_time(), slot.after(Duration::from_secs(90)));
    }
}
