//! The formats a command may be asked for.

use std::{fmt, str::FromStr};

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for people.
    #[default]
    Table,
    /// One JSON document on one line.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// RFC 4180, headers are the JSON keys.
    Csv,
    /// A markdown table.
    Markdown,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Table, Self::Json, Self::Jsonl, Self::Csv, Self::Markdown];

    /// The word on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hit = Self::ALL
            .into_iter()
            .find(|format| format.word().eq_ignore_ascii_case(text));
        hit.ok_or_else(|| {
            format!(
                "unknown format '{text}', expected one of: {}",
                Self::ALL.map(Self::word).join(", ")
            )
        })
    }
}
