//! HTTPS as it is on the wire: tiny servers on this machine that refuse, hang up, redirect, flood and stay silent. What
//! matters is whether a request may have left, since that decides whether a write may be sent again.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use bytes::Bytes;
use dealdeck::hubspot::{HttpTransport, Request, Response, Settings, Transport, TransportError, TransportErrorKind};
use http::{HeaderMap, HeaderValue, Method};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Serves every connection with `serve`, and returns the address.
async fn server<F, Served>(serve: F) -> String
where
    F: Fn(TcpStream) -> Served + Send + 'static,
    Served: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    format!("http://{address}")
}

/// Reads the head of a request and answers with `reply`, then hangs up.
async fn reply(mut stream: TcpStream, reply: &[u8]) {
    read_head(&mut stream).await;
    let _ = stream.write_all(reply).await;
    let _ = stream.shutdown().await;
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.is_ok_and(|read| read > 0) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

async fn ask(base: &str, timeout: Duration) -> Result<Response, TransportError> {
    let settings = Settings {
        base_url: base.to_owned(),
        ..Settings::default()
    };
    let mut headers = HeaderMap::new();
    let mut token = HeaderValue::from_static("Bearer pat-na1-canary");
    token.set_sensitive(true);
    headers.insert("authorization", token);
    let request = Request {
        method: Method::GET,
        path_and_query: "/crm/objects/2026-09/deals?limit=1".to_owned(),
        headers,
        body: Bytes::new(),
        timeout,
        hublet: Some("eu1".into()),
    };
    HttpTransport::new(&settings).unwrap().send(request).await
}

const PATIENT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = ask(&base, PATIENT).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Refused);
    assert!(!error.sent);
    assert!(!format!("{error:?} {error}").contains("canary"));
}

#[tokio::test]
async fn a_connection_closed_after_the_request_may_have_had_its_effect() {
    let base = server(|mut stream| async move {
        read_head(&mut stream).await;
    })
    .await;
    let error = ask(&base, PATIENT).await.unwrap_err();
    assert!(error.sent, "{error:?}");
    assert_eq!(error.kind, TransportErrorKind::Closed);
}

#[tokio::test]
async fn a_body_cut_off_may_have_had_its_effect() {
    let base = server(|stream| reply(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":")).await;
    let error = ask(&base, PATIENT).await.unwrap_err();
    assert!(error.sent, "{error:?}");
}

#[tokio::test]
async fn no_answer_in_time_may_have_had_its_effect() {
    let base = server(|mut stream| async move {
        read_head(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let error = ask(&base, Duration::from_millis(200)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Timeout);
    assert!(error.sent);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let trap = server(|stream| reply(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")).await;
    let base = server(move |stream| {
        let location = format!("HTTP/1.1 302 Found\r\nlocation: {trap}/login\r\ncontent-length: 0\r\n\r\n");
        async move { reply(stream, location.as_bytes()).await }
    })
    .await;
    let response = ask(&base, PATIENT).await.unwrap();
    assert_eq!(response.status, 302);
}

#[tokio::test]
async fn html_comes_through_as_it_is() {
    let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
    let base = server(|stream| reply(stream, page)).await;
    let response = ask(&base, PATIENT).await.unwrap();
    assert_eq!(response.body, "<html></html>");
    assert_eq!(response.headers["content-type"], "text/html");
}

#[tokio::test]
async fn a_flood_is_cut_off_at_ten_megabytes() {
    let base = server(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
            .await;
        let chunk = vec![b' '; 64 * 1024];
        while stream.write_all(&chunk).await.is_ok() {}
    })
    .await;
    let error = ask(&base, PATIENT).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::TooLarge);
    assert!(error.sent);
}

#[tokio::test]
async fn the_token_goes_to_the_base_url_whatever_region_was_named() {
    let (seen, mut heads) = tokio::sync::mpsc::unbounded_channel();
    let base = server(move |mut stream| {
        let seen = seen.clone();
        async move {
            let head = read_head(&mut stream).await;
            let _ = seen.send(head);
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    })
    .await;
    ask(&base, PATIENT).await.unwrap();
    let head = heads.recv().await.unwrap();
    assert!(
        head.starts_with("GET /crm/objects/2026-09/deals?limit=1 HTTP/1.1"),
        "{head}"
    );
    assert!(head.contains("authorization: Bearer pat-na1-canary"));
    assert!(head.contains("accept-encoding: gzip"));
}

#[tokio::test]
async fn a_refused_base_url_makes_no_transport() {
    let settings = Settings {
        base_url: "https://api.hubapi.com.evil.example".to_owned(),
        ..Settings::default()
    };
    assert!(HttpTransport::new(&settings).is_err());
}

#[tokio::test]
async fn a_name_that_does_not_exist_and_a_server_without_tls_sent_nothing() {
    let settings = Settings {
        base_url: "https://does-not-exist.hubapi.com".to_owned(),
        ..Settings::default()
    };
    let transport = HttpTransport::new(&settings);
    // A machine without CA certificates cannot even make one.
    if let Ok(transport) = transport {
        let request = Request {
            method: Method::GET,
            path_and_query: "/".to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: PATIENT,
            hublet: None,
        };
        let error = transport.send(request).await.unwrap_err();
        assert!(!error.sent, "{error:?}");
    }
}
