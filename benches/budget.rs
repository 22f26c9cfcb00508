//! What the budget costs: a decision nobody stands in the way of, in memory and over the store, and a whole request through
//! the client with an answer that is there at once. Time is virtual, so that a full window costs no wait.

use std::sync::Arc;

use bytes::Bytes;
use criterion::Criterion;
use dealdeck::{
    domain::Lane,
    hubspot::{Client, Clock, MemoryBook, Quota, Request, Response, Settings, SlotBook, Transport, TransportError},
    store,
    sync::StoredSlots,
};
use futures::future::BoxFuture;
use http::{HeaderMap, StatusCode};

/// Answers every request with the same account.
struct Scripted;

impl Transport for Scripted {
    fn send(&self, _request: Request) -> BoxFuture<'static, Result<Response, TransportError>> {
        Box::pin(async {
            Ok(Response {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: Bytes::from_static(br#"{"portalId":424242,"timeZone":"US/Eastern","companyCurrency":"USD"}"#),
            })
        })
    }
}

fn client(clock: &Clock, book: Arc<dyn SlotBook>) -> Client {
    let settings = Settings {
        burst: Some(190),
        token: "pat-na1-bench".into(),
        ..Settings::default()
    };
    Client::new(&settings, Arc::new(Scripted), clock.clone(), book)
}

fn measure(criterion: &mut Criterion) -> Option<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .ok()?;
    let dir = tempfile::tempdir().ok()?;
    let place = store::Settings {
        dir: dir.path().join("data"),
    };
    let clock = runtime.block_on(async { "2026-11-22T12:00:00Z".parse().ok().map(Clock::starting_at) })?;
    let stored = StoredSlots::open(&place, clock.clone()).ok()?;
    let books: [(&str, Arc<dyn SlotBook>); 2] = [("memory", Arc::new(MemoryBook::new())), ("store", Arc::new(stored))];
    for (name, book) in books {
        let client = client(&clock, book);
        criterion.bench_function(&format!("an uncontended decision, {name}"), |bencher| {
            bencher.iter(|| runtime.block_on(async { drop(client.permit(Lane::Write, Quota::Burst).await) }));
        });
        criterion.bench_function(&format!("a whole request, {name}"), |bencher| {
            bencher.iter(|| runtime.block_on(client.account(Lane::Sync)).is_ok());
        });
    }
    Some(())
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion);
    criterion.final_summary();
}
