//! The board after anything happened: columns made anew, the focus on the same record, and everything in focus in view.

use crate::{
    app::{Column, Focus, Model, Panel, columns, geometry},
    domain::{DealId, StageKind},
};

/// Makes the columns anew. The focus stays on the same deal wherever it went; when it is gone, its neighbour takes over.
pub(super) fn arrange(model: &mut Model) {
    let before = model.board.columns.get(model.board.column).map(|column| {
        let cards = column.cards.clone();
        (column.stage.clone(), cards)
    });
    model.board.columns = columns(model);
    let here = model.board.focus.clone();
    if here.is_some_and(|id| seek(model, &id)) {
        return;
    }
    let Some((stage, cards)) = before else {
        let with_cards = |column: &Column| !column.cards.is_empty();
        model.board.column = model.board.columns.iter().position(with_cards).unwrap_or(0);
        return;
    };
    if let Some(column) = model.board.columns.iter().position(|column| column.stage == stage) {
        model.board.column = column;
    }
    let lost = model
        .board
        .focus
        .as_ref()
        .and_then(|id| cards.iter().position(|card| card == id));
    if let Some(lost) = lost {
        let (above, below) = cards.split_at(lost);
        let mut neighbours = below.iter().chain(above.iter().rev());
        let column = model.board.columns.get(model.board.column);
        let still = neighbours.find(|id| column.is_some_and(|column| column.cards.contains(id)));
        model.board.focus = still.cloned();
    }
}

/// Puts the focus on this deal's column; false when it is not on the board in view.
pub(super) fn seek(model: &mut Model, id: &DealId) -> bool {
    let found = model.board.columns.iter().position(|column| column.cards.contains(id));
    if let Some(column) = found {
        model.board.column = column;
        model.board.focus = Some(id.clone());
    }
    found.is_some()
}

/// Puts the focus on this deal, when it is on the board in view.
#[doc(hidden)]
pub fn focus_on(model: &mut Model, id: Option<DealId>) {
    arrange(model);
    if let Some(id) = id {
        seek(model, &id);
    }
    settle(model);
}

/// Mends what hangs together: an existing column in focus, a deal of it in focus, both in view.
pub(super) fn settle(model: &mut Model) {
    let last = model.board.columns.len().saturating_sub(1);
    model.board.column = model.board.column.min(last);
    settle_focus(model);
    settle_columns(model);
    settle_cards(model);
    if model.focus == Focus::Panel && geometry(model).panel == Panel::Hidden {
        model.focus = Focus::Body;
    }
    model.panel_row = model.panel_row.min(model.activity.len().saturating_sub(1));
}

/// A deal of the column in focus has the focus, and a closed stage that is entered unfolds.
fn settle_focus(model: &mut Model) {
    let board = &mut model.board;
    let Some(column) = board.columns.get(board.column) else {
        board.focus = None;
        return;
    };
    if column.kind != StageKind::Open && !board.unfolded.contains(&column.stage) {
        board.unfolded.push(column.stage.clone());
    }
    let kept = board.focus.as_ref().is_some_and(|id| column.cards.contains(id));
    if !kept {
        let first = board.scroll.get(&column.stage).copied().unwrap_or(0);
        board.focus = column.cards.get(first).or_else(|| column.cards.first()).cloned();
    }
}

/// Scrolls sideways no more than needed; three columns or fewer keep the one in focus off the edge.
fn settle_columns(model: &mut Model) {
    let column = model.board.column;
    let wide = model.size.0 >= 100;
    if !wide {
        let single = geometry(model).board.single;
        let last_first = model.board.columns.len().saturating_sub(3);
        model.board.first_column = if single {
            column
        } else {
            column.saturating_sub(1).min(last_first)
        };
        return;
    }
    model.board.first_column = model.board.first_column.min(column);
    while !in_view(model, column) && model.board.first_column < column {
        model.board.first_column += 1;
    }
    // No empty room at the right end while columns are hidden at the left.
    let last = model.board.columns.len().saturating_sub(1);
    while model.board.first_column > 0 {
        model.board.first_column -= 1;
        if !in_view(model, last) || !in_view(model, column) {
            model.board.first_column += 1;
            break;
        }
    }
}

fn in_view(model: &Model, column: usize) -> bool {
    geometry(model).board.columns.iter().any(|shown| shown.index == column)
}

fn settle_cards(model: &mut Model) {
    let layout = geometry(model).board;
    let board = &mut model.board;
    board
        .scroll
        .retain(|stage, _| board.columns.iter().any(|column| column.stage == *stage));
    let Some(column) = board.columns.get(board.column) else {
        return;
    };
    let position = board
        .focus
        .as_ref()
        .and_then(|id| column.cards.iter().position(|card| card == id));
    for (nth, column) in board.columns.iter().enumerate() {
        let total = column.cards.len();
        let first = board.scroll.get(&column.stage).copied().unwrap_or(0);
        let position = if nth == board.column { position } else { None };
        let wanted = position.unwrap_or_else(|| first.min(total.saturating_sub(1)));
        board
            .scroll
            .insert(column.stage.clone(), layout.scroll_to(wanted, total, first));
    }
}
