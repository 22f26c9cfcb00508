//! Moving, advancing, undoing: what is handed over, what is said, and what is not sent.

use super::world::World;
use crate::{
    app::{Effect, Overlay, SaidKind, Settings, sample},
    domain::{Change, Connection, Fault, FaultKind, Freshness, Origin, Submission},
};

/// The moves handed over so far: deal and stage.
fn moves(world: &World) -> Vec<(String, String)> {
    let as_move = |effect: &&Effect| match effect {
        Effect::Submit(
            _,
            Submission {
                change:
                    Change::MoveDeal {
                        deal,
                        stage,
                        pipeline: None,
                    },
                origin: Origin::Screen,
            },
        ) => Some((deal.to_string(), stage.to_string())),
        _ => None,
    };
    world.effects().iter().filter_map(as_move).collect()
}

fn acme() -> String {
    sample::id("Acme").unwrap().to_string()
}

#[test]
fn journey_find_a_deal_move_it_and_add_a_note_in_thirteen_keys() {
    let mut board = sample::board();
    board.pipelines[0].stages[2].label = "Proposal Sent".to_owned();
    let mut world = World::with(board, (160, 45));
    world.focus("Kraken");
    world.keys = 0;
    world.press("/ acme <enter>");
    world.press("m pro <enter>");
    world.press("n").type_text("Call with Pip\nsend the quote").press("^s");
    assert!(world.keys <= 14, "{} keys", world.keys);
    assert_eq!(world.keys, 13);
    assert_eq!(moves(&world), [(acme(), "presentation".to_owned())]);
    assert_eq!(
        (world.stage(), world.focused().as_str()),
        ("Proposal Sent", "Acme Rocket Skates EMEA renewal 2027")
    );
    let id = sample::id("Acme").unwrap();
    assert_eq!(world.notes, [(id, "Call with Pip\nsend the quote".to_owned())]);
    assert_eq!((world.model.overlay.is_none(), world.drafts.len()), (true, 0));
    assert_eq!(world.said(), "note of 6 words");
}

#[test]
fn journey_advance_and_undo_in_two_keys() {
    let mut world = World::at((160, 45));
    world.press(">");
    assert_eq!(
        (world.stage(), world.focused().starts_with("Acme")),
        ("Presentation scheduled", true)
    );
    assert!(world.said().starts_with("stage of Acme"));
    world.press("u");
    world.wait(jiff::SignedDuration::from_millis(100));
    assert_eq!(world.keys, 2);
    assert_eq!(
        (world.stage(), world.focused().starts_with("Acme")),
        ("Qualified to buy", true)
    );
    assert!(
        world.said().starts_with("undone before it was sent"),
        "{}",
        world.said()
    );
}

#[test]
fn typing_a_beginning_chooses_the_stage() {
    for (typed, stage) in [
        ("lo", "lost"),
        ("won", "won"),
        ("con", "contract"),
        ("dec", "decision"),
        ("sent", "contract"),
    ] {
        let mut world = World::at((160, 45));
        world.press(&format!("m {typed} <enter>"));
        assert_eq!(moves(&world), [(acme(), stage.to_owned())], "{typed}");
        assert!(world.focused().starts_with("Acme"), "the focus goes along into {stage}");
    }
}

#[test]
fn nothing_is_sent_that_was_not_chosen() {
    for (keys, said) in [
        ("m lo <esc>", ""),
        ("m zzz <enter>", "no stage fits 'zzz', nothing is sent"),
        ("m <enter>", "the deal is in this stage already, nothing is sent"),
        ("m qual <enter>", "the deal is in this stage already, nothing is sent"),
        (
            "hg <",
            "'Appointment scheduled' is the first stage, there is none before it",
        ),
        ("lll >", "next is 'Closed won', use m to close the deal"),
        ("llll >", "'Closed won' is closed, use m to move the deal out of it"),
    ] {
        let mut world = World::at((160, 45));
        world.press(keys);
        assert_eq!((moves(&world), world.said()), (vec![], said), "{keys}");
    }
}

#[test]
fn arrows_choose_around_the_ends() {
    let mut world = World::at((160, 45));
    world.press("m <up><up> <enter>");
    assert_eq!(moves(&world), [(acme(), "lost".to_owned())]);
}

#[test]
fn two_quick_steps_go_two_stages() {
    let mut world = World::at((160, 45));
    world.answers = false;
    world.press("> >");
    let stages: Vec<String> = world
        .open
        .iter()
        .filter_map(|effect| match effect {
            Effect::Submit(
                _,
                Submission {
                    change: Change::MoveDeal { stage, .. },
                    ..
                },
            ) => Some(stage.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(stages, ["presentation", "decision"]);
    let all: Vec<usize> = (0..world.open.len()).collect();
    world.answer_open(&all);
    assert_eq!(world.stage(), "Decision maker bought-in");
    assert!(world.model.moving.is_empty());
}

#[test]
fn what_could_not_be_kept_is_said_and_the_card_stays() {
    let mut world = World::at((160, 45));
    world.broken = true;
    world.press(">");
    assert_eq!(
        (world.stage(), world.said()),
        ("Qualified to buy", "the disk is full; free some space")
    );
    assert!(world.model.moving.is_empty());
    assert_eq!(world.model.said.as_ref().map(|said| said.kind), Some(SaidKind::Fault));
}

#[test]
fn reading_only_says_why() {
    let mut world = World::at((160, 45));
    world.model.settings = Settings {
        read_only: true,
        ..Settings::default()
    };
    for key in [">", "m", "n", "u", "<"] {
        world.press(key);
        assert_eq!(
            world.said(),
            "nothing can be changed now: started with --read-only",
            "{key}"
        );
    }
    assert_eq!(world.effects(), Vec::<&Effect>::new());
    world.model.settings.read_only = false;
    world.model.freshness = Freshness {
        connection: Connection::ReadOnly(Fault::new(
            FaultKind::Auth,
            "HubSpot refuses the token",
            "dealdeck setup",
        )),
        as_of: None,
        trouble: None,
    };
    world.press("m");
    assert_eq!(world.said(), "nothing can be changed now: HubSpot refuses the token");
    assert!(world.model.overlay.is_none());
}

#[test]
fn undo_says_what_became_of_it() {
    let mut world = World::at((160, 45));
    world.press("u");
    assert_eq!(world.said(), "there is nothing to undo");
}

#[test]
fn the_picker_lists_matching_stages_first_and_the_others_after() {
    let mut world = World::at((160, 45));
    world.press("m lo");
    let Some(Overlay::Stage(picker)) = &world.model.overlay else {
        panic!("the picker is open")
    };
    let shown: Vec<(&str, bool)> = picker
        .stages
        .iter()
        .map(|(stage, hits)| (stage.as_str(), hits.is_some()))
        .collect();
    assert_eq!(shown[0], ("lost", true));
    assert_eq!(picker.stages[0].1.as_deref(), Some(&[7, 8][..]));
    assert_eq!(shown.len(), 7);
    assert!(shown.is_sorted_by_key(|(_, hit)| !hit));
}
