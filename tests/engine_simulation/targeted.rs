//! What seldom comes together by chance, and is worth it.

use std::time::Duration;

use dealdeck::domain::{Change, ObjectType, OpState, Origin, Payload, RecordRef, Submission};
use rand::RngExt as _;
use serde_json::json;

use crate::day::Day;

impl Day {
    /// A person's change of one property, from the command line or from the screen.
    async fn sets_from(&mut self, origin: Origin, record: &RecordRef, value: &str) -> Option<dealdeck::domain::OpId> {
        let change = Change::SetProperties {
            record: record.clone(),
            values: [("amount".to_owned(), Some(value.to_owned()))].into(),
        };
        let failed = self.disk.lock().unwrap().refused;
        let answer = self.handle().submit(Submission { change, origin }).await;
        let is_kept = self.answered("a value", failed, &answer);
        answer.ok().filter(|_| is_kept).map(|receipt| receipt.op)
    }

    /// The first send of a change is refused for its rate; before the next one the person wants something else.
    pub async fn changes_what_was_claimed(&mut self) {
        let (deal, _) = self.some_deal();
        let record = RecordRef::new(ObjectType::Deals, deal.as_str());
        let amount = self.rng.random_range(1_000..99_000);
        self.wire.state().next_write = Some("429");
        self.sets_from(Origin::Command, &record, &amount.to_string()).await;
        self.wait(Duration::from_secs(2)).await;
        self.sets_from(Origin::Screen, &record, &(amount + 1).to_string()).await;
    }

    /// A colleague changes what the person set, and then the person takes back their own. For that a quiet minute is needed.
    pub async fn undoes_over_a_colleague(&mut self) {
        let shares = {
            let mut state = self.wire.state();
            let shares = (state.reads, state.writes);
            (state.reads, state.writes) = (0, 0);
            shares
        };
        self.undoes_in_peace().await;
        let mut state = self.wire.state();
        (state.reads, state.writes) = shares;
    }

    async fn undoes_in_peace(&mut self) {
        let (deal, _) = self.some_deal();
        let record = RecordRef::new(ObjectType::Deals, deal.as_str());
        let amount = self.rng.random_range(1_000..99_000);
        let set = self.sets_from(Origin::Command, &record, &amount.to_string()).await;
        let Some(op) = set else { return };
        self.wait(Duration::from_secs(5)).await;
        let kept = self.reader().outbox.get(op).unwrap();
        let Some(kept) = kept.filter(|kept| kept.state == OpState::Done) else {
            return;
        };
        let theirs = (amount + 7).to_string();
        let body = json!({"type": "deals", "id": deal.as_str(), "properties": {"amount": theirs}, "actor": "2"});
        if self.wire.witness("edit", &body).await {
            self.book.fault("colleague-edits");
            self.murky.insert((deal.to_string(), "amount".to_owned()));
        }
        self.wait(Duration::from_secs(40)).await;
        let newest = self.reader().outbox.newest_undo().unwrap();
        if newest.is_some_and(|newest| newest.id == kept.id) && matches!(kept.payload, Payload::SetProperties { .. }) {
            self.undoes_one().await;
        }
    }
}
