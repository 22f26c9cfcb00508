//! Over real TCP, where a connection can really end.

use std::net::SocketAddr;

use dealdeck::portal::{Portal, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::harness::settings;

async fn serve(
    settings: Settings,
) -> (
    Portal,
    SocketAddr,
    oneshot::Sender<()>,
    tokio::task::JoinHandle<std::io::Result<()>>,
) {
    let portal = Portal::new(settings).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = portal.clone().serve(listener, async { _ = stopped.await });
    (portal, address, stop, tokio::spawn(server))
}

/// One request on one connection; everything that comes back, or how the connection ended.
async fn ask(address: SocketAddr, token: &str, head: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "{head} HTTP/1.1\r\nHost: portal\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn the_portal_answers_over_tcp_and_stops_when_told() {
    let (portal, address, stop, server) = serve(settings()).await;
    let answer = ask(address, portal.token(), "GET /crm/owners/2026-09?limit=1", "")
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("Robin") && answer.to_lowercase().contains("x-hubspot-ratelimit-remaining: 189"));
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn connections_are_reset_before_or_after_the_work_is_done() {
    let (portal, address, _stop, _server) = serve(Settings {
        faults: "reset=1,lost=1,truncated=1".parse().unwrap(),
        ..settings()
    })
    .await;
    let create = "POST /crm/objects/2026-09/deals";
    let count = || async {
        let lines = ask(address, "", "GET /__portal/objects/deals", "").await.unwrap();
        lines.matches("\"dealname\":\"Over the wire\"").count()
    };
    let body = r#"{"properties":{"dealname":"Over the wire"}}"#;
    for done in [0, 1] {
        let ended = ask(address, portal.token(), create, body).await;
        assert!(ended.as_ref().map_or(true, String::is_empty), "no answer: {ended:?}");
        assert_eq!(count().await, done);
    }
    let broken = ask(address, portal.token(), "GET /crm/objects/2026-09/deals", "").await;
    if let Ok(text) = broken {
        let (head, rest) = text.split_once("\r\n\r\n").unwrap();
        let declared: usize = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .unwrap()
            .split("\r\n")
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert!(rest.len() < declared, "{} of {declared} bytes", rest.len());
    }
    let answer = ask(address, portal.token(), "GET /crm/objects/2026-09/deals", "")
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_hanging_request_does_not_keep_the_server_from_stopping() {
    let (portal, address, stop, server) = serve(Settings {
        faults: "hang=1".parse().unwrap(),
        ..settings()
    })
    .await;
    let token = portal.token().to_owned();
    let hanging = tokio::spawn(async move { ask(address, &token, "GET /crm/owners/2026-09", "").await });
    while !ask(address, "", "GET /__portal/requests", "")
        .await
        .unwrap()
        .contains("\"hang\"")
    {}
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    let ended = hanging.await.unwrap();
    assert!(ended.as_ref().map_or(true, String::is_empty), "{ended:?}");
}
