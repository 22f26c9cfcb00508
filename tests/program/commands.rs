//! The commands in a shell: what they print, and the exit code they end with.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use super::portal::Simulated;

/// A data directory and, when there is one, a portal.
pub struct Shell {
    pub dir: TempDir,
    portal: Option<Simulated>,
}

impl Shell {
    pub fn on(arguments: &[&str]) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            portal: Some(Simulated::start(arguments)),
        }
    }

    pub fn alone() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            portal: None,
        }
    }

    pub fn portal(&self) -> &Simulated {
        self.portal.as_ref().unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dealdeck"));
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(self.dir.path().join("data"));
        command
            .env_clear()
            .env("HOME", self.dir.path())
            .current_dir(self.dir.path());
        if let Some(portal) = &self.portal {
            command
                .args(["--base-url", portal.url()])
                .env("DEALDECK_TOKEN", portal.token());
        }
        command
    }

    /// Runs a command and expects this exit code.
    pub fn run(&self, arguments: &[&str], code: i32) -> Output {
        expect(&mut self.command(arguments), code)
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.run(arguments, 0).stdout).unwrap()
    }
}

pub fn expect(command: &mut Command, code: i32) -> Output {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{command:?}: {output:?}");
    output
}

pub fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn after_a_sync_the_list_equals_the_portals_truth_field_by_field() {
    let shell = Shell::on(&["--seed", "7", "--deals", "400", "--contacts", "2000"]);
    let report = shell.json(&["sync", "--format", "json"]);
    assert_eq!(report["complete"], true);
    assert_eq!(report["objects"]["contacts"]["fetched"], 2000);
    let listed = shell.run(&["deals", "list", "--format", "jsonl"], 0);
    let listed: Vec<Value> = String::from_utf8(listed.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let truth: BTreeMap<String, Value> = shell
        .portal()
        .objects("deals")
        .into_iter()
        .map(|deal| (deal["id"].as_str().unwrap().to_owned(), deal))
        .collect();
    assert_eq!(listed.len(), truth.len());
    for deal in &listed {
        let truth = &truth[deal["id"].as_str().unwrap()]["properties"];
        same_deal(deal, truth);
    }
    assert_eq!(shell.portal().stats()["refused"], 0);
}

/// Every field of the listing against the portal's properties.
fn same_deal(deal: &Value, truth: &Value) {
    let text = |name: &str| truth[name].as_str().filter(|value| !value.is_empty());
    assert_eq!(deal["name"].as_str(), Some(text("dealname").unwrap_or_default()));
    assert_eq!(deal["pipeline"]["id"].as_str(), text("pipeline"));
    assert_eq!(deal["stage"]["id"].as_str(), text("dealstage"));
    let number = |value: Option<&str>| value.map(|value| value.parse::<f64>().unwrap());
    assert_eq!(
        number(deal["amount"].as_str()),
        number(text("amount")),
        "{deal} {truth}"
    );
    assert_eq!(deal["currency"].as_str(), text("deal_currency_code").or(Some("USD")));
    let day = |instant: &str| {
        let at: jiff::Timestamp = instant.parse().unwrap();
        at.in_tz("US/Eastern").unwrap().date().to_string()
    };
    assert_eq!(
        deal["close_date"].as_str().map(str::to_owned),
        text("closedate").map(day)
    );
    assert_eq!(deal["owner"]["id"].as_str(), text("hubspot_owner_id"));
    assert_eq!(
        number(deal["probability"].as_str()),
        number(text("hs_deal_stage_probability"))
    );
    assert_eq!(deal["next_step"].as_str(), text("hs_next_step"));
    let state = match (text("hs_is_closed_won"), text("hs_is_closed")) {
        (Some("true"), _) => "won",
        (_, Some("true")) => "lost",
        _ => "open",
    };
    assert_eq!(deal["state"], state, "{truth}");
    let instant = |value: Option<&str>| value.map(|value| value.parse::<jiff::Timestamp>().unwrap());
    assert_eq!(
        instant(deal["stage_entered_at"].as_str()),
        instant(text("hs_v2_date_entered_current_stage"))
    );
    assert_eq!(
        instant(deal["last_activity_at"].as_str()),
        instant(text("notes_last_updated"))
    );
    assert_eq!(deal["pending"], serde_json::json!([]));
    let weighted = number(text("amount"))
        .zip(number(text("hs_deal_stage_probability")))
        .map(|(amount, share)| amount * share);
    let shown = number(deal["weighted"].as_str());
    assert!(
        shown
            .zip(weighted)
            .is_none_or(|(shown, exact)| (shown - exact).abs() < 0.011),
        "{deal} {weighted:?}"
    );
}

#[test]
fn a_move_and_a_note_land_and_the_outbox_shows_them() {
    let shell = Shell::on(&["--deals", "40", "--contacts", "60"]);
    shell.run(&["sync"], 0);
    let (id, _) = shell.portal().open_deal();
    shell.run(&["deals", "move", &id, "contract", "--dry-run"], 0);
    assert_eq!(
        shell.portal().stage_of(&id),
        "qualifiedtobuy",
        "a dry run changes nothing"
    );
    let moved = shell.json(&["deals", "move", &id, "contract", "--format", "json"]);
    assert_eq!(moved["state"], "done");
    assert_eq!(shell.portal().stage_of(&id), "contractsent");
    shell.run(&["note", "add", "--deal", &id, "called"], 0);
    assert_eq!(shell.portal().notes_of(&id).len(), 1);
    let all = shell.run(&["outbox", "list", "--all", "--format", "jsonl"], 0);
    assert_eq!(String::from_utf8(all.stdout).unwrap().lines().count(), 2);
    let limits = shell.json(&["limits", "--format", "json"]);
    assert_eq!(limits["burst"]["capacity"], 190);
    assert_eq!(limits["daily"]["capacity"], 625_000);
    assert_eq!(shell.portal().stats()["refused"], 0);
}

#[test]
fn what_cannot_be_is_refused_in_one_sentence_with_the_next_step() {
    let shell = Shell::on(&["--deals", "20", "--contacts", "20"]);
    shell.run(&["sync"], 0);
    let (id, _) = shell.portal().open_deal();
    let output = shell.run(&["deals", "move", &id, "nowhere"], 2);
    assert!(
        said(&output).contains("'nowhere'") && said(&output).contains("Contract Sent"),
        "{output:?}"
    );
    let output = shell.run(&["deals", "move", "1", "contract"], 3);
    assert!(
        said(&output).contains("'1'") && said(&output).contains("dealdeck sync"),
        "{output:?}"
    );
    let output = shell.run(&["deals", "list", "--filter", "amount>>90k"], 2);
    assert!(said(&output).contains("column 8"), "{output:?}");
    let output = shell.run(&["note", "add", "--deal", &id, " "], 2);
    assert!(said(&output).contains("empty"), "{output:?}");
    let output = expect(shell.command(&["deals", "move", &id, "contract"]).arg("--read-only"), 2);
    assert!(said(&output).contains("read"), "{output:?}");
    let output = shell.run(&["outbox", "list"], 0);
    assert!(
        !String::from_utf8(output.stdout).unwrap().contains("stage of"),
        "nothing was kept"
    );
}

#[test]
fn a_token_that_is_missing_or_wrong_ends_with_5_and_the_next_step() {
    let alone = Shell::alone();
    let output = alone.run(&["sync", "--format", "json"], 5);
    assert!(said(&output).contains("DEALDECK_TOKEN"), "{output:?}");
    let last: Value = serde_json::from_str(said(&output).lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["kind"], "auth");

    let shell = Shell::on(&["--deals", "5", "--contacts", "5"]);
    let output = expect(shell.command(&["sync"]).env("DEALDECK_TOKEN", "pat-na1-wrong"), 5);
    assert!(
        !said(&output).contains("pat-na1-wrong"),
        "a token is never printed: {output:?}"
    );
}

#[test]
fn answers_that_are_not_hubspots_end_with_4_and_lose_nothing() {
    let shell = Shell::on(&["--deals", "20", "--contacts", "20"]);
    shell.run(&["sync"], 0);
    for plan in ["html=100%", "truncated=100%", "reset=100%"] {
        shell.portal().faults(plan);
        let output = expect(shell.command(&["sync"]).args(["--max-retries", "0"]), 4);
        assert_eq!(
            said(&output).lines().count(),
            1,
            "one sentence for '{plan}': {output:?}"
        );
    }
    let listed = shell.run(&["deals", "list", "--format", "jsonl"], 0);
    assert_eq!(
        String::from_utf8(listed.stdout).unwrap().lines().count(),
        20,
        "what was read stays"
    );
}

#[test]
fn a_broken_configuration_is_shown_with_its_line_and_ends_with_2() {
    let shell = Shell::alone();
    let file = shell.dir.path().join("config.toml");
    fs::write(&file, "[goals]\nqota = \"100000\"\n").unwrap();
    let output = shell.run(&["deals", "list", "--config", &file.to_string_lossy()], 2);
    let said = said(&output);
    assert!(
        said.contains("qota") && said.contains("quota") && said.contains(":2:"),
        "{said}"
    );
}

#[test]
fn a_token_in_a_file_that_others_can_read_ends_with_5() {
    let shell = Shell::alone();
    let file = shell.dir.path().join("config.toml");
    fs::write(&file, "[account]\ntoken = \"pat-na1-secret\"\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let output = shell.run(&["sync", "--config", &file.to_string_lossy()], 5);
    assert!(!said(&output).contains("pat-na1-secret"), "{output:?}");
}

#[test]
fn an_address_that_is_not_hubspots_is_refused_before_anything_is_sent() {
    let shell = Shell::alone();
    for address in [
        "http://example.org",
        "https://api.hubapi.com.evil.example",
        "https://user@api.hubapi.com",
    ] {
        shell.run(&["sync", "--base-url", address], 2);
    }
}

#[test]
fn everything_that_lives_is_private() {
    let shell = Shell::on(&["--deals", "5", "--contacts", "5"]);
    shell.run(&["sync"], 0);
    let mut seen = 0;
    private(&shell.dir.path().join("data"), &mut seen);
    assert!(seen >= 4, "outbox, mirror, budget and a log at least, saw {seen}");
}

fn private(dir: &Path, seen: &mut usize) {
    assert_eq!(
        fs::metadata(dir).unwrap().permissions().mode() & 0o777,
        0o700,
        "{}",
        dir.display()
    );
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() {
            private(&entry.path(), seen);
        } else {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", entry.path().display());
            *seen += 1;
        }
    }
}

#[test]
fn not_a_terminal_is_refused_with_the_commands_to_use_instead() {
    let output = Shell::alone().run(&["--demo"], 2);
    assert!(
        said(&output).contains("dealdeck deals list") && said(&output).contains("terminal"),
        "{output:?}"
    );
}

#[test]
fn a_mirror_that_is_not_whole_says_so_everywhere() {
    let shell = Shell::on(&["--deals", "260", "--contacts", "300"]);
    let report = shell.json(&["sync", "--max", "130", "--format", "json"]);
    assert_eq!(report["complete"], false);
    for object in ["deals", "contacts"] {
        assert_eq!(report["objects"][object]["fetched"], 130, "{report}");
    }
    let segments = shell.run(&["segments", "list", "--format", "json"], 0);
    assert!(said(&segments).contains("not all contacts were read"), "{segments:?}");
    let counts: Value = serde_json::from_slice(&segments.stdout).unwrap();
    let segments = counts["segments"].as_array().unwrap();
    assert!(
        segments.iter().all(|segment| segment["count"].is_null()),
        "a part is no count: {counts}"
    );
    let deals = shell.run(&["deals", "list", "--limit", "1"], 0);
    assert!(said(&deals).contains("not all deals were read"), "{deals:?}");
    let nobody = shell.run(&["contacts", "list", "--filter", "name:zzzzz", "--format", "jsonl"], 0);
    assert!(nobody.stdout.is_empty(), "no rows are no lines: {nobody:?}");
    let nowhere = shell.run(&["contacts", "list", "--after", "garbage"], 2);
    assert!(said(&nowhere).contains("same --sort"), "{nowhere:?}");
    shell.run(&["sync", "--max", "0"], 2);
}

#[test]
fn a_damaged_mirror_is_not_an_empty_one() {
    let shell = Shell::on(&["--deals", "40", "--contacts", "800"]);
    shell.run(&["sync"], 0);
    let file = shell.dir.path().join("data/mirror.db");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    let asked = shell.run(&["contacts", "list", "--format", "csv"], 8);
    assert!(asked.stdout.is_empty(), "{asked:?}");
    assert!(
        said(&asked).contains("damaged") && said(&asked).contains("dealdeck sync"),
        "{asked:?}"
    );
    shell.run(&["sync"], 0);
    let all = shell.run(&["contacts", "list", "--limit", "0", "--format", "jsonl"], 0);
    assert_eq!(String::from_utf8(all.stdout).unwrap().lines().count(), 800);
}
