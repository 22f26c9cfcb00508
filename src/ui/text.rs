//! Text on its way to cells. [`SafeText`] is the only text the screen takes, and [`SafeText::new`] the only way to make
//! one: whatever came from HubSpot, from a keyboard or from another room has passed `domain::safe` when it is drawn. Width
//! is counted in cells; nothing here knows a pane.

use ratatui::buffer::CellWidth as _;
use unicode_segmentation::UnicodeSegmentation as _;

use super::glyphs::{Glyph, Glyphs};
use crate::domain::safe;

/// One line of text that can be drawn: harmless to a terminal, its width known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeText {
    text: String,
    width: u16,
    glyphs: Glyphs,
}

impl SafeText {
    /// Makes any text drawable: controls and escape sequences go, invisible characters become marks, and with the ASCII
    /// set our own signs are spelled out.
    #[must_use]
    pub fn new(text: &str, glyphs: Glyphs) -> Self {
        let clean = safe(text);
        let mut out = String::with_capacity(clean.len());
        for c in clean.chars() {
            match glyphs.spelling(c) {
                Some(spelled) => out.push_str(spelled),
                None => out.push(c),
            }
        }
        Self::clean(out, glyphs)
    }

    /// A sign of our own.
    #[must_use]
    pub fn sign(glyph: Glyph, glyphs: Glyphs) -> Self {
        Self::clean(glyphs.sign(glyph).to_owned(), glyphs)
    }

    fn clean(text: String, glyphs: Glyphs) -> Self {
        let width = cells(&text);
        Self { text, width, glyphs }
    }

    /// Cells it takes.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Nothing to draw.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// At most `room` cells: cut at the end with an ellipsis, never through a wide character, no blank before the ellipsis.
    #[must_use]
    pub fn fit(&self, room: u16) -> Self {
        if self.width <= room {
            return self.clone();
        }
        let ellipsis = self.glyphs.sign(Glyph::Ellipsis);
        if room == 0 {
            return Self::clean(String::new(), self.glyphs);
        }
        let kept = self.text[..self.byte_at(room - 1)].trim_end();
        Self::clean(format!("{kept}{ellipsis}"), self.glyphs)
    }

    /// At most `room` cells: cut in the middle, so that both ends stay (an e-mail keeps its host's end).
    #[must_use]
    pub fn fit_middle(&self, room: u16) -> Self {
        if self.width <= room || room < 3 {
            return self.fit(room);
        }
        let (left, right) = ((room - 1) / 2, (room - 1) - (room - 1) / 2);
        let head = &self.text[..self.byte_at(left)];
        let mut tail = String::new();
        for cluster in self.text.graphemes(true).rev() {
            if cells(&tail) + cells(cluster) > right {
                break;
            }
            tail.insert_str(0, cluster);
        }
        Self::clean(
            format!("{head}{}{tail}", self.glyphs.sign(Glyph::Ellipsis)),
            self.glyphs,
        )
    }

    /// A number in at most `room` cells: whole, or `#`. A number is never cut.
    #[must_use]
    pub fn fit_number(&self, room: u16) -> Self {
        if self.width <= room {
            self.clone()
        } else {
            Self::clean("#".repeat(usize::from(room.min(1))), self.glyphs)
        }
    }

    /// Its first character.
    #[must_use]
    pub fn first(&self) -> Self {
        let first = self.text.graphemes(true).next().unwrap_or_default();
        Self::clean(first.to_owned(), self.glyphs)
    }

    /// Blanks before it, up to `width` cells: a number that ends where its column ends.
    #[must_use]
    pub fn pad_left(&self, width: u16) -> Self {
        let blanks = " ".repeat(usize::from(width.saturating_sub(self.width)));
        Self::clean(format!("{blanks}{}", self.text), self.glyphs)
    }

    /// The byte after as many whole characters as fit in `room` cells.
    fn byte_at(&self, room: u16) -> usize {
        let mut used = 0;
        for (at, cluster) in self.text.grapheme_indices(true) {
            used += cells(cluster);
            if used > room {
                return at;
            }
        }
        self.text.len()
    }

    /// Breaks it into lines of at most `room` cells (three, if it is less) at blanks; a word longer than a line is broken where it must be.
    #[must_use]
    pub fn wrap(&self, room: u16) -> Vec<Self> {
        let room = room.max(NARROWEST);
        let mut lines = Vec::new();
        let mut rest = self.clone();
        while rest.width > room {
            let cut = rest.byte_at(room);
            let at = match rest.text[..cut].rfind(' ') {
                _ if rest.text[cut..].starts_with(' ') => cut,
                Some(blank) if !rest.text[..blank].trim().is_empty() => blank,
                _ if cut > 0 => cut,
                // One character as people see it can be wider than the line (a letter with spacing marks): its parts.
                _ => rest.text.chars().next().map_or(1, char::len_utf8),
            };
            let (line, tail) = rest.text.split_at(at);
            lines.push(Self::clean(line.trim_end().to_owned(), self.glyphs));
            rest = Self::clean(tail.strip_prefix(' ').unwrap_or(tail).to_owned(), self.glyphs);
        }
        lines.push(rest);
        lines
    }
}

/// The narrowest line text is broken into: one code point, the three-em dash, is that wide.
const NARROWEST: u16 = 3;

/// Cells a text takes: the sum over its characters as people see them, as the screen library counts them.
fn cells(text: &str) -> u16 {
    text.graphemes(true)
        .fold(0_u16, |sum, cluster| sum.saturating_add(cluster.cell_width()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> SafeText {
        SafeText::new(text, Glyphs::Unicode)
    }

    #[test]
    fn text_is_cut_by_cells_and_never_through_a_wide_character() {
        for (whole, room, cut) in [
            ("Acme Rocket Skates EMEA", 17, "Acme Rocket Skat…"),
            ("Acme Rocket Skates", 5, "Acme…"),
            ("Acme Rocket", 6, "Acme…"),
            ("Moss Co", 7, "Moss Co"),
            ("月光チーズ株式会社", 18, "月光チーズ株式会社"),
            ("月光チーズ株式会社", 17, "月光チーズ株式会…"),
            ("月光チーズ株式会社", 16, "月光チーズ株式…"),
            ("月光", 1, "…"),
            ("月光", 0, ""),
        ] {
            assert_eq!(text(whole).fit(room).as_str(), cut, "{whole} in {room}");
        }
    }

    #[test]
    fn an_address_keeps_both_ends() {
        assert_eq!(
            text("dulcie@juniper.example").fit_middle(18).as_str(),
            "dulcie@j…r.example"
        );
        assert_eq!(text("a@b.example").fit_middle(20).as_str(), "a@b.example");
    }

    #[test]
    fn a_number_is_whole_or_a_hash() {
        assert_eq!(text("$48.0K").fit_number(6).as_str(), "$48.0K");
        assert_eq!(text("$48.0K").fit_number(5).as_str(), "#");
        assert_eq!(text("$48.0K").fit_number(0).as_str(), "");
    }

    #[test]
    fn lines_break_at_blanks() {
        let lines = |whole: &str, room| {
            text(whole)
                .wrap(room)
                .iter()
                .map(|l| l.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            lines("Champion is Wren (ops). Budget sits", 12),
            ["Champion is", "Wren (ops).", "Budget sits"]
        );
        assert_eq!(lines("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(lines("月光チーズ", 4), ["月光", "チー", "ズ"]);
        assert_eq!(lines("", 4), [""]);
    }

    #[test]
    fn the_ascii_set_spells_our_own_signs_and_leaves_names_alone() {
        let ascii = |text| SafeText::new(text, Glyphs::Ascii).as_str().to_owned();
        assert_eq!(ascii("9 → 8 · 月光 − 1"), "9 -> 8 . 月光 - 1");
        assert_eq!(SafeText::new("abcdef", Glyphs::Ascii).fit(4).as_str(), "abc~");
    }

    #[test]
    fn a_character_wider_than_the_line_is_broken_into_its_parts() {
        let widest = ('\u{20}'..=char::MAX)
            .map(|c| text(c.encode_utf8(&mut [0; 4])).width())
            .max();
        assert_eq!(
            widest,
            Some(NARROWEST),
            "a single code point always fits the narrowest line"
        );
        for whole in ["𝍠ෘ", "ab 𝍠ෘ𝍠ෘ", "\u{0ba8}\u{0bcb}\u{0bcb}\u{0bcb}"] {
            let lines = text(whole).wrap(0);
            assert!(lines.iter().all(|line| line.width() <= NARROWEST), "{lines:?}");
            let kept: String = lines.iter().map(SafeText::as_str).collect();
            assert_eq!(kept.replace(' ', ""), whole.replace(' ', ""));
        }
    }

    proptest! {
        #[test]
        fn nothing_is_ever_wider_than_its_room(whole in "\\PC{0,40}", room in 0_u16..30) {
            let whole = text(&whole);
            prop_assert!(whole.fit(room).width() <= room);
            prop_assert!(whole.fit_middle(room).width() <= room);
            prop_assert!(whole.fit_number(room).width() <= room);
            prop_assert!(whole.wrap(room).iter().all(|line| line.width() <= room.max(NARROWEST)));
        }
    }
}
