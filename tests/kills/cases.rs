//! Every kind of operation, ended at every named moment, in its first attempt and while its outcome is looked up.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use dealdeck::{
    domain::{ObjectType, OpState, Payload, Properties, RecordRef},
    store::{self, Keeper, NewOperation},
};
use serde_json::Value;

use super::{
    portal::Simulated,
    proxy::{Cut, Proxy},
    test_size,
};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Change,
    KeyedNote,
    PlainNote,
    Archive,
    Link,
    Contact,
}

pub const KINDS: [Kind; 6] = [
    Kind::Change,
    Kind::KeyedNote,
    Kind::PlainNote,
    Kind::Archive,
    Kind::Link,
    Kind::Contact,
];

/// The moments inside the program; see `store::Moment`.
const MOMENTS: [&str; 16] = [
    "intent-begun",
    "intent-committed",
    "slot-taken",
    "claim-begun",
    "claim-committed",
    "sending",
    "answered",
    "outcome-begun",
    "outcome-committed",
    "settle-begun",
    "mirror-begun",
    "mirror-committed",
    "cursor-begun",
    "looked-up",
    "epoch-begun",
    "schema-begun",
];

/// Where the program ends.
#[derive(Clone, Copy, Debug)]
enum Stop {
    Moment(&'static str),
    Wire(Cut),
}

/// Two accounts, one with keys for notes, and what a first sync of each leaves on disk.
pub struct Scene {
    keyed: (Simulated, PathBuf),
    plain: (Simulated, PathBuf),
    dir: tempfile::TempDir,
    next: AtomicUsize,
}

impl Scene {
    pub fn set(deals: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let deals = deals.to_string();
        let account = |name: &str, more: &[&str]| {
            let mut arguments = vec!["--deals", &deals, "--contacts", &deals, "--companies", "5"];
            arguments.extend([
                "--limit",
                "5000/10s",
                "--search-limit",
                "500/1s",
                "--index-lag",
                "0s..1s",
            ]);
            arguments.extend(more);
            let portal = Simulated::start(&arguments);
            let data = dir.path().join(name);
            let proxy = Proxy::before(portal.url());
            let program = Program {
                portal: &portal,
                proxy: &proxy,
                data: &data,
            };
            let (code, _) = program.run(&["sync"], None, false);
            assert_eq!(code, Some(0), "the first sync");
            (portal, data)
        };
        let (keyed, plain) = (account("keyed", &["--switch", "creation-key"]), account("plain", &[]));
        Self {
            keyed,
            plain,
            dir,
            next: AtomicUsize::new(0),
        }
    }

    pub fn account(&self, kind: Kind) -> &(Simulated, PathBuf) {
        if kind == Kind::PlainNote {
            &self.plain
        } else {
            &self.keyed
        }
    }

    /// A copy of what the first sync left.
    pub fn copy(&self, kind: Kind) -> PathBuf {
        let nth = self.next.fetch_add(1, Ordering::SeqCst);
        let data = self.dir.path().join(format!("case-{nth}"));
        fs::create_dir_all(&data).unwrap();
        for file in fs::read_dir(&self.account(kind).1).unwrap().flatten() {
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), data.join(file.file_name())).unwrap();
            }
        }
        data
    }
}

/// The program on one disk.
pub struct Program<'a> {
    pub portal: &'a Simulated,
    pub proxy: &'a Proxy,
    pub data: &'a Path,
}

impl Program<'_> {
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dealdeck"));
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(self.data)
            .args(["--base-url", &self.proxy.url()])
            .env_clear()
            .env("HOME", self.data)
            .env("DEALDECK_TOKEN", self.portal.token())
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    }

    /// Runs it; `later` = ten minutes later by the wall clock, so that every quarantine is over.
    fn run(&self, arguments: &[&str], stop: Option<Stop>, later: bool) -> (Option<i32>, bool) {
        let mut command = self.command(arguments);
        let cut = match stop {
            Some(Stop::Moment(moment)) => {
                command.env("DEALDECK_STOP_AT", moment);
                None
            }
            Some(Stop::Wire(cut)) => Some(cut),
            None => None,
        };
        if later {
            let then = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10);
            command.env("DEALDECK_NOW", then.to_string());
        }
        let (code, was_cut) = self.proxy.watch(command.spawn().unwrap(), cut);
        (code, was_cut || code.is_none())
    }
}

/// What somebody wants, and how it is recognised in the portal's truth.
pub struct Wish {
    pub kind: Kind,
    pub deal: String,
    pub contact: String,
    pub mark: String,
}

impl Wish {
    /// The command that asks for it; `None` where none does.
    pub fn command(&self) -> Option<Vec<String>> {
        match self.kind {
            Kind::KeyedNote | Kind::PlainNote => {
                let words = ["note", "add", "--deal", &self.deal, &self.mark];
                Some(words.map(str::to_owned).to_vec())
            }
            _ => None,
        }
    }

    /// Keeps it where no command does.
    pub fn keep(&self, data: &Path, now: jiff::Timestamp) {
        let mut keeper = Keeper::open(&store::Settings { dir: data.to_owned() }).unwrap();
        let account = keeper.mirror.account().unwrap().unwrap().portal_id;
        let email = format!("{}@kills.example", self.mark.replace(' ', "-"));
        let deal = RecordRef::new(ObjectType::Deals, self.deal.as_str());
        let (entity, payload) = match self.kind {
            Kind::Change => {
                let base = keeper.mirror.record(&deal).unwrap().unwrap();
                let base = base.get("hs_next_step").map(str::to_owned);
                let set = |value| Properties::from([("hs_next_step".to_owned(), value)]);
                let (values, base) = (set(Some(self.mark.clone())), set(base));
                (deal, Payload::SetProperties { values, base })
            }
            Kind::Archive => (deal, Payload::Archive),
            Kind::Link => {
                let with = deal;
                let contact = RecordRef::new(ObjectType::Contacts, self.contact.as_str());
                (contact, Payload::Associate { with, linked: true })
            }
            _ => {
                let values = Properties::from([("firstname".to_owned(), Some(self.mark.clone()))]);
                (RecordRef::by_email(&email), Payload::UpsertContact { email, values })
            }
        };
        let new = NewOperation {
            account,
            entity,
            payload,
            title: self.mark.clone(),
            not_before: None,
            undo_of: None,
            op_key: None,
        };
        keeper.outbox.keep(new, now).unwrap();
    }

    /// How often it took effect.
    pub fn effects(&self, truth: &Truth) -> usize {
        let has = |record: &&Value, name: &str| record["properties"][name].as_str() == Some(&self.mark);
        match self.kind {
            Kind::Change => truth.deals.iter().filter(|deal| has(deal, "hs_next_step")).count(),
            Kind::KeyedNote | Kind::PlainNote => truth.notes.iter().filter(|note| has(note, "hs_note_body")).count(),
            Kind::Archive => usize::from(!truth.deals.iter().any(|deal| deal["id"] == self.deal.as_str())),
            Kind::Link => {
                let contact = truth
                    .contacts
                    .iter()
                    .find(|contact| contact["id"] == self.contact.as_str());
                let deals = contact.unwrap()["associations"]["deals"].as_array();
                deals.map_or(0, |deals| deals.iter().filter(|id| **id == self.deal.as_str()).count())
            }
            Kind::Contact => truth
                .contacts
                .iter()
                .filter(|contact| has(contact, "firstname"))
                .count(),
        }
    }
}

/// What the portal itself says there is.
#[derive(Default)]
pub struct Truth {
    deals: Vec<Value>,
    contacts: Vec<Value>,
    notes: Vec<Value>,
}

impl Truth {
    /// As far as it concerns these kinds.
    pub fn about(portal: &Simulated, kinds: &[Kind]) -> Self {
        let asks = |some: &[Kind]| kinds.iter().any(|kind| some.contains(kind));
        let of = |object: &str, some: &[Kind]| if asks(some) { portal.objects(object) } else { Vec::new() };
        Self {
            deals: of("deals", &[Kind::Change, Kind::Archive]),
            contacts: of("contacts", &[Kind::Link, Kind::Contact]),
            notes: of("notes", &[Kind::KeyedNote, Kind::PlainNote]),
        }
    }
}

/// One of the portal's deals and one of its contacts that no other case touches and that are not linked.
pub fn places(portal: &Simulated) -> Vec<(String, String)> {
    let ids = |records: Vec<Value>| {
        records
            .into_iter()
            .map(|record| record["id"].as_str().unwrap().to_owned())
    };
    let deals = portal.objects("deals");
    let contacts: Vec<String> = ids(portal.objects("contacts")).collect();
    let mut places = Vec::new();
    for (deal, contact) in deals.iter().zip(contacts) {
        let linked = deal["associations"]["contacts"].as_array();
        if linked.is_none_or(|linked| !linked.iter().any(|id| id == contact.as_str())) {
            places.push((deal["id"].as_str().unwrap().to_owned(), contact));
        }
    }
    places
}

/// The states of everything on this disk.
pub fn operations(data: &Path) -> Vec<(String, String)> {
    let keeper = Keeper::open(&store::Settings { dir: data.to_owned() }).unwrap();
    let all = keeper.outbox.list(&store::OutboxFilter::default()).unwrap();
    all.into_iter()
        .map(|op| (op.title.clone(), op.state.word().to_owned()))
        .collect()
}

/// What is held because several processes died of it.
pub fn suspects(data: &Path) -> Vec<String> {
    let keeper = Keeper::open(&store::Settings { dir: data.to_owned() }).unwrap();
    let all = keeper.outbox.list(&store::OutboxFilter::default()).unwrap();
    all.into_iter()
        .filter(|op| {
            op.error
                .as_ref()
                .is_some_and(|error| op.state == OpState::Held && error.class == "poison")
        })
        .map(|op| op.id.to_string())
        .collect()
}

struct Case {
    wish: Wish,
    stop: Stop,
    resolving: bool,
}

/// Plays one case; answers whether the program was ended where it should be.
fn play(scene: &Scene, proxy: &Proxy, case: &Case) -> bool {
    let (portal, _) = scene.account(case.wish.kind);
    let data = scene.copy(case.wish.kind);
    let program = Program {
        portal,
        proxy,
        data: &data,
    };
    let first = match case.stop {
        stop if !case.resolving => stop,
        // What HubSpot did not get is sent again, so that these come a second time.
        Stop::Wire(_) | Stop::Moment("slot-taken" | "claim-begun" | "claim-committed" | "sending" | "answered") => {
            Stop::Wire(Cut::HeadSent)
        }
        Stop::Moment(_) => Stop::Wire(Cut::BodySent),
    };
    let (mut acknowledged, mut ended) = (false, false);
    match case.wish.command() {
        Some(command) => {
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            let (code, was_ended) = program.run(&words, Some(first), false);
            ended |= was_ended;
            acknowledged |= code == Some(0);
        }
        None => {
            case.wish.keep(&data, jiff::Timestamp::now());
            ended |= program.run(&["sync", "--only", "deals"], Some(first), false).1;
            acknowledged = true;
        }
    }
    if case.resolving {
        ended = program.run(&["sync", "--only", "deals"], Some(case.stop), true).1;
    }
    let (code, _) = program.run(&["sync", "--only", "deals"], None, true);
    let kept = operations(&data);
    let effects = case.wish.effects(&Truth::about(portal, &[case.wish.kind]));
    let what = || {
        format!(
            "{:?} ended at {:?} (resolving: {}): {effects} effects, {kept:?}, the last sync ended with {code:?}",
            case.wish.kind, case.stop, case.resolving
        )
    };
    match kept.as_slice() {
        [] => assert!(!acknowledged && effects == 0, "lost or out of nowhere: {}", what()),
        [(_, state)] => match state.as_str() {
            "done" | "landed" => assert_eq!(effects, 1, "{}", what()),
            // Without a key nobody can know: it is never sent again by itself.
            "uncertain" | "held" if case.wish.kind == Kind::PlainNote => assert!(effects <= 1, "{}", what()),
            _ => panic!("not drained: {}", what()),
        },
        _ => panic!("more than one operation: {}", what()),
    }
    fs::remove_dir_all(&data).unwrap();
    ended
}

#[test]
fn ended_at_every_named_moment_nothing_is_lost_and_nothing_is_doubled() {
    let stops = MOMENTS.map(Stop::Moment).into_iter().chain(Cut::ALL.map(Stop::Wire));
    let stops: Vec<Stop> = stops.collect();
    assert_eq!(stops.len(), 22);
    let scene = Scene::set(700);
    let (keyed, plain) = (places(&scene.keyed.0), places(&scene.plain.0));
    let mut cases = Vec::new();
    for (nth, (kind, stop, resolving)) in KINDS
        .iter()
        .flat_map(|kind| stops.iter().map(move |stop| (*kind, *stop)))
        .flat_map(|(kind, stop)| [false, true].map(|resolving| (kind, stop, resolving)))
        .enumerate()
    {
        let places = if kind == Kind::PlainNote { &plain } else { &keyed };
        let (deal, contact) = places[nth].clone();
        let mark = format!("case {nth}");
        let wish = Wish {
            kind,
            deal,
            contact,
            mark,
        };
        cases.push(Case { wish, stop, resolving });
    }
    assert_eq!(cases.len(), 264);
    // A part of them in a small run, every kind and every moment among it.
    let step = if test_size() >= 10 { 1 } else { 13 };
    let cases: Vec<Case> = cases.into_iter().step_by(step).collect();
    let (cases, ended) = (Mutex::new(cases), AtomicUsize::new(0));
    let played = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                let proxies = [Proxy::before(scene.keyed.0.url()), Proxy::before(scene.plain.0.url())];
                loop {
                    let Some(case) = cases.lock().unwrap().pop() else { break };
                    let proxy = &proxies[usize::from(case.wish.kind == Kind::PlainNote)];
                    let was_ended = play(&scene, proxy, &case);
                    if !was_ended {
                        println!(
                            "never came there: {:?} {:?} {}",
                            case.wish.kind, case.stop, case.resolving
                        );
                    }
                    ended.fetch_add(usize::from(was_ended), Ordering::SeqCst);
                    played.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    let (played, ended) = (played.into_inner(), ended.into_inner());
    println!("{ended} of {played} runs were ended where they should be; the others never came there");
    assert!(ended * 2 > played, "{ended} of {played}");
}
