//! A property that is written to, and its values as HubSpot takes them: a column of a contact list and its cells, or what
//! a person sets on a record. Both are checked here, so that nothing goes in one way that is refused the other.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};

use super::{Owner, PropertyDefinition};

/// HubSpot keeps so many characters of a text.
const LONGEST: usize = 65_536;
/// Milliseconds of this many digits are moments between 1973 and 2286.
const MILLISECONDS: std::ops::RangeInclusive<usize> = 12..=13;

/// A property and what its values have to be.
#[derive(Clone, Debug)]
pub struct Field {
    name: String,
    kind: Kind,
}

/// What its values have to be.
#[derive(Clone, Debug)]
enum Kind {
    Text,
    Number,
    Flag(Options),
    Day,
    Moment,
    OneOf(Options),
    AnyOf(Options),
    Owner(People),
}

impl Field {
    /// By the property's definition; without one any text is taken.
    #[must_use]
    pub fn new(name: String, definition: Option<&PropertyDefinition>, owners: &[Owner]) -> Self {
        let kind = match (name.as_str(), definition) {
            ("hubspot_owner_id", _) => Kind::Owner(People::of(owners)),
            (_, Some(known)) => Kind::of(known),
            (_, None) => Kind::Text,
        };
        Self { name, kind }
    }

    /// The property, or what stands for several.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A value as HubSpot takes it.
    ///
    /// # Errors
    /// Why it takes no such value.
    pub fn value(&self, text: &str) -> Result<String, String> {
        let length = text.chars().count();
        if length > LONGEST {
            return Err(format!("it has '{length}' characters, HubSpot keeps {LONGEST}"));
        }
        match &self.kind {
            Kind::Text => Ok(text.to_owned()),
            Kind::Number => number(text),
            Kind::Flag(options) => flag(text, options),
            Kind::Day => day(text),
            Kind::Moment => moment(text),
            Kind::OneOf(options) => options.one(text),
            Kind::AnyOf(options) => options.several(text),
            Kind::Owner(people) => people.id(text),
        }
    }
}

impl Kind {
    fn of(known: &PropertyDefinition) -> Self {
        match known.kind.as_str() {
            "number" => Self::Number,
            "bool" => Self::Flag(Options::of(known)),
            "date" => Self::Day,
            "datetime" => Self::Moment,
            _ if known.options.is_empty() => Self::Text,
            _ if known.several => Self::AnyOf(Options::of(known)),
            _ => Self::OneOf(Options::of(known)),
        }
    }
}

/// The options of a property. One goes by its value, and may be given by its label, in any case.
#[derive(Clone, Debug)]
struct Options {
    values: BTreeSet<String>,
    /// Lower case; where several are alike, the first of them.
    words: BTreeMap<String, String>,
    /// The first of them, in display order.
    first: String,
}

impl Options {
    fn of(known: &PropertyDefinition) -> Self {
        let mut words = BTreeMap::new();
        for (value, label) in &known.options {
            for word in [value, label] {
                words.entry(word.to_lowercase()).or_insert_with(|| value.clone());
            }
        }
        let first: Vec<&str> = known.options.iter().take(10).map(|(value, _)| value.as_str()).collect();
        Self {
            values: known.options.iter().map(|(value, _)| value.clone()).collect(),
            words,
            first: first.join(", "),
        }
    }

    fn find(&self, text: &str) -> Option<&String> {
        let text = text.trim();
        self.values.get(text).or_else(|| self.words.get(&text.to_lowercase()))
    }

    fn one(&self, text: &str) -> Result<String, String> {
        let found = self.find(text).or_else(|| self.find(text.trim_end_matches(';')));
        found
            .cloned()
            .ok_or_else(|| format!("'{text}' is none of its options: {}", self.first))
    }

    fn several(&self, text: &str) -> Result<String, String> {
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        let values: Vec<String> = parts.map(|part| self.one(part)).collect::<Result<_, _>>()?;
        Ok(values.join(";"))
    }
}

/// The owners of the account, by what people call them.
#[derive(Clone, Debug)]
struct People {
    ids: BTreeSet<String>,
    /// Those who are still there, by e-mail address and name in lower case.
    called: BTreeMap<String, BTreeSet<String>>,
}

impl People {
    fn of(owners: &[Owner]) -> Self {
        let mut called: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for owner in owners.iter().filter(|owner| !owner.archived) {
            for word in [owner.email.clone(), owner.name()] {
                called
                    .entry(word.to_lowercase())
                    .or_default()
                    .insert(owner.id.to_string());
            }
        }
        Self {
            ids: owners.iter().map(|owner| owner.id.to_string()).collect(),
            called,
        }
    }

    fn id(&self, text: &str) -> Result<String, String> {
        let is_id = text.bytes().all(|byte| byte.is_ascii_digit());
        if self.ids.contains(text) || self.ids.is_empty() && is_id {
            return Ok(text.to_owned());
        }
        if self.ids.is_empty() {
            return Err(format!(
                "'{text}' is no owner's id, and the owners were not read yet: run 'dealdeck sync'"
            ));
        }
        let found: Vec<&String> = self.called.get(&text.to_lowercase()).into_iter().flatten().collect();
        match found.as_slice() {
            [id] => Ok((*id).clone()),
            [] => Err(format!(
                "'{text}' is no owner here: give an owner's id, e-mail address or name; new ones are read \
                 by 'dealdeck sync'"
            )),
            several => {
                let ids: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                Err(format!("'{text}' is the name of several owners: {}", ids.join(", ")))
            }
        }
    }
}

/// Digits with at most one point. Thousands are not guessed at: `1,500` is two numbers in two countries.
fn number(text: &str) -> Result<String, String> {
    let plain = text.strip_prefix('+').unwrap_or(text);
    let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(digits) && is_number(part) && !(digits.is_empty() && part.is_empty()) {
        Ok(plain.to_owned())
    } else {
        Err(format!("'{text}' is no number, write it like 48000.50"))
    }
}

fn flag(text: &str, options: &Options) -> Result<String, String> {
    if let Some(value) = options.find(text) {
        return Ok(value.clone());
    }
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" => Ok("true".to_owned()),
        "false" | "no" | "0" => Ok("false".to_owned()),
        _ => Err(format!("'{text}' is neither true nor false")),
    }
}

/// A date like 2026-12-15; `None` when it is not written like one.
fn date(text: &str) -> Option<Result<Date, String>> {
    let is_date = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    let looks_like_one = text.len() == 10 && text.bytes().enumerate().all(is_date);
    looks_like_one.then(|| text.parse().map_err(|_| format!("there is no day '{text}'")))
}

/// A moment in milliseconds, or written with its zone.
fn instant(text: &str) -> Option<Timestamp> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && MILLISECONDS.contains(&text.len()) {
        return Timestamp::from_millisecond(text.parse().ok()?).ok();
    }
    if is_number { None } else { text.parse().ok() }
}

/// A day. A moment is one at midnight UTC, which is how HubSpot itself hands out days.
fn day(text: &str) -> Result<String, String> {
    if let Some(date) = date(text) {
        return date.map(|date| date.to_string());
    }
    match instant(text).map(|instant| Offset::UTC.to_datetime(instant)) {
        Some(moment) if moment == moment.date().to_datetime(jiff::civil::Time::midnight()) => {
            Ok(moment.date().to_string())
        }
        Some(_) => Err(format!(
            "'{text}' is a moment, and a day is wanted: write it like 2026-12-15"
        )),
        None => Err(format!("'{text}' is no date, write it like 2026-12-15")),
    }
}

/// A moment. A day stands for its midnight UTC; a time of day without a zone could be any of 24 moments.
fn moment(text: &str) -> Result<String, String> {
    if let Some(date) = date(text) {
        return date.map(|date| format!("{date}T00:00:00Z"));
    }
    if let Some(instant) = instant(text) {
        return Ok(instant.to_string());
    }
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number && text.parse::<DateTime>().is_ok() {
        return Err(format!("'{text}' has no time zone, write it like 2026-12-15T09:30:00Z"));
    }
    Err(format!(
        "'{text}' is no date, write it like 2026-12-15 or 2026-12-15T09:30:00Z"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str, options: &[(&str, &str)], several: bool) -> Field {
        let definition = PropertyDefinition {
            name: "x".to_owned(),
            label: "X".to_owned(),
            kind: kind.to_owned(),
            options: options
                .iter()
                .map(|(value, label)| ((*value).to_owned(), (*label).to_owned()))
                .collect(),
            read_only: false,
            hidden: false,
            unique: false,
            several,
        };
        Field::new("x".to_owned(), Some(&definition), &[])
    }

    fn owner(id: &str, first: &str, email: &str, archived: bool) -> Owner {
        Owner {
            id: id.into(),
            user: None,
            first_name: first.to_owned(),
            last_name: "Hopper".to_owned(),
            email: email.to_owned(),
            archived,
        }
    }

    #[test]
    fn values_are_what_the_type_takes() {
        for (kind, text, value) in [
            ("number", "48000", "48000"),
            ("number", "+1.50", "1.50"),
            ("number", "-.5", "-.5"),
            ("bool", "TRUE", "true"),
            ("bool", "no", "false"),
            ("date", "2026-12-31", "2026-12-31"),
            ("date", "2026-12-31T00:00:00Z", "2026-12-31"),
            ("date", "1798675200000", "2026-12-31"),
            ("datetime", "2026-12-31", "2026-12-31T00:00:00Z"),
            ("datetime", "2026-12-31T10:30:00+02:00", "2026-12-31T08:30:00Z"),
            ("datetime", "1798675200000", "2026-12-31T00:00:00Z"),
            ("string", "12/31/2026", "12/31/2026"),
        ] {
            assert_eq!(
                field(kind, &[], false).value(text).as_deref(),
                Ok(value),
                "{kind} {text}"
            );
        }
    }

    #[test]
    fn what_the_type_does_not_take_is_refused_with_the_reason() {
        for (kind, text, reason) in [
            ("number", "1,500", "no number"),
            ("number", "1e5", "no number"),
            ("number", ".", "no number"),
            ("number", "-", "no number"),
            ("bool", "maybe", "neither true nor false"),
            ("date", "12/31/2026", "no date"),
            ("date", "2026-02-30", "there is no day"),
            ("date", "20261231", "no date"),
            ("date", "2026-12-31T10:00:00Z", "a day is wanted"),
            ("datetime", "12/31/2026", "no date"),
            ("datetime", "2026-13-01", "there is no day"),
            ("datetime", "2026-12-31 10:00:00", "has no time zone"),
            ("datetime", "46022", "no date"),
        ] {
            let refused = field(kind, &[], false).value(text).unwrap_err();
            assert!(
                refused.contains(reason) && refused.contains(text),
                "{kind} {text}: {refused}"
            );
        }
    }

    #[test]
    fn options_are_split_where_the_field_takes_several() {
        let options = [("a", "Ay; or more"), ("b", "Bee"), ("BEE", "Loud")];
        let (one, any) = (
            field("enumeration", &options, false),
            field("enumeration", &options, true),
        );
        assert_eq!(one.value("ay; or more").as_deref(), Ok("a"));
        assert_eq!(one.value("b;").as_deref(), Ok("b"));
        assert!(
            one.value("a;b")
                .unwrap_err()
                .contains("'a;b' is none of its options: a, b")
        );
        assert_eq!(any.value("a; bee ;").as_deref(), Ok("a;b"));
        assert_eq!(any.value("BEE").as_deref(), Ok("BEE"), "the exact value goes first");
        assert!(any.value("a;c").unwrap_err().contains("'c' is none"));
        let answer = field("bool", &[("true", "Ja"), ("false", "Nein")], false);
        assert_eq!(answer.value("nein").as_deref(), Ok("false"));
    }

    #[test]
    fn an_owner_goes_by_id_address_or_name() {
        let owners = [
            owner("501", "Grace", "grace@crm.example", false),
            owner("502", "Ada", "ada@crm.example", false),
            owner("503", "Ada", "ada.two@crm.example", false),
            owner("504", "Gone", "gone@crm.example", true),
        ];
        let field = |owners: &[Owner]| Field::new("hubspot_owner_id".to_owned(), None, owners);
        let here = field(&owners);
        for text in ["501", "Grace@crm.example", "grace hopper"] {
            assert_eq!(here.value(text).as_deref(), Ok("501"), "{text}");
        }
        assert!(
            here.value("ada hopper")
                .unwrap_err()
                .contains("several owners: 502, 503")
        );
        for nobody in ["gone@crm.example", "999", "x@y.example"] {
            assert!(here.value(nobody).unwrap_err().contains("is no owner"), "{nobody}");
        }
        assert_eq!(field(&[]).value("777").as_deref(), Ok("777"));
        assert!(
            field(&[])
                .value("grace@crm.example")
                .unwrap_err()
                .contains("not read yet")
        );
    }
}
