//! Writing notes: the draft survives, and the note is kept once.

use jiff::SignedDuration;

use super::world::World;
use crate::{
    app::{Answer, Effect, Msg, NoteEditor, Overlay, sample},
    domain::DealId,
};

fn acme() -> DealId {
    sample::id("Acme").unwrap()
}

fn note(world: &World) -> &NoteEditor {
    match &world.model.overlay {
        Some(Overlay::Note(note)) => note,
        other => panic!("no note is open but {other:?}"),
    }
}

#[test]
fn the_draft_is_kept_a_second_after_the_last_key() {
    let mut world = World::at((160, 45));
    world.press("n").type_text("Pip con");
    world.wait(SignedDuration::from_millis(600));
    assert!(!note(&world).kept);
    world.wait(SignedDuration::from_millis(600));
    assert_eq!(world.drafts.get(&acme()).map(String::as_str), Some("Pip con"));
    assert_eq!((note(&world).kept, note(&world).kept_at), (true, Some(world.now)));
}

#[test]
fn esc_keeps_the_draft_and_n_goes_on_with_it() {
    let mut world = World::at((160, 45));
    world.press("n").type_text("half a no").press("<esc>");
    assert_eq!(
        (world.said(), world.model.overlay.is_none()),
        ("draft kept, n goes on with it", true)
    );
    world.press("n").type_text("te").press("^s");
    assert_eq!(world.notes, [(acme(), "half a note".to_owned())]);
    assert_eq!(world.drafts.len(), 0);
}

#[test]
fn an_empty_note_is_not_sent() {
    let mut world = World::at((160, 45));
    world.press("n <enter> <space> ^s");
    assert_eq!(world.said(), "an empty note is not sent, write something or press Esc");
    world.press("<esc>");
    assert_eq!((world.notes.len(), world.drafts.len(), world.said()), (0, 0, ""));
}

#[test]
fn a_note_that_could_not_be_kept_stays_open_with_its_text() {
    let mut world = World::at((160, 45));
    world.broken = true;
    world.press("n").type_text("precious").press("^s");
    assert_eq!(world.said(), "the disk is full; free some space");
    assert_eq!(
        (note(&world).editor.text().as_str(), note(&world).sending),
        ("precious", false)
    );
    assert_eq!(world.drafts.get(&acme()).map(String::as_str), Some("precious"));
    world.broken = false;
    world.press("^s");
    assert_eq!(world.notes, [(acme(), "precious".to_owned())]);
}

#[test]
fn a_note_on_its_way_is_not_kept_twice() {
    let mut world = World::at((160, 45));
    world.press("n").type_text("once");
    world.answers = false;
    world.press("^s ^s x <esc> ^s");
    let submits = world
        .open
        .iter()
        .filter(|effect| matches!(effect, Effect::Submit(..)))
        .count();
    assert_eq!((submits, note(&world).editor.text().as_str()), (1, "once"));
    let all: Vec<usize> = (0..world.open.len()).collect();
    world.answer_open(&all);
    assert_eq!(world.notes, [(acme(), "once".to_owned())]);
    assert!(world.model.overlay.is_none());
}

#[test]
fn what_was_typed_before_the_draft_arrived_is_not_lost() {
    let mut world = World::at((160, 45));
    world.drafts.insert(acme(), "yesterday".to_owned());
    world.answers = false;
    world.press("n").type_text("today");
    world.answers = true;
    world.wait(SignedDuration::from_secs(2));
    assert_eq!(
        world.drafts.get(&acme()).map(String::as_str),
        Some("yesterday"),
        "not overwritten unread"
    );
    let ticket = world.ticket("draft");
    world.say(Msg::Answer(ticket, Answer::Draft(acme(), Some("yesterday".to_owned()))));
    assert_eq!(note(&world).editor.text(), "yesterday\ntoday");
}

#[test]
fn closing_before_the_draft_arrived_loses_neither_text() {
    for close in ["<esc>", "^c"] {
        let mut world = World::at((160, 45));
        world.drafts.insert(acme(), "yesterday".to_owned());
        world.answers = false;
        world.press("n");
        world.say(Msg::Paste("today".to_owned()));
        world.press(close);
        assert_eq!(
            world.drafts.get(&acme()).map(String::as_str),
            Some("yesterday\ntoday"),
            "{close}"
        );
    }
}

#[test]
fn a_note_sent_before_the_draft_arrived_leaves_the_draft() {
    let mut world = World::at((160, 45));
    world.drafts.insert(acme(), "yesterday".to_owned());
    world.answers = false;
    world.press("n").type_text("today").press("^s");
    let all: Vec<usize> = (0..world.open.len()).rev().collect();
    world.answer_open(&all);
    assert_eq!(world.notes, [(acme(), "today".to_owned())]);
    assert_eq!(world.drafts.get(&acme()).map(String::as_str), Some("yesterday"));
}

#[test]
fn a_draft_that_could_not_be_kept_opens_again() {
    let mut world = World::at((160, 45));
    world.drafts_broken = true;
    world.press("n").type_text("precious").press("<esc>");
    assert_eq!(world.said(), "the disk is full; free some space");
    assert_eq!(
        (note(&world).editor.text().as_str(), note(&world).kept),
        ("precious", false)
    );
    assert_eq!(note(&world).kept_at, None, "it never was on disk");
    world.drafts_broken = false;
    world.press("<esc>");
    assert_eq!(world.said(), "draft kept, n goes on with it");
}

#[test]
fn quitting_keeps_the_draft_first() {
    let mut world = World::at((160, 45));
    world.press("n").type_text("unsaved");
    world.press("^c");
    assert!(
        matches!(
            world.effects()[..],
            [Effect::SaveDraft(_, deal, Some(text)), Effect::Quit] if *deal == acme() && text == "unsaved"
        ),
        "{:?}",
        world.effects()
    );
}

#[test]
fn ones_own_editor_hands_the_text_back() {
    let mut world = World::at((160, 45));
    world.press("n").type_text("short").press("^e");
    assert!(matches!(world.effects().last(), Some(Effect::Edit(_, text)) if text == "short"));
    let ticket = world.ticket("edit");
    world.say(Msg::Answer(ticket, Answer::Edited(Some("long\nand wide\n".to_owned()))));
    assert_eq!(note(&world).editor.text(), "long\nand wide");
    assert!(!note(&world).kept);
    world.say(Msg::Answer(ticket, Answer::Edited(Some("late".to_owned()))));
    assert_eq!(note(&world).editor.text(), "long\nand wide");
}

#[test]
fn a_paste_is_text_in_a_note_and_nothing_on_the_board() {
    let mut world = World::at((160, 45));
    world.say(Msg::Paste("mlo\n>q".to_owned()));
    assert_eq!((world.effects().len(), world.model.overlay.is_none()), (0, true));
    world.press("n");
    world.say(Msg::Paste("two\r\nlines".to_owned()));
    assert_eq!(note(&world).editor.text(), "two\nlines");
}

#[test]
fn what_is_said_about_a_key_goes_with_the_next_and_a_receipt_stays() {
    let mut world = World::at((160, 45));
    world.press("z");
    assert_eq!(world.said(), "only closed stages fold");
    world.press("j");
    assert_eq!(world.said(), "");
    world.focus("Acme");
    world.press("> j j");
    assert!(world.said().starts_with("stage of Acme"));
    world.wait(SignedDuration::from_secs(6));
    assert_eq!(world.said(), "");
}
