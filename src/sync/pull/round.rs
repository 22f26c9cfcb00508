//! One round of reading. Its parts fail each by itself: one that does is told and tried again later, and the others are
//! read all the same, unless what failed would fail for all of them.

use std::time::Duration;

use jiff::Timestamp;

use super::Trouble;
use crate::sync::{
    connection::{Part, later},
    core::Core,
};

/// How long a part that failed rests the first time; twice as long every time.
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_mins(10);

/// When a part is due.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    at: Timestamp,
    /// How often in a row it failed.
    failures: u32,
}

impl Due {
    /// Due the first time at this time.
    pub const fn at(at: Timestamp) -> Self {
        Self { at, failures: 0 }
    }

    /// When that is.
    pub const fn when(&self) -> Timestamp {
        self.at
    }

    /// Whether it is due.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.at <= now
    }

    /// Whether it failed the last time: then it waits for its time, whatever else speaks for it.
    pub const fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// It is wanted by then.
    pub fn hurry(&mut self, by: Timestamp) {
        self.at = self.at.min(by);
    }

    /// If it failed, it is tried again by then.
    pub fn retry(&mut self, by: Timestamp) {
        if self.has_failed() {
            self.hurry(by);
        }
    }

    const fn done(&mut self, next: Timestamp) {
        *self = Self::at(next);
    }

    fn failed(&mut self, now: Timestamp) {
        let rest = FIRST_REST.saturating_mul(1 << self.failures.min(8));
        self.at = later(now, rest.min(LONGEST_REST));
        self.failures = self.failures.saturating_add(1);
    }
}

/// It makes no sense to go on with the round.
#[derive(Debug)]
pub struct Stop;

/// A round.
pub struct Round<'a> {
    pub core: &'a Core,
    /// When it began.
    pub now: Timestamp,
    /// How many answers there were when it began.
    answers: u64,
}

impl<'a> Round<'a> {
    /// Begins one.
    pub fn begin(core: &'a Core) -> Self {
        Self {
            core,
            now: core.now(),
            answers: core.client.answers(),
        }
    }

    /// Takes note of what became of a part, which is due again at `next` if it went through. `None` = it failed, and is
    /// tried again later.
    pub async fn settle<T>(
        &self,
        part: Part,
        due: &mut Due,
        next: Timestamp,
        outcome: Result<T, Trouble>,
    ) -> Result<Option<T>, Stop> {
        let goes_on = self.core.ended(part, &outcome, self.answers).await;
        match outcome {
            Ok(found) => {
                due.done(next);
                Ok(Some(found))
            }
            Err(_) if goes_on => {
                due.failed(self.core.now());
                Ok(None)
            }
            Err(_) => Err(Stop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_fails_waits_twice_as_long_every_time_until_it_goes_through() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut due = Due::at(at(0));
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..7 {
            due.failed(now);
            waits.push(due.when().duration_since(now).as_secs());
            now = due.when();
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600]);
        due.retry(at(5));
        assert!(due.is_due(at(5)), "somebody wants it now");
        due.done(at(100_000));
        due.retry(at(6));
        assert!(!due.is_due(at(99_999)));
    }
}
