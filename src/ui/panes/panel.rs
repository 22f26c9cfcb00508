//! The side panel: segments, limits, outbox, activity, in this order. When it is low, activity shrinks first, then
//! segments to three.

use ratatui::layout::Rect;
use rust_decimal::Decimal;

use crate::{
    app::{Focus, Geometry, Model, Panel},
    domain::{ActivityItem, ActivityKind, Connection, Gauge, Lane, SegmentCount, Who, format},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        row::Row,
        theme::Token,
        widgets::{
            bar::{bar, load, share},
            section::titled,
            spark::spark,
        },
    },
};

use super::marks::{op_sign, op_word};

/// Draws the panel where the layout has it.
pub fn panel(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry) {
    let (Panel::Beside(width) | Panel::Over(width)) = geometry.panel else {
        return;
    };
    let (columns, rows) = geometry.size;
    let top = geometry.header + u16::from(geometry.banner);
    let bottom = rows.saturating_sub(1 + u16::from(geometry.context));
    let plane = Rect {
        x: columns.saturating_sub(width),
        y: top,
        width,
        height: bottom.saturating_sub(top),
    };
    canvas.plane(plane, Token::Surface);
    if model.focus == Focus::Panel {
        for y in plane.top()..plane.bottom() {
            canvas.sign(plane.x, y, Glyph::FocusEdge, Token::Accent);
        }
    }
    let body = Rect {
        x: plane.x + 1,
        y: top + 1,
        width: width.saturating_sub(2),
        height: plane.height.saturating_sub(1),
    };
    let mut pane = Pane { canvas, model, body };
    let segments = pane.segments_shown();
    pane.segments(segments);
    pane.limits();
    pane.outbox();
    pane.activity();
}

/// A column of sections that is filled from the top; `body` is what is left of it.
struct Pane<'c, 'f, 'm> {
    canvas: &'c mut Canvas<'f>,
    model: &'m Model,
    body: Rect,
}

impl Pane<'_, '_, '_> {
    /// Rows of everything but the segments and the activity, heads and gaps included.
    fn segments_shown(&self) -> usize {
        let all = self.model.segments.len();
        let fixed = 1 + 1 + 6 + 2 + self.model.outbox.rows.len().max(1);
        let room = usize::from(self.body.height).saturating_sub(fixed);
        if all > room { all.min(3) } else { all }
    }

    fn head(&mut self, title: &str, fact: Row<'_>) {
        let ink = if self.model.focus == Focus::Panel {
            Token::Accent.bold()
        } else {
            Token::Strong.bold()
        };
        if self.body.height > 0 {
            titled(
                self.canvas,
                (self.body.x, self.body.y),
                self.body.width,
                title,
                ink,
                fact,
            );
        }
        self.advance(1);
    }

    fn advance(&mut self, rows: u16) {
        let rows = rows.min(self.body.height);
        self.body.y += rows;
        self.body.height -= rows;
    }

    fn line(&mut self, row: Row<'_>) {
        if self.body.height > 0 {
            self.canvas.row(self.body.x, self.body.y, self.body.width, row);
        }
        self.advance(1);
    }

    fn segments(&mut self, shown: usize) {
        let look = self.canvas.look;
        self.head("Segments", look.row().add("contacts", Token::Muted));
        if self.model.segments.is_empty() {
            self.line(look.row().add("no segments are defined", Token::Muted));
        }
        for segment in self.model.segments.iter().take(shown) {
            self.segment(segment);
        }
        self.advance(1);
    }

    /// `engaged       567 +21 ▃▃▄▅▅▆▇`: the numbers end at the same columns in every row.
    fn segment(&mut self, segment: &SegmentCount) {
        let look = self.canvas.look;
        let label_room = self.body.width.saturating_sub(17);
        let count = look.text(&format::count(segment.count));
        let count = if segment.as_of.is_none() {
            look.text("?")
        } else if count.width() > 5 {
            look.text(&format::count_short(segment.count))
        } else {
            count
        };
        let before = segment.history.iter().rev().nth(1).copied();
        let change = look.text(&change(before, segment.count));
        let row = look
            .row()
            .add_safe(look.text(&segment.segment.label()).fit(label_room), Token::Text)
            .pad_to(label_room)
            .add_safe(count.fit_number(5).pad_left(5), Token::Strong.bold())
            .add_safe(change.fit_number(4).pad_left(4), Token::Muted)
            .blank(1)
            .join(spark(look, &segment.history, today(&segment.segment.name)));
        self.line(row);
    }

    fn limits(&mut self) {
        let look = self.canvas.look;
        let limits = &self.model.limits;
        let zone = self.model.facts.zone();
        let window = if let Some(since) = limits.shared_since {
            let since = since.to_zoned(zone).strftime("%H:%M");
            look.row().add(format!("shared since {since}"), Token::Warn)
        } else if limits.burst.capacity == 0 {
            look.row().add("not known yet", Token::Muted)
        } else {
            let seconds = limits.burst.window.as_secs();
            look.row().add(
                format!("{} per {seconds} s", format::count(limits.burst.capacity)),
                Token::Muted,
            )
        };
        self.head("Limits", window);
        self.gauge("burst", Some(&limits.burst), "");
        self.gauge("daily", limits.daily.as_ref(), "");
        self.gauge("search", Some(&limits.search), " /s");
        let mut lanes = look.row().add("lanes", Token::Text).pad_to(7);
        let busy = Lane::ALL
            .iter()
            .zip(limits.lanes)
            .filter(|(_, load)| load.active + load.waiting > 0);
        let mut quiet = true;
        for (lane, load) in busy {
            let number = format::count(u64::from(load.active + load.waiting));
            lanes = lanes
                .blank(if quiet { 0 } else { 2 })
                .add(format!("{} ", lane.word()), Token::Muted)
                .add(number, Token::Strong.bold());
            quiet = false;
        }
        self.line(if quiet { lanes.add("idle", Token::Muted) } else { lanes });
        self.advance(1);
    }

    /// `burst  ━━━━╸──────    86/190`
    fn gauge(&mut self, label: &str, gauge: Option<&Gauge>, unit: &str) {
        let look = self.canvas.look;
        let mut row = look.row().add(label, Token::Text).pad_to(7);
        let bar_width = self.body.width.saturating_sub(18).min(11);
        let numbers = match gauge.filter(|gauge| gauge.capacity > 0) {
            Some(gauge) => {
                let used = share(Decimal::from(gauge.used()), Decimal::from(gauge.capacity));
                row = row.join(bar(look, bar_width, &[(used, load(used))]));
                look.row()
                    .add(format::count_short(gauge.used()), Token::Strong.bold())
                    .add(format!("/{}{unit}", format::count_short(gauge.capacity)), Token::Muted)
            }
            None => {
                row = row.join(bar(look, bar_width, &[]));
                look.row().add(format::UNKNOWN, Token::Muted)
            }
        };
        let width = self.body.width.saturating_sub(numbers.width());
        self.line(row.pad_to(width).join(numbers));
    }

    fn outbox(&mut self) {
        let look = self.canvas.look;
        let waiting = self.model.outbox.waiting();
        let fact = match (waiting, self.model.outbox.need_person()) {
            (0, 0) => look.row().add("empty", Token::Muted),
            (_, 0) => look
                .row()
                .add(format!("{} waiting", format::count(waiting as u64)), Token::Muted),
            (_, 1) => look.row().add("1 needs you", Token::Warn),
            (_, need) => look
                .row()
                .add(format!("{} need you", format::count(need as u64)), Token::Warn),
        };
        self.head("Outbox", fact);
        if self.model.outbox.rows.is_empty() {
            self.line(look.row().add("nothing waits to be sent", Token::Muted));
        }
        for (state, count, title) in &self.model.outbox.rows {
            let (glyph, token) = op_sign(*state);
            let count = look.text(&format::count(*count as u64));
            let room = self.body.width.saturating_sub(16);
            let row = look
                .row()
                .sign(glyph, token.bold())
                .blank(1)
                .add(op_word(*state), Token::Text)
                .pad_to(11)
                .add_safe(count.fit_number(3).pad_left(3), Token::Strong.bold())
                .blank(2)
                .add_safe(look.text(title).fit(room), Token::Muted);
            self.line(row);
        }
        self.advance(1);
    }

    fn activity(&mut self) {
        let look = self.canvas.look;
        if self.body.height < 2 {
            return;
        }
        let fact = match self.model.freshness.connection {
            Connection::Live => "live",
            Connection::Syncing(_) => "reading",
            _ => "paused",
        };
        self.head("Activity", look.row().add(fact, Token::Muted));
        if self.model.activity.is_empty() {
            self.line(look.row().add("nothing happened yet", Token::Muted));
        }
        for item in &self.model.activity {
            if self.body.height < 2 {
                return;
            }
            self.item(item);
        }
    }

    /// Time, who, on what; below it what happened.
    fn item(&mut self, item: &ActivityItem) {
        let look = self.canvas.look;
        let zone = self.model.facts.zone();
        let (who, token) = match &item.who {
            Who::You => ("you".to_owned(), Token::Text),
            Who::Owner(id) => {
                let owner = self.model.facts.owners.get(id);
                (
                    owner.map_or_else(|| "?".to_owned(), crate::domain::Owner::initials),
                    Token::Info,
                )
            }
            Who::Someone => ("api".to_owned(), Token::Info),
            Who::Net => ("net".to_owned(), Token::Info),
        };
        let (what, what_token) = self.what(item);
        let name = if item.name.is_empty() {
            what.as_str()
        } else {
            item.name.as_str()
        };
        let first = look
            .row()
            .add_safe(
                look.text(&format::moment(item.at, self.model.now, &zone))
                    .pad_left(5)
                    .fit(6),
                Token::Muted,
            )
            .pad_to(6)
            .add_safe(look.text(&who).fit(3), token)
            .pad_to(10)
            .add_safe(look.text(name).fit(self.body.width.saturating_sub(10)), Token::Text);
        self.line(first);
        if !item.name.is_empty() {
            let what = look.text(&what).fit(self.body.width.saturating_sub(6));
            self.line(look.row().blank(6).add_safe(what, what_token));
        }
    }

    fn what(&self, item: &ActivityItem) -> (String, Token) {
        let mine = if item.who == Who::You {
            Token::Info
        } else {
            Token::Muted
        };
        let home = self.model.facts.currency();
        let money = |text: &Option<String>, currency: &Option<String>| match text.as_deref().map(str::parse) {
            Some(Ok(amount)) => format::money_short(amount, currency.as_deref().unwrap_or(home)),
            _ => format::UNKNOWN.to_owned(),
        };
        match &item.kind {
            ActivityKind::Created => ("new deal".to_owned(), Token::Muted),
            ActivityKind::Moved(stage) => (format!("moved to {stage}"), Token::Good),
            ActivityKind::Amount { from, to, currency } => (
                format!("amount {} → {}", money(from, currency), money(to, currency)),
                mine,
            ),
            ActivityKind::CloseDate(at) => {
                let zone = self.model.facts.zone();
                let day = at.map(|at| format::day(at.to_zoned(zone).date(), self.model.today()));
                (
                    format!("close date → {}", day.as_deref().unwrap_or(format::UNKNOWN)),
                    mine,
                )
            }
            ActivityKind::NextStep(Some(step)) => (format!("next step: {step}"), Token::Muted),
            ActivityKind::NextStep(None) => ("next step cleared".to_owned(), Token::Muted),
            ActivityKind::Owner(owner) => {
                let owner = owner.as_ref().and_then(|id| self.model.facts.owners.get(id));
                let name = owner.map_or_else(|| "nobody".to_owned(), crate::domain::Owner::name);
                (format!("owner → {name}"), Token::Muted)
            }
            ActivityKind::Renamed(old) => (format!("was {old}"), Token::Muted),
            ActivityKind::Note(lines) => (
                format!("note, {}", format::plural(*lines as u64, "line", "lines")),
                Token::Muted,
            ),
            ActivityKind::Archived => ("archived".to_owned(), Token::Bad),
            ActivityKind::Said(text) => (text.clone(), Token::Warn),
        }
    }
}

/// The change since yesterday; a dot when there is none, nothing when yesterday is not known.
fn change(before: Option<u64>, now: u64) -> String {
    match before {
        None => String::new(),
        Some(before) if before == now => "·".to_owned(),
        Some(before) if before < now => format!("+{}", format::count_short(now - before)),
        Some(before) => format!("−{}", format::count_short(before - now)),
    }
}

/// The last bar judges where the name of a segment is a judgement.
fn today(name: &str) -> Token {
    match name {
        "engaged" => Token::Good,
        "high_value" => Token::Accent,
        "at_risk" => Token::Bad,
        "closing_soon" => Token::Warn,
        _ => Token::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_its_direction_and_nothing_when_there_is_no_yesterday() {
        assert_eq!(change(Some(546), 567), "+21");
        assert_eq!(change(Some(221), 212), "−9");
        assert_eq!(change(Some(12), 12), "·");
        assert_eq!(change(None, 12), "");
    }
}
