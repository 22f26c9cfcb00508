//! How the dashboard looks on this terminal: palette, depth, signs. Turns an [`Ink`] into a style; decides nothing about
//! what is drawn.

use ratatui::style::{Modifier, Style};

use super::{
    glyphs::{Glyph, Glyphs},
    row::Row,
    text::SafeText,
    theme::{Depth, Palette, Theme, Token},
};

/// Palette, depth and signs of one terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The colours.
    pub palette: Palette,
    /// How many of them the terminal can show.
    pub depth: Depth,
    /// The signs.
    pub glyphs: Glyphs,
}

impl Look {
    /// The look of a theme; [`Theme::Mono`] takes the colour away whatever the terminal can show.
    #[must_use]
    pub fn new(theme: Theme, depth: Depth, glyphs: Glyphs) -> Self {
        let depth = match (theme, depth) {
            (_, Depth::NoAttributes) => Depth::NoAttributes,
            (Theme::Mono, _) => Depth::Mono,
            _ => depth,
        };
        Self {
            palette: Palette::of(theme),
            depth,
            glyphs,
        }
    }

    /// Makes any text drawable.
    #[must_use]
    pub fn text(&self, text: &str) -> SafeText {
        SafeText::new(text, self.glyphs)
    }

    /// A sign of our own, drawable.
    #[must_use]
    pub fn sign(&self, glyph: Glyph) -> SafeText {
        SafeText::sign(glyph, self.glyphs)
    }

    /// An empty row to add runs to.
    #[must_use]
    pub fn row(&self) -> Row<'_> {
        Row::new(self)
    }

    /// The style of an ink.
    #[must_use]
    pub fn style(&self, ink: Ink) -> Style {
        let style = match ink.form {
            Form::Plain => self.palette.text(ink.token, self.depth),
            Form::Filled => self.palette.filled(ink.token, self.depth),
            Form::Soft => self.palette.mixed(ink.token, Token::Surface, 45, self.depth),
        };
        if self.depth == Depth::NoAttributes {
            style
        } else {
            style.add_modifier(ink.weight)
        }
    }

    /// Cards have planes on this terminal.
    #[must_use]
    pub const fn has_planes(&self) -> bool {
        matches!(self.depth, Depth::True | Depth::Ansi256)
    }
}

/// Colour and weight of a run of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ink {
    token: Token,
    weight: Modifier,
    form: Form,
}

/// How a token becomes a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Filled,
    Soft,
}

impl From<Token> for Ink {
    fn from(token: Token) -> Self {
        Self {
            token,
            weight: Modifier::empty(),
            form: Form::Plain,
        }
    }
}

impl Token {
    /// Bold: the value that answers the question, headings, keys.
    #[must_use]
    pub fn bold(self) -> Ink {
        Ink {
            weight: Modifier::BOLD,
            ..self.into()
        }
    }

    /// Bold and underlined: letters that were hit by type-ahead.
    #[must_use]
    pub fn hit(self) -> Ink {
        Ink {
            weight: Modifier::BOLD | Modifier::UNDERLINED,
            ..self.into()
        }
    }

    /// Italic: a placeholder.
    #[must_use]
    pub fn italic(self) -> Ink {
        Ink {
            weight: Modifier::ITALIC,
            ..self.into()
        }
    }

    /// A filled cell: text on this token.
    #[must_use]
    pub fn filled(self) -> Ink {
        Ink {
            form: Form::Filled,
            ..self.into()
        }
    }

    /// Quieter than text: areas and spark bars.
    #[must_use]
    pub fn soft(self) -> Ink {
        Ink {
            form: Form::Soft,
            ..self.into()
        }
    }
}
