//! `dealdeck contacts import` and `push` as their users meet them: a file becomes contacts in the portal, each exactly once,
//! however often the import is killed on the way.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

#[cfg(unix)]
use std::os::unix::process::ExitStatusExt as _;

use serde_json::Value;

use super::commands::{Shell, expect, said};

/// How many rows: a few hundred, or five thousand where tests are large.
fn size() -> usize {
    let size: f64 = std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|size| size.parse().ok())
        .unwrap_or(1.0);
    if size >= 10.0 { 5_000 } else { 500 }
}

fn shell() -> Shell {
    let shell = Shell::on(&[
        "--deals",
        "20",
        "--contacts",
        "40",
        "--companies",
        "8",
        "--limit",
        "2000/10s",
    ]);
    shell.run(&["sync"], 0);
    shell
}

fn file(shell: &Shell, name: &str, text: &str) -> String {
    let path = shell.dir.path().join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn csv(rows: usize) -> String {
    let row = |n: usize| format!("person{n}@import.example,Person Number{n},+1 555 {n:05},\"Engines, {n}\"\r\n");
    let rows: String = (0..rows).map(row).collect();
    format!("\u{feff}Email,Full name,Phone,Company\r\n{rows}")
}

/// How often the portal has each address of ours.
fn arrived(shell: &Shell) -> BTreeMap<String, usize> {
    let mut arrived = BTreeMap::new();
    for contact in shell.portal().objects("contacts") {
        let email = contact["properties"]["email"].as_str().unwrap_or_default();
        if email.ends_with("@import.example") {
            *arrived.entry(email.to_owned()).or_default() += 1;
        }
    }
    arrived
}

fn rows(shell: &Shell) -> Vec<Value> {
    let listed = shell.run(&["contacts", "push", "--status", "--format", "json"], 0);
    serde_json::from_slice(&listed.stdout).unwrap()
}

/// The program ends itself at each of these moments of its way, one run after the other.
const KILLS: [&str; 9] = [
    "intent-begun",
    "intent-committed",
    "slot-taken",
    "claim-begun",
    "claim-committed",
    "sending:2",
    "answered:2",
    "outcome-begun",
    "outcome-committed",
];

#[cfg(unix)]
#[test]
fn an_import_that_is_killed_again_and_again_ends_with_every_contact_once() {
    let shell = shell();
    let path = file(&shell, "fair.csv", &csv(size()));
    let import = ["contacts", "import", &path, "--wait", "10m", "--format", "json"];
    for moment in KILLS {
        let ended = shell.command(&import).env("DEALDECK_STOP_AT", moment).output().unwrap();
        assert_eq!(ended.status.signal(), Some(9), "it came to '{moment}': {ended:?}");
    }
    let done: Value = serde_json::from_slice(&expect(&mut shell.command(&import), 0).stdout).unwrap();
    let whole = u64::try_from(size()).unwrap();
    let number = |key: &str| done[key].as_u64().unwrap();
    assert_eq!(number("imported") + number("unchanged"), whole, "{done}");
    assert_eq!(
        (number("complete"), number("errors"), number("waiting")),
        (whole, 0, 0),
        "{done}"
    );
    let arrived = arrived(&shell);
    assert_eq!(arrived.len(), size());
    assert!(arrived.values().all(|copies| *copies == 1), "each exactly once");
    let rows = rows(&shell);
    assert_eq!(rows.len(), size());
    for row in &rows {
        let statuses = (row["sync_status"].as_str(), row["processing_status"].as_str());
        assert_eq!(statuses, (Some("Complete"), Some("Complete")), "{row}");
        assert!(row["hubspot_contact_id"].is_string() && row["error"].is_null(), "{row}");
    }
    let written = shell.portal().posted("/batch/upsert");
    let again: Value = serde_json::from_slice(&expect(&mut shell.command(&import), 0).stdout).unwrap();
    assert_eq!(
        (again["unchanged"].as_u64(), again["queued"].as_u64()),
        (Some(whole), Some(0)),
        "{again}"
    );
    assert_eq!(
        shell.portal().posted("/batch/upsert"),
        written,
        "nothing that writes is sent"
    );
    assert_eq!(shell.portal().stats()["refused"], 0);
}

#[test]
fn a_file_with_mistakes_keeps_nothing_and_says_where_they_are() {
    let shell = shell();
    let bad = "email,first name,company\n\
               ada@import.example,Ada,\"two\nlines\"\n\
               ,Nobody,\n\
               ADA@import.example,Again,\n\
               not an address,Eve,\n\
               bob@import.example,Bob,Engines\n";
    let path = file(&shell, "bad.csv", bad);
    let refused = said(&shell.run(&["contacts", "import", &path], 2));
    for part in [
        "line 4, email",
        "line 5, email",
        "on line 2 already",
        "line 6, email",
        "--skip-invalid",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    assert!(rows(&shell).is_empty());
    let unknown = file(&shell, "unknown.csv", "email,Frist name\na@import.example,Ada\n");
    let refused = said(&shell.run(&["contacts", "import", &unknown], 2));
    assert!(
        refused.contains("'Frist name'") && refused.contains("'firstname'"),
        "{refused}"
    );
    let dry = shell.json(&[
        "contacts",
        "import",
        &path,
        "--skip-invalid",
        "--dry-run",
        "--format",
        "json",
    ]);
    assert_eq!((dry["imported"].as_u64(), dry["skipped"].as_u64()), (Some(2), Some(3)));
    assert!(rows(&shell).is_empty(), "a dry run keeps nothing");
    let done = shell.json(&[
        "contacts",
        "import",
        &path,
        "--skip-invalid",
        "--wait",
        "1m",
        "--format",
        "json",
    ]);
    assert_eq!(
        (done["imported"].as_u64(), done["skipped"].as_u64()),
        (Some(2), Some(3))
    );
    assert_eq!(arrived(&shell).len(), 2);
}

#[test]
fn people_decide_about_their_contacts_one_by_one() {
    let shell = shell();
    let path = file(&shell, "fair.csv", &csv(3));
    shell.run(&["contacts", "import", &path, "--no-wait"], 0);
    let all = rows(&shell);
    let id = all[0]["id"].as_str().unwrap();
    assert_eq!(all[0]["sync_status"], "Queued");
    let skipped = shell.json(&["contacts", "skip", id, "--format", "json"]);
    assert_eq!(skipped[0]["sync_status"], "Skipped");
    shell.run(
        &["contacts", "select", "--filter", "email:person1", "--format", "json"],
        0,
    );
    assert_eq!(rows(&shell)[1]["sync_status"], "Selected");
    shell.run(&["sync"], 0);
    assert_eq!(
        arrived(&shell).keys().map(String::as_str).collect::<Vec<_>>(),
        ["person1@import.example", "person2@import.example"]
    );
    let slip = said(&shell.run(&["contacts", "push", "r99"], 2));
    assert!(slip.contains("there is no contact 'r99' here"), "{slip}");
    shell.run(&["contacts", "push", "nobody@import.example"], 2);
    assert_eq!(rows(&shell).len(), 3, "nothing was kept");
    let pushed = shell.json(&["contacts", "push", id, "--wait", "1m", "--format", "json"]);
    assert_eq!(
        (pushed["kind"].as_str(), pushed["state"].as_str()),
        (Some("upsert_contact"), Some("done"))
    );
    assert_eq!(arrived(&shell).len(), 3);
    shell.run(&["contacts", "push", "--reset", "--all"], 2);
    shell.run(&["contacts", "skip", id], 0);
    let reset = shell.json(&["contacts", "push", "--reset", "--all", "--yes", "--format", "json"]);
    assert_eq!(reset["reset"], 2);
    assert_eq!(rows(&shell)[0]["sync_status"], "Skipped", "nobody named it");
    let asked = said(&shell.run(&["contacts", "push", "--reset", "--all"], 2));
    assert!(asked.contains("the scheduler would push them again"), "{asked}");
    shell.run(&["contacts", "push", "--reset", id, "--yes"], 0);
    let all = rows(&shell);
    assert!(
        all.iter()
            .all(|row| row["sync_status"] == "Selected" && row["hubspot_contact_id"].is_null())
    );
}

#[test]
fn a_pushed_contact_is_linked_and_put_on_static_lists_only() {
    let shell = shell();
    let company = &shell.portal().objects("companies")[0];
    let domain = company["properties"]["domain"].as_str().unwrap();
    let (deal, _) = shell.portal().open_deal();
    let lists = shell.json(&["segments", "list", "--format", "json"]);
    let kinds: Vec<(&str, &str)> = lists["lists"]
        .as_array()
        .unwrap()
        .iter()
        .map(|list| (list["name"].as_str().unwrap(), list["kind"].as_str().unwrap()))
        .collect();
    let of = |wanted: &str| kinds.iter().find(|(_, kind)| *kind == wanted).unwrap().0;
    let path = file(&shell, "fair.csv", &csv(1));
    shell.run(&["contacts", "import", &path, "--no-wait"], 0);
    let email = "person0@import.example";
    let refused = said(&shell.run(&["contacts", "push", email, "--list", of("dynamic")], 3));
    assert!(
        refused.contains("dynamic") && refused.contains("static list"),
        "{refused}"
    );
    let waiting = shell.json(&["outbox", "list", "--format", "json"]);
    assert_eq!(waiting.as_array().unwrap().len(), 1, "nothing of it was kept");
    shell.run(&["contacts", "push", email, "--company", "nobody.example"], 2);
    let arguments = [
        "--company",
        domain,
        "--deal",
        &deal,
        "--list",
        of("manual"),
        "--wait",
        "1m",
    ];
    shell.run(&[&["contacts", "push", email][..], &arguments].concat(), 0);
    let contacts = shell.portal().objects("contacts");
    let ours = contacts
        .iter()
        .find(|contact| contact["properties"]["email"] == email)
        .unwrap();
    let links = |object: &str| ours["associations"][object].as_array().cloned().unwrap_or_default();
    assert!(links("companies").contains(&company["id"]), "{ours}");
    assert!(links("deals").contains(&Value::String(deal.clone())), "{ours}");
}

#[test]
fn properties_are_made_on_request_and_the_day_is_written() {
    let shell = shell();
    let config = file(
        &shell,
        "config.toml",
        "[push]\nsync_date_property = \"synced_on\"\n[push.properties.badge]\nlabel = \"Badge\"\n",
    );
    let path = file(&shell, "fair.csv", "email,badge\na@import.example,gold\n");
    let with = |arguments: &[&str], code: i32| {
        let mut command = shell.command(arguments);
        command
            .args(["--config", &config])
            .env("DEALDECK_NOW", "2026-11-22T23:30:00Z");
        expect(&mut command, code)
    };
    let refused = said(&with(&["contacts", "import", &path], 2));
    assert!(refused.contains("no property 'badge'"), "{refused}");
    let made = said(&with(&["contacts", "push", "--create-properties"], 0));
    assert!(made.contains("badge") && made.contains("synced_on"), "{made}");
    with(&["contacts", "import", &path, "--wait", "1m"], 0);
    let contacts = shell.portal().objects("contacts");
    let ours = contacts
        .iter()
        .find(|contact| contact["properties"]["email"] == "a@import.example")
        .unwrap();
    assert_eq!(ours["properties"]["badge"], "gold");
    assert_eq!(ours["properties"]["synced_on"], "2026-11-22");
}

#[test]
fn without_a_token_contacts_are_kept_and_said_to_wait() {
    let shell = shell();
    let path = file(&shell, "fair.csv", &csv(2));
    let mut command = shell.command(&["contacts", "import", &path]);
    command.env_remove("DEALDECK_TOKEN");
    let output = expect(&mut command, 0);
    assert!(said(&output).contains("there is no token"), "{output:?}");
    let first = BufReader::new(&output.stdout[..]).lines().next().unwrap().unwrap();
    assert!(first.contains("imported 2") && first.contains("waiting 2"), "{first}");
    assert!(arrived(&shell).is_empty());
    shell.run(&["sync"], 0);
    assert_eq!(arrived(&shell).len(), 2);
}

#[test]
fn a_quote_that_does_not_close_keeps_nothing() {
    let shell = shell();
    let path = file(
        &shell,
        "torn.csv",
        "email,company\na@import.example,Engines\nb@import.example,\"Acme\nc@import.example,Cheese\n",
    );
    let refused = said(&shell.run(&["contacts", "import", &path, "--skip-invalid"], 2));
    assert!(refused.contains("the quote that opens on line 3"), "{refused}");
    assert!(rows(&shell).is_empty());
}

#[test]
fn our_own_listing_can_be_imported() {
    let shell = shell();
    let listed = shell.run(&["contacts", "list", "--limit", "0", "--format", "csv"], 0);
    let path = file(&shell, "listed.csv", &String::from_utf8(listed.stdout).unwrap());
    let import = ["contacts", "import", &path, "--skip-invalid", "--dry-run"];
    let output = shell.run(&[&import[..], &["--format", "json"]].concat(), 0);
    let remarks = said(&output);
    assert!(remarks.contains("id, segments, lists, created_at"), "{remarks}");
    let count: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(count["imported"].as_u64().unwrap() > 20, "{count} {remarks}");
}

#[test]
fn values_are_checked_by_their_type_and_owners_found_by_name() {
    let shell = shell();
    let config = file(&shell, "config.toml", "[push]\nsync_date_property = \"synced_on\"\n");
    let with = |arguments: &[&str], code: i32| expect(shell.command(arguments).args(["--config", &config]), code);
    with(&["contacts", "push", "--create-properties"], 0);
    let bad = file(
        &shell,
        "bad.csv",
        "email,synced_on\na@import.example,12/31/2026\nb@import.example,2026-02-30\n",
    );
    let refused = said(&with(&["contacts", "import", &bad], 2));
    assert!(
        refused.contains("line 2, synced_on: '12/31/2026' is no date"),
        "{refused}"
    );
    assert!(
        refused.contains("line 3, synced_on: there is no day '2026-02-30'"),
        "{refused}"
    );
    let deals = shell.json(&["deals", "list", "--format", "json"]);
    let owner = deals.as_array().unwrap().iter().find(|deal| deal["owner"].is_object());
    let owner = &owner.unwrap()["owner"];
    let text = format!(
        "email,owner\na@import.example,{}\nb@import.example,Nobody Atall\n",
        owner["name"].as_str().unwrap()
    );
    let path = file(&shell, "owners.csv", &text);
    let refused = said(&shell.run(&["contacts", "import", &path], 2));
    assert!(
        refused.contains("line 3, hubspot_owner_id: 'Nobody Atall' is no owner"),
        "{refused}"
    );
    shell.run(&["contacts", "import", &path, "--skip-invalid", "--wait", "1m"], 0);
    let contacts = shell.portal().objects("contacts");
    let ours = contacts
        .iter()
        .find(|contact| contact["properties"]["email"] == "a@import.example")
        .unwrap();
    assert_eq!(ours["properties"]["hubspot_owner_id"], owner["id"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_an_import_of_a_pipe_that_nobody_writes_to() {
    let shell = shell();
    let pipe = shell.dir.path().join("pipe").display().to_string();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = shell
        .command(&["contacts", "import", &pipe])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Opened as soon as the import reads it, and kept open.
    let _writer = fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let id = child.id().to_string();
    let deadline = Instant::now() + Duration::from_secs(30);
    let ended = loop {
        thread::sleep(Duration::from_millis(200));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        Command::new("kill").args(["-INT", &id]).status().unwrap();
    };
    assert_eq!(ended.code(), Some(130), "{ended:?}");
}

#[test]
fn an_import_does_not_wait_for_a_hubspot_that_does_not_answer() {
    let shell = shell();
    let path = file(&shell, "fair.csv", &csv(2));
    let data = shell.dir.path().join("data").display().to_string();
    let begun = Instant::now();
    let output = expect(
        Command::new(env!("CARGO_BIN_EXE_dealdeck"))
            .args(["contacts", "import", &path, "--wait", "5m"])
            .args(["--data-dir", &data, "--base-url", "http://127.0.0.1:9"])
            .env_clear()
            .env("HOME", shell.dir.path())
            .env("DEALDECK_TOKEN", shell.portal().token()),
        0,
    );
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let said = said(&output);
    assert!(
        said.contains("2 contacts are kept on disk") && said.contains("HubSpot does not answer"),
        "{said}"
    );
}

#[test]
fn a_dry_run_decides_nothing() {
    let shell = shell();
    let path = file(&shell, "fair.csv", &csv(2));
    shell.run(&["contacts", "import", &path, "--no-wait"], 0);
    let before = rows(&shell);
    let push = shell.run(&["contacts", "push", "person0@import.example", "--dry-run"], 0);
    assert!(said(&push).contains("would push 'person0@import.example'"), "{push:?}");
    let push = shell.json(&["contacts", "push", "--all", "--dry-run", "--format", "json"]);
    assert_eq!(
        (push["queued"].as_u64(), push["unchanged"].as_u64()),
        (Some(2), Some(2))
    );
    for (verb, status) in [("queue", "Queued"), ("skip", "Skipped"), ("select", "Selected")] {
        let would = shell.json(&["contacts", verb, "r1", "--dry-run", "--format", "json"]);
        assert_eq!(would[0]["sync_status"], status, "{would}");
    }
    let reset = shell.run(&["contacts", "push", "--reset", "--all", "--dry-run"], 0);
    assert_eq!(reset.stdout, b"would reset 2 contacts\n");
    assert_eq!(rows(&shell), before);
    let config = file(&shell, "config.toml", "[push.properties.badge]\nlabel = \"Badge\"\n");
    let make = ["contacts", "push", "--create-properties", "--dry-run"];
    let made = said(&expect(shell.command(&make).args(["--config", &config]), 0));
    assert!(made.contains("would be made in HubSpot: badge"), "{made}");
    let posted = shell.portal().posted("/properties/contacts");
    assert_eq!(posted, 0, "nothing was asked of HubSpot");
}

#[test]
fn queueing_says_what_keeps_contacts_here() {
    let shell = Shell::on(&["--deals", "5", "--contacts", "5"]);
    let path = file(&shell, "fair.csv", "email,lifecyclestage\na@import.example,friend\n");
    shell.run(&["contacts", "import", &path, "--wait", "1m"], 3);
    let queued = said(&shell.run(&["contacts", "queue", "r1"], 0));
    assert!(
        queued.contains("left out: HubSpot refused 'a@import.example'"),
        "{queued}"
    );
    assert!(!queued.contains("there is no token") && !queued.contains("push.enabled"));
    let config = file(&shell, "config.toml", "[push]\nenabled = false\n");
    for verb in ["queue", "select"] {
        let mut command = shell.command(&["contacts", verb, "r1", "--config", &config]);
        let warned = said(&expect(command.env_remove("DEALDECK_TOKEN"), 0));
        assert!(
            warned.contains("there is no token") && warned.contains("'push.enabled' is false"),
            "{warned}"
        );
    }
    let skipped = said(&shell.run(&["contacts", "skip", "r1", "--config", &config], 0));
    assert!(!skipped.contains("push.enabled"), "{skipped}");
}
