//! The configuration file: every key is known or an error that names the nearest one, every value is what its key wants
//! or an error that points at it.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    ConfigError, Loaded,
    error::Text,
    given::Given,
    keys::{KEYS, Key, OPEN_TABLES},
    load::Origin,
    sources::ConfigFile,
};
use crate::domain::{FaultKind, Segment, safe};

/// Lays the file over the settings.
pub(super) fn apply(config: &ConfigFile, loaded: &mut Loaded) -> Result<(), ConfigError> {
    let text = Text::new(&config.path, &config.text);
    let document = DeTable::parse(&config.text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        ConfigError::at(
            &text,
            span,
            format!("this is not TOML: {}", safe(error.message())),
            "correct the line",
        )
    })?;
    let mut reader = Reader {
        config,
        text: &text,
        loaded,
        errors: Vec::new(),
    };
    reader.table(document.get_ref(), "");
    // The parser sorts keys by name; people read files from the top.
    let first = reader.errors.into_iter().min_by_key(|(at, _)| *at);
    loaded.text = Some(text);
    first.map_or(Ok(()), |(_, error)| Err(error))
}

struct Reader<'a> {
    config: &'a ConfigFile,
    text: &'a Text,
    loaded: &'a mut Loaded,
    errors: Vec<(usize, ConfigError)>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, prefix: &str) {
        for (name, value) in table.iter() {
            let path = format!("{prefix}{}", name.get_ref());
            let inner = format!("{path}.");
            let table = value.get_ref().as_table();
            if let Some(key) = KEYS.iter().find(|key| key.in_file && key.path == path) {
                self.known(key, value);
            } else if OPEN_TABLES.contains(&path.as_str())
                || KEYS.iter().any(|key| key.in_file && key.path.starts_with(&inner))
            {
                match table {
                    Some(table) if path == "segments" => self.segments(table),
                    Some(table) if path == "keys" => self.keys(table),
                    Some(table) => self.table(table, &inner),
                    None => self.fail(
                        value.span(),
                        expected(&format!("a table, [{path}]"), &self.said(value.span())),
                    ),
                }
            } else {
                self.unknown(name.span(), &path);
            }
        }
    }

    fn known(&mut self, key: &Key, value: &Spanned<DeValue<'_>>) {
        let guard = self.config.guard;
        let set = !matches!(value.get_ref(), DeValue::String(text) if text.is_empty());
        let unfit = match key.path {
            "account.token" if set => guard.unfit_for_secrets(),
            "account.token_command" if set => guard.unfit_for_commands(),
            _ => None,
        };
        if let Some((why, next)) = unfit {
            let error = ConfigError::at(
                self.text,
                value.span(),
                format!("'{}' is refused: {why}", key.path),
                next,
            );
            self.errors.push((value.span().start, error.kind(FaultKind::Auth)));
            return;
        }
        match (key.set)(&mut self.loaded.settings, &Given::of(value.get_ref())) {
            Ok(()) => self.remember(key.path, value.span()),
            Err(wanted) if key.secret => self.fail(value.span(), format!("expected {wanted}")),
            Err(wanted) => self.fail(value.span(), expected(&wanted, &self.said(value.span()))),
        }
    }

    /// `[segments.NAME] filter = "…"`: changes a shipped segment or adds one.
    fn segments(&mut self, table: &DeTable<'_>) {
        for (name, value) in table.iter() {
            let path = format!("segments.{}", name.get_ref());
            let Some(segment) = value.get_ref().as_table() else {
                self.fail(
                    value.span(),
                    expected(&format!("a table, [{path}]"), &self.said(value.span())),
                );
                continue;
            };
            if segment.is_empty() && !self.has_segment(name.get_ref()) {
                self.fail(
                    name.span(),
                    format!("expected a filter for the segment '{}'", safe(name.get_ref())),
                );
            }
            for (key, value) in segment.iter() {
                match value.get_ref() {
                    _ if key.get_ref() != "filter" => self.unknown(key.span(), &format!("{path}.{}", key.get_ref())),
                    DeValue::String(filter) if !filter.trim().is_empty() => {
                        self.segment(name.get_ref(), filter);
                        self.remember(&format!("{path}.filter"), value.span());
                    }
                    _ => self.fail(
                        value.span(),
                        expected("a filter like \"updated < 30d\"", &self.said(value.span())),
                    ),
                }
            }
        }
    }

    fn has_segment(&self, name: &str) -> bool {
        self.loaded.settings.segments.iter().any(|segment| segment.name == name)
    }

    fn segment(&mut self, name: &str, filter: &str) {
        let all = &mut self.loaded.settings.segments;
        match all.iter_mut().find(|segment| segment.name == name) {
            Some(segment) => filter.clone_into(&mut segment.filter),
            None => all.push(Segment {
                name: name.to_owned(),
                filter: filter.to_owned(),
                list: None,
            }),
        }
    }

    /// `[keys] ACTION = "key"` or a list of keys.
    fn keys(&mut self, table: &DeTable<'_>) {
        for (action, value) in table.iter() {
            match Given::of(value.get_ref()).texts() {
                Ok(keys) => {
                    self.loaded.settings.keys.insert(action.get_ref().to_string(), keys);
                    self.remember(&format!("keys.{}", action.get_ref()), value.span());
                }
                Err(wanted) => self.fail(value.span(), expected(&wanted, &self.said(value.span()))),
            }
        }
    }

    fn remember(&mut self, path: &str, span: Range<usize>) {
        let before = self.config.text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        self.loaded.origins.insert(path.to_owned(), Origin::File { line, span });
    }

    /// The value as it stands in the file, without its quotes and its secrets, on one line.
    fn said(&self, span: Range<usize>) -> String {
        let text = self.text.text.get(span).unwrap_or_default();
        let text = text.trim_matches(['"', '\'']);
        let short: String = text.chars().take(40).collect();
        if short.len() < text.len() {
            format!("{short}…")
        } else {
            short
        }
        .replace('\n', " ")
    }

    fn fail(&mut self, span: Range<usize>, message: String) {
        let error = ConfigError::at(self.text, span.clone(), message, "");
        self.errors.push((span.start, error));
    }

    fn unknown(&mut self, span: Range<usize>, path: &str) {
        let next = match path.split('.').collect::<Vec<_>>().as_slice() {
            ["segments", name, _] => format!("the only key of a segment is 'segments.{}.filter'", safe(name)),
            _ => format!("the nearest known key is '{}'", nearest(path)),
        };
        let message = format!("there is no key called '{}'", safe(path));
        let error = ConfigError::at(self.text, span.clone(), message, next);
        self.errors.push((span.start, error));
    }
}

fn expected(wanted: &str, said: &str) -> String {
    format!("expected {wanted}, not '{said}'")
}

/// The known key or table most like a path: as a whole, or by its last part in another table.
fn nearest(path: &str) -> String {
    let mut candidates: Vec<String> = vec![
        "segments.NAME.filter".to_owned(),
        "segments".to_owned(),
        "keys".to_owned(),
    ];
    for key in KEYS.iter().filter(|key| key.in_file) {
        candidates.push(key.path.to_owned());
        candidates.extend(key.path.split_once('.').map(|(table, _)| table.to_owned()));
    }
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |candidate: &String| {
        let whole = strsim::jaro_winkler(path, candidate);
        // The right key in the wrong table is likely, but less so than a slip in a name.
        let part = 0.95 * strsim::normalized_damerau_levenshtein(&last(path), &last(candidate));
        whole.max(part)
    };
    let best = candidates.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    best.cloned().unwrap_or_default()
}
