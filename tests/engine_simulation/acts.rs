//! What happens on a day, one step at a time: a person, colleagues, the host.

use std::time::Duration;

use dealdeck::{
    domain::{
        Change, DealId, Decision, ObjectType, OpState, Origin, Payload, RecordRef, RedoOutcome, StageId, Submission,
        UndoOutcome,
    },
    store::{NewOperation, Store},
};
use jiff::SignedDuration;
use rand::RngExt as _;
use serde_json::json;

use crate::{day::Day, disk};

/// What a note's text must not smuggle into anything people read.
const SMUGGLED: &str = "\u{1b}[31mred\u{202e}\u{7}";

impl Day {
    pub async fn step(&mut self, nth: u32) {
        let (deal, stages) = self.some_deal();
        match self.rng.random_range(0..100) {
            0..=15 => self.moves(&deal, &stages).await,
            16..=25 => self.sets(&deal, "hs_next_step", &format!("step {nth}")).await,
            26..=31 => {
                let amount = self.rng.random_range(1_000..99_000).to_string();
                self.sets(&deal, "amount", &amount).await;
            }
            32..=43 => self.notes(&deal, nth).await,
            44..=50 => {
                self.undoes().await;
                if self.rng.random_bool(0.4) {
                    self.redoes_one().await;
                }
            }
            51..=56 => self.colleague_edits(&deal).await,
            57..=58 => self.colleague_ends(&deal).await,
            59..=60 => self.other_kinds(&deal, nth).await,
            61..=65 => self.decides().await,
            66..=68 => self.cut().await,
            69..=73 => self.restarts().await,
            74..=78 => self.disk_fails().await,
            79..=80 => self.clock(),
            81 => self.suspend(Duration::from_hours(8)).await,
            82..=83 => self.steals(),
            84..=86 => self.second_process().await,
            87..=88 => self.scope(),
            89 => self.wrong_account().await,
            90..=92 => self.handle().look_at(&deal),
            93 => {
                let key = format!("note:{deal}");
                let _ = self.handle().save_draft(&key, Some(SMUGGLED)).await;
            }
            94..=95 => self.changes_what_was_claimed().await,
            96..=97 => self.undoes_over_a_colleague().await,
            _ => self.handle().refresh(),
        }
        if self.wire.state().refused && self.rng.random_bool(0.85) {
            self.wire.state().refused = false;
            self.handle().refresh();
        }
        if self.wire.state().day_spent && self.rng.random_bool(0.3) && self.wire.now() < 3_600_000 {
            self.suspend(Duration::from_hours(1)).await;
        }
        let wait = [10, 150, 700, 3_000, 9_000, 30_000][self.rng.random_range(0..6)];
        self.wait(Duration::from_millis(wait)).await;
        self.check_now().await;
    }

    fn origin(&mut self) -> Origin {
        if self.rng.random_bool(0.6) {
            Origin::Screen
        } else {
            Origin::Command
        }
    }

    async fn submits(&mut self, what: &str, change: Change) -> Option<dealdeck::domain::OpId> {
        let origin = self.origin();
        let failed = self.disk.lock().unwrap().refused;
        // A second process enqueues what the first one sends.
        let second = self.second.as_ref().filter(|_| self.rng.random_bool(0.5));
        let handle = second.map_or_else(|| self.handle(), |second| second.handle.clone());
        let answer = handle.submit(Submission { change, origin }).await;
        let op = answer.as_ref().ok().map(|receipt| receipt.op);
        op.filter(|_| self.answered(what, failed, &answer)).or_else(|| {
            if op.is_none() {
                self.answered(what, failed, &answer);
            }
            None
        })
    }

    pub async fn moves(&mut self, deal: &DealId, stages: &[StageId]) {
        let change = Change::MoveDeal {
            deal: deal.clone(),
            stage: stages[self.rng.random_range(0..stages.len())].clone(),
            pipeline: None,
        };
        self.submits("a move", change).await;
    }

    pub async fn sets(&mut self, deal: &DealId, name: &str, value: &str) {
        let values = [(name.to_owned(), Some(value.to_owned()))].into();
        let record = RecordRef::new(ObjectType::Deals, deal.as_str());
        self.submits("a value", Change::SetProperties { record, values }).await;
    }

    pub async fn notes(&mut self, deal: &DealId, nth: u32) {
        let text = format!("note number {nth} of the day");
        let change = Change::AddNote {
            deal: deal.clone(),
            text: text.clone(),
            at: None,
        };
        if let Some(op) = self.submits("a note", change).await {
            self.notes.insert(op, text);
        }
    }

    pub async fn undoes(&mut self) {
        for _ in 0..self.rng.random_range(1..4) {
            self.undoes_one().await;
        }
    }

    pub async fn undoes_one(&mut self) {
        let outcome = self.handle().undo().await;
        self.book.log(format!("{} undo", self.wire.now()));
        if let Ok(UndoOutcome::Inverse { op, .. }) = outcome {
            self.acknowledged.push(op);
            self.name(op);
        }
    }

    /// What was undone last is done again; one by one, for the texts of notes are known by their operations.
    pub async fn redoes_one(&mut self) {
        let outcome = self.handle().redo().await;
        self.book.log(format!("{} redo", self.wire.now()));
        let Ok(RedoOutcome::Redone { ops, .. }) = outcome else {
            return;
        };
        for op in ops
            .into_iter()
            .filter(|op| !self.acknowledged.contains(op))
            .collect::<Vec<_>>()
        {
            self.acknowledged.push(op);
            self.name(op);
        }
    }

    pub async fn colleague_edits(&mut self, deal: &DealId) {
        let (name, value) = match self.rng.random_range(0..4) {
            0 => ("hs_next_step", self.rng.random_range(0..99).to_string()),
            1 => ("dealname", format!("Deal {SMUGGLED}")),
            _ => ("amount", self.rng.random_range(1_000..99_000).to_string()),
        };
        let body = json!({"type": "deals", "id": deal.as_str(), "properties": {name: value}, "actor": "2"});
        if self.wire.witness("edit", &body).await {
            self.book.fault("colleague-edits");
            self.murky.insert((deal.to_string(), name.to_owned()));
        }
    }

    async fn colleague_ends(&mut self, deal: &DealId) {
        // The account must not run out of deals.
        if self.lost.len() > 4 || self.lost.contains(deal.as_str()) {
            return;
        }
        let other = self
            .deals
            .iter()
            .find(|(id, _)| id != deal && !self.lost.contains(id.as_str()));
        let Some((other, _)) = other.cloned() else { return };
        let (what, body) = if self.rng.random_bool(0.5) {
            ("archive", json!({"type": "deals", "id": deal.as_str()}))
        } else {
            let body = json!({"type": "deals", "primaryObjectId": other.as_str(), "objectIdToMerge": deal.as_str()});
            ("merge", body)
        };
        if self.wire.witness(what, &body).await {
            self.lost.insert(deal.to_string());
            if what == "merge" {
                self.lost.insert(other.to_string());
            }
            self.book.fault(if what == "merge" {
                "colleague-merges"
            } else {
                "colleague-archives"
            });
        }
    }

    /// Operations that no key of the dashboard makes.
    pub async fn other_kinds(&mut self, deal: &DealId, nth: u32) {
        let account = self.world.portal.portal_id();
        let contacts = self.world.truth(ObjectType::Contacts).await;
        let contact = contacts.keys().next().cloned().unwrap_or_default();
        let (entity, payload) = if self.rng.random_bool(0.5) {
            let email = format!("person{nth}@example.com");
            let entity = RecordRef::new(ObjectType::Contacts, email.clone());
            let values = [("firstname".to_owned(), Some("Ann".to_owned()))].into();
            (entity, Payload::UpsertContact { email, values })
        } else {
            let with = RecordRef::new(ObjectType::Contacts, contact);
            let linked = self.rng.random_bool(0.6);
            self.relinked.insert(deal.to_string());
            (
                RecordRef::new(ObjectType::Deals, deal.as_str()),
                Payload::Associate { with, linked },
            )
        };
        let new = NewOperation {
            account,
            entity,
            payload,
            title: "from a script".to_owned(),
            not_before: None,
            undo_of: None,
            op_key: None,
        };
        let now = self.world.clock.wall();
        let Ok(mut opened) = Store::open(&self.world.place()) else {
            return;
        };
        if let Ok(kept) = opened.store.outbox.keep(new, now) {
            self.acknowledged.push(kept.id);
            self.name(kept.id);
        }
    }

    /// The person decides about what waits for them.
    pub async fn decides(&mut self) {
        let waiting = [OpState::Held, OpState::Conflict, OpState::Dead];
        let Ok(waiting) = self.handle().operations(Some(&waiting), 10).await else {
            return;
        };
        for op in waiting {
            let fields = op.error.as_ref().is_some_and(|error| error.class == "needs_fields");
            let decision = match self.rng.random_range(0..3) {
                0 => Decision::Drop,
                _ if fields => Decision::SendWith([("closed_lost_reason".to_owned(), Some("price".to_owned()))].into()),
                _ => Decision::Send,
            };
            let sends = !matches!(decision, Decision::Drop);
            let Ok(story) = self.handle().operation_story(op.id).await else {
                return;
            };
            let attempts = story.attempts.last().map_or(0, |attempt| attempt.n);
            // Recorded before: it may be sent the moment it is decided.
            let before = self.wire.state().decided.insert(op.id, attempts);
            match self.handle().decide(op.id, decision).await {
                Err(_) => {
                    let mut state = self.wire.state();
                    match before {
                        Some(before) => state.decided.insert(op.id, before),
                        None => state.decided.remove(&op.id),
                    };
                }
                Ok(now) => {
                    // Its record may be the one that its own was merged into.
                    let entities = [&op.entity.id, &now.entity.id];
                    if let (true, Payload::SetProperties { values, .. }) = (sends, &op.payload) {
                        for name in values.keys() {
                            self.murky.extend(entities.map(|id| (id.clone(), name.clone())));
                        }
                    }
                }
            }
            let name = self.name(op.id);
            self.book.log(format!("{} decided about {name}", self.wire.now()));
        }
    }

    async fn cut(&mut self) {
        let is_cut = self.rng.random_bool(0.6);
        self.world.cut(is_cut);
        self.book.log(format!("{} cut {is_cut}", self.wire.now()));
        if is_cut {
            self.book.fault("line-cut");
        }
    }

    /// Ends the process in one of its ways and starts another one.
    pub async fn restarts(&mut self) {
        let process = self.process.take().unwrap();
        let place = self.world.place();
        match self.rng.random_range(0..4) {
            0 => {
                let lost = self.rng.random_range(0..20_000);
                let disk = crate::day::directory();
                disk::after_power_loss(&place.dir, &disk.path().join("data"), lost);
                process.kill().await;
                self.ends_second().await;
                self.wire.state().reader = None;
                self.eyes = None;
                self.world.dir = disk;
                self.mirror_is_lost();
                self.book.fault("power-loss");
                // No machine starts faster.
                tokio::time::sleep(Duration::from_secs(15)).await;
            }
            1 => {
                process.end().await;
                self.ends_second().await;
                self.wire.state().reader = None;
                self.eyes = None;
                if disk::damage(&place.dir) {
                    self.mirror_is_lost();
                    self.book.fault("mirror-damaged");
                }
            }
            _ => {
                process.kill().await;
                self.book.fault("kill");
            }
        }
        self.book.log(format!("{} restart", self.wire.now()));
        *self.disk.lock().unwrap() = disk::Disk::default();
        // Whoever waited beside it takes over, and a new one may wait beside that.
        let takes_over = self.rng.random_bool(0.5);
        match self.second.take_if(|_| takes_over) {
            Some(second) => {
                second.handle.set_watched(self.is_watched());
                self.process = Some(second);
            }
            None => self.start(),
        }
    }

    /// What was done is not shown before it was read again.
    pub fn mirror_is_lost(&mut self) {
        self.versions.clear();
        self.forgotten.extend(self.acknowledged.iter().copied());
    }

    pub async fn ends_second(&mut self) {
        if let Some(second) = self.second.take() {
            second.kill().await;
        }
    }

    async fn disk_fails(&mut self) {
        let mut disk = self.disk.lock().unwrap();
        if disk.is_full {
            disk.is_full = false;
        } else if self.rng.random_bool(0.3) {
            disk.is_full = true;
            self.book.fault("disk-full");
        } else {
            disk.fails_after = Some(self.rng.random_range(0..40));
            self.book.fault("io-error");
        }
    }

    fn clock(&mut self) {
        if self.wire.state().day_spent {
            return;
        }
        self.wire.state().clock_is_wrong = true;
        let by = if self.rng.random_bool(0.5) { 1 } else { -1 };
        self.world.clock.set_wall_by(SignedDuration::from_hours(by));
        self.clock_is += by;
        self.clock_was = self.clock_was.max(self.clock_is);
        self.book.fault("clock-jump");
        self.book.log(format!("{} clock {by}", self.wire.now()));
    }

    /// The lid is shut: everything stands still, and then it is later.
    pub async fn suspend(&mut self, span: Duration) {
        tokio::time::advance(span).await;
        self.book.fault("suspend");
    }

    /// Somebody else takes over and is gone again at once.
    fn steals(&mut self) {
        let now = self.world.clock.wall();
        let Ok(mut opened) = Store::open(&self.world.place()) else {
            return;
        };
        if opened.store.outbox.epoch_begin(now).is_ok() {
            self.wire.state().stolen = Some(now);
            self.book.fault("lease-stolen");
        }
    }

    async fn second_process(&mut self) {
        if self.second.is_some() {
            self.ends_second().await;
        } else if let Ok(second) = self.open() {
            self.second = Some(second);
            self.book.fault("second-process");
        }
    }

    fn scope(&mut self) {
        let parts = [None, Some("/objects/2026-09/notes"), Some("/objects/2026-09/deals/")];
        let part = parts[self.rng.random_range(0..3)];
        self.world.forbid(part);
        if part.is_some() {
            self.book.fault("scope-revoked");
        }
    }

    /// From the next start on the token is another account's; or it is ours again.
    pub async fn wrong_account(&mut self) {
        self.foreign = !self.foreign;
        let whose = if self.foreign {
            self.other.clone()
        } else {
            self.world.portal.clone()
        };
        self.process.take().unwrap().kill().await;
        self.ends_second().await;
        self.world.token_of(&whose);
        self.wire.state().account = whose.portal_id();
        if self.foreign {
            self.book.fault("wrong-account");
        }
        self.start();
    }
}
