//! Colours by meaning. The rest of the room names tokens, never colours; this file is the one table that turns a token into
//! a colour of a palette at the depth the terminal has. It refuses to know which pane uses what.

use ratatui::style::{Color, Modifier, Style};

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Token {
    /// Screen background.
    Base,
    /// Cards, header, footer, side panel.
    Surface,
    /// Overlays, the banner, the current row of a list without focus.
    Raised,
    /// The one focused card, row or number.
    Focus,
    /// Marked cards and rows.
    Selection,
    /// A colleague changed it just now.
    Flash,
    /// Rules, card edges, the resting part of a gauge. Never text.
    Line,
    /// Spark bars of the past. Never text.
    Track,
    /// Values, names.
    Text,
    /// The value that matters, headings.
    Strong,
    /// Labels, units, ages, resting dates.
    Muted,
    /// Keys, the focus edge, where you are.
    Accent,
    /// Won, on track, today.
    Good,
    /// Needs a look.
    Warn,
    /// Overdue, conflict, lost, over the cap.
    Bad,
    /// Waiting writes, colleagues, links.
    Info,
    /// Marked, filter active.
    Mark,
    /// Text on a filled cell.
    OnAccent,
}

impl Token {
    /// The planes text is drawn on.
    pub const PLANES: [Self; 6] = [
        Self::Base,
        Self::Surface,
        Self::Raised,
        Self::Focus,
        Self::Selection,
        Self::Flash,
    ];
    /// The tokens text is drawn in.
    pub const TEXTS: [Self; 9] = [
        Self::Text,
        Self::Strong,
        Self::Muted,
        Self::Accent,
        Self::Good,
        Self::Warn,
        Self::Bad,
        Self::Info,
        Self::Mark,
    ];
    /// The tokens that fill a cell under [`Token::OnAccent`].
    pub const FILLS: [Self; 6] = [Self::Accent, Self::Info, Self::Good, Self::Warn, Self::Bad, Self::Mark];
}

/// Which palette the person wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// By the terminal's background when it answers, else dark.
    #[default]
    Auto,
    /// Light text on a dark ground.
    Dark,
    /// Dark text on a light ground.
    Light,
    /// High contrast on black.
    Contrast,
    /// Safe for the colour-blind: good is blue, bad is orange, warn is yellow.
    Safe,
    /// Attributes only.
    Mono,
}

/// How many colours the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// 24 bit.
    True,
    /// The 256 indexed colours.
    Ansi256,
    /// The terminal's own sixteen.
    Ansi16,
    /// Bold, reverse and faint only (`NO_COLOR`).
    Mono,
    /// Nothing at all (`TERM=dumb`).
    NoAttributes,
}

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// One colour: exact, and its index among the 256.
type Tone = (u32, u8);

/// The colours of one theme, in the order of [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    tones: [Tone; 18],
    light: bool,
}

const DARK: Palette = Palette {
    light: false,
    tones: [
        (0x0e1117, 233),
        (0x151a22, 234),
        (0x1c232e, 235),
        (0x223c64, 18),
        (0x2c2848, 53),
        (0x1c3f38, 236),
        (0x2d3644, 238),
        (0x2a3341, 237),
        (0xd3d9e3, 253),
        (0xf5f7fa, 231),
        (0x9ca8ba, 248),
        (0x82b4ff, 111),
        (0x7fd3a0, 114),
        (0xecc26a, 179),
        (0xff9090, 210),
        (0x74cfdc, 80),
        (0xc9b2ff, 183),
        (0x0c1420, 233),
    ],
};
const LIGHT: Palette = Palette {
    light: true,
    tones: [
        (0xf6f4ef, 255),
        (0xfffdf9, 231),
        (0xece9e1, 254),
        (0xcfe0fb, 189),
        (0xe4dbfa, 225),
        (0xcfeee0, 194),
        (0xd2cdc2, 250),
        (0xdfdad0, 252),
        (0x2a2f38, 236),
        (0x0d1117, 233),
        (0x565e6c, 240),
        (0x1a4fa8, 25),
        (0x12603a, 22),
        (0x744a00, 58),
        (0xa51d24, 124),
        (0x08586a, 24),
        (0x5b35ad, 55),
        (0xffffff, 231),
    ],
};
const CONTRAST: Palette = Palette {
    light: false,
    tones: [
        (0x000000, 16),
        (0x000000, 16),
        (0x101010, 233),
        (0x003a8c, 18),
        (0x4a1c7a, 53),
        (0x004d36, 22),
        (0x8a8a8a, 245),
        (0x4d4d4d, 239),
        (0xffffff, 231),
        (0xffffff, 231),
        (0xd0d0d0, 252),
        (0x9fd0ff, 153),
        (0x7dffb0, 121),
        (0xffe066, 221),
        (0xffb3b3, 217),
        (0x8ff4ff, 123),
        (0xe3ccff, 189),
        (0x000000, 16),
    ],
};
const SAFE: Palette = Palette {
    light: false,
    tones: [
        (0x0e1117, 233),
        (0x151a22, 234),
        (0x1c232e, 235),
        (0x2b3550, 18),
        (0x3a3358, 53),
        (0x20404c, 236),
        (0x2d3644, 238),
        (0x2a3341, 237),
        (0xd3d9e3, 253),
        (0xf5f7fa, 231),
        (0xa3aec0, 248),
        (0xd7dcff, 189),
        (0x6cb8ff, 75),
        (0xf5e06e, 227),
        (0xff9e5e, 215),
        (0x9fd9e8, 152),
        (0xd6b8ff, 183),
        (0x0c1420, 233),
    ],
};

impl Palette {
    /// The palette of a theme; what is not decided yet is dark.
    #[must_use]
    pub const fn of(theme: Theme) -> Self {
        match theme {
            Theme::Auto | Theme::Dark | Theme::Mono => DARK,
            Theme::Light => LIGHT,
            Theme::Contrast => CONTRAST,
            Theme::Safe => SAFE,
        }
    }

    /// The exact colour of a token.
    #[must_use]
    pub const fn rgb(&self, token: Token) -> Rgb {
        let [_, r, g, b] = self.tones[token as usize].0.to_be_bytes();
        (r, g, b)
    }

    /// Its index among the 256.
    #[must_use]
    pub const fn index(&self, token: Token) -> u8 {
        self.tones[token as usize].1
    }

    /// The style of text in a token, at a depth.
    #[must_use]
    pub fn text(&self, token: Token, depth: Depth) -> Style {
        match depth {
            Depth::True => Style::new().fg(color(self.rgb(token))),
            Depth::Ansi256 => Style::new().fg(Color::Indexed(self.index(token))),
            Depth::Ansi16 => self.sixteen(token),
            Depth::Mono => match token {
                Token::Strong | Token::Accent | Token::Warn | Token::Bad | Token::Mark => Modifier::BOLD.into(),
                Token::Line | Token::Track => Modifier::DIM.into(),
                _ => Style::new(),
            },
            Depth::NoAttributes => Style::new(),
        }
    }

    /// The style of a plane: a background, or what stands for one.
    #[must_use]
    pub fn plane(&self, token: Token, depth: Depth) -> Style {
        match depth {
            Depth::True => Style::new().bg(color(self.rgb(token))),
            Depth::Ansi256 => Style::new().bg(Color::Indexed(self.index(token))),
            Depth::Ansi16 | Depth::Mono if token == Token::Focus => Modifier::REVERSED.into(),
            Depth::Ansi16 if token == Token::Selection => Modifier::BOLD.into(),
            _ => Style::new(),
        }
    }

    /// The style of a filled cell: [`Token::OnAccent`] on the token.
    #[must_use]
    pub fn filled(&self, token: Token, depth: Depth) -> Style {
        match depth {
            Depth::True | Depth::Ansi256 => self
                .text(Token::OnAccent, depth)
                .patch(self.plane(token, depth))
                .add_modifier(Modifier::BOLD),
            Depth::Ansi16 | Depth::Mono => Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD),
            Depth::NoAttributes => Style::new(),
        }
    }

    /// A token mixed with a plane: `share` per cent of it stay. Indexed and fewer colours keep the token.
    #[must_use]
    pub fn mixed(&self, token: Token, plane: Token, share: u16, depth: Depth) -> Style {
        match depth {
            Depth::True => Style::new().fg(color(mix(self.rgb(token), self.rgb(plane), share))),
            _ => self.text(token, depth),
        }
    }

    /// The terminal owns these colours, so few are used and never as a background.
    fn sixteen(&self, token: Token) -> Style {
        let bold = |color: Color| Style::new().fg(color).add_modifier(Modifier::BOLD);
        match (token, self.light) {
            (Token::Strong, _) | (Token::Mark, true) => Modifier::BOLD.into(),
            (Token::Line | Token::Track, _) => Style::new().fg(Color::DarkGray),
            (Token::Accent, false) => bold(Color::LightCyan),
            (Token::Accent, true) => bold(Color::Blue),
            (Token::Good, false) => Style::new().fg(Color::LightGreen),
            (Token::Good, true) => Style::new().fg(Color::Green),
            (Token::Warn, false) => Style::new().fg(Color::LightYellow),
            (Token::Warn, true) => Style::new().fg(Color::Magenta),
            (Token::Bad, false) => Style::new().fg(Color::LightRed),
            (Token::Bad, true) => Style::new().fg(Color::Red),
            (Token::Info, false) => Style::new().fg(Color::Cyan),
            (Token::Info, true) => Style::new().fg(Color::Blue),
            (Token::Mark, false) => Style::new().fg(Color::LightMagenta),
            _ => Style::new(),
        }
    }
}

/// The colour for the screen library.
#[must_use]
pub const fn color((r, g, b): Rgb) -> Color {
    Color::Rgb(r, g, b)
}

/// `share` per cent of the one colour, the rest of the other.
#[must_use]
pub fn mix(of: Rgb, with: Rgb, share: u16) -> Rgb {
    let share = share.min(100);
    let one = |a: u8, b: u8| {
        let sum = u16::from(a) * share + u16::from(b) * (100 - share);
        u8::try_from(sum / 100).unwrap_or(u8::MAX)
    };
    (one(of.0, with.0), one(of.1, with.1), one(of.2, with.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEMES: [(&str, Theme); 4] = [
        ("dark", Theme::Dark),
        ("light", Theme::Light),
        ("contrast", Theme::Contrast),
        ("safe", Theme::Safe),
    ];

    /// Relative luminance of the web content accessibility guidelines.
    fn luminance((r, g, b): Rgb) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The standard values of the indexed colours above the first sixteen.
    fn indexed(index: u8) -> Rgb {
        match index {
            16..=231 => {
                let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
                let n = index - 16;
                (level(n / 36), level(n / 6 % 6), level(n % 6))
            }
            _ => {
                let grey = 8 + 10 * (index.saturating_sub(232));
                (grey, grey, grey)
            }
        }
    }

    #[test]
    fn every_text_is_readable_on_every_plane_in_every_palette() {
        let mut table = String::new();
        for (name, theme) in THEMES {
            let palette = Palette::of(theme);
            for token in Token::TEXTS {
                let ratio = |colour: &dyn Fn(Token) -> Rgb| {
                    Token::PLANES
                        .iter()
                        .map(|plane| contrast(colour(token), colour(*plane)))
                        .fold(f64::MAX, f64::min)
                };
                let exact = ratio(&|token| palette.rgb(token));
                let index = ratio(&|token| indexed(palette.index(token)));
                table.push_str(&format!("{name:<9}{token:?}: {exact:.1}, indexed {index:.1}\n"));
                assert!(exact >= 4.5, "{name} {token:?} {exact:.2}");
                assert!(index >= 4.5, "{name} {token:?} indexed {index:.2}");
            }
            for fill in Token::FILLS {
                let ratio = contrast(palette.rgb(Token::OnAccent), palette.rgb(fill));
                assert!(ratio >= 4.5, "{name} on {fill:?} {ratio:.2}");
            }
        }
        insta::assert_snapshot!("contrast", table);
    }

    #[test]
    fn sixteen_colours_never_colour_a_background() {
        for (_, theme) in THEMES {
            let palette = Palette::of(theme);
            for plane in Token::PLANES {
                assert_eq!(palette.plane(plane, Depth::Ansi16).bg, None, "{plane:?}");
            }
        }
    }

    #[test]
    fn without_colour_only_attributes_are_left_and_without_attributes_nothing() {
        let palette = Palette::of(Theme::Mono);
        for token in Token::PLANES.into_iter().chain(Token::TEXTS) {
            for style in [palette.text(token, Depth::Mono), palette.plane(token, Depth::Mono)] {
                assert_eq!((style.fg, style.bg), (None, None), "{token:?}");
            }
            assert_eq!(palette.text(token, Depth::NoAttributes), Style::new());
            assert_eq!(palette.plane(token, Depth::NoAttributes), Style::new());
        }
    }
}
