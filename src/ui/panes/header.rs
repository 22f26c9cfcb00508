//! The header: what this is, where I am, how true it is, and how far from the goal.

use ratatui::layout::Rect;

use crate::{
    app::{
        Geometry, Model, Scope, Screen,
        registry::{Action, Context},
    },
    domain::{Connection, format},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::Look,
        row::{Row, squeeze},
        theme::Token,
    },
};

use super::goal::Goal;

/// Draws the header rows.
pub fn header(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry) {
    let width = geometry.size.0;
    canvas.plane(Rect::new(0, 0, width, geometry.header), Token::Surface);
    let room = width.saturating_sub(2);
    let row = |y| Rect::new(1, y, room, 1);
    let look = canvas.look;
    if geometry.header < 2 {
        one_row(canvas, model, row(0));
        return;
    }
    let state = state(look, model, true);
    let state = if state.width() + 24 > room {
        self::state(look, model, false)
    } else {
        state
    };
    let views = name(look, model, true);
    let views = if views.width() + state.width() + 2 > room {
        name(look, model, false).join(need_you(look, model))
    } else {
        views
    };
    canvas.ends(row(0), views, state);
    match &model.screen {
        Screen::Board => where_and_goal(canvas, model, row(1)),
        Screen::Deal(_) => deal(canvas, model, row(1)),
        Screen::Outbox(_) => canvas.ends(row(1), outbox(look, model), look.row()),
        Screen::Setup(_) => {}
    }
}

/// Product, demo mark, and the views there are.
pub fn name<'l>(look: &'l Look, model: &Model, views: bool) -> Row<'l> {
    let mut row = look.row().add("dealdeck", Token::Accent.bold());
    if model.settings.demo {
        row = row.blank(1).add("demo", Token::Mark.bold());
    }
    if views {
        let here = matches!(model.screen, Screen::Outbox(_));
        row = if here {
            let view = |key: &str, word: &str| look.row().add(key, Token::Accent.bold()).add(word, Token::Text);
            let key = model
                .keymap
                .first_key(Context::Outbox, Action::Escape)
                .unwrap_or_default();
            row.blank(2)
                .join(view(&key, " Board"))
                .blank(2)
                .add(" Outbox ", Token::Accent.filled())
        } else {
            row.blank(2).add(" Board ", Token::Accent.filled())
        };
        row = row.join(need_you(look, model));
    }
    row
}

/// How many operations need a person, with the key that goes to them; nothing when none does.
fn need_you<'l>(look: &'l Look, model: &Model) -> Row<'l> {
    let need = model.outbox.need_person();
    let row = look.row();
    if need == 0 {
        return row;
    }
    let words = if need == 1 {
        "1 needs you".to_owned()
    } else {
        format!("{} need you", format::count(need as u64))
    };
    match model.keymap.first_key(Context::under(model), Action::Outbox) {
        Some(key) => row
            .blank(3)
            .add(key, Token::Accent.bold())
            .add(" Outbox ", Token::Text)
            .add(words, Token::Warn.bold()),
        None => row.blank(2).add(words, Token::Warn.bold()),
    }
}

/// How much waits in the outbox, and that nothing of it is lost.
fn outbox<'l>(look: &'l Look, model: &Model) -> Row<'l> {
    let waiting = model.outbox.waiting();
    let row = look.row().add("Outbox", Token::Strong.bold()).blank(3);
    match waiting {
        0 => row.add("nothing waits", Token::Muted),
        _ => row.add(
            format!("{} waiting, nothing is lost", format::count(waiting as u64)),
            Token::Muted,
        ),
    }
}

/// The state of the connection; while it is live its age goes without saying.
pub fn state<'l>(look: &'l Look, model: &Model, long: bool) -> Row<'l> {
    let zone = model.facts.zone();
    let (glyph, token, word) = match &model.freshness.connection {
        Connection::Live => (Glyph::Live, Token::Good, "live".to_owned()),
        Connection::Cached => (Glyph::Cached, Token::Warn, "cached".to_owned()),
        Connection::Syncing(progress) => (Glyph::Cached, Token::Warn, syncing(progress, long)),
        Connection::Slowed { .. } => (Glyph::Cached, Token::Warn, "slowed".to_owned()),
        Connection::Offline { since, .. } if long => (
            Glyph::Offline,
            Token::Bad,
            format!("offline since {}", format::clock(*since, &zone)),
        ),
        Connection::Offline { .. } => (Glyph::Offline, Token::Bad, "offline".to_owned()),
        Connection::ReadOnly(_) => (Glyph::ReadOnly, Token::Warn, "read only".to_owned()),
    };
    let live = matches!(model.freshness.connection, Connection::Live);
    let word_token = if live { Token::Text.into() } else { token.bold() };
    let mut row = look.row().sign(glyph, token).blank(1).add(word, word_token);
    if live && model.settings.read_only {
        row = row
            .blank(1)
            .sign(Glyph::Dot, Token::Muted)
            .add(" read only", Token::Warn);
    }
    let Some(as_of) = model.freshness.as_of.filter(|_| !live) else {
        return row;
    };
    let old = model.now.as_second() - as_of.as_second() >= 12 * 3_600;
    let day = as_of.to_zoned(zone.clone()).date();
    let time = if old {
        let (day, clock) = (format::day_spoken(day, model.today()), format::clock(as_of, &zone));
        format!("as of {day} {clock}, {} old", format::age(as_of, model.now))
    } else {
        format!("as of {}", format::clock_seconds(as_of, &zone))
    };
    if long {
        row = row
            .blank(1)
            .sign(Glyph::Dot, Token::Muted)
            .blank(1)
            .add(time, Token::Muted);
    }
    row
}

fn syncing(progress: &crate::domain::Progress, long: bool) -> String {
    let fetched = format::count(progress.fetched);
    match progress.about {
        _ if !long => format!("reading {}", progress.what),
        Some(about) => format!("reading {}: {fetched} of about {}", progress.what, format::count(about)),
        None => format!("reading {}: {fetched}", progress.what),
    }
}

/// Pipeline, scope, and the goal as one sentence; the goal stands at the right.
fn where_and_goal(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let look = canvas.look;
    let place = place(look, model);
    let mut goal = Goal::of(model).parts(look, model);
    if matches!(model.freshness.connection, Connection::Syncing(_)) {
        goal.push((9, look.row().add("partial", Token::Warn)));
    }
    let room = area.width.saturating_sub(place.width() + 3);
    let goal = squeeze(look, goal, 2, room);
    let goal = if goal.width() > room { look.row() } else { goal };
    canvas.ends(area, place, goal);
}

fn place<'l>(look: &'l Look, model: &Model) -> Row<'l> {
    let pipeline = model
        .pipeline()
        .map_or("no pipeline", |pipeline| pipeline.label.as_str());
    look.row()
        .add_safe(look.text(pipeline).fit(28), Token::Strong.bold())
        .blank(1)
        .sign(Glyph::Menu, Token::Muted)
        .blank(3)
        .add(scope(model), Token::Text)
        .blank(1)
        .sign(Glyph::Menu, Token::Muted)
}

fn scope(model: &Model) -> &'static str {
    match model.board.scope {
        Scope::Mine => "My deals",
        Scope::Everyone => "All deals",
    }
}

/// Where a deal is: its stage and its place in the column, and how to walk on.
fn deal(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let look = canvas.look;
    let mut row = look.row().sign(Glyph::Left, Token::Accent).add(" Board", Token::Accent);
    let mut walk = look.row();
    if let Some(deal) = model.focused() {
        let column = model.board.columns.iter().find(|column| column.stage == deal.stage);
        if let Some(column) = column {
            row = row.blank(3).add(&column.label, Token::Text);
            if let Some(nth) = column.cards.iter().position(|id| *id == deal.id) {
                let place = format!("deal {} of {}", nth + 1, column.cards.len());
                row = row.blank(3).add(place, Token::Muted);
                walk = look
                    .row()
                    .add("^n ^p", Token::Accent.bold())
                    .add(" next, previous deal", Token::Muted);
            }
        }
    }
    let fits = row.width() + walk.width() + 2 <= area.width;
    canvas.ends(area, row, if fits { walk } else { look.row() });
}

/// Everything in one row, for low screens.
fn one_row(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let look = canvas.look;
    let state = state(look, model, false);
    let name = name(look, model, false);
    let scope = look.row().blank(2).add(scope(model), Token::Text);
    let mut left = name;
    let need = need_you(look, model);
    if left.width() + need.width() + state.width() + 4 <= area.width {
        left = left.join(need);
    }
    if left.width() + scope.width() + state.width() + 4 <= area.width {
        left = left.join(scope);
    }
    let room = area.width.saturating_sub(left.width() + state.width() + 5);
    let goal = squeeze(look, Goal::of(model).parts(look, model), 2, room);
    let right = if matches!(model.screen, Screen::Setup(_)) || goal.is_empty() || goal.width() > room {
        state
    } else {
        goal.blank(3).join(state)
    };
    canvas.ends(area, left, right);
}
