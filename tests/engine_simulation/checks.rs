//! The promises that are looked at after every step, at every change of an operation, and when a day is over.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use dealdeck::{
    domain::{Connection, Deal, DealId, Decision, ObjectType, OpId, OpState, Operation, Payload, RecordRef},
    report,
    store::{Kept, OutboxFilter, Reader},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    day::{CANARY, Day},
    faults::Shown,
    invariants::Invariant,
    sent::same,
};

/// Attempts of one operation that count, at most.
const MOST_ATTEMPTS: u32 = 13;

impl Day {
    pub fn reader(&self) -> Reader {
        Reader::open(&self.world.place()).unwrap()
    }

    /// An operation came into a new state.
    pub async fn look_at(&mut self, op: OpId, deal: Option<&DealId>) {
        let reader = self.eyes.take().unwrap_or_else(|| self.reader());
        if let Some(kept) = reader.outbox.get(op).unwrap() {
            if matches!(kept.state, OpState::Landed | OpState::Done) {
                self.check_landed(&reader, &kept).await;
            }
            if let Some(deal) = deal {
                let filter = OutboxFilter {
                    entity: Some(RecordRef::new(ObjectType::Deals, deal.as_str())),
                    ..OutboxFilter::default()
                };
                let all = reader.outbox.list(&filter).unwrap();
                self.check_shown(&all, std::slice::from_ref(deal)).await;
            }
        }
        self.eyes = Some(reader);
    }

    /// Deals came into a new state.
    pub async fn look_at_mirror(&mut self) {
        let reader = self.eyes.take().unwrap_or_else(|| self.reader());
        self.check_mirror(&reader).await;
        self.eyes = Some(reader);
    }

    /// After every step.
    pub async fn check_now(&mut self) {
        let reader = self.eyes.take().unwrap_or_else(|| self.reader());
        let all = reader.outbox.list(&OutboxFilter::default()).unwrap();
        let kept: BTreeSet<OpId> = all.iter().map(|op| op.id).collect();
        for op in &self.acknowledged {
            self.book.check(Invariant::NoLostAction, kept.contains(op), || {
                format!("{op} was acknowledged and is gone")
            });
        }
        for op in &all {
            self.check_attempts(&reader, op);
            if matches!(op.state, OpState::Landed | OpState::Done) {
                self.check_landed(&reader, op).await;
            }
        }
        if self.process.is_some() {
            let deals: Vec<DealId> = self.deals.iter().map(|(deal, _)| deal.clone()).collect();
            self.check_shown(&all, &deals).await;
        }
        self.check_mirror(&reader).await;
        self.eyes = Some(reader);
    }

    /// What the attempts of an operation must say, beside what its exchanges showed.
    fn check_attempts(&mut self, reader: &Reader, op: &Kept) {
        let state = self.wire.state();
        let exchanges = state.exchanges.get(&op.id).cloned().unwrap_or_default();
        drop(state);
        // What is as it was when it was last looked at need not be looked at again.
        let now = (op.state, op.attempts, op.changed_at, exchanges.len());
        if self.examined.insert(op.id, now) == Some(now) {
            return;
        }
        let attempts = reader.outbox.attempts(op.id).unwrap();
        for attempt in &attempts {
            let Some(outcome) = attempt.outcome else { continue };
            let is_unknown = exchanges
                .iter()
                .any(|(n, shown)| *n == attempt.n && *shown == Shown::Unknown);
            let stays = matches!(outcome, OpState::Uncertain | OpState::Held);
            self.book.check(Invariant::AmbiguityIsSticky, !is_unknown || stays, || {
                format!("attempt {attempt:?} of {op:?}")
            });
        }
        // Nothing is given back before the outcome is on disk, nor where a process died before.
        let is_recorded = |n: &u32| {
            let mut ended = attempts
                .iter()
                .filter(|attempt| attempt.ended_at.is_some() && !attempt.ambiguous);
            ended.any(|attempt| attempt.n == *n)
        };
        // One attempt may be two requests: it is free when all of them were.
        let is_free = |n: &u32| {
            let mut its = exchanges.iter().filter(|(of, _)| of == n);
            is_recorded(n) && its.all(|(_, shown)| *shown == Shown::Free)
        };
        let sent: BTreeSet<u32> = exchanges.iter().map(|(n, _)| *n).collect();
        let free = sent.iter().filter(|n| is_free(n)).count();
        let claims = u32::try_from(attempts.len() - free.min(attempts.len())).unwrap();
        self.book.check(Invariant::FreeRefusals, op.attempts <= claims, || {
            format!("{} attempts count of {attempts:?} with {exchanges:?}", op.attempts)
        });
        let ended = exchanges.last().is_some_and(|(_, shown)| *shown == Shown::Free);
        self.book
            .check(Invariant::FreeRefusals, !(ended && op.state == OpState::Dead), || {
                format!("{op:?}")
            });
        self.book
            .check(Invariant::RetryBound, op.attempts <= MOST_ATTEMPTS, || {
                format!("{op:?}")
            });
        let untouched = op.superseded_by.is_none() || attempts.is_empty();
        self.book.check(Invariant::CoalescingSafety, untouched, || {
            format!("rewritten after a claim: {op:?}")
        });
    }

    /// HubSpot's history has what an operation is said to have done.
    async fn check_landed(&mut self, reader: &Reader, op: &Kept) {
        if self.foreign || !self.landed.insert(op.id) {
            return;
        }
        let has = |record: &Value, name: &str, value: &str| {
            let there = record["properties"][name].as_str().unwrap_or_default();
            let past = record["history"][name].as_array().into_iter().flatten();
            same(there, value)
                || past
                    .filter_map(|change| change["value"].as_str())
                    .any(|then| same(then, value))
        };
        let truth = async |object: ObjectType, id: Option<&String>| match id {
            Some(id) => self.world.true_record(object, id).await,
            None => None,
        };
        let holds = match &op.payload {
            Payload::SetProperties { values, .. } => {
                let record = truth(op.entity.object, Some(&op.entity.id)).await;
                record.is_none_or(|record| {
                    values
                        .iter()
                        .all(|(name, value)| has(&record, name, value.as_deref().unwrap_or_default()))
                })
            }
            Payload::CreateNote { body, .. } => truth(ObjectType::Notes, op.remote_id.as_ref())
                .await
                .is_some_and(|note| note["properties"]["hs_note_body"].as_str() == Some(body)),
            Payload::Archive => {
                let original = op.undo_of.and_then(|of| reader.outbox.get(of).unwrap());
                let id = original.and_then(|original| original.op.remote_id);
                let record = truth(op.entity.object, Some(&id.unwrap_or_else(|| op.entity.id.clone()))).await;
                record.is_none_or(|record| record["archived"] == true)
            }
            Payload::UpsertContact { email, .. } => {
                let contacts = self.everything(ObjectType::Contacts).await;
                let mut emails = contacts.values().map(|contact| &contact["properties"]["email"]);
                emails.any(|there| there.as_str() == Some(email))
            }
            Payload::Associate { .. } | Payload::ListMember { .. } => true,
        };
        self.book.check(Invariant::NoFalseDone, holds, || {
            format!("HubSpot knows nothing of {op:?}")
        });
    }

    /// The records of a type with those that are archived.
    async fn everything(&self, object: ObjectType) -> BTreeMap<String, Value> {
        let text = self
            .world
            .witness("GET", &format!("objects/{}", object.name()), None)
            .await;
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|record| (record["id"].as_str().unwrap().to_owned(), record))
            .collect()
    }

    /// Deals are shown as the newest of these operations, the newest first, want it.
    async fn check_shown(&self, all: &[Kept], deals: &[DealId]) {
        let shown = self.process.as_ref().unwrap().handle.deals(deals).await;
        for shown in shown.unwrap_or_default() {
            self.check_one(all, &shown).await;
        }
    }

    async fn check_one(&self, all: &[Kept], shown: &Deal) {
        let deal = &shown.id;
        let of_it = |op: &&Kept| op.entity.object == ObjectType::Deals && op.entity.id == deal.as_str();
        for name in ["dealstage", "hs_next_step", "amount"] {
            let wants = |op: &&Kept| match &op.payload {
                Payload::SetProperties { values, .. } => values.contains_key(name),
                _ => false,
            };
            let counts = |op: &&Kept| !matches!(op.state, OpState::Cancelled | OpState::Superseded | OpState::Dead);
            let Some(newest) = all.iter().filter(of_it).filter(wants).find(counts) else {
                continue;
            };
            let Payload::SetProperties { values, .. } = &newest.payload else {
                continue;
            };
            let wanted = values[name].clone().unwrap_or_default();
            let there = match name {
                "dealstage" => shown.stage.to_string(),
                "amount" => shown.amount.map(|amount| amount.to_string()).unwrap_or_default(),
                _ => shown.next_step.clone().unwrap_or_default(),
            };
            let mut holds = same(&there, &wanted);
            if !holds && newest.state == OpState::Done {
                // Somebody else may have changed it since, here or in HubSpot; a mirror that was lost knows less.
                let is_known =
                    self.forgotten.contains(&newest.id) || self.murky.contains(&(deal.to_string(), name.to_owned()));
                holds = is_known || !same(&self.true_value(deal, name).await, &wanted);
            }
            self.book.check(Invariant::ReadYourWrites, holds, || {
                format!("{name} of {deal} is shown as '{there}' instead of '{wanted}': {newest:?}")
            });
        }
    }

    /// The mirror only goes forward, and each row is its own record's.
    async fn check_mirror(&mut self, reader: &Reader) {
        if self.foreign {
            return;
        }
        let Ok(rows) = reader.mirror.all(ObjectType::Deals) else {
            return;
        };
        if rows.iter().any(|row| !self.born.contains_key(&row.id)) {
            for (id, record) in self.everything(ObjectType::Deals).await {
                let born = record["properties"]["createdate"].as_str().unwrap_or_default();
                self.born.insert(id, Some(born.to_owned()));
            }
            // Those that were merged away are not among them any more, and need not be asked for again.
            for row in &rows {
                self.born.entry(row.id.clone()).or_default();
            }
        }
        for row in rows {
            // As instants: a whole second is spelled without a fraction.
            let version: Option<Timestamp> = row.get("hs_lastmodifieddate").and_then(|text| text.parse().ok());
            let before = self.versions.get(&row.id).copied().flatten();
            self.book.check(Invariant::MonotonicMirror, version >= before, || {
                format!("deal {} went back from {before:?} to {version:?}", row.id)
            });
            self.versions.insert(row.id.clone(), version);
            // One that was merged away is nobody's any more.
            let born = self.born.get(&row.id).and_then(Option::as_deref);
            self.book.check(
                Invariant::MonotonicMirror,
                born.is_none() || born == row.get("createdate"),
                || format!("deal {} stands under another's id", row.id),
            );
        }
    }

    /// Everything there is of a person's words, as faces print it, and every file: no token, no control character.
    pub async fn check_texts(&self) {
        let Some(process) = &self.process else { return };
        let Ok(operations) = process.handle.operations(None, 10_000).await else {
            return;
        };
        let mut texts = Vec::new();
        for format in [report::Format::Table, report::Format::Markdown] {
            texts.push(report::operations(&operations, &report::Names::default(), format).unwrap());
        }
        let is_clean = |text: &str| {
            text.chars()
                .all(|c| c == '\n' || c == '\r' || (!c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}')))
        };
        for text in &texts {
            self.book
                .check(Invariant::CleanText, is_clean(text), || format!("{text:?}"));
        }
        for text in texts.iter().chain(&self.told) {
            self.book
                .check(Invariant::Secrets, !text.contains(CANARY), || text.clone());
        }
        for entry in std::fs::read_dir(self.world.place().dir).unwrap().flatten() {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            // The standard library looks for texts much faster than for bytes.
            let is_in = String::from_utf8_lossy(&bytes).contains(CANARY);
            self.book.check(Invariant::Secrets, !is_in, || {
                format!("the token is in {}", entry.path().display())
            });
        }
    }

    /// How often HubSpot had to refuse, and whether anything was made anew.
    pub async fn check_portal(&self) {
        let stats: Value = serde_json::from_str(&self.world.witness("GET", "stats", None).await).unwrap();
        let search = stats["worst_search_second"].as_u64().unwrap_or_default();
        let window = stats["worst_window"]["count"].as_u64().unwrap_or_default();
        let holds = stats["refused"] == 0 && search <= 5 && window <= 190;
        self.book.check(Invariant::Rate, holds, || stats.to_string());
        let deals = self.everything(ObjectType::Deals).await;
        let merged = self.lost.len();
        self.book.check(
            Invariant::GoneStaysGone,
            deals.len() <= self.deals.len() + merged,
            || format!("{} deals", deals.len()),
        );
        self.check_copies().await;
    }

    /// No note is there more often than a person wanted it.
    async fn check_copies(&self) {
        let reader = self.reader();
        let notes = self.everything(ObjectType::Notes).await;
        let twice = self.book.faults().contains_key("twice");
        for (op, text) in &self.notes {
            let Some(kept) = reader.outbox.get(*op).unwrap() else {
                continue;
            };
            let copies = notes
                .values()
                .filter(|note| note["properties"]["hs_note_body"].as_str() == Some(text))
                .count();
            let sends = reader.outbox.attempts(*op).unwrap().len();
            let is_keyed = matches!(&kept.payload, Payload::CreateNote { key: Some(_), .. });
            let decided = self.wire.state().decided.contains_key(op);
            if is_keyed {
                self.book.check(Invariant::NoDuplicateEffect, copies <= 1, || {
                    format!("{copies} copies of {kept:?}")
                });
            } else if !decided && !twice {
                self.book.check(Invariant::NoSilentDuplicate, copies <= 1, || {
                    format!("{copies} copies after {sends} sends of {kept:?}")
                });
            }
        }
    }

    /// What the person wanted last is what HubSpot has, where nobody else had a hand in it.
    pub async fn check_wishes(&self) {
        let operations = self.handle().operations(None, 10_000).await.unwrap();
        let truth = self.world.truth(ObjectType::Deals).await;
        for (deal, _) in &self.deals {
            let Some(record) = truth.get(deal.as_str()).filter(|_| !self.lost.contains(deal.as_str())) else {
                continue;
            };
            for name in ["dealstage", "hs_next_step", "amount"] {
                let key = (deal.to_string(), name.to_owned());
                let raced = self
                    .wire
                    .state()
                    .raced
                    .iter()
                    .any(|(id, raced)| id == deal.as_str() && *raced == name);
                if self.murky.contains(&key) || raced {
                    continue;
                }
                let mine: Vec<&Operation> = operations
                    .iter()
                    .filter(|op| op.entity.id == deal.as_str() && sets(op, name))
                    .collect();
                let is_open =
                    |op: &&&Operation| !matches!(op.state, OpState::Done | OpState::Cancelled | OpState::Superseded);
                // One that was given up may still have had its effect, and one that waits for a person has had none yet.
                if mine.iter().find(is_open).is_some() {
                    continue;
                }
                let Some(last) = mine.iter().find(|op| op.state == OpState::Done) else {
                    continue;
                };
                if mine.iter().any(|op| op.state == OpState::Cancelled && op.attempts > 0) {
                    continue;
                }
                let Payload::SetProperties { values, .. } = &last.payload else {
                    continue;
                };
                let wanted = values[name].clone().unwrap_or_default();
                let there = record["properties"][name].as_str().unwrap_or_default();
                self.book.check(Invariant::CoalescingSafety, same(there, &wanted), || {
                    format!("{name} of {deal} is '{there}', wanted was '{wanted}': {mine:#?}")
                });
            }
        }
    }

    /// Nothing fails any more: everything comes to rest within a quarter of an hour, and the mirror is what HubSpot has.
    pub async fn quiet(&mut self) {
        self.heal().await;
        self.wait(Duration::from_secs(10)).await;
        // The answer that ended the day may have come in after a night's sleep; then it is the next day's end that counts.
        if let Connection::Slowed { until } = self.handle().freshness().connection
            && let Ok(left) = Duration::try_from(until.duration_since(self.world.clock.wall()))
        {
            self.suspend(left).await;
        }
        let mut moving = Vec::new();
        for _ in 0..90 {
            self.wait(Duration::from_secs(10)).await;
            moving = self.handle().operations(None, 10_000).await.unwrap();
            let waiting: Vec<_> = moving
                .iter()
                .filter(|op| waits(op))
                .map(|op| op.entity.clone())
                .collect();
            // Behind one that waits for a person others of its record may have to wait as well.
            let is_behind = |op: &Operation| op.state == OpState::Queued && waiting.contains(&op.entity);
            moving.retain(|op| !op.state.is_final() && !waits(op) && !is_behind(op));
            if moving.is_empty() {
                break;
            }
        }
        let freshness = self.handle().freshness();
        self.book.check(Invariant::Convergence, moving.is_empty(), || {
            format!("{moving:#?} {freshness:?}")
        });
        let mut differences = Vec::new();
        for _ in 0..60 {
            differences = self.world.differences().await;
            differences.retain(|what| {
                !self
                    .relinked
                    .iter()
                    .any(|id| what.contains(id) && what.contains("contacts are"))
            });
            if differences.is_empty() {
                break;
            }
            self.handle().refresh();
            self.wait(Duration::from_secs(15)).await;
        }
        self.book.check(Invariant::Convergence, differences.is_empty(), || {
            format!("{differences:#?}")
        });
    }

    /// Whatever was broken is mended, and a new process begins, so that nothing rests on the memory of the last one.
    pub async fn heal(&mut self) {
        {
            let mut state = self.wire.state();
            (state.reads, state.writes, state.refused) = (0, 0, false);
        }
        // A clock that was set back would let everything wait that was kept later than now.
        let back = self.clock_was - self.clock_is;
        self.world.clock.set_wall_by(jiff::SignedDuration::from_hours(back));
        self.clock_is = self.clock_was;
        self.world.cut(false);
        self.world.forbid(None);
        *self.disk.lock().unwrap() = crate::disk::Disk::default();
        if self.foreign {
            self.wrong_account().await;
        }
        if self.wire.state().day_spent && self.wire.now() < 3_600_000 {
            self.suspend(Duration::from_hours(1)).await;
        }
        self.ends_second().await;
        if let Some(process) = self.process.take() {
            process.end().await;
        }
        self.leaves_the_others_mirror();
        self.start();
        self.gives_up_the_others_changes().await;
        self.handle().refresh();
    }

    /// What was changed while the mirror was the other account's is for that one and never goes to ours.
    async fn gives_up_the_others_changes(&mut self) {
        let ours = self.world.portal.portal_id();
        let waiting = self.reader().outbox.list(&OutboxFilter::default()).unwrap();
        let theirs = waiting.iter().filter(|op| op.account != ours && !op.state.is_final());
        for op in theirs.map(|op| op.id).collect::<Vec<_>>() {
            let _ = self.handle().decide(op, Decision::Drop).await;
        }
    }

    /// A mirror that was lost while the token was another account's, and nothing waited for ours, is that account's from
    /// then on, and our token is refused. Whoever wants to go on here takes it away.
    fn leaves_the_others_mirror(&mut self) {
        let account = self.reader().mirror.account().unwrap();
        let ours = self.world.portal.portal_id();
        if account.is_none_or(|account| account.portal_id == ours) {
            return;
        }
        self.wire.state().reader = None;
        self.eyes = None;
        crate::disk::take_away_mirror(&self.world.place().dir);
        self.mirror_is_lost();
    }

    /// One record fails for ever; what a person does to others is on its way within ten seconds all the same.
    pub async fn poison(&mut self) {
        let live: Vec<DealId> = self
            .deals
            .iter()
            .map(|(id, _)| id.clone())
            .filter(|id| !self.lost.contains(id.as_str()))
            .collect();
        let [bad, good, ..] = live.as_slice() else { return };
        self.wire.state().poison = Some(bad.to_string());
        self.sets(bad, "amount", "1111").await;
        self.wait(Duration::from_secs(50)).await;
        let begun = self.world.clock.wall();
        let before = self.acknowledged.len();
        self.sets(good, "amount", "2222").await;
        if let Some(op) = self.acknowledged.get(before).copied() {
            self.handle().look_at(good);
            self.handle().refresh();
            self.wait(Duration::from_secs(16)).await;
            let reader = self.reader();
            let waits = reader
                .outbox
                .pending_of(&RecordRef::new(ObjectType::Deals, good.as_str()))
                .unwrap();
            let is_blocked = waits
                .iter()
                .any(|op| matches!(op.state, OpState::Held | OpState::Conflict));
            let grace = i64::from(
                reader
                    .outbox
                    .get(op)
                    .unwrap()
                    .is_some_and(|kept| kept.op.not_before.is_some()),
            ) * 5;
            let left = self.wire.state().left.get(&op).copied();
            let state = reader.outbox.get(op).unwrap().map(|kept| kept.op.state);
            // A colleague may have been faster: then nothing has to be sent.
            let is_settled = !matches!(state, Some(OpState::Queued)) && left.is_none();
            let waited = left.map_or(99, |left| left.duration_since(begun).as_secs() - grace);
            let on_time = is_blocked || is_settled || waited <= 15;
            let what = || format!("{op} waited {waited} s, is {state:?}");
            self.book.check(Invariant::NoPoisonBlock, on_time, what);
            self.book.check(Invariant::NoStarvation, on_time, what);
        }
        self.wire.state().poison = None;
    }
}

const fn waits(op: &Operation) -> bool {
    matches!(op.state, OpState::Held | OpState::Conflict)
}

fn sets(op: &Operation, name: &str) -> bool {
    matches!(&op.payload, Payload::SetProperties { values, .. } if values.contains_key(name))
}
