//! Where a walk over pages stands, and the proof that it goes on. HubSpot's cursors are opaque: all that can be told of
//! them is whether one was there before, and a walk that comes back to one would never end.

use super::{failure::Failure, signal::Signal};

/// A walk over pages. Cursors that go in a circle, of whatever length, are noticed before the circle was walked three
/// times, with two cursors remembered and no more (Brent's way of finding a cycle).
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// The cursor of the next page; `None` = the first page, or behind the last one.
    at: Option<String>,
    /// A cursor from before, against which every later one is held.
    mark: Option<String>,
    /// Steps since the mark was set, and after how many it is set anew.
    steps: u64,
    limit: u64,
}

impl Cursor {
    /// Goes on at a cursor from before; `None` = at the first page.
    #[must_use]
    pub const fn at(after: Option<String>) -> Self {
        Self {
            at: after,
            mark: None,
            steps: 0,
            limit: 0,
        }
    }

    /// The cursor to ask with.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.at.as_deref()
    }

    /// Steps to the next page, whose cursor this is; false on the last one.
    ///
    /// # Errors
    /// [`Signal::Unreadable`] when the cursors lead back to where the walk has been.
    pub fn advance(&mut self, next: Option<String>) -> Result<bool, Failure> {
        if next.is_some() && (next == self.at || next == self.mark) {
            return Err(Failure::new(
                Signal::Unreadable,
                "HubSpot's answer leads back to the same page",
            ));
        }
        if self.steps == self.limit {
            self.mark.clone_from(&next);
            self.steps = 0;
            self.limit = self.limit.max(1) * 2;
        }
        self.steps += 1;
        self.at = next;
        Ok(self.at.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(mut cursors: impl Iterator<Item = String>) -> Result<usize, usize> {
        let mut cursor = Cursor::default();
        let mut pages = 1;
        loop {
            match cursor.advance(cursors.next()) {
                Ok(true) => pages += 1,
                Ok(false) => return Ok(pages),
                Err(_) => return Err(pages),
            }
        }
    }

    #[test]
    fn a_walk_ends_at_its_last_page() {
        assert_eq!(walk(std::iter::empty()), Ok(1));
        assert_eq!(walk((0..5_000).map(|n| n.to_string())), Ok(5_001));
    }

    #[test]
    fn a_circle_is_noticed_wherever_it_begins_and_however_long_it_is() {
        for before in [0, 1, 2, 7, 100] {
            for length in [1, 2, 3, 5, 64, 65] {
                let line = (0..before).map(|n| format!("line {n}"));
                let circle = (0..length).map(|n| format!("circle {n}"));
                let pages = walk(line.chain(circle.cycle())).unwrap_err();
                assert!(
                    pages <= 3 * (before + length) + 1,
                    "{before} and {length}: {pages} pages"
                );
            }
        }
    }
}
