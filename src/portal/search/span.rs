//! Where a search looks among the generated records: bounds on the id or on the modified date lead to a run of rows, so that
//! a question about a few of a million looks at a few. What a run leaves out, no filter would have held for; records that
//! differ from the generated account are never part of it.

use std::ops::Range;

use super::Question;
use super::filter::Filter;
use crate::portal::base::Base;
use crate::portal::kinds::ObjectType;

/// Looking up modified dates in order pays only where a run of ids would be longer than this.
const SHORT: u32 = 4_096;

/// A run of generated records that may be what is asked for.
pub(super) struct Span<'a> {
    base: &'a Base,
    object: ObjectType,
    /// Existing indexes by modified date, when the run lies along it; along the ids otherwise.
    order: Option<&'a [u32]>,
    /// Indexes, or places in `order`.
    range: Range<u32>,
    /// Every filter holds for every record of the run, so that nobody needs to look.
    pub certain: bool,
}

impl<'a> Span<'a> {
    pub(super) fn new(base: &'a Base, object: ObjectType, question: &Question) -> Self {
        let groups = question.groups.as_slice();
        let modified = object.modified_property();
        let sorted = question.sort.name == modified;
        let along_ids = |range, certain| Self {
            base,
            object,
            order: None,
            range,
            certain: certain && question.words.is_empty(),
        };
        let group = match groups {
            [] => &[][..],
            [group] => group.as_slice(),
            _ => {
                let runs = groups.iter().map(|group| by_id(base, object, group).0);
                let hull = runs.filter(|run| !run.is_empty());
                let hull = hull.reduce(|all, run| all.start.min(run.start)..all.end.max(run.end));
                return along_ids(hull.unwrap_or(0..0), false);
            }
        };
        let (ids, only_ids) = by_id(base, object, group);
        let dated = group.iter().any(|filter| filter.is_run(modified));
        if ids.len() > SHORT as usize && (dated || (sorted && only_ids && ids == (0..base.span(object)))) {
            let order = base.by_modified(object);
            let mut range = 0..u32::try_from(order.len()).unwrap_or(u32::MAX);
            for filter in group.iter().filter(|filter| filter.is_run(modified)) {
                range = filter.part(range, |place| {
                    Filter::date(base.modified(object, order[place as usize]))
                });
            }
            if !dated || range.len() < ids.len() {
                let certain = question.words.is_empty() && group.iter().all(|filter| filter.is_run(modified));
                return Self {
                    base,
                    object,
                    order: Some(order),
                    range,
                    certain,
                };
            }
        }
        along_ids(ids, only_ids)
    }

    /// How many records there are in the run.
    pub(super) fn count(&self) -> usize {
        if self.order.is_some() || self.base.is_full(self.object) {
            return self.range.len();
        }
        self.range
            .clone()
            .filter(|index| self.base.exists(self.object, *index))
            .count()
    }

    /// The run's records as indexes, along the ids or along the modified date.
    pub(super) fn indexes(&self) -> impl DoubleEndedIterator<Item = u32> {
        let index = |place| self.order.map_or(place, |order| order[place as usize]);
        let there = |index: &u32| self.order.is_some() || self.base.exists(self.object, *index);
        self.range.clone().map(index).filter(there)
    }

    /// The run is already in the order that is asked for.
    pub(super) fn is_along(&self, sort: &str) -> bool {
        match self.order {
            Some(_) => sort == self.object.modified_property(),
            None => sort == "hs_object_id",
        }
    }

    /// False for a record that is certainly not in the run.
    pub(super) fn may_hold(&self, index: u32) -> bool {
        self.order.is_some() || self.range.contains(&index)
    }

    /// Whether a record is in a run that is certain; `asked_for` tells whether the filters hold for it.
    pub(super) fn holds(&self, index: u32, asked_for: impl Fn(u32) -> bool) -> bool {
        self.order
            .map_or_else(|| self.range.contains(&index), |_| asked_for(index))
    }

    /// The first `depth` records of the run in its own order, from its end when that descends, and those of the same date as
    /// the last of them, whom the order of ids may prefer.
    pub(super) fn first(&self, depth: usize, descending: bool, leave_out: impl Fn(u32) -> bool) -> Vec<u32> {
        let indexes: Box<dyn Iterator<Item = u32>> = match descending {
            true => Box::new(self.indexes().rev()),
            false => Box::new(self.indexes()),
        };
        let mut first: Vec<u32> = Vec::new();
        for index in indexes.filter(|index| !leave_out(*index)) {
            let date = |index| self.order.map(|_| self.base.modified(self.object, index));
            let beyond = first.len() >= depth;
            if beyond && (self.order.is_none() || first.last().map(|last| date(*last)) != Some(date(index))) {
                break;
            }
            first.push(index);
        }
        first
    }
}

/// The run of indexes that a group's filters on the id leave, and whether the group has no other filters. Ids compare as
/// text: only among ids of one length is that the order of the indexes.
fn by_id(base: &Base, object: ObjectType, group: &[Filter]) -> (Range<u32>, bool) {
    let all = 0..base.span(object);
    let digits = |index| base.id(object, index).checked_ilog10();
    if all.end > 0 && digits(0) != digits(all.end - 1) {
        return (all, group.is_empty());
    }
    let bounds = group.iter().filter(|filter| filter.is_run("hs_object_id"));
    let run = bounds.clone().fold(all, |run, filter| {
        filter.part(run, |index| Filter::id(base.id(object, index)))
    });
    (run, bounds.count() == group.len())
}
