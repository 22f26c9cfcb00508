//! Who gets through the door.

use secrecy::ExposeSecret as _;

use super::*;
use crate::hubspot::OAuthApp;

fn consent(redirect: &Redirect) -> Consent {
    let app = OAuthApp {
        client_id: "client".to_owned(),
        client_secret: "secret".into(),
        redirect: redirect.clone(),
        scopes: vec!["oauth".to_owned()],
    };
    Consent::new(&app, "https://app.hubspot.com/oauth/authorize", &[7; 64])
}

#[test]
fn only_the_answer_to_the_question_gets_through() {
    let redirect = Redirect::parse("http://localhost:8477/oauth/callback").unwrap();
    let consent = consent(&redirect);
    let state = consent.state.expose_secret().to_owned();
    let say = |target: &str, host: &str, taken| {
        let head = format!("GET {target} HTTP/1.1\r\nAccept: */*\r\n{host}\r\n\r\n");
        judge(&head, &redirect, &consent, taken)
    };
    let home = "Host: localhost:8477";
    let good = format!("/oauth/callback?code=a%2Fb&state={state}");
    assert_eq!(say(&good, home, false), Verdict::Code("a/b".to_owned()));
    assert_eq!(
        say(&good, "HOST:  LOCALHOST:8477", false),
        Verdict::Code("a/b".to_owned())
    );
    let denied = format!("/oauth/callback?error=access_denied&error_description=No+thanks&state={state}");
    assert_eq!(
        say(&denied, home, false),
        Verdict::Denied("No thanks (access_denied)".to_owned())
    );

    let status = |verdict| match verdict {
        Verdict::Refused(status, _) => status,
        other => panic!("{other:?}"),
    };
    // DNS rebinding: somebody else's name, pointing here.
    for host in [
        "Host: evil.example:8477",
        "Host: localhost",
        "Host: localhost:8478",
        "Host: localhost:8477.evil.example",
        "X-Host: localhost:8477",
        "Host: localhost:8477\r\nHost: evil.example",
        "",
    ] {
        assert_eq!(status(say(&good, host, false)), 421, "{host}");
    }
    for (target, refused) in [
        (format!("/oauth/callback/?code=a&state={state}"), 404),
        (format!("/?code=a&state={state}"), 404),
        (
            format!("http://localhost:8477/oauth/callback?code=a&state={state}"),
            404,
        ),
        ("/favicon.ico".to_owned(), 404),
        ("/oauth/callback?code=a".to_owned(), 400),
        ("/oauth/callback?code=a&state=".to_owned(), 400),
        ("/oauth/callback?code=a&state=guess".to_owned(), 400),
        (format!("/oauth/callback?code=a&state={state}&state=guess"), 400),
        (format!("/oauth/callback?state={state}"), 400),
        (format!("/oauth/callback?code=&state={state}"), 400),
    ] {
        assert_eq!(status(say(&target, home, false)), refused, "{target}");
    }
    assert_eq!(status(say(&good, home, true)), 410, "one answer only");
    let post = format!("POST {good} HTTP/1.1\r\n{home}\r\n\r\n");
    assert_eq!(status(judge(&post, &redirect, &consent, false)), 405);
    assert_eq!(status(judge("", &redirect, &consent, false)), 421);
}

async fn knock(port: u16, target: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_door_takes_one_answer_and_shows_nothing_of_it() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let redirect = Redirect::parse(&format!("http://localhost:{port}/back")).unwrap();
    let consent = consent(&redirect);
    let state = consent.state.expose_secret().to_owned();
    let door = Doorway::open(&redirect, consent.clone()).await.unwrap();
    assert!(
        Doorway::open(&redirect, consent).await.is_err(),
        "nobody else listens where the answer comes"
    );
    for listener in &door.listeners {
        assert!(listener.local_addr().unwrap().ip().is_loopback());
    }
    let visitor = async {
        assert!(
            knock(port, "/back?code=stolen&state=guess")
                .await
                .starts_with("HTTP/1.1 400")
        );
        assert!(knock(port, "/favicon.ico").await.starts_with("HTTP/1.1 404"));
        knock(port, &format!("/back?code=canary-code&state={state}")).await
    };
    let (page, code) = tokio::join!(visitor, door.answer());
    assert_eq!(code.unwrap().expose_secret(), "canary-code");
    assert!(
        page.starts_with("HTTP/1.1 200 OK") && page.contains("cache-control: no-store"),
        "{page}"
    );
    assert!(!page.contains("canary") && !page.contains(&state), "{page}");
    assert!(page.contains("history.replaceState"));
    assert!(
        TcpStream::connect(("127.0.0.1", port)).await.is_err(),
        "the door is closed"
    );
}
