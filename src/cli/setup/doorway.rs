//! The door the browser comes back to: a listener on this machine's own addresses, open for one answer. It takes the exact
//! path, the exact host (a page of somebody else's that points its name at us sends another), the exact state, once. What
//! came in the address is never written into a page.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

use crate::{
    domain::{Fault, FaultKind, safe},
    hubspot::{Consent, Redirect},
};

/// A longer head is no browser's.
const LONGEST_HEAD: usize = 16 * 1024;
/// How long a connection may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the browser brought: a code, or why there is none.
type Answer = Result<SecretString, Fault>;

/// An open door.
pub struct Doorway {
    listeners: Vec<TcpListener>,
    door: Arc<Door>,
    answered: oneshot::Receiver<Answer>,
}

struct Door {
    redirect: Redirect,
    consent: Consent,
    /// Gone once an answer was taken.
    tell: Mutex<Option<oneshot::Sender<Answer>>>,
}

/// What a request is told.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Code(String),
    /// HubSpot says no: its `error` and `error_description`.
    Denied(String),
    Refused(u16, &'static str),
}

impl Doorway {
    /// Opens the door on 127.0.0.1, and on `::1` where the machine has it.
    ///
    /// # Errors
    /// Somebody else has the port: they could be given the answer.
    pub async fn open(redirect: &Redirect, consent: Consent) -> Result<Self, Fault> {
        let taken = |error: io::Error| {
            let what = format!("port {} of this machine cannot be listened on: {error}", redirect.port);
            Fault::new(
                FaultKind::Usage,
                what,
                "end the program that has it, or choose another oauth.redirect_uri",
            )
        };
        let v4 = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, redirect.port)))
            .await
            .map_err(taken)?;
        let mut listeners = vec![v4];
        match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, redirect.port))).await {
            Ok(v6) => listeners.push(v6),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(taken(error)),
            // A machine without IPv6 sends no browser there.
            Err(_) => {}
        }
        let (tell, answered) = oneshot::channel();
        Ok(Self {
            listeners,
            door: Arc::new(Door {
                redirect: redirect.clone(),
                consent,
                tell: Mutex::new(Some(tell)),
            }),
            answered,
        })
    }

    /// Waits for the browser. Dropping the future closes the door.
    ///
    /// # Errors
    /// The person, or HubSpot, said no.
    pub async fn answer(self) -> Answer {
        let mut open = JoinSet::new();
        for listener in self.listeners {
            let door = self.door.clone();
            open.spawn(async move {
                let mut visits = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let door = door.clone();
                    visits.spawn(async move { tokio::time::timeout(PATIENCE, door.visit(stream)).await });
                    while visits.try_join_next().is_some() {}
                }
            });
        }
        let closed = Fault::new(FaultKind::Bug, "the door closed by itself", "please report this");
        let answer = self.answered.await.unwrap_or(Err(closed));
        open.shutdown().await;
        answer
    }
}

impl Door {
    async fn visit(&self, mut stream: TcpStream) -> io::Result<()> {
        let head = head(&mut stream).await?;
        let (verdict, tell) = self.decide(&head);
        let (status, title, text, answer) = match verdict {
            Verdict::Code(code) => (
                200,
                "dealdeck has access",
                "You can close this page and go back to the terminal.",
                Some(Ok(SecretString::from(code))),
            ),
            Verdict::Denied(why) => (
                200,
                "no access was granted",
                "The terminal says why. You can close this page.",
                Some(Err(Fault::new(
                    FaultKind::Auth,
                    format!("HubSpot grants no access: {}", safe(&why)),
                    "run 'dealdeck setup --oauth' again and grant it",
                ))),
            ),
            Verdict::Refused(status, why) => (status, "this is not an answer", why, None),
        };
        // Told last: the program may end as soon as it knows.
        let said = stream.write_all(page(status, title, text).as_bytes()).await;
        let ended = stream.shutdown().await;
        if let (Some(tell), Some(answer)) = (tell, answer) {
            // Nobody waits any more: the five minutes are over.
            let _ = tell.send(answer);
        }
        said.and(ended)
    }

    /// Judges a request, and takes the one place for an answer if it is one: of two at once the second is refused.
    fn decide(&self, head: &str) -> (Verdict, Option<oneshot::Sender<Answer>>) {
        let mut tell = self.tell.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = judge(head, &self.redirect, &self.consent, tell.is_none());
        let tell = match verdict {
            Verdict::Refused(..) => None,
            Verdict::Code(_) | Verdict::Denied(_) => tell.take(),
        };
        (verdict, tell)
    }
}

/// The head of a request, as far as it is one.
async fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut chunk = [0; 1_024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        match stream.read(&mut chunk).await? {
            0 => break,
            read => head.extend_from_slice(chunk.get(..read).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn judge(head: &str, redirect: &Redirect, consent: &Consent, taken: bool) -> Verdict {
    let mut lines = head.split("\r\n");
    let mut request = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (request.next().unwrap_or_default(), request.next().unwrap_or_default());
    let hosts: Vec<String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim().to_ascii_lowercase())
        .collect();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if hosts != [redirect.authority.as_str()] {
        return Verdict::Refused(421, "The request was made for another host.");
    }
    if method != "GET" {
        return Verdict::Refused(405, "Only GET is answered here.");
    }
    if path != redirect.path {
        return Verdict::Refused(404, "There is nothing here.");
    }
    let all: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    // A name given twice is no name: whoever reads the first and whoever reads the last must not disagree.
    let one = |name: &str| {
        let mut values = all.iter().filter(|(given, _)| given == name).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none())
    };
    if !one("state").is_some_and(|state| consent.is_answered_by(state)) {
        return Verdict::Refused(400, "It does not belong to the question asked in the terminal.");
    }
    if taken {
        return Verdict::Refused(410, "The question was answered already.");
    }
    match (one("error"), one("code").filter(|code| !code.is_empty())) {
        (Some(error), _) => Verdict::Denied(match one("error_description") {
            Some(why) => format!("{why} ({error})"),
            None => error.clone(),
        }),
        (None, Some(code)) => Verdict::Code(code.clone()),
        (None, None) => Verdict::Refused(400, "It holds no code."),
    }
}

/// A page without anything of the request in it. Its one script takes the code out of the tab's address and history.
fn page(status: u16, title: &str, text: &str) -> String {
    let body = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>{title}</title>\
         <script>history.replaceState(null, \"\", \"/\")</script>\
         <h1>{title}</h1><p>{text}</p>"
    );
    let reason = http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Refused");
    format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\n\
         content-security-policy: default-src 'none'; script-src 'unsafe-inline'; frame-ancestors 'none'\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests;
