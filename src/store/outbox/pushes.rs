//! The pushes of contacts of one's own. A contact has at most one that is not on the wire yet; an older one that leaves the
//! wire without landing gives way to it. What HubSpot took is kept with the contact, so that a push sends the difference
//! alone.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{
    Kept, NewOperation, Pushing,
    contacts::by_email,
    queue::{insert, move_to},
    rows,
};
use crate::{
    domain::{Behind, LocalContact, OpId, OpState, Payload, Properties, PushDecision, RecordRef},
    store::Result,
};

/// The pushes of a contact that are not over, and those HubSpot refused.
pub(in crate::store) const PUSHES: &str = "WHERE object = 'contacts' AND entity = ?1 AND kind = 'upsert_contact' \
     AND state IN ('queued', 'in_flight', 'uncertain', 'held', 'conflict', 'dead') ORDER BY seq";
/// What follows them, and is not over.
pub(in crate::store) const FOLLOWERS: &str = "WHERE object = 'contacts' AND entity = ?1 \
     AND kind IN ('associate', 'list_member') AND state IN ('queued', 'held', 'conflict', 'dead') ORDER BY seq";
/// The newest push that HubSpot may have heard of.
pub(in crate::store) const HEARD: &str = "WHERE object = 'contacts' AND entity = ?1 AND kind = 'upsert_contact' \
     AND state IN ('in_flight', 'uncertain', 'landed', 'done') ORDER BY n DESC LIMIT 1";

/// Queues the push of a contact: of what HubSpot has not taken from here yet. One that was not sent yet, or that waits for
/// a person, gives up its place in line. `false` when HubSpot has it all.
pub(super) fn push(tx: &Transaction<'_>, row: &LocalContact, how: &Pushing, now: Timestamp) -> Result<bool> {
    let Some(account) = how.account else {
        tx.execute(
            "UPDATE contact SET decision = 'Queued', op_id = NULL WHERE n = ?1",
            [row.n.cast_signed()],
        )?;
        return Ok(true);
    };
    let old = pushes(tx, &row.email)?;
    let taken = newest_taken(tx, row)?;
    let mut values = unsent(tx, row, taken.as_ref(), account)?;
    values.extend(how.stamp.clone().map(|(name, value)| (name, Some(value))));
    let has_it = taken.filter(|taken| values.is_empty() && taken.account == account);
    let id = match &has_it {
        Some(taken) => taken.id,
        None => {
            let payload = Payload::UpsertContact {
                email: row.email.clone(),
                values,
            };
            insert(tx, &operation_of(row, account, payload, "push"), OpState::Queued, now)?
        }
    };
    for old in old.iter().filter(|op| is_replaceable(op.state)) {
        if has_it.is_some() {
            move_to(tx, old, OpState::Cancelled, now)?;
        } else {
            replace(tx, old, id, now)?;
        }
    }
    tx.prepare_cached("UPDATE contact SET decision = 'Queued', op_id = ?2 WHERE n = ?1")?
        .execute(params![row.n.cast_signed(), id.to_string()])?;
    follow(tx, row, account, how, now)?;
    Ok(has_it.is_none())
}

/// The values of a contact that this account has not taken from here, or no longer surely has.
fn unsent(tx: &Transaction<'_>, row: &LocalContact, taken: Option<&Kept>, account: u64) -> Result<Properties> {
    let mut values = row.values.clone();
    if taken.is_some_and(|taken| taken.account == account) {
        let landed = landed(tx, &row.email)?.unwrap_or_default();
        values.retain(|name, value| landed.get(name) != Some(value));
    }
    Ok(values)
}

/// What HubSpot took last from here.
fn landed(tx: &Transaction<'_>, email: &str) -> Result<Option<Properties>> {
    let landed = tx
        .prepare_cached("SELECT landed FROM contact WHERE email = ?1 AND landed IS NOT NULL")?
        .query_row([email], |row| rows::json(row, 0))
        .optional()?;
    Ok(landed)
}

/// The push that HubSpot heard of last, when it took one since the contact was last reset.
fn newest_taken(tx: &Transaction<'_>, row: &LocalContact) -> Result<Option<Kept>> {
    if landed(tx, &row.email)?.is_none() {
        return Ok(None);
    }
    let heard = rows::select(tx, HEARD, &[&RecordRef::by_email(&row.email).id])?;
    Ok(heard.into_iter().next())
}

/// The push of a contact gives way to a newer one, which takes its seat: what was to follow the old one follows the new one.
fn replace(tx: &Transaction<'_>, old: &Kept, by: OpId, now: Timestamp) -> Result<()> {
    let end = if old.state == OpState::Queued {
        OpState::Superseded
    } else {
        OpState::Cancelled
    };
    move_to(tx, old, end, now)?;
    tx.prepare_cached("UPDATE op SET superseded_by = ?2 WHERE id = ?1")?
        .execute([old.id.to_string(), by.to_string()])?;
    let new = rows::load(tx, by)?;
    if old.seq < new.seq {
        let mut seat = tx.prepare_cached("UPDATE op SET seq = ?2 WHERE id = ?1")?;
        for (id, seq) in [(old.id, 0), (by, old.seq), (old.id, new.seq)] {
            seat.execute(params![id.to_string(), seq.cast_signed()])?;
        }
    }
    Ok(())
}

/// Cancels the pushes of a contact that are in one of these states, and what was to follow them. Answers the newest one that
/// HubSpot may be hearing of.
pub(super) fn take_back(tx: &Transaction<'_>, email: &str, ends: &[OpState], now: Timestamp) -> Result<Option<OpId>> {
    let pushes = pushes(tx, email)?;
    let gives_up = ends.contains(&OpState::Held);
    let is_taken_back = |op: &&Kept| ends.contains(&op.state);
    let taken: Vec<&Kept> = pushes.iter().filter(is_taken_back).collect();
    if gives_up || !taken.is_empty() {
        let followers = rows::select(tx, FOLLOWERS, &[&RecordRef::by_email(email).id])?;
        for op in followers.iter().filter(is_taken_back) {
            move_to(tx, op, OpState::Cancelled, now)?;
        }
    }
    for op in taken {
        move_to(tx, op, OpState::Cancelled, now)?;
    }
    let mut on_the_wire = pushes.iter().filter(|op| is_on_the_wire(op.state)).map(|op| op.id);
    Ok(on_the_wire.next_back())
}

/// From now on HubSpot may hear of these values: which of them it has is open.
pub(super) fn sent(tx: &Transaction<'_>, op: &Kept) -> Result<()> {
    let Payload::UpsertContact { email, values } = &op.payload else {
        return Ok(());
    };
    let Some(mut landed) = landed(tx, email)? else {
        return Ok(());
    };
    landed.retain(|name, _| !values.contains_key(name));
    tx.prepare_cached("UPDATE contact SET landed = ?2 WHERE email = ?1")?
        .execute([email, &serde_json::to_string(&landed)?])?;
    Ok(())
}

/// What became of a push. One that landed says what HubSpot has. One that did not gives way to a newer push of the contact,
/// and to the person who has skipped it meanwhile.
pub(super) fn ended(tx: &Transaction<'_>, id: OpId, now: Timestamp) -> Result<()> {
    let op = rows::load(tx, id)?;
    let Payload::UpsertContact { email, values } = &op.payload else {
        return Ok(());
    };
    let Some(row) = by_email(tx, email)? else {
        return Ok(());
    };
    if op.state == OpState::Landed {
        return took(tx, &row, &op, values, now);
    }
    if !is_replaceable(op.state) {
        return Ok(());
    }
    let newest = pushes(tx, email)?.pop();
    match newest.filter(|newest| newest.seq > op.seq) {
        Some(newer) => replace(tx, &op, newer.id, now),
        None if row.decision == PushDecision::Skipped && op.state != OpState::Dead => {
            move_to(tx, &op, OpState::Cancelled, now)
        }
        None => Ok(()),
    }
}

/// HubSpot took these values of a contact. When it keeps them under another id than before, it has nothing else of the
/// contact: the rest is pushed after them.
fn took(tx: &Transaction<'_>, row: &LocalContact, op: &Kept, values: &Properties, now: Timestamp) -> Result<()> {
    let before = tx
        .prepare_cached("SELECT hubspot_id FROM contact WHERE n = ?1")?
        .query_row([row.n.cast_signed()], |row| row.get::<_, Option<String>>(0))?;
    let is_another = before.is_some() && op.remote_id.is_some() && before != op.remote_id;
    let mut all = match is_another {
        true => Properties::new(),
        false => landed(tx, &row.email)?.unwrap_or_default(),
    };
    all.extend(values.clone());
    tx.prepare_cached("UPDATE contact SET landed = ?2, hubspot_id = coalesce(?3, hubspot_id) WHERE n = ?1")?
        .execute(params![row.n.cast_signed(), serde_json::to_string(&all)?, op.remote_id])?;
    if is_another && row.decision != PushDecision::Skipped && !unsent(tx, row, Some(op), op.account)?.is_empty() {
        let how = Pushing {
            account: Some(op.account),
            ..Pushing::default()
        };
        push(tx, row, &how, now)?;
    }
    Ok(())
}

/// Queues what is to happen behind the push of a contact.
pub(super) fn follow(
    tx: &Transaction<'_>,
    row: &LocalContact,
    account: u64,
    how: &Pushing,
    now: Timestamp,
) -> Result<()> {
    for behind in &how.behind {
        let (payload, what) = match behind.clone() {
            Behind::Link(with) => (Payload::Associate { with, linked: true }, "link"),
            Behind::List(list, member) => {
                let what = if member { "put on a list:" } else { "take off a list:" };
                (Payload::ListMember { list, member }, what)
            }
        };
        insert(tx, &operation_of(row, account, payload, what), OpState::Queued, now)?;
    }
    Ok(())
}

fn operation_of(row: &LocalContact, account: u64, payload: Payload, what: &str) -> NewOperation {
    NewOperation {
        account,
        entity: RecordRef::by_email(&row.email),
        payload,
        title: format!("{what} contact {}", row.email),
        not_before: None,
        undo_of: None,
        op_key: None,
    }
}

/// HubSpot is not hearing of it, and has not heard all of it.
pub(super) const REPLACEABLE: &[OpState] = &[OpState::Queued, OpState::Held, OpState::Conflict, OpState::Dead];

fn is_replaceable(state: OpState) -> bool {
    REPLACEABLE.contains(&state)
}

pub(super) const fn is_on_the_wire(state: OpState) -> bool {
    matches!(state, OpState::InFlight | OpState::Uncertain)
}

/// The pushes of a contact that are not over, and those HubSpot refused, in their order.
pub(super) fn pushes(conn: &Connection, email: &str) -> Result<Vec<Kept>> {
    rows::select(conn, PUSHES, &[&RecordRef::by_email(email).id])
}
