//! How far the lanes of a walk are: which of them reads where, and what a page means for the others. Pure: pages come in,
//! steps to be kept come out.

use super::{
    top,
    unread::Stretch,
    walk::{Mark, Step},
};
use crate::domain::{ObjectCount, Record};

/// A search may say no higher total than this.
const WALL: u64 = 10_000;
/// Records that are worth a lane of their own: where two lanes meet, half a page is read twice.
const WORTH: u128 = 300;

/// Where a list reads its next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The page holds no id below it.
    pub from: u64,
    /// The cursor; `None` = the first page of all.
    pub after: Option<String>,
}

/// A list answered what was not asked for: its cursors are no ids after all.
#[derive(Debug, PartialEq, Eq)]
pub struct Strayed;

/// The state of a walk.
pub struct Front {
    /// What is unread, as of the pages that have come in.
    pub mark: Mark,
    /// What was read since this process began.
    pub count: ObjectCount,
    /// Where each list reads or goes on; `None` = it looks for a place.
    at: Vec<Option<u64>>,
    /// One list reads from cursor to cursor, whatever the cursors look like.
    is_plain: bool,
    /// Where the only list goes on, whatever a search has read meanwhile.
    base: Option<(u64, String)>,
    /// The search came to its end, or proved to be no good.
    pub is_search_over: bool,
}

impl Front {
    /// Goes on from a mark; `is_plain` = with one list, from cursor to cursor.
    pub fn new(mark: Mark, is_plain: bool) -> Self {
        Self {
            mark,
            count: ObjectCount::default(),
            at: Vec::new(),
            is_plain,
            base: None,
            is_search_over: false,
        }
    }

    /// Whether there is a plainer way to walk.
    pub const fn may_be_plainer(&self) -> bool {
        !self.is_plain
    }

    /// Where a list goes on: behind its last page, else where nobody reads, else in the middle of the widest stretch.
    pub fn next_place(&mut self, lane: usize) -> Option<Place> {
        if self.at.len() <= lane {
            self.at.resize(lane + 1, None);
        }
        let here = self.at[lane].take();
        let place = self.free_place(here).or_else(|| self.split())?;
        self.at[lane] = Some(place.from);
        Some(place)
    }

    /// Where nobody reads: behind this list's last page, else the lowest stretch.
    fn free_place(&self, here: Option<u64>) -> Option<Place> {
        let mut free = self.free().peekable();
        let lowest = free.peek().copied();
        let stretch = free.find(|stretch| Some(stretch.from) == here).or(lowest)?;
        Some(Place {
            from: stretch.from,
            after: stretch.after.clone(),
        })
    }

    /// Stretches nobody reads. A list that reads somewhere above the stretch below also owns the one it runs into: a page
    /// from further down may have cut off what it stands on.
    fn free(&self) -> impl Iterator<Item = &Stretch> {
        let mut below = None;
        self.mark.unread.stretches().iter().filter(move |stretch| {
            let is_above = |at: &u64| below.is_none_or(|below| *at > below);
            let is_owned = self.at.iter().flatten().any(|at| is_above(at) && *at <= stretch.from);
            below = Some(stretch.from);
            !is_owned
        })
    }

    /// Cuts the widest stretch in two; the upper half is to be read. Only where a list can start at any id.
    fn split(&mut self) -> Option<Place> {
        let (lowest, highest) = self.mark.span.filter(|_| self.mark.by_id && !self.is_plain)?;
        let records = u128::from(self.mark.total?);
        let width = |stretch: &Stretch| stretch.to.unwrap_or(u64::MAX).min(highest).saturating_sub(stretch.from);
        let widest = self
            .mark
            .unread
            .stretches()
            .iter()
            .max_by_key(|stretch| width(stretch))?;
        let expected = u128::from(width(widest)) * records / u128::from((highest - lowest).max(1));
        if expected < WORTH {
            return None;
        }
        let from = widest.from + width(widest) / 2;
        self.mark.unread.split(from);
        Some(Place {
            from,
            after: Some(from.to_string()),
        })
    }

    /// A list page came in: the step to keep, and how many of its records no other page has brought.
    pub fn listed(
        &mut self,
        lane: usize,
        place: &Place,
        records: &[Record],
        after: Option<String>,
    ) -> Result<(Step, u64), Strayed> {
        let ids: Option<Vec<u64>> = records.iter().map(|record| record.id.parse().ok()).collect();
        if place.after.is_none() {
            self.learn(ids.as_deref().unwrap_or_default(), after.as_deref());
        }
        let mut last = place.from.checked_sub(1);
        for id in ids.iter().flatten() {
            if self.mark.by_id && last.is_some_and(|last| *id <= last) {
                return Err(Strayed);
            }
            last = last.max(Some(*id));
        }
        if self.mark.by_id && ids.is_none() {
            return Err(Strayed);
        }
        let end = last.map_or(place.from, |last| last + 1);
        // Between the last record and the id where the list goes on there is nothing.
        let end = after
            .as_deref()
            .filter(|_| self.mark.by_id)
            .and_then(|after| after.parse().ok())
            .map_or(end, |next: u64| next.max(end));
        let next = after.map(|after| (end, after));
        let fresh = match &ids {
            Some(ids) => ids.iter().filter(|id| self.mark.unread.has(**id)).count() as u64,
            // An id that is no number is only ever listed.
            None => records.len() as u64,
        };
        self.at[lane] = next.as_ref().map(|(end, _)| *end);
        self.base.clone_from(&next);
        let step = Step::Listed { from: place.from, next };
        Ok((self.advance(step, fresh), fresh))
    }

    /// The first page of all tells whether cursors are ids, and how low ids begin.
    fn learn(&mut self, ids: &[u64], after: Option<&str>) {
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
            return;
        };
        let is_id = after.is_some_and(|after| after.parse::<u64>().is_ok_and(|next| next >= *last));
        self.mark.by_id = is_id && !self.is_plain;
        self.mark.span = Some((*first, *last));
        if self.mark.by_id {
            // Longer ids are listed by themselves; a search does not find them in the order of numbers.
            self.mark.unread.split(self.above_all());
        }
    }

    /// The first id that is longer than the lowest one. Where a list cannot start there, a search speaks for everything
    /// above it, until counting proves it wrong.
    fn above_all(&self) -> u64 {
        let length = self.length().filter(|_| self.mark.by_id);
        length.and_then(|length| 10_u64.checked_pow(length)).unwrap_or(u64::MAX)
    }

    fn length(&self) -> Option<u32> {
        let (lowest, _) = self.mark.span?;
        Some(lowest.checked_ilog10().unwrap_or(0) + 1)
    }

    /// Below which id the search goes on; `None` = it is at its end, `Some(None)` = at the very top.
    pub fn search_below(&self) -> Option<Option<u64>> {
        if self.is_search_over || self.mark.span.is_none() {
            return None;
        }
        let above_all = self.above_all();
        let stretches = self.mark.unread.stretches().iter();
        let highest = stretches.rev().find(|stretch| stretch.from < above_all)?;
        Some(highest.to.filter(|to| *to < above_all))
    }

    /// A search page came in, of the highest ids below this one: the step to keep and how many of its records are new;
    /// `None` = it does not come down in numbers, so nothing can be made of it.
    pub fn searched(&mut self, below: Option<u64>, records: &[Record], total: u64) -> Option<(Step, u64)> {
        let length = self.length()? as usize;
        let low = top::lowest(records, below, length)?;
        let ids = || records.iter().filter_map(|record| record.id.parse::<u64>().ok());
        if below.is_none() {
            self.saw_the_top(ids().max(), total);
        }
        let fresh = ids().filter(|id| self.mark.unread.has(*id)).count() as u64;
        let high = below.unwrap_or_else(|| self.above_all());
        Some((self.advance(Step::Searched { low, high }, fresh), fresh))
    }

    /// The highest id and how many records there are, as far as the search's index knows.
    pub fn saw_the_top(&mut self, highest: Option<u64>, total: u64) {
        self.mark.total = Some(total);
        if let (Some((lowest, _)), Some(highest)) = (self.mark.span, highest) {
            self.mark.span = Some((lowest, highest.max(lowest)));
        }
    }

    /// Lanes met although they may have left something out: among ids of several lengths the highest are not at the top of
    /// a search, and where a list cannot start anywhere, only counting shows it. The list then reads on to its own end.
    pub fn unproven(&mut self) -> Option<Step> {
        let is_proven = self.mark.by_id || self.is_whole() || !self.mark.unread.is_empty();
        let (from, after) = self.base.take().filter(|_| !is_proven)?;
        self.is_search_over = true;
        Some(self.advance(Step::Reopened { from, after }, 0))
    }

    /// As many records as there were at the beginning; a total that may only be the wall proves nothing.
    fn is_whole(&self) -> bool {
        self.mark
            .total
            .is_some_and(|total| total != WALL && self.mark.fetched >= total)
    }

    fn advance(&mut self, step: Step, fresh: u64) -> Step {
        self.count.fetched += fresh;
        if !matches!(step, Step::Reopened { .. }) {
            self.count.pages += 1;
        }
        self.mark.advance(step.clone(), fresh);
        step
    }
}
