//! Generated deals: the facts every property of a deal follows from, and its past.

use super::Base;
use crate::portal::clock::{DAY, iso};
use crate::portal::kinds::ObjectType::Deals;
use crate::portal::record::{Actor, Change, Name};

/// What a generated deal is, before any text is made of it. Instants are Unix milliseconds.
pub(in crate::portal) struct DealFacts {
    /// Index into the account's deal pipelines, and into that pipeline's stages.
    pub pipeline: usize,
    pub stage: usize,
    /// The stage counts as closed, and if so, as won.
    pub closed: bool,
    pub won: bool,
    pub created: i64,
    /// When each stage from the first to the current one was entered; (stage, instant), oldest first.
    pub entered: Vec<(usize, i64)>,
    pub entered_current: i64,
    pub amount: Option<u64>,
    pub euro: bool,
    pub close: Option<i64>,
    /// Close dates this deal had before, oldest first, with the instant each was set.
    pub pushed: Vec<(i64, i64)>,
    pub last_activity: Option<i64>,
    pub modified: i64,
}

impl Base {
    pub(in crate::portal) fn deal(&self, deal: u32) -> DealFacts {
        let share = |salt| self.share(Deals, deal, salt);
        let days = |count: f64| (count * DAY as f64) as i64;
        let pipeline = usize::from(share(20) > 0.85 && self.pipelines.len() > 1);
        let stages = &self.pipelines[pipeline].stages;
        let open = stages.iter().filter(|stage| !stage.closed).count();
        let outcome = share(21);
        let (won, lost) = (outcome < 0.14, (0.14..0.22).contains(&outcome));
        let stage = match (won, lost) {
            (true, _) => stages.iter().position(|stage| stage.won()),
            (_, true) => stages.iter().position(|stage| stage.lost()),
            // Early stages hold more deals than late ones.
            _ => Some((share(22).powf(1.25) * open as f64) as usize),
        }
        .unwrap_or(0);
        let closed = stages[stage].closed;
        let created = self.opened - days(5.0 + share(23) * 195.0);
        let age = self.opened - created;
        let entered_current = if stage == 0 {
            created
        } else {
            self.opened - (share(24).powi(2) * 0.7 * age as f64) as i64
        };
        // A closed deal went through some of the open stages, an open one through all before its own.
        let steps = if closed {
            1 + (share(25) * (open as f64 - 1.0)) as usize
        } else {
            stage
        };
        let mut entered: Vec<_> = (0..steps)
            .map(|n| (n, created + (entered_current - created) * n as i64 / steps as i64))
            .collect();
        entered.push((stage, entered_current));
        let amount = self.deal_amount(deal);
        let close = if closed {
            Some(entered_current)
        } else {
            (share(28) > 0.04).then(|| self.opened + days(-20.0 + share(29) * 110.0))
        };
        let activity_from = entered_current.max(self.opened - days(45.0));
        let last_activity = self
            .is_active(deal)
            .then(|| self.opened - (share(31).powi(2) * (self.opened - activity_from) as f64) as i64);
        let pushed = close.map_or_else(Vec::new, |close| self.pushes(deal, created, close));
        let modified = last_activity.unwrap_or(created).max(entered_current) + 1_000;
        DealFacts {
            pipeline,
            stage,
            closed,
            won: won && closed,
            created,
            entered,
            entered_current,
            amount,
            euro: share(32) < 0.04,
            close,
            pushed,
            last_activity,
            modified: modified.min(self.opened),
        }
    }

    /// From 5,000 to 150,000, small ones more often; some deals have none yet, some a zero.
    fn deal_amount(&self, deal: u32) -> Option<u64> {
        match self.share(Deals, deal, 26) {
            s if s < 0.08 => None,
            s if s < 0.11 => Some(0),
            _ => Some((5_000.0 * 30_f64.powf(self.share(Deals, deal, 27))) as u64 / 500 * 500),
        }
    }

    /// Up to three earlier close dates, each some weeks before the next.
    fn pushes(&self, deal: u32, created: i64, close: i64) -> Vec<(i64, i64)> {
        let count = [0, 0, 0, 0, 0, 1, 1, 2, 3][(self.hash(Deals, deal, 33) % 9) as usize];
        let span = self.opened - created;
        (0..count)
            .map(|n| (close - (count - n) * 24 * DAY, created + span * n / (count + 1)))
            .collect()
    }

    /// `hs_v2_date_entered_<stage>`, `…_exited_<stage>` and the times between them, in milliseconds.
    pub(super) fn stage_dates(&self, deal: u32) -> Vec<(Name, String)> {
        let facts = self.deal(deal);
        let stages = &self.pipelines[facts.pipeline].stages;
        let mut dates = Vec::new();
        for (n, (stage, at)) in facts.entered.iter().enumerate() {
            let id = &stages[*stage].id;
            dates.push((Name::Owned(format!("hs_v2_date_entered_{id}")), iso(*at)));
            if let Some((_, left)) = facts.entered.get(n + 1) {
                dates.push((Name::Owned(format!("hs_v2_date_exited_{id}")), iso(*left)));
                for family in ["hs_v2_cumulative_time_in", "hs_v2_latest_time_in"] {
                    dates.push((Name::Owned(format!("{family}_{id}")), (left - at).to_string()));
                }
            }
        }
        dates
    }

    /// The history of the properties that have one; `None` for all others.
    pub(super) fn deal_history(&self, deal: u32, name: &str) -> Option<Vec<Change>> {
        let facts = self.deal(deal);
        let owner = self.owner(Deals, deal).or(self.owners.first());
        let by = Actor::person(owner.map(|owner| owner.1));
        let change = |value: String, at: i64| Change {
            value,
            at,
            by: by.clone(),
        };
        let mut past: Vec<Change> = match name {
            "dealstage" => {
                let stages = &self.pipelines[facts.pipeline].stages;
                facts
                    .entered
                    .iter()
                    .map(|(stage, at)| change(stages[*stage].id.clone(), *at))
                    .collect()
            }
            "closedate" => {
                let close = facts.close?;
                let mut past: Vec<_> = facts.pushed.iter().map(|(date, at)| change(iso(*date), *at)).collect();
                let set = match past.len() as i64 {
                    _ if facts.closed => facts.entered_current,
                    0 => facts.created,
                    count => facts.created + (self.opened - facts.created) * count / (count + 1),
                };
                past.push(change(iso(close), set));
                past
            }
            "amount" if self.hash(Deals, deal, 34).is_multiple_of(6) => {
                let amount = facts.amount.filter(|amount| *amount > 0)?;
                let before = change((amount * 5 / 6 / 500 * 500).to_string(), facts.created);
                vec![
                    before,
                    change(amount.to_string(), facts.entered_current.max(facts.created + 1)),
                ]
            }
            _ => return None,
        };
        past.reverse();
        Some(past)
    }
}
