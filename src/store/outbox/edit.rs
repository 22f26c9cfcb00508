//! Changing one's mind before (or instead of) sending: coalescing, cancelling, dropping, sending again.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::{
    Kept, NewOperation, Outbox,
    queue::{check, insert, move_to, refused},
    rows, undo,
};
use crate::{
    domain::{Bug, OpId, OpState, Payload, RecordRef},
    store::Result,
};

impl Outbox {
    /// Coalesces A→B and B→C into A→C: keeps `new` with the oldest base and all newest values, and marks `old` as
    /// superseded. When nothing is left to change (A→B→A), both are cancelled and the answer's state says so.
    ///
    /// `None`, and nothing is kept, when `old` cannot be rewritten any more: it was claimed once, it is not the newest
    /// operation of its record, either is an undo, or one of them does not set properties. Then [`Outbox::keep`] is the
    /// way.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn replace_queued(&mut self, old: OpId, new: NewOperation, now: Timestamp) -> Result<Option<Kept>> {
        let drill = self.view.drill;
        self.write(|tx| {
            let before = rows::load(tx, old)?;
            if !drill.has(Bug::ClaimedCoalesced) && !is_rewritable(tx, &before, &new)? {
                return Ok(None);
            }
            let Some((payload, is_change)) = merged(&before.payload, &new.payload) else {
                return Ok(None);
            };
            let state = if is_change { OpState::Queued } else { OpState::Cancelled };
            let id = insert(tx, &NewOperation { payload, ..new }, state, now)?;
            undo::push(tx, id)?;
            let end = if is_change {
                OpState::Superseded
            } else {
                OpState::Cancelled
            };
            move_to(tx, &before, end, now)?;
            tx.execute(
                "UPDATE op SET superseded_by = ?2 WHERE id = ?1",
                params![old.to_string(), id.to_string()],
            )?;
            rows::load(tx, id).map(Some)
        })
    }

    /// Remembers what was there right before an operation is sent; nothing happens when it waits no longer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remember(&mut self, id: OpId, payload: &Payload) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE op SET payload = ?2 WHERE id = ?1 AND state = 'queued'",
                [id.to_string(), serde_json::to_string(payload)?],
            )?;
            Ok(())
        })
    }

    /// Takes back an operation of which HubSpot certainly has not heard: queued, and every earlier send of it certainly
    /// was not applied. `false` when it is too late for that; nothing changes then.
    ///
    /// # Errors
    /// [`crate::store::Error::Missing`]; when the file cannot be written.
    pub fn cancel(&mut self, id: OpId, now: Timestamp) -> Result<bool> {
        self.write(|tx| {
            let op = rows::load(tx, id)?;
            if op.state != OpState::Queued || op.ambiguous_sends > 0 {
                return Ok(false);
            }
            move_to(tx, &op, OpState::Cancelled, now)?;
            Ok(true)
        })
    }

    /// A person gives up on an operation that is in conflict, held or dead.
    ///
    /// # Errors
    /// [`crate::store::Error::Transition`] in any other state.
    pub fn drop_by_hand(&mut self, id: OpId, now: Timestamp) -> Result<Kept> {
        self.write(|tx| {
            let op = rows::load(tx, id)?;
            if op.state == OpState::Queued {
                return Err(refused(&op, OpState::Cancelled));
            }
            move_to(tx, &op, OpState::Cancelled, now)?;
            rows::load(tx, id)
        })
    }

    /// A person wants an operation sent again that is in conflict, held or dead, or sent now that waits for its next try.
    /// `payload` takes the place of its own (another base or other values, of the same kind). Its attempts and crashes
    /// count from zero again.
    ///
    /// # Errors
    /// [`crate::store::Error::Transition`] in any other state.
    pub fn requeue_by_hand(&mut self, id: OpId, payload: Option<&Payload>, now: Timestamp) -> Result<Kept> {
        self.write(|tx| requeue(tx, id, payload, now))
    }

    /// The same about the record that its own was merged into: the last of what waits for that one.
    ///
    /// # Errors
    /// [`crate::store::Error::Transition`] in any other state.
    pub fn rebase_by_hand(
        &mut self,
        id: OpId,
        left: &RecordRef,
        payload: Option<&Payload>,
        now: Timestamp,
    ) -> Result<Kept> {
        self.write(|tx| {
            requeue(tx, id, payload, now)?;
            tx.execute(
                "UPDATE op SET entity = ?2, seq = (SELECT coalesce(max(seq), 0) + 1 FROM op \
                 WHERE object = ?3 AND entity = ?2) WHERE id = ?1",
                params![id.to_string(), left.id, left.object.name()],
            )?;
            rows::load(tx, id)
        })
    }
}

fn requeue(tx: &Transaction<'_>, id: OpId, payload: Option<&Payload>, now: Timestamp) -> Result<Kept> {
    let op = rows::load(tx, id)?;
    if !matches!(
        op.state,
        OpState::Queued | OpState::Conflict | OpState::Held | OpState::Dead
    ) {
        return Err(refused(&op, OpState::Queued));
    }
    check(&op, OpState::Queued, false)?;
    let payload = payload
        .filter(|payload| payload.kind() == op.kind())
        .unwrap_or(&op.payload);
    tx.execute(
        "UPDATE op SET state = 'queued', payload = ?2, error = NULL, not_before = NULL, attempts = 0, crashes = 0, \
         changed_at = ?3 WHERE id = ?1",
        params![id.to_string(), serde_json::to_string(payload)?, rows::micros(now)],
    )?;
    rows::load(tx, id)
}

fn is_rewritable(tx: &Transaction<'_>, old: &Kept, new: &NewOperation) -> Result<bool> {
    let claimed_or_followed: bool = tx
        .prepare_cached(
            "SELECT claims > 0 OR EXISTS (SELECT 1 FROM op AS later WHERE later.object = op.object \
             AND later.entity = op.entity AND later.seq > op.seq) FROM op WHERE id = ?1",
        )?
        .query_row([old.id.to_string()], |row| row.get(0))?;
    Ok(old.state == OpState::Queued
        && !claimed_or_followed
        && old.entity == new.entity
        && old.account == new.account
        && old.undo_of.is_none()
        && new.undo_of.is_none())
}

/// Both changes as one, and whether it still changes anything.
fn merged(old: &Payload, new: &Payload) -> Option<(Payload, bool)> {
    let (
        Payload::SetProperties {
            values: old_values,
            base: old_base,
        },
        Payload::SetProperties {
            values: new_values,
            base: new_base,
        },
    ) = (old, new)
    else {
        return None;
    };
    let mut values = old_values.clone();
    values.extend(new_values.clone());
    let mut base = new_base.clone();
    base.extend(old_base.clone());
    let is_change = values
        .iter()
        .any(|(name, value)| base.get(name).is_none_or(|then| then != value));
    Some((Payload::SetProperties { values, base }, is_change))
}
