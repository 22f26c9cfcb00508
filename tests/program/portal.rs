//! The built simulator as a server of its own, and its truth. Spoken to in plain HTTP, sharing nothing with the client.
#![expect(clippy::expect_used, reason = "a test says what it expected by panicking")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

/// How often the truth is asked before a test gives up; every answer takes the simulator a moment.
const ASKS: usize = 20_000;

/// A running simulator.
pub struct Simulated {
    child: Child,
    hello: Value,
}

impl Simulated {
    /// Starts one with these arguments.
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dealdeck"))
            .arg("simulate")
            .args(arguments)
            .env_clear()
            .env("HOME", std::env::temp_dir())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the simulator starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("it says hello");
        let hello = serde_json::from_str(&line).expect("its hello is JSON");
        Self { child, hello }
    }

    /// The connection is gone: nobody listens there any more.
    pub fn cut(mut self) -> Gone {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
        Gone(self.url().trim_start_matches("http://").to_owned())
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        self.hello["url"].as_str().expect("a url")
    }

    /// Its token.
    pub fn token(&self) -> &str {
        self.hello["token"].as_str().expect("a token")
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let address = self.url().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("it listens");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("it takes the request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        if head.to_lowercase().contains("transfer-encoding: chunked") {
            unchunked(body)
        } else {
            body.to_owned()
        }
    }

    fn lines(&self, path: &str) -> Vec<Value> {
        let text = self.ask("GET", path, "");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("NDJSON"))
            .collect()
    }

    /// Live records of a type.
    pub fn objects(&self, object: &str) -> Vec<Value> {
        self.lines(&format!("/__portal/objects/{object}?archived=false"))
    }

    /// The statistics.
    pub fn stats(&self) -> Value {
        serde_json::from_str(&self.ask("GET", "/__portal/stats", "")).expect("JSON")
    }

    /// How many POSTs arrived at paths that end so.
    pub fn posted(&self, end: &str) -> usize {
        let arrived =
            |line: &&Value| line["method"] == "POST" && line["path"].as_str().is_some_and(|path| path.ends_with(end));
        self.lines("/__portal/requests").iter().filter(arrived).count()
    }

    /// Replaces the plan of faults.
    pub fn faults(&self, plan: &str) {
        self.ask("POST", "/__portal/faults", &json!({ "faults": plan }).to_string());
    }

    /// A colleague's edit of a deal.
    pub fn edit(&self, id: &str, property: &str, value: &str) {
        let edit = json!({"type": "deals", "id": id, "properties": {property: value}, "actor": "colleague"});
        self.ask("POST", "/__portal/edit", &edit.to_string());
    }

    /// A colleague's edit of a contact.
    pub fn edit_contact(&self, id: &str, property: &str, value: &str) {
        let edit = json!({"type": "contacts", "id": id, "properties": {property: value}, "actor": "colleague"});
        self.ask("POST", "/__portal/edit", &edit.to_string());
    }

    /// An open deal of the default pipeline that is not in its last stage, with a name no other begins with.
    pub fn open_deal(&self) -> (String, String) {
        let deals = self.objects("deals");
        let name = |deal: &Value| deal["properties"]["dealname"].as_str().unwrap_or_default().to_owned();
        let found = deals.iter().find(|deal| {
            deal["properties"]["dealstage"] == "qualifiedtobuy"
                && deals.iter().filter(|other| name(other) == name(deal)).count() == 1
        });
        let deal = found.expect("an open deal");
        (deal["id"].as_str().expect("an id").to_owned(), name(deal))
    }

    /// The deal among these records.
    pub fn deal(&self, deals: &[Value], id: &str) -> Value {
        deals
            .iter()
            .find(|deal| deal["id"] == id)
            .map(lasting)
            .expect("the deal")
    }

    /// The stage of a deal.
    pub fn stage_of(&self, id: &str) -> String {
        let deals = self.objects("deals");
        let deal = deals.iter().find(|deal| deal["id"] == id).expect("the deal");
        deal["properties"]["dealstage"].as_str().unwrap_or_default().to_owned()
    }

    /// The live notes on a deal that were written through the API.
    pub fn notes_of(&self, id: &str) -> Vec<Value> {
        let on = |note: &Value| {
            note["properties"]["hs_object_source"] == "INTEGRATION"
                && note["associations"]["deals"]
                    .as_array()
                    .is_some_and(|deals| deals.iter().any(|deal| deal == id))
        };
        self.objects("notes").into_iter().filter(on).collect()
    }

    /// Asks for the truth until it is right.
    pub fn wait_for(&self, what: &str, right: impl Fn(&Self) -> bool) {
        assert!((0..ASKS).any(|_| right(self)), "waited for {what} in the portal");
    }
}

/// A simulator that was cut off, and where it was.
pub struct Gone(String);

impl Gone {
    /// The same account at the same address again.
    pub fn mend(self, arguments: &[&str]) -> Simulated {
        let mut all = vec!["--listen", &self.0];
        all.extend(arguments);
        Simulated::start(&all)
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a person would say a deal is: its own properties, without HubSpot's bookkeeping of when and by whom.
pub fn lasting(deal: &Value) -> Value {
    let own = [
        "amount",
        "closedate",
        "dealname",
        "dealstage",
        "hs_next_step",
        "hubspot_owner_id",
        "pipeline",
        "deal_currency_code",
        "hs_deal_stage_probability",
        "hs_is_closed",
        "num_associated_contacts",
    ];
    let properties: serde_json::Map<String, Value> = own
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), deal["properties"].get(*name)?.clone())))
        .collect();
    json!({"id": deal["id"], "properties": properties, "contacts": deal["associations"]["contacts"]})
}

fn unchunked(body: &str) -> String {
    let (mut rest, mut out) = (body, String::new());
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk size");
        out.push_str(&tail[..size]);
        rest = tail[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    out
}
