//! What is in view: scope, pipeline, panel, the finder that widens it, help, set-up and ways out.

use super::world::World;
use crate::{
    app::{
        Answer, Effect, Focus, Model, Msg, Overlay, Panel, Scope, Screen, Settings, geometry,
        registry::{Keymap, help_rows},
        sample,
    },
    domain::{Fault, FaultKind},
};

#[test]
fn the_scope_starts_as_mine_when_i_have_open_deals() {
    let mut board = sample::board();
    assert_eq!(World::with(board.clone(), (160, 45)).model.board.scope, Scope::Mine);
    board.me = None;
    assert_eq!(World::with(board.clone(), (160, 45)).model.board.scope, Scope::Everyone);
    board.me = Some("4".into());
    assert_eq!(World::with(board, (160, 45)).model.board.scope, Scope::Everyone);
}

#[test]
fn mine_and_everyones() {
    let mut world = World::with(sample::board(), (160, 45));
    let count = |world: &World| {
        world
            .model
            .board
            .columns
            .iter()
            .map(|column| column.cards.len())
            .sum::<usize>()
    };
    let mine = count(&world);
    world.press("M");
    assert_eq!((mine, count(&world), world.said()), (55, 62, "everyone's deals"));
    world.press("M");
    assert_eq!((count(&world), world.said()), (55, "my deals"));
}

#[test]
fn a_hit_outside_the_view_widens_it_and_says_so() {
    let mut world = World::with(sample::board(), (160, 45));
    world.press("/ hedge <enter>");
    assert_eq!(world.focused(), "Hedgehog Security Suite");
    assert_eq!(world.said(), "the view shows everyone's deals now");
    let mut board = sample::board();
    board.deals[0].pipeline = "renewals".into();
    board.deals[0].stage = "renewal-contract".into();
    let mut world = World::with(board, (160, 45));
    world.press("/ teapot <enter>");
    assert_eq!(
        (world.stage(), world.focused().as_str()),
        ("Contract sent", "Teapot Orbital pilot")
    );
    assert_eq!(world.said(), "the view shows the pipeline 'Renewals' now");
}

#[test]
fn the_finder_ranks_and_steps() {
    let mut world = World::at((160, 45));
    world.press("/");
    let Some(Overlay::Find(finder)) = &world.model.overlay else {
        panic!("the finder is open")
    };
    assert_eq!((finder.matching, finder.hits.len()), (62, 50));
    world.press("umbrella");
    let Some(Overlay::Find(finder)) = &world.model.overlay else {
        panic!("the finder is open")
    };
    assert_eq!(finder.matching, 3, "Globex, Nimbus and Kraken");
    world.press("<up><down><down><enter>");
    assert!(world.focused().contains("Umbrella"));
    world.press("/ zzzz <enter>");
    assert_eq!(world.said(), "no deal fits 'zzzz', type something else");
    world.press("<esc>");
    assert!(world.model.overlay.is_none());
}

#[test]
fn another_pipeline() {
    let mut world = World::at((160, 45));
    world.press("p ren <enter>");
    assert_eq!(
        world.model.pipeline().map(|pipeline| pipeline.label.as_str()),
        Some("Renewals")
    );
    assert_eq!(
        (world.model.board.columns.len(), world.model.board.focus.clone()),
        (4, None)
    );
    world.press("j k G > m <enter>");
    assert_eq!(world.said(), "no deal is in focus, choose one first");
    let mut board = sample::board();
    board.pipelines.truncate(1);
    let mut world = World::with(board, (160, 45));
    world.press("p");
    assert_eq!(world.said(), "there is only one pipeline");
}

#[test]
fn the_configured_pipeline_opens_first() {
    let settings = Settings {
        pipeline: Some("renewals".to_owned()),
        ..Settings::default()
    };
    let model = Model::new(settings, Keymap::default(), sample::now(), (160, 45));
    let mut world = World::unread(model, sample::board());
    let effects = crate::app::start(&mut world.model);
    for effect in effects {
        if let Effect::Query(ticket, query) = effect {
            let answer = world.answer(&query);
            world.say(Msg::Answer(ticket, answer));
        }
    }
    assert_eq!(
        world.model.pipeline().map(|pipeline| pipeline.label.as_str()),
        Some("Renewals")
    );
}

#[test]
fn the_panel_comes_and_goes() {
    let mut world = World::at((160, 45));
    let panel = |world: &World| geometry(&world.model).panel;
    assert_eq!(panel(&world), Panel::Beside(31));
    world.press("<tab>");
    assert_eq!(world.model.focus, Focus::Panel);
    world.press("jj <enter>");
    assert_eq!(
        world.focused(),
        "Hedgehog Security Suite",
        "the third entry's deal is open"
    );
    world.press("<esc> <tab> I");
    assert_eq!((panel(&world), world.model.focus), (Panel::Hidden, Focus::Body));
    let mut world = World::at((100, 30));
    assert_eq!(panel(&world), Panel::Hidden);
    world.press("<tab>");
    assert_eq!(world.said(), "there is no other pane now, I shows the side panel");
    world.press("I");
    assert_eq!(panel(&world), Panel::Over(31));
    world.press("<esc>");
    assert_eq!(panel(&world), Panel::Hidden);
}

#[test]
fn help_searches_and_runs_what_is_chosen() {
    let mut world = World::at((160, 45));
    world.press("?");
    let all = help_rows(&world.model, "").len();
    assert!(all > 25);
    world.press("/").type_text("one stage").press("<down>");
    let rows = help_rows(&world.model, "one stage");
    let ids: Vec<&str> = rows.iter().map(|row| row.record.id).collect();
    assert_eq!(ids, ["advance", "retreat"]);
    world.press("<enter>");
    assert_eq!(
        (world.stage(), world.model.overlay.is_none()),
        ("Appointment scheduled", true)
    );
    world.press("? / q <esc>");
    assert!(matches!(&world.model.overlay, Some(Overlay::Help(help)) if !help.searching && help.query.text.is_empty()));
    world.press("?");
    assert!(world.model.overlay.is_none());
}

#[test]
fn an_impossible_action_is_listed_with_its_reason() {
    let world = World::at((160, 45));
    let rows = help_rows(&world.model, "fold");
    assert_eq!(rows[0].why_not.as_deref(), Some("only closed stages fold"));
}

#[test]
fn ways_out() {
    for (keys, expected) in [
        ("q", Effect::Quit),
        ("^c", Effect::Quit),
        ("m ^c", Effect::Quit),
        ("^z", Effect::Suspend),
        ("^l", Effect::Redraw),
        ("r", Effect::Refresh),
        (
            "o",
            Effect::Browse("https://app.hubspot.com/contacts/424242/record/0-3/1012".to_owned()),
        ),
        (
            "Y",
            Effect::Copy("https://app.hubspot.com/contacts/424242/record/0-3/1012".to_owned()),
        ),
    ] {
        let mut world = World::at((160, 45));
        world.press(keys);
        assert_eq!(world.effects(), [&expected], "{keys}");
    }
    let mut world = World::at((160, 45));
    world.press("<enter> q");
    assert!(matches!(world.model.screen, Screen::Board), "q in a deal goes back");
}

#[test]
fn setup_keeps_the_token_and_goes_on_to_the_board() {
    let why = Fault::new(FaultKind::Auth, "there is no token", "make one in HubSpot");
    let model = Model::new(Settings::default(), Keymap::default(), sample::now(), (160, 45)).in_setup(Some(why));
    let mut world = World::unread(model, sample::board());
    assert_eq!(crate::app::start(&mut world.model), []);
    world.press("<enter>");
    assert_eq!(world.said(), "there is no token yet, type or paste one first");
    world.say(Msg::Paste(" pat-na1-0000\n".to_owned()));
    world.press("q <enter> x <enter>");
    assert!(matches!(world.effects()[..], [Effect::Connect(_, token)] if token == "pat-na1-0000q"));
    let ticket = world.ticket("connect");
    let refused = Fault::new(FaultKind::Auth, "HubSpot refuses the token", "check it");
    world.say(Msg::Answer(ticket, Answer::Connected(Err(refused.clone()))));
    let Screen::Setup(state) = &world.model.screen else {
        panic!("still in set-up")
    };
    assert_eq!(
        (&state.why, state.checking, state.token.text.as_str()),
        (&Some(refused), false, "")
    );
    world.press("tok <enter>");
    let ticket = world.ticket("connect");
    world.say(Msg::Answer(ticket, Answer::Connected(Ok(()))));
    assert!(world.model.loaded && matches!(world.model.screen, Screen::Board));
    let model = Model::new(Settings::default(), Keymap::default(), sample::now(), (160, 45)).in_setup(None);
    let mut world = World::unread(model, sample::board());
    world.press("<esc>");
    assert_eq!(world.effects(), [&Effect::Quit]);
}

#[test]
fn the_sample_adds_up() {
    let model = sample::model((160, 45));
    let money = |amount| crate::domain::format::money_short(amount, "USD");
    let heads: Vec<(usize, String, String)> = model
        .board
        .columns
        .iter()
        .map(|column| (column.cards.len(), money(column.total), money(column.weighted)))
        .collect();
    let head = |count, total: &str, weighted: &str| (count, total.to_owned(), weighted.to_owned());
    assert_eq!(
        heads,
        [
            head(11, "$296K", "$59.1K"),
            head(9, "$426K", "$170K"),
            head(8, "$492K", "$295K"),
            head(6, "$438K", "$350K"),
            head(5, "$282K", "$253K"),
            head(14, "$732K", "$732K"),
            head(9, "$268K", "$0"),
        ]
    );
    assert_eq!(model.board.columns[0].unsummed, 1);
}
