//! What this terminal can show, found out once at the start: colours, background, whether its glyphs are one cell wide.

use std::time::Duration;

use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};

use crate::ui::{Depth, Glyphs, Look, Theme};

/// A terminal that does not answer within this time is not asked again.
const PATIENCE: Duration = Duration::from_millis(200);

/// What the configuration says about the looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookSettings {
    /// The palette; `Auto` asks the terminal.
    pub theme: Theme,
    /// The glyphs.
    pub glyphs: Glyphs,
}

/// What the environment says about the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `TERM`
    pub term: String,
    /// `COLORTERM`
    pub colorterm: String,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// The locale (`LC_ALL`, `LC_CTYPE` or `LANG`) is UTF-8.
    pub utf8: bool,
}

impl Surroundings {
    /// Reads them from a map of variables.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale = text("LC_ALL")
            .or_else(|| text("LC_CTYPE"))
            .or_else(|| text("LANG"))
            .unwrap_or_default();
        let locale = locale.to_lowercase();
        Self {
            term: text("TERM").unwrap_or_default(),
            colorterm: text("COLORTERM").unwrap_or_default(),
            no_color: text("NO_COLOR").is_some(),
            utf8: cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8"),
        }
    }

    /// How many colours may be used.
    #[must_use]
    pub fn depth(&self) -> Depth {
        match (self.no_color, self.colorterm.as_str(), self.term.as_str()) {
            (true, _, _) => Depth::Mono,
            (_, "truecolor" | "24bit", _) => Depth::True,
            (_, _, term) if term.contains("256color") || term.contains("direct") => Depth::Ansi256,
            (_, _, "" | "linux" | "vt100" | "vt220" | "ansi") => Depth::Ansi16,
            _ => Depth::Ansi256,
        }
    }
}

/// Decides the look; may ask the terminal, so it runs before anything else reads from it.
#[must_use]
pub fn detect(settings: &LookSettings, surroundings: &Surroundings) -> Look {
    let depth = if settings.theme == Theme::Mono {
        Depth::Mono
    } else {
        surroundings.depth()
    };
    let theme = match settings.theme {
        Theme::Auto if depth != Depth::Mono => background(),
        chosen => chosen,
    };
    let glyphs = if surroundings.utf8 {
        settings.glyphs
    } else {
        Glyphs::Ascii
    };
    Look::new(theme, depth, glyphs)
}

fn background() -> Theme {
    let mut options = QueryOptions::default();
    options.timeout = PATIENCE;
    match theme_mode(options) {
        Ok(ThemeMode::Light) => Theme::Light,
        _ => Theme::Dark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Surroundings {
        Surroundings::read(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colours_follow_the_environment() {
        assert_eq!(
            read(&[("COLORTERM", "truecolor"), ("TERM", "xterm-256color")]).depth(),
            Depth::True
        );
        assert_eq!(read(&[("TERM", "screen-256color")]).depth(), Depth::Ansi256);
        assert_eq!(read(&[("TERM", "linux")]).depth(), Depth::Ansi16);
        assert_eq!(
            read(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]).depth(),
            Depth::Mono
        );
        assert_eq!(
            read(&[("NO_COLOR", ""), ("COLORTERM", "truecolor")]).depth(),
            Depth::True
        );
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        assert!(read(&[("LANG", "de_DE.UTF-8")]).utf8);
        assert!(!read(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).utf8);
        assert!(!read(&[]).utf8);
    }
}
