//! What is wrong with the configuration, for people: the place, what was expected, what to do.

use std::{fmt, ops::Range, path::Path};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use crate::domain::{Fault, FaultKind, safe};

/// A configuration that cannot be used.
#[derive(Debug)]
pub struct ConfigError {
    /// [`FaultKind::Usage`], or [`FaultKind::Auth`] for a token that others can read.
    pub kind: FaultKind,
    /// What was expected, with the bad value in single quotes.
    pub message: String,
    /// What to do next; may be empty.
    pub next: String,
    place: Box<Place>,
}

/// Where it is.
#[derive(Debug)]
enum Place {
    /// A file as a whole, a variable, a flag.
    Named(String),
    /// A part of a file.
    Span {
        source: NamedSource<String>,
        name: String,
        line: usize,
        column: usize,
        span: Range<usize>,
    },
}

impl ConfigError {
    pub(super) fn named(place: impl Into<String>, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Usage,
            message: message.into(),
            next: next.into(),
            place: Box::new(Place::Named(place.into())),
        }
    }

    /// At a part of a file; the span may be empty or past the end, as the TOML parser's sometimes is.
    pub(super) fn at(file: &Text, span: Range<usize>, message: impl Into<String>, next: impl Into<String>) -> Self {
        let text = &file.text;
        let start = floor(text, span.start.min(text.trim_end().len()));
        let end = floor(text, span.end.min(text.len())).max(start);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            kind: FaultKind::Usage,
            message: message.into(),
            next: next.into(),
            place: Box::new(Place::Span {
                source: NamedSource::new(&file.name, text.clone()),
                name: file.name.clone(),
                line: before.matches('\n').count() + 1,
                column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
                span: start..end,
            }),
        }
    }

    pub(super) fn kind(mut self, kind: FaultKind) -> Self {
        self.kind = kind;
        self
    }

    /// The place in words: `config.toml:4:11`, `DEALDECK_NOW`, `--timeout`.
    #[must_use]
    pub fn place(&self) -> String {
        match self.place.as_ref() {
            Place::Named(name) => name.clone(),
            Place::Span { name, line, column, .. } => format!("{name}:{line}:{column}"),
        }
    }

    /// The same for scripts and exit codes.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault::new(
            self.kind,
            format!("{}: {}", self.place(), self.message),
            self.next.clone(),
        )
    }

    /// With the line it is about, drawn in plain characters.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut out = String::new();
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none())
            .with_links(false)
            .with_width(100);
        match handler.render_report(&mut out, &Drawn(self)) {
            Ok(()) => out,
            Err(fmt::Error) => self.to_string(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.message)?;
        if self.next.is_empty() {
            Ok(())
        } else {
            write!(f, "; {}", self.next)
        }
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.next.is_empty()).then(|| Box::new(&self.next) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        match self.place.as_ref() {
            Place::Named(_) => None,
            Place::Span { source, .. } => Some(source),
        }
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        match self.place.as_ref() {
            Place::Named(_) => None,
            Place::Span { span, .. } => {
                let label = LabeledSpan::new(None, span.start, span.len());
                Some(Box::new(std::iter::once(label)))
            }
        }
    }
}

/// The error as a drawing: the place stands in the frame and the next step below it, so the head says neither.
#[derive(Debug)]
struct Drawn<'a>(&'a ConfigError);

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Place::Named(name) = self.0.place.as_ref() {
            write!(f, "{name}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }
}

/// A file's text as errors may show it: no secret, nothing that steers a terminal, every byte still in its place.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) name: String,
    pub(super) text: String,
}

impl Text {
    pub(super) fn new(path: &Path, text: &str) -> Self {
        Self {
            name: safe(&path.display().to_string()).into_owned(),
            text: text.split_inclusive('\n').map(shown).collect(),
        }
    }
}

/// One line without its secrets: the line after `token =` or the start of a HubSpot token becomes `*`, controls `?`.
fn shown(line: &str) -> String {
    let secret_from = |at: usize| line.get(at..).unwrap_or_default().starts_with("pat-") || follows_token(line, at);
    let mut out = String::with_capacity(line.len());
    let mut hidden = false;
    for (at, c) in line.char_indices() {
        hidden = hidden || secret_from(at);
        let stand_in = match c {
            '\n' | '\t' => None,
            _ if hidden && !c.is_whitespace() => Some("*"),
            ' '..='~' => None,
            _ if safe(c.encode_utf8(&mut [0; 4])) != *c.encode_utf8(&mut [0; 4]) => Some("?"),
            _ => None,
        };
        match stand_in {
            Some(sign) => out.push_str(&sign.repeat(c.len_utf8())),
            None => out.push(c),
        }
    }
    out
}

/// Whether the value of a key called `token`, or of one that a secret may be pasted into, begins at this byte.
fn follows_token(line: &str, at: usize) -> bool {
    let before = line.get(..at).unwrap_or_default();
    let key = before
        .strip_suffix('=')
        .map(|key| key.trim_end().trim_end_matches(['"', '\'']));
    key.is_some_and(|key| key.ends_with("token") && !key.ends_with("_token") || key.ends_with("client_secret_env"))
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_and_no_control_is_shown_and_bytes_keep_their_place() {
        for (line, seen) in [
            ("token = \"abc\"\n", "token = *****\n"),
            (
                "account = { token = 'a b', portal_id = 1 }",
                "account = { token = ** *** ********* * * *",
            ),
            ("token_command = \"pass show\"", "token_command = \"pass show\""),
            ("\"token\"=\"é\" # mine", "\"token\"=**** * ****"),
            ("level = \"pat-na1-0000\"", "level = \"*************"),
            ("name = \"\u{1b}[31m\u{202e}月\"", "name = \"?[31m???月\""),
        ] {
            let text = Text::new(Path::new("config.toml"), line).text;
            assert_eq!(text.len(), line.len(), "{line}");
            assert_eq!(text, seen);
        }
    }

    #[test]
    fn a_span_past_the_end_points_at_the_end() {
        let file = Text::new(Path::new("config.toml"), "[ui\n\n");
        let error = ConfigError::at(&file, 13..13, "unclosed table", "");
        assert_eq!(error.place(), "config.toml:1:4");
        assert!(!error.plain().contains("OutOfBounds"), "{}", error.plain());
    }
}
