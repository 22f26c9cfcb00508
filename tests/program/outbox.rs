//! `dealdeck outbox …` as its users meet it: seen, sent again, given up, decided.

use serde_json::Value;

use super::commands::{Shell, expect, said};

/// The id of an operation that a command left in conflict.
fn conflict(shell: &Shell, deal: &str) -> String {
    shell.portal().edit(deal, "dealstage", "presentationscheduled");
    let output = expect(
        &mut shell.command(&["deals", "move", deal, "contract", "--format", "json"]),
        3,
    );
    assert!(said(&output).contains("dealdeck outbox resolve"), "{output:?}");
    let operation: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(operation["state"], "conflict");
    operation["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_conflict_is_shown_and_decided() {
    let shell = Shell::on(&["--deals", "40", "--contacts", "20", "--index-lag", "1h"]);
    shell.run(&["sync"], 0);
    let (deal, _) = shell.portal().open_deal();
    let id = conflict(&shell, &deal);
    let story = shell.json(&["outbox", "show", &id, "--format", "json"]);
    assert_eq!(story["values"]["dealstage"], "contractsent");
    assert_eq!(story["theirs"]["dealstage"], "presentationscheduled");
    assert_eq!(story["sends"], Value::Array(Vec::new()));
    let shown = shell.run(&["outbox", "show", &id[id.len() - 8..]], 0);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("there is 'presentationscheduled', you want 'contractsent'"),
        "{shown}"
    );
    let listed = shell.run(&["outbox", "list", "--state", "conflict", "--format", "jsonl"], 0);
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 1);
    let sent = shell.json(&["outbox", "resolve", &id, "--ours", "--format", "json"]);
    assert_eq!(sent["state"], "done");
    assert_eq!(shell.portal().stage_of(&deal), "contractsent");
    let late = shell.run(&["outbox", "cancel", &id], 3);
    assert!(said(&late).contains("HubSpot has it"), "{late:?}");
}

#[test]
fn theirs_is_kept_and_slips_decide_nothing() {
    let shell = Shell::on(&["--deals", "40", "--contacts", "20", "--index-lag", "1h"]);
    shell.run(&["sync"], 0);
    let (deal, _) = shell.portal().open_deal();
    let id = conflict(&shell, &deal);
    for slip in [
        vec!["outbox", "resolve", &id],
        vec!["outbox", "resolve", &id, "--ours", "--theirs"],
        vec!["outbox", "resolve", &id, "--set", "amount"],
        vec!["outbox", "resolve", &id, "--set", "no_such_property=1"],
        vec!["outbox", "retry", &id, "nobody"],
        vec!["outbox", "show", "nobody"],
        vec!["outbox", "list", "--state", "lost"],
    ] {
        shell.run(&slip, 2);
    }
    let listed = shell.run(&["outbox", "list", "--state", "conflict", "--format", "jsonl"], 0);
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 1);
    let dropped = shell.json(&["outbox", "resolve", &id, "--theirs", "--format", "json"]);
    assert_eq!(dropped["state"], "cancelled");
    assert_eq!(shell.portal().stage_of(&deal), "presentationscheduled");
}

#[test]
fn what_waits_offline_is_taken_back_without_a_word_to_hubspot() {
    let shell = Shell::on(&["--deals", "40", "--contacts", "20"]);
    shell.run(&["sync"], 0);
    let (deal, _) = shell.portal().open_deal();
    let kept = shell.json(&[
        "note",
        "add",
        "--deal",
        &deal,
        "not yet",
        "--no-wait",
        "--format",
        "json",
    ]);
    let id = kept["id"].as_str().unwrap();
    let cancelled = shell.json(&["outbox", "cancel", id, "--no-wait", "--format", "json"]);
    assert_eq!(cancelled["state"], "cancelled");
    shell.run(&["sync", "--only", "deals"], 0);
    assert!(shell.portal().notes_of(&deal).is_empty());
}
