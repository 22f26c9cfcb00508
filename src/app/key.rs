//! Keys as the dashboard thinks of them, independent of any terminal library. One spelling for configuration, help and
//! tests: `j`, `G`, `^s`, `Esc`, `⏎` (also `enter`), `S-⇥` (also `shift-tab`), `F2`, `PgDn`.

use std::{fmt, str::FromStr};

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyCode {
    /// A printable character, shift already applied (`G`, `?`).
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// A function key.
    F(u8),
}

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// Control held.
    pub ctrl: bool,
    /// Alt held.
    pub alt: bool,
}

impl Key {
    /// A key without modifiers.
    #[must_use]
    pub const fn plain(code: KeyCode) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
        }
    }

    /// A character key.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    /// Control and a letter.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            ctrl: true,
            alt: false,
        }
    }
}

/// Names of the keys that are not characters: the one shown first, then the ones also understood.
const NAMES: [(KeyCode, &[&str]); 15] = [
    (KeyCode::Enter, &["⏎", "enter", "return"]),
    (KeyCode::Esc, &["Esc", "escape"]),
    (KeyCode::BackTab, &["S-⇥", "shift-tab", "backtab"]),
    (KeyCode::Tab, &["⇥", "tab"]),
    (KeyCode::Backspace, &["Bksp", "backspace"]),
    (KeyCode::Delete, &["Del", "delete"]),
    (KeyCode::Home, &["Home"]),
    (KeyCode::End, &["End"]),
    (KeyCode::PageUp, &["PgUp", "pageup"]),
    (KeyCode::PageDown, &["PgDn", "pagedown"]),
    (KeyCode::Up, &["↑", "up"]),
    (KeyCode::Down, &["↓", "down"]),
    (KeyCode::Left, &["←", "left"]),
    (KeyCode::Right, &["→", "right"]),
    (KeyCode::Char(' '), &["Space"]),
];

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.alt {
            f.write_str("M-")?;
        }
        if self.ctrl {
            f.write_str("^")?;
        }
        if let Some(name) = NAMES
            .iter()
            .find(|(code, _)| *code == self.code)
            .and_then(|(_, names)| names.first())
        {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::Char(c) => write!(f, "{c}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_lowercase();
        let bare = |code| Ok(Self::plain(code));
        if let Some((code, _)) = NAMES
            .iter()
            .find(|(_, names)| names.iter().any(|name| name.to_lowercase() == lower))
        {
            return bare(*code);
        }
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Ok(Self::char(c));
        }
        for prefix in ["^", "ctrl-", "c-"] {
            if let Some(rest) = lower.strip_prefix(prefix) {
                return rest.parse::<Self>().map(|key| Self { ctrl: true, ..key });
            }
        }
        for prefix in ["m-", "alt-"] {
            if lower.starts_with(prefix) {
                return text[prefix.len()..]
                    .parse::<Self>()
                    .map(|key| Self { alt: true, ..key });
            }
        }
        match lower.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()) {
            Some(n @ 1..=24) => bare(KeyCode::F(n)),
            _ => Err(format!(
                "unknown key '{text}', use forms like: j  G  ^s  enter  F2  PgDn"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_it_is_written() {
        for text in [
            "j", "G", "^s", "Esc", "⏎", "S-⇥", "F2", "PgDn", "?", "^", "Space", "M-x", "Del",
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        assert_eq!("ctrl-s".parse::<Key>(), Ok(Key::ctrl('s')));
        assert_eq!("enter".parse::<Key>(), Ok(Key::plain(KeyCode::Enter)));
        assert!("hyper-x".parse::<Key>().is_err());
    }
}
