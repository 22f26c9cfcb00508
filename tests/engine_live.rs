//! The engine as it ships: real HTTP, real threads, store calls off the async ones, real time.

use std::{sync::Arc, time::Duration};

use dealdeck::{
    domain::{Change, ObjectType, OpState, Origin, Submission},
    hubspot::{self, Client, Clock, HttpTransport},
    portal::{self, Portal},
    store,
    sync::{DealQuery, Engine, Settings, StoredSlots, SyncOptions},
};
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_round_over_http() {
    let portal = Portal::new(portal::Settings {
        contacts: 300,
        companies: 40,
        deals: 120,
        ..portal::Settings::default()
    })
    .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let (token, stopped) = (portal.token().to_owned(), stop.clone());
    let server = tokio::spawn(portal.serve(listener, async move { stopped.cancelled().await }));

    let dir = tempfile::tempdir().unwrap();
    let place = store::Settings {
        dir: dir.path().join("data"),
    };
    let settings = hubspot::Settings {
        base_url,
        token: token.into(),
        ..hubspot::Settings::default()
    };
    let clock = Clock::system();
    let book = StoredSlots::open(&place, clock.clone()).unwrap();
    let transport = Arc::new(HttpTransport::new(&settings).unwrap());
    let client = Client::new(&settings, transport, clock, Arc::new(book));
    let (engine, handle) = Engine::open(Settings::default(), &place, client).unwrap();

    let report = handle.sync_once(SyncOptions::default(), |_| {}).await.unwrap();
    assert!(report.complete, "{report:?}");
    assert_eq!(report.rate_limited, 0);
    assert!(report.objects[&ObjectType::Contacts].fetched >= 300);

    let running = tokio::spawn(engine.run(stop.clone()));
    let deal = handle.list_deals(DealQuery::default()).await.unwrap().rows.remove(0);
    let change = Change::AddNote {
        deal: deal.id.clone(),
        text: "over a real wire".to_owned(),
        at: None,
    };
    let submission = Submission {
        change,
        origin: Origin::Command,
    };
    let receipt = handle.submit(submission).await.unwrap();
    let landed = handle.wait_for(receipt.op, Duration::from_secs(30)).await.unwrap();
    assert!(matches!(landed.state, OpState::Landed | OpState::Done), "{landed:?}");
    stop.cancel();
    running.await.unwrap();
    server.await.unwrap().unwrap();
}
