//! The help: searchable, and it runs the chosen action.

use crate::app::{
    Effect, Help, Line, Model, Overlay,
    registry::{Action, help_rows},
};

use super::keys;

/// Opens, searches, closes, or runs what is chosen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match (action, &mut model.overlay) {
        (Action::Search, Some(Overlay::Help(help))) => help.searching = true,
        (Action::Run, Some(Overlay::Help(_))) => return run(model),
        (Action::CloseHelp, Some(Overlay::Help(help))) if help.searching => {
            help.searching = false;
            help.query = Line::default();
            help.chosen = 0;
        }
        (Action::Help, None) => model.overlay = Some(Overlay::Help(Help::default())),
        _ => model.overlay = None,
    }
    Vec::new()
}

/// Letters go into the search.
pub(super) const fn is_searching(model: &Model) -> bool {
    matches!(&model.overlay, Some(Overlay::Help(Help { searching: true, .. })))
}

/// Steps through the actions listed.
pub(super) fn choose(model: &mut Model, by: isize) {
    let Some(Overlay::Help(help)) = &model.overlay else {
        return;
    };
    let chosen = keys::turn(help.chosen, by, help_rows(model, &help.query.text).len());
    if let Some(Overlay::Help(help)) = &mut model.overlay {
        help.chosen = chosen;
    }
}

fn run(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Help(help)) = model.overlay.take() else {
        return Vec::new();
    };
    let row = help_rows(model, &help.query.text).into_iter().nth(help.chosen);
    match row {
        Some(row) => keys::run(model, row.record.action),
        None => Vec::new(),
    }
}
