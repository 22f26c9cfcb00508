//! A deal in detail.

use jiff::SignedDuration;

use super::world::World;
use crate::{
    app::{Effect, Screen, sample},
    domain::Event,
};

fn open(world: &World) -> (String, usize, bool) {
    match &world.model.screen {
        Screen::Deal(state) => (world.focused(), state.note, state.detail.is_some()),
        _ => (String::new(), 0, false),
    }
}

#[test]
fn enter_opens_the_deal_and_has_its_notes_read() {
    let mut world = World::at((160, 45));
    world.focus("Globex");
    world.press("<enter>");
    assert_eq!(open(&world), ("Globex Umbrellas rollout".to_owned(), 0, true));
    assert_eq!(world.effects(), [&Effect::LookAt(sample::id("Globex").unwrap())]);
    world.press("j j j k");
    assert_eq!(open(&world).1, 1);
    world.press("G g");
    assert_eq!(open(&world).1, 0);
}

#[test]
fn next_and_previous_deal_of_the_column() {
    let mut world = World::at((160, 45));
    world.focus("Quokka");
    world.press("<enter> ^n )");
    assert_eq!(open(&world).0, "Walrus & Carpenter");
    world.press("^p (");
    assert_eq!(open(&world).0, "Quokka Freight fleet");
    world.press("(");
    assert_eq!(world.said(), "this is the first deal of 'Qualified to buy'");
    world.press(") <esc>");
    assert_eq!(
        (open(&world).0.as_str(), world.focused().as_str()),
        ("", "Featherweight Anvils")
    );
}

#[test]
fn writing_works_in_detail_too() {
    let mut world = World::at((160, 45));
    world.press("<enter> >");
    assert_eq!(
        world.model.deals[&sample::id("Acme").unwrap()].stage.as_str(),
        "presentation"
    );
    world.press("n").type_text("here").press("^s");
    assert_eq!((world.notes.len(), open(&world).2), (1, true));
}

#[test]
fn a_change_of_the_open_deal_is_read_and_a_vanished_deal_closes() {
    let mut world = World::at((160, 45));
    world.press("<enter>");
    let id = sample::id("Acme").unwrap();
    let changed = Event::DealsChanged {
        ids: vec![id.clone()],
        by: None,
        remote: false,
    };
    world.truth("Acme").name = "Acme Two".to_owned();
    world.event(changed.clone());
    world.wait(SignedDuration::from_millis(100));
    let Screen::Deal(state) = &world.model.screen else {
        panic!("still open")
    };
    assert_eq!(
        state.detail.as_ref().map(|detail| detail.deal.name.as_str()),
        Some("Acme Two")
    );
    world.board.deals.retain(|deal| deal.id != id);
    world.event(changed);
    world.wait(SignedDuration::from_millis(100));
    assert!(matches!(world.model.screen, Screen::Board));
    assert_eq!(world.said(), "this deal is not in HubSpot any more, back to the board");
}

#[test]
fn backspace_goes_where_i_was() {
    let mut world = World::at((160, 45));
    world.press("<bksp>");
    assert_eq!(world.said(), "there is nowhere to go back to");
    world.press("<enter> / globex <enter>");
    assert_eq!(open(&world).0, "Globex Umbrellas rollout");
    world.press("<bksp>");
    assert!(open(&world).0.starts_with("Acme"));
    world.press("<bksp>");
    assert_eq!(
        (open(&world).0.as_str(), world.focused().starts_with("Acme")),
        ("", true)
    );
    world.press("/ kraken <enter> <bksp>");
    assert!(world.focused().starts_with("Acme"));
}
