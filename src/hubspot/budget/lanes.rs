//! Who goes next. Strict order of lanes, and aging: a lane that has waiters and has not been served for ten seconds moves
//! up one place, and again every ten seconds. The lane ages and not each waiter, so that hundreds of old background
//! requests never stand before a person's write. Inside a lane it is first come, first served: every object type and
//! pipeline waits with a few requests at a time, which makes that a round of them. Pure; it knows no slots.

use std::{collections::VecDeque, time::Duration};

use super::SlotTime;
use crate::domain::Lane;

/// How long a lane waits before it moves up.
const STEP: Duration = Duration::from_secs(10);

/// The waiters of one quota, by lane.
#[derive(Debug)]
pub(super) struct Lanes<W> {
    lanes: [Queue<W>; 4],
    /// The number of the next waiter: waiters stand in the order of their numbers.
    next: u64,
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
            next: 0,
        }
    }
}

impl<W> Lanes<W> {
    /// Joins the end of the lane; the number is for leaving it.
    pub(super) fn push(&mut self, lane: Lane, since: SlotTime, what: W) -> u64 {
        let id = self.next;
        self.next += 1;
        self.lanes[lane as usize].waiters.push_back(Waiter { id, since, what });
        id
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
        let waiters = &mut self.lanes[lane as usize].waiters;
        if let Ok(place) = waiters.binary_search_by_key(&id, |waiter| waiter.id) {
            waiters.remove(place);
        }
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
        for lane in [Lane::Sync, Lane::Verify, Lane::Write, Lane::Read] {
            lanes.push(lane, at(0), lane.word());
        }
        let order: Vec<_> = lanes.order(at(1)).map(Lane::word).collect();
        assert_eq!(order, ["write", "read", "verify", "sync"]);
    }

    #[test]
    fn a_lane_that_is_never_served_moves_up_and_falls_back_once_served() {
        let mut lanes = Lanes::default();
        for _ in 0..3 {
            lanes.push(Lane::Sync, at(0), ());
        }
        lanes.push(Lane::Read, at(18), ());
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
        let left = lanes.push(Lane::Sync, at(0), "left");
        lanes.push(Lane::Sync, at(0), "stayed");
        lanes.remove(Lane::Sync, left);
        assert_eq!(lanes.serve(Lane::Sync, at(1)), Some(("stayed", at(0))));
        lanes.remove(Lane::Sync, left);
        assert!(lanes.is_empty());
    }
}
