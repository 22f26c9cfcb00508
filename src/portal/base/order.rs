//! Generated records in order of their modified dates, made when a search first asks for it: four bytes a record.

use super::Base;
use crate::portal::kinds::ObjectType::{self, Companies, Contacts, Deals, Tickets};

impl Base {
    /// Every index holds a record.
    pub(in crate::portal) fn is_full(&self, object: ObjectType) -> bool {
        matches!(object, Contacts | Companies | Deals | Tickets)
    }

    /// The indexes that hold a record, by modified date and then by index.
    pub(in crate::portal) fn by_modified(&self, object: ObjectType) -> &[u32] {
        self.by_modified[object as usize].get_or_init(|| {
            let there = (0..self.span(object)).filter(|index| self.exists(object, *index));
            let mut dated: Vec<(i64, u32)> = there.map(|index| (self.modified(object, index), index)).collect();
            dated.sort_unstable();
            dated.into_iter().map(|(_, index)| index).collect()
        })
    }
}
