//! Every sign the dashboard draws, in one table: what it means, the sign, and its stand-in on a terminal without it.

/// A sign by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glyph {
    /// Edge of a card.
    Edge,
    /// Edge of the focused card or row.
    FocusEdge,
    /// Edge of a marked card.
    MarkedEdge,
    /// Edge of a card on a terminal that has no planes.
    ThinEdge,
    /// Marked.
    Marked,
    /// A next step is planned.
    StepPlanned,
    /// A next step is due today.
    StepToday,
    /// A next step is overdue.
    StepOverdue,
    /// No next step.
    StepNone,
    /// Kept, waiting to be sent.
    Queued,
    /// Being sent.
    Sending,
    /// Sent, the reply was lost.
    Uncertain,
    /// HubSpot has it.
    Landed,
    /// Somebody else changed the same value.
    Conflict,
    /// Needs a person.
    Held,
    /// Refused for good.
    Dead,
    /// A colleague changed it just now.
    Flash,
    /// The data is live.
    Live,
    /// The data is from the mirror, or reading is slowed.
    Cached,
    /// HubSpot does not answer.
    Offline,
    /// Nothing can be written.
    ReadOnly,
    /// A stage that was passed.
    Passed,
    /// Where it is now.
    Here,
    /// A stage ahead.
    Ahead,
    /// A full cell of a thin bar.
    BarFull,
    /// A half cell of a thin bar.
    BarHalf,
    /// An empty cell of a thin bar, and every rule.
    BarRest,
    /// Opens a menu; more below.
    Menu,
    /// What is typed follows.
    Prompt,
    /// More above.
    MoreAbove,
    /// More to the left.
    Left,
    /// More to the right.
    Right,
    /// Text was cut here.
    Ellipsis,
    /// Old value to new value.
    Arrow,
    /// Between two facts.
    Dot,
    /// The text cursor.
    Cursor,
    /// A character of a secret.
    Secret,
}

use Glyph::{
    Ahead, Arrow, BarFull, BarHalf, BarRest, Cached, Conflict, Cursor, Dead, Dot, Edge, Ellipsis, Flash, FocusEdge,
    Held, Here, Landed, Left, Live, Marked, MarkedEdge, Menu, MoreAbove, Offline, Passed, Prompt, Queued, ReadOnly,
    Right, Secret, Sending, StepNone, StepOverdue, StepPlanned, StepToday, ThinEdge, Uncertain,
};

/// `(sign, unicode, ascii)`, in the order of [`Glyph`].
const TABLE: [(Glyph, &str, &str); 37] = [
    (Edge, "▎", "|"),
    (FocusEdge, "▌", "#"),
    (MarkedEdge, "▌", "x"),
    (ThinEdge, "│", "|"),
    (Marked, "◼", "x"),
    (StepPlanned, "•", "."),
    (StepToday, "◆", "*"),
    (StepOverdue, "▲", "!"),
    (StepNone, "○", "o"),
    (Queued, "↑", "q"),
    (Sending, "⇡", "s"),
    (Uncertain, "?", "?"),
    (Landed, "✓", "v"),
    (Conflict, "≠", "C"),
    (Held, "‖", "H"),
    (Dead, "✗", "X"),
    (Flash, "✦", "*"),
    (Live, "●", "*"),
    (Cached, "◐", "%"),
    (Offline, "○", "x"),
    (ReadOnly, "▪", "-"),
    (Passed, "✓", "v"),
    (Here, "●", "*"),
    (Ahead, "·", "."),
    (BarFull, "━", "="),
    (BarHalf, "╸", "="),
    (BarRest, "─", "-"),
    (Menu, "▾", "v"),
    (Prompt, "›", ">"),
    (MoreAbove, "▴", "^"),
    (Left, "‹", "<"),
    (Right, "›", ">"),
    (Ellipsis, "…", "~"),
    (Arrow, "→", "->"),
    (Dot, "·", "."),
    (Cursor, "█", "_"),
    (Secret, "•", "*"),
];

/// Spark steps, lowest first. Seven are used, so that sparks under each other do not touch.
const SPARK: [&str; 7] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇"];
const SPARK_ASCII: [&str; 7] = [".", ":", ":", "-", "=", "=", "#"];

/// Corners and sides of an overlay: top left, top right, bottom left, bottom right, horizontal, vertical.
const FRAME: [&str; 6] = ["╭", "╮", "╰", "╯", "─", "│"];
const FRAME_ASCII: [&str; 6] = ["+", "+", "+", "+", "-", "|"];

/// Signs inside sentences, and how they are spelled in the ASCII set: for texts that other rooms wrote.
const SPELLING: [(char, &str); 16] = [
    ('…', "~"),
    ('→', "->"),
    ('←', "Left"),
    ('↑', "Up"),
    ('↓', "Down"),
    ('⏎', "Ent"),
    ('⇥', "Tab"),
    ('×', "x"),
    ('−', "-"),
    ('—', "-"),
    ('–', "-"),
    ('·', "."),
    ('•', "."),
    ('’', "'"),
    ('✓', "v"),
    ('▾', "v"),
];

/// Which set of signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Signs of the basic plane, each one cell wide.
    #[default]
    Unicode,
    /// Plain ASCII.
    Ascii,
}

impl Glyphs {
    /// The sign.
    #[must_use]
    pub const fn sign(self, glyph: Glyph) -> &'static str {
        let (_, unicode, ascii) = TABLE[glyph as usize];
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }

    /// A spark step, 0 lowest to 6.
    #[must_use]
    pub fn spark(self, step: usize) -> &'static str {
        let steps = match self {
            Self::Unicode => SPARK,
            Self::Ascii => SPARK_ASCII,
        };
        steps.get(step).copied().unwrap_or(steps[6])
    }

    /// Corners and sides of an overlay: top left, top right, bottom left, bottom right, horizontal, vertical.
    #[must_use]
    pub const fn frame(self) -> [&'static str; 6] {
        match self {
            Self::Unicode => FRAME,
            Self::Ascii => FRAME_ASCII,
        }
    }

    /// How a character of a sentence is spelled; `None` = as it is.
    #[must_use]
    pub fn spelling(self, c: char) -> Option<&'static str> {
        if self == Self::Unicode || c.is_ascii() {
            return None;
        }
        SPELLING.iter().find(|(sign, _)| *sign == c).map(|(_, text)| *text)
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    #[test]
    fn every_sign_stands_in_its_own_row_and_has_both_forms() {
        for (nth, (glyph, unicode, ascii)) in TABLE.into_iter().enumerate() {
            assert_eq!(glyph as usize, nth, "{glyph:?}");
            assert_eq!(unicode.width(), 1, "{glyph:?}");
            assert!(ascii.is_ascii() && !ascii.is_empty(), "{glyph:?}");
        }
        assert!(FRAME_ASCII.iter().chain(&SPARK_ASCII).all(|sign| sign.is_ascii()));
        assert!(SPELLING.iter().all(|(_, text)| text.is_ascii()));
    }

    #[test]
    fn what_differs_in_meaning_differs_in_shape_within_a_slot() {
        let slots: [&[Glyph]; 5] = [
            &[Edge, FocusEdge],
            &[StepPlanned, StepToday, StepOverdue, StepNone],
            &[Queued, Sending, Uncertain, Landed, Conflict, Held, Dead, Flash],
            &[Live, Cached, Offline, ReadOnly],
            &[Passed, Here, Ahead],
        ];
        for set in [Glyphs::Unicode, Glyphs::Ascii] {
            for slot in slots {
                for (nth, glyph) in slot.iter().enumerate() {
                    let twin = slot[nth + 1..]
                        .iter()
                        .find(|other| set.sign(**other) == set.sign(*glyph));
                    assert_eq!(twin, None, "{set:?} {glyph:?}");
                }
            }
        }
    }
}
