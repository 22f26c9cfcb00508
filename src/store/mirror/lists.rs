//! HubSpot's lists and who is in them, since when, and who joined or left.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Mirror, MirrorView, codec, names::Tx};
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
            let id = codec::id(list.as_str());
            let is_first: bool = tx
                .prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM list WHERE id = ?1 AND told IS NOT NULL)")?
                .query_row([&id], |row| row.get(0))?;
            let before: BTreeMap<String, Option<Timestamp>> = members(tx, list)?
                .into_iter()
                .map(|member| (member.record, member.joined_at))
                .collect();
            let after: BTreeSet<&str> = now.iter().map(|member| member.record.as_str()).collect();
            for gone in before.keys().filter(|record| !after.contains(record.as_str())) {
                leave(tx, list, gone)?;
                note(tx, list, gone, false, at, is_first)?;
            }
            for member in now {
                let joined = member.joined_at.map(codec::whole_millis);
                match before.get(&member.record) {
                    Some(known) if *known == joined => continue,
                    Some(_) => {}
                    None => note(tx, list, &member.record, true, joined.unwrap_or(at), is_first)?,
                }
                join(tx, list, &member.record, joined)?;
            }
            tx.execute("UPDATE list SET told = ?2 WHERE id = ?1", params![id, told])?;
            forget(tx, at)
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
                    note(tx, &list, contact, false, at, false)?;
                }
                for now in lists.iter().filter(|now| read.contains(now.list.as_str())) {
                    let joined = now.joined_at.map(codec::whole_millis);
                    if !before.iter().any(|id| id == now.list.as_str()) {
                        note(tx, &now.list, contact, true, joined.unwrap_or(at), false)?;
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

fn join(tx: &Tx<'_>, list: &ListId, record: &str, joined: Option<Timestamp>) -> Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO member (list, record, joined) VALUES (?1, ?2, ?3)")?
        .execute(params![
            codec::id(list.as_str()),
            codec::id(record),
            joined.map(Timestamp::as_millisecond)
        ])?;
    Ok(())
}

fn leave(tx: &Tx<'_>, list: &ListId, record: &str) -> Result<()> {
    tx.prepare_cached("DELETE FROM member WHERE list = ?1 AND record = ?2")?
        .execute(params![codec::id(list.as_str()), codec::id(record)])?;
    Ok(())
}

fn note(tx: &Tx<'_>, list: &ListId, record: &str, joins: bool, at: Timestamp, is_first: bool) -> Result<()> {
    if is_first {
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
