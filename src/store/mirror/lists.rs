//! HubSpot's lists and who is in them, since when, and who joined or left.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Mirror, MirrorView, catalog, codec, names::Tx};
use crate::{
    domain::{List, ListId, ListMember, MemberChange, Membership},
    store::Result,
};

/// How long it is remembered who joined and who left.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 400);

impl MirrorView {
    /// The lists, by name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lists(&self) -> Result<Vec<List>> {
        let mut statement = self.conn.prepare_cached("SELECT json FROM list")?;
        let jsons = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut lists: Vec<List> = jsons
            .map(|json| Ok(serde_json::from_str(&json?)?))
            .collect::<Result<_>>()?;
        lists.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
        Ok(lists)
    }

    /// What a list said of itself when its members were last known to be right; `None` = they never were.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list_told(&self, list: &ListId) -> Result<Option<String>> {
        let told: Option<Option<String>> = self
            .conn
            .prepare_cached("SELECT told FROM list WHERE id = ?1")?
            .query_row([codec::id(list.as_str())], |row| row.get(0))
            .optional()?;
        Ok(told.flatten())
    }

    /// How many members a list has here, and when the last of them joined.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn member_count(&self, list: &ListId) -> Result<(u64, Option<Timestamp>)> {
        let found = self
            .conn
            .prepare_cached("SELECT count(*), max(joined) FROM member WHERE list = ?1")?
            .query_row([codec::id(list.as_str())], |row| {
                Ok((row.get::<_, i64>(0)?, codec::time_or_none(row, 1)?))
            })?;
        Ok((found.0.cast_unsigned(), found.1))
    }

    /// The members of the list are being read, and the last page was not yet met.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn members_open(&self, list: &ListId) -> Result<bool> {
        is_open(&self.conn, list)
    }

    /// The members of a list, by record id.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn members(&self, list: &ListId) -> Result<Vec<ListMember>> {
        members(&self.conn, list)
    }

    /// The lists a contact is in, and since when.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lists_of(&self, contact: &str) -> Result<Vec<Membership>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT list, joined FROM member WHERE record = ?1 ORDER BY list")?;
        let rows = statement.query_map([codec::id(contact)], |row| {
            Ok(Membership {
                list: codec::id_text(row, 0)?.into(),
                joined_at: codec::time_or_none(row, 1)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Who joined or left which list since then, oldest first. What was there when a list was first read is no change.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn member_changes(&self, since: Timestamp) -> Result<Vec<MemberChange>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT list, record, joins, at FROM member_change WHERE at >= ?1 ORDER BY at, n")?;
        let rows = statement.query_map([since.as_millisecond()], |row| {
            Ok(MemberChange {
                list: codec::id_text(row, 0)?.into(),
                record: codec::id_text(row, 1)?,
                joins: row.get(2)?,
                at: codec::time(row, 3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Mirror {
    /// Replaces the lists; those that are not named any more are gone with their members.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_lists(&mut self, lists: &[List]) -> Result<()> {
        self.write(|tx| {
            let named: BTreeSet<&str> = lists.iter().map(|list| list.id.as_str()).collect();
            let known: Vec<String> = tx
                .prepare_cached("SELECT id FROM list")?
                .query_map([], |row| codec::id_text(row, 0))?
                .collect::<rusqlite::Result<_>>()?;
            for gone in known.iter().filter(|id| !named.contains(id.as_str())) {
                close(tx, &ListId::from(gone.as_str()))?;
                for table in ["list WHERE id", "member WHERE list"] {
                    tx.execute(&format!("DELETE FROM {table} = ?1"), [codec::id(gone)])?;
                }
            }
            for list in lists {
                tx.prepare_cached(
                    "INSERT INTO list (id, json) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET json = ?2",
                )?
                .execute(params![codec::id(list.id.as_str()), serde_json::to_string(list)?])?;
            }
            Ok(())
        })
    }

    /// Replaces the members of a list, as they were when it said `told` of itself; who joined and who left, as of `at`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_members(&mut self, list: &ListId, now: &[ListMember], told: &str, at: Timestamp) -> Result<()> {
        self.write(|tx| {
            begin(tx, list)?;
            for member in now {
                meet(tx, list, member, at)?;
            }
            finish(tx, list, told, at)
        })
    }

    /// Begins (or begins again) to read the members of a list from its first page, with the cursor that says so. Whoever
    /// joins from now on counts as met, however that was learnt, also by the next process if this one ends in between.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn members_begin(&mut self, list: &ListId, cursor: (&str, &str)) -> Result<()> {
        self.write(|tx| {
            begin(tx, list)?;
            catalog::set_cursor(tx, cursor.0, cursor.1)
        })
    }

    /// Takes over one page of members and moves the cursor, in one transaction. Nobody has left as yet.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn members_page(
        &mut self,
        list: &ListId,
        page: &[ListMember],
        at: Timestamp,
        cursor: (&str, &str),
    ) -> Result<()> {
        self.write(|tx| {
            for member in page {
                meet(tx, list, member, at)?;
            }
            catalog::set_cursor(tx, cursor.0, cursor.1)
        })
    }

    /// Takes over the last page, in one transaction with what follows from it: whoever no page named has left, and the list
    /// is right as of when it said `told`. Without a beginning nobody leaves, and the list is to be read again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn members_finish(
        &mut self,
        list: &ListId,
        page: &[ListMember],
        told: &str,
        at: Timestamp,
        cursor: (&str, &str),
    ) -> Result<()> {
        self.write(|tx| {
            for member in page {
                meet(tx, list, member, at)?;
            }
            if is_open(tx, list)? {
                finish(tx, list, told, at)?;
            }
            catalog::set_cursor(tx, cursor.0, cursor.1)
        })
    }

    /// Takes over in which of the lists that are known here contacts are.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_memberships(&mut self, contacts: &[(String, Vec<Membership>)], at: Timestamp) -> Result<()> {
        self.write(|tx| {
            let read: BTreeSet<String> = tx
                .prepare_cached("SELECT id FROM list WHERE told IS NOT NULL")?
                .query_map([], |row| codec::id_text(row, 0))?
                .collect::<rusqlite::Result<_>>()?;
            for (contact, lists) in contacts {
                let before: Vec<String> = tx
                    .prepare_cached("SELECT list FROM member WHERE record = ?1")?
                    .query_map([codec::id(contact)], |row| codec::id_text(row, 0))?
                    .collect::<rusqlite::Result<_>>()?;
                for gone in before
                    .iter()
                    .filter(|id| !lists.iter().any(|now| now.list.as_str() == **id))
                {
                    let list = ListId::from(gone.as_str());
                    leave(tx, &list, contact)?;
                    note(tx, &list, contact, false, at)?;
                }
                for now in lists.iter().filter(|now| read.contains(now.list.as_str())) {
                    let joined = now.joined_at.map(codec::whole_millis);
                    if !before.iter().any(|id| id == now.list.as_str()) {
                        note(tx, &now.list, contact, true, joined.unwrap_or(at))?;
                    }
                    join(tx, &now.list, contact, joined)?;
                }
            }
            forget(tx, at)
        })
    }

    /// The members of a list are right although they were not read: it says `told` of itself, and that is what is here.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn members_are(&mut self, list: &ListId, told: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE list SET told = ?2 WHERE id = ?1",
                params![codec::id(list.as_str()), told],
            )?;
            Ok(())
        })
    }
}

/// A contact that is gone is in no list any more.
pub(super) fn leave_all(tx: &Tx<'_>, contact: &str) -> Result<()> {
    tx.prepare_cached("DELETE FROM member WHERE record = ?1")?
        .execute([codec::id(contact)])?;
    Ok(())
}

fn members(conn: &Connection, list: &ListId) -> Result<Vec<ListMember>> {
    let mut statement = conn.prepare_cached("SELECT record, joined FROM member WHERE list = ?1 ORDER BY record")?;
    let rows = statement.query_map([codec::id(list.as_str())], |row| {
        Ok(ListMember {
            record: codec::id_text(row, 0)?,
            joined_at: codec::time_or_none(row, 1)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The reading of a list is kept beside those of the types, whose numbers are positive: under the negative of its row.
const READING: &str = "(SELECT -rowid FROM list WHERE id = ?1)";

/// Forgets what was met so far. Where there is no member yet, nobody can be found to have left, and nobody takes note.
fn begin(tx: &Tx<'_>, list: &ListId) -> Result<()> {
    close(tx, list)?;
    tx.execute(
        "INSERT INTO relist (object, is_first) \
         SELECT -rowid, NOT EXISTS (SELECT 1 FROM member WHERE list = ?1) FROM list WHERE id = ?1",
        [codec::id(list.as_str())],
    )?;
    Ok(())
}

fn is_open(conn: &Connection, list: &ListId) -> Result<bool> {
    let open = conn
        .prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM relist WHERE object = {READING})"
        ))?
        .query_row([codec::id(list.as_str())], |row| row.get(0))?;
    Ok(open)
}

/// A page names a member: whoever was none before has joined.
fn meet(tx: &Tx<'_>, list: &ListId, member: &ListMember, at: Timestamp) -> Result<()> {
    let joined = member.joined_at.map(codec::whole_millis);
    let before: Option<Option<Timestamp>> = tx
        .prepare_cached("SELECT joined FROM member WHERE list = ?1 AND record = ?2")?
        .query_row([codec::id(list.as_str()), codec::id(&member.record)], |row| {
            codec::time_or_none(row, 0)
        })
        .optional()?;
    if before.is_none() {
        note(tx, list, &member.record, true, joined.unwrap_or(at))?;
    }
    if before == Some(joined) {
        return saw(tx, list, &member.record);
    }
    join(tx, list, &member.record, joined)
}

/// Takes out whoever was not met since the beginning, however many they are, without listing them in memory.
fn finish(tx: &Tx<'_>, list: &ListId, told: &str, at: Timestamp) -> Result<()> {
    let id = codec::id(list.as_str());
    let unmet = format!(
        "FROM member WHERE list = ?1 \
         AND EXISTS (SELECT 1 FROM relist WHERE object = {READING} AND is_first = 0) \
         AND NOT EXISTS (SELECT 1 FROM relist_seen AS s WHERE s.object = {READING} AND s.id = member.record)"
    );
    if is_read(tx, list)? {
        tx.execute(
            &format!("INSERT INTO member_change (list, record, joins, at) SELECT list, record, 0, ?2 {unmet}"),
            params![id, at.as_millisecond()],
        )?;
    }
    tx.execute(&format!("DELETE {unmet}"), [&id])?;
    close(tx, list)?;
    tx.execute("UPDATE list SET told = ?2 WHERE id = ?1", params![id, told])?;
    forget(tx, at)
}

fn close(tx: &Tx<'_>, list: &ListId) -> Result<()> {
    for table in ["relist", "relist_seen"] {
        tx.execute(
            &format!("DELETE FROM {table} WHERE object = {READING}"),
            [codec::id(list.as_str())],
        )?;
    }
    Ok(())
}

/// Takes note that somebody is a member, while the list is being read.
fn saw(tx: &Tx<'_>, list: &ListId, record: &str) -> Result<()> {
    tx.prepare_cached(&format!(
        "INSERT OR IGNORE INTO relist_seen (object, id) \
         SELECT object, ?2 FROM relist WHERE object = {READING} AND is_first = 0"
    ))?
    .execute([codec::id(list.as_str()), codec::id(record)])?;
    Ok(())
}

/// The list was read whole before: what is different now is news.
fn is_read(conn: &Connection, list: &ListId) -> Result<bool> {
    let read = conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM list WHERE id = ?1 AND told IS NOT NULL)")?
        .query_row([codec::id(list.as_str())], |row| row.get(0))?;
    Ok(read)
}

fn join(tx: &Tx<'_>, list: &ListId, record: &str, joined: Option<Timestamp>) -> Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO member (list, record, joined) VALUES (?1, ?2, ?3)")?
        .execute(params![
            codec::id(list.as_str()),
            codec::id(record),
            joined.map(Timestamp::as_millisecond)
        ])?;
    saw(tx, list, record)
}

fn leave(tx: &Tx<'_>, list: &ListId, record: &str) -> Result<()> {
    tx.prepare_cached("DELETE FROM member WHERE list = ?1 AND record = ?2")?
        .execute(params![codec::id(list.as_str()), codec::id(record)])?;
    Ok(())
}

/// Who joins or leaves a list that was never read whole does not do so now.
fn note(tx: &Tx<'_>, list: &ListId, record: &str, joins: bool, at: Timestamp) -> Result<()> {
    if !is_read(tx, list)? {
        return Ok(());
    }
    tx.prepare_cached("INSERT INTO member_change (list, record, joins, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            codec::id(list.as_str()),
            codec::id(record),
            joins,
            at.as_millisecond()
        ])?;
    Ok(())
}

fn forget(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    let before = now.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
    tx.prepare_cached("DELETE FROM member_change WHERE at < ?1")?
        .execute([before.as_millisecond()])?;
    Ok(())
}

#[cfg(test)]
mod tests;
