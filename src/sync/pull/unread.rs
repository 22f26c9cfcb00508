//! What of a type nobody has read yet, as stretches of ids. Several lanes read at once, each at its own end of a stretch,
//! and whatever a page brought is taken out. Pure, and small enough to be kept with every page that is committed.

use serde::{Deserialize, Serialize};

/// Ids from `from` on, up to but not including `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The lowest id that may be unread.
    pub from: u64,
    /// The lowest id above that was read; `None` = nothing above was.
    pub to: Option<u64>,
    /// The cursor of the page that begins at `from`; `None` = the first page of all.
    pub after: Option<String>,
}

impl Stretch {
    fn has(&self, id: u64) -> bool {
        self.from <= id && self.to.is_none_or(|to| id < to)
    }

    fn is_empty(&self) -> bool {
        self.to.is_some_and(|to| to <= self.from)
    }
}

/// The unread stretches, lowest first, never touching each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread(Vec<Stretch>);

impl Default for Unread {
    /// Everything.
    fn default() -> Self {
        Self(vec![Stretch {
            from: 0,
            to: None,
            after: None,
        }])
    }
}

impl Unread {
    /// Nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The stretches, lowest first.
    pub fn stretches(&self) -> &[Stretch] {
        &self.0
    }

    /// Whether nobody has read this id.
    pub fn has(&self, id: u64) -> bool {
        self.0.iter().any(|stretch| stretch.has(id))
    }

    /// A list page was read that began at `from`; `next` is where the list goes on: its id and cursor, `None` = it is at
    /// its end. A page that brought no id only moves the cursor.
    pub fn listed(&mut self, from: u64, next: Option<(u64, String)>) {
        match next {
            Some((end, after)) if end > from => self.take(from, end, Some(after)),
            Some((_, after)) => {
                let stretch = self.0.iter_mut().find(|stretch| stretch.from == from);
                if let Some(stretch) = stretch {
                    stretch.after = Some(after);
                }
            }
            None => self.take(from, u64::MAX, None),
        }
    }

    /// Everything from here on is to be listed after all.
    pub fn reopen(&mut self, from: u64, after: String) {
        self.take(from, u64::MAX, None);
        self.0.push(Stretch {
            from,
            to: None,
            after: Some(after),
        });
    }

    /// Every id of the stretch from `low` up to but not including `high` was read, wherever the lists stand.
    pub fn searched(&mut self, low: u64, high: u64) {
        self.take(low, high, None);
    }

    /// Reads only ids below `at` in the stretch that holds it, and those from it on as a stretch of its own, with a cursor
    /// that nobody handed out.
    pub fn split(&mut self, at: u64) {
        let Some(place) = self.0.iter().position(|stretch| stretch.has(at)) else {
            return;
        };
        if self.0[place].from == at {
            return;
        }
        let upper = Stretch {
            from: at,
            to: self.0[place].to.replace(at),
            after: Some(at.to_string()),
        };
        self.0.insert(place + 1, upper);
    }

    /// Takes ids out. What stays above them in the same stretch goes on with `after`, where that is known; a stretch that
    /// was read in its middle keeps its own cursor below, and above it is read from its lowest id.
    fn take(&mut self, from: u64, end: u64, after: Option<String>) {
        let all = std::mem::take(&mut self.0);
        for stretch in all {
            let reaches = stretch.from < end && stretch.to.is_none_or(|to| from < to);
            if !reaches {
                self.0.push(stretch);
                continue;
            }
            let below = Stretch {
                to: Some(from.max(stretch.from)),
                ..stretch.clone()
            };
            let above = Stretch {
                from: end,
                to: stretch.to,
                after: Some(after.clone().unwrap_or_else(|| end.to_string())),
            };
            let left = [below, above].into_iter().filter(|part| !part.is_empty());
            self.0.extend(left.filter(|part| part.from < u64::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans(unread: &Unread) -> Vec<(u64, Option<u64>)> {
        unread.0.iter().map(|stretch| (stretch.from, stretch.to)).collect()
    }

    #[test]
    fn a_list_and_a_search_meet() {
        let mut unread = Unread::default();
        unread.listed(0, Some((100, "c100".into())));
        assert_eq!(unread.0.last().unwrap().after.as_deref(), Some("c100"));
        unread.searched(900, u64::MAX);
        assert_eq!(spans(&unread), [(100, Some(900))]);
        unread.searched(300, 900);
        unread.listed(100, Some((250, "c250".into())));
        assert_eq!(spans(&unread), [(250, Some(300))]);
        unread.listed(250, Some((310, "c310".into())));
        assert!(unread.is_empty());
    }

    #[test]
    fn the_end_of_the_list_is_the_end_of_everything() {
        let mut unread = Unread::default();
        unread.listed(0, Some((10, "x".into())));
        unread.split(500);
        assert_eq!(spans(&unread), [(10, Some(500)), (500, None)]);
        unread.listed(10, None);
        assert!(unread.is_empty());
    }

    #[test]
    fn a_search_that_covers_one_length_of_ids_leaves_the_longer_ones() {
        let mut unread = Unread::default();
        unread.listed(0, Some((20, "20".into())));
        unread.searched(50, 100);
        assert_eq!(spans(&unread), [(20, Some(50)), (100, None)]);
        assert_eq!(unread.0.last().unwrap().after.as_deref(), Some("100"));
    }

    proptest! {
        /// Whatever is read in whatever order: an id is unread exactly as long as no page held it, and every stretch can
        /// be listed from its lowest id.
        #[test]
        fn nothing_is_read_twice_and_nothing_is_left_out(
            steps in prop::collection::vec((0_u64..200, 1_u64..40, any::<bool>()), 1..40),
        ) {
            let mut unread = Unread::default();
            let mut read = [false; 240];
            for (from, length, splits) in steps {
                if splits {
                    unread.split(from);
                }
                let end = from + length;
                unread.listed(from, Some((end, format!("c{end}"))));
                read[from as usize..end as usize].fill(true);
                for (id, was_read) in (0_u64..).zip(read) {
                    prop_assert_eq!(unread.has(id), !was_read, "{}", id);
                }
                for pair in unread.0.windows(2) {
                    prop_assert!(pair[0].to.unwrap() <= pair[1].from);
                }
            }
        }
    }
}
