//! One line made of runs in different inks. Rows are built, measured and shortened before they are drawn, so a pane can
//! decide what to drop before anything is cut.

use super::{
    glyphs::Glyph,
    look::{Ink, Look},
    text::SafeText,
};

/// Runs of text, left to right.
#[derive(Clone, Debug)]
pub struct Row<'l> {
    look: &'l Look,
    runs: Vec<(SafeText, Ink)>,
}

impl<'l> Row<'l> {
    /// Nothing yet.
    #[must_use]
    pub const fn new(look: &'l Look) -> Self {
        Self { look, runs: Vec::new() }
    }

    /// Appends text.
    #[must_use]
    pub fn add(mut self, text: impl AsRef<str>, ink: impl Into<Ink>) -> Self {
        self.push(text, ink);
        self
    }

    /// Appends text in place.
    pub fn push(&mut self, text: impl AsRef<str>, ink: impl Into<Ink>) {
        self.runs.push((self.look.text(text.as_ref()), ink.into()));
    }

    /// Appends text that is drawable already.
    #[must_use]
    pub fn add_safe(mut self, text: SafeText, ink: impl Into<Ink>) -> Self {
        self.runs.push((text, ink.into()));
        self
    }

    /// Appends one of our own signs.
    #[must_use]
    pub fn sign(self, glyph: Glyph, ink: impl Into<Ink>) -> Self {
        let sign = self.look.sign(glyph);
        self.add_safe(sign, ink)
    }

    /// Appends blanks.
    #[must_use]
    pub fn blank(self, cells: u16) -> Self {
        self.add(" ".repeat(usize::from(cells)), super::theme::Token::Text)
    }

    /// Appends blanks up to a width.
    #[must_use]
    pub fn pad_to(self, width: u16) -> Self {
        let cells = width.saturating_sub(self.width());
        self.blank(cells)
    }

    /// Appends another row.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.runs.extend(other.runs);
        self
    }

    /// Appends a name in at most `room` cells, the characters at these positions in another ink: the hits of a type-ahead.
    #[must_use]
    pub fn name_with_hits(mut self, name: &str, matched: &[u32], room: u16, ink: Ink, hit: Ink) -> Self {
        let fitted = self.look.text(name).fit(room);
        // Positions count characters of the name; they hold as far as making it safe changed nothing.
        let same = fitted
            .as_str()
            .chars()
            .zip(name.chars())
            .take_while(|(a, b)| a == b)
            .count();
        let is_hit = |nth: usize| nth < same && matched.iter().any(|at| usize::try_from(*at) == Ok(nth));
        let chars: Vec<char> = fitted.as_str().chars().collect();
        let mut start = 0;
        for end in 1..=chars.len() {
            if end == chars.len() || is_hit(end) != is_hit(start) {
                let run: String = chars[start..end].iter().collect();
                self.push(run, if is_hit(start) { hit } else { ink });
                start = end;
            }
        }
        self
    }

    /// Cells it takes.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.runs
            .iter()
            .fold(0_u16, |sum, (text, _)| sum.saturating_add(text.width()))
    }

    /// Nothing to draw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.iter().all(|(text, _)| text.is_empty())
    }

    /// The row, cut at the end to `room` cells.
    #[must_use]
    pub fn cut(self, room: u16) -> Self {
        Self {
            look: self.look,
            runs: self.fitted(room),
        }
    }

    /// The runs, cut at the end to `room` cells.
    #[must_use]
    pub fn fitted(self, room: u16) -> Vec<(SafeText, Ink)> {
        let mut left = room;
        let mut out = Vec::with_capacity(self.runs.len());
        for (text, ink) in self.runs {
            if text.width() <= left {
                left -= text.width();
                out.push((text, ink));
            } else {
                out.push((text.fit(left), ink));
                break;
            }
        }
        out
    }
}

/// Parts side by side, `gap` cells apart; while they are wider than `room`, the part with the highest drop number goes.
/// Parts with drop number 0 are never dropped.
#[must_use]
pub fn squeeze<'l>(look: &'l Look, parts: Vec<(u8, Row<'l>)>, gap: u16, room: u16) -> Row<'l> {
    squeeze_with(look, parts, &look.row().blank(gap), room)
}

/// The same with something between the parts.
#[must_use]
pub fn squeeze_with<'l>(look: &'l Look, mut parts: Vec<(u8, Row<'l>)>, between: &Row<'l>, room: u16) -> Row<'l> {
    parts.retain(|(_, part)| !part.is_empty());
    let width = |parts: &[(u8, Row)]| {
        let gaps = u16::try_from(parts.len().saturating_sub(1)).unwrap_or(0) * between.width();
        parts
            .iter()
            .fold(gaps, |sum, (_, part)| sum.saturating_add(part.width()))
    };
    while width(&parts) > room {
        let Some(most) = parts.iter().map(|(drop, _)| *drop).max().filter(|drop| *drop > 0) else {
            break;
        };
        let last = parts.iter().rposition(|(drop, _)| *drop == most).unwrap_or_default();
        parts.remove(last);
    }
    let mut out = look.row();
    for (nth, (_, part)) in parts.into_iter().enumerate() {
        if nth > 0 {
            out = out.join(between.clone());
        }
        out = out.join(part);
    }
    out
}
