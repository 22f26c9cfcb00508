//! What the client did since it started: totals, waits, the last minute, load per lane.

use std::{collections::VecDeque, time::Duration};

use super::SlotTime;
use crate::domain::{Lane, LaneLoad};

const MINUTE: Duration = Duration::from_secs(60);

/// Statistics since the start.
#[derive(Debug, Default)]
pub(super) struct Stats {
    /// On the wire and sent, per lane; waiting is the queues' business.
    pub(super) lanes: [LaneLoad; 4],
    pub(super) total: u64,
    pub(super) waited: Duration,
    pub(super) rate_limited: u64,
    pub(super) retries: u64,
    /// Requests per second of the last minute, oldest first: at most sixty-one entries.
    minute: VecDeque<(i64, u64)>,
}

impl Stats {
    pub(super) fn sent(&mut self, lane: Lane, now: SlotTime) {
        let load = &mut self.lanes[lane as usize];
        load.active += 1;
        load.total += 1;
        self.total += 1;
        let second = now.0.div_euclid(1_000_000);
        match self.minute.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.minute.push_back((second, 1)),
        }
        self.forget(now);
    }

    pub(super) const fn ended(&mut self, lane: Lane) {
        let load = &mut self.lanes[lane as usize];
        load.active = load.active.saturating_sub(1);
    }

    /// Requests sent in the last sixty seconds.
    pub(super) fn per_minute(&mut self, now: SlotTime) -> u64 {
        self.forget(now);
        self.minute.iter().map(|(_, count)| count).sum()
    }

    fn forget(&mut self, now: SlotTime) {
        let oldest = now.0.div_euclid(1_000_000) - MINUTE.as_secs().cast_signed();
        while self.minute.front().is_some_and(|(second, _)| *second <= oldest) {
            self.minute.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_minute_forgets_what_is_older() {
        let at = |seconds: i64| SlotTime(seconds * 1_000_000);
        let mut stats = Stats::default();
        for second in 0..90 {
            stats.sent(Lane::Sync, at(second));
        }
        assert_eq!(stats.per_minute(at(89)), 60);
        assert_eq!(stats.per_minute(at(120)), 29);
        assert_eq!(stats.total, 90);
        assert_eq!(stats.lanes[Lane::Sync as usize].active, 90);
    }
}
