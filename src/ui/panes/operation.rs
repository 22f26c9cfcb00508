//! One operation of the outbox: why it is where it is, what it would change, what was tried, and what a person can decide.

use ratatui::layout::Rect;

use crate::{
    app::{
        Confirm, Geometry, Model, OperationView,
        outbox::{duplicate_safe, find, next_try, record_name, story_of},
        registry::{Action, Context},
        values::{ThreeValues, label, spoken, three_values, wants_fields},
    },
    domain::{Decision, OpError, OpState, Operation, Payload, format, html_to_text},
    ui::{
        canvas::Canvas,
        glyphs::Glyph,
        look::{Ink, Look},
        row::Row,
        theme::Token,
        widgets::overlay::{self, Shape},
    },
};

use super::{
    keys,
    marks::{op_sign, op_word},
};

const WIDTH: u16 = 104;
/// Characters of a note that are shown.
const NOTE: usize = 600;

/// What is asked of the person about an operation, or why nothing is.
#[must_use]
pub fn asked(operation: &Operation) -> &'static str {
    let class = operation.error.as_ref().map_or("", |error| error.class.as_str());
    match (operation.state, class) {
        (OpState::Queued, _) => "it waits to be sent, nothing is asked of you",
        (OpState::InFlight, _) => "it is being sent right now",
        (OpState::Uncertain, _) => "the reply was lost: HubSpot is asked before any other try",
        (OpState::Landed, _) => "HubSpot has it, the board shows it with the next look",
        (OpState::Done, _) => "HubSpot has it",
        (OpState::Cancelled, _) => "it was given up, nothing of it is sent any more",
        (OpState::Superseded, _) => "a newer change of the same values went instead",
        (OpState::Conflict, _) => "nothing is sent until you choose: theirs, yours, or another value",
        (OpState::Dead, _) => "HubSpot refuses it: edit it, send it again, or drop it",
        (OpState::Held, OpError::NEEDS_FIELDS) => "fill in what HubSpot wants, then it is sent",
        (OpState::Held, "scope") => "grant the scope in HubSpot, then send it again",
        (OpState::Held, "unknown_outcome" | "poison") => "check HubSpot, then send it again or drop it",
        (OpState::Held, OpError::MERGED) => "send it again to make the change on the record that is left, or drop it",
        (OpState::Held, "not_found") => "restore the record in HubSpot and send it again, or drop it",
        (OpState::Held, "auth") => "use that account's token and send it again, or drop it",
        (OpState::Held, _) => "mend what HubSpot says, then send it again, or drop it",
    }
}

/// Draws an operation that is open.
pub fn operation(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, view: &OperationView) {
    let look = canvas.look;
    let Some(operation) = find(model, view.op) else {
        return;
    };
    let width = if geometry.size.0 >= 100 {
        WIDTH.min(geometry.size.0 - 4)
    } else {
        geometry.size.0
    };
    let lines = lines(look, model, operation, width.saturating_sub(6));
    let shape = Shape {
        width,
        height: u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(6),
        whole_screen: true,
    };
    let (glyph, token) = op_sign(operation.state);
    let title = look
        .row()
        .sign(glyph, token.bold())
        .blank(1)
        .add(op_word(operation.state), token.bold())
        .blank(2)
        .add(&operation.title, Token::Strong.bold());
    let fact = look
        .row()
        .add(format::age(operation.created_at, model.now), Token::Muted);
    let inner = overlay::open(canvas, geometry, &shape, title, fact);
    let sentence = match &model.said {
        Some(_) => super::context::said(look, model),
        None => look.row().add(asked(operation), Token::Muted),
    };
    let body = keys::foot(canvas, model, inner, sentence, look.row());
    let body = Rect {
        y: body.y + 1,
        height: body.height.saturating_sub(1),
        ..body
    };
    let room = usize::from(body.height);
    let first = view.scroll.min(lines.len().saturating_sub(room));
    let hidden = lines.len().saturating_sub(first + room);
    for (y, line) in (body.y..body.bottom()).zip(lines.into_iter().skip(first)) {
        canvas.row(body.x, y, body.width, line);
    }
    if hidden > 0 {
        let more = look
            .row()
            .blank(1)
            .sign(Glyph::Menu, Token::Muted)
            .add(format!(" {hidden} more"), Token::Muted);
        canvas.row_right(body.right(), body.y, body.width, more);
    }
}

/// Everything there is to say about an operation that is open, most important first.
fn lines<'l>(look: &'l Look, model: &Model, operation: &Operation, room: u16) -> Vec<Row<'l>> {
    let mut lines = told(look, model, operation, room, true);
    lines.extend(choices(look, model, operation, true));
    lines.extend(sends(look, model, operation));
    lines
}

/// What has room in so many rows below the table: what can be decided is always there, in one row where it is tight.
pub fn summary<'l>(look: &'l Look, model: &Model, operation: &Operation, room: u16, rows: usize) -> Vec<Row<'l>> {
    let mut lines = told(look, model, operation, room, false);
    let mut choices = choices(look, model, operation, false);
    if lines.len() + choices.len() > rows {
        let context = Context::Outbox;
        let decide = decisions(operation)
            .into_iter()
            .filter(|(action, ..)| action.possible(model).is_ok());
        let line = decide.fold(look.row(), |row, (action, word, _)| {
            let row = if row.is_empty() { row } else { row.blank(3) };
            row.add(keys_of(model, context, action), Token::Accent.bold())
                .blank(1)
                .add(word, Token::Strong.bold())
        });
        choices = if line.is_empty() { Vec::new() } else { vec![line] };
    }
    while lines.last().is_some_and(Row::is_empty) && lines.len() + choices.len() > rows {
        lines.pop();
    }
    lines.truncate(rows.saturating_sub(choices.len()));
    lines.extend(choices);
    lines
}

/// Why it is where it is, and what it would change.
fn told<'l>(look: &'l Look, model: &Model, operation: &Operation, room: u16, open: bool) -> Vec<Row<'l>> {
    let mut lines = Vec::new();
    // What was given up has no trouble any more.
    let is_over = matches!(operation.state, OpState::Cancelled | OpState::Superseded);
    let error = operation.error.as_ref().filter(|_| !is_over);
    let reason = error.map(|error| error.message.as_str());
    let ink: Ink = match reason {
        Some(_) if operation.state.needs_person() => Token::Text.into(),
        _ => Token::Muted.into(),
    };
    for line in look.text(reason.unwrap_or_else(|| asked(operation))).wrap(room) {
        lines.push(look.row().add_safe(line, ink));
    }
    lines.extend(facts(look, model, operation, room, open));
    lines.push(look.row());
    let values = values(look, model, operation, room);
    if !values.is_empty() {
        lines.extend(values);
        lines.push(look.row());
    }
    if let Payload::CreateNote { body, .. } = &operation.payload {
        let text = html_to_text(body, NOTE);
        for paragraph in text.lines().take(if open { 12 } else { 3 }) {
            lines.extend(
                look.text(paragraph)
                    .wrap(room)
                    .into_iter()
                    .map(|line| look.row().add_safe(line, Token::Text)),
            );
        }
        lines.push(look.row());
    }
    lines
}

/// `class conflict · duplicate-safe: yes · 2 tries · next: you choose · 5c0d9e21`
fn facts<'l>(look: &'l Look, model: &Model, operation: &Operation, room: u16, open: bool) -> Vec<Row<'l>> {
    let mut parts: Vec<(String, Ink)> = Vec::new();
    if let Some(error) = &operation.error {
        parts.push((format!("class {}", error.class), Token::Muted.into()));
    }
    match duplicate_safe(operation) {
        Some(true) => parts.push(("duplicate-safe: yes".to_owned(), Token::Muted.into())),
        Some(false) => parts.push(("duplicate-safe: no".to_owned(), Token::Warn.bold())),
        None => {}
    }
    let tries = format::plural(u64::from(operation.attempts), "try", "tries");
    parts.push((tries, Token::Muted.into()));
    if !operation.state.is_final() {
        parts.push((format!("next: {}", next_try(model, operation)), Token::Muted.into()));
    }
    if open {
        parts.push((record_name(model, operation), Token::Muted.into()));
        parts.push((format!("id {}", operation.id.tail()), Token::Muted.into()));
    }
    if let Some(id) = operation
        .error
        .as_ref()
        .and_then(|error| error.correlation_id.as_deref())
    {
        parts.push((format!("correlation id {id}"), Token::Muted.into()));
    }
    let mut rows: Vec<Row<'l>> = Vec::new();
    for (text, ink) in parts {
        let part = look.row().add(&text, ink);
        match rows.pop() {
            Some(last) if last.width() + part.width() + 3 <= room => {
                rows.push(last.add(" · ", Token::Muted).join(part));
            }
            last => rows.extend(last.into_iter().chain([part])),
        }
    }
    rows
}

/// What was seen, what there is, what is wanted: side by side, or under each other where it is narrow.
fn values<'l>(look: &'l Look, model: &Model, operation: &Operation, room: u16) -> Vec<Row<'l>> {
    let all = three_values(operation, story_of(model, operation.id));
    if all.is_empty() {
        return Vec::new();
    }
    let words = |value: Option<Option<&str>>, name: &str| match value {
        None => format::UNKNOWN.to_owned(),
        Some(None | Some("")) => "nothing".to_owned(),
        Some(Some(value)) => spoken(model, operation, name, value),
    };
    let inks = |three: &ThreeValues<'_>| {
        let changed = three.theirs.is_some() && three.theirs != three.base;
        let theirs: Ink = if changed {
            Token::Info.bold()
        } else {
            Token::Text.into()
        };
        [Token::Muted.into(), theirs, Token::Accent.bold()]
    };
    let heads = ["you saw", "there is now", "you want"];
    let cells = |three: &ThreeValues<'_>| {
        [
            words(three.base, three.name),
            words(three.theirs, three.name),
            words(Some(three.ours), three.name),
        ]
    };
    if room < 64 {
        let stacked = all.iter().flat_map(|three| {
            let head = look
                .row()
                .add(label(model, operation.id, three.name), Token::Strong.bold());
            let rows = (heads.iter().zip(cells(three)).zip(inks(three)))
                .map(|((head, text), ink)| look.row().blank(2).add(*head, Token::Muted).pad_to(16).add(text, ink));
            std::iter::once(head).chain(rows).collect::<Vec<_>>()
        });
        return stacked.collect();
    }
    let labels = all
        .iter()
        .map(|three| look.text(&label(model, operation.id, three.name)).width() + 2);
    let labels = labels.max().unwrap_or(0).min(20);
    let cell = room.saturating_sub(labels).min(96) / 3;
    let line = |first: Row<'l>, texts: [String; 3], inks: [Ink; 3]| {
        (0_u16..)
            .zip(texts.into_iter().zip(inks))
            .fold(first, |row, (nth, (text, ink))| {
                let text = look.text(&text).fit(cell.saturating_sub(2));
                row.pad_to(labels + nth * cell).add_safe(text, ink)
            })
    };
    let head = line(look.row(), heads.map(str::to_owned), [Token::Muted.into(); 3]);
    let rows = all.iter().map(|three| {
        let name = look
            .text(&label(model, operation.id, three.name))
            .fit(labels.saturating_sub(1));
        line(look.row().add_safe(name, Token::Text), cells(three), inks(three))
    });
    std::iter::once(head).chain(rows).collect()
}

/// What a person may decide, in words: what it is called, and what comes of it.
fn decisions(operation: &Operation) -> [(Action, &'static str, &'static str); 3] {
    let (drop, drop_words) = match operation.state {
        OpState::Queued => ("take it back", "nothing is sent"),
        OpState::Conflict => ("keep theirs", "your change is dropped"),
        _ => ("drop it", "it is given up, HubSpot stays as it is"),
    };
    let (send, send_words) = match operation.state {
        OpState::Queued => ("send it now", "without waiting for its time"),
        OpState::Conflict => ("send mine", "over what is there now"),
        _ if duplicate_safe(operation) == Some(false) => ("send it again", "there may be a second copy then"),
        _ => ("send it again", "as it is"),
    };
    let (amend, amend_words) = match wants_fields(operation) {
        true => ("fill in", "what HubSpot wants, then send"),
        false => ("edit", "other values, then send those"),
    };
    [
        (Action::Drop, drop, drop_words),
        (Action::Retry, send, send_words),
        (Action::Amend, amend, amend_words),
    ]
}

/// The keys of an action, the digit first: it is the same for every operation.
fn keys_of(model: &Model, context: Context, action: Action) -> String {
    let keys: Vec<String> = model.keymap.keys(context, action).map(|key| key.to_string()).collect();
    let (digits, others): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.parse::<u8>().is_ok());
    let keys: Vec<&str> = digits.into_iter().chain(others).map(String::as_str).take(2).collect();
    keys.join(" ")
}

/// What a person can decide, with the keys. In the table the digits work as well, so both lists are the same.
fn choices<'l>(look: &'l Look, model: &Model, operation: &Operation, open: bool) -> Vec<Row<'l>> {
    let context = if open { Context::Operation } else { Context::Outbox };
    // While a form or a question is open, what is possible is decided there.
    let possible = |action: Action| action.possible(model).is_ok();
    let leave = open.then_some((Action::CloseOperation, "leave it", "nothing is decided now"));
    let rows = decisions(operation)
        .into_iter()
        .filter(|(action, ..)| possible(*action))
        .chain(leave);
    let rows: Vec<Row<'l>> = rows
        .map(|(action, word, meaning)| {
            look.row()
                .add(keys_of(model, context, action), Token::Accent.bold())
                .pad_to(7)
                .add(word, Token::Strong.bold())
                .pad_to(23)
                .add(meaning, Token::Muted)
        })
        .collect();
    rows
}

/// Every send, newest last.
fn sends<'l>(look: &'l Look, model: &Model, operation: &Operation) -> Vec<Row<'l>> {
    let zone = model.facts.zone();
    let mut rows = Vec::new();
    let Some(story) = story_of(model, operation.id).map(|story| &story.story) else {
        return rows;
    };
    let mut line = |name: String, text: String| {
        rows.push(look.row().add(name, Token::Muted).pad_to(20).add(text, Token::Text));
    };
    let day = |at: jiff::Timestamp| at.to_zoned(zone.clone()).date();
    let when = |at: jiff::Timestamp| match day(at) {
        today if today == model.today() => format::clock_seconds(at, &zone),
        other => format!(
            "{} {}",
            format::day(other, model.today()),
            format::clock_seconds(at, &zone)
        ),
    };
    line("kept".to_owned(), when(operation.created_at));
    for attempt in &story.attempts {
        let outcome = attempt.outcome.map_or("no outcome yet", op_word);
        let status = attempt
            .http_status
            .map(|status| format!(", status {status}"))
            .unwrap_or_default();
        let lost = if attempt.ambiguous {
            ", nobody knows whether it took effect"
        } else {
            ""
        };
        line(
            format!("send {}", attempt.n),
            format!("{}  {outcome}{status}{lost}", when(attempt.intent_at)),
        );
    }
    if let Some(id) = &operation.remote_id {
        line("came of it".to_owned(), id.clone());
    }
    if !rows.is_empty() {
        rows.insert(0, look.row());
    }
    rows
}

/// Draws a question before something that cannot be taken back.
pub fn confirm(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry, confirm: &Confirm) {
    let look = canvas.look;
    let Some(operation) = find(model, confirm.op) else {
        return;
    };
    let (title, text) = match confirm.decision {
        Decision::Drop => (
            "Drop it?",
            "It is given up for good: nothing of it is sent any more, and undo does not bring it back. HubSpot stays as it is.",
        ),
        _ => (
            "Send it again?",
            "HubSpot may have this note already, and without a unique key it cannot tell a second copy from the first: there \
             may be two then.",
        ),
    };
    let width = 76_u16.min(geometry.size.0.saturating_sub(4));
    let room = width.saturating_sub(6);
    let mut lines: Vec<Row<'_>> = vec![look.row().add(&operation.title, Token::Strong.bold()), look.row()];
    lines.extend(
        look.text(text)
            .wrap(room)
            .into_iter()
            .map(|line| look.row().add_safe(line, Token::Text)),
    );
    let shape = Shape {
        width,
        height: u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(5),
        whole_screen: true,
    };
    let title = look.row().add(title, Token::Warn.bold());
    let inner = overlay::open(canvas, geometry, &shape, title, look.row());
    let body = keys::foot(canvas, model, inner, look.row(), look.row());
    for (y, line) in (body.y + 1..body.bottom()).zip(lines) {
        canvas.row(body.x, y, body.width, line);
    }
}
