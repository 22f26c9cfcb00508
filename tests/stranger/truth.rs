//! What is so at a stranger's: a small account, the same for every manner, and everything that was done to it.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

/// The token it takes, and whose account it is.
pub const TOKEN: &str = "a-token-of-another-shape";
pub const PORTAL: u64 = 24_681_357;
/// When everything begins, on the program's clock and on the stranger's.
const NOW: &str = "2026-11-22T12:00:00Z";

/// A record.
#[derive(Clone)]
pub struct Row {
    pub id: u64,
    pub properties: BTreeMap<String, String>,
    pub archived: bool,
    /// Associated ids per type.
    pub links: BTreeMap<&'static str, Vec<u64>>,
    /// Older values of properties with their times, oldest first.
    pub history: BTreeMap<String, Vec<(String, String)>>,
    /// As it was before the last write through the interface: what a search that lags still says.
    pub before: Option<Box<Row>>,
}

impl Row {
    pub fn get(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }

    /// Sets a property, and remembers the value it had.
    pub fn set(&mut self, name: &str, value: &str, at: &str) {
        let kept = self.history.entry(name.to_owned()).or_default();
        if kept.is_empty() {
            let first = self.properties.get(name).cloned().unwrap_or_default();
            kept.push((first, "2026-10-01T08:00:00Z".to_owned()));
        }
        kept.push((value.to_owned(), at.to_owned()));
        self.properties.insert(name.to_owned(), value.to_owned());
    }
}

/// A stage: pipeline, id, label, probability, closed. An open one has a closed one's old id.
pub type Stage = (&'static str, &'static str, &'static str, &'static str, bool);
pub const STAGES: [Stage; 9] = [
    ("default", "appointmentscheduled", "Appointment scheduled", "0.2", false),
    ("default", "closedwon", "Verbal agreement", "0.7", false),
    ("default", "contractsent", "Contract sent", "0.9", false),
    ("default", "128934501", "Paid in full", "1.0", true),
    ("default", "closedlost", "Not this year", "0.0", true),
    ("77001", "770011", "Renewal due", "0.50", false),
    ("77001", "770012", "Renewed", "1", true),
    ("77001", "770013", "Left us", "0", true),
    ("partners", "partnertalks", "First talks", "0.1", false),
];
/// Pipelines: id, label, position. A gap, and the order of the answer is not theirs.
pub const PIPELINES: [(&str, &str, u64); 3] = [
    ("77001", "Renewals", 4),
    ("partners", "Partner deals", 9),
    ("default", "Sales pipeline", 1),
];
/// Owners: id, user, first name, last name, e-mail, archived.
pub const OWNERS: [(u64, u64, &str, &str, &str, bool); 5] = [
    (501, 9_001, "Ada", "Quill", "ada@example.org", false),
    (502, 9_002, "", "", "desk@example.org", false),
    (503, 9_003, "Zoë", "Marsh", "zoe@example.org", false),
    (504, 9_004, "Bo", "Gone", "bo@example.org", true),
    (505, 9_005, "Ida", "Left", "ida@example.org", true),
];

/// The account.
pub struct World {
    pub rows: BTreeMap<(&'static str, u64), Row>,
    next_id: u64,
    pub ticks: i64,
    /// The answer to the next note gets lost on its way.
    pub loses_next_note: bool,
    /// What arrived: `PATCH /crm/…`.
    pub arrived: Vec<String>,
    /// What the program did that the interface does not allow.
    pub complaints: Vec<String>,
    /// Cursors handed out, and where each goes on.
    pub cursors: Vec<usize>,
    /// Faults that happened already.
    pub spent: Vec<&'static str>,
}

/// The type with this name.
pub fn kind(name: &str) -> Option<&'static str> {
    [
        "deals",
        "contacts",
        "companies",
        "notes",
        "tickets",
        "tasks",
        "calls",
        "emails",
        "meetings",
    ]
    .into_iter()
    .find(|kind| *kind == name)
}

/// The property every change moves.
pub fn modified(kind: &str) -> &'static str {
    if kind == "contacts" {
        "lastmodifieddate"
    } else {
        "hs_lastmodifieddate"
    }
}

/// The property that says when it was made.
pub fn created(kind: &str) -> &'static str {
    match kind {
        "deals" | "contacts" | "companies" | "tickets" => "createdate",
        _ => "hs_createdate",
    }
}

impl World {
    pub fn new() -> Self {
        let mut world = Self {
            rows: BTreeMap::new(),
            next_id: 880_000_000_001,
            ticks: 0,
            loses_next_note: false,
            arrived: Vec::new(),
            complaints: Vec::new(),
            cursors: Vec::new(),
            spent: Vec::new(),
        };
        world.people();
        world.deals();
        world.notes();
        world
    }

    /// A second later than anything before. Without a fraction, as everything here.
    pub fn now(&mut self) -> String {
        self.ticks += 1;
        self.clock()
    }

    /// What the clock says.
    pub fn clock(&self) -> String {
        let start: Timestamp = NOW.parse().unwrap();
        (start + self.ticks.seconds()).to_string()
    }

    pub fn new_id(&mut self) -> u64 {
        self.next_id += 17;
        self.next_id
    }

    pub fn row(&self, kind: &'static str, id: &str) -> Option<&Row> {
        self.rows.get(&(kind, id.parse().ok()?))
    }

    /// Live records of a type.
    pub fn live(&self, kind: &'static str) -> impl Iterator<Item = &Row> {
        self.rows
            .iter()
            .filter(move |((of, _), row)| *of == kind && !row.archived)
            .map(|(_, row)| row)
    }

    /// Adds a record.
    pub fn add(&mut self, kind: &'static str, id: u64, at: &str, values: &[(&str, String)]) -> &mut Row {
        let mut properties: BTreeMap<String, String> = values
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        properties.insert("hs_object_id".to_owned(), id.to_string());
        properties
            .entry(created(kind).to_owned())
            .or_insert_with(|| at.to_owned());
        properties
            .entry(modified(kind).to_owned())
            .or_insert_with(|| at.to_owned());
        let row = Row {
            id,
            properties,
            archived: false,
            links: BTreeMap::new(),
            history: BTreeMap::new(),
            before: None,
        };
        self.rows.entry((kind, id)).or_insert(row)
    }

    /// A colleague's change.
    pub fn edit(&mut self, id: u64, name: &str, value: &str) {
        let at = self.now();
        let row = self.rows.get_mut(&("deals", id)).unwrap();
        row.set(name, value, &at);
        row.properties.insert("hs_lastmodifieddate".to_owned(), at);
    }

    /// Links two records, both ways.
    pub fn link(&mut self, from: (&'static str, u64), to: (&'static str, u64)) {
        self.rows
            .get_mut(&from)
            .unwrap()
            .links
            .entry(to.0)
            .or_default()
            .push(to.1);
        self.rows
            .get_mut(&to)
            .unwrap()
            .links
            .entry(from.0)
            .or_default()
            .push(from.1);
    }

    /// Contacts whose ids have two lengths, and companies.
    fn people(&mut self) {
        for n in 0..240_u64 {
            let id = if n < 40 {
                900_000_101 + 7 * n
            } else {
                41_000_000_003 + 13 * n
            };
            let at = format!("2026-{:02}-{:02}T0{}:15:00Z", 1 + n % 10, 1 + n % 28, n % 10);
            let odd = |text: String| if n % 9 == 8 { String::new() } else { text };
            self.add(
                "contacts",
                id,
                &at,
                &[
                    ("email", odd(format!("person+{n}@example.org"))),
                    (
                        "firstname",
                        odd(["Mia", "Øle", "Wren", "李"][n as usize % 4].to_owned()),
                    ),
                    ("lastname", format!("\"Q\" O'Hara\\{n}")),
                    ("phone", format!("00{n}")),
                    ("company", odd(format!("Walrus & Co {}", n % 12))),
                    (
                        "lifecyclestage",
                        if n % 3 == 0 {
                            "128934777".to_owned()
                        } else {
                            "lead".to_owned()
                        },
                    ),
                    ("hubspot_owner_id", OWNERS[n as usize % 5].0.to_string()),
                ],
            );
        }
        for n in 0..12_u64 {
            self.add(
                "companies",
                7_700_000 + n,
                "2026-02-03T04:05:06Z",
                &[
                    ("name", format!("Walrus & Co {n}")),
                    ("domain", format!("walrus{n}.example")),
                ],
            );
        }
    }

    fn deals(&mut self) {
        let contacts: Vec<u64> = self.live("contacts").map(|row| row.id).collect();
        for n in 0..60_usize {
            let id = if n < 12 { 5_000_000_011 } else { 612_000_000_000 } + 31 * n as u64;
            let (pipeline, stage, _, probability, closed) = STAGES[n % STAGES.len()];
            let won = closed && probability.starts_with('1');
            let at = format!("2026-{:02}-{:02}T08:00:00Z", 1 + n % 11, 1 + n % 20);
            let text = |is: bool, text: &str| if is { text.to_owned() } else { String::new() };
            self.add(
                "deals",
                id,
                &at,
                &[
                    (
                        "dealname",
                        format!(
                            "{} № {n}",
                            ["Otter & Sons", "Plum <b>", "Käfer AG", "{quote: \"x\"}"][n % 4]
                        ),
                    ),
                    ("pipeline", pipeline.to_owned()),
                    ("dealstage", stage.to_owned()),
                    (
                        "amount",
                        ["", "1500.00", "90000", "0.5", "12345678.9", "250"][n % 6].to_owned(),
                    ),
                    ("deal_currency_code", text(n % 7 == 3, "JPY")),
                    (
                        "closedate",
                        text(n % 5 != 0, &format!("2026-12-{:02}T{:02}:30:00Z", 1 + n % 28, n % 24)),
                    ),
                    ("hubspot_owner_id", text(n % 4 != 0, &OWNERS[n % 5].0.to_string())),
                    ("hs_deal_stage_probability", probability.to_owned()),
                    ("hs_is_closed", closed.to_string()),
                    ("hs_is_closed_won", won.to_string()),
                    ("hs_next_step", text(n % 3 == 1, "call, then \"wait\"")),
                    (
                        "hs_v2_date_entered_current_stage",
                        format!("2026-11-{:02}T09:10:11Z", 1 + n % 20),
                    ),
                    ("notes_last_updated", text(n % 2 == 0, "2026-11-19T20:21:22Z")),
                    ("x_never_asked_for", format!("{n}")),
                ],
            );
            for step in 0..n % 4 {
                self.link(
                    ("deals", id),
                    ("contacts", contacts[(n * 3 + step * 41) % contacts.len()]),
                );
            }
            if n % 3 == 0 {
                self.link(("deals", id), ("companies", 7_700_000 + n as u64 % 12));
            }
        }
    }

    /// Three notes on the first deal, one of them archived although it is still linked.
    fn notes(&mut self) {
        let deal = self.live("deals").next().unwrap().id;
        for n in 0..3_u64 {
            let at = format!("2026-11-1{n}T10:00:00Z");
            let id = 3_300 + n;
            self.add(
                "notes",
                id,
                &at,
                &[
                    ("hs_timestamp", at.clone()),
                    ("hs_note_body", format!("<div><p>note &amp; {n}</p></div>")),
                    ("hubspot_owner_id", "504".to_owned()),
                ],
            );
            self.link(("deals", deal), ("notes", id));
        }
        self.rows.get_mut(&("notes", 3_301)).unwrap().archived = true;
    }

    /// The live notes on a deal.
    pub fn notes_of(&self, deal: u64) -> Vec<&Row> {
        let is_on = |note: &&Row| note.links.get("deals").is_some_and(|deals| deals.contains(&deal));
        self.live("notes").filter(is_on).collect()
    }

    /// How many requests arrived with this method at a path with this end.
    pub fn count(&self, method: &str, end: &str) -> usize {
        let is = |line: &&String| line.starts_with(method) && line.ends_with(end);
        self.arrived.iter().filter(is).count()
    }

    pub fn complain(&mut self, what: impl Into<String>) {
        self.complaints.push(what.into());
    }

    /// Everything a person could have changed, to see what did change.
    pub fn lasting(&self, except: u64) -> Value {
        let rows = self
            .rows
            .iter()
            .filter(|((kind, id), _)| *id != except && *kind != "notes");
        rows.map(|((kind, id), row)| json!([kind, id, row.properties, row.links.get("contacts"), row.archived]))
            .collect()
    }
}
