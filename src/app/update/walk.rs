//! Walking: the focus on the board, through the notes of a deal, through the panel; and what of all that is in view.

use crate::{
    app::{Effect, Focus, Model, Panel, SaidKind, Scope, Screen, geometry, registry::Action},
    domain::StageKind,
};

use super::{board, outbox, say};

/// Moves the focus.
pub(super) fn walk(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = isize::try_from(geometry(model).board.fits()).unwrap_or(1);
    let by = match action {
        Action::Left => return sideways(model, false),
        Action::Right => return sideways(model, true),
        Action::Down => 1,
        Action::Up => -1,
        Action::First => isize::MIN,
        Action::Last => isize::MAX,
        Action::HalfDown => (page / 2).max(1),
        Action::HalfUp => -(page / 2).max(1),
        Action::PageDown => page,
        _ => -page,
    };
    if outbox::walk(model, by) {
        return Vec::new();
    }
    if model.focus == Focus::Panel {
        model.panel_row = moved(model.panel_row, by, model.activity.len());
        return Vec::new();
    }
    match &mut model.screen {
        Screen::Deal(state) => {
            let notes = state.detail.as_ref().map_or(0, |detail| detail.notes.len());
            state.note = moved(state.note, by, notes);
        }
        Screen::Board => step_card(model, by),
        Screen::Outbox(_) | Screen::Setup(_) => {}
    }
    Vec::new()
}

/// A position moved within `count`, stopping at the ends.
pub(super) fn moved(position: usize, by: isize, count: usize) -> usize {
    position.saturating_add_signed(by).min(count.saturating_sub(1))
}

fn step_card(model: &mut Model, by: isize) {
    let position = position(model).unwrap_or(0);
    let board = &mut model.board;
    if let Some(column) = board.columns.get(board.column) {
        board.focus = column.cards.get(moved(position, by, column.cards.len())).cloned();
    }
}

/// Position of the focused deal in its column.
fn position(model: &Model) -> Option<usize> {
    let (board, focus) = (&model.board, model.board.focus.as_ref()?);
    let column = board.columns.get(board.column)?;
    column.cards.iter().position(|card| card == focus)
}

/// To the column beside, at the same height on the screen.
fn sideways(model: &mut Model, right: bool) -> Vec<Effect> {
    if model.focus == Focus::Panel {
        if !right {
            model.focus = Focus::Body;
        }
        return Vec::new();
    }
    let row = position(model).map_or(0, |position| position.saturating_sub(scrolled(model)));
    let by = if right { 1 } else { -1 };
    let next = moved(model.board.column, by, model.board.columns.len());
    if next != model.board.column {
        model.board.column = next;
        let first = scrolled(model);
        let board = &mut model.board;
        if let Some(column) = board.columns.get(next) {
            let last = column.cards.len().saturating_sub(1);
            board.focus = column.cards.get((first + row).min(last)).cloned();
        }
    }
    Vec::new()
}

/// Cards scrolled away in the column in focus.
fn scrolled(model: &Model) -> usize {
    let board = &model.board;
    let stage = board.columns.get(board.column).map(|column| &column.stage);
    stage.and_then(|stage| board.scroll.get(stage)).copied().unwrap_or(0)
}

/// What of the board is in view: panes, panel, folded stages, whose deals.
pub(super) fn arrange_view(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Pane if model.focus == Focus::Body => model.focus = Focus::Panel,
        Action::Pane => model.focus = Focus::Body,
        Action::Panel => model.panel = Some(geometry(model).panel == Panel::Hidden),
        Action::Fold => fold(model),
        _ => scope(model),
    }
    Vec::new()
}

/// Folds the closed stage in focus; the focus steps to the nearest stage that is not folded.
fn fold(model: &mut Model) {
    let board = &mut model.board;
    let here = board.column;
    let is_open = |nth: &usize| {
        board
            .columns
            .get(*nth)
            .is_some_and(|column| column.kind == StageKind::Open)
    };
    let nearest = (0..here).rev().chain(here + 1..board.columns.len()).find(is_open);
    let (Some(nearest), Some(stage)) = (nearest, board.columns.get(here).map(|column| column.stage.clone())) else {
        say(
            model,
            SaidKind::Fault,
            "there is no open stage to go to, so this one stays unfolded",
        );
        return;
    };
    board.unfolded.retain(|unfolded| *unfolded != stage);
    board.column = nearest;
    board.focus = None;
}

fn scope(model: &mut Model) {
    let (scope, words) = match model.board.scope {
        Scope::Mine => (Scope::Everyone, "everyone's deals"),
        Scope::Everyone => (Scope::Mine, "my deals"),
    };
    model.board.scope = scope;
    model.board.scope_settled = true;
    board::arrange(model);
    say(model, SaidKind::Info, words);
}
