//! The pipeline picker.

use ratatui::layout::Rect;

use crate::{
    app::{Geometry, Model, PipelinePicker, matching_pipelines},
    domain::format,
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Ink,
        theme::Token,
        widgets::{
            field::field,
            overlay::{self, Shape},
        },
    },
};

use super::keys;

const WIDTH: u16 = 92;

/// Draws the picker.
pub fn picker(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, picker: &PipelinePicker) {
    let look = canvas.look;
    let matching = matching_pipelines(model, &picker.query.text);
    let rows = u16::try_from(model.facts.pipelines.len()).unwrap_or(u16::MAX);
    let shape = Shape {
        width: WIDTH,
        height: rows.saturating_add(9),
        whole_screen: false,
    };
    let fact = format!("{} of {}", matching.len(), model.facts.pipelines.len());
    let title = look.row().add("Pipeline", Token::Strong.bold());
    let inner = overlay::open(canvas, geometry, &shape, title, look.row().add(fact, Token::Muted));
    let body = keys::foot(canvas, model, inner, look.row(), look.row());
    if body.height < 4 {
        return;
    }
    let typed = look
        .row()
        .sign(Glyph::Prompt, Token::Accent.bold())
        .blank(1)
        .join(field(look, &picker.query, body.width / 2, Token::Strong.bold()));
    canvas.row(body.x, body.y + 1, body.width, typed);
    canvas.rule(body.x, body.y + 2, body.width);
    let list = Rect {
        y: body.y + 3,
        height: body.height - 3,
        ..body
    };
    let room = usize::from(list.height);
    let first = overlay::scrolled(picker.chosen, matching.len(), room);
    for (nth, (id, hits)) in matching.iter().enumerate().skip(first).take(room) {
        let y = list.y + u16::try_from(nth - first).unwrap_or(0);
        let chosen = nth == picker.chosen;
        if chosen {
            overlay::chosen(canvas, list, y);
        }
        let ink: Ink = if chosen {
            Token::Strong.bold()
        } else {
            Token::Text.into()
        };
        let Some(pipeline) = model.facts.pipelines.iter().find(|pipeline| pipeline.id == *id) else {
            continue;
        };
        let room = list.width.saturating_sub(24);
        let stages = format::plural(pipeline.stages.len() as u64, "stage", "stages");
        let here = if model.board.pipeline.as_ref() == Some(&pipeline.id) {
            "in view"
        } else {
            ""
        };
        let row = look
            .row()
            .blank(1)
            .name_with_hits(&pipeline.label, hits, room, ink, Token::Accent.hit())
            .pad_to(34.min(room))
            .add(stages, Token::Muted)
            .blank(3)
            .add(here, Token::Muted);
        canvas.row(list.x, y, list.width, row);
        if chosen {
            overlay::settle(canvas, list, y);
        }
    }
}
