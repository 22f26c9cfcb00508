//! A pace for what must not come in bursts though the windows would allow it: lifecycle events, eight a second. It comes
//! on top of the budget, never in its place: whoever has a turn still takes a permit.

use std::{num::NonZeroU32, time::Duration};

use super::smooth::Even;
use crate::hubspot::clock::Clock;

/// So many turns a second, evenly. Shared by reference between tasks.
#[derive(Debug)]
pub struct Pace {
    clock: Clock,
    /// `None` where the pace is too fast to be told from none.
    even: Option<Even>,
}

impl Pace {
    /// `per_second` turns: any second holds at most so many.
    #[must_use]
    pub fn new(per_second: NonZeroU32, clock: Clock) -> Self {
        let period = Duration::from_secs(1) / per_second.get();
        let even = Even::new(NonZeroU32::MIN, period, clock.slot_time());
        Self { clock, even }
    }

    /// Waits for a turn. Cancel-safe: a wait that is dropped took none.
    pub async fn turn(&self) {
        while let Some(Err(wait)) = self.even.as_ref().map(|even| even.check(self.clock.slot_time())) {
            self.clock.sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn eight_a_second_are_never_nine_and_hardly_less() {
        let clock = Clock::starting_at("2026-11-22T12:00:00Z".parse().unwrap());
        let pace = Arc::new(Pace::new(NonZeroU32::new(8).unwrap(), clock.clone()));
        let turns = Arc::new(Mutex::new(Vec::new()));
        let start = clock.slot_time();
        let tasks: Vec<_> = (0..80)
            .map(|_| {
                let (pace, clock, turns) = (pace.clone(), clock.clone(), turns.clone());
                tokio::spawn(async move {
                    pace.turn().await;
                    turns.lock().unwrap().push(start.until(clock.slot_time()));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let turns = turns.lock().unwrap();
        let second = Duration::from_secs(1);
        let in_a_second = |from: &Duration| turns.iter().filter(|at| (*from..*from + second).contains(*at)).count();
        assert_eq!(turns.iter().map(in_a_second).max(), Some(8));
        assert!(turns.last().unwrap() <= &Duration::from_millis(10_200), "{turns:?}");
    }
}
