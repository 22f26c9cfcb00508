//! Who goes next. Strict order of lanes, first come first served inside a lane, and aging: a lane that has waiters and
//! has not been served for ten seconds moves up one place, and again every ten seconds. Pure; it knows no slots.

use std::{collections::VecDeque, time::Duration};

use super::SlotTime;
use crate::domain::Lane;

/// How long a lane waits before it moves up.
const STEP: Duration = Duration::from_secs(10);

/// The waiters of one quota, by lane.
#[derive(Debug)]
pub(super) struct Lanes<W> {
    lanes: [Queue<W>; 4],
}

#[derive(Debug)]
struct Queue<W> {
    /// Oldest first.
    waiters: VecDeque<Waiter<W>>,
    /// When the lane was last served.
    served: SlotTime,
}

#[derive(Debug)]
struct Waiter<W> {
    id: u64,
    since: SlotTime,
    what: W,
}

impl<W> Default for Lanes<W> {
    fn default() -> Self {
        Self {
            lanes: std::array::from_fn(|_| Queue {
                waiters: VecDeque::new(),
                served: SlotTime(i64::MIN),
            }),
        }
    }
}

impl<W> Lanes<W> {
    pub(super) fn push(&mut self, lane: Lane, id: u64, since: SlotTime, what: W) {
        self.lanes[lane as usize].waiters.push_back(Waiter { id, since, what });
    }

    /// Takes the oldest waiter of the lane, with the time it has been waiting since.
    pub(super) fn serve(&mut self, lane: Lane, now: SlotTime) -> Option<(W, SlotTime)> {
        let queue = &mut self.lanes[lane as usize];
        let waiter = queue.waiters.pop_front()?;
        queue.served = now;
        Some((waiter.what, waiter.since))
    }

    /// Forgets a waiter that went away.
    pub(super) fn remove(&mut self, lane: Lane, id: u64) {
        self.lanes[lane as usize].waiters.retain(|waiter| waiter.id != id);
    }

    /// Takes every waiter of the lane that `which` picks, oldest first.
    pub(super) fn take_all(&mut self, lane: Lane, which: impl Fn(&W) -> bool) -> Vec<W> {
        let queue = &mut self.lanes[lane as usize].waiters;
        let (taken, left): (VecDeque<_>, VecDeque<_>) = queue.drain(..).partition(|waiter| which(&waiter.what));
        *queue = left;
        taken.into_iter().map(|waiter| waiter.what).collect()
    }

    pub(super) fn waiting(&self, lane: Lane) -> usize {
        self.lanes[lane as usize].waiters.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.iter().all(|queue| queue.waiters.is_empty())
    }

    /// The lanes that have waiters, the next one to serve first. Of two lanes that share a place, the longer unserved
    /// one goes first.
    pub(super) fn order(&self, now: SlotTime) -> impl Iterator<Item = Lane> + use<W> {
        let mut order: Vec<(u128, std::cmp::Reverse<Duration>, Lane)> = Lane::ALL
            .into_iter()
            .filter_map(|lane| {
                let queue = &self.lanes[lane as usize];
                let unserved = queue.waiters.front()?.since.max(queue.served).until(now);
                let steps = unserved.as_micros() / STEP.as_micros();
                Some(((lane as u128).saturating_sub(steps), std::cmp::Reverse(unserved), lane))
            })
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(.., lane)| lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> SlotTime {
        SlotTime(seconds * 1_000_000)
    }

    #[test]
    fn a_write_goes_before_everything_that_waits_as_long() {
        let mut lanes = Lanes::default();
        for (id, lane) in [Lane::Sync, Lane::Verify, Lane::Write, Lane::Read]
            .into_iter()
            .enumerate()
        {
            lanes.push(lane, id as u64, at(0), lane.word());
        }
        let order: Vec<_> = lanes.order(at(1)).map(Lane::word).collect();
        assert_eq!(order, ["write", "read", "verify", "sync"]);
    }

    #[test]
    fn a_lane_that_is_never_served_moves_up_and_falls_back_once_served() {
        let mut lanes = Lanes::default();
        for id in 0..3 {
            lanes.push(Lane::Sync, id, at(0), ());
        }
        lanes.push(Lane::Read, 9, at(18), ());
        assert_eq!(lanes.order(at(19)).next(), Some(Lane::Read), "one step is not enough");
        assert_eq!(
            lanes.order(at(20)).next(),
            Some(Lane::Sync),
            "two steps: level with reads, and waiting longer"
        );
        lanes.serve(Lane::Sync, at(20));
        assert_eq!(
            lanes.order(at(20)).next(),
            Some(Lane::Read),
            "served: back to its own place"
        );
    }

    #[test]
    fn a_waiter_that_left_is_not_served() {
        let mut lanes = Lanes::default();
        lanes.push(Lane::Sync, 1, at(0), "left");
        lanes.push(Lane::Sync, 2, at(0), "stayed");
        lanes.remove(Lane::Sync, 1);
        assert_eq!(lanes.serve(Lane::Sync, at(1)), Some(("stayed", at(0))));
        assert!(lanes.is_empty());
    }
}
