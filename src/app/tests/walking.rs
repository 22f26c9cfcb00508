//! Walking on the board: where the focus goes, and what it takes to see it.

use super::world::World;
use crate::{
    app::{Msg, geometry, sample},
    domain::Event,
};

/// Start, keys, then stage and deal in focus.
fn walk(size: (u16, u16), from: &str, keys: &str) -> (String, String) {
    let mut world = World::at(size);
    world.focus(from);
    world.press(keys);
    (world.stage().to_owned(), world.focused())
}

#[test]
fn keys_walk_the_board() {
    let q = "Qualified to buy";
    for (from, keys, stage, deal) in [
        ("Quokka", "j", q, "Featherweight Anvils"),
        ("Quokka", "k", q, "Quokka Freight fleet"),
        ("Quokka", "jjk", q, "Featherweight Anvils"),
        ("Quokka", "<down><down><up>", q, "Featherweight Anvils"),
        ("Quokka", "G", q, "Marmalade Systems"),
        ("Quokka", "<end>j", q, "Marmalade Systems"),
        ("Marmalade", "g", q, "Quokka Freight fleet"),
        ("Marmalade", "<home>", q, "Quokka Freight fleet"),
        ("Quokka", "^d", q, "Copper Kettle Cloud"),
        ("Quokka", "^d^u", q, "Quokka Freight fleet"),
        ("Quokka", "<pgdn>", q, "Marmalade Systems"),
        ("Marmalade", "<pgup>", q, "Quokka Freight fleet"),
        ("Quokka", "h", "Appointment scheduled", "Gumdrop Mining add-on"),
        ("Quokka", "hhh", "Appointment scheduled", "Gumdrop Mining add-on"),
        ("Quokka", "<left><right>", q, "Quokka Freight fleet"),
        ("Quokka", "ll", "Decision maker bought-in", "Vorpal Blades AG"),
        ("Quokka", "llll", "Closed won", "Moss Co"),
        ("Quokka", "llllllllll", "Closed lost", "Mock Turtle Soups"),
        // At the same height, as far as the column goes.
        ("Marmalade", "lll", "Contract sent", "Frumious Fixtures"),
    ] {
        let expected = (stage.to_owned(), deal.to_owned());
        assert_eq!(walk((160, 45), from, keys), expected, "{from}: {keys}");
    }
}

#[test]
fn the_column_in_focus_is_never_at_the_edge_of_three() {
    let mut world = World::at((80, 24));
    let mut seen = Vec::new();
    for _ in 0..7 {
        let columns = geometry(&world.model).board.columns;
        seen.push((world.model.board.column, columns[0].index));
        world.press("l");
    }
    assert_eq!(seen, [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4), (6, 4), (6, 4)]);
}

#[test]
fn entering_a_closed_stage_unfolds_it_and_z_folds_it_again() {
    let mut world = World::at((160, 45));
    let folded = |world: &World| {
        geometry(&world.model)
            .board
            .columns
            .iter()
            .filter(|column| column.folded)
            .count()
    };
    assert_eq!(folded(&world), 2);
    world.press("llll");
    assert_eq!((world.stage(), folded(&world)), ("Closed won", 1));
    world.press("z");
    assert_eq!((world.stage(), folded(&world)), ("Contract sent", 2));
    world.press("z");
    assert_eq!(world.said(), "only closed stages fold");
}

#[test]
fn the_focus_stays_on_the_deal_wherever_it_goes() {
    let mut world = World::at((160, 45));
    world.focus("Copper");
    world.truth("Copper").stage = "contract".into();
    read_again(&mut world, "Copper");
    assert_eq!(
        (world.stage(), world.focused().as_str()),
        ("Contract sent", "Copper Kettle Cloud")
    );
}

#[test]
fn a_neighbour_takes_over_when_the_deal_is_gone() {
    for (gone, heir) in [("Copper", "Peculiar Pumps"), ("Marmalade", "Zeppelin Bakery chain")] {
        let mut world = World::at((160, 45));
        world.focus(gone);
        let id = sample::id(gone).unwrap();
        world.board.deals.retain(|deal| deal.id != id);
        read_again(&mut world, gone);
        assert_eq!((world.stage(), world.focused().as_str()), ("Qualified to buy", heir));
    }
}

#[test]
fn a_refresh_moves_nothing_under_the_finger() {
    let mut world = World::at((160, 20));
    world.focus("Hedgehog");
    let scroll = world.model.board.scroll.clone();
    world.truth("Walrus").name = "Aardvark & Carpenter".to_owned();
    world.say(Msg::Engine(Event::BoardChanged));
    world.wait(jiff::SignedDuration::from_millis(100));
    assert_eq!(
        (world.focused().as_str(), &world.model.board.scroll),
        ("Hedgehog Security Suite", &scroll)
    );
}

/// The engine says this deal looks different, and the burst ends.
fn read_again(world: &mut World, name: &str) {
    world.event(Event::DealsChanged {
        ids: vec![sample::id(name).unwrap()],
        by: None,
        remote: false,
    });
    world.wait(jiff::SignedDuration::from_millis(100));
}
