//! The tree a filter text becomes: what was written, typed by field, before it is known what "today" or "me" mean.

use std::fmt;

use jiff::civil::{Date, Weekday};
use rust_decimal::Decimal;

use super::{Context, Field, FilterError, Plan, Schema, parse, print, resolve, segments};

/// A filter. Printing it gives a text that parses to the same tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// All of them; of none it is true, which is what an empty text means.
    And(Vec<Self>),
    /// Any of them; two or more.
    Or(Vec<Self>),
    /// The opposite. A comparison with an unset field is false, so its opposite holds there.
    Not(Box<Self>),
    /// A field against a value.
    Compare {
        /// Left side.
        field: Field,
        /// In between.
        op: Op,
        /// Right side, of the field's kind.
        value: Value,
    },
    /// A bare word or quoted text, found anywhere in one of these fields (a contact's name, e-mail and company).
    Word {
        /// What is looked for, case ignored.
        text: String,
        /// Where.
        fields: &'static [Field],
    },
}

impl Expr {
    /// Reads a filter text.
    ///
    /// # Errors
    /// [`FilterError`] with the column, what was expected and, where there is one, a suggestion.
    pub fn parse(text: &str, schema: Schema<'_>) -> Result<Self, FilterError> {
        parse::parse(text, schema)
    }

    /// The HubSpot properties it reads besides those that make up every record, in the order in which it names them.
    #[must_use]
    pub fn properties(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.each(&mut |field, _, _| names.extend(field.property()));
        names
    }

    /// Which of these segments it asks for.
    #[must_use]
    pub fn segments<'a>(&self, all: &[&'a str]) -> Vec<&'a str> {
        let mut named = Vec::new();
        self.each(&mut |field, op, value| {
            if *field == Field::Segment {
                named.extend(segments::asked(all, op, value));
            }
        });
        named
    }

    /// Every comparison, in the order of the text.
    fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Field, Op, &'a Value)) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.each(visit)),
            Self::Not(inner) => inner.each(visit),
            Self::Compare { field, op, value } => visit(field, *op, value),
            Self::Word { .. } => {}
        }
    }

    /// What the filter means here and now.
    #[must_use]
    pub fn plan(&self, context: &Context<'_>) -> Plan {
        resolve::plan(self, context)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::expr(self, f)
    }
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `:` begins with (text, choices), equals (everything else)
    Begins,
    /// `=`
    Equal,
    /// `!=`, the opposite of `=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `~` contains
    Contains,
    /// `!~`, the opposite of `~`
    ContainsNot,
}

impl Op {
    /// All of them, the longer spelling first where one begins like another.
    pub const ALL: [Self; 9] = [
        Self::NotEqual,
        Self::ContainsNot,
        Self::AtMost,
        Self::AtLeast,
        Self::Begins,
        Self::Equal,
        Self::Less,
        Self::More,
        Self::Contains,
    ];

    /// As it is written.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Begins => ":",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Contains => "~",
            Self::ContainsNot => "!~",
        }
    }

    /// `<`, `<=`, `>`, `>=`
    #[must_use]
    pub const fn is_order(self) -> bool {
        matches!(self, Self::Less | Self::AtMost | Self::More | Self::AtLeast)
    }
}

/// What a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// `none`: not set.
    None,
    /// `me`: the owner the token belongs to.
    Me,
    /// For text and choices.
    Text(String),
    /// For numbers and whole days.
    Number(Decimal),
    /// For flags.
    Flag(bool),
    /// A day or a run of days, for dates.
    Day(Day),
    /// A bare duration: an age, for dates and whole days.
    Age(Length),
    /// `a..b`, both ends in; both numbers, both days, or both ages.
    Range(Box<Self>, Box<Self>),
    /// `(a, b, c)`: any of them.
    AnyOf(Vec<Self>),
}

/// A day, or a run of days, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Day {
    /// `2026-12-31`
    On(Date),
    /// `today`
    Today,
    /// `yesterday`
    Yesterday,
    /// `tomorrow`
    Tomorrow,
    /// `eow`: this week's Sunday
    EndOfWeek,
    /// `eom`: the last day of this month
    EndOfMonth,
    /// `eoq`: the last day of this fiscal quarter
    EndOfQuarter,
    /// `friday`, `fri`: the next one, today included
    Weekday(Weekday),
    /// `q4`: a quarter, 1 to 4, of the current fiscal year
    Quarter(u8),
    /// `fy2026`: a fiscal year, named after the calendar year it ends in
    FiscalYear(i16),
    /// `+14d`, `-30d`: counted from today
    FromToday(Length),
}

/// A length of time in one unit; negative only in [`Day::FromToday`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Length {
    /// How many, within ±100,000.
    pub count: i32,
    /// Of what.
    pub unit: Unit,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// `h`
    Hour,
    /// `d`
    Day,
    /// `w`
    Week,
    /// `m`
    Month,
    /// `q`, three months
    Quarter,
    /// `y`
    Year,
}

impl Unit {
    /// All of them, shortest first.
    pub const ALL: [Self; 6] = [
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// As it is written.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Hour => 'h',
            Self::Day => 'd',
            Self::Week => 'w',
            Self::Month => 'm',
            Self::Quarter => 'q',
            Self::Year => 'y',
        }
    }
}
