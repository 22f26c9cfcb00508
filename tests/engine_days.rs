//! Random days of work: moves, notes, edits, undo, colleagues, faults on the wire, a cut line, kills. Whatever happens, no
//! note is there twice, nothing that was acknowledged is lost, and what HubSpot has in the end is what was wanted last.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::{Acts as _, Running, World, pass, test_size};
use dealdeck::domain::{DealId, ObjectType, OpId, OpState, Operation, Origin, Payload, StageId, UndoOutcome};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

const STEPS: u32 = 40;
const FAULTS: [&str; 14] = [
    "",
    "500=15%",
    "502=10%,503=10%,504=5%",
    "lost=40%",
    "reset=40%",
    "late=40%",
    "524=30%",
    "429=10%",
    "html=20%",
    "truncated=20%",
    "hang=2",
    "423=15%",
    "POST:lost=50%,PATCH:late=50%",
    "POST:late=30%,PATCH:lost=30%,PATCH:reset=30%",
];

/// One day, with what was promised to the person.
struct Day {
    world: World,
    running: Option<Running>,
    rng: ChaCha8Rng,
    deals: Vec<(DealId, Vec<StageId>)>,
    acknowledged: Vec<OpId>,
    notes: BTreeMap<OpId, String>,
    kills: u32,
}

impl Day {
    async fn begin(seed: u64) -> Self {
        let world = World::with(dealdeck::portal::Settings {
            seed: seed + 1,
            contacts: 20,
            companies: 5,
            deals: 12,
            latency: "20ms..600ms".parse().unwrap(),
            index_lag: "1s..15s".parse().unwrap(),
            ..common::small()
        });
        let running = world.start_synced().await;
        let board = running.handle.board().await.unwrap();
        let stages = |deal: &dealdeck::domain::Deal| -> Vec<StageId> {
            let pipeline = board
                .pipelines
                .iter()
                .find(|pipeline| pipeline.id == deal.pipeline)
                .unwrap();
            pipeline.stages.iter().map(|stage| stage.id.clone()).collect()
        };
        let mut deals: Vec<_> = board.deals.iter().map(|deal| (deal.id.clone(), stages(deal))).collect();
        deals.sort();
        deals.truncate(5);
        Self {
            world,
            running: Some(running),
            rng: ChaCha8Rng::seed_from_u64(seed),
            deals,
            acknowledged: Vec::new(),
            notes: BTreeMap::new(),
            kills: 0,
        }
    }

    fn handle(&self) -> dealdeck::sync::Handle {
        self.running.as_ref().unwrap().handle.clone()
    }

    fn some_deal(&mut self) -> (DealId, Vec<StageId>) {
        let nth = self.rng.random_range(0..self.deals.len());
        self.deals[nth].clone()
    }

    async fn step(&mut self, nth: u32) {
        let (deal, stages) = self.some_deal();
        let handle = self.handle();
        let origin = if self.rng.random_bool(0.5) {
            Origin::Screen
        } else {
            Origin::Command
        };
        match self.rng.random_range(0..18) {
            0..=3 => {
                let stage = stages[self.rng.random_range(0..stages.len())].clone();
                if let Ok(receipt) = handle.move_deal(&deal, &stage, origin).await {
                    self.acknowledged.push(receipt.op);
                    let shown = handle.deals(std::slice::from_ref(&deal)).await.unwrap();
                    assert_eq!(shown[0].stage, stage, "what was acknowledged is shown");
                }
            }
            4..=5 => {
                let value = format!("step {nth}");
                let receipt = handle.set(&deal, "hs_next_step", &value).await.unwrap();
                self.acknowledged.push(receipt.op);
                let shown = handle.deals(std::slice::from_ref(&deal)).await.unwrap();
                assert_eq!(shown[0].next_step.as_deref(), Some(value.as_str()));
            }
            6..=8 => {
                let text = format!("note number {nth} of the day");
                let receipt = handle.note(&deal, &text).await;
                self.acknowledged.push(receipt.op);
                self.notes.insert(receipt.op, text);
            }
            9 => {
                if let UndoOutcome::Inverse { op, .. } = handle.undo().await.unwrap() {
                    self.acknowledged.push(op);
                }
            }
            10 => {
                let amount = self.rng.random_range(1_000..99_000).to_string();
                self.world
                    .edit(ObjectType::Deals, deal.as_str(), json!({"amount": amount}), "2")
                    .await;
                if let Ok(receipt) = handle.set(&deal, "amount", "55555").await {
                    self.acknowledged.push(receipt.op);
                }
            }
            11 => self.world.cut(self.rng.random_bool(0.5)),
            12 => {
                self.running.take().unwrap().kill().await;
                self.kills += 1;
                self.running = Some(self.world.start());
                self.handle().set_watched(true);
            }
            13 => handle.look_at(&deal),
            _ => {
                let plan = FAULTS[self.rng.random_range(0..FAULTS.len())];
                self.world.faults(plan).await;
            }
        }
        let wait = [10, 200, 1_000, 4_000, 30_000, 200_000][self.rng.random_range(0..6)];
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }

    async fn quiet(&mut self) {
        self.world.faults("").await;
        self.world.cut(false);
        // One more process, so that nothing rests on the memory of the last one.
        self.running.take().unwrap().stop().await;
        self.running = Some(self.world.start());
        let handle = self.handle();
        handle.set_watched(true);
        let is_moving = |op: &Operation| !op.state.is_final() && !matches!(op.state, OpState::Held | OpState::Conflict);
        let mut moving = Vec::new();
        for _ in 0..1_200 {
            pass(1).await;
            moving = handle.operations(None, 10_000).await.unwrap();
            moving.retain(is_moving);
            if moving.is_empty() {
                break;
            }
        }
        let mut stories = Vec::new();
        for op in handle.operations(None, 10_000).await.unwrap() {
            if moving.iter().any(|moving| moving.entity == op.entity) {
                stories.push(story(&op));
            }
        }
        assert!(
            moving.is_empty(),
            "still moving: {stories:#?}; {:?}",
            handle.freshness()
        );
        pass(60).await;
    }

    async fn check(&self) {
        let handle = self.handle();
        let operations = handle.operations(None, 10_000).await.unwrap();
        let by_id: BTreeMap<OpId, &Operation> = operations.iter().map(|op| (op.id, op)).collect();
        for op in &self.acknowledged {
            assert!(by_id.contains_key(op), "{op} was acknowledged and is gone");
        }
        self.check_notes(&by_id).await;
        self.check_values(&operations).await;
        let truth = self.world.truth(ObjectType::Deals).await;
        for record in self.world.mirror(ObjectType::Deals) {
            for name in [
                "dealstage",
                "amount",
                "hs_next_step",
                "closedate",
                "hs_lastmodifieddate",
            ] {
                assert_eq!(
                    record.get(name).unwrap_or_default(),
                    truth[&record.id]["properties"][name].as_str().unwrap_or_default(),
                    "{name} of {} in the mirror",
                    record.id
                );
            }
        }
    }

    async fn check_notes(&self, by_id: &BTreeMap<OpId, &Operation>) {
        let notes = self.world.truth(ObjectType::Notes).await;
        for (op, text) in &self.notes {
            let copies = notes
                .values()
                .filter(|note| note["properties"]["hs_note_body"].as_str() == Some(text.as_str()))
                .count();
            let state = by_id[op].state;
            let undone = by_id
                .values()
                .any(|undo| undo.undo_of == Some(*op) && undo.state == OpState::Done);
            let expected = usize::from(state == OpState::Done && !undone);
            let error = &by_id[op].error;
            assert_eq!(copies, expected, "'{text}' is {state:?} (undone: {undone}), {error:?}");
        }
    }

    /// The last intent on a property that nobody else touched is what HubSpot has.
    async fn check_values(&self, newest_first: &[Operation]) {
        let truth = self.world.truth(ObjectType::Deals).await;
        for (deal, _) in &self.deals {
            for name in ["dealstage", "hs_next_step"] {
                let last = newest_first.iter().find_map(|op| match &op.payload {
                    Payload::SetProperties { values, .. }
                        if op.entity.id == deal.as_str()
                            && !matches!(op.state, OpState::Cancelled | OpState::Superseded | OpState::Dead) =>
                    {
                        values.get(name).map(|value| (op, value.clone()))
                    }
                    _ => None,
                });
                let Some((op, value)) = last else { continue };
                assert_eq!(
                    op.state,
                    OpState::Done,
                    "{name} of {deal}: nobody else touches it, {:?}\n{}",
                    op.error,
                    newest_first
                        .iter()
                        .filter(|op| op.entity.id == deal.as_str())
                        .map(story)
                        .collect::<Vec<_>>()
                        .join("\n")
                );
                assert_eq!(
                    truth[deal.as_str()]["properties"][name].as_str().unwrap_or_default(),
                    value.unwrap_or_default(),
                    "{name} of {deal}"
                );
            }
        }
    }
}

/// One operation in one line.
fn story(op: &Operation) -> String {
    let what = match &op.payload {
        Payload::SetProperties { values, base } => format!("{base:?} to {values:?}"),
        Payload::CreateNote { body, .. } => format!("note '{body}'"),
        other => format!("{other:?}"),
    };
    format!(
        "{} {:?} after {} attempts, kept {}, undo of {:?}: {what} {:?}",
        op.id, op.state, op.attempts, op.created_at, op.undo_of, op.error
    )
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_and_nothing_is_doubled() {
    let begin = std::env::var("DEALDECK_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seeds = begin.map_or(0..u64::from(6 * test_size()), |seed| seed..seed + 1);
    for seed in seeds {
        println!("seed {seed}; DEALDECK_TEST_SEED={seed} runs it alone");
        let mut day = Day::begin(seed).await;
        for nth in 0..STEPS {
            day.step(nth).await;
        }
        day.quiet().await;
        day.check().await;
        day.running.take().unwrap().stop().await;
        day.world.end().await;
    }
}
