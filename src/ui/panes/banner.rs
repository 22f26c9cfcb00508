//! The banner: what keeps HubSpot from answering, or us from reading, what that means for what is seen and written, and when it goes on.

use ratatui::layout::Rect;

use crate::{
    app::{Geometry, Model},
    domain::{Connection, FaultKind, format},
    ui::{
        canvas::Canvas,
        look::Look,
        row::{Row, squeeze},
        theme::Token,
    },
};

/// What a banner says: how bad, the news, what it means (longest first), and when or how it goes on.
struct Words {
    token: Token,
    news: String,
    meaning: [&'static str; 2],
    next: Vec<(&'static str, String)>,
}

/// Draws the banner right under the header.
pub fn banner(canvas: &mut Canvas<'_>, model: &Model, geometry: &Geometry) {
    if !geometry.banner {
        return;
    }
    let Some(words) = words(model) else { return };
    let width = geometry.size.0;
    canvas.plane(Rect::new(0, geometry.header, width, 1), Token::Raised);
    let area = Rect::new(1, geometry.header, width.saturating_sub(2), 1);
    let look = canvas.look;
    let news = look
        .row()
        .add("! ", words.token.bold())
        .add(&words.news, Token::Strong.bold());
    let next = squeeze(
        look,
        words
            .next
            .iter()
            .enumerate()
            .map(|(nth, (key, text))| (u8::try_from(nth).unwrap_or(u8::MAX), next(look, key, text)))
            .collect(),
        3,
        area.width / 2,
    );
    // Both are somebody's sentences and may be long: what happened comes first, and what to do keeps a third.
    let next = next.cut(area.width.saturating_sub(news.width() + 3).max(area.width / 3));
    let room = area.width.saturating_sub(news.width() + next.width() + 4);
    let meaning = words
        .meaning
        .iter()
        .map(|text| look.text(text))
        .find(|text| text.width() <= room);
    let row = match meaning {
        Some(meaning) => news.blank(2).add_safe(meaning, Token::Text),
        None => news,
    };
    canvas.ends(area, row, next);
}

/// A time is a value after its word, a key stands before its word.
fn next<'l>(look: &'l Look, key: &str, text: &str) -> Row<'l> {
    if key.chars().count() > 2 {
        look.row()
            .add(key, Token::Muted)
            .blank(1)
            .add(text, Token::Strong.bold())
    } else {
        look.row()
            .add(key, Token::Accent.bold())
            .blank(1)
            .add(text, Token::Muted)
    }
}

/// One thing at a time, worst first: nothing goes, then nothing may be written, then what a person must mend, then what
/// passes by itself.
fn words(model: &Model) -> Option<Words> {
    let zone = model.facts.zone();
    let clock = |at| format::clock_seconds(at, &zone);
    match &model.freshness.connection {
        Connection::Offline { next_try, .. } => Some(Words {
            token: Token::Bad,
            news: "HubSpot does not answer.".to_owned(),
            meaning: [
                "You see what was true then. Your changes are kept on disk and go first when it is back.",
                "Your changes are kept and go first.",
            ],
            next: vec![("next try", clock(*next_try)), ("r", "now".to_owned())],
        }),
        Connection::ReadOnly(fault) if fault.kind == FaultKind::Auth => Some(Words {
            token: Token::Bad,
            news: sentence(&fault.what),
            meaning: [
                "Nothing is lost: you see what was true then, and your changes are kept on disk.",
                "Nothing is lost.",
            ],
            next: hint(&fault.next),
        }),
        Connection::ReadOnly(fault) => Some(Words {
            token: Token::Warn,
            news: format!("Read only: {}.", fault.what),
            meaning: ["Nothing is lost.", ""],
            next: hint(&fault.next),
        }),
        connection => match (&model.freshness.trouble, connection) {
            (Some(fault), _) => Some(Words {
                token: Token::Warn,
                news: sentence(&fault.what),
                meaning: ["Everything else goes on.", ""],
                next: hint(&fault.next),
            }),
            (None, Connection::Slowed { until }) => Some(Words {
                token: Token::Warn,
                news: "HubSpot asks to slow down.".to_owned(),
                meaning: ["Reads wait, your writes go first.", "Reads wait."],
                next: vec![("reads again", clock(*until))],
            }),
            _ => None,
        },
    }
}

/// A fault's clause as a sentence of its own.
fn sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).chain(['.']).collect()
    })
}

fn hint(next: &str) -> Vec<(&'static str, String)> {
    if next.is_empty() {
        Vec::new()
    } else {
        vec![("next:", next.to_owned())]
    }
}
