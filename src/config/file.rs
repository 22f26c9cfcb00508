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
    keys::{Key, OPEN_TABLES, keys},
    load::Origin,
    sources::ConfigFile,
};
use crate::domain::{FaultKind, ListId, Segment, safe};

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

pub(super) struct Reader<'a> {
    config: &'a ConfigFile,
    text: &'a Text,
    pub(super) loaded: &'a mut Loaded,
    errors: Vec<(usize, ConfigError)>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, prefix: &str) {
        for (name, value) in table.iter() {
            let path = format!("{prefix}{}", name.get_ref());
            let inner = format!("{path}.");
            let table = value.get_ref().as_table();
            if let Some(key) = keys().find(|key| key.in_file && key.path == path) {
                self.known(key, value);
            } else if OPEN_TABLES.contains(&path.as_str())
                || keys().any(|key| key.in_file && key.path.starts_with(&inner))
            {
                match table {
                    Some(table) if path == "segments" => self.segments(table),
                    Some(table) if path == "keys" => self.keys(table),
                    Some(table) if path == "push.map" => self.push_map(table),
                    Some(table) if path == "push.properties" => self.push_properties(table),
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

    /// `[segments.NAME] filter = "…"  list_id = "…"`: changes a shipped segment or adds one.
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
            let failures = self.errors.len();
            let (mut filter, mut list) = (None, None);
            for (key, value) in segment.iter() {
                match key.get_ref().as_ref() {
                    "filter" => filter = self.filter(value),
                    "list_id" => list = self.list_id(value),
                    key_name => {
                        self.unknown(key.span(), &format!("{path}.{key_name}"));
                        continue;
                    }
                }
                self.remember(&format!("{path}.{}", key.get_ref()), value.span());
            }
            if self.errors.len() > failures {
                continue;
            }
            if filter.is_none() && list.is_none() {
                if !self.has_segment(name.get_ref()) {
                    let name_shown = safe(name.get_ref());
                    let message = format!("expected a filter or a list_id for the segment '{name_shown}'");
                    self.fail(name.span(), message);
                }
                continue;
            }
            self.segment(name.get_ref(), filter, list);
        }
    }

    fn filter(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(filter) if !filter.trim().is_empty() => return Some(filter.to_string()),
            _ => self.fail(
                value.span(),
                expected("a filter like \"updated < 30d\"", &self.said(value.span())),
            ),
        }
        None
    }

    /// The id of a list; empty = none.
    fn list_id(&mut self, value: &Spanned<DeValue<'_>>) -> Option<ListId> {
        let is_number = |id: &String| id.bytes().all(|byte| byte.is_ascii_digit());
        match Given::of(value.get_ref()).id() {
            Ok(id) if id.as_ref().is_none_or(is_number) => return id.map(Into::into),
            _ => self.fail(
                value.span(),
                expected("the id of a HubSpot list, like \"12345\"", &self.said(value.span())),
            ),
        }
        None
    }

    fn has_segment(&self, name: &str) -> bool {
        self.loaded.settings.segments.iter().any(|segment| segment.name == name)
    }

    /// A list without a filter stands in place of a shipped one's filter.
    fn segment(&mut self, name: &str, filter: Option<String>, list: Option<ListId>) {
        let segment = Segment {
            name: name.to_owned(),
            filter: filter.unwrap_or_default(),
            list,
        };
        let all = &mut self.loaded.settings.segments;
        match all.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = segment,
            None => all.push(segment),
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

    pub(super) fn remember(&mut self, path: &str, span: Range<usize>) {
        let before = self.config.text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        self.loaded.origins.insert(path.to_owned(), Origin::File { line, span });
    }

    /// The value as it stands in the file, without its quotes and its secrets, on one line.
    pub(super) fn said(&self, span: Range<usize>) -> String {
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

    pub(super) fn fail(&mut self, span: Range<usize>, message: String) {
        let error = ConfigError::at(self.text, span.clone(), message, "");
        self.errors.push((span.start, error));
    }

    pub(super) fn unknown(&mut self, span: Range<usize>, path: &str) {
        let next = match path.split('.').collect::<Vec<_>>().as_slice() {
            ["push", "properties", _, _] => {
                "the keys of a property are 'label', 'type', 'field_type' and 'group'".to_owned()
            }
            ["segments", _, _] => "the keys of a segment are 'filter' and 'list_id'".to_owned(),
            _ => format!("the nearest known key is '{}'", nearest(path)),
        };
        let message = format!("there is no key called '{}'", safe(path));
        let error = ConfigError::at(self.text, span.clone(), message, next);
        self.errors.push((span.start, error));
    }
}

pub(super) fn expected(wanted: &str, said: &str) -> String {
    format!("expected {wanted}, not '{said}'")
}

/// The known key or table most like a path: as a whole, or by its last part in another table.
fn nearest(path: &str) -> String {
    let mut candidates: Vec<String> = vec![
        "segments.NAME.filter".to_owned(),
        "segments.NAME.list_id".to_owned(),
        "segments".to_owned(),
        "keys".to_owned(),
        "push.map".to_owned(),
        "push.properties".to_owned(),
    ];
    for key in keys().filter(|key| key.in_file) {
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
