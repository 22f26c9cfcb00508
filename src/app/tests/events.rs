//! What the engine says: bursts, marks, and answers that come late.

use jiff::SignedDuration;

use super::world::World;
use crate::{
    app::{Answer, Effect, Msg, Query, TimerId, sample},
    domain::{Connection, DealId, Event, Freshness, ObjectType, OpId, OpState, Progress, Reading},
};

fn id(name: &str) -> DealId {
    sample::id(name).unwrap()
}

fn changed(names: &[&str], by: Option<&str>) -> Event {
    Event::DealsChanged {
        ids: names.iter().map(|name| id(name)).collect(),
        by: by.map(Into::into),
        remote: by.is_some(),
    }
}

fn second(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn queries(world: &World) -> Vec<&Query> {
    fn query(effect: &Effect) -> Option<&Query> {
        match effect {
            Effect::Query(_, query) => Some(query),
            _ => None,
        }
    }
    world.open.iter().filter_map(query).collect()
}

#[test]
fn a_burst_is_read_once() {
    let mut world = World::at((160, 45));
    world.event(changed(&["Acme"], None));
    world.event(changed(&["Globex", "Acme"], None));
    world.answers = false;
    let timers: Vec<_> = world
        .done
        .iter()
        .filter(|effect| matches!(effect, Effect::Timer(TimerId::Reload, _)))
        .collect();
    assert_eq!(timers.len(), 1, "the first event sets the time");
    world.wait(SignedDuration::from_millis(100));
    assert_eq!(queries(&world), [&Query::Deals(vec![id("Acme"), id("Globex")])]);
}

#[test]
fn a_burst_that_touches_everything_reads_the_board() {
    let mut world = World::at((160, 45));
    world.event(changed(&["Acme"], None));
    world.event(Event::BoardChanged);
    world.answers = false;
    world.wait(SignedDuration::from_millis(100));
    assert_eq!(
        queries(&world),
        [&Query::Board, &Query::Outbox],
        "another process may have sent what waited"
    );
    // While it is being read, more events wait instead of asking again and again.
    world.event(Event::BoardChanged);
    world.say(Msg::Timer(TimerId::Reload));
    assert_eq!(queries(&world).len(), 2);
    assert!(world.model.stale.is_some());
}

#[test]
fn a_colleagues_change_is_marked_for_eight_seconds_three_with_a_plane() {
    let mut world = World::at((160, 45));
    world.event(changed(&["Bluebird", "Kraken", "Jabber", "Vorpal"], Some("2")));
    let flashes = &world.model.flashes;
    assert_eq!(
        (flashes.len(), flashes.values().filter(|flash| flash.plane).count()),
        (4, 3)
    );
    assert_eq!(flashes[&id("Bluebird")].by.as_ref().map(|by| by.as_str()), Some("2"));
    world.wait(second(7));
    assert_eq!(world.model.flashes.len(), 4);
    world.wait(second(1));
    assert_eq!(world.model.flashes.len(), 0);
}

#[test]
fn my_own_changes_a_catch_up_and_a_first_sync_do_not_flash() {
    let mut world = World::at((160, 45));
    world.event(changed(&["Bluebird"], Some("1")));
    world.event(Event::DealsChanged {
        ids: (0..60).map(|nth: u32| nth.to_string().into()).collect(),
        by: None,
        remote: true,
    });
    let syncing = Connection::Syncing(Progress {
        what: Reading::Records(ObjectType::Deals),
        fetched: 0,
        pages: 0,
        about: None,
    });
    world.event(Event::Freshness(Freshness {
        connection: syncing,
        as_of: None,
        trouble: None,
    }));
    world.event(changed(&["Bluebird"], Some("2")));
    assert_eq!(world.model.flashes.len(), 0);
}

#[test]
fn motion_can_be_reduced() {
    let mut world = World::at((160, 45));
    world.model.settings.reduced_motion = true;
    world.event(changed(&["Bluebird"], Some("2")));
    assert!(world.model.flashes.values().all(|flash| !flash.plane));
    assert_eq!(world.model.flashes.len(), 1);
}

#[test]
fn a_landed_write_is_marked_for_two_seconds() {
    let mut world = World::at((160, 45));
    let op = world.model.deals[&id("Acme")].pending[0].op;
    let landed = |op: OpId, state| Event::OperationChanged {
        op,
        deal: Some(id("Acme")),
        state,
    };
    world.event(landed(op, OpState::Landed));
    assert!(world.model.landed.contains_key(&id("Acme")));
    world.wait(second(2));
    assert!(world.model.landed.is_empty());
    world.truth("Acme").pending.clear();
    world.event(changed(&["Acme"], None));
    world.wait(second(1));
    world.event(landed(op, OpState::Done));
    assert!(world.model.landed.is_empty(), "it is not marked twice");
}

#[test]
fn what_needs_a_person_is_said() {
    for (state, said) in [
        (
            OpState::Conflict,
            "somebody else changed the same value of 'Moonbeam Cheese Co', yours is not sent, O shows both",
        ),
        (
            OpState::Held,
            "a change of 'Moonbeam Cheese Co' waits for you, O shows why",
        ),
        (
            OpState::Dead,
            "HubSpot refuses a change of 'Moonbeam Cheese Co', its value is HubSpot's again, O shows why",
        ),
        (OpState::Queued, ""),
    ] {
        let mut world = World::at((160, 45));
        world.event(Event::OperationChanged {
            op: OpId(uuid::Uuid::nil()),
            deal: Some(id("Moonbeam")),
            state,
        });
        assert_eq!(world.said(), said);
    }
}

#[test]
fn an_answer_asked_for_earlier_does_not_overwrite_a_newer_one() {
    let mut world = World::at((160, 45));
    world.answers = false;
    world.event(Event::BoardChanged);
    world.wait(SignedDuration::from_millis(100));
    // The board is being read; meanwhile a move is kept and read back.
    let old_board = world.answer(&Query::Board);
    let ticket = world.ticket("board");
    world.answers = true;
    world.press(">");
    assert_eq!(world.stage(), "Presentation scheduled");
    world.answers = false;
    world.say(Msg::Answer(ticket, old_board));
    assert_eq!(
        world.stage(),
        "Presentation scheduled",
        "the older board does not take the card back"
    );
    assert_eq!(
        queries(&world).last(),
        Some(&&Query::Deals(vec![id("Acme")])),
        "and the deal is asked for again"
    );
}

#[test]
fn no_deal_is_lost_when_questions_overlap() {
    let mut world = World::at((160, 45));
    world.answers = false;
    world.event(changed(&["Acme"], None));
    world.wait(SignedDuration::from_millis(100));
    world.event(changed(&["Globex"], None));
    world.wait(SignedDuration::from_millis(100));
    world.truth("Acme").stage = "contract".into();
    world.truth("Globex").stage = "contract".into();
    assert_eq!(queries(&world)[1], &Query::Deals(vec![id("Acme"), id("Globex")]));
    world.answer_open(&[1, 0]);
    let stage = |name: &str| world.model.deals[&id(name)].stage.to_string();
    assert_eq!(
        (stage("Acme"), stage("Globex")),
        ("contract".to_owned(), "contract".to_owned())
    );
}

#[test]
fn a_stale_answer_changes_nothing() {
    let mut world = World::at((160, 45));
    world.answers = false;
    world.event(Event::BoardChanged);
    world.wait(SignedDuration::from_millis(100));
    let ticket = world.ticket("board");
    let mut empty = sample::board();
    empty.deals.clear();
    let before = world.model.deals.len();
    let stale = crate::app::Ticket(ticket.0 - 1);
    world.say(Msg::Answer(stale, Answer::Board(Ok(Box::new(empty.clone())))));
    assert_eq!(world.model.deals.len(), before);
    world.say(Msg::Answer(ticket, Answer::Board(Ok(Box::new(empty)))));
    assert_eq!(world.model.deals.len(), 0);
}

#[test]
fn an_unnoticed_midnight_is_not_missed() {
    let world = World::at((160, 45));
    let midnight = world.done.iter().find_map(|effect| match effect {
        Effect::Timer(TimerId::Midnight, at) => Some(at.to_string()),
        _ => None,
    });
    assert_eq!(midnight.as_deref(), Some("2026-11-24T00:00:00Z"));
    let mut world = world;
    world.wait(second(14 * 3_600));
    assert_eq!(
        world.model.midnight.map(|at| at.to_string()).as_deref(),
        Some("2026-11-25T00:00:00Z")
    );
}

#[test]
fn the_feed_is_newest_first_and_knows_no_twins() {
    let mut world = World::at((160, 45));
    let mut item = world.model.activity[0].clone();
    let before = world.model.activity.len();
    world.event(Event::Happened(item.clone()));
    assert_eq!(world.model.activity.len(), before);
    item.at = sample::now();
    world.event(Event::Happened(item.clone()));
    assert_eq!(
        (world.model.activity.len(), &world.model.activity[0]),
        (before + 1, &item)
    );
}
