//! The commands in a shell, before each of the strangers.

use super::{
    manner::Manner,
    shell::{Shell, open_deal, same_deal},
};

#[test]
fn a_server_that_says_as_little_as_it_may() {
    works_unchanged(Manner::Terse);
}

#[test]
fn a_server_of_numbers_where_texts_are_usual() {
    works_unchanged(Manner::Numeric);
}

#[test]
fn a_server_that_says_more_than_it_was_asked() {
    works_unchanged(Manner::Chatty);
}

fn works_unchanged(manner: Manner) {
    let shell = Shell::before(manner);
    let report = shell.json(&["sync", "--format", "json"]);
    assert_eq!(
        (&report["complete"], &report["errors"]),
        (&true.into(), &serde_json::json!([])),
        "{report}"
    );
    for (kind, count) in [("deals", 60), ("contacts", 240), ("companies", 12)] {
        assert_eq!(report["objects"][kind]["fetched"], count, "{report}");
    }
    shell.mirror_is_true();
    shell.list_is_true();

    let (id, _) = open_deal(&shell.stranger.world());
    let text = id.to_string();
    let deal = shell.json(&["deals", "get", &text, "--format", "json"]);
    same_deal(&deal, shell.stranger.world().row("deals", &text).unwrap());
    move_and_note(&shell, id);
    a_lost_answer_is_looked_up(&shell, id);
    colleagues_changes_arrive(&shell);

    let limits = shell.json(&["limits", "--format", "json"]);
    let capacity = match manner {
        Manner::Terse => 100,
        Manner::Numeric => 110,
        Manner::Chatty => 150,
    };
    assert_eq!(limits["burst"]["capacity"], capacity, "{limits}");
    shell.nobody_complains();
}

/// A move by label and a note, each landed once.
fn move_and_note(shell: &Shell, id: u64) {
    let text = id.to_string();
    let before = shell.stranger.world().lasting(id);
    let moved = shell.json(&["deals", "move", &text, "verbal", "--format", "json"]);
    assert!(moved["state"] == "landed" || moved["state"] == "done", "{moved}");
    let note = shell.json(&[
        "note",
        "add",
        "--deal",
        &text,
        "Called <Pip>\nwants two & more",
        "--format",
        "json",
    ]);
    assert!(note["state"] == "landed" || note["state"] == "done", "{note}");
    shell.run(&["sync"]);
    all_done(shell, 2);
    shell.list_is_true();

    let world = shell.stranger.world();
    assert_eq!(world.row("deals", &text).unwrap().get("dealstage"), "closedwon");
    let notes = world.notes_of(id);
    let written = notes.last().unwrap();
    assert_eq!(note["remote_id"], written.id.to_string());
    assert!(
        written.get("hs_note_body").contains("wants two &amp; more"),
        "{}",
        written.get("hs_note_body")
    );
    assert_eq!(
        (world.count("PATCH", &text), world.count("POST", "/notes")),
        (1, 1),
        "each was sent once"
    );
    assert_eq!(world.lasting(id), before, "nothing else has changed");
}

/// A note whose answer got lost is found by its words, whatever became of its markup, and not sent again.
fn a_lost_answer_is_looked_up(shell: &Shell, id: u64) {
    let text = id.to_string();
    let before = shell.stranger.world().notes_of(id).len();
    shell.stranger.world().loses_next_note = true;
    shell.ends_with(9, &["note", "add", "--deal", &text, "First line\nsecond & last"]);
    assert_eq!(shell.stranger.world().notes_of(id).len(), before + 1);
    // When nothing that was sent can still arrive.
    shell.stranger.world().ticks += 600;
    shell.run(&["sync"]);
    all_done(shell, 3);
    assert_eq!(shell.stranger.world().notes_of(id).len(), before + 1);
    assert_eq!(shell.stranger.world().count("POST", "/notes"), 2, "sent once");
}

fn all_done(shell: &Shell, count: usize) {
    let outbox = shell.lines(&["outbox", "list", "--all", "--format", "jsonl"]);
    assert_eq!(outbox.len(), count);
    assert!(
        outbox.iter().all(|operation| operation["state"] == "done"),
        "{outbox:?}"
    );
}

/// What colleagues changed, made and archived is there after the next sync; what was moved here stays moved.
fn colleagues_changes_arrive(shell: &Shell) {
    {
        let mut world = shell.stranger.world();
        let ids: Vec<u64> = world.live("deals").map(|row| row.id).collect();
        world.edit(ids[20], "dealname", "Renamed – by a colleague");
        world.edit(ids[21], "amount", "");
        world.edit(ids[22], "hubspot_owner_id", "503");
        let at = world.now();
        let gone = world.rows.get_mut(&("deals", ids[30])).unwrap();
        gone.archived = true;
        gone.properties.insert("hs_lastmodifieddate".to_owned(), at);
        let (id, at) = (world.new_id(), world.now());
        let mut values = world.rows[&("deals", ids[40])].properties.clone();
        values.retain(|name, _| name != "createdate" && name != "hs_lastmodifieddate");
        let values: Vec<(&str, String)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        world.add("deals", id, &at, &values);
        let contact = world.live("contacts").next().unwrap().id;
        world.link(("deals", id), ("contacts", contact));
    }
    let report = shell.json(&["sync", "--format", "json"]);
    assert_eq!(
        (&report["complete"], &report["errors"]),
        (&true.into(), &serde_json::json!([])),
        "{report}"
    );
    assert_eq!(report["objects"]["deals"]["deleted"], 1, "{report}");
    shell.mirror_is_true();
    shell.list_is_true();
}
