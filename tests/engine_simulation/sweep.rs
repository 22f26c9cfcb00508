//! Six ways to work, each played again and again with another one of its calls failing: every request in every flavour, and
//! every call to the store. In the end everything is there once, and nobody was told otherwise.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use dealdeck::{
    domain::{
        Change, DealId, Decision, ObjectType, OpId, OpState, Origin, Payload, RecordRef, StageId, Submission,
        UndoOutcome,
    },
    store::{NewOperation, Store},
};
use serde_json::json;

use crate::{
    Plan, at_once,
    common::test_size,
    day::Day,
    invariants::{Book, Invariant},
    plan,
};

/// How a request fails.
const FLAVOURS: [&str; 6] = ["refused", "lost", "500", "500applied", "429", "cut"];
/// Somebody tries again what could not be saved, at most so often.
const TRIES: u32 = 3;
/// Nobody looks at HubSpot meanwhile.
const NEVER: Duration = Duration::from_hours(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    Move,
    Note,
    KeyedNote,
    NoteTakenBack,
    CoalescedAndTakenBack,
    Conflict,
    Link,
    Contact,
}

const STORIES: [Story; 8] = [
    Story::Move,
    Story::Note,
    Story::KeyedNote,
    Story::NoteTakenBack,
    Story::CoalescedAndTakenBack,
    Story::Conflict,
    Story::Link,
    Story::Contact,
];

/// Which call fails.
#[derive(Clone, Copy, Debug)]
enum Fails {
    Nothing,
    Request(u32, &'static str),
    Store(u32),
}

/// What HubSpot must have in the end.
enum Wish {
    Value(&'static str, String),
    Notes(&'static str, usize),
    Linked,
    Contact,
}

struct Scene {
    day: Day,
    deal: DealId,
    stages: Vec<StageId>,
    contact: String,
}

const NOTE: &str = "a note of which there is one";
const EMAIL: &str = "one.of.a.kind@example.com";

impl Scene {
    async fn begin(story: Story) -> Self {
        let seed = if story == Story::KeyedNote { 4 } else { 1 };
        let mut day = Day::begin(Plan { seed, ..plan(seed) }).await;
        day.world.settings.poll = NEVER;
        day.world.settings.idle_poll = NEVER;
        // The first process has read everything; the one that works does not look by itself.
        day.wait(Duration::from_secs(20)).await;
        day.process.take().unwrap().end().await;
        day.start();
        day.wait(Duration::from_secs(20)).await;
        let board = day.handle().board().await.unwrap();
        let open = |id: &DealId| {
            let deal = board.deals.iter().find(|deal| deal.id == *id).unwrap();
            deal.state(&board.pipelines) == dealdeck::domain::DealState::Open && !deal.contacts.is_empty()
        };
        let (deal, stages) = day.deals.iter().find(|(id, _)| open(id)).cloned().unwrap();
        let now = board.deals.iter().find(|shown| shown.id == deal).unwrap();
        let stages = stages.into_iter().filter(|stage| *stage != now.stage).collect();
        let contact = now.contacts[0].to_string();
        Self {
            day,
            deal,
            stages,
            contact,
        }
    }

    fn record(&self) -> RecordRef {
        RecordRef::new(ObjectType::Deals, self.deal.as_str())
    }

    /// Until it is saved: whoever is told that it was not tries again.
    async fn submit(&mut self, change: Change, origin: Origin) -> OpId {
        for _ in 0..TRIES {
            let failed = self.day.disk.lock().unwrap().refused;
            let submission = Submission {
                change: change.clone(),
                origin,
            };
            let answer = self.day.handle().submit(submission).await;
            let is_kept = self.day.answered("a change", failed, &answer);
            if let Ok(receipt) = answer.as_ref()
                && is_kept
            {
                return receipt.op;
            }
            self.day.wait(Duration::from_secs(1)).await;
        }
        panic!("it cannot be saved");
    }

    async fn moves(&mut self, nth: usize, origin: Origin) {
        let change = Change::MoveDeal {
            deal: self.deal.clone(),
            stage: self.stages[nth].clone(),
            pipeline: None,
        };
        self.submit(change, origin).await;
    }

    async fn notes(&mut self) -> OpId {
        let change = Change::AddNote {
            deal: self.deal.clone(),
            text: NOTE.to_owned(),
            at: None,
        };
        let op = self.submit(change, Origin::Screen).await;
        self.day.notes.insert(op, NOTE.to_owned());
        op
    }

    async fn undoes(&mut self) {
        for _ in 0..TRIES {
            match self.day.handle().undo().await {
                Ok(UndoOutcome::Inverse { op, .. }) => {
                    self.day.acknowledged.push(op);
                    return;
                }
                Ok(_) => return,
                Err(_) => self.day.wait(Duration::from_secs(1)).await,
            }
        }
        panic!("it cannot be taken back");
    }

    fn keeps(&mut self, entity: RecordRef, payload: Payload) {
        let new = NewOperation {
            account: self.day.world.portal.portal_id(),
            entity,
            payload,
            title: "from a script".to_owned(),
            not_before: None,
            undo_of: None,
            op_key: None,
        };
        let now = self.day.world.clock.wall();
        let mut opened = Store::open(&self.day.world.place()).unwrap();
        let kept = opened.store.outbox.keep(new, now).unwrap();
        self.day.acknowledged.push(kept.id);
    }

    /// Waits until an operation is somewhere, as far as anybody can tell.
    async fn reaches(&mut self, op: OpId, wanted: &[OpState], seconds: u32) -> bool {
        for _ in 0..seconds {
            let state = self.day.reader().outbox.get(op).unwrap().map(|kept| kept.op.state);
            if state.is_some_and(|state| wanted.contains(&state)) {
                return true;
            }
            self.day.wait(Duration::from_secs(1)).await;
        }
        false
    }

    async fn plays(&mut self, story: Story) -> Vec<Wish> {
        let before = self.day.true_value(&self.deal.clone(), "dealstage").await;
        let short = Duration::from_secs(6);
        match story {
            Story::Move => {
                self.moves(0, Origin::Command).await;
                self.day.wait(short).await;
                vec![Wish::Value("dealstage", self.stages[0].to_string())]
            }
            Story::Note | Story::KeyedNote => {
                self.notes().await;
                self.day.wait(short).await;
                vec![Wish::Notes(NOTE, 1)]
            }
            Story::NoteTakenBack => {
                self.notes().await;
                self.day.wait(short).await;
                self.undoes().await;
                self.day.wait(short).await;
                vec![Wish::Notes(NOTE, 0)]
            }
            Story::CoalescedAndTakenBack => {
                self.moves(0, Origin::Screen).await;
                self.moves(1, Origin::Screen).await;
                self.day.wait(short).await;
                self.undoes().await;
                self.day.wait(short).await;
                vec![Wish::Value("dealstage", before)]
            }
            Story::Conflict => {
                let body = json!({"type": "deals", "id": self.deal.as_str(), "properties": {"amount": "4711"}});
                assert!(self.day.wire.witness("edit", &body).await);
                let change = Change::SetProperties {
                    record: self.record(),
                    values: [("amount".to_owned(), Some("815".to_owned()))].into(),
                };
                let op = self.submit(change, Origin::Command).await;
                self.reaches(op, &[OpState::Conflict], 60).await;
                for _ in 0..TRIES {
                    if self.day.handle().decide(op, Decision::Send).await.is_ok() {
                        break;
                    }
                    self.day.wait(Duration::from_secs(1)).await;
                }
                self.day.wait(short).await;
                vec![Wish::Value("amount", "815".to_owned())]
            }
            Story::Link => {
                let with = RecordRef::new(ObjectType::Contacts, self.contact.clone());
                let payload = Payload::Associate { with, linked: false };
                self.keeps(self.record(), payload);
                self.day.relinked.insert(self.deal.to_string());
                self.day.wait(short).await;
                vec![Wish::Linked]
            }
            Story::Contact => {
                let payload = Payload::UpsertContact {
                    email: EMAIL.to_owned(),
                    values: [("firstname".to_owned(), Some("Ann".to_owned()))].into(),
                };
                self.keeps(RecordRef::new(ObjectType::Contacts, EMAIL), payload);
                self.day.wait(short).await;
                vec![Wish::Contact]
            }
        }
    }

    async fn is_true(&self, wish: &Wish) -> bool {
        let world = &self.day.world;
        match wish {
            Wish::Value(name, value) => self.day.true_value(&self.deal, name).await == *value,
            Wish::Notes(text, count) => {
                let notes = world.truth(ObjectType::Notes).await;
                let is_it = |note: &&serde_json::Value| note["properties"]["hs_note_body"].as_str() == Some(text);
                notes.values().filter(is_it).count() == *count
            }
            Wish::Linked => {
                let deals = world.truth(ObjectType::Deals).await;
                let contacts = deals[self.deal.as_str()]["associations"]["contacts"]
                    .as_array()
                    .cloned();
                !contacts
                    .unwrap_or_default()
                    .iter()
                    .any(|id| id.as_str() == Some(&self.contact))
            }
            Wish::Contact => {
                let contacts = world.truth(ObjectType::Contacts).await;
                let is_it = |contact: &&serde_json::Value| contact["properties"]["email"].as_str() == Some(EMAIL);
                contacts.values().filter(is_it).count() == 1
            }
        }
    }
}

/// Plays a story once; answers how many requests and how many store calls there were until it was over.
async fn play(story: Story, fails: Fails) -> (u32, u32) {
    let mut scene = Scene::begin(story).await;
    scene.day.wire.state().requests = 0;
    scene.day.wire.state().nth = match fails {
        Fails::Request(nth, flavour) => Some((nth, flavour)),
        Fails::Nothing | Fails::Store(_) => None,
    };
    {
        let mut disk = scene.day.disk.lock().unwrap();
        disk.calls = 0;
        disk.fails_after = match fails {
            Fails::Store(nth) => Some(nth),
            Fails::Nothing | Fails::Request(..) => None,
        };
    }
    let wishes = scene.plays(story).await;
    let counted = (scene.day.wire.state().requests, scene.day.disk.lock().unwrap().calls);
    scene.day.wire.state().nth = None;
    scene.day.quiet().await;
    scene.day.check_now().await;
    scene.day.check_portal().await;
    // A note without a key that may have been sent is a person's to decide; it may be there or not, but not twice.
    let operations = scene.day.handle().operations(Some(&[OpState::Held]), 10).await.unwrap();
    let is_asked = operations.iter().any(|op| {
        matches!(&op.payload, Payload::CreateNote { key: None, .. })
            && op.error.as_ref().is_some_and(|error| error.class == "unknown_outcome")
    });
    for wish in &wishes {
        let holds = is_asked || scene.is_true(wish).await;
        scene.day.book.check(Invariant::Convergence, holds, || {
            format!("not what was wanted: {operations:#?}")
        });
    }
    assert_held(story, fails, &scene.day.book);
    if let Some(process) = scene.day.process.take() {
        process.kill().await;
    }
    counted
}

fn assert_held(story: Story, fails: Fails, book: &Book) {
    if let Some((invariant, what)) = book.violations().first() {
        for line in book.lines() {
            println!("{line}");
        }
        panic!("{story:?} when {fails:?} fails: {invariant:?}: {what}");
    }
}

fn in_virtual_time(story: Story, fails: Fails) -> (u32, u32) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(play(story, fails))
}

#[test]
fn whichever_call_fails_nothing_is_lost_doubled_or_told_falsely() {
    // All of them from size 10 on; below, each of them once in a while.
    let stride = usize::try_from(60 / test_size().min(60)).unwrap();
    let stride = if test_size() >= 10 { 1 } else { stride };
    let mut plays = Vec::new();
    for story in STORIES {
        let (requests, calls) = in_virtual_time(story, Fails::Nothing);
        assert!(
            requests > 0 && calls > 0,
            "{story:?}: {requests} requests, {calls} calls"
        );
        for nth in 1..=requests {
            plays.extend(FLAVOURS.map(|flavour| (story, Fails::Request(nth, flavour))));
        }
        plays.extend((0..calls).map(|nth| (story, Fails::Store(nth))));
    }
    let chosen: Vec<_> = plays.iter().copied().step_by(stride).collect();
    println!("{} of {} calls fail", chosen.len(), plays.len());
    let next = AtomicUsize::new(0);
    at_once(&|| {
        while let Some((story, fails)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            in_virtual_time(*story, *fails);
        }
    });
}
