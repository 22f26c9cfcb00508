//! Rows in memory, and a plan evaluated over them.

use std::{borrow::Cow, ops::RangeBounds as _};

use rust_decimal::Decimal;

use super::{Context, Expr, Field, Plan, PropertyKind, Test, fold};
use crate::domain::{Contact, Deal, DealState, Properties, parse_time};

/// A field's value in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Not set, empty, or not readable as what the field holds.
    Unset,
    /// Text, an id, or an enumeration's value.
    Text(Cow<'a, str>),
    /// Several texts; a test holds when it holds for one of them.
    Texts(&'a [&'a str]),
    /// A number or whole days.
    Number(Decimal),
    /// An instant, in milliseconds since 1970.
    Millis(i64),
    /// Yes or no.
    Flag(bool),
}

impl<'a> Cell<'a> {
    fn text(text: Option<&'a str>) -> Self {
        match text {
            Some(text) if !text.is_empty() => Self::Text(Cow::Borrowed(text)),
            _ => Self::Unset,
        }
    }

    fn number(number: Option<impl Into<Decimal>>) -> Self {
        number.map_or(Self::Unset, |number| Self::Number(number.into()))
    }

    fn instant(at: Option<jiff::Timestamp>) -> Self {
        at.map_or(Self::Unset, |at| Self::Millis(at.as_millisecond()))
    }

    /// A HubSpot property's text, read as its kind. The store's SQL reads properties by the same rules.
    #[must_use]
    pub fn of_property(kind: PropertyKind, text: Option<&'a str>) -> Self {
        match kind {
            PropertyKind::Text | PropertyKind::Choice => Self::text(text),
            PropertyKind::Number => Self::number(text.and_then(|text| text.parse::<Decimal>().ok())),
            PropertyKind::Instant | PropertyKind::Day => Self::instant(text.and_then(parse_time)),
            PropertyKind::Flag => match text {
                Some("true") => Self::Flag(true),
                Some("false") => Self::Flag(false),
                _ => Self::Unset,
            },
        }
    }

    fn of_properties(field: &Field, properties: Option<&'a Properties>) -> Self {
        let text = |name: &str| properties.and_then(|all| all.get(name)?.as_deref());
        match field {
            Field::Property(property) => Self::of_property(property.kind, text(&property.name)),
            Field::Status => Self::text(text("hs_lead_status")),
            _ => Self::Unset,
        }
    }
}

/// Anything a filter can look at.
pub trait Row {
    /// The value of a field; [`Cell::Unset`] for fields the row does not have.
    fn value(&self, field: &Field, context: &Context<'_>) -> Cell<'_>;
}

/// A deal with what its filters may ask for besides its own fields.
#[derive(Clone, Copy, Debug)]
pub struct DealRow<'a> {
    /// The deal.
    pub deal: &'a Deal,
    /// Names of its companies.
    pub companies: &'a [&'a str],
    /// Its raw properties, where the schema names any.
    pub properties: Option<&'a Properties>,
}

impl Row for DealRow<'_> {
    fn value(&self, field: &Field, context: &Context<'_>) -> Cell<'_> {
        let deal = self.deal;
        let currency = || deal.currency.clone().unwrap_or_else(|| context.currency.to_owned());
        let amount = || deal.amount_in(context.currency);
        match field {
            Field::Name => Cell::text(Some(&deal.name)),
            Field::Stage => Cell::text(Some(deal.stage.as_str())),
            Field::Pipeline => Cell::text(Some(deal.pipeline.as_str())),
            Field::State => Cell::text(Some(match deal.state(context.pipelines) {
                DealState::Open => "open",
                DealState::Won => "won",
                DealState::Lost => "lost",
            })),
            Field::Amount => Cell::number(amount()),
            Field::Weighted => {
                let probability = deal.probability(context.pipelines);
                Cell::number(amount().and_then(|amount| amount.checked_mul(probability)))
            }
            Field::Probability => Cell::number(Some(deal.probability(context.pipelines))),
            Field::Close => Cell::instant(deal.close),
            Field::Created => Cell::instant(Some(deal.created)),
            Field::Updated => Cell::instant(Some(deal.updated)),
            Field::Activity => Cell::instant(deal.last_activity),
            Field::Age => {
                let seconds = context.now.as_second() - deal.created.as_second();
                Cell::number(Some((seconds / 86_400).max(0)))
            }
            Field::DaysInStage => Cell::number(Some(deal.days_in_stage(context.now))),
            Field::Idle => Cell::number(Some(deal.idle_days(context.now))),
            Field::Owner => Cell::text(deal.owner.as_ref().map(|owner| owner.as_str())),
            Field::NextStep => Cell::text(deal.next_step.as_deref()),
            Field::Category => Cell::text(deal.category.as_deref()),
            Field::Currency => match currency() {
                code if code.is_empty() => Cell::Unset,
                code => Cell::Text(code.into()),
            },
            Field::Company if self.companies.is_empty() => Cell::Unset,
            Field::Company => Cell::Texts(self.companies),
            Field::Contacts => Cell::number(Some(deal.contacts.len() as u64)),
            Field::Pending => Cell::Flag(!deal.pending.is_empty()),
            _ => Cell::of_properties(field, self.properties),
        }
    }
}

/// A contact with its raw properties.
#[derive(Clone, Copy, Debug)]
pub struct ContactRow<'a> {
    /// The contact.
    pub contact: &'a Contact,
    /// Its raw properties: `status` and everything the schema names is read from them.
    pub properties: Option<&'a Properties>,
    /// Ids of the HubSpot lists it is in.
    pub lists: &'a [&'a str],
}

impl Row for ContactRow<'_> {
    fn value(&self, field: &Field, _context: &Context<'_>) -> Cell<'_> {
        let contact = self.contact;
        match field {
            Field::Name => match full_name(contact) {
                name if name.is_empty() => Cell::Unset,
                name => Cell::Text(name.into()),
            },
            Field::Email => Cell::text(contact.email.as_deref()),
            Field::Company => Cell::text(contact.company.as_deref()),
            Field::Phone => Cell::text(contact.phone.as_deref()),
            Field::Title => Cell::text(contact.job_title.as_deref()),
            Field::Lifecycle => Cell::text(contact.lifecycle.as_deref()),
            Field::Owner => Cell::text(contact.owner.as_ref().map(|owner| owner.as_str())),
            Field::Created => Cell::instant(Some(contact.created)),
            Field::Updated => Cell::instant(Some(contact.updated)),
            Field::Activity => Cell::instant(contact.last_activity),
            Field::List if self.lists.is_empty() => Cell::Unset,
            Field::List => Cell::Texts(self.lists),
            _ => Cell::of_properties(field, self.properties),
        }
    }
}

/// First and last name with one blank between; empty when both are.
fn full_name(contact: &Contact) -> String {
    let part = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    format!("{} {}", part(&contact.first_name), part(&contact.last_name))
        .trim()
        .to_owned()
}

/// Whether a row passes a filter. For many rows, make the [`Plan`] once.
#[must_use]
pub fn matches(expr: &Expr, row: &dyn Row, context: &Context<'_>) -> bool {
    expr.plan(context).matches(row, context)
}

impl Plan {
    /// Whether a row passes; the context is the one the plan was made in.
    #[must_use]
    pub fn matches(&self, row: &dyn Row, context: &Context<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(row, context)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(row, context)),
            Self::Not(inner) => !inner.matches(row, context),
            Self::Test(field, test) => test.holds(&row.value(field, context)),
        }
    }
}

impl Test {
    /// Whether the value passes; an unset value never does.
    #[must_use]
    pub fn holds(&self, cell: &Cell<'_>) -> bool {
        match (cell, self) {
            (Cell::Unset, _) => false,
            (_, Self::Set) => true,
            (Cell::Text(text), test) => test.holds_for_text(text),
            (Cell::Texts(texts), test) => texts.iter().any(|text| test.holds_for_text(text)),
            (Cell::Number(number), Self::Number(from, to)) => (*from, *to).contains(number),
            (Cell::Millis(at), Self::Millis { from, to }) => {
                from.is_none_or(|from| *at >= from) && to.is_none_or(|to| *at < to)
            }
            (Cell::Flag(flag), Self::Flag(wanted)) => flag == wanted,
            _ => false,
        }
    }

    fn holds_for_text(&self, text: &str) -> bool {
        match self {
            Self::Equals(wanted) => fold(text) == *wanted,
            Self::Begins(wanted) => fold(text).starts_with(wanted.as_str()),
            Self::Contains(wanted) => fold(text).contains(wanted.as_str()),
            Self::OneOf(ids) => ids.iter().any(|id| id == text),
            Self::Set | Self::Number(..) | Self::Millis { .. } | Self::Flag(_) => false,
        }
    }
}
