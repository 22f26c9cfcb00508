//! The stage picker: stages with what a move there means, and its whole price before it happens.

use ratatui::layout::Rect;
use rust_decimal::Decimal;

use crate::{
    app::{Column, Geometry, Model, StagePicker},
    domain::{Deal, Pipeline, Stage, StageKind, format},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Ink,
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

const WIDTH: u16 = 92;
/// Columns of the table, from the left edge of the content.
const PERCENT_END: u16 = 34;
const COUNT_END: u16 = 41;
const TOTAL_END: u16 = 50;
const MEANING: u16 = 54;

/// Draws the picker.
pub fn picker(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, picker: &StagePicker) {
    let look = canvas.look;
    let Some((deal, pipeline)) = subject(model, picker) else {
        return;
    };
    let changes = Change::of(model, deal, pipeline, picker);
    let stages = u16::try_from(picker.stages.len()).unwrap_or(u16::MAX);
    let shape = Shape {
        width: WIDTH,
        height: stages.saturating_add(if changes.is_some() { 15 } else { 10 }),
        whole_screen: false,
    };
    let title = look
        .row()
        .add("Move", Token::Strong.bold())
        .blank(2)
        .add(deal.name.trim(), Token::Text);
    let inner = overlay::open(canvas, geometry, &shape, title, look.row().add("1 deal", Token::Muted));
    let sentence = changes.as_ref().map_or(
        "choose another stage, nothing is sent",
        |_| "sends 1 change, safe on disk before it is sent",
    );
    let undo = look
        .row()
        .add("u", Token::Accent.bold())
        .add(" undoes it later", Token::Muted);
    let body = keys::foot(canvas, model, inner, look.row().add(sentence, Token::Muted), undo);
    let body = query(canvas, model, body, deal, pipeline, picker);
    let body = table(canvas, model, body, deal, pipeline, picker);
    if let Some(changes) = changes {
        changes.draw(canvas, model, body);
    }
}

fn subject<'m>(model: &'m Model, picker: &StagePicker) -> Option<(&'m Deal, &'m Pipeline)> {
    let deal = model.deals.get(&picker.deal)?;
    let pipeline = model
        .facts
        .pipelines
        .iter()
        .find(|pipeline| pipeline.id == deal.pipeline)?;
    Some((deal, pipeline))
}

fn query(
    canvas: &mut Canvas<'_>,
    model: &Model,
    body: Rect,
    deal: &Deal,
    pipeline: &Pipeline,
    picker: &StagePicker,
) -> Rect {
    let look = canvas.look;
    if body.height < 4 {
        return body;
    }
    let here = pipeline
        .stage(&deal.stage)
        .map_or("an unknown stage", |stage| stage.label.as_str());
    let days = u64::try_from(deal.days_in_stage(model.now)).unwrap_or(0);
    let now = look
        .row()
        .add("now in ", Token::Muted)
        .add(here, Token::Text)
        .add(format!(", {}", format::plural(days, "day", "days")), Token::Muted);
    let y = body.y + 1;
    let typed = look
        .row()
        .sign(Glyph::Prompt, Token::Accent.bold())
        .blank(1)
        .join(field(look, &picker.query, body.width / 3, Token::Strong.bold()))
        .blank(3)
        .add("type to find a stage", Token::Muted);
    let now = if typed.width() + now.width() + 2 <= body.width {
        now
    } else {
        look.row()
    };
    canvas.ends(Rect { y, height: 1, ..body }, typed, now);
    canvas.rule(body.x, y + 1, body.width);
    Rect {
        y: y + 2,
        height: body.height - 3,
        ..body
    }
}

/// The stages in the picker's order; gives the rows below.
fn table(
    canvas: &mut Canvas<'_>,
    model: &Model,
    body: Rect,
    deal: &Deal,
    pipeline: &Pipeline,
    picker: &StagePicker,
) -> Rect {
    let room = usize::from(body.height);
    let first = overlay::scrolled(picker.chosen, picker.stages.len(), room);
    let mut y = body.y;
    for (nth, (id, hits)) in picker.stages.iter().enumerate().skip(first).take(room) {
        let Some(stage) = pipeline.stage(id) else { continue };
        let chosen = nth == picker.chosen;
        if chosen {
            overlay::chosen(canvas, body, y);
        }
        let line = Line {
            model,
            stage,
            column: model.board.columns.iter().find(|column| column.stage == *id),
            hits: hits.as_deref(),
            chosen,
            meaning: meaning(pipeline, deal, stage),
        };
        line.draw(canvas, Rect { y, height: 1, ..body });
        if chosen {
            overlay::settle(canvas, body, y);
        }
        y += 1;
    }
    Rect {
        y,
        height: body.bottom().saturating_sub(y),
        ..body
    }
}

struct Line<'m> {
    model: &'m Model,
    stage: &'m Stage,
    column: Option<&'m Column>,
    hits: Option<&'m [u32]>,
    chosen: bool,
    meaning: (String, Token),
}

impl Line<'_> {
    fn draw(&self, canvas: &mut Canvas<'_>, area: Rect) {
        let look = canvas.look;
        let wide = area.width >= 70;
        let ink: Ink = match (self.chosen, self.hits) {
            (true, _) => Token::Strong.bold(),
            (false, Some(_)) => Token::Text.into(),
            (false, None) => Token::Muted.into(),
        };
        let number = if self.chosen { Token::Text } else { Token::Muted };
        let (percent_end, meaning) = if wide {
            (PERCENT_END, MEANING)
        } else {
            (area.width.saturating_sub(1), 0)
        };
        let room = percent_end.saturating_sub(6);
        let name = look.row().name_with_hits(
            &self.stage.label,
            self.hits.unwrap_or_default(),
            room,
            ink,
            Token::Accent.hit(),
        );
        canvas.row(area.x + 1, area.y, room, name);
        let mut cell = |end: u16, text: String| {
            let text = look.row().add(text, number);
            canvas.row_right(area.x + end, area.y, end, text);
        };
        cell(percent_end, format::percent(self.stage.probability));
        if let (true, Some(column)) = (wide, self.column) {
            cell(COUNT_END, format::count(column.cards.len() as u64));
            cell(
                TOTAL_END,
                format::money_short(column.total, self.model.facts.currency()),
            );
        }
        if wide {
            let (text, token) = &self.meaning;
            canvas.text(area.x + meaning, area.y, area.width - meaning, &look.text(text), *token);
        }
    }
}

/// What a move to this stage means, by the distance among the open stages.
fn meaning(pipeline: &Pipeline, deal: &Deal, stage: &Stage) -> (String, Token) {
    let quiet = |text: &str| (text.to_owned(), Token::Muted);
    if stage.id == deal.stage {
        return quiet("here");
    }
    let here = pipeline.position(&deal.stage);
    let there = pipeline.position(&stage.id);
    let was_open = pipeline
        .stage(&deal.stage)
        .is_some_and(|stage| stage.kind() == StageKind::Open);
    match (here, there) {
        _ if stage.kind() != StageKind::Open => quiet("closes the deal"),
        _ if !was_open => quiet("opens it again"),
        (Some(here), Some(there)) if there == here + 1 => quiet("next stage"),
        (Some(here), Some(there)) if there > here => {
            let skipped = there - here - 1;
            let plural = if skipped == 1 { "stage" } else { "stages" };
            (format!("skips {} {plural}", number(skipped)), Token::Warn)
        }
        (Some(here), Some(there)) => {
            let back = here - there;
            let plural = if back == 1 { "stage" } else { "stages" };
            quiet(&format!("{} {plural} back", number(back)))
        }
        _ => quiet(""),
    }
}

fn number(count: usize) -> String {
    const WORDS: [&str; 7] = ["no", "one", "two", "three", "four", "five", "six"];
    WORDS
        .get(count)
        .map_or_else(|| count.to_string(), |word| (*word).to_owned())
}

/// What the move does to the board, computed before anything is sent.
struct Change<'m> {
    from: &'m Column,
    to: &'m Column,
    amount: Decimal,
    /// Weighted sum of all open columns, before and after.
    weighted: (Decimal, Decimal),
}

impl<'m> Change<'m> {
    /// `None` when nothing would change, or the deal is not on the board in view.
    fn of(model: &'m Model, deal: &Deal, pipeline: &Pipeline, picker: &StagePicker) -> Option<Self> {
        let (target, _) = picker.stages.get(picker.chosen)?;
        if *target == deal.stage {
            return None;
        }
        let columns = &model.board.columns;
        let from = columns.iter().find(|column| column.stage == deal.stage)?;
        let to = columns.iter().find(|column| column.stage == *target)?;
        let amount = deal.amount_in(model.facts.currency()).unwrap_or_default();
        let part = |column: &Column, probability: Decimal| {
            if column.kind == StageKind::Open {
                amount.saturating_mul(probability)
            } else {
                Decimal::ZERO
            }
        };
        let before: Decimal = columns
            .iter()
            .filter(|column| column.kind == StageKind::Open)
            .fold(Decimal::ZERO, |sum, column| sum.saturating_add(column.weighted));
        // HubSpot sets the stage's own probability on a move.
        let probability = pipeline.stage(target).map_or(Decimal::ZERO, |stage| stage.probability);
        let leaves = part(from, deal.probability(std::slice::from_ref(pipeline)));
        let after = before.saturating_sub(leaves).saturating_add(part(to, probability));
        Some(Self {
            from,
            to,
            amount,
            weighted: (before, after),
        })
    }

    fn draw(&self, canvas: &mut Canvas<'_>, model: &Model, body: Rect) {
        if body.height < 5 {
            return;
        }
        let look = canvas.look;
        let y = body.y + 1;
        section(canvas, (body.x, y), body.width, "What changes", look.row());
        let money = |amount| format::money_short(amount, model.facts.currency());
        let deals = |before: usize, after: usize| {
            let (before, after) = (format::count(before as u64), format::count(after as u64));
            format!("{before} → {after} deals")
        };
        let (from, to) = (self.from, self.to);
        let from_count = from.cards.len();
        let rows = [
            (
                from.label.as_str(),
                deals(from_count, from_count.saturating_sub(1)),
                (from.total, from.total.saturating_sub(self.amount)),
            ),
            (
                to.label.as_str(),
                deals(to.cards.len(), to.cards.len() + 1),
                (to.total, to.total.saturating_add(self.amount)),
            ),
            ("Weighted pipeline", String::new(), self.weighted),
        ];
        for (nth, (label, deals, (before, after))) in (0_u16..).zip(rows) {
            let numbers = look
                .row()
                .add(money(before), Token::Muted)
                .blank(2)
                .sign(Glyph::Arrow, Token::Muted)
                .blank(2)
                .add_safe(look.text(&money(after)).pad_left(7), Token::Strong.bold());
            let line = Rect {
                x: body.x + 2,
                y: y + 1 + nth,
                width: body.width.saturating_sub(2).min(64),
                height: 1,
            };
            let mut left: Row<'_> = look.row().add_safe(look.text(label).fit(26), Token::Text);
            if body.width >= 60 {
                left = left.pad_to(28).add(deals, Token::Muted);
            }
            canvas.ends(line, left, numbers);
        }
    }
}
