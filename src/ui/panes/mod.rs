//! The panes: what the model says, put together from the parts. Each draws into the place the layout gives it.

mod banner;
mod board;
mod card;
mod context;
mod detail;
mod fields;
mod finder;
mod footer;
mod goal;
mod header;
mod help;
mod keys;
mod marks;
mod note;
mod notes;
mod operation;
mod outbox;
mod panel;
mod people;
mod pipeline;
mod properties;
mod rail;
mod setup;
mod stage;
mod tiny;

use crate::{
    app::{Model, Overlay, Screen, geometry},
    ui::{canvas::Canvas, theme::Token},
};

/// Draws the whole screen.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model) {
    let geometry = geometry(model);
    canvas.plane(canvas.area(), Token::Base);
    if geometry.too_small {
        return tiny::too_small(canvas, &geometry);
    }
    if geometry.tiny {
        tiny::tiny(canvas, model, &geometry);
    } else {
        match &model.screen {
            Screen::Setup(state) => return setup::setup(canvas, model, &geometry, state),
            Screen::Board => board::board(canvas, model, &geometry),
            Screen::Outbox(screen) => outbox::outbox(canvas, model, &geometry, screen),
            Screen::Deal(screen) => detail::detail(canvas, model, &geometry, screen),
        }
        header::header(canvas, model, &geometry);
        banner::banner(canvas, model, &geometry);
        panel::panel(canvas, model, &geometry);
        context::context(canvas, model, &geometry);
        footer::footer(canvas, model, &geometry);
    }
    match &model.overlay {
        None => {}
        Some(Overlay::Help(help)) => help::help(canvas, model, &geometry, help),
        Some(Overlay::Find(finder)) => finder::finder(canvas, model, &geometry, finder),
        Some(Overlay::Stage(picker)) => stage::picker(canvas, model, &geometry, picker),
        Some(Overlay::Note(editor)) => note::editor(canvas, model, &geometry, editor),
        Some(Overlay::Operation(view)) => operation::operation(canvas, model, &geometry, view),
        Some(Overlay::Fields(form)) => fields::form(canvas, model, &geometry, form),
        Some(Overlay::Confirm(confirm)) => operation::confirm(canvas, model, &geometry, confirm),
        Some(Overlay::Pipeline(picker)) => pipeline::picker(canvas, model, &geometry, picker),
    }
}
