//! What ids are called, in which zone days are counted, and how wide a table may be.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

use crate::domain::{Account, Owner, OwnerId, Pipeline, RecordRef};

/// The labels rows are written with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// Zone, company currency and links; days are UTC and links absent without it.
    pub account: Option<&'a Account>,
    /// Pipeline and stage labels.
    pub pipelines: &'a [Pipeline],
    /// Owner names, archived ones included.
    pub owners: &'a [Owner],
    /// Cells a line of a table may take; `None` = as many as it needs.
    pub width: Option<usize>,
}

/// An id with its label; the label is the id where nobody knows a better one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// As HubSpot spells it.
    pub id: String,
    /// As people read it.
    pub label: String,
}

impl Names<'_> {
    /// The zone days are counted in.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        self.account.map_or(TimeZone::UTC, Account::zone)
    }

    /// The day of an instant in the account's zone.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone()).date()
    }

    /// A point in time for people: `2026-11-22 09:12`.
    pub(super) fn minute(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// A time of a request for people: `2026-11-22 09:12:05`.
    pub(super) fn second(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// An owner's name, else their id.
    #[must_use]
    pub fn owner(&self, id: &OwnerId) -> String {
        let owner = self.owners.iter().find(|owner| owner.id == *id);
        owner.map_or_else(|| id.to_string(), Owner::name)
    }

    /// The record's page in HubSpot.
    #[must_use]
    pub fn url(&self, record: &RecordRef) -> Option<String> {
        self.account.map(|account| account.url(record))
    }
}

/// An amount as decimal text: `48000.00`; more decimals only where the amount has them.
pub(super) fn amount(amount: Decimal) -> String {
    let exact = amount.normalize();
    let places = exact.scale().max(2) as usize;
    format!("{exact:.places$}")
}

/// A computed amount, to the cent.
pub(super) fn cents(amount: Decimal) -> String {
    format!(
        "{:.2}",
        amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
    )
}

/// A ratio as decimal text without needless zeros: `0.4`.
pub(super) fn ratio(ratio: Decimal) -> String {
    ratio.normalize().to_string()
}
