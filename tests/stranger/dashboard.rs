//! The dashboard in a terminal, before a stranger.

use super::{
    manner::Manner,
    pty::Terminal,
    shell::{Shell, open_deal},
};

#[test]
fn the_board_of_a_server_that_says_as_little_as_it_may() {
    works_unchanged(Manner::Terse);
}

#[test]
fn the_board_of_a_server_of_numbers_where_texts_are_usual() {
    works_unchanged(Manner::Numeric);
}

#[test]
fn the_board_of_a_server_that_says_more_than_it_was_asked() {
    works_unchanged(Manner::Chatty);
}

/// Move, write, undo: everything lands once, and nothing else changes.
fn works_unchanged(manner: Manner) {
    let shell = Shell::before(manner);
    let mut terminal = shell.dashboard();
    let screen = terminal.wait_until("the live board", |screen| {
        // The cards come a moment after the stages.
        ["Appointment", "Verbal", "№", "● live"]
            .iter()
            .all(|part| screen.contains(part))
    });
    assert!(
        !screen.contains("Long gone"),
        "an archived stage is not shown:\n{screen}"
    );
    let (id, name) = open_deal(&shell.stranger.world());
    let before = shell.stranger.world().lasting(id);
    let notes = shell.stranger.world().notes_of(id).len();

    focus(&terminal, &name);
    terminal.keys("m");
    terminal.wait_for("type to find a stage");
    terminal.keys("contract s");
    terminal.wait_until("the stage", |screen| screen.contains("› contract s"));
    terminal.keys("\rn");
    terminal.wait_for("linked to");
    terminal.keys("Called Pip & Wren\rthey want <two> pilots");
    terminal.wait_for("<two> pilots");
    terminal.keys("\u{13}");
    shell
        .stranger
        .wait_for("the note", |world| world.notes_of(id).len() == notes + 1);
    let text = id.to_string();
    shell.stranger.wait_for("the move", |world| {
        world.row("deals", &text).unwrap().get("dealstage") == "contractsent"
    });

    terminal.keys("u");
    shell
        .stranger
        .wait_for("the note archived", |world| world.notes_of(id).len() == notes);
    terminal.keys("u");
    shell.stranger.wait_for("the deal back", |world| {
        world.row("deals", &text).unwrap().get("dealstage") == "appointmentscheduled"
    });
    let world = shell.stranger.world();
    assert_eq!(
        (world.count("POST", "/notes"), world.count("PATCH", &text)),
        (1, 2),
        "each was sent once"
    );
    assert_eq!(world.lasting(id), before, "nothing else has changed");
    drop(world);
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    shell.nobody_complains();
}

/// Puts the focus on the deal with this name.
fn focus(terminal: &Terminal, name: &str) {
    terminal.keys("/");
    terminal.wait_for("Find");
    terminal.keys(&format!("{name}\r"));
    terminal.wait_until("the deal in the context line", |screen| {
        screen.lines().nth(43).unwrap_or_default().contains(name)
    });
}
