//! The registry: one record per action, no key with two meanings, hints that work.

use std::collections::BTreeMap;

use super::world::World;
use crate::app::{
    Key,
    registry::{Context, Keymap, REGISTRY, hints, key_table},
};

#[test]
fn records_stand_in_the_order_of_the_actions_with_unique_ids() {
    let mut ids = BTreeMap::new();
    for (nth, record) in REGISTRY.iter().enumerate() {
        assert_eq!(record.action as usize, nth, "{record:?}");
        assert_eq!(ids.insert(record.id, nth), None, "{record:?}");
        assert!(record.title.chars().count() <= 20, "{record:?}");
        assert!(!record.contexts.is_empty() && !record.keys.is_empty(), "{record:?}");
    }
}

#[test]
fn no_default_key_has_two_meanings_in_one_context() {
    let mut meanings: BTreeMap<(Context, Key), &str> = BTreeMap::new();
    for record in REGISTRY {
        for context in record.contexts {
            for key in record.keys {
                let other = meanings.insert((*context, *key), record.id);
                assert_eq!(other, None, "{key} in {context:?}: {}", record.id);
            }
        }
    }
}

#[test]
fn defaults_spelled_out_are_the_default_keymap() {
    let spelled: BTreeMap<String, Vec<Key>> = REGISTRY
        .iter()
        .map(|record| (record.id.to_owned(), record.keys.to_vec()))
        .collect();
    assert_eq!(Keymap::build(&spelled), Ok(Keymap::default()));
}

fn footer(world: &World) -> String {
    let hints = hints(&world.model);
    let text = |hints: &[crate::app::registry::HintText]| {
        let all: Vec<String> = hints
            .iter()
            .map(|hint| format!("{} {}", hint.keys, hint.word))
            .collect();
        all.join("  ")
    };
    format!("{} | {}", text(&hints.left), text(&hints.right))
}

#[test]
fn the_footer_shows_what_is_possible_now() {
    let mut world = World::at((160, 45));
    insta::assert_snapshot!(footer(&world), @"hjkl move  ⏎ open  m stage  > advance  n note  u undo  / find  p pipeline  M whose  I panel  O outbox  r refresh  o browser | ? help  q quit");
    world.press("lll");
    insta::assert_snapshot!(footer(&world), @"hjkl move  ⏎ open  m stage  n note  u undo  / find  p pipeline  M whose  I panel  O outbox  r refresh  o browser | ? help  q quit");
    world.press("<enter>");
    insta::assert_snapshot!(footer(&world), @"m stage  n note  u undo  / find  O outbox  r refresh  o browser | ? help  Esc board");
    world.press("m");
    insta::assert_snapshot!(footer(&world), @"⏎ move  ↑↓ choose  Esc cancel, nothing sent |");
    world.press("<esc> n");
    insta::assert_snapshot!(footer(&world), @"^s save  ^e $EDITOR  Esc close, draft stays |");
    world.press("<esc> ?");
    insta::assert_snapshot!(footer(&world), @"⏎ run the action  ↑↓ choose  / search  ? close |");
}

#[test]
fn hints_follow_the_persons_own_keys() {
    let mut world = World::at((160, 45));
    let own = BTreeMap::from([("move".to_owned(), vec!["x".parse().unwrap()])]);
    world.model.keymap = Keymap::build(&own).unwrap();
    assert!(footer(&world).contains("x stage"));
    world.press("x");
    assert!(world.model.overlay.is_some());
}

#[test]
fn the_key_table() {
    let rows: Vec<String> = key_table(&Keymap::default())
        .iter()
        .map(|row| {
            let (place, keys, risk) = (row.place, &row.keys, row.risk.word());
            format!("{place:22} {keys:8} {:12} {:48} {risk}", row.id, row.description)
        })
        .collect();
    assert_eq!(rows.len(), REGISTRY.len());
    insta::assert_snapshot!(rows.join("\n"));
}
