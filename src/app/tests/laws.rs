//! What holds after any message, and the search for a sequence of messages that breaks it.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::{
    app::{
        Answer, Focus, Key, KeyCode, Model, Msg, Overlay, Panel, Screen, Settings, Ticket, TimerId, columns, geometry,
        matching_pipelines,
        outbox::subject,
        registry::{Keymap, REGISTRY, help_rows, hints},
        sample, start, update,
    },
    domain::{Connection, Deal, DealId, Event, Fault, FaultKind, Freshness, OpId, OpState, Receipt, UndoOutcome},
};

/// Says which law the model breaks.
pub fn broken(model: &Model) -> Option<String> {
    let board = &model.board;
    let law = |holds: bool, law: &str| (!holds).then(|| law.to_owned());
    let focused_card = match board.columns.get(board.column) {
        None => board.columns.is_empty() && board.focus.is_none(),
        Some(column) => match &board.focus {
            None => column.cards.is_empty(),
            Some(id) => column.cards.contains(id) && model.deals.contains_key(id),
        },
    };
    law(focused_card, "the focus names a card of the column in focus")
        .or_else(|| law(board.columns == columns(model), "the columns are those of the deals"))
        .or_else(|| law(in_view(model), "what is in focus is in view"))
        .or_else(|| law(chosen_exists(model), "what is chosen exists"))
        .or_else(|| {
            let ended = model.said.iter().any(|said| said.until <= model.now)
                || model.flashes.values().any(|flash| flash.until <= model.now)
                || model.landed.values().any(|until| *until <= model.now);
            law(!ended, "no mark stays longer than its time")
        })
        .or_else(|| {
            let marks = model.said.is_some() || !model.flashes.is_empty() || !model.landed.is_empty();
            law(!marks || model.marks_at.is_some(), "a mark has a timer that ends it")
        })
        .or_else(|| {
            let planes = model.flashes.values().filter(|flash| flash.plane).count();
            law(planes <= 3, "at most three planes at a time")
        })
        .or_else(|| {
            let hidden = geometry(model).panel == Panel::Hidden;
            law(model.focus == Focus::Body || !hidden, "a hidden panel has no focus")
        })
}

fn in_view(model: &Model) -> bool {
    let layout = geometry(model).board;
    let board = &model.board;
    if board.columns.is_empty() || layout.columns.is_empty() {
        return true;
    }
    let Some(shown) = layout.columns.iter().find(|shown| shown.index == board.column) else {
        return false;
    };
    let column = &board.columns[board.column];
    let position = board
        .focus
        .as_ref()
        .and_then(|id| column.cards.iter().position(|card| card == id));
    let first = board.scroll.get(&column.stage).copied().unwrap_or(0);
    let last = first + layout.shown(column.cards.len(), first);
    !shown.folded && position.is_none_or(|position| (first..last).contains(&position))
}

fn chosen_exists(model: &Model) -> bool {
    let within = |chosen: usize, count: usize| chosen < count.max(1);
    match &model.overlay {
        Some(Overlay::Find(finder)) => {
            within(finder.chosen, finder.hits.len())
                && finder.hits.iter().all(|hit| model.deals.contains_key(&hit.deal))
                && finder.hits.len() <= finder.matching
        }
        Some(Overlay::Stage(picker)) => within(picker.chosen, picker.stages.len()),
        Some(Overlay::Pipeline(picker)) => within(picker.chosen, matching_pipelines(model, &picker.query.text).len()),
        Some(Overlay::Help(help)) => within(help.chosen, help_rows(model, &help.query.text).len()),
        Some(Overlay::Operation(_) | Overlay::Confirm(_)) => subject(model).is_some(),
        Some(Overlay::Fields(form)) => subject(model).is_some() && form.chosen < form.fields.len(),
        Some(Overlay::Note(_)) | None => match &model.screen {
            Screen::Deal(state) => within(state.note, state.detail.as_ref().map_or(0, |detail| detail.notes.len())),
            Screen::Outbox(screen) => {
                let there = model.operations.get(screen.row).map(|operation| operation.id);
                screen.chosen == there && (there.is_some() || model.operations.is_empty())
            }
            _ => within(model.panel_row, model.activity.len()),
        },
    }
}

/// How many cases: a few by default, more with `DEALDECK_TEST_SIZE`.
fn cases() -> ProptestConfig {
    let factor = std::env::var("DEALDECK_TEST_SIZE")
        .ok()
        .and_then(|size| size.parse::<f64>().ok());
    ProptestConfig::with_cases((factor.unwrap_or(1.0) * 150.0).max(1.0) as u32)
}

fn any_key() -> impl Strategy<Value = Key> {
    let bound: Vec<Key> = REGISTRY.iter().flat_map(|record| record.keys).copied().collect();
    prop_oneof![
        8 => proptest::sample::select(bound),
        2 => proptest::sample::select("acmeprolog月é ".chars().collect::<Vec<_>>()).prop_map(Key::char),
        1 => proptest::sample::select(vec![
            Key::plain(KeyCode::Delete), Key::ctrl('w'), Key::plain(KeyCode::F(9)), Key { alt: true, ..Key::char('x') },
        ]),
    ]
}

/// An id of the sample's, or one nobody knows.
fn any_id() -> impl Strategy<Value = DealId> {
    (1001..1050_u32).prop_map(|id| DealId::from(id.to_string()))
}

fn any_deal() -> impl Strategy<Value = Deal> {
    let stages = [
        "appointment",
        "qualified",
        "contract",
        "won",
        "lost",
        "unknown",
        "renewal-contract",
    ];
    (any_id(), proptest::sample::select(stages.to_vec()), 1..4_u8).prop_map(|(id, stage, owner)| {
        let board = sample::board();
        let mut deal = board.deals.first().unwrap().clone();
        deal.id = id;
        deal.stage = stage.into();
        if stage.starts_with("renewal") {
            deal.pipeline = "renewals".into();
        }
        deal.owner = Some(owner.to_string().as_str().into());
        deal
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    let ids = proptest::collection::vec(any_id(), 0..8);
    let state = proptest::sample::select(OpState::ALL.to_vec());
    prop_oneof![
        (ids, any::<bool>(), proptest::option::of(1..4_u8)).prop_map(|(ids, remote, by)| Event::DealsChanged {
            ids,
            by: by.map(|by| by.to_string().as_str().into()),
            remote,
        }),
        Just(Event::BoardChanged),
        Just(Event::SegmentsChanged),
        (any_id(), state).prop_map(|(deal, state)| Event::OperationChanged {
            op: OpId(uuid::Uuid::nil()),
            deal: Some(deal),
            state,
        }),
        (0..9_usize).prop_map(|nth| Event::Happened(sample::board().activity[nth % 7].clone())),
        Just(Event::Limits(Box::new(sample::limits()))),
        (any_connection(), any::<bool>()).prop_map(|(connection, trouble)| Event::Freshness(Freshness {
            connection,
            as_of: None,
            trouble: trouble.then(|| Fault::new(FaultKind::Store, "the disk is full", "free some space")),
        })),
    ]
}

fn any_connection() -> impl Strategy<Value = Connection> {
    let fault = Fault::new(FaultKind::Auth, "HubSpot refuses the token", "check it");
    prop_oneof![
        Just(Connection::Live),
        Just(Connection::Cached),
        Just(Connection::Slowed { until: sample::now() }),
        Just(Connection::ReadOnly(fault)),
    ]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let fault = || Fault::new(FaultKind::Store, "the disk is full", "free some space");
    let deals = || proptest::collection::vec(any_deal(), 0..6);
    prop_oneof![
        deals().prop_map(|deals| {
            let mut board = sample::board();
            board.deals = deals;
            Answer::Board(Ok(Box::new(board)))
        }),
        Just(Answer::Board(Ok(Box::new(sample::board())))),
        Just(Answer::Board(Err(fault()))),
        (proptest::collection::vec(any_id(), 0..6), deals()).prop_map(|(mut asked, found)| {
            asked.extend(found.iter().map(|deal| deal.id.clone()));
            Answer::Deals {
                asked,
                found: Ok(found),
            }
        }),
        any_id().prop_map(|id| Answer::Detail(Ok(sample::detail(&id).map(Box::new)))),
        Just(Answer::Outbox(Ok(sample::outbox()))),
        Just(Answer::Outbox(Ok(sample::outbox().into_iter().step_by(2).collect()))),
        (0..9_usize).prop_map(|nth| {
            let operation = sample::outbox().swap_remove(nth % sample::outbox().len());
            Answer::Story(operation.id, Ok(Box::new(sample::story(operation.id).unwrap())))
        }),
        any::<bool>().prop_map(move |ok| Answer::Decided(if ok {
            Ok(Box::new(sample::outbox().swap_remove(0)))
        } else {
            Err(fault())
        })),
        any::<bool>().prop_map(move |ok| Answer::Kept(if ok {
            Ok(Receipt {
                op: OpId(uuid::Uuid::nil()),
                said: "stage".to_owned(),
            })
        } else {
            Err(fault())
        })),
        Just(Answer::Undone(Ok(UndoOutcome::Nothing))),
        (any_id(), proptest::option::of(Just("kept\ndraft".to_owned()))).prop_map(|(id, text)| Answer::Draft(id, text)),
        Just(Answer::Edited(Some("from elsewhere\n".to_owned()))),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Say(Msg),
    /// An answer to a question that is really open: the nth ticket from the last.
    Answer(u64, Answer),
    Wait(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let timer = proptest::sample::select(vec![TimerId::Marks, TimerId::Midnight, TimerId::Draft, TimerId::Reload]);
    let say = Step::Say;
    prop_oneof![
        10 => any_key().prop_map(Msg::Key).prop_map(say),
        1 => (0..260_u16, 0..70_u16).prop_map(|(columns, rows)| Msg::Resize(columns, rows)).prop_map(say),
        1 => Just(Msg::Paste("two\nlines".to_owned())).prop_map(say),
        3 => any_event().prop_map(Msg::Engine).prop_map(say),
        2 => timer.prop_map(Msg::Timer).prop_map(say),
        1 => Just(Msg::Resumed).prop_map(say),
        6 => (0..4_u64, any_answer()).prop_map(|(back, answer)| Step::Answer(back, answer)),
        1 => (1..20_i64).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_sequence_of_messages_breaks_a_law(
        size in (0..260_u16, 0..70_u16),
        steps in proptest::collection::vec(any_step(), 0..80),
    ) {
        let mut model = sample::model(size);
        let mut now = sample::now();
        for step in steps {
            let msg = match step.clone() {
                Step::Say(msg) => msg,
                Step::Answer(back, answer) => Msg::Answer(Ticket(model.last_ticket.0.saturating_sub(back)), answer),
                Step::Wait(seconds) => {
                    now = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap();
                    Msg::Resumed
                }
            };
            let _ = update(&mut model, msg, now);
            let _ = hints(&model);
            prop_assert_eq!(broken(&model), None, "after {:?}", step);
        }
    }

    #[test]
    fn an_answer_nobody_waits_for_changes_nothing(
        steps in proptest::collection::vec(any_step(), 0..20),
        answer in any_answer(),
    ) {
        let mut model = sample::model((160, 45));
        for step in steps {
            if let Step::Say(msg) = step {
                let _ = update(&mut model, msg, sample::now());
            }
        }
        let before = format!("{model:?}");
        let never_given = Ticket(model.last_ticket.0 + 1);
        let effects = update(&mut model, Msg::Answer(never_given, answer.clone()), sample::now());
        prop_assert_eq!(effects, vec![]);
        prop_assert_eq!(format!("{model:?}"), before.clone());
        let effects = update(&mut model, Msg::Answer(Ticket(0), answer), sample::now());
        prop_assert_eq!(effects, vec![]);
        prop_assert_eq!(format!("{model:?}"), before);
    }

    #[test]
    fn scrolling_keeps_the_card_in_view_and_moves_no_more_than_needed(
        rows in 10..70_u16, total in 1..400_usize, position in 0..400_usize, hidden in 0..400_usize,
    ) {
        let position = position.min(total - 1);
        for width in [60, 90, 160] {
            let layout = geometry(&sample::model((width, rows))).board;
            let first = layout.scroll_to(position, total, hidden);
            let shown = layout.shown(total, first);
            prop_assert!((first..first + shown).contains(&position));
            prop_assert_eq!(layout.scroll_to(position, total, first), first, "what is in view stays where it is");
        }
    }
}

#[test]
fn before_anything_is_read_every_key_is_harmless() {
    for record in REGISTRY {
        for key in record.keys {
            let mut model = Model::new(Settings::default(), Keymap::default(), sample::now(), (160, 45));
            let _ = start(&mut model);
            let _ = update(&mut model, Msg::Key(*key), sample::now());
            assert_eq!(broken(&model), None, "{key}");
        }
    }
}

#[test]
fn a_time_that_runs_backwards_breaks_nothing() {
    let mut model = sample::model((160, 45));
    let _ = update(&mut model, Msg::Engine(Event::BoardChanged), Timestamp::MIN);
    let _ = update(&mut model, Msg::Key(Key::char('>')), Timestamp::MAX);
    assert_eq!(model.now, Timestamp::MAX);
}
