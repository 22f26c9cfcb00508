//! The mirror: a copy of what HubSpot holds, disposable by design. Rows only ever move forward: a record whose
//! `updatedAt` is older than the mirror's is dropped, because search answers from an index that lags.
//!
//! It refuses to hold anything of ours (that is the outbox's), to interpret a record beyond the columns it sorts and
//! filters by, and to keep property history beside a record: the past of the few properties that people ask about is kept
//! by itself ([`watched`]); who needs any other reads it from HubSpot, fresh.

mod catalog;
mod codec;
mod feed;
mod history;
mod ids;
mod links;
mod lists;
mod load;
mod names;
mod notes;
mod page;
mod put;
mod relist;
mod segments;
mod typed;
mod view;

pub use history::{Due, PastChange, watched};

use std::{ops::Deref, path::Path};

use rusqlite::Connection;
use rusqlite_migration::M;

pub(super) use codec::id as id_value;
pub use segments::KeptCount;

use super::{Result, files, sql};
use crate::{domain::Record, filter::Plan};

/// The first step is the layout of the first weeks: a file of it is emptied by the second, and read again.
const STEPS: &[M<'static>] = &[M::up(""), M::up(include_str!("schema.sql"))];

/// How a record was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// By its id, or the answer to our own write: the truth of that moment.
    Direct,
    /// A page of a list.
    List,
    /// A page of a search: the index lags.
    Search,
}

/// How records are put into the mirror.
#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    /// How they were read.
    pub via: Via,
    /// `(name, value)` of the cursors to move in the same transaction.
    pub cursors: &'a [(&'a str, &'a str)],
}

impl<'a> Put<'a> {
    /// Records read in this way, without a cursor.
    #[must_use]
    pub const fn via(via: Via) -> Self {
        Self { via, cursors: &[] }
    }

    /// Moves these cursors in the same transaction.
    #[must_use]
    pub const fn with_cursors(self, cursors: &'a [(&'a str, &'a str)]) -> Self {
        Self { cursors, ..self }
    }
}

/// A record that looks different in the mirror now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its id.
    pub id: String,
    /// The whole record before; `None` = new in the mirror.
    pub before: Option<Record>,
    /// The whole record now.
    pub after: Record,
}

/// What a listing is sorted by. Ties stand in the order in which the mirror met the records; unset values come last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// The id, as a number where it is one; with the times the only key that every type has.
    #[default]
    Id,
    /// When HubSpot made it.
    Created,
    /// When it last changed.
    Updated,
    /// A contact's last activity.
    Activity,
    /// A contact's name as people see it.
    Name,
    /// A contact's e-mail.
    Email,
    /// A contact's company text.
    Company,
    /// A contact's lifecycle stage.
    Lifecycle,
    /// A contact's owner.
    Owner,
}

/// The order of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Largest first.
    pub descending: bool,
}

/// One page of a listing.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Which records; `None` = all. Fields of contacts, and properties of any type. Deals are shown with pending
    /// operations on top, so their own fields are filtered in memory, not here.
    pub plan: Option<Plan>,
    /// In which order.
    pub sort: Sort,
    /// At most so many rows.
    pub limit: usize,
    /// Rows to skip; slow when large, [`Query::after`] is not.
    pub offset: usize,
    /// `next_after` of the page before, in the same order.
    pub after: Option<String>,
    /// Leave out how many there are in all (it is 0 then): of many pages only the first needs it.
    pub uncounted: bool,
}

/// Everything that reads the mirror.
#[derive(Debug)]
pub struct MirrorView {
    conn: Connection,
    names: names::Names,
}

/// Everything that changes the mirror; reads like a [`MirrorView`].
#[derive(Debug)]
pub struct Mirror {
    view: MirrorView,
}

impl Deref for Mirror {
    type Target = MirrorView;

    fn deref(&self) -> &MirrorView {
        &self.view
    }
}

impl Mirror {
    /// Opens the file, and what there is to say about it. A damaged one is moved aside: HubSpot still has everything.
    pub(super) fn open(dir: &Path) -> Result<(Self, Option<String>)> {
        let (conn, notice) = files::open_or_rebuild(dir, files::MIRROR, STEPS)?;
        sql::functions(&conn)?;
        Ok((
            Self {
                view: MirrorView::new(conn),
            },
            notice,
        ))
    }

    /// The connection, for a test that makes the disk full.
    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.view.conn
    }
}

impl MirrorView {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let conn = files::open_to_read(dir, files::MIRROR)?;
        sql::functions(&conn)?;
        Ok(Self::new(conn))
    }

    fn new(conn: Connection) -> Self {
        Self {
            conn,
            names: names::Names::default(),
        }
    }
}
