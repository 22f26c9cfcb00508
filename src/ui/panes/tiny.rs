//! Screens that are nearly too small: the focused deal, the state, one line of hints; and the sentence for those that are.

use crate::{
    app::{
        Geometry, Model, Screen,
        outbox::{next_try, subject},
    },
    ui::{canvas::Canvas, look::Look, row::Row, theme::Token},
};

use super::{
    footer::footer,
    header,
    marks::{Marks, op_sign, op_word},
};

/// What the smallest usable terminal is.
pub fn too_small(canvas: &mut Canvas<'_>, geometry: &Geometry) {
    let (columns, rows) = geometry.size;
    let text = format!("dealdeck needs 24 × 6, this is {columns} × {rows}");
    for (y, line) in (0..rows).zip(canvas.look.text(&text).wrap(columns)) {
        canvas.text(0, y, columns, &line, Token::Text);
    }
}

/// The focused deal without the board around it.
pub fn tiny(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry) {
    let look = canvas.look;
    let (columns, rows) = geometry.size;
    let room = columns.saturating_sub(2);
    let mut lines: Vec<Row<'_>> = vec![
        header::name(look, model, false)
            .blank(2)
            .join(header::state(look, model, false)),
    ];
    match model.focused() {
        _ if matches!(model.screen, Screen::Outbox(_)) => match subject(model) {
            Some(operation) => {
                let (glyph, token) = op_sign(operation.state);
                let state = look
                    .row()
                    .sign(glyph, token.bold())
                    .blank(1)
                    .add(op_word(operation.state), token.bold());
                lines.extend([state, look.row().add(&operation.title, Token::Strong.bold())]);
                lines.push(look.row().add(next_try(model, operation), Token::Muted));
            }
            None => lines.push(look.row().add("nothing waits to be sent", Token::Muted)),
        },
        Some(deal) => {
            let marks = Marks::of(model, deal);
            lines.push(look.row().add(deal.name.trim(), Token::Strong.bold()));
            let (amount, ink) = marks.amount();
            let (date, date_ink) = marks.close(true);
            let mut row = look.row().add(amount, ink).blank(2).add(date, date_ink);
            if let Some(write) = marks.write() {
                let (glyph, token) = write.sign();
                row = row.blank(2).sign(glyph, token.bold());
            }
            lines.push(row);
            lines.extend(stage(look, model));
        }
        None if matches!(model.screen, Screen::Setup(_)) => {
            lines.push(look.row().add("no token yet", Token::Text));
            lines.push(look.row().add("make the window larger", Token::Muted));
        }
        None => lines.push(look.row().add("no deals here", Token::Muted)),
    }
    if let Some(said) = &model.said {
        lines.insert(1, look.row().add(&said.text, Token::Warn));
    }
    for (y, row) in (0..rows.saturating_sub(1)).zip(lines) {
        canvas.row(1, y, room, row);
    }
    footer(canvas, model, geometry);
}

fn stage<'l>(look: &'l Look, model: &Model) -> Option<Row<'l>> {
    let deal = model.focused()?;
    let column = model.board.columns.iter().find(|column| column.stage == deal.stage)?;
    Some(look.row().add(&column.label, Token::Muted))
}
