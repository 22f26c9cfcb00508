//! Somebody on the way to the portal who ends the program in the middle of a request that writes.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::Child,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Where in an exchange the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The connection stands, HubSpot has read nothing.
    Connected,
    /// The head of the request was sent, its body was not.
    HeadSent,
    /// Half of the body was sent.
    MidBody,
    /// HubSpot has done it, no byte of its answer has come back.
    BodySent,
    /// The head of the answer has come back.
    ReplyHead,
    /// Half of the answer has come back.
    MidReply,
}

impl Cut {
    pub const ALL: [Self; 6] = [
        Self::Connected,
        Self::HeadSent,
        Self::MidBody,
        Self::BodySent,
        Self::ReplyHead,
        Self::MidReply,
    ];
}

/// What the proxy is to do, and to whom.
#[derive(Default)]
struct Orders {
    cut: Mutex<Option<Cut>>,
    victim: Mutex<Option<Child>>,
    was_cut: AtomicBool,
}

/// A way to the portal, one request a connection.
pub struct Proxy {
    address: String,
    orders: Arc<Orders>,
}

impl Proxy {
    /// One in front of the portal at this address.
    pub fn before(portal: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let orders = Arc::new(Orders::default());
        let (portal, shared) = (portal.trim_start_matches("http://").to_owned(), Arc::clone(&orders));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (portal, orders) = (portal.clone(), Arc::clone(&shared));
                // A program that was ended closes its connections: that is no failure of the test.
                std::thread::spawn(move || drop(serve(client, &portal, &orders)));
            }
        });
        Self { address, orders }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Watches over a program until it ends, and ends it at `cut` of its first request that writes. Answers its exit code
    /// (none when it was killed), and whether it was cut here.
    pub fn watch(&self, mut child: Child, cut: Option<Cut>) -> (Option<i32>, bool) {
        self.orders.was_cut.store(false, Ordering::SeqCst);
        *locked(&self.orders.cut) = cut;
        let mut out = child.stdout.take().unwrap();
        *locked(&self.orders.victim) = Some(child);
        let mut said = Vec::new();
        // It ends when the program does.
        let _ = out.read_to_end(&mut said);
        let code = locked(&self.orders.victim)
            .take()
            .and_then(|mut child| child.wait().unwrap().code());
        *locked(&self.orders.cut) = None;
        (code, self.orders.was_cut.load(Ordering::SeqCst))
    }
}

impl Orders {
    fn end(&self, here: Cut) -> bool {
        let wanted = *locked(&self.cut) == Some(here);
        if wanted && let Some(child) = &mut *locked(&self.victim) {
            *locked(&self.cut) = None;
            let _ = child.kill();
            let _ = child.wait();
            self.was_cut.store(true, Ordering::SeqCst);
        }
        wanted
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut client: TcpStream, portal: &str, orders: &Orders) -> std::io::Result<()> {
    let (head, body) = request(&mut client)?;
    let writes = is_write(&head);
    if writes && (orders.end(Cut::Connected) || orders.end(Cut::HeadSent) && body.is_empty()) {
        return Ok(());
    }
    let mut upstream = TcpStream::connect(portal)?;
    let closing = head.trim_end_matches("\r\n").to_owned() + "\r\nconnection: close\r\n\r\n";
    upstream.write_all(closing.as_bytes())?;
    if writes && orders.end(Cut::HeadSent) {
        return upstream.shutdown(Shutdown::Both);
    }
    let half = body.len() / 2;
    upstream.write_all(&body[..half])?;
    if writes && orders.end(Cut::MidBody) {
        return upstream.shutdown(Shutdown::Both);
    }
    upstream.write_all(&body[half..])?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    if writes && orders.end(Cut::BodySent) {
        return Ok(());
    }
    let head = find(&answer, b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    client.write_all(&answer[..head])?;
    if writes && orders.end(Cut::ReplyHead) {
        return Ok(());
    }
    let middle = head + (answer.len() - head) / 2;
    client.write_all(&answer[head..middle])?;
    if writes && orders.end(Cut::MidReply) {
        return Ok(());
    }
    client.write_all(&answer[middle..])?;
    client.shutdown(Shutdown::Write)
}

/// The head of a request, its last blank line left out, and its body.
fn request(client: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut read = Vec::new();
    let mut buffer = [0; 8_192];
    let end = loop {
        let n = client.read(&mut buffer)?;
        read.extend_from_slice(&buffer[..n]);
        match find(&read, b"\r\n\r\n") {
            Some(at) => break at + 4,
            None if n == 0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            None => {}
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let length = |line: &str| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    let length: usize = head.lines().find_map(length).unwrap_or(0);
    let mut body = read.split_off(end);
    while body.len() < length {
        let n = client.read(&mut buffer)?;
        body.extend_from_slice(&buffer[..n]);
    }
    Ok((head, body))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Whether the request is what an operation came to, and not a question.
fn is_write(head: &str) -> bool {
    let line = head.lines().next().unwrap_or_default();
    let asks = ["search", "batch/read", "/lists/2026-09/all", "/oauth/", "lists/records"];
    !line.starts_with("GET") && !asks.iter().any(|part| line.contains(part))
}
