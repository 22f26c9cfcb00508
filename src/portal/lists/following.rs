//! Lists follow their records: who is archived, forgotten or merged away is a member of none; who fits the filter of an
//! evaluated list, or no longer does, joins or leaves it with the change.

use super::{List, Rule};
use crate::portal::kinds::ObjectType;
use crate::portal::world::World;

/// So many records a list is evaluated among when it opens, lowest ids first, so that a million contacts open at once.
/// Later it takes in every record that is created or changed, wherever its id lies.
const LOOKED_AT: usize = 20_000;

impl World {
    /// A record has changed: its lists follow.
    pub(in crate::portal) fn follow(&mut self, object: ObjectType, id: u64) {
        let (now, lag) = (self.clock.now(), self.list_lag);
        let row = self.truth.row(object, id).filter(|row| row.archived_at().is_none());
        for list in self.lists.iter_mut().filter(|list| list.object() == Some(object)) {
            match (row, &list.rule) {
                (None, _) => _ = list.remove(&[id], now, lag),
                (Some(row), Some(rule)) if rule.holds(row) => _ = list.add(&[id], now, lag),
                (Some(_), Some(_)) => _ = list.remove(&[id], now, lag),
                (Some(_), None) => {}
            }
        }
    }

    /// The survivor of a merge takes the places that the merged records had in lists that people keep, with the earlier
    /// time of joining.
    pub(in crate::portal) fn inherit(&mut self, object: ObjectType, survivor: u64, merged: [u64; 2]) {
        let (now, lag) = (self.clock.now(), self.list_lag);
        let kept = |list: &&mut List| list.object() == Some(object) && !list.is_dynamic();
        for list in self.lists.iter_mut().filter(kept) {
            let joined = merged.iter().filter_map(|old| list.members.get(old)).min().copied();
            if let Some(joined) = joined {
                list.take_in(survivor, joined, now, lag);
            }
        }
    }

    /// The records that a rule holds for, as far as an opening list looks.
    pub(in crate::portal) fn fitting(&self, object: ObjectType, rule: &Rule) -> Vec<u64> {
        let low = self.truth.ids(object, 0).take(LOOKED_AT);
        let mut ids: Vec<u64> = low.chain(self.truth.kept_ids(object)).collect();
        ids.sort_unstable();
        ids.dedup();
        let fits = |id: &u64| {
            let row = self.truth.row(object, *id);
            row.is_some_and(|row| row.archived_at().is_none() && rule.holds(row))
        };
        ids.into_iter().filter(fits).collect()
    }
}
