//! The note editor: what the note is linked to, the text with its cursor, and what happens when it is saved.

use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::{
    app::{Geometry, Model, NoteEditor, Screen},
    domain::format,
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Look,
        row::{Row, squeeze},
        theme::Token,
        widgets::{
            field::typed,
            overlay::{self, Shape},
        },
    },
};

use super::{context, keys};

const WIDTH: u16 = 104;
const HEIGHT: u16 = 29;

/// Draws the editor.
pub fn editor(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, note: &NoteEditor) {
    let look = canvas.look;
    let name = model
        .deals
        .get(&note.deal)
        .map_or("a deal that is gone", |deal| deal.name.trim());
    let shape = Shape {
        width: WIDTH,
        height: HEIGHT,
        whole_screen: false,
    };
    let title = look
        .row()
        .add("Note", Token::Strong.bold())
        .add("  on ", Token::Muted)
        .add(name, Token::Text);
    let inner = overlay::open(canvas, geometry, &shape, title, draft(look, model, note));
    let words = format::plural(note.editor.words() as u64, "word", "words");
    let sentence = sentence(look, model, note);
    let body = keys::foot(canvas, model, inner, sentence, look.row().add(words, Token::Muted));
    let body = links(canvas, model, body, note, name);
    text(canvas, body, note);
}

fn draft<'l>(look: &'l Look, model: &Model, note: &NoteEditor) -> Row<'l> {
    match note.kept_at {
        Some(at) => {
            let time = format::clock_seconds(at, &model.facts.zone());
            look.row().add(format!("draft kept {time}"), Token::Muted)
        }
        None => look.row(),
    }
}

/// What will be sent; a refusal takes its place until the next key.
fn sentence<'l>(look: &'l Look, model: &Model, note: &NoteEditor) -> Row<'l> {
    if note.sending {
        return look.row().add("keeping it on disk", Token::Info);
    }
    if model.said.is_some() {
        return context::said(look, model);
    }
    if note.editor.is_blank() {
        return look.row().add("nothing is sent while it is empty", Token::Muted);
    }
    let links = 1 + people(model, note).1;
    look.row()
        .add("sends ", Token::Muted)
        .add("1 note", Token::Strong.bold())
        .add(" with ", Token::Muted)
        .add(format::plural(links as u64, "link", "links"), Token::Strong.bold())
        .blank(3)
        .sign(Glyph::Dot, Token::Muted)
        .add(" safe on disk before it is sent", Token::Muted)
}

/// What the note will be linked to besides the deal: names where the detail is open, else how many; and the count.
fn people(model: &Model, note: &NoteEditor) -> (Vec<String>, usize) {
    if let Screen::Deal(screen) = &model.screen
        && let Some(detail) = screen.detail.as_ref().filter(|_| screen.id == note.deal)
    {
        let contacts = detail.contacts.iter().map(crate::domain::Contact::name);
        let companies = detail.companies.iter().map(|company| company.name.clone());
        let names: Vec<String> = contacts.chain(companies).collect();
        let count = names.len();
        return (names, count);
    }
    let Some(deal) = model.deals.get(&note.deal) else {
        return (Vec::new(), 0);
    };
    let (contacts, companies) = (deal.contacts.len(), deal.companies.len());
    let counted = [
        (contacts, format::plural(contacts as u64, "contact", "contacts")),
        (companies, format::plural(companies as u64, "company", "companies")),
    ];
    let texts = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(_, text)| text);
    (texts.collect(), contacts + companies)
}

fn links(canvas: &mut Canvas<'_>, model: &Model, body: Rect, note: &NoteEditor, name: &str) -> Rect {
    let look = canvas.look;
    if body.height < 6 {
        return body;
    }
    let link = |text: &str| {
        look.row()
            .sign(Glyph::Passed, Token::Good)
            .blank(1)
            .add_safe(look.text(text).fit(30), Token::Text)
    };
    let mut parts = vec![(0, look.row().add("linked to", Token::Muted)), (0, link(name))];
    for (nth, text) in people(model, note).0.iter().enumerate() {
        parts.push((u8::try_from(nth + 1).unwrap_or(u8::MAX), link(text)));
    }
    let row = squeeze(look, parts, 3, body.width);
    canvas.row(body.x, body.y + 1, body.width, row);
    canvas.rule(body.x, body.y + 2, body.width);
    Rect {
        y: body.y + 4,
        height: body.height - 4,
        ..body
    }
}

/// A row of the screen: where it starts in its line, and its characters.
struct Piece<'t> {
    line: usize,
    start: usize,
    clusters: Vec<&'t str>,
}

/// The text, wrapped at blanks, scrolled so that the cursor is in view.
fn text(canvas: &mut Canvas<'_>, body: Rect, note: &NoteEditor) {
    if body.height == 0 {
        return;
    }
    let look = canvas.look;
    let room = body.width.min(72).saturating_sub(1).max(2);
    let pieces: Vec<Piece<'_>> = note
        .editor
        .lines()
        .iter()
        .enumerate()
        .flat_map(|(line, text)| wrap(look, line, text, room))
        .collect();
    let (row, column) = note.editor.cursor();
    let at = pieces
        .iter()
        .rposition(|piece| piece.line == row && piece.start <= column)
        .unwrap_or(0);
    let height = usize::from(body.height);
    let first = overlay::scrolled(at, pieces.len().max(at + 1), height);
    for (nth, piece) in pieces.iter().enumerate().skip(first).take(height) {
        let y = body.y + u16::try_from(nth - first).unwrap_or(0);
        let line = if nth == at {
            typed(
                look,
                &piece.clusters,
                column - piece.start,
                room + 1,
                Token::Text.into(),
            )
        } else {
            look.row().add(piece.clusters.concat(), Token::Text)
        };
        canvas.row(body.x, y, body.width, line);
    }
    if note.editor.is_blank() {
        let hint = look.text("what happened, what was agreed, what is next");
        canvas.text(
            body.x + 2,
            body.y,
            body.width.saturating_sub(2),
            &hint,
            Token::Muted.italic(),
        );
    }
}

/// Cuts a line into rows of at most `room` cells. No character goes, so that every cursor position has its cell.
fn wrap<'t>(look: &Look, line: usize, text: &'t str, room: u16) -> Vec<Piece<'t>> {
    let clusters: Vec<&str> = text.graphemes(true).collect();
    let mut pieces = Vec::new();
    let (mut start, mut width, mut blank) = (0, 0, None);
    for (nth, cluster) in clusters.iter().enumerate() {
        width += look.text(cluster).width();
        if width > room && nth > start {
            let end = blank.filter(|blank| *blank > start).unwrap_or(nth);
            pieces.push(Piece {
                line,
                start,
                clusters: clusters[start..end].to_vec(),
            });
            start = end;
            width = clusters[start..=nth]
                .iter()
                .map(|cluster| look.text(cluster).width())
                .sum();
            blank = None;
        }
        if *cluster == " " {
            blank = Some(nth + 1);
        }
    }
    pieces.push(Piece {
        line,
        start,
        clusters: clusters[start..].to_vec(),
    });
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{
        glyphs::Glyphs,
        theme::{Depth, Theme},
    };

    #[test]
    fn wrapping_keeps_every_character() {
        let look = Look::new(Theme::Dark, Depth::True, Glyphs::Unicode);
        for (text, rows) in [
            (
                "pip confirmed the renewal",
                &["pip ", "confirmed ", "the ", "renewal"][..],
            ),
            ("月光チーズ株式会社", &["月光チーズ", "株式会社"]),
            ("abcdefghijklmno", &["abcdefghij", "klmno"]),
            ("", &[""]),
        ] {
            let pieces = wrap(&look, 0, text, 10);
            let drawn: Vec<String> = pieces.iter().map(|piece| piece.clusters.concat()).collect();
            assert_eq!(drawn, rows);
            assert_eq!(drawn.concat(), text);
        }
    }
}
