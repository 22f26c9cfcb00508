//! The grid of snapshots. Each says what a person sees and in which token; they are read against the design.

use dealdeck::ui::{Depth, Glyphs, Look, Theme};

use crate::{
    grid::{draw, rows, show, snapshot},
    scenes::{self, Scene, Size},
};

const DARK: (Theme, Depth, Glyphs) = (Theme::Dark, Depth::True, Glyphs::Unicode);
const LIGHT: (Theme, Depth, Glyphs) = (Theme::Light, Depth::True, Glyphs::Unicode);
const MONO: (Theme, Depth, Glyphs) = (Theme::Mono, Depth::Mono, Glyphs::Unicode);
const PLAIN: (Theme, Depth, Glyphs) = (Theme::Mono, Depth::Mono, Glyphs::Ascii);
const DUMB: (Theme, Depth, Glyphs) = (Theme::Mono, Depth::NoAttributes, Glyphs::Ascii);
const SIXTEEN: (Theme, Depth, Glyphs) = (Theme::Dark, Depth::Ansi16, Glyphs::Unicode);
const INDEXED: (Theme, Depth, Glyphs) = (Theme::Dark, Depth::Ansi256, Glyphs::Unicode);
const CONTRAST: (Theme, Depth, Glyphs) = (Theme::Contrast, Depth::True, Glyphs::Unicode);
const SAFE: (Theme, Depth, Glyphs) = (Theme::Safe, Depth::True, Glyphs::Unicode);

const TINY: Size = (20, 6);
const NARROW: Size = (24, 8);
const SMALL: Size = (39, 12);
const S60: Size = (60, 18);
const S80: Size = (80, 24);
const S100: Size = (100, 30);
const S120: Size = (120, 40);
const S160: Size = (160, 45);
const S220: Size = (220, 60);

fn check(name: &str, scene: Scene, sizes: &[Size], looks: &[(&str, (Theme, Depth, Glyphs))]) {
    for size in sizes {
        for (look_name, (theme, depth, glyphs)) in looks {
            let look = Look::new(*theme, *depth, *glyphs);
            let buffer = draw(&scene(*size), &look);
            let name = format!("{name}-{}x{}-{look_name}", size.0, size.1);
            show(&name, &buffer);
            insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(name, snapshot(&buffer, &look));
            });
        }
    }
}

#[test]
fn the_board_at_every_size() {
    let sizes = [TINY, NARROW, SMALL, S60, S80, S100, S120, S160, S220];
    check("board", scenes::board, &sizes, &[("dark", DARK)]);
}

#[test]
fn the_board_in_every_look() {
    let looks = [
        ("light", LIGHT),
        ("mono", MONO),
        ("plain", PLAIN),
        ("sixteen", SIXTEEN),
        ("indexed", INDEXED),
        ("contrast", CONTRAST),
        ("safe", SAFE),
    ];
    check("board", scenes::board, &[S160], &looks);
    check(
        "board",
        scenes::board,
        &[S80, S60],
        &[("light", LIGHT), ("plain", PLAIN)],
    );
    check("board", scenes::board, &[S80], &[("dumb", DUMB), ("sixteen", SIXTEEN)]);
}

#[test]
fn a_deal_in_detail() {
    check(
        "detail",
        scenes::detail,
        &[S60, S80, S100, S160, S220],
        &[("dark", DARK)],
    );
    check("detail", scenes::detail, &[S120], &[("light", LIGHT), ("plain", PLAIN)]);
    check("detail-loading", scenes::detail_loading, &[S80], &[("dark", DARK)]);
}

#[test]
fn the_help() {
    check("help", scenes::help, &[S60, S80, S100, S160], &[("dark", DARK)]);
    check("help", scenes::help, &[S160], &[("plain", PLAIN)]);
    check("help-search", scenes::help_search, &[S120], &[("dark", DARK)]);
}

#[test]
fn finder_and_pickers() {
    check("finder", scenes::finder, &[S60, S80, S160], &[("dark", DARK)]);
    check("stage", scenes::stage, &[S60, S80, S100, S160], &[("dark", DARK)]);
    check(
        "stage-typed",
        scenes::stage_typed,
        &[S160],
        &[("dark", DARK), ("light", LIGHT), ("plain", PLAIN)],
    );
    check("stage-typed", scenes::stage_typed, &[S80], &[("sixteen", SIXTEEN)]);
    check("pipelines", scenes::pipelines, &[S120], &[("dark", DARK)]);
}

#[test]
fn the_note_editor() {
    check("note", scenes::note, &[S60, S80, S160], &[("dark", DARK)]);
    check("note", scenes::note, &[S120], &[("light", LIGHT), ("plain", PLAIN)]);
    check("note-empty", scenes::note_empty, &[S80], &[("dark", DARK)]);
}

#[test]
fn the_outbox() {
    check(
        "outbox",
        scenes::outbox,
        &[NARROW, S60, S80, S100, S160, S220],
        &[("dark", DARK)],
    );
    check(
        "outbox",
        scenes::outbox,
        &[S80],
        &[("light", LIGHT), ("plain", PLAIN), ("sixteen", SIXTEEN)],
    );
    check(
        "outbox",
        scenes::outbox,
        &[S160],
        &[("plain", PLAIN), ("contrast", CONTRAST), ("safe", SAFE)],
    );
    check("outbox-empty", scenes::outbox_empty, &[S80], &[("dark", DARK)]);
    check("outbox-hard", scenes::outbox_hard, &[S100], &[("dark", DARK)]);
}

#[test]
fn one_operation() {
    check(
        "operation",
        scenes::operation,
        &[S60, S80, S100, S160],
        &[("dark", DARK)],
    );
    check("operation", scenes::operation, &[S80], &[("plain", PLAIN)]);
    check(
        "operation-held",
        scenes::operation_held,
        &[S80, S160],
        &[("dark", DARK)],
    );
    check("operation-note", scenes::operation_note, &[S100], &[("dark", DARK)]);
    check("fields", scenes::fields, &[S60, S80, S160], &[("dark", DARK)]);
    check("fields", scenes::fields, &[S80], &[("plain", PLAIN)]);
    check("fields-refused", scenes::fields_refused, &[S80], &[("dark", DARK)]);
    check("confirm", scenes::confirm, &[S60, S160], &[("dark", DARK)]);
}

/// Each state has a sign and a word of its own, so nothing is told by colour alone.
#[test]
fn without_colour_every_state_of_an_operation_still_differs() {
    let look = Look::new(Theme::Mono, Depth::NoAttributes, Glyphs::Ascii);
    let screen = rows(&draw(&scenes::outbox(S160), &look));
    for state in [
        "C conflict",
        "H held",
        "X dead",
        "? unknown",
        "s sending",
        "q queued",
        "v done",
        "- cancelled",
    ] {
        assert!(screen.iter().any(|row| row.contains(state)), "{state}: {screen:#?}");
    }
}

#[test]
fn first_run() {
    check("setup", scenes::setup, &[S60, S80, S160], &[("dark", DARK)]);
    check("setup", scenes::setup, &[S80], &[("plain", PLAIN)]);
    check("setup-refused", scenes::setup_refused, &[S80], &[("dark", DARK)]);
}

#[test]
fn when_hubspot_does_not_answer_as_usual() {
    check("offline", scenes::offline, &[S60, S80, S160], &[("dark", DARK)]);
    check("offline", scenes::offline, &[S160], &[("plain", PLAIN)]);
    check("slowed", scenes::slowed, &[S160], &[("dark", DARK)]);
    check("refused", scenes::refused, &[S80, S160], &[("dark", DARK)]);
    check("trouble", scenes::trouble, &[S80, S160], &[("dark", DARK)]);
    check("detail-trouble", scenes::detail_trouble, &[S120], &[("dark", DARK)]);
}

/// What keeps us from HubSpot comes before what keeps us from a part of it, and that before what passes by itself.
#[test]
fn the_banner_says_the_worst_thing_only() {
    let look = Look::new(Theme::Dark, Depth::True, Glyphs::Unicode);
    let says = |scene: Scene| {
        let mut model = scene(S160);
        model.freshness.trouble = scenes::trouble(S160).freshness.trouble;
        rows(&draw(&model, &look))[2].clone()
    };
    assert!(says(scenes::offline).contains("HubSpot does not answer."));
    assert!(says(scenes::refused).contains("The token is for account '1234'"));
    for scene in [scenes::slowed, scenes::board] {
        let row = says(scene);
        assert!(row.contains("The token may not read notes"), "{row}");
        assert!(row.contains("add the scope to the token"), "{row}");
    }
}

#[test]
fn before_everything_is_known() {
    check("empty", scenes::empty, &[S60, S80, S160], &[("dark", DARK)]);
    check("starting", scenes::starting, &[S80], &[("dark", DARK)]);
    check("first-sync", scenes::first_sync, &[S80, S160], &[("dark", DARK)]);
    check("cached", scenes::cached, &[S120], &[("dark", DARK)]);
}

#[test]
fn the_side_panel_with_the_focus() {
    check("panel", scenes::panel, &[S120, S160], &[("dark", DARK)]);
    check("panel", scenes::panel, &[S160], &[("plain", PLAIN)]);
}

#[test]
fn names_and_amounts_that_are_hard_to_fit() {
    check("hard-names", scenes::hard_names, &[S60, S80, S160], &[("dark", DARK)]);
}

#[test]
fn one_deal_and_ten_thousand() {
    check("one-deal", |size| scenes::many(1, size), &[S80], &[("dark", DARK)]);
    check(
        "ten-thousand",
        |size| scenes::many(10_000, size),
        &[S60, S160],
        &[("dark", DARK)],
    );
}
