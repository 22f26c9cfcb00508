//! The outbox: how long a change takes to be durable, and how long a start takes that finds ten thousand operations of
//! unknown outcome.
//!
//! `cargo bench --bench outbox`. Prints each figure with its goal beside it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, measures the machine, and stops where it cannot go on"
)]

use std::time::{Duration, Instant};

use dealdeck::{
    domain::{ObjectType, OpId, Payload, Properties, RecordRef},
    store::{Keeper, NewOperation, Settings, Store},
};

const MANY: usize = 10_000;

fn change(nth: usize) -> NewOperation {
    let set = |value: &str| Properties::from([("hs_next_step".to_owned(), Some(value.to_owned()))]);
    NewOperation {
        account: 123,
        entity: RecordRef::new(ObjectType::Deals, nth.to_string()),
        payload: Payload::SetProperties {
            values: set("call back on Monday"),
            base: set("send the offer"),
        },
        title: format!("next step of deal {nth}"),
        not_before: None,
        undo_of: None,
        op_key: None,
    }
}

fn told(name: &str, took: Duration, goal: &str) {
    println!("{name:<52} {:9.2} ms   goal {goal}", took.as_secs_f64() * 1_000.0);
}

fn main() {
    // Beside the build, not in a directory that may be memory.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let place = Settings {
        dir: dir.path().to_owned(),
    };
    let mut store = Store::open(&place).unwrap().store;
    let mut keeper = Keeper::open(&place).unwrap();
    let now = jiff::Timestamp::now();
    let mut took = Vec::with_capacity(MANY);
    let mut ids: Vec<OpId> = Vec::with_capacity(MANY);
    for nth in 0..MANY {
        let begun = Instant::now();
        ids.push(keeper.outbox.keep(change(nth), now).unwrap().id);
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    told("a change is durable, median", took[MANY / 2], "-");
    told("a change is durable, p99", took[MANY * 99 / 100], "10 ms");
    let begun = Instant::now();
    let ready = store.outbox.ready(now, 500, |_| false).unwrap();
    told("what can be sent, of ten thousand", begun.elapsed(), "-");
    assert_eq!(ready.len(), 500);
    let epoch = store.outbox.epoch_begin(now).unwrap();
    assert_eq!(store.outbox.claim_all(&ids, epoch, now).unwrap().len(), MANY);
    drop((store, keeper));
    let begun = Instant::now();
    let mut store = Store::open(&place).unwrap().store;
    let epoch = store.outbox.epoch_begin(now).unwrap();
    let left = store.outbox.recover(epoch, now).unwrap();
    told("a start that finds ten thousand in flight", begun.elapsed(), "1,000 ms");
    assert_eq!(left.len(), MANY);
}
