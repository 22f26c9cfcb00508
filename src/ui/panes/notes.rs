//! The notes of a deal as a timeline, newest first, and the one in focus in full.

use jiff::civil::Date;
use ratatui::layout::Rect;

use crate::{
    app::{DealScreen, Focus, Model},
    domain::{Connection, Note, format, html_to_text},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Look,
        row::Row,
        theme::Token,
        widgets::{overlay::scrolled, section::section},
    },
};

use super::marks::op_sign;

/// One row of the timeline.
enum Line<'m> {
    Blank,
    Day(Date),
    /// First row of a note, with its first line.
    Title(usize, &'m Note, String),
    /// Second row of a note that has more to say.
    Excerpt(usize, String),
}

/// Draws the timeline.
pub fn timeline(canvas: &mut Canvas<'_>, model: &Model, screen: &DealScreen, area: Rect) {
    let look = canvas.look;
    let notes = screen.detail.as_ref().map_or(&[][..], |detail| detail.notes.as_slice());
    let count = format::plural(notes.len() as u64, "note", "notes");
    section(
        canvas,
        (area.x, area.y),
        area.width,
        "Timeline",
        look.row().add(count, Token::Muted),
    );
    let body = Rect {
        y: area.y + 2,
        height: area.height.saturating_sub(2),
        ..area
    };
    if notes.is_empty() {
        for (y, row) in (body.y..body.bottom()).zip(without_notes(look, model, screen, body.width)) {
            canvas.row(body.x, y, body.width, row);
        }
        return;
    }
    let height = usize::from(body.height);
    let lines = lines(model, notes, screen.note, height);
    let last = lines
        .iter()
        .rposition(|line| matches!(line, Line::Title(nth, ..) | Line::Excerpt(nth, _) if *nth == screen.note))
        .unwrap_or(0);
    let first = scrolled(last, lines.len(), height);
    for (y, line) in (body.y..body.bottom()).zip(lines.iter().skip(first)) {
        self::line(canvas, model, screen, Rect { y, height: 1, ..body }, line);
    }
}

/// Why there is nothing to read, and what helps.
fn without_notes<'l>(look: &'l Look, model: &Model, screen: &DealScreen, room: u16) -> Vec<Row<'l>> {
    let muted = |text: &str| look.row().add(text, Token::Muted);
    let is_read = screen
        .detail
        .as_ref()
        .is_some_and(|detail| detail.notes_as_of.is_some());
    let fault = match (&screen.fault, &model.freshness.connection) {
        (Some(fault), _) => Some(fault),
        (None, _) if is_read => None,
        (None, Connection::ReadOnly(fault)) => Some(fault),
        (None, _) => model.freshness.trouble.as_ref(),
    };
    if let Some(fault) = fault {
        let what = look.text(&fault.what).wrap(room.saturating_sub(2));
        let mut rows: Vec<Row<'_>> = what
            .into_iter()
            .enumerate()
            .map(|(nth, line)| {
                let sign = if nth == 0 { "! " } else { "  " };
                look.row().add(sign, Token::Warn.bold()).add_safe(line, Token::Text)
            })
            .collect();
        rows.push(look.row().blank(2).add(&fault.next, Token::Muted));
        return rows;
    }
    if is_read {
        return vec![
            muted("No notes yet."),
            look.row()
                .add("n", Token::Accent.bold())
                .add(" write one", Token::Muted),
        ];
    }
    match model.freshness.connection {
        Connection::Offline { .. } => vec![muted("The notes are read when HubSpot answers again.")],
        _ => vec![muted("Reading the notes from HubSpot.")],
    }
}

/// The rows of the notes that can be in view around the one in focus, in `height` rows.
fn lines<'m>(model: &Model, notes: &'m [Note], focused: usize, height: usize) -> Vec<Line<'m>> {
    let zone = model.facts.zone();
    let mut lines = Vec::new();
    let mut day = None;
    let near = focused.saturating_sub(height)..focused.saturating_add(height + 1);
    for (nth, note) in notes.iter().enumerate().filter(|(nth, _)| near.contains(nth)) {
        let date = note.at.to_zoned(zone.clone()).date();
        if day != Some(date) {
            if day.is_some() {
                lines.push(Line::Blank);
            }
            day = Some(date);
            lines.push(Line::Day(date));
        }
        let (title, excerpt) = split(note);
        lines.push(Line::Title(nth, note, title));
        if !excerpt.is_empty() {
            lines.push(Line::Excerpt(nth, excerpt));
        }
    }
    lines
}

fn line(canvas: &mut Canvas<'_>, model: &Model, screen: &DealScreen, area: Rect, line: &Line<'_>) {
    let look = canvas.look;
    let nth = match line {
        Line::Blank => return,
        Line::Day(date) => {
            let day = if *date == model.today() {
                "today".to_owned()
            } else {
                format!("{} {}", format::weekday(*date), format::day(*date, model.today()))
            };
            let text = look.text(&day);
            let at = canvas.text(area.x, area.y, area.width, &text, Token::Muted.bold()) + 1;
            canvas.rule(at, area.y, area.right().saturating_sub(at));
            return;
        }
        Line::Title(nth, ..) | Line::Excerpt(nth, _) => *nth,
    };
    let focused = nth == screen.note && model.focus == Focus::Body;
    if focused {
        canvas.repaint(area, Token::Focus);
        canvas.sign(area.x, area.y, Glyph::FocusEdge, Token::Accent);
    }
    let inner = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(3),
        ..area
    };
    match line {
        Line::Title(_, note, title) => self::title(canvas, model, note, title, inner),
        Line::Excerpt(_, excerpt) => {
            let indent = indent(inner.width);
            let room = inner.width.saturating_sub(indent);
            canvas.text(inner.x + indent, inner.y, room, &look.text(excerpt), Token::Muted);
        }
        Line::Blank | Line::Day(_) => {}
    }
    if focused {
        canvas.settle_focus(area);
    }
}

/// Cells before a note's text: time and kind, or only the time where it is narrow.
const fn indent(width: u16) -> u16 {
    if width >= 50 { 16 } else { 7 }
}

fn title(canvas: &mut Canvas<'_>, model: &Model, note: &Note, title: &str, area: Rect) {
    let look = canvas.look;
    let indent = indent(area.width);
    let zone = model.facts.zone();
    let mut left = look.row().add(format::clock(note.at, &zone), Token::Muted);
    if indent > 7 {
        left = left.blank(2).add("note", Token::Mark);
    }
    let author = note.owner.as_ref().and_then(|id| model.facts.owners.get(id));
    let mut right = look.row();
    if let Some((_, state)) = note.op {
        let (glyph, token) = op_sign(state);
        right = right.sign(glyph, token.bold()).blank(1);
    }
    if let Some(author) = author.filter(|_| area.width >= 40) {
        right = right.add(author.name(), Token::Muted);
    }
    canvas.ends(area, left.pad_to(indent).add(title, Token::Strong.bold()), right);
}

/// The first line of a note, and the beginning of the rest.
fn split(note: &Note) -> (String, String) {
    let text = html_to_text(&note.body, 400);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let title = lines.next().unwrap_or("empty note").to_owned();
    (title, lines.collect::<Vec<_>>().join(" "))
}

/// The note in focus in full, as far as it fits.
pub fn preview(canvas: &mut Canvas<'_>, model: &Model, screen: &DealScreen, area: Rect) {
    let Some(note) = screen.detail.as_ref().and_then(|detail| detail.notes.get(screen.note)) else {
        return;
    };
    if area.height < 3 {
        return;
    }
    let look = canvas.look;
    let zone = model.facts.zone();
    let day = note.at.to_zoned(zone.clone()).date();
    let when = format!(
        "{} {}",
        format::day_spoken(day, model.today()),
        format::clock(note.at, &zone)
    );
    section(
        canvas,
        (area.x, area.y),
        area.width,
        "Note",
        look.row().add(when, Token::Muted),
    );
    let text = html_to_text(&note.body, usize::from(area.width));
    let mut lines = text.lines().flat_map(|line| look.text(line).wrap(area.width));
    let room = usize::from(area.height) - 1;
    let shown: Vec<_> = lines.by_ref().take(room).collect();
    let more = lines.next().is_some();
    for (nth, line) in shown.iter().enumerate() {
        let y = area.y + 1 + u16::try_from(nth).unwrap_or(0);
        if more && nth + 1 == shown.len() {
            canvas.text(area.x, y, area.width, &look.text("… more in HubSpot"), Token::Muted);
        } else {
            let ink = if nth == 0 {
                Token::Strong.bold()
            } else {
                Token::Text.into()
            };
            canvas.text(area.x, y, area.width, line, ink);
        }
    }
}
