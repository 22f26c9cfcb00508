//! How far the lanes of a walk are: which of them reads where, and what a page means for the others. Pure: pages come in,
//! steps to be kept come out.

use super::{
    mark::{Mark, Step},
    top,
    unread::Stretch,
};
use crate::domain::{ObjectCount, Record};

/// A search may say no higher total than this.
const WALL: u64 = 10_000;
/// Records that are worth a lane of their own: where two lanes meet, half a page is read twice.
const WORTH: u128 = 1500;

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
}

impl Front {
    /// Goes on from a mark; `is_plain` = with one list, from cursor to cursor.
    pub fn new(mark: Mark, is_plain: bool) -> Self {
        Self {
            mark,
            count: ObjectCount::default(),
            at: Vec::new(),
            is_plain,
        }
    }

    /// Whether there is a plainer way to walk.
    pub const fn may_be_plainer(&self) -> bool {
        !self.is_plain
    }

    /// Nothing was read yet.
    pub const fn is_new_walk(&self) -> bool {
        self.mark.span.is_none()
    }

    /// Lists can start in the middle as soon as it is known how high ids go.
    pub const fn wants_the_top(&self) -> bool {
        self.mark.by_id && self.mark.total.is_none()
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
        let end = last.map_or(place.from, |last| last.saturating_add(1));
        // Between the last record and the id where the list goes on there is nothing.
        let end = after
            .as_deref()
            .filter(|_| self.mark.by_id)
            .and_then(|after| after.parse().ok())
            .map_or(end, |next: u64| next.max(end));
        let next = after.map(|after| (end, after));
        let fresh = match &ids {
            Some(ids) => ids.iter().filter(|id| self.is_new(**id)).count() as u64,
            // An id that is no number is only ever listed.
            None => records.len() as u64,
        };
        self.at[lane] = next.as_ref().map(|(end, _)| *end);
        let step = Step::Listed { from: place.from, next };
        Ok((self.advance(step, fresh), fresh))
    }

    /// Nobody has read it. Where one list reads from cursor to cursor, ids of another length than the lowest are only ever
    /// listed, whatever the search claims, and what it brought is no news when it is not believed any more.
    fn is_new(&self, id: u64) -> bool {
        let is_searched_for = Some(id.checked_ilog10().unwrap_or(0) + 1) == self.length();
        if self.mark.by_id {
            return self.mark.unread.has(id);
        }
        let was_searched = self.mark.is_search_over && self.mark.low.is_some_and(|low| id >= low);
        !is_searched_for || (self.mark.unread.has(id) && !was_searched)
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
        if self.mark.is_search_over || self.mark.span.is_none() {
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
        let is_proven = !self.mark.unread.is_empty() || self.is_over();
        let (from, after) = self.mark.base.clone().filter(|_| !is_proven)?;
        Some(self.advance(Step::Reopened { from, after }, 0))
    }

    /// Everything was read, as far as the lanes know.
    pub fn is_over(&self) -> bool {
        self.mark.unread.is_empty() && (self.mark.by_id || self.is_whole())
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::domain::ObjectType;

    const LANES: usize = 4;

    fn record(id: u64) -> Record {
        Record {
            object: ObjectType::Contacts,
            id: id.to_string(),
            properties: BTreeMap::new(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            updated_at: jiff::Timestamp::UNIX_EPOCH,
            archived: false,
            associations: BTreeMap::new(),
            history: BTreeMap::new(),
        }
    }

    /// An account with these ids, pages of ten, searches of twenty.
    struct Account {
        ids: BTreeSet<u64>,
        by_id: bool,
    }

    impl Account {
        fn list(&self, after: Option<&str>) -> (Vec<Record>, Option<String>) {
            let after = after.map_or("0", |after| after.trim_start_matches("page:"));
            let from: u64 = after.parse().unwrap();
            let mut ids = self.ids.range(from..).copied();
            let page: Vec<Record> = ids.by_ref().take(10).map(record).collect();
            let cursor = |next: u64| {
                if self.by_id {
                    next.to_string()
                } else {
                    format!("page:{next}")
                }
            };
            (page, ids.next().map(cursor))
        }

        /// Text order, as HubSpot has it.
        fn search(&self, below: Option<u64>) -> (Vec<Record>, u64) {
            let below = below.map(|below| below.to_string());
            let mut texts: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
            texts.retain(|text| below.as_ref().is_none_or(|below| text < below));
            texts.sort_unstable_by(|a, b| b.cmp(a));
            texts.truncate(20);
            let page = texts.iter().map(|text| record(text.parse().unwrap())).collect();
            (page, self.ids.len() as u64)
        }
    }

    /// A page on its way to a lane; the last lane is the search.
    enum Page {
        Listed(Place, Vec<Record>, Option<String>),
        Searched(Option<u64>, Vec<Record>, u64),
    }

    /// Walks with pages that arrive in any order; the ids that were met, the count, and how many pages it took. Before
    /// each of the `kills` the process ends, and the next one goes on from what is kept.
    fn walk(
        account: &Account,
        order: &mut impl Iterator<Item = usize>,
        kills: &BTreeSet<usize>,
    ) -> (BTreeSet<u64>, u64, u64) {
        let mut front = Front::new(Mark::default(), false);
        // What is kept on the disk is advanced by itself, and must come to the same end.
        let mut kept = Mark::default();
        let mut met = BTreeSet::new();
        let mut lanes: Vec<Option<Page>> = (0..=LANES).map(|_| None).collect();
        for step in 0..10_000 {
            if kills.contains(&step) {
                front = Front::new(kept.clone(), false);
                lanes.fill_with(|| None);
            }
            for (lane, page) in lanes.iter_mut().take(LANES).enumerate() {
                let may = lane == 0 || (front.mark.by_id && front.mark.total.is_some());
                if page.is_none() && may {
                    let mut place = front.next_place(lane);
                    if place.is_none()
                        && lane == 0
                        && let Some(step) = front.unproven()
                    {
                        kept.advance(step, 0);
                        place = front.next_place(lane);
                    }
                    *page = place.map(|place| {
                        let (page, after) = account.list(place.after.as_deref());
                        Page::Listed(place, page, after)
                    });
                }
            }
            if lanes[LANES].is_none()
                && let Some(below) = front.search_below()
            {
                let (page, total) = account.search(below);
                lanes[LANES] = Some(Page::Searched(below, page, total));
            }
            let busy: Vec<usize> = (0..=LANES).filter(|lane| lanes[*lane].is_some()).collect();
            if busy.is_empty() {
                assert_eq!(kept.unread, front.mark.unread);
                assert!(front.mark.unread.is_empty());
                return (met, front.count.fetched, front.count.pages);
            }
            let lane = busy[order.next().unwrap_or(0) % busy.len()];
            let (records, step) = match lanes[lane].take().unwrap() {
                Page::Listed(place, records, after) => {
                    let step = front.listed(lane, &place, &records, after).unwrap();
                    (records, Some(step))
                }
                Page::Searched(below, records, total) => {
                    let step = front.searched(below, &records, total);
                    front.mark.is_search_over |= step.is_none();
                    (records, step)
                }
            };
            if let Some((step, fresh)) = step {
                kept = Mark {
                    by_id: front.mark.by_id,
                    span: front.mark.span,
                    total: front.mark.total,
                    ..kept
                };
                met.extend(records.iter().map(|record| record.id.parse::<u64>().unwrap()));
                kept.advance(step, fresh);
            }
        }
        panic!("it does not come to an end");
    }

    proptest! {
        /// Ids of one length or of several, cursors that are ids or not, pages in any order: everything is met, and
        /// counted once.
        #[test]
        fn whatever_comes_when_everything_is_met_once(
            ids in prop::collection::btree_set(90_u64..1_500, 1..400),
            shift in prop::sample::select(vec![0_u64, 10_000]),
            by_id in any::<bool>(),
            order in prop::collection::vec(0_usize..5, 200),
        ) {
            let ids: BTreeSet<u64> = ids.into_iter().map(|id| id + shift).collect();
            let account = Account { ids, by_id };
            let (met, count, _) = walk(&account, &mut order.into_iter().cycle(), &BTreeSet::new());
            prop_assert_eq!(&met, &account.ids);
            prop_assert_eq!(count, account.ids.len() as u64);
        }

        /// Killed at any moment, also between meeting and being sure of it: everything is met.
        #[test]
        fn whenever_it_is_killed_everything_is_met(
            ids in prop::collection::btree_set(90_u64..1_500, 1..400),
            by_id in any::<bool>(),
            order in prop::collection::vec(0_usize..5, 200),
            kills in prop::collection::btree_set(1_usize..60, 1..4),
        ) {
            let account = Account { ids, by_id };
            let (met, ..) = walk(&account, &mut order.into_iter().cycle(), &kills);
            prop_assert_eq!(&met, &account.ids);
        }
    }

    #[test]
    fn lanes_share_the_work() {
        let account = Account {
            ids: (100_000..104_000).collect(),
            by_id: true,
        };
        let (met, _, pages) = walk(&account, &mut (0..5).cycle(), &BTreeSet::new());
        assert_eq!(met.len(), 4_000);
        // Half by the search in pages of twenty, half by lists in pages of ten, and a few where lanes meet.
        assert!(pages < 400, "{pages}");
    }

    #[test]
    fn a_list_that_does_not_begin_where_it_was_told_to_is_not_believed() {
        let mut front = Front::new(Mark::default(), false);
        let first = front.next_place(0).unwrap();
        let page: Vec<Record> = (100..110).map(record).collect();
        front.listed(0, &first, &page, Some("110".into())).unwrap();
        front.saw_the_top(Some(999), 800);
        let second = front.next_place(1).unwrap();
        assert!(second.from > 110, "{second:?}");
        let elsewhere: Vec<Record> = (110..120).map(record).collect();
        assert_eq!(front.listed(1, &second, &elsewhere, Some("120".into())), Err(Strayed));
    }
}
