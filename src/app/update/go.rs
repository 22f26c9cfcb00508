//! Going somewhere: into a deal and back, to the next one, out of the program; and what leaves it (links, pages).

use crate::{
    app::{
        DealScreen, Effect, Focus, Model, Overlay, Panel, Place, Query, SaidKind, Screen, geometry,
        registry::{self, Action},
    },
    domain::DealId,
};

use super::{ask, board, note, outbox, say};

/// Goes somewhere else on the screen.
pub(super) fn go(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Open if matches!(model.overlay, Some(Overlay::Operation(_))) => outbox::to_deal(model),
        Action::Open if matches!(model.screen, Screen::Outbox(_)) => outbox::details(model),
        Action::Open => match chosen(model) {
            Some(id) => {
                remember(model);
                open(model, id)
            }
            None => Vec::new(),
        },
        Action::NextDeal => beside(model, 1),
        Action::PrevDeal => beside(model, -1),
        Action::Back => back(model),
        Action::Quit if matches!(model.screen, Screen::Board) => vec![Effect::Quit],
        _ => escape(model),
    }
}

/// The deal `⏎` opens: that of the panel's entry, or the one in focus.
fn chosen(model: &Model) -> Option<DealId> {
    match model.focus {
        Focus::Panel => model.activity.get(model.panel_row)?.deal.clone(),
        Focus::Body => model.focused().map(|deal| deal.id.clone()),
    }
}

/// Opens a deal in detail.
pub(super) fn open(model: &mut Model, id: DealId) -> Vec<Effect> {
    board::seek(model, &id);
    model.focus = Focus::Body;
    model.screen = Screen::Deal(Box::new(DealScreen {
        id: id.clone(),
        detail: None,
        note: 0,
        fault: None,
    }));
    vec![Effect::LookAt(id.clone()), ask(model, Query::Detail(id))]
}

/// Keeps the place in mind for `back`.
pub(super) fn remember(model: &mut Model) {
    let place = match &model.screen {
        Screen::Deal(state) => Some(Place::Deal(state.id.clone())),
        Screen::Outbox(screen) => Some(Place::Outbox(screen.chosen)),
        _ => model.board.focus.clone().map(Place::Board),
    };
    let Some(place) = place else { return };
    if model.trail.last() != Some(&place) {
        model.trail.push(place);
    }
    let over = model.trail.len().saturating_sub(Model::TRAIL);
    model.trail.drain(..over);
}

fn back(model: &mut Model) -> Vec<Effect> {
    let Some(place) = model.trail.pop() else {
        return Vec::new();
    };
    let deal = match place {
        Place::Deal(deal) => return open(model, deal),
        Place::Outbox(chosen) => return outbox::show(model, chosen, None),
        Place::Board(deal) => deal,
    };
    model.screen = Screen::Board;
    if !board::seek(model, &deal) {
        say(model, SaidKind::Info, "the deal you came from is not in view any more");
    }
    Vec::new()
}

fn beside(model: &mut Model, by: isize) -> Vec<Effect> {
    match registry::neighbour(model, by).cloned() {
        Ok(id) => open(model, id),
        Err(_) => Vec::new(),
    }
}

/// Back to the board; on the board: back to its cards.
fn escape(model: &mut Model) -> Vec<Effect> {
    if matches!(model.screen, Screen::Deal(_)) {
        model.screen = Screen::Board;
        // Going back from here to here would be no step.
        let here = model.board.focus.clone();
        model
            .trail
            .pop_if(|place| here.as_ref().is_some_and(|deal| *place == Place::Board(deal.clone())));
    } else if let Screen::Outbox(screen) = &model.screen {
        let from = screen.from.clone();
        model.screen = Screen::Board;
        // Where it was opened from is where this goes.
        model.trail.pop_if(|place| !matches!(place, Place::Outbox(_)));
        if let Some(deal) = from {
            return open(model, deal);
        }
    } else if model.focus == Focus::Panel {
        model.focus = Focus::Body;
    } else if matches!(geometry(model).panel, Panel::Over(_)) {
        model.panel = Some(false);
    }
    Vec::new()
}

/// What concerns the program as a whole, or leaves it.
pub(super) fn program(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::QuitNow => leave(model, Effect::Quit),
        Action::Suspend => leave(model, Effect::Suspend),
        Action::Redraw => vec![Effect::Redraw],
        Action::Refresh => refresh(model),
        Action::CopyLink => match link(model) {
            Some(link) => {
                say(model, SaidKind::Info, "link copied");
                vec![Effect::Copy(link)]
            }
            None => Vec::new(),
        },
        _ => link(model).map(Effect::Browse).into_iter().collect(),
    }
}

/// A note that is open is on disk before the program stops.
fn leave(model: &mut Model, last: Effect) -> Vec<Effect> {
    let mut effects = match &model.overlay {
        Some(Overlay::Note(_)) if last == Effect::Quit => note::part(model),
        Some(Overlay::Note(_)) => note::keep_draft(model),
        _ => Vec::new(),
    };
    effects.push(last);
    effects
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    say(model, SaidKind::Info, "asking HubSpot for changes");
    let mut effects = vec![Effect::Refresh];
    if let Screen::Deal(state) = &model.screen {
        effects.push(Effect::LookAt(state.id.clone()));
    }
    effects
}

fn link(model: &Model) -> Option<String> {
    let account = model.facts.account.as_ref()?;
    Some(account.url(&model.focused()?.reference()))
}
