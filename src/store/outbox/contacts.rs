//! Contacts of one's own and what people decide about them. A contact and its push (`pushes.rs`) are kept in one
//! transaction, many contacts in one. None of this is on the undo stack: what HubSpot has been told about a contact is not taken back by a key.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use super::{
    Outbox, OutboxView,
    pushes::{REPLACEABLE, follow, is_on_the_wire, push, pushes, take_back},
    rows,
};
use crate::{
    domain::{Behind, ContactOperation, ImportCount, LocalContact, NewContact, OpState, PushDecision},
    store::{Moment, Result, reached},
};

/// How contacts are pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pushing {
    /// `portalId` they are meant for; unknown before the first contact with HubSpot: then they wait for it.
    pub account: Option<u64>,
    /// A property that every push sets besides, and its value.
    pub stamp: Option<(String, String)>,
    /// Also what HubSpot has already, what a person did not want pushed, and what waits for its next try.
    pub anyway: bool,
    /// What else is to happen to each of them.
    pub behind: Vec<Behind>,
}

/// What became of contacts that were to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptContacts {
    /// In numbers.
    pub count: ImportCount,
    /// Their numbers here, in the order they were given.
    pub numbers: Vec<u64>,
}

const COLUMNS: &str = "c.n, c.email, c.properties, c.decision, coalesce(o.remote_id, c.hubspot_id), c.created_at, \
     c.updated_at, c.decided_at, o.id, o.state, o.attempts, o.created_at, o.claimed_at, o.not_before, o.error";
const FROM: &str = "FROM contact AS c LEFT JOIN op AS o ON o.id = c.op_id";

/// In the partial index `contact_waiting`.
pub(in crate::store) const HAS_WAITING: &str =
    "SELECT EXISTS (SELECT 1 FROM contact WHERE decision = 'Queued' AND op_id IS NULL)";
/// In the partial index `contact_waiting`.
pub(in crate::store) const WAITING: &str = "WHERE c.decision = 'Queued' AND c.op_id IS NULL ORDER BY c.n";
/// In the partial index `contact_selected`.
pub(in crate::store) const SELECTED: &str = "WHERE c.decision = 'Selected' \
     AND (o.state IS NULL OR o.state NOT IN ('queued', 'in_flight', 'uncertain')) ORDER BY c.updated_at, c.n";

impl OutboxView {
    /// Every contact of one's own, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contacts(&self) -> Result<Vec<LocalContact>> {
        select(&self.conn, "ORDER BY c.n", &[])
    }

    /// The contact with this number.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contact(&self, n: u64) -> Result<Option<LocalContact>> {
        Ok(select(&self.conn, "WHERE c.n = ?1", &[&n.cast_signed()])?.pop())
    }

    /// The contact with this e-mail address.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contact_of(&self, email: &str) -> Result<Option<LocalContact>> {
        by_email(&self.conn, email)
    }

    /// The contacts that HubSpot knows under this id.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contacts_called(&self, hubspot_id: &str) -> Result<Vec<LocalContact>> {
        select(&self.conn, "WHERE c.hubspot_id = ?1 ORDER BY c.n", &[&hubspot_id])
    }

    /// How many of these contacts are where: by decision and state of the newest operation.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contact_states(&self, numbers: &[u64]) -> Result<Vec<(PushDecision, Option<OpState>, u64)>> {
        let numbers = serde_json::to_string(numbers)?;
        let sql = format!(
            "SELECT c.decision, o.state, count(*) {FROM} WHERE c.n IN (SELECT value FROM json_each(?1)) GROUP BY 1, 2"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let counted = statement.query_map([numbers], |row| {
            let state = row.get::<_, Option<String>>(1)?.map(|_| rows::state(row, 1));
            Ok((
                decision(row, 0)?,
                state.transpose()?,
                row.get::<_, i64>(2)?.cast_unsigned(),
            ))
        })?;
        Ok(counted.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether contacts wait that nobody could push yet, because the account was not known.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn has_waiting_contacts(&self) -> Result<bool> {
        let has = self.conn.prepare_cached(HAS_WAITING)?.query_row([], |row| row.get(0))?;
        Ok(has)
    }
}

impl Outbox {
    /// Keeps contacts and queues their pushes, all or none. One that is known is extended by the new values; one that
    /// HubSpot has with these values, or is about to get with them, is left alone.
    ///
    /// # Errors
    /// [`Error::Full`]; nothing is kept then.
    pub fn keep_contacts(&mut self, contacts: &[NewContact], how: &Pushing, now: Timestamp) -> Result<KeptContacts> {
        let kept = self.write(|tx| {
            let kept = keep(tx, contacts, how, now)?;
            reached(Moment::IntentBegun);
            Ok(kept)
        })?;
        reached(Moment::IntentCommitted);
        Ok(kept)
    }

    /// What keeping these contacts would come to: it is done, counted, and rolled back.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn plan_contacts(&mut self, contacts: &[NewContact], how: &Pushing, now: Timestamp) -> Result<ImportCount> {
        let tx = (self.view.conn).transaction_with_behavior(TransactionBehavior::Immediate)?;
        let kept = keep(&tx, contacts, how, now)?;
        tx.rollback()?;
        Ok(kept.count)
    }

    /// Queues the pushes of contacts that wait for the account to be known, oldest first; at most so many. Answers their
    /// number.
    ///
    /// # Errors
    /// [`Error::Full`]; nothing is queued then.
    pub fn push_waiting(&mut self, most: usize, how: &Pushing, now: Timestamp) -> Result<usize> {
        self.write(|tx| {
            let waiting = first(tx, WAITING, most, |_| true)?;
            for row in &waiting {
                push(tx, row, how, now)?;
            }
            Ok(waiting.len())
        })
    }

    /// One run of the scheduler: queues the pushes of the selected contacts that were changed longest ago, and notes under
    /// `key` when that was. The operations are the claim: no other run takes these contacts again.
    ///
    /// # Errors
    /// [`Error::Full`]; nothing is queued then.
    pub fn push_selected(&mut self, most: usize, key: &str, how: &Pushing, now: Timestamp) -> Result<usize> {
        self.write(|tx| {
            let selected = first(tx, SELECTED, most, |row| !row.is_refused())?;
            for row in &selected {
                push(tx, row, how, now)?;
            }
            if !selected.is_empty() {
                tx.execute(
                    "INSERT OR REPLACE INTO value (key, value) VALUES (?1, ?2)",
                    [key, &now.to_string()],
                )?;
            }
            Ok(selected.len())
        })
    }

    /// What a person decided about contacts, other than to push them now. Every push that is not on the wire is taken
    /// back, with what was to follow it; one that is to be skipped loses what waits for a person, too.
    ///
    /// # Errors
    /// When the file cannot be written; nothing is decided then.
    pub fn decide_contacts(&mut self, numbers: &[u64], decision: PushDecision, now: Timestamp) -> Result<()> {
        let ends: &[OpState] = match decision {
            PushDecision::Skipped => &[OpState::Queued, OpState::Held, OpState::Conflict],
            PushDecision::Selected | PushDecision::Queued => &[OpState::Queued],
        };
        self.write(|tx| {
            for n in numbers {
                let Some(email) = email_of(tx, *n)? else {
                    continue;
                };
                let on_the_wire = take_back(tx, &email, ends, now)?;
                tx.prepare_cached(
                    "UPDATE contact SET decision = ?2, op_id = coalesce(?3, op_id), decided_at = ?4 WHERE n = ?1",
                )?
                .execute(params![
                    n.cast_signed(),
                    decision.word(),
                    on_the_wire.map(|id| id.to_string()),
                    rows::micros(now)
                ])?;
            }
            Ok(())
        })
    }

    /// Forgets what became of contacts: each is as if it had never been pushed, and selected. One of whose push HubSpot
    /// may be hearing right now stays as it is. Answers how many were reset.
    ///
    /// # Errors
    /// When the file cannot be written; nothing is forgotten then.
    pub fn reset_contacts(&mut self, numbers: &[u64], now: Timestamp) -> Result<u64> {
        self.write(|tx| {
            let mut reset = 0;
            for n in numbers {
                let Some(email) = email_of(tx, *n)? else {
                    continue;
                };
                if pushes(tx, &email)?.iter().any(|op| is_on_the_wire(op.state)) {
                    continue;
                }
                take_back(tx, &email, REPLACEABLE, now)?;
                reset += 1;
                tx.prepare_cached(
                    "UPDATE contact SET decision = 'Selected', op_id = NULL, hubspot_id = NULL, landed = NULL, \
                     decided_at = ?2 WHERE n = ?1",
                )?
                .execute(params![n.cast_signed(), rows::micros(now)])?;
            }
            Ok(reset)
        })
    }
}

fn keep(tx: &Transaction<'_>, contacts: &[NewContact], how: &Pushing, now: Timestamp) -> Result<KeptContacts> {
    let mut kept = KeptContacts::default();
    for new in contacts {
        let known = by_email(tx, &new.email)?;
        let (mut count, pushes) = plan(known.as_ref(), new, how);
        let row = put(tx, known, new, now)?;
        if pushes {
            count.queued = u64::from(push(tx, &row, how, now)?);
        } else if how.anyway
            && let Some(account) = how.account
        {
            // The push itself is under way; what is to follow it follows it all the same.
            follow(tx, &row, account, how, now)?;
        }
        kept.count.add(count);
        kept.numbers.push(row.n);
    }
    Ok(kept)
}

/// What keeping a contact comes to, and whether a new push of it is queued.
fn plan(known: Option<&LocalContact>, new: &NewContact, how: &Pushing) -> (ImportCount, bool) {
    let mut count = ImportCount::default();
    let Some(known) = known else {
        count.imported = 1;
        count.queued = 1;
        return (count, true);
    };
    let changes = new
        .values
        .iter()
        .any(|(name, value)| known.values.get(name) != Some(value));
    if known.decision == PushDecision::Skipped && !how.anyway {
        count.skipped = 1;
        return (count, false);
    }
    if changes {
        count.updated = 1;
    } else {
        count.unchanged = 1;
    }
    let state = known.operation.as_ref().map(|operation| operation.state);
    let waits_for_a_try = known.operation.as_ref().is_some_and(|operation| operation.attempts > 0);
    let pushes = changes
        || known.is_changed_since()
        || match state {
            None
            | Some(OpState::Held | OpState::Conflict | OpState::Dead | OpState::Cancelled | OpState::Superseded) => {
                !known.is_refused()
            }
            Some(OpState::Landed | OpState::Done) => how.anyway || known.decision == PushDecision::Selected,
            Some(OpState::Queued) => how.anyway && waits_for_a_try,
            Some(OpState::InFlight | OpState::Uncertain) => false,
        };
    let is_under_way = matches!(state, Some(OpState::Queued | OpState::InFlight | OpState::Uncertain));
    count.queued = u64::from(pushes || is_under_way);
    (count, pushes)
}

/// The row of a contact as it is to be pushed.
fn put(tx: &Transaction<'_>, known: Option<LocalContact>, new: &NewContact, now: Timestamp) -> Result<LocalContact> {
    let Some(mut row) = known else {
        let email = folded(&new.email);
        tx.prepare_cached(
            "INSERT INTO contact (email, properties, decision, hubspot_id, created_at, updated_at, decided_at) \
             VALUES (?1, ?2, 'Queued', ?3, ?4, ?4, ?4)",
        )?
        .execute(params![
            email,
            serde_json::to_string(&new.values)?,
            new.hubspot_id,
            rows::micros(now)
        ])?;
        return Ok(LocalContact {
            n: tx.last_insert_rowid().cast_unsigned(),
            email,
            values: new.values.clone(),
            decision: PushDecision::Queued,
            hubspot_id: new.hubspot_id.clone(),
            created_at: now,
            updated_at: now,
            decided_at: now,
            operation: None,
        });
    };
    let before = row.values.clone();
    row.values.extend(new.values.clone());
    if row.values != before {
        tx.prepare_cached("UPDATE contact SET properties = ?2, updated_at = ?3 WHERE n = ?1")?
            .execute(params![
                row.n.cast_signed(),
                serde_json::to_string(&row.values)?,
                rows::micros(now)
            ])?;
    }
    Ok(row)
}

fn email_of(conn: &Connection, n: u64) -> Result<Option<String>> {
    let email = conn
        .prepare_cached("SELECT email FROM contact WHERE n = ?1")?
        .query_row([n.cast_signed()], |row| row.get(0))
        .optional()?;
    Ok(email)
}

/// An address is one however it is spelt.
fn folded(email: &str) -> String {
    email.trim().to_lowercase()
}

pub(super) fn by_email(conn: &Connection, email: &str) -> Result<Option<LocalContact>> {
    Ok(select(conn, "WHERE c.email = ?1", &[&folded(email)])?.pop())
}

fn select(conn: &Connection, tail: &str, params: &[&dyn rusqlite::ToSql]) -> Result<Vec<LocalContact>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} {FROM} {tail}"))?;
    let found = statement.query_map(params, contact)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The first so many contacts in the order of `tail` that are wanted; no more of them are read.
fn first(
    conn: &Connection,
    tail: &str,
    most: usize,
    wanted: impl Fn(&LocalContact) -> bool,
) -> Result<Vec<LocalContact>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} {FROM} {tail}"))?;
    let found = statement
        .query_map([], contact)?
        .filter(|row| row.as_ref().map_or(true, &wanted));
    Ok(found.take(most).collect::<rusqlite::Result<_>>()?)
}

fn contact(row: &Row<'_>) -> rusqlite::Result<LocalContact> {
    let operation = match row.get::<_, Option<String>>(8)? {
        None => None,
        Some(_) => Some(ContactOperation {
            id: rows::op_id(row, 8)?,
            state: rows::state(row, 9)?,
            attempts: row.get(10)?,
            created_at: rows::time(row, 11)?,
            claimed_at: rows::time_or_none(row, 12)?,
            not_before: rows::time_or_none(row, 13)?,
            error: row
                .get::<_, Option<String>>(14)?
                .map(|_| rows::json(row, 14))
                .transpose()?,
        }),
    };
    Ok(LocalContact {
        n: row.get::<_, i64>(0)?.cast_unsigned(),
        email: row.get(1)?,
        values: rows::json(row, 2)?,
        decision: decision(row, 3)?,
        hubspot_id: row.get(4)?,
        created_at: rows::time(row, 5)?,
        updated_at: rows::time(row, 6)?,
        decided_at: rows::time(row, 7)?,
        operation,
    })
}

fn decision(row: &Row<'_>, column: usize) -> rusqlite::Result<PushDecision> {
    let word: String = row.get(column)?;
    PushDecision::parse(&word).ok_or_else(|| rows::broken(column, format!("unknown decision '{word}'")))
}
