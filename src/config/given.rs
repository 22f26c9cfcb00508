//! A value as somebody gave it, read as what a key wants. Errors say what was expected; the caller adds the rest.

use std::{ops::RangeInclusive, str::FromStr, time::Duration};

use jiff::SignedDuration;
use toml::de::DeValue;

/// A value from any source.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// From the environment or a flag: always text, read as whatever the key wants.
    Loose(String),
    /// Text in the file.
    Text(String),
    /// A whole number in the file.
    Whole(i64),
    /// `true` or `false` in the file.
    Flag(bool),
    /// A list of texts in the file.
    List(Vec<String>),
    /// Anything else in the file: a float, a date, a table.
    Other,
}

impl Given {
    pub(super) fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Integer(number) => {
                let digits = number.as_str().replace('_', "");
                i64::from_str_radix(&digits, number.radix()).map_or(Self::Other, Self::Whole)
            }
            DeValue::Array(items) => items
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .map_or(Self::Other, Self::List),
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => Self::Other,
        }
    }

    pub(super) fn text(&self) -> Result<&str, String> {
        match self {
            Self::Loose(text) | Self::Text(text) => Ok(text),
            _ => Err("text in quotes".to_owned()),
        }
    }

    /// An id: text or a plain number; empty = not given.
    pub(super) fn id(&self) -> Result<Option<String>, String> {
        match self {
            Self::Whole(number) => Ok(Some(number.to_string())),
            Self::Loose(text) | Self::Text(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
            _ => Err("an id".to_owned()),
        }
    }

    pub(super) fn whole<T: TryFrom<i64> + Copy + Into<i64>>(&self, range: RangeInclusive<T>) -> Result<T, String> {
        let number = match self {
            Self::Whole(number) => Some(*number),
            Self::Loose(text) => text.trim().parse().ok(),
            _ => None,
        };
        let (low, high): (i64, i64) = ((*range.start()).into(), (*range.end()).into());
        number
            .filter(|number| (low..=high).contains(number))
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("a whole number from {low} to {high}"))
    }

    /// A whole number, or `"auto"` for none.
    pub(super) fn whole_or_auto<T: TryFrom<i64> + Copy + Into<i64>>(
        &self,
        range: RangeInclusive<T>,
    ) -> Result<Option<T>, String> {
        match self {
            Self::Loose(text) | Self::Text(text) if text == "auto" => Ok(None),
            _ => self
                .whole(range)
                .map(Some)
                .map_err(|wanted| format!("\"auto\" or {wanted}")),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, String> {
        match self {
            Self::Flag(flag) => Ok(*flag),
            Self::Loose(text) if text == "true" => Ok(true),
            Self::Loose(text) if text == "false" => Ok(false),
            _ => Err("true or false".to_owned()),
        }
    }

    /// A time span like `30s`: more than nothing, at most an hour.
    pub(super) fn duration(&self) -> Result<Duration, String> {
        let wanted = || "a time like \"30s\" or \"2m\", at most an hour".to_owned();
        let text = self.text().map_err(|_| wanted())?;
        SignedDuration::from_str(text.trim())
            .ok()
            .and_then(|span| Duration::try_from(span).ok())
            .filter(|span| !span.is_zero() && *span <= Duration::from_secs(3_600))
            .ok_or_else(wanted)
    }

    /// One of an enumeration's words.
    pub(super) fn word<T>(&self, parse: fn(&str) -> Option<T>, words: &[&str]) -> Result<T, String> {
        let hit = self.text().ok().and_then(parse);
        hit.ok_or_else(|| format!("one of \"{}\"", words.join("\", \"")))
    }

    /// A command as arguments: a list, or text split at blanks, where quotes keep blanks together. No shell ever sees it.
    pub(super) fn command(&self) -> Result<Vec<String>, String> {
        match self {
            Self::List(arguments) => Ok(arguments.clone()),
            Self::Text(text) => arguments(text).ok_or_else(|| "a command with its quotes closed".to_owned()),
            _ => Err("a command, as text or as a list of its arguments".to_owned()),
        }
    }

    /// Words: a list, or text split at blanks.
    pub(super) fn words(&self) -> Result<Vec<String>, String> {
        match self {
            Self::List(words) => Ok(words.clone()),
            Self::Loose(text) | Self::Text(text) => Ok(text.split_whitespace().map(str::to_owned).collect()),
            _ => Err("words in quotes, or a list of them".to_owned()),
        }
    }

    /// One text or several.
    pub(super) fn texts(&self) -> Result<Vec<String>, String> {
        match self {
            Self::List(texts) => Ok(texts.clone()),
            Self::Text(text) => Ok(vec![text.clone()]),
            _ => Err("a key in quotes, or a list of keys".to_owned()),
        }
    }
}

/// Splits at blanks outside quotes; `None` when a quote stays open.
fn arguments(text: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => all.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    quote.is_none().then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_without_a_shell() {
        let split = |text: &str| Given::Text(text.into()).command();
        assert_eq!(
            split("pass show 'hub spot' \"\"").unwrap(),
            ["pass", "show", "hub spot", ""]
        );
        assert_eq!(split("echo $(id);rm").unwrap(), ["echo", "$(id);rm"]);
        assert_eq!(split("").unwrap(), Vec::<String>::new());
        assert!(split("pass 'show").is_err());
    }
}
