//! What a filter means in one account at one moment: no "today", no labels, no "me" left. Memory evaluates a plan, the
//! store compiles it to SQL; both read the same few tests, so they cannot disagree about what a word means.

use std::ops::Bound;

use jiff::{Timestamp, tz::TimeZone};
use rust_decimal::Decimal;

use super::Field;
use crate::domain::{List, Owner, OwnerId, Pipeline, PropertyDefinition};

/// What a filter's words refer to.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The moment ages are counted from.
    pub now: Timestamp,
    /// The account's zone: which day it is.
    pub zone: TimeZone,
    /// Who `me` is; unknown = `owner:me` finds nothing.
    pub me: Option<&'a OwnerId>,
    /// The company currency, in which amounts compare.
    pub currency: &'a str,
    /// First month of the fiscal year, 1 to 12.
    pub fiscal_year_start: i8,
    /// Stage and pipeline labels, and what is won or lost.
    pub pipelines: &'a [Pipeline],
    /// Owner names.
    pub owners: &'a [Owner],
    /// Labels of enumeration properties.
    pub definitions: &'a [PropertyDefinition],
    /// HubSpot's lists, for their names.
    pub lists: &'a [List],
    /// The segments by name, each with what it asks at this moment.
    pub segments: &'a [(String, Plan)],
}

impl Context<'_> {
    /// A context without an account: no labels, calendar years, no currency.
    #[must_use]
    pub const fn new(now: Timestamp, zone: TimeZone) -> Self {
        Self {
            now,
            zone,
            me: None,
            currency: "",
            fiscal_year_start: 1,
            pipelines: &[],
            owners: &[],
            definitions: &[],
            lists: &[],
            segments: &[],
        }
    }
}

/// A filter, resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// Every one; of none it is true.
    All(Vec<Self>),
    /// At least one; of none it is false.
    Any(Vec<Self>),
    /// The opposite: true where the inner one is false, unset fields included (two-valued, unlike SQL's `NOT NULL`).
    Not(Box<Self>),
    /// One test of one field.
    Test(Field, Test),
}

/// A test of one field's value. Every test is false where the field is unset; a field of several values (a deal's
/// companies, a contact's lists) passes when one of them does.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It has a value (empty text is none).
    Set,
    /// [`fold`]ed text equals this folded text.
    Equals(String),
    /// Folded text begins with this folded text.
    Begins(String),
    /// Folded text contains this folded text.
    Contains(String),
    /// The raw value (an id, an enumeration's value) is one of these, spelled exactly so.
    OneOf(Vec<String>),
    /// The number is within these bounds.
    Number(Bound<Decimal>, Bound<Decimal>),
    /// The instant, in whole milliseconds since 1970, is within `from..to`, the end not included; `None` = open.
    Millis {
        /// First millisecond in.
        from: Option<i64>,
        /// First millisecond out.
        to: Option<i64>,
    },
    /// The flag has this value.
    Flag(bool),
}

/// Text as comparisons see it: lower case by Unicode's rules, so that both engines ignore case alike.
#[must_use]
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}
