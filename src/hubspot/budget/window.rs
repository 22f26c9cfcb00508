//! How many slots a window has right now: what HubSpot allows, less what others use, less again after a refusal. Pure.
//!
//! The law of the ledger (the book holds the slots, `Permit` their ends): a request is admitted when fewer than C slots
//! are held; its slot is held from admission until W after its answer. Take the requests that *arrive* within any
//! `[s, s+W)` and the one of them admitted last. Every other arrived at `s` or later, so it was answered at `s` or
//! later, so its slot was still held at that admission. Hence they are at most C, whatever the latencies. Requests
//! that are never answered are held for W plus a grace.

use std::time::Duration;

use super::{Ledger, SlotTime};

/// How long a refusal keeps the window small.
const HOLD: Duration = Duration::from_secs(60);

/// What HubSpot allows every account, before its answers say more.
const FIRST_BURST: u32 = 100;

/// The capacity of one ledger.
#[derive(Debug)]
pub(super) struct Window {
    ledger: Ledger,
    /// What the answers (or the settings) say the window allows.
    limit: u32,
    /// What the settings allow at most.
    ceiling: u32,
    /// No answer yet: send a quarter, so that a wrong guess costs nothing.
    probing: bool,
    /// Requests of other clients in the window, and when they were seen.
    others: Option<(u32, SlotTime)>,
    /// Capacity right after the last refusal, and when that was.
    refused: Option<(u32, SlotTime)>,
    /// Nothing is sent before this time.
    frozen_until: SlotTime,
}

impl Window {
    /// `learnt` is what an earlier answer said, `ceiling` what the settings allow; where neither says anything, it is a
    /// guess until the first answer.
    pub(super) fn new(ledger: Ledger, learnt: Option<u32>, ceiling: Option<u32>) -> Self {
        let ceiling_or_any = ceiling.unwrap_or(u32::MAX).max(1);
        let guess = learnt.or(ceiling).unwrap_or(FIRST_BURST);
        Self {
            ledger,
            limit: guess.clamp(1, ceiling_or_any),
            ceiling: ceiling_or_any,
            probing: ledger == Ledger::Burst && ceiling.is_none() && learnt.is_none(),
            others: None,
            refused: None,
            frozen_until: SlotTime(i64::MIN),
        }
    }

    /// What the window allows when we are alone and nothing was refused.
    pub(super) const fn limit(&self) -> u32 {
        self.limit
    }

    /// How many slots may be held at `now`; at least one.
    pub(super) fn capacity(&self, now: SlotTime) -> u32 {
        let mut capacity = self.limit;
        if self.probing {
            capacity = capacity.div_ceil(4);
        }
        if let Some((others, seen)) = self.others
            && seen.after(self.ledger.window()) > now
        {
            capacity = capacity.saturating_sub(others);
        }
        capacity.min(self.after_refusal(now)).max(1)
    }

    /// Halved for a minute and then five more every ten seconds; searches one less for a minute, then one more a minute.
    fn after_refusal(&self, now: SlotTime) -> u32 {
        let Some((low, at)) = self.refused else {
            return u32::MAX;
        };
        let (step, every) = match self.ledger {
            Ledger::Burst => (5, Duration::from_secs(10)),
            Ledger::Search => (1, HOLD),
        };
        let since = at.after(HOLD).until(now);
        let steps = u32::try_from(since.as_micros() / every.as_micros()).unwrap_or(u32::MAX);
        low.saturating_add(steps.saturating_mul(step))
    }

    /// When sending may go on, while frozen.
    pub(super) fn frozen(&self, now: SlotTime) -> Option<SlotTime> {
        (self.frozen_until > now).then_some(self.frozen_until)
    }

    /// An answer came: the first one ends the probing, whatever it says.
    pub(super) const fn answered(&mut self) {
        self.probing = false;
    }

    /// `X-HubSpot-RateLimit-Max` and `-Remaining`. `ours` is the most that we ourselves can have in HubSpot's window;
    /// more than that was somebody else. Returns whether the limit changed.
    pub(super) fn observe(&mut self, max: u32, remaining: u32, ours: u32, now: SlotTime) -> bool {
        let limit = max.clamp(1, self.ceiling);
        let changed = limit != self.limit;
        self.limit = limit;
        let others = max.saturating_sub(remaining).saturating_sub(ours);
        let fresher = |(count, seen): (u32, SlotTime)| others >= count || seen.after(self.ledger.window()) <= now;
        if others > 0 && self.others.is_none_or(fresher) {
            self.others = Some((others, now));
        }
        changed
    }

    /// Somebody else uses the same budget, as far as the last window shows.
    pub(super) fn is_shared(&self, now: SlotTime) -> bool {
        self.others
            .is_some_and(|(_, seen)| seen.after(self.ledger.window()) > now)
    }

    /// A 429: nothing is sent for `wait`, and less afterwards. Refusals of requests that were already on their way when
    /// the first one came do not shrink it further.
    pub(super) fn refused(&mut self, wait: Duration, now: SlotTime) {
        if self.frozen(now).is_none() {
            let capacity = self.capacity(now);
            let low = match self.ledger {
                Ledger::Burst => capacity / 2,
                Ledger::Search => capacity - 1,
            };
            self.refused = Some((low.max(1), now));
        }
        self.frozen_until = self.frozen_until.max(now.after(wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> SlotTime {
        SlotTime(seconds * 1_000_000)
    }

    fn burst() -> Window {
        let mut window = Window::new(Ledger::Burst, None, None);
        window.answered();
        window
    }

    #[test]
    fn the_first_answer_ends_the_probing() {
        let mut window = Window::new(Ledger::Burst, None, None);
        assert_eq!(window.capacity(at(0)), 25);
        window.answered();
        assert_eq!(window.capacity(at(0)), 100);
    }

    #[test]
    fn the_answers_raise_and_lower_the_limit_but_never_above_the_settings() {
        let mut window = burst();
        assert!(window.observe(190, 189, 1, at(0)));
        assert_eq!(window.capacity(at(0)), 190);
        assert!(!window.observe(190, 150, 40, at(0)));
        let mut capped = Window::new(Ledger::Burst, None, Some(50));
        capped.observe(190, 189, 1, at(0));
        assert_eq!(capped.capacity(at(0)), 50);
    }

    #[test]
    fn what_others_use_is_taken_off_for_one_window() {
        let mut window = burst();
        window.observe(100, 50, 20, at(0));
        assert!(window.is_shared(at(0)));
        assert_eq!(window.capacity(at(9)), 70);
        assert_eq!(window.capacity(at(10)), 100);
        window.observe(100, 80, 20, at(11));
        assert!(!window.is_shared(at(11)), "all of it may have been ours");
    }

    #[test]
    fn a_refusal_halves_for_a_minute_then_adds_five_every_ten_seconds() {
        let mut window = burst();
        window.refused(Duration::from_secs(10), at(0));
        window.refused(Duration::from_secs(10), at(1));
        assert_eq!(window.frozen(at(5)), Some(at(11)));
        assert_eq!(window.frozen(at(11)), None);
        assert_eq!(window.capacity(at(59)), 50, "the second refusal belongs to the first");
        assert_eq!(window.capacity(at(70)), 55);
        assert_eq!(window.capacity(at(80)), 60);
        assert_eq!(window.capacity(at(600)), 100);
        window.refused(Duration::from_secs(10), at(80));
        assert_eq!(window.capacity(at(90)), 30);
    }

    #[test]
    fn searches_fall_to_four_after_a_refusal() {
        let mut window = Window::new(Ledger::Search, None, Some(5));
        assert_eq!(window.capacity(at(0)), 5);
        window.refused(Duration::from_secs(1), at(0));
        assert_eq!(window.capacity(at(59)), 4);
        assert_eq!(window.capacity(at(120)), 5);
    }
}
