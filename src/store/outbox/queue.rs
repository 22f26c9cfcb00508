//! An operation's way to HubSpot: kept, claimed, finished, and recovered when a process died in between.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use uuid::{NoContext, Uuid};

use super::{Kept, NewOperation, Outbox, Outcome, pushes, rows, transitions};
use crate::{
    domain::{Bug, Drill, OpError, OpId, OpState, Payload},
    store::{Error, Moment, Result, reached},
};

/// An operation that was in flight in so many processes that died is suspected of killing them.
const POISON: u32 = 3;

impl Outbox {
    /// Keeps a change: the operation with the next place of its record, and its entry on the undo stack (or, when it is
    /// itself an undo, the mark on what it undoes). When this returns, the change survives anything.
    ///
    /// # Errors
    /// [`Error::Full`]; [`Error::Undone`] when another face undid the same operation first; nothing is kept then.
    pub fn keep(&mut self, new: NewOperation, now: Timestamp) -> Result<Kept> {
        let kept = self.write(|tx| {
            let id = insert(tx, &new, OpState::Queued, now)?;
            match new.undo_of {
                Some(of) => super::undo::mark(tx, of, Some(id), false, now)?,
                None => super::undo::push(tx, id)?,
            }
            reached(Moment::IntentBegun);
            rows::load(tx, id)
        })?;
        reached(Moment::IntentCommitted);
        Ok(kept)
    }

    /// Begins a new epoch for the process that just took the lock: claims of earlier ones are void.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn epoch_begin(&mut self, now: Timestamp) -> Result<u64> {
        self.write(|tx| {
            tx.execute("UPDATE lease SET epoch = epoch + 1, since = ?1", [rows::micros(now)])?;
            reached(Moment::EpochBegun);
            epoch(tx)
        })
    }

    /// After a take-over: whatever an earlier epoch left in flight is uncertain now, because it may have been sent. An
    /// operation that was in flight in three processes that died is held instead.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn recover(&mut self, epoch: u64, now: Timestamp) -> Result<Vec<Kept>> {
        self.write(|tx| {
            let left = rows::select(
                tx,
                "WHERE state = 'in_flight' AND (epoch IS NULL OR epoch < ?1) ORDER BY n",
                &[&epoch.cast_signed()],
            )?;
            for op in &left {
                let poison = op.crashes + 1 >= POISON;
                let state = if poison { OpState::Held } else { OpState::Uncertain };
                let error = OpError {
                    class: if poison { "poison" } else { "unknown_outcome" }.into(),
                    message: if poison {
                        "dealdeck ended three times while sending this; check HubSpot, then send it again or drop it"
                    } else {
                        "dealdeck ended while sending this; its outcome is being looked up"
                    }
                    .into(),
                    correlation_id: None,
                };
                tx.execute(
                    "UPDATE op SET state = ?2, crashes = crashes + 1, ambiguous_sends = ambiguous_sends + 1, \
                     error = ?3, not_before = NULL, changed_at = ?4 WHERE id = ?1",
                    params![
                        op.id.to_string(),
                        state.word(),
                        serde_json::to_string(&error)?,
                        rows::micros(now)
                    ],
                )?;
                close_attempt(
                    tx,
                    op.id,
                    &Outcome {
                        ambiguous: true,
                        ..Outcome::to(state)
                    },
                    now,
                )?;
                pushes::ended(tx, op.id, now)?;
            }
            left.iter().map(|op| rows::load(tx, op.id)).collect()
        })
    }

    /// Claims an operation for sending: from now on HubSpot may hear of it. Commits before it returns, so before the
    /// first byte.
    ///
    /// # Errors
    /// [`Error::Stale`] when another process took over; [`Error::Transition`] when it is not queued any more;
    /// [`Error::Blocked`] when an earlier operation of the same record is in the way. Nothing may be sent then.
    pub fn claim(&mut self, id: OpId, epoch: u64, now: Timestamp) -> Result<Kept> {
        let drill = self.view.drill;
        let claimed = self.write(|tx| {
            is_current(tx, epoch, drill)?;
            let claimed = claim(tx, id, epoch, now, drill);
            reached(Moment::ClaimBegun);
            claimed
        })?;
        reached(Moment::ClaimCommitted);
        Ok(claimed)
    }

    /// Claims, in one step, those of these operations that may be claimed: what leaves together is claimed together.
    ///
    /// # Errors
    /// [`Error::Stale`] when another process took over. Nothing may be sent then.
    pub fn claim_all(&mut self, ids: &[OpId], epoch: u64, now: Timestamp) -> Result<Vec<Kept>> {
        let drill = self.view.drill;
        let claimed = self.write(|tx| {
            is_current(tx, epoch, drill)?;
            let mut claimed = Vec::with_capacity(ids.len());
            for id in ids {
                match claim(tx, *id, epoch, now, drill) {
                    Ok(op) => claimed.push(op),
                    Err(Error::Transition { .. } | Error::Blocked { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            reached(Moment::ClaimBegun);
            Ok(claimed)
        })?;
        reached(Moment::ClaimCommitted);
        Ok(claimed)
    }

    /// Records what became of a send, or what was found out about one, and closes the attempt if one is open.
    ///
    /// # Errors
    /// [`Error::Transition`] when the state must not follow (after an ambiguous send only `uncertain` may) or is no
    /// outcome but has a call of its own (a claim, settling, cancelling).
    pub fn finish(&mut self, id: OpId, outcome: &Outcome, now: Timestamp) -> Result<Kept> {
        let finished = self.write(|tx| {
            let op = rows::load(tx, id)?;
            check(&op, outcome.state, outcome.ambiguous)?;
            if !transitions::is_outcome(outcome.state) {
                return Err(refused(&op, outcome.state));
            }
            apply(tx, &op, outcome, now)?;
            pushes::ended(tx, id, now)?;
            reached(Moment::OutcomeBegun);
            rows::load(tx, id)
        })?;
        reached(Moment::OutcomeCommitted);
        Ok(finished)
    }

    /// Records the outcomes of operations that left together, in one step. What landed has no place in the mirror to wait
    /// for, so it is done.
    ///
    /// # Errors
    /// As [`Outbox::finish`]; nothing is recorded then.
    pub fn finish_all(&mut self, outcomes: &[(OpId, Outcome)], now: Timestamp) -> Result<Vec<Kept>> {
        let finished = self.write(|tx| {
            let mut finished = Vec::with_capacity(outcomes.len());
            for (id, outcome) in outcomes {
                let op = rows::load(tx, *id)?;
                check(&op, outcome.state, outcome.ambiguous)?;
                if !transitions::is_outcome(outcome.state) {
                    return Err(refused(&op, outcome.state));
                }
                apply(tx, &op, outcome, now)?;
                pushes::ended(tx, *id, now)?;
                let op = rows::load(tx, *id)?;
                if op.state == OpState::Landed {
                    move_to(tx, &op, OpState::Done, now)?;
                }
                finished.push(rows::load(tx, *id)?);
            }
            reached(Moment::OutcomeBegun);
            Ok(finished)
        })?;
        reached(Moment::OutcomeCommitted);
        Ok(finished)
    }

    /// The account has lost the property that carried a note's key: from now on nothing tells a second copy from the
    /// first, and it is never sent again on a guess.
    ///
    /// # Errors
    /// [`Error::Missing`]; when the file cannot be written.
    pub fn forget_key(&mut self, id: OpId, now: Timestamp) -> Result<Kept> {
        self.write(|tx| {
            let mut op = rows::load(tx, id)?;
            if let Payload::CreateNote { key, .. } = &mut op.op.payload {
                *key = None;
            }
            tx.execute(
                "UPDATE op SET payload = ?2, changed_at = ?3 WHERE id = ?1",
                params![id.to_string(), serde_json::to_string(&op.payload)?, rows::micros(now)],
            )?;
            rows::load(tx, id)
        })
    }

    /// The mirror shows it: landed → done.
    ///
    /// # Errors
    /// [`Error::Transition`] when it has not landed.
    pub fn settle(&mut self, id: OpId, now: Timestamp) -> Result<Kept> {
        self.write(|tx| {
            let op = rows::load(tx, id)?;
            move_to(tx, &op, OpState::Done, now)?;
            reached(Moment::SettleBegun);
            rows::load(tx, id)
        })
    }

    /// Landed → done, and `repair` keeps what a late send of ours undid: in one step, so that it is repaired once. It is
    /// nobody's action: it is not on the undo stack.
    ///
    /// # Errors
    /// [`Error::Transition`] when it has not landed; [`Error::Full`]; nothing is kept then.
    pub fn settle_with_repair(&mut self, id: OpId, repair: &NewOperation, now: Timestamp) -> Result<Kept> {
        self.write(|tx| {
            let op = rows::load(tx, id)?;
            move_to(tx, &op, OpState::Done, now)?;
            let repair = insert(tx, repair, OpState::Queued, now)?;
            rows::load(tx, repair)
        })
    }

    /// One transaction that takes the write lock at once, so that it never fails half way for want of it.
    pub(super) fn write<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let drill = self.view.drill;
        let tx = self
            .view
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&tx)?;
        if !drill.has(Bug::AckBeforeCommit) {
            tx.commit()?;
        }
        Ok(value)
    }
}

/// Refuses when another process has taken over sending.
fn is_current(conn: &Connection, epoch: u64, drill: Drill) -> Result<()> {
    let current = self::epoch(conn)?;
    if current == epoch || drill.has(Bug::EpochIgnored) {
        Ok(())
    } else {
        Err(Error::Stale { mine: epoch, current })
    }
}

fn claim(tx: &Transaction<'_>, id: OpId, epoch: u64, now: Timestamp, drill: Drill) -> Result<Kept> {
    let op = rows::load(tx, id)?;
    check(&op, OpState::InFlight, false)?;
    if !drill.has(Bug::OrderIgnored) && is_behind_another(tx, &op)? || waits_for_a_person(tx, &op)? {
        return Err(Error::Blocked { op: id });
    }
    tx.prepare_cached(
        "UPDATE op SET state = 'in_flight', attempts = attempts + 1, claims = claims + 1, epoch = ?2, claimed_at = ?3, \
         changed_at = ?3, not_before = NULL WHERE id = ?1",
    )?
    .execute(params![id.to_string(), epoch.cast_signed(), rows::micros(now)])?;
    tx.prepare_cached(
        "INSERT INTO attempt (op_id, n, epoch, intent_at) SELECT id, claims, ?2, ?3 FROM op WHERE id = ?1",
    )?
    .execute(params![id.to_string(), epoch.cast_signed(), rows::micros(now)])?;
    pushes::sent(tx, &op)?;
    rows::load(tx, id)
}

/// Writes a new operation behind the last one of its record.
pub(super) fn insert(tx: &Transaction<'_>, new: &NewOperation, state: OpState, now: Timestamp) -> Result<OpId> {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    let id = OpId(Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos)));
    let entity = &new.entity;
    tx.prepare_cached(
        "INSERT INTO op (id, account, kind, object, entity, seq, payload, title, op_key, state, not_before, undo_of, \
         created_at, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, \
         (SELECT coalesce(max(seq), 0) + 1 FROM op WHERE object = ?4 AND entity = ?5), \
         ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)",
    )?
    .execute(params![
        id.to_string(),
        new.account.cast_signed(),
        new.payload.kind().word(),
        entity.object.name(),
        entity.id,
        serde_json::to_string(&new.payload)?,
        new.title,
        new.op_key.clone().unwrap_or_else(|| id.to_string()),
        state.word(),
        new.not_before.map(rows::micros),
        new.undo_of.map(|of| of.to_string()),
        rows::micros(now),
    ])?;
    Ok(id)
}

/// The epoch of the process that sends now.
pub(super) fn epoch(conn: &Connection) -> Result<u64> {
    let epoch: i64 = conn
        .prepare_cached("SELECT epoch FROM lease")?
        .query_row([], |row| row.get(0))?;
    Ok(epoch.cast_unsigned())
}

/// Refuses a step the table does not allow.
pub(super) fn check(op: &Kept, to: OpState, ambiguous: bool) -> Result<()> {
    if transitions::allowed(op.state, to, ambiguous) {
        Ok(())
    } else {
        Err(refused(op, to))
    }
}

/// The refusal of a step.
pub(super) const fn refused(op: &Kept, to: OpState) -> Error {
    Error::Transition {
        op: op.op.id,
        from: op.op.state,
        to,
    }
}

/// A step that carries nothing but the new state.
pub(super) fn move_to(tx: &Transaction<'_>, op: &Kept, to: OpState, now: Timestamp) -> Result<()> {
    check(op, to, false)?;
    tx.execute(
        "UPDATE op SET state = ?2, changed_at = ?3 WHERE id = ?1",
        params![op.id.to_string(), to.word(), rows::micros(now)],
    )?;
    Ok(())
}

fn apply(tx: &Transaction<'_>, op: &Kept, outcome: &Outcome, now: Timestamp) -> Result<()> {
    let error = outcome.error.as_ref().map(serde_json::to_string).transpose()?;
    let in_flight = op.state == OpState::InFlight;
    tx.execute(
        "UPDATE op SET state = ?2, error = ?3, remote_id = coalesce(?4, remote_id), \
         landed_version = coalesce(?5, landed_version), not_before = ?6, attempts = max(attempts - ?7, 0), \
         ambiguous_sends = ambiguous_sends + ?8, changed_at = ?9 WHERE id = ?1",
        params![
            op.id.to_string(),
            outcome.state.word(),
            error,
            outcome.remote_id,
            outcome.landed_version.map(rows::micros),
            outcome.not_before.map(rows::micros),
            in_flight && !outcome.charged,
            in_flight && outcome.state == OpState::Uncertain,
            rows::micros(now),
        ],
    )?;
    close_attempt(tx, op.id, outcome, now)
}

fn close_attempt(tx: &Transaction<'_>, id: OpId, outcome: &Outcome, now: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE attempt SET ended_at = ?2, outcome = ?3, ambiguous = ?4, http_status = ?5, correlation_id = ?6 \
         WHERE op_id = ?1 AND ended_at IS NULL",
        params![
            id.to_string(),
            rows::micros(now),
            outcome.state.word(),
            outcome.ambiguous || outcome.state == OpState::Uncertain,
            outcome.http_status,
            outcome.correlation_id,
        ],
    )?;
    Ok(())
}

/// Another operation of the same record may be on the wire (a later one too: this one may have been sent back to the
/// queue), or an earlier one is still to be sent.
fn is_behind_another(conn: &Connection, op: &Kept) -> Result<bool> {
    let behind = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM op WHERE object = ?1 AND entity = ?2 \
             AND (state IN ('in_flight', 'uncertain') OR (state = 'queued' AND seq < ?3)))",
        )?
        .query_row(
            params![op.entity.object.name(), op.entity.id, op.seq.cast_signed()],
            |row| row.get(0),
        )?;
    Ok(behind)
}

/// An earlier operation of the same record waits for a person and touches what this one touches.
pub(super) fn waits_for_a_person(conn: &Connection, op: &Kept) -> Result<bool> {
    let waiting = rows::select(
        conn,
        "WHERE object = ?1 AND entity = ?2 AND seq < ?3 AND state IN ('held', 'conflict')",
        &[&op.entity.object.name(), &op.entity.id, &op.seq.cast_signed()],
    )?;
    Ok(waiting
        .iter()
        .any(|earlier| touch_the_same(&earlier.payload, &op.payload)))
}

/// Archiving touches everything; a note nothing but itself.
fn touch_the_same(a: &Payload, b: &Payload) -> bool {
    match (a, b) {
        (Payload::SetProperties { values: a, .. }, Payload::SetProperties { values: b, .. }) => {
            a.keys().any(|name| b.contains_key(name))
        }
        (Payload::Archive, _) | (_, Payload::Archive) => true,
        // What is made by the first may be what the second is about.
        (Payload::UpsertContact { .. }, _) => true,
        (a, b) => matches!(a, Payload::Associate { .. } | Payload::ListMember { .. }) && a.kind() == b.kind(),
    }
}
