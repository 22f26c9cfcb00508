//! The help: every action of the screen below with its keys, from the registry, and the marks with their meaning. Nothing
//! here is written by hand but the meaning of the marks.

use ratatui::layout::Rect;

use crate::{
    app::{
        Geometry, Help, Model,
        registry::{Context, HelpRow, help_rows},
    },
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::{Ink, Look},
        row::Row,
        theme::Token,
        widgets::{
            field::field,
            overlay::{self, Shape},
            section::section,
        },
    },
};

use super::keys;

const WIDTH: u16 = 136;
/// Cells between two columns.
const GAP: u16 = 4;
/// Cells of a column: keys, then the title.
const COLUMN: u16 = 29;
const KEYS: u16 = 11;

/// One line of a column.
enum Line<'m> {
    Blank,
    Head(&'static str),
    /// An action and its position in the list.
    Action(usize, &'m HelpRow),
    /// A mark and its meaning.
    Mark(Row<'m>, &'static str),
}

/// Draws the help.
pub fn help(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, help: &Help) {
    let look = canvas.look;
    let rows = help_rows(model, &help.query.text);
    let lines = lines(look, &rows, help.query.text.trim().is_empty());
    let columns = columns_for(geometry.size.0);
    let tallest = u16::try_from(balanced(&lines, usize::from(columns))).unwrap_or(u16::MAX);
    let shape = Shape {
        width: if columns >= 4 {
            WIDTH
        } else {
            columns * (COLUMN + GAP) + 5
        },
        height: tallest.saturating_add(9).max(24),
        whole_screen: true,
    };
    let fact = format!("{} · {} actions", Context::under(model).title(), rows.len());
    let title = look.row().add("Help", Token::Strong.bold());
    let inner = overlay::open(canvas, geometry, &shape, title, look.row().add(fact, Token::Muted));
    let sentence = chosen(look, &rows, help.chosen);
    let body = keys::foot(canvas, model, inner, sentence, look.row());
    let body = search(canvas, body, help);
    let columns = usize::from((body.width + GAP) / (COLUMN + GAP)).max(1);
    draw(canvas, body, &lines, columns, help.chosen);
}

const fn columns_for(width: u16) -> u16 {
    match width {
        0..=74 => 1,
        75..=107 => 2,
        108..=143 => 3,
        _ => 4,
    }
}

/// What the chosen action does, or why it is not possible now.
fn chosen<'l>(look: &'l Look, rows: &[HelpRow], chosen: usize) -> Row<'l> {
    let Some(row) = rows.get(chosen) else {
        return look.row().add("no action is called like that", Token::Muted);
    };
    let line = look.row().add(row.record.description, Token::Text);
    match &row.why_not {
        Some(why) => line.blank(3).add("not now: ", Token::Muted).add(why, Token::Warn),
        None => line,
    }
}

fn search(canvas: &mut Canvas<'_>, body: Rect, help: &Help) -> Rect {
    let look = canvas.look;
    if body.height < 6 {
        return body;
    }
    let row = look.row().add("/", Token::Accent.bold()).blank(1);
    let row = if help.searching || !help.query.text.is_empty() {
        row.join(field(look, &help.query, body.width / 2, Token::Strong.bold()))
    } else {
        row.add("type to search keys and actions", Token::Muted)
    };
    canvas.row(body.x, body.y + 1, body.width, row);
    canvas.rule(body.x, body.y + 2, body.width);
    Rect {
        y: body.y + 4,
        height: body.height - 4,
        ..body
    }
}

fn lines<'m>(look: &'m Look, rows: &'m [HelpRow], all: bool) -> Vec<Line<'m>> {
    let mut lines = Vec::new();
    let mut group = None;
    for (nth, row) in rows.iter().enumerate() {
        if group != Some(row.record.group) {
            if group.is_some() {
                lines.push(Line::Blank);
            }
            group = Some(row.record.group);
            lines.push(Line::Head(row.record.group.title()));
        }
        lines.push(Line::Action(nth, row));
    }
    if all {
        lines.push(Line::Blank);
        lines.push(Line::Head("Marks"));
        lines.extend(marks(look).into_iter().map(|(mark, meaning)| Line::Mark(mark, meaning)));
    }
    lines
}

/// Every mark a card can carry.
#[must_use]
pub fn marks(look: &Look) -> Vec<(Row<'_>, &'static str)> {
    let word = |text: &str, ink: Ink| look.row().add(text, ink);
    let sign = |glyph: Glyph, token: Token| look.row().sign(glyph, token);
    vec![
        (word("12d", Token::Muted.into()), "days in this stage"),
        (sign(Glyph::StepPlanned, Token::Muted), "next step planned"),
        (sign(Glyph::StepToday, Token::Good), "next step today"),
        (sign(Glyph::StepOverdue, Token::Bad), "next step overdue"),
        (sign(Glyph::StepNone, Token::Warn), "no next step"),
        (word("!10 Nov", Token::Bad.bold()), "close date passed"),
        (word("z9", Token::Muted.into()), "no touch, 7 days"),
        (word("z17", Token::Warn.into()), "no touch, 14 days"),
        (word("Z34", Token::Bad.bold()), "no touch, 30 days"),
        (sign(Glyph::Queued, Token::Info), "waiting to be sent"),
        (sign(Glyph::Sending, Token::Info), "being sent"),
        (sign(Glyph::Uncertain, Token::Warn), "sent, reply lost"),
        (sign(Glyph::Landed, Token::Good), "HubSpot has it"),
        (sign(Glyph::Conflict, Token::Bad), "conflict"),
        (sign(Glyph::Held, Token::Warn), "held, needs you"),
        (sign(Glyph::Dead, Token::Bad), "refused by HubSpot"),
        (sign(Glyph::Flash, Token::Good), "colleague edited"),
    ]
}

/// The lines in columns, top to bottom, then left to right; a group is broken only when it is higher than a column. A column
/// never ends with a heading and never begins with a blank.
fn pages<'p, 'm>(lines: &'p [Line<'m>], height: usize) -> Vec<Vec<&'p Line<'m>>> {
    let mut pages: Vec<Vec<&Line<'_>>> = vec![Vec::new()];
    for (nth, line) in lines.iter().enumerate() {
        let page = pages.last_mut().map_or(0, |page| page.len());
        let is_head = matches!(line, Line::Head(_));
        let group = if is_head { group_size(&lines[nth..]) } else { 1 };
        let whole = if group <= height { group } else { height / 2 };
        if page >= height || (is_head && page > 0 && page + whole > height) {
            pages.push(Vec::new());
        }
        if let Some(page) = pages.last_mut()
            && !(page.is_empty() && matches!(line, Line::Blank))
        {
            page.push(line);
        }
    }
    pages
}

/// The fewest rows in which so many columns take all lines, every group whole.
fn balanced(lines: &[Line<'_>], columns: usize) -> usize {
    let highest = (0..lines.len()).filter(|nth| matches!(lines[*nth], Line::Head(_)));
    let highest = highest.map(|nth| group_size(&lines[nth..])).max().unwrap_or(1);
    (highest..lines.len())
        .find(|height| pages(lines, *height).len() <= columns)
        .unwrap_or_else(|| lines.len().max(1))
}

/// Draws the lines, scrolled by whole screens so that the chosen one is in view.
fn draw(canvas: &mut Canvas<'_>, body: Rect, lines: &[Line<'_>], columns: usize, chosen: usize) {
    let height = usize::from(body.height).min(balanced(lines, columns)).max(1);
    let pages = pages(lines, height);
    let at = pages
        .iter()
        .position(|page| {
            page.iter()
                .any(|line| matches!(line, Line::Action(nth, _) if *nth == chosen))
        })
        .unwrap_or(0);
    let first = at / columns * columns;
    let step = (body.width + GAP) / u16::try_from(columns).unwrap_or(1);
    for (nth, page) in (0_u16..).zip(pages.iter().skip(first).take(columns)) {
        let column = Rect {
            x: body.x + nth * step,
            width: step.saturating_sub(GAP),
            ..body
        };
        for (y, line) in (body.y..body.bottom()).zip(page) {
            self::line(canvas, Rect { y, height: 1, ..column }, line, chosen);
        }
    }
}

fn group_size(lines: &[Line<'_>]) -> usize {
    lines.iter().take_while(|line| !matches!(line, Line::Blank)).count()
}

fn line(canvas: &mut Canvas<'_>, area: Rect, line: &Line<'_>, chosen: usize) {
    let look = canvas.look;
    match line {
        Line::Blank => {}
        Line::Head(title) => section(canvas, (area.x, area.y), area.width, title, look.row()),
        Line::Action(nth, row) => {
            let here = *nth == chosen;
            if here {
                overlay::chosen(canvas, area, area.y);
            }
            let possible = row.why_not.is_none();
            let (key, word): (Ink, Ink) = match (here, possible) {
                (true, true) => (Token::Accent.bold(), Token::Strong.bold()),
                (_, false) => (Token::Muted.into(), Token::Muted.into()),
                (false, true) => (Token::Accent.bold(), Token::Text.into()),
            };
            let keys = look.text(&row.keys);
            let start = keys.width().max(KEYS - 1) + 1;
            let text = look
                .row()
                .add_safe(keys.fit(area.width), key)
                .pad_to(start)
                .add(row.record.title, word);
            canvas.row(area.x, area.y, area.width, text);
            if here {
                overlay::settle(canvas, area, area.y);
            }
        }
        Line::Mark(mark, meaning) => {
            let row = mark.clone().pad_to(9).add(*meaning, Token::Text);
            canvas.row(area.x, area.y, area.width, row);
        }
    }
}
