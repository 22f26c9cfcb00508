//! The outbox: walking through it, what is handed over for a decision, and what is asked first.

use jiff::SignedDuration;

use super::world::World;
use crate::{
    app::{Effect, Overlay, Screen, outbox, sample},
    domain::{Decision, Event, Fault, FaultKind, OpId, OpState, Properties},
};

/// The sample's board with its operations, read.
fn world() -> World {
    let mut world = World::at((160, 45));
    world.operations = sample::outbox();
    world.event(Event::BoardChanged);
    world.wait(SignedDuration::from_millis(100));
    world
}

fn of(name: &str) -> OpId {
    let deal = sample::id(name).unwrap();
    let of_deal = |operation: &crate::domain::Operation| operation.entity.id == deal.as_str();
    sample::outbox().into_iter().find(of_deal).unwrap().id
}

fn chosen(world: &World) -> Option<OpId> {
    match &world.model.screen {
        Screen::Outbox(screen) => screen.chosen,
        _ => None,
    }
}

fn set(values: &[(&str, &str)]) -> Decision {
    let value = |(name, value): &(&str, &str)| ((*name).to_owned(), Some((*value).to_owned()));
    Decision::SendWith(values.iter().map(value).collect::<Properties>())
}

#[test]
fn what_needs_a_person_stands_first_and_what_is_over_last() {
    let world = world();
    let states: Vec<OpState> = world.model.operations.iter().map(|operation| operation.state).collect();
    assert_eq!(
        states,
        [
            OpState::Conflict,
            OpState::Held,
            OpState::Dead,
            OpState::Uncertain,
            OpState::InFlight,
            OpState::Queued,
            OpState::Done,
            OpState::Cancelled
        ]
    );
    assert_eq!((world.model.outbox.need_person(), world.model.outbox.waiting()), (3, 5));
}

#[test]
fn the_outbox_opens_at_the_operation_of_the_deal_in_focus() {
    let mut world = world();
    world.press("O");
    assert_eq!(chosen(&world), Some(of("Acme")));
    assert_eq!(world.model.overlay, None, "a change that simply waits asks nothing");
    world.press("<esc>");
    assert!(matches!(world.model.screen, Screen::Board));
    world.focus("Moonbeam");
    world.press("<enter> O");
    assert_eq!(chosen(&world), Some(of("Moonbeam")));
    assert!(
        matches!(world.model.overlay, Some(Overlay::Operation(_))),
        "a conflict is shown at once"
    );
    world.press("<esc> <esc>");
    assert!(matches!(&world.model.screen, Screen::Deal(deal) if Some(&deal.id) == sample::id("Moonbeam").as_ref()));
}

#[test]
fn decisions_are_handed_over_as_they_were_chosen() {
    let drop = Decision::Drop;
    let send = Decision::Send;
    for (name, keys, decided, why) in [
        (
            "Acme",
            "O X",
            vec![drop.clone()],
            "what simply waits is taken back at once",
        ),
        ("Acme", "O R", vec![send.clone()], "what waits is sent now"),
        ("Moonbeam", "O 1", vec![drop.clone()], "theirs, with both on the screen"),
        ("Moonbeam", "O 2", vec![send.clone()], "mine, with both on the screen"),
        ("Moonbeam", "O 4", vec![], "it is left as it is"),
        (
            "Moonbeam",
            "O <esc> R",
            vec![],
            "a conflict is looked at before it is overwritten",
        ),
        ("Moonbeam", "O <esc> R R", vec![send.clone()], "and then sent"),
        ("Moonbeam", "O <esc> X", vec![], "from the table it is asked for"),
        ("Grandfather", "O X", vec![], "what is held is asked for"),
        ("Grandfather", "O R", vec![send], "send again as it is"),
        ("Vorpal", "O X", vec![], "HubSpot may have it already"),
        ("Bandersnatch", "O R", vec![], "its outcome is looked up first"),
    ] {
        let mut world = world();
        world.focus(name);
        world.press(keys);
        let decisions: Vec<Decision> = world.decided.iter().map(|(_, decision)| decision.clone()).collect();
        assert_eq!(decisions, decided, "{name} {keys}: {why}");
        assert!(world.decided.iter().all(|(op, _)| *op == of(name)));
    }
}

#[test]
fn a_question_needs_a_yes_that_was_pressed_after_it_could_be_read() {
    let mut world = world();
    world.focus("Grandfather");
    world.press("O X y");
    assert_eq!(world.decided, [], "a key that was on its way already does not count");
    world.wait(SignedDuration::from_millis(150));
    world.press("n");
    assert_eq!(world.decided, []);
    assert!(
        matches!(world.model.overlay, Some(Overlay::Operation(_))),
        "back where it was asked"
    );
    world.press("X");
    world.wait(SignedDuration::from_millis(150));
    world.press("y");
    assert_eq!(world.decided, [(of("Grandfather"), Decision::Drop)]);
    assert_eq!(world.model.overlay, None);
    assert!(
        world.said().starts_with("dropped: stage of Grandfather"),
        "{}",
        world.said()
    );
}

#[test]
fn a_note_that_hubspot_may_have_is_not_sent_twice_without_a_yes() {
    let mut world = world();
    let op = of("Bandersnatch");
    for operation in world.operations.iter_mut().filter(|operation| operation.id == op) {
        operation.state = OpState::Held;
    }
    world.event(Event::BoardChanged);
    world.wait(SignedDuration::from_millis(100));
    world.focus("Bandersnatch");
    world.press("O R");
    assert_eq!(world.decided, []);
    world.wait(SignedDuration::from_secs(1));
    world.press("y");
    assert_eq!(world.decided, [(op, Decision::Send)]);
}

#[test]
fn fields_are_filled_in_and_sent() {
    let mut world = world();
    world.focus("Grandfather");
    world
        .press("O E <down><down> <enter>")
        .type_text("Soggy Parasols")
        .press("<enter>");
    let values = [
        ("closed_lost_reason", "timing"),
        ("competitor_of_record", "Soggy Parasols"),
    ];
    assert_eq!(world.decided, [(of("Grandfather"), set(&values))]);
    assert_eq!(world.model.overlay, None);
    assert!(world.model.typed.is_empty());
}

#[test]
fn what_is_refused_keeps_the_form_and_what_was_typed() {
    let mut world = world();
    world.focus("Grandfather");
    world.refuses = Some(Fault::new(
        FaultKind::Usage,
        "'price' is not an option",
        "choose another",
    ));
    world.press("O E too <tab>").type_text("Soggy").press("<enter>");
    let Some(Overlay::Fields(form)) = &world.model.overlay else {
        panic!("{:?}", world.model.overlay)
    };
    assert_eq!((form.sending, form.fields[1].line.text.as_str()), (false, "Soggy"));
    assert!(
        form.fault.as_ref().unwrap().contains("'price' is not an option"),
        "{form:?}"
    );
    world.press("<esc> <esc> <esc>");
    world.focus("Grandfather");
    world.press("O E");
    let Some(Overlay::Fields(form)) = &world.model.overlay else {
        panic!("{:?}", world.model.overlay)
    };
    assert_eq!(
        (form.fields[0].line.text.as_str(), form.fields[1].line.text.as_str()),
        ("too", "Soggy")
    );
}

#[test]
fn a_form_follows_its_operation_when_that_changes_state() {
    let mut world = world();
    world.focus("Grandfather");
    world.press("O E too <tab>").type_text("Soggy");
    let id = of("Grandfather");
    let mut now = |change: &dyn Fn(&mut crate::domain::Operation)| {
        let operation = world
            .operations
            .iter_mut()
            .find(|operation| operation.id == id)
            .unwrap();
        change(operation);
        world.event(Event::BoardChanged);
        world.wait(SignedDuration::from_millis(100));
        world.model.clone()
    };
    let wants = |operation: &mut crate::domain::Operation| {
        operation.error.as_mut().unwrap().message = crate::domain::OpError::wants(&["competitor_of_record".to_owned()]);
    };
    let Some(Overlay::Fields(form)) = now(&wants).overlay else {
        panic!("the form stays")
    };
    let fields: Vec<(&str, &str)> = form
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.line.text.as_str()))
        .collect();
    assert_eq!(fields, [("competitor_of_record", "Soggy")], "what is wanted now");
    assert!(form.fault.is_some(), "it says why");
    let model = now(&|operation| operation.state = OpState::Done);
    assert!(!matches!(model.overlay, Some(Overlay::Fields(_))));
    assert!(model.said.unwrap().text.contains("it was sent meanwhile"));
    assert_eq!(
        model.typed[&id]["closed_lost_reason"].text, "too",
        "nothing typed is lost"
    );
}

#[test]
fn an_empty_or_impossible_value_is_not_handed_over() {
    for (name, keys, text, fault) in [
        ("Grandfather", "O E", "", "'Closed lost reason' is empty, fill it in"),
        (
            "Grandfather",
            "O E",
            "zz",
            "no option begins with 'zz', choose one with ↓ and ↑",
        ),
        ("Moonbeam", "O 3 ^u", "much", "'much' is no number, write it like 48000"),
        (
            "Moonbeam",
            "O 3 <tab> ^u",
            "soon",
            "'soon' is no date, write it like 2026-12-15",
        ),
    ] {
        let mut world = world();
        world.focus(name);
        world.press(keys).type_text(text).press("<enter>");
        let Some(Overlay::Fields(form)) = &world.model.overlay else {
            panic!("{name}: {:?}", world.model.overlay)
        };
        assert_eq!((form.fault.as_deref(), world.decided.len()), (Some(fault), 0));
    }
}

#[test]
fn a_third_value_settles_a_conflict() {
    let mut world = world();
    world.focus("Moonbeam");
    world
        .press("O 3 ^u")
        .type_text("65000")
        .press("<tab> ^u")
        .type_text("2026-12-04")
        .press("<enter>");
    let values = [("amount", "65000"), ("closedate", "2026-12-04T12:00:00Z")];
    assert_eq!(world.decided, [(of("Moonbeam"), set(&values))]);
}

#[test]
fn the_focus_stays_on_its_operation_when_rows_move() {
    let mut world = world();
    world.press("O");
    let acme = chosen(&world);
    for operation in &mut world.operations {
        if operation.state == OpState::Conflict {
            operation.state = OpState::Queued;
        }
    }
    world.event(Event::OperationChanged {
        op: of("Moonbeam"),
        deal: None,
        state: OpState::Queued,
    });
    world.wait(SignedDuration::from_millis(100));
    assert_eq!(chosen(&world), acme);
    world.press("g !");
    assert_eq!(chosen(&world), Some(of("Quokka")), "the next one that needs a person");
    world.operations.retain(|operation| operation.id != of("Quokka"));
    world.event(Event::BoardChanged);
    world.wait(SignedDuration::from_millis(100));
    assert_eq!(chosen(&world), Some(of("Bandersnatch")), "what stands there now");
}

#[test]
fn back_from_its_deal_is_the_outbox() {
    let mut world = world();
    world.press("O g <enter> <enter>");
    assert!(matches!(&world.model.screen, Screen::Deal(deal) if Some(&deal.id) == sample::id("Moonbeam").as_ref()));
    world.press("<backspace>");
    assert_eq!(chosen(&world), Some(of("Moonbeam")));
    assert!(
        !world
            .effects()
            .iter()
            .any(|effect| matches!(effect, Effect::Decide(..)))
    );
}

#[test]
fn the_next_try_is_a_time_that_stays_true() {
    let mut world = world();
    let acme = |world: &World| outbox::next_try(&world.model, outbox::find(&world.model, of("Acme")).unwrap());
    assert_eq!(acme(&world), "at 10:42:15");
    world.wait(SignedDuration::from_secs(12));
    world.press("O");
    assert_eq!(acme(&world), "now");
}
