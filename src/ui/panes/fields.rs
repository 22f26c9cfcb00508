//! The form of an operation: a line per property, with its options where it has some, and what keeps it from being sent.

use ratatui::layout::Rect;

use crate::{
    app::{
        FieldsForm, FormField, Geometry, Model,
        outbox::find,
        values::{label, matching, options, wants_fields},
    },
    domain::Operation,
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Look,
        row::Row,
        theme::Token,
        widgets::{
            field::field,
            overlay::{self, Shape},
        },
    },
};

use super::keys;

const WIDTH: u16 = 92;
/// Cells of the labels.
const LABEL: u16 = 26;
/// Options that are shown under the field with the cursor.
const OPTIONS: usize = 6;

/// Draws the form.
pub fn form(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, form: &FieldsForm) {
    let look = canvas.look;
    let Some(operation) = find(model, form.op) else {
        return;
    };
    let lines = lines(
        look,
        model,
        operation,
        form,
        WIDTH.min(geometry.size.0) - 6.min(geometry.size.0),
    );
    let shape = Shape {
        width: WIDTH,
        height: u16::try_from(lines.len() + OPTIONS)
            .unwrap_or(u16::MAX)
            .saturating_add(9),
        whole_screen: true,
    };
    let word = if wants_fields(operation) { "Fill in" } else { "Edit" };
    let title = look
        .row()
        .add(word, Token::Strong.bold())
        .blank(2)
        .add(&operation.title, Token::Text);
    let inner = overlay::open(canvas, geometry, &shape, title, look.row());
    let sentence = match (&form.fault, form.sending) {
        (_, true) => look.row().add("being kept", Token::Muted),
        (Some(fault), _) => look.row().add("! ", Token::Warn.bold()).add(fault, Token::Text),
        (None, false) => look.row().add(
            "is sent with these values, safe on disk before it is sent",
            Token::Muted,
        ),
    };
    let body = keys::foot(canvas, model, inner, look.row(), look.row());
    let top = body.y + 1;
    let room = usize::from(body.bottom().saturating_sub(top + 2));
    let at = lines.iter().position(|(nth, _)| *nth == form.chosen).unwrap_or(0);
    // The field with the cursor and the options under it stay in view.
    let first = (at + OPTIONS.min(room / 2) + 1).saturating_sub(room).min(at);
    for (y, (_, line)) in (top..body.bottom().saturating_sub(2)).zip(lines.into_iter().skip(first)) {
        canvas.row(body.x, y, body.width, line);
    }
    let last = Rect {
        y: body.bottom().saturating_sub(1),
        height: 1,
        ..body
    };
    wrapped(canvas, last, sentence, form.fault.as_deref());
}

/// A fault in full, over two rows where it needs them; else the sentence.
fn wrapped(canvas: &mut Canvas<'_>, last: Rect, sentence: Row<'_>, fault: Option<&str>) {
    let look = canvas.look;
    let lines = fault.map(|fault| look.text(fault).wrap(last.width.saturating_sub(2)));
    match lines {
        Some(lines) if lines.len() > 1 => {
            canvas.text(last.x, last.y - 1, 2, &look.text("!"), Token::Warn.bold());
            for (y, line) in (last.y - 1..=last.y).zip(lines) {
                canvas.text(last.x + 2, y, last.width, &line, Token::Text);
            }
        }
        _ => {
            canvas.row(last.x, last.y, last.width, sentence);
        }
    }
}

/// Every line with the field it belongs to.
fn lines<'l>(
    look: &'l Look,
    model: &Model,
    operation: &Operation,
    form: &FieldsForm,
    room: u16,
) -> Vec<(usize, Row<'l>)> {
    let mut lines = Vec::new();
    let labels = LABEL.min(room / 3);
    for (nth, one) in form.fields.iter().enumerate() {
        let here = nth == form.chosen;
        lines.push((nth, input(look, model, operation, one, here, (labels, room))));
        if here {
            let found = matching(model, operation, one);
            let position = one.option.unwrap_or(0);
            let first = overlay::scrolled(position, found.len(), OPTIONS);
            let shown = found.iter().enumerate().skip(first).take(OPTIONS);
            let (above, below) = (first, found.len().saturating_sub(first + OPTIONS));
            for (nth_option, (value, label)) in shown {
                let taken = one.option == Some(nth_option);
                let row = look.row().blank(labels + 2);
                let is_edge = |hidden: usize, edge: usize| hidden > 0 && nth_option == edge;
                let mark = if is_edge(above, first) {
                    Some((Glyph::MoreAbove, above))
                } else if is_edge(below, first + OPTIONS - 1) {
                    Some((Glyph::Menu, below))
                } else {
                    None
                };
                let is_now = one.before.as_ref().is_some_and(|(_, now)| now.as_ref() == Some(value));
                let row = if taken {
                    row.sign(Glyph::FocusEdge, Token::Accent)
                        .blank(1)
                        .add(label, Token::Strong.bold())
                } else {
                    row.blank(2).add(label, Token::Muted)
                };
                let row = if is_now {
                    row.add("  what is sent now", Token::Muted)
                } else {
                    row
                };
                let row = match mark {
                    Some((glyph, hidden)) => row
                        .blank(2)
                        .sign(glyph, Token::Muted)
                        .add(format!(" {hidden} more"), Token::Muted),
                    None => row,
                };
                lines.push((nth, row));
            }
        }
    }
    lines
}

/// `Competitor  › Soggy█`
fn input<'l>(
    look: &'l Look,
    model: &Model,
    operation: &Operation,
    one: &FormField,
    here: bool,
    (labels, room): (u16, u16),
) -> Row<'l> {
    let name = look
        .text(&label(model, operation.id, &one.name))
        .fit(labels.saturating_sub(1));
    let ink = if here {
        Token::Strong.bold()
    } else {
        Token::Muted.into()
    };
    let row = look.row().add_safe(name, ink).pad_to(labels);
    let room = room.saturating_sub(labels + 2);
    let row = if here {
        row.sign(Glyph::Prompt, Token::Accent.bold()).blank(1)
    } else {
        row.blank(2)
    };
    let chosen = one
        .option
        .and_then(|position| matching(model, operation, one).into_iter().nth(position));
    match (here, chosen) {
        (false, Some((_, label))) => row.add_safe(look.text(&label).fit(room), Token::Text),
        (false, None) if one.line.text.is_empty() => row.add("empty", Token::Warn),
        (false, None) => row.add_safe(look.text(&one.line.text).fit(room), Token::Text),
        (true, _) => {
            let typed = row.join(field(look, &one.line, room / 2, Token::Strong.bold()));
            let hint = match (
                one.line.text.is_empty(),
                options(model, operation, &one.name).is_empty(),
            ) {
                (true, false) => "type its beginning, or choose",
                (true, true) => "type a value",
                _ => "",
            };
            typed.blank(2).add(hint, Token::Muted)
        }
    }
}
