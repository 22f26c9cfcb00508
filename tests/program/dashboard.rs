//! The dashboard in a real terminal: it opens, does the main job, and always gives the terminal back.

use std::{path::Path, process::Command, time::Duration};

use portable_pty::CommandBuilder;
use tempfile::TempDir;

use super::{portal::Simulated, portal::lasting, pty::Terminal};

/// Long enough for anything that would still be written.
const QUIET: Duration = Duration::from_secs(5);

/// The binary with nothing in its environment that could steer it.
fn dealdeck(dir: &Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_dealdeck"));
    command.env_clear();
    command.env("PATH", std::env::var("PATH").unwrap_or_default());
    command.env("HOME", dir);
    command.cwd(dir);
    command.args(["--data-dir", &dir.join("data").to_string_lossy()]);
    command
}

/// The demo in a terminal of this size, its board on the screen.
fn demo(columns: u16, rows: u16) -> (Terminal, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut command = dealdeck(dir.path());
    command.arg("--demo");
    let terminal = Terminal::start(command, columns, rows);
    board(&terminal);
    (terminal, dir)
}

/// The dashboard on a simulated portal, its board on the screen.
fn on(portal: &Simulated, dir: &Path) -> Terminal {
    let mut command = dealdeck(dir);
    command.args(["--base-url", portal.url()]);
    command.env("DEALDECK_TOKEN", portal.token());
    let terminal = Terminal::start(command, 160, 45);
    board(&terminal);
    terminal
}

/// Waits for the board: stages, cards, footer, and everything of the first sync read.
fn board(terminal: &Terminal) -> String {
    terminal.wait_until("the live board", |screen| {
        // The cards' edge: the cards come a moment after the stages, and without them there is nothing to find.
        ["Qualified", "● live", "▎", "quit"]
            .iter()
            .all(|part| screen.contains(part))
    })
}

fn signal(terminal: &Terminal, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &terminal.pid().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// The screen is the one that was there before, with its cursor.
fn given_back(terminal: &Terminal) {
    assert_eq!(terminal.modes(), (false, true), "main screen, cursor shown");
}

#[test]
fn the_demo_opens_a_live_board_and_q_leaves_the_terminal_as_it_was_found() {
    let (mut terminal, _dir) = demo(160, 45);
    assert!(board(&terminal).contains("demo"), "the demo says that it is one");
    assert!(terminal.modes().0, "it draws on the alternate screen");
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    given_back(&terminal);
}

#[test]
fn sigterm_gives_the_terminal_back_and_ends_with_143() {
    let (mut terminal, _dir) = demo(120, 40);
    signal(&terminal, "TERM");
    assert_eq!(terminal.end(), 143);
    given_back(&terminal);
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_gives_the_terminal_back_and_ends_with_1() {
    let (mut terminal, _dir) = demo(120, 40);
    // F24, which only debug builds know.
    terminal.keys("\u{1b}[57387u");
    assert_eq!(terminal.end(), 1);
    given_back(&terminal);
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_draws_the_board_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = CommandBuilder::new("bash");
    shell.args(["--norc", "--noprofile", "-i"]);
    shell.env_clear();
    shell.env("PATH", std::env::var("PATH").unwrap_or_default());
    shell.env("HOME", dir.path());
    shell.env("PS1", "$ ");
    shell.cwd(dir.path());
    let mut terminal = Terminal::start(shell, 120, 40);
    terminal.wait_for("$ ");
    terminal.keys(&format!("{} --demo --data-dir data\r", env!("CARGO_BIN_EXE_dealdeck")));
    board(&terminal);
    terminal.keys("\u{1a}");
    terminal.wait_for("Stopped");
    given_back(&terminal);
    terminal.keys("fg\r");
    board(&terminal);
    terminal.keys("q");
    terminal.wait_for("$ ");
    terminal.keys("exit\r");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_storm_of_sizes_down_to_one_cell_ends_in_a_whole_board() {
    let (mut terminal, _dir) = demo(160, 45);
    for (columns, rows) in [
        (80, 24),
        (1, 1),
        (60, 18),
        (2, 50),
        (200, 3),
        (24, 6),
        (39, 12),
        (220, 60),
    ] {
        terminal.resize(columns, rows);
    }
    terminal.resize(140, 40);
    board(&terminal);
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn find_move_note_and_undo_show_in_the_portals_truth_and_nothing_else_does() {
    let portal = Simulated::start(&["--deals", "60", "--contacts", "200", "--seed", "7"]);
    let dir = tempfile::tempdir().unwrap();
    let mut terminal = on(&portal, dir.path());
    let before = portal.objects("deals");
    let (id, name) = portal.open_deal();

    focus(&terminal, &name);
    terminal.keys("m");
    terminal.wait_for("type to find a stage");
    terminal.keys("contract");
    terminal.wait_until("the stage", |screen| screen.contains("› contract"));
    terminal.keys("\rn");
    terminal.wait_for("linked to");
    terminal.keys("Called Pip & Wren\rthey want <two> pilots");
    terminal.wait_for("<two> pilots");
    terminal.keys("\u{13}");
    portal.wait_for("the note", |portal| portal.notes_of(&id).len() == 1);
    portal.wait_for("the move", |portal| portal.stage_of(&id) == "contractsent");
    let note = portal.notes_of(&id).remove(0);
    assert_eq!(
        note["properties"]["hs_note_body"],
        "Called Pip &amp; Wren<br>they want &lt;two&gt; pilots"
    );

    terminal.keys("u");
    portal.wait_for("the note archived", |portal| portal.notes_of(&id).is_empty());
    terminal.keys("u");
    portal.wait_for("the deal back", |portal| {
        portal.deal(&before, &id) == portal.deal(&portal.objects("deals"), &id)
    });
    let after = portal.objects("deals");
    for (deal, was) in after.iter().zip(&before) {
        assert_eq!(lasting(deal), lasting(was), "nothing else has changed");
    }
    assert_eq!(portal.stats()["refused"], 0);
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_colleagues_edit_appears_by_itself() {
    let portal = Simulated::start(&["--deals", "30", "--contacts", "30", "--index-lag", "0s..1s"]);
    let dir = tempfile::tempdir().unwrap();
    let terminal = on(&portal, dir.path());
    let (id, _) = portal.open_deal();
    portal.edit(&id, "dealname", "Walrus & Carpenter annual plan");
    terminal.wait_for("Walrus & Carpenter");
}

#[test]
fn nothing_happening_writes_nothing() {
    let portal = Simulated::start(&["--deals", "60", "--contacts", "60"]);
    let dir = tempfile::tempdir().unwrap();
    let terminal = on(&portal, dir.path());
    // The gauges fall as the first sync's window passes; then there is nothing left to draw, polls or not.
    terminal.wait_until("an empty window", |screen| {
        screen.contains(" 0/190") || screen.contains(" 1/190")
    });
    while terminal.wrote_within(QUIET) {
        assert!(terminal.frames() < 400, "it never gets quiet");
    }
}

#[test]
fn a_killed_dashboard_has_lost_nothing_and_sends_nothing_twice() {
    // The answer to every write takes longer than the person is willing to wait.
    let portal = Simulated::start(&["--deals", "30", "--contacts", "30"]);
    let dir = tempfile::tempdir().unwrap();
    let mut terminal = on(&portal, dir.path());
    let (id, name) = portal.open_deal();
    focus(&terminal, &name);
    portal.faults("POST:hang=100%");
    terminal.keys("n");
    terminal.wait_for("linked to");
    terminal.keys("only once\u{13}");
    portal.wait_for("the claim on the wire", |portal| portal.posted("/notes") == 1);
    signal(&terminal, "KILL");
    terminal.end();
    portal.faults("");

    let again = on(&portal, dir.path());
    again.wait_until("the note among the uncertain ones", |screen| {
        screen.contains("? unknown")
    });
    drop(again);
    assert_eq!(
        portal.posted("/notes"),
        1,
        "an unknown outcome is looked up, not sent again"
    );
    assert!(portal.notes_of(&id).len() <= 1);
}

#[test]
fn a_cut_connection_keeps_the_board_and_sends_what_was_written_once_when_it_is_back() {
    let arguments = ["--deals", "30", "--contacts", "30", "--seed", "7"];
    let portal = Simulated::start(&arguments);
    let dir = tempfile::tempdir().unwrap();
    let mut terminal = on(&portal, dir.path());
    let (id, name) = portal.open_deal();
    focus(&terminal, &name);

    let portal = portal.cut();
    terminal.keys("r");
    let screen = terminal.wait_for("offline since");
    assert!(
        screen.contains("as of") && screen.contains("Qualified"),
        "the board stays with its age:\n{screen}"
    );
    terminal.keys("n");
    terminal.wait_for("linked to");
    terminal.keys("written offline\u{13}");
    terminal.wait_for("queued");

    let portal = portal.mend(&arguments);
    terminal.keys("r");
    portal.wait_for("the note", |portal| portal.notes_of(&id).len() == 1);
    terminal.wait_for("● live");
    assert_eq!(portal.posted("/notes"), 1, "sent once");
    assert_eq!(portal.stats()["refused"], 0);
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_conflict_is_seen_opened_and_decided_by_keys() {
    // The search index lags: the dashboard does not hear of the colleague's edit before it writes.
    let portal = Simulated::start(&["--deals", "30", "--contacts", "30", "--index-lag", "1h"]);
    let dir = tempfile::tempdir().unwrap();
    let mut terminal = on(&portal, dir.path());
    let (id, name) = portal.open_deal();
    focus(&terminal, &name);
    portal.edit(&id, "dealstage", "presentationscheduled");
    terminal.keys("m");
    terminal.wait_for("type to find a stage");
    terminal.keys("contract");
    terminal.wait_until("the stage", |screen| screen.contains("› contract"));
    terminal.keys("\r");
    terminal.wait_for("conflict");

    // On the deal in focus it opens at once.
    terminal.keys("O");
    let screen = terminal.wait_for("you want");
    assert!(
        screen.contains("you saw") && screen.contains("there is now"),
        "all three values stand side by side:\n{screen}"
    );
    assert_eq!(
        portal.stage_of(&id),
        "presentationscheduled",
        "nothing was overwritten unasked"
    );
    terminal.keys("2");
    portal.wait_for("mine", |portal| portal.stage_of(&id) == "contractsent");
    assert_eq!(portal.stats()["refused"], 0);
    terminal.keys("\u{1b}");
    board(&terminal);
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_refused_token_keeps_what_is_there_and_says_so() {
    let portal = Simulated::start(&["--deals", "30", "--contacts", "30"]);
    let dir = tempfile::tempdir().unwrap();
    drop(on(&portal, dir.path()));
    let mut command = dealdeck(dir.path());
    command.args(["--base-url", portal.url()]);
    command.env("DEALDECK_TOKEN", "pat-na1-00000000-wrong");
    let terminal = Terminal::start(command, 160, 45);
    let screen = terminal.wait_for("refuses the token");
    assert!(
        screen.contains("Qualified") && screen.contains('$'),
        "the mirror stays usable:\n{screen}"
    );
}

#[test]
fn a_refused_token_with_nothing_read_yet_opens_the_set_up_screen_with_the_reason() {
    let portal = Simulated::start(&["--deals", "30", "--contacts", "30"]);
    let dir = tempfile::tempdir().unwrap();
    let mut command = dealdeck(dir.path());
    command.args(["--base-url", portal.url()]);
    command.env("DEALDECK_TOKEN", "pat-na1-00000000-wrong");
    let mut terminal = Terminal::start(command, 120, 40);
    terminal.wait_until("set-up and why", |screen| {
        screen.contains("Service keys") && screen.contains("refuses the token")
    });
    terminal.keys(portal.token());
    terminal.keys("\r");
    board(&terminal);
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn without_a_token_it_opens_the_set_up_screen_and_a_typed_one_opens_the_board() {
    let portal = Simulated::start(&["--deals", "30", "--contacts", "30"]);
    let dir = tempfile::tempdir().unwrap();
    let mut command = dealdeck(dir.path());
    command.args(["--base-url", portal.url()]);
    let mut terminal = Terminal::start(command, 120, 40);
    terminal.wait_for("service key");
    terminal.keys("pat-na1-wrong\r");
    terminal.wait_for("refuse");
    terminal.keys("\u{15}");
    terminal.keys(portal.token());
    let screen = terminal.screen();
    assert!(!screen.contains(portal.token()), "a token is never shown:\n{screen}");
    terminal.keys("\r");
    board(&terminal);
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
}

/// Puts the focus on the deal with this name.
fn focus(terminal: &Terminal, name: &str) {
    terminal.keys("/");
    terminal.wait_for("Find");
    terminal.keys(&format!("{name}\r"));
    terminal.wait_until("the deal in the context line", |screen| context(screen).contains(name));
}

/// The line above the key hints: the full name of what is in focus.
fn context(screen: &str) -> String {
    screen.lines().nth(43).unwrap_or_default().to_owned()
}
