//! How many slots a window has right now: what HubSpot allows, less what others use, less again after a refusal. Pure.
//!
//! The law of the ledger (the book holds the slots, `Permit` their ends): a request is admitted when fewer than C slots
//! are held; its slot is held from admission until W after its answer. Take the requests that *arrive* within any
//! `[s, s+W)` and the one of them admitted last. Every other arrived at `s` or later, so it was answered at `s` or
//! later, so its slot was still held at that admission. Hence they are at most C, whatever the latencies. Requests
//! that are never answered are held for W plus a grace.

use std::time::Duration;

use jiff::Timestamp;

use super::{Ledger, Setback, SlotTime, book::SIGHT};

/// How long a refusal keeps the window small.
const HOLD: Duration = Duration::from_secs(60);

/// No refusal of a window asks for more.
const LONGEST_FREEZE: Duration = Duration::from_secs(60);

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
    /// Refusals, and how long somebody else has been seen.
    setback: Setback,
}

impl Window {
    /// `ceiling` is what the settings allow; where they say nothing, the limit is a guess until the first answer.
    pub(super) fn new(ledger: Ledger, ceiling: Option<u32>) -> Self {
        let ceiling_or_any = ceiling.unwrap_or(u32::MAX).max(1);
        Self {
            ledger,
            limit: ceiling.unwrap_or(FIRST_BURST).max(1),
            ceiling: ceiling_or_any,
            probing: ledger == Ledger::Burst && ceiling.is_none(),
            others: None,
            setback: Setback::default(),
        }
    }

    /// What an earlier run, or another process of the store, has learnt. A refusal or a sight of the future was noted before
    /// the machine was started again: it is over.
    pub(super) fn adopt(&mut self, limit: Option<u32>, setback: Setback, now: SlotTime) {
        if let Some(limit) = limit {
            self.limit = limit.clamp(1, self.ceiling);
            self.probing = false;
        }
        self.setback = self.setback.and(Setback {
            refused: setback.refused.filter(|(_, at)| *at <= now),
            frozen_until: setback.frozen_until.filter(|until| *until <= now.after(LONGEST_FREEZE)),
            shared: setback.shared.filter(|(_, seen)| *seen <= now),
        });
    }

    /// Why the window is smaller than its limit, for the book.
    pub(super) const fn setback(&self) -> Setback {
        self.setback
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
        let Some((low, at)) = self.setback.refused else {
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
        self.setback.frozen_until.filter(|until| *until > now)
    }

    /// An answer came: the first one ends the probing, whatever it says.
    pub(super) const fn answered(&mut self) {
        self.probing = false;
    }

    /// `X-HubSpot-RateLimit-Max` and `-Remaining`. `ours` is the most that we ourselves can have in HubSpot's window;
    /// more than that was somebody else. Returns whether anything is worth telling the other processes.
    pub(super) fn observe(&mut self, max: u32, remaining: u32, ours: u32, now: SlotTime, wall: Timestamp) -> bool {
        let limit = max.clamp(1, self.ceiling);
        let changed = limit != self.limit;
        self.limit = limit;
        let others = max.saturating_sub(remaining).saturating_sub(ours);
        let fresher = |(count, seen): (u32, SlotTime)| others >= count || seen.after(self.ledger.window()) <= now;
        if others > 0 && self.others.is_none_or(fresher) {
            self.others = Some((others, now));
        }
        changed | (others > 0 && self.saw_others(now, wall))
    }

    /// Somebody else used the window just now. Returns whether that is news to other processes.
    fn saw_others(&mut self, now: SlotTime, wall: Timestamp) -> bool {
        let known = self.setback.shared.filter(|(_, seen)| seen.after(SIGHT) > now);
        let since = known.map_or(wall, |(since, _)| since);
        self.setback.shared = Some((since, now));
        known.is_none_or(|(_, seen)| seen.after(Duration::from_secs(1)) <= now)
    }

    /// Somebody else uses the same budget: since when, as far as the last minute shows, and for as long as we hold back
    /// because of it.
    pub(super) fn shared_since(&self, now: SlotTime) -> Option<Timestamp> {
        let (since, seen) = self.setback.shared?;
        (seen.after(SIGHT) > now || self.after_refusal(now) < self.limit).then_some(since)
    }

    /// A 429, which our own requests cannot cause: nothing is sent for `wait`, and less afterwards. Refusals of requests
    /// that were already on their way when the first one came do not shrink it further.
    pub(super) fn refused(&mut self, wait: Duration, now: SlotTime, wall: Timestamp) {
        if self.frozen(now).is_none() {
            let capacity = self.capacity(now);
            let low = match self.ledger {
                Ledger::Burst => capacity / 2,
                Ledger::Search => capacity - 1,
            };
            self.setback.refused = Some((low.max(1), now));
        }
        self.setback.frozen_until = self.setback.frozen_until.max(Some(now.after(wait.min(LONGEST_FREEZE))));
        self.saw_others(now, wall);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> SlotTime {
        SlotTime(seconds * 1_000_000)
    }

    fn wall(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_338_000 + seconds).unwrap()
    }

    fn burst() -> Window {
        let mut window = Window::new(Ledger::Burst, None);
        window.answered();
        window
    }

    #[test]
    fn the_first_answer_ends_the_probing() {
        let mut window = Window::new(Ledger::Burst, None);
        assert_eq!(window.capacity(at(0)), 25);
        window.answered();
        assert_eq!(window.capacity(at(0)), 100);
    }

    #[test]
    fn the_answers_raise_and_lower_the_limit_but_never_above_the_settings() {
        let mut window = burst();
        assert!(window.observe(190, 189, 1, at(0), wall(0)));
        assert_eq!(window.capacity(at(0)), 190);
        assert!(!window.observe(190, 150, 40, at(0), wall(0)));
        let mut capped = Window::new(Ledger::Burst, Some(50));
        capped.observe(190, 189, 1, at(0), wall(0));
        assert_eq!(capped.capacity(at(0)), 50);
    }

    #[test]
    fn what_others_use_is_taken_off_for_one_window() {
        let mut window = burst();
        window.observe(100, 50, 20, at(0), wall(0));
        assert!(window.shared_since(at(0)).is_some());
        assert_eq!(window.capacity(at(9)), 70);
        assert_eq!(window.capacity(at(10)), 100);
        window.observe(100, 80, 20, at(11), wall(11));
        assert_eq!(window.capacity(at(11)), 100, "all of it may have been ours");
        assert_eq!(window.shared_since(at(59)), Some(wall(0)), "it is said for a minute");
        assert_eq!(window.shared_since(at(60)), None);
    }

    #[test]
    fn a_refusal_halves_for_a_minute_then_adds_five_every_ten_seconds() {
        let mut window = burst();
        window.refused(Duration::from_secs(10), at(0), wall(0));
        window.refused(Duration::from_secs(10), at(1), wall(1));
        assert_eq!(window.frozen(at(5)), Some(at(11)));
        assert_eq!(window.frozen(at(11)), None);
        assert_eq!(window.capacity(at(59)), 50, "the second refusal belongs to the first");
        assert_eq!(window.capacity(at(70)), 55);
        assert_eq!(window.capacity(at(80)), 60);
        assert_eq!(window.capacity(at(600)), 100);
        window.refused(Duration::from_secs(10), at(80), wall(80));
        assert_eq!(window.capacity(at(90)), 30);
    }

    #[test]
    fn searches_fall_to_four_after_a_refusal() {
        let mut window = Window::new(Ledger::Search, Some(5));
        assert_eq!(window.capacity(at(0)), 5);
        window.refused(Duration::from_secs(1), at(0), wall(0));
        assert_eq!(window.capacity(at(59)), 4);
        assert_eq!(window.capacity(at(120)), 5);
    }

    #[test]
    fn a_refusal_says_that_somebody_else_is_there_until_the_window_is_whole_again() {
        let mut window = burst();
        window.refused(Duration::from_secs(10), at(0), wall(0));
        assert_eq!(window.shared_since(at(159)), Some(wall(0)), "95 of 100");
        assert_eq!(window.shared_since(at(160)), None);
        window.refused(Duration::from_secs(10), at(200), wall(200));
        window.refused(Duration::from_secs(10), at(230), wall(230));
        assert_eq!(window.shared_since(at(231)), Some(wall(200)), "one sight");
    }

    #[test]
    fn another_process_takes_the_refusal_over_and_a_restart_of_the_machine_ends_it() {
        let mut mine = burst();
        mine.refused(Duration::from_secs(10), at(100), wall(100));
        let mut other = burst();
        other.adopt(Some(190), mine.setback(), at(105));
        assert_eq!(other.frozen(at(109)), Some(at(110)));
        assert_eq!(other.capacity(at(110)), 50);
        let mut restarted = Window::new(Ledger::Burst, None);
        restarted.adopt(Some(190), mine.setback(), at(3));
        assert_eq!(restarted.frozen(at(3)), None);
        assert_eq!(restarted.capacity(at(3)), 190);
    }
}
