//! Push: what people changed, on its way to HubSpot. Intent is committed before a slot is taken, the claim before the
//! first byte, the outcome after the answer; an unknown outcome is looked up, never guessed. Operations of one record go
//! one after the other, records beside each other. It refuses to send in a read-only
//! session, while the line is down, or while the account is unchecked.

mod contacts;
mod drilled;
mod land;
mod late;
mod lookup;
mod outcome;
mod precheck;
mod resolve;
mod send;
mod settle;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{
    StreamExt as _,
    future::{BoxFuture, FutureExt as _},
    stream::FuturesUnordered,
};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    connection::{Part, later},
    core::Core,
};
use crate::{
    domain::{Bug, Fault, ObjectType, OpId, OpState, Payload, PushCount, RecordRef},
    hubspot::BatchWrite,
    store::Kept,
};

/// How long HubSpot may still be working on a request we gave up on: it documents 100 seconds, we add half of that.
const QUARANTINE: Duration = Duration::from_secs(150);
/// Looks after a quarantine are put off to the next multiple of this, so that one request can answer many.
const TOGETHER: Duration = Duration::from_secs(10);
/// Our own deadline for one request.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often the outbox is looked at for what other processes keep there.
const BEAT: Duration = Duration::from_secs(1);
/// A pass that ends when nothing is left to do waits so long for what is due next.
const SOON: Duration = Duration::from_secs(3);
/// How long work that could not be looked at rests before it is tried again.
const REST: Duration = Duration::from_secs(10);

/// How many operations are looked at in one go: a long queue is not read whole each time.
const AT_ONCE: usize = 500;

/// When an operation that could not move on is looked at again; `None` = whenever something happens.
pub type Rest = Option<Timestamp>;

/// What is done with operations in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// One is sent by itself.
    Send,
    /// Contacts leave in one request.
    Contacts,
    /// Their outcome is unknown: they are looked up.
    Resolve,
    /// They landed, and are looked at once more.
    Settle,
}

/// A piece of work on operations, each of another record.
struct Job {
    step: Step,
    ops: Vec<Kept>,
}

/// Where an operation is after one round of work.
type Turn = (OpId, Result<Rest, Fault>);

/// One round of work, and the records it was about.
struct Round {
    entities: Vec<RecordRef>,
    turns: Vec<Turn>,
}

/// What there is to do.
#[derive(Default)]
struct Work {
    ready: Vec<Kept>,
    uncertain: Vec<Kept>,
    landed: Vec<Kept>,
    next_due: Option<Timestamp>,
}

/// The push worker of the process that holds the lock.
pub struct Push<'a> {
    core: &'a Core,
    epoch: u64,
    /// Operations that rest until then.
    resting: BTreeMap<OpId, Timestamp>,
    /// Notes that were looked for once and not found, with the time of that look.
    missed: resolve::Missed,
    /// Operations this worker had in its hands.
    taken: BTreeSet<OpId>,
}

impl<'a> Push<'a> {
    /// A worker of this epoch.
    pub fn new(core: &'a Core, epoch: u64) -> Self {
        Self {
            core,
            epoch,
            resting: BTreeMap::new(),
            missed: resolve::Missed::default(),
            taken: BTreeSet::new(),
        }
    }

    /// Works until `stop`; then finishes what is on the wire and starts nothing new.
    pub async fn run(&mut self, stop: &CancellationToken) {
        self.work(stop, false).await;
    }

    /// Works until nothing is left that can be done now or in a moment: what waits for a person, for a quarantine or for the
    /// network stays.
    pub async fn drain(&mut self, stop: &CancellationToken) {
        self.work(stop, true).await;
    }

    /// What became of the operations this worker had in its hands.
    pub async fn count(&self) -> Result<PushCount, Fault> {
        let ids: Vec<OpId> = self.taken.iter().copied().collect();
        self.core
            .desk
            .read(move |reader| {
                let mut count = PushCount::default();
                for id in ids {
                    match reader.outbox.get(id)?.map(|op| op.state) {
                        Some(OpState::Landed | OpState::Done) => count.done += 1,
                        Some(OpState::Held) => count.held += 1,
                        Some(OpState::Conflict) => count.conflict += 1,
                        Some(OpState::Dead) => count.dead += 1,
                        Some(OpState::Uncertain | OpState::InFlight) => count.uncertain += 1,
                        _ => {}
                    }
                }
                Ok(count)
            })
            .await
    }

    async fn work(&mut self, stop: &CancellationToken, only_now: bool) {
        let missed = std::mem::take(&mut self.missed);
        let (core, epoch) = (self.core, self.epoch);
        let mut busy: FuturesUnordered<BoxFuture<'_, Round>> = FuturesUnordered::new();
        let mut entities: BTreeSet<RecordRef> = BTreeSet::new();
        let mut line = core.line.watch();
        loop {
            let may_send =
                !stop.is_cancelled() && !core.settings.read_only && core.line.is_open() && core.is_account_checked();
            let mut wake = None;
            if may_send {
                let (jobs, next) = self.due(&entities).await;
                wake = next;
                for job in jobs {
                    if busy.len() >= core.settings.parallel_writes {
                        break;
                    }
                    for op in &job.ops {
                        entities.insert(op.entity.clone());
                        if self.taken.insert(op.id) {
                            // Another process may have kept it: our faces have not heard of it then.
                            land::tell_faces(core, op, op.state).await;
                        }
                    }
                    busy.push(round(core, epoch, &missed, job).boxed());
                }
            }
            core.push_idle
                .send_if_modified(|idle| std::mem::replace(idle, busy.is_empty()) != busy.is_empty());
            let is_soon = wake.is_some_and(|wake| wake <= later(core.now(), SOON));
            if busy.is_empty() && (stop.is_cancelled() || only_now && !is_soon) {
                break;
            }
            tokio::select! {
                biased;
                Some(round) = busy.next() => {
                    for entity in &round.entities {
                        entities.remove(entity);
                    }
                    for turn in round.turns {
                        self.rest(turn);
                    }
                }
                () = core.push_bell.notified() => {}
                () = sleep_until(core, wake), if may_send => {}
                () = tokio::time::sleep(BEAT), if may_send => {}
                _ = line.changed() => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
            }
        }
        drop(busy);
        self.missed = missed;
    }

    fn rest(&mut self, (op, rest): Turn) {
        let trouble = rest.as_ref().err().cloned();
        self.core.line.troubled(Part::Sending, trouble);
        match rest {
            Ok(Some(until)) => self.resting.insert(op, until),
            Ok(None) => self.resting.remove(&op),
            Err(fault) => {
                tracing::warn!(%op, %fault, "the store refused a step of an operation");
                self.resting.insert(op, later(self.core.now(), REST))
            }
        };
    }

    /// What can be worked on now beside what is busy, and when the next thing is due.
    async fn due(&self, busy: &BTreeSet<RecordRef>) -> (Vec<Job>, Option<Timestamp>) {
        let now = self.core.now();
        let left_out: BTreeSet<OpId> = self
            .resting
            .iter()
            .filter(|(_, until)| **until > now)
            .map(|(op, _)| *op)
            .collect();
        let taken = busy.clone();
        let work = self
            .core
            .desk
            .read(move |reader| {
                let is_left_out = |op: &Kept| left_out.contains(&op.id) || taken.contains(&op.entity);
                Ok(Work {
                    ready: reader.outbox.ready(now, AT_ONCE, is_left_out)?,
                    uncertain: reader.outbox.uncertain()?,
                    landed: reader.outbox.landed()?,
                    next_due: reader.outbox.next_due()?.filter(|due| *due > now),
                })
            })
            .await;
        self.core.line.troubled(Part::Outbox, work.as_ref().err().cloned());
        let work = work.unwrap_or_else(|fault| {
            tracing::warn!(%fault, "the outbox cannot be read");
            Work {
                next_due: Some(later(now, REST)),
                ..Work::default()
            }
        });
        let resting = self.resting.values().copied().filter(|until| *until > now).min();
        let mut wake = work.next_due.into_iter().chain(resting).min();
        let is_blocked = wake.is_some() && self.core.settings.drill.has(Bug::PoisonBlocks);
        let mut is_due = |op: &Kept| {
            let at = self.resting.get(&op.id).copied().max(Some(due_at(op))).unwrap_or(now);
            if at > now {
                wake = Some(wake.map_or(at, |wake| wake.min(at)));
            }
            at <= now && !is_blocked
        };
        // Of what landed on one record, the oldest is settled first.
        let mut unsettled = BTreeSet::new();
        let landed = work.landed.into_iter().filter(|op| unsettled.insert(op.entity.clone()));
        let landed: Vec<Kept> = landed.filter(&mut is_due).collect();
        let uncertain: Vec<Kept> = work.uncertain.into_iter().filter(&mut is_due).collect();
        let ready: Vec<Kept> = work.ready.into_iter().filter(&mut is_due).collect();
        (jobs(busy, uncertain, landed, ready), wake)
    }
}

/// From when on no send of an operation can arrive any more. A send may begin long after its claim, when the token has to be
/// renewed first: it was over when its outcome was recorded, and not before.
pub fn arrived_by(op: &Kept) -> Timestamp {
    let over = op
        .claimed_at
        .map_or(op.changed_at, |at| later(at, DEADLINE).max(op.changed_at));
    later(over, QUARANTINE)
}

/// The earliest time at which an operation can be worked on. A note of unknown outcome that carries no key waits until no
/// earlier send of it can still arrive; so does the last look at a property write of which one send was ambiguous.
fn due_at(op: &Kept) -> Timestamp {
    // What broke together is looked at together.
    let quiet = || {
        let at = arrived_by(op);
        let beyond = at
            .as_millisecond()
            .rem_euclid(TOGETHER.as_millis().try_into().unwrap_or(1));
        later(at, TOGETHER - Duration::from_millis(beyond.unsigned_abs()))
    };
    match (op.state, &op.payload) {
        (OpState::Uncertain, Payload::CreateNote { key: None, .. }) => quiet(),
        (OpState::Landed, Payload::SetProperties { .. }) if op.ambiguous_sends > 0 => quiet(),
        _ => op.not_before.unwrap_or(op.created_at),
    }
}

/// Puts together what can be worked on in one piece; every record is worked on once at a time.
fn jobs(busy: &BTreeSet<RecordRef>, uncertain: Vec<Kept>, landed: Vec<Kept>, ready: Vec<Kept>) -> Vec<Job> {
    let mut entities = busy.clone();
    let mut free = |ops: Vec<Kept>| -> Vec<Kept> {
        ops.into_iter()
            .filter(|op| entities.insert(op.entity.clone()))
            .collect()
    };
    let (uncertain, landed, ready) = (free(uncertain), free(landed), free(ready));
    let (contacts, ready): (Vec<Kept>, Vec<Kept>) = ready
        .into_iter()
        .partition(|op| matches!(op.payload, Payload::UpsertContact { .. }));
    let pieces = |step, ops: Vec<Kept>, most| {
        let pieces: Vec<Job> = ops
            .chunks(most)
            .map(|ops| Job {
                step,
                ops: ops.to_vec(),
            })
            .collect();
        pieces
    };
    // What a person did by hand goes before what a file brought.
    [
        pieces(Step::Resolve, uncertain, BatchWrite::MOST),
        pieces(Step::Settle, landed, BatchWrite::MOST),
        pieces(Step::Send, ready, 1),
        pieces(Step::Contacts, contacts, BatchWrite::MOST),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn round(core: &Core, epoch: u64, missed: &resolve::Missed, job: Job) -> Round {
    let entities = job.ops.iter().map(|op| op.entity.clone()).collect();
    let account = match core.desk.read(|reader| Ok(reader.mirror.account()?)).await {
        Ok(account) => account.map(|account| account.portal_id),
        Err(fault) => {
            let turns = job.ops.iter().map(|op| (op.id, Err(fault.clone()))).collect();
            return Round { entities, turns };
        }
    };
    // Nothing is ever sent to, or looked up in, another account than the one it was meant for.
    let (ours, others): (Vec<Kept>, Vec<Kept>) = job
        .ops
        .into_iter()
        .partition(|op| account == Some(op.account) || core.settings.drill.has(Bug::NoAccountCheck));
    let mut turns = match job.step {
        Step::Send => send_each(core, epoch, ours).await,
        Step::Contacts => contacts::send(core, epoch, ours).await,
        Step::Resolve => resolve::resolve(core, missed, ours).await,
        Step::Settle => settle::settle(core, ours).await,
    };
    for op in others {
        turns.push((op.id, leave(core, &op).await));
    }
    Round { entities, turns }
}

async fn send_each(core: &Core, epoch: u64, ops: Vec<Kept>) -> Vec<Turn> {
    let mut turns = Vec::with_capacity(ops.len());
    for op in ops {
        turns.push((op.id, send_one(core, epoch, op).await));
    }
    turns
}

async fn send_one(core: &Core, epoch: u64, op: Kept) -> Result<Rest, Fault> {
    match core.scopes.lacking(send::need(&op)) {
        Some(fault) => land::finish(core, &op, send::without_scope(&fault))
            .await
            .map(|()| None),
        None => send::send(core, epoch, op).await,
    }
}

/// It is another account's: a person decides. What landed there waits for that account's token.
async fn leave(core: &Core, op: &Kept) -> Result<Rest, Fault> {
    if op.state == OpState::Landed {
        return Ok(Some(later(core.now(), REST)));
    }
    land::finish(core, op, send::wrong_account()).await.map(|()| None)
}

async fn sleep_until(core: &Core, wake: Option<Timestamp>) {
    match wake {
        Some(at) => core.wait_until(at).await,
        None => std::future::pending().await,
    }
}

/// The name a note goes by before HubSpot has given it an id: the operation that creates it.
pub fn unborn(op: OpId) -> RecordRef {
    RecordRef::new(ObjectType::Notes, format!("{UNBORN}{op}"))
}

/// Whether a record is only known by the operation that creates it.
pub fn is_unborn(record: &RecordRef) -> bool {
    record.id.starts_with(UNBORN)
}

const UNBORN: &str = "op:";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Operation, Properties};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// An operation that was claimed at second 1,000 and got its state at this one.
    fn kept(state: OpState, payload: Payload, changed: i64) -> Kept {
        Kept {
            op: Operation {
                id: OpId(uuid::Uuid::from_u128(1)),
                entity: RecordRef::new(ObjectType::Deals, "1"),
                payload,
                state,
                attempts: 1,
                created_at: at(900),
                not_before: None,
                error: None,
                remote_id: None,
                undo_of: None,
                title: String::new(),
            },
            account: 123,
            op_key: String::new(),
            seq: 1,
            ambiguous_sends: 1,
            crashes: 0,
            epoch: Some(1),
            claimed_at: Some(at(1_000)),
            landed_version: None,
            changed_at: at(changed),
            superseded_by: None,
        }
    }

    #[test]
    fn the_quarantine_begins_when_the_send_was_over_however_long_after_its_claim_it_began() {
        let note = Payload::CreateNote {
            body: "called back".to_owned(),
            at: at(900),
            owner: None,
            links: Vec::new(),
            key: None,
        };
        let (values, base) = (Properties::new(), Properties::new());
        let moved = Payload::SetProperties { values, base };
        for (state, payload) in [(OpState::Uncertain, note), (OpState::Landed, moved)] {
            assert_eq!(due_at(&kept(state, payload.clone(), 1_090)), at(1_250), "a late send");
            assert_eq!(due_at(&kept(state, payload, 1_001)), at(1_190), "a prompt one");
        }
    }
}
