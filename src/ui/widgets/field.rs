//! What is being typed: one line with its cursor.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::{
    app::Line,
    ui::{
        glyphs::Glyph,
        look::{Ink, Look},
        row::Row,
        theme::{Depth, Token},
    },
};

/// The text around the cursor in at most `room` cells: what is left of the cursor scrolls out first.
#[must_use]
pub fn field<'l>(look: &'l Look, line: &Line, room: u16, ink: Ink) -> Row<'l> {
    let clusters: Vec<&str> = line.text.graphemes(true).collect();
    typed(look, &clusters, line.cursor, room, ink)
}

/// The same for a secret: a dot for every character.
#[must_use]
pub fn secret<'l>(look: &'l Look, line: &Line, room: u16) -> Row<'l> {
    let dots = vec![look.glyphs.sign(Glyph::Secret); line.text.graphemes(true).count()];
    typed(look, &dots, line.cursor, room, Token::Strong.bold())
}

/// Clusters with a cursor among them.
#[must_use]
pub fn typed<'l>(look: &'l Look, clusters: &[&str], cursor: usize, room: u16, ink: Ink) -> Row<'l> {
    let cursor = cursor.min(clusters.len());
    let (before, after) = clusters.split_at(cursor);
    let width = |text: &str| look.text(text).width();
    let under = after.first().copied().filter(|_| look.depth != Depth::NoAttributes);
    let mut left = room.saturating_sub(under.map_or(1, width));
    let shown = before
        .iter()
        .rev()
        .take_while(|cluster| {
            let fits = width(cluster) <= left;
            left -= if fits { width(cluster) } else { 0 };
            fits
        })
        .count();
    let row = look.row().add(before[before.len() - shown..].concat(), ink);
    let (row, rest) = match under {
        Some(cluster) => (row.add(cluster, Token::Accent.filled()), &after[1..]),
        None => (row.sign(Glyph::Cursor, Token::Accent), after),
    };
    let rest = look.text(&rest.concat()).fit(left);
    row.add_safe(rest, ink)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::{glyphs::Glyphs, theme::Theme};

    fn drawn(text: &str, cursor: usize, room: u16, depth: Depth) -> String {
        let look = Look::new(Theme::Dark, depth, Glyphs::Unicode);
        let line = Line {
            text: text.to_owned(),
            cursor,
        };
        let row = field(&look, &line, room, Token::Strong.bold());
        assert!(row.width() <= room.max(2), "{text}");
        row.fitted(99)
            .iter()
            .map(|(text, _)| text.as_str().to_owned())
            .collect()
    }

    #[test]
    fn the_cursor_is_always_in_view() {
        assert_eq!(drawn("lo", 2, 20, Depth::True), "lo█");
        assert_eq!(drawn("lost", 1, 20, Depth::True), "lost");
        assert_eq!(drawn("lost", 1, 20, Depth::NoAttributes), "l█ost");
        assert_eq!(drawn("send revised quote", 18, 6, Depth::True), "quote█");
        assert_eq!(drawn("月光チーズ", 5, 6, Depth::True), "ーズ█");
        assert_eq!(drawn("", 9, 6, Depth::True), "█");
    }
}
