//! A deal as the product thinks of it: typed, with the operations that wait on it.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    CompanyId, ContactId, DealId, ObjectType, OpId, OpKind, OpState, OwnerId, Pipeline, PipelineId, Record, RecordRef,
    StageId, StageKind, stage_of,
};

/// Open, won or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DealState {
    /// In play.
    Open,
    /// Closed and won.
    Won,
    /// Closed and lost.
    Lost,
}

/// An operation of ours on a deal that the mirror does not show yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The operation.
    pub op: OpId,
    /// What it does.
    pub kind: OpKind,
    /// Where it is on its way.
    pub state: OpState,
}

/// A deal. Its values are the mirror's with our pending operations applied on top, always recomputed, never patched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// Its id.
    pub id: DealId,
    /// `dealname`, may be empty.
    pub name: String,
    /// `pipeline`.
    pub pipeline: PipelineId,
    /// `dealstage`.
    pub stage: StageId,
    /// `amount`, in `currency`. Unset is not zero.
    pub amount: Option<Decimal>,
    /// `deal_currency_code`; `None` = the company currency.
    pub currency: Option<String>,
    /// `amount_in_home_currency`, when HubSpot computed it.
    pub amount_home: Option<Decimal>,
    /// `hs_deal_stage_probability`, 0 to 1; `None` = the stage's.
    pub probability: Option<Decimal>,
    /// `closedate`, an instant; which day it is depends on the account's zone.
    pub close: Option<Timestamp>,
    /// `hubspot_owner_id`.
    pub owner: Option<OwnerId>,
    /// `hs_next_step`.
    pub next_step: Option<String>,
    /// `hs_manual_forecast_category`.
    pub category: Option<String>,
    /// `hs_is_closed`, where HubSpot has computed it.
    pub is_closed: Option<bool>,
    /// `hs_is_closed_won`, where HubSpot has computed it.
    pub is_won: Option<bool>,
    /// `createdate`.
    pub created: Timestamp,
    /// `hs_lastmodifieddate`; moves on hidden changes too.
    pub updated: Timestamp,
    /// `hs_v2_date_entered_current_stage`.
    pub stage_entered: Option<Timestamp>,
    /// `notes_last_updated`: last note, call, e-mail, meeting or task.
    pub last_activity: Option<Timestamp>,
    /// `notes_next_activity_date`: the next planned one.
    pub next_activity: Option<Timestamp>,
    /// Associated contacts.
    pub contacts: Vec<ContactId>,
    /// Associated companies, the primary one first where known.
    pub companies: Vec<CompanyId>,
    /// Operations of ours that are not finished, oldest first. The values above already include them.
    pub pending: Vec<Pending>,
}

impl Deal {
    /// The properties a deal is made of: what every read asks for.
    pub const PROPERTIES: [&'static str; 17] = [
        "amount",
        "amount_in_home_currency",
        "closedate",
        "createdate",
        "deal_currency_code",
        "dealname",
        "dealstage",
        "hs_deal_stage_probability",
        "hs_is_closed",
        "hs_is_closed_won",
        "hs_lastmodifieddate",
        "hs_manual_forecast_category",
        "hs_next_step",
        "hs_v2_date_entered_current_stage",
        "hubspot_owner_id",
        "notes_last_updated",
        "pipeline",
    ];

    /// Reads a deal out of a record. Values that do not parse count as unset: a broken property must not hide a deal.
    #[must_use]
    pub fn from_record(record: &Record) -> Self {
        let text = |name: &str| record.get(name).map(str::to_owned);
        let number = |name: &str| record.get(name).and_then(|value| value.parse().ok());
        let time = |name: &str| record.get(name).and_then(parse_time);
        let flag = |name: &str| record.get(name).map(|value| value == "true");
        let ids = |kind| record.associations.get(&kind).cloned().unwrap_or_default();
        Self {
            id: record.id.as_str().into(),
            name: text("dealname").unwrap_or_default(),
            pipeline: text("pipeline").unwrap_or_default().into(),
            stage: text("dealstage").unwrap_or_default().into(),
            amount: number("amount"),
            currency: text("deal_currency_code"),
            amount_home: number("amount_in_home_currency"),
            probability: number("hs_deal_stage_probability"),
            close: time("closedate"),
            owner: text("hubspot_owner_id").map(Into::into),
            next_step: text("hs_next_step"),
            category: text("hs_manual_forecast_category"),
            is_closed: flag("hs_is_closed"),
            is_won: flag("hs_is_closed_won"),
            created: time("createdate").unwrap_or(record.created_at),
            updated: record.updated_at,
            stage_entered: time("hs_v2_date_entered_current_stage"),
            last_activity: time("notes_last_updated"),
            next_activity: time("notes_next_activity_date"),
            contacts: ids(ObjectType::Contacts).into_iter().map(Into::into).collect(),
            companies: ids(ObjectType::Companies).into_iter().map(Into::into).collect(),
            pending: Vec::new(),
        }
    }

    /// The reference to this deal.
    #[must_use]
    pub fn reference(&self) -> RecordRef {
        RecordRef::new(ObjectType::Deals, self.id.as_str())
    }

    /// Open, won or lost: by the stage's metadata, else by the deal's own flags (a stage no pipeline knows).
    #[must_use]
    pub fn state(&self, pipelines: &[Pipeline]) -> DealState {
        match stage_of(pipelines, &self.stage).map(|(_, stage)| stage.kind()) {
            Some(StageKind::Open) => DealState::Open,
            Some(StageKind::Won) => DealState::Won,
            Some(StageKind::Lost) => DealState::Lost,
            None if self.is_won == Some(true) => DealState::Won,
            None if self.is_closed == Some(true) => DealState::Lost,
            None => DealState::Open,
        }
    }

    /// The amount in the company currency: HubSpot's own conversion, else the amount when it is in that currency.
    /// `None` = unset or not convertible; such deals are counted but never summed.
    #[must_use]
    pub fn amount_in(&self, home: &str) -> Option<Decimal> {
        let same = self.currency.as_deref().is_none_or(|code| code == home);
        if same {
            self.amount.or(self.amount_home)
        } else {
            self.amount_home
        }
    }

    /// The deal's own probability, else its stage's, else zero.
    #[must_use]
    pub fn probability(&self, pipelines: &[Pipeline]) -> Decimal {
        self.probability
            .or_else(|| stage_of(pipelines, &self.stage).map(|(_, stage)| stage.probability))
            .unwrap_or_default()
    }

    /// The close date as a day of the account's zone.
    #[must_use]
    pub fn close_date(&self, zone: &TimeZone) -> Option<Date> {
        self.close.map(|at| at.to_zoned(zone.clone()).date())
    }

    /// Whole days since the deal entered its stage (since its creation where unknown), never negative.
    #[must_use]
    pub fn days_in_stage(&self, now: Timestamp) -> i64 {
        days_since(self.stage_entered.unwrap_or(self.created), now)
    }

    /// Whole days since the last activity or stage change, whichever is later, never negative.
    #[must_use]
    pub fn idle_days(&self, now: Timestamp) -> i64 {
        let touched = self.last_activity.max(self.stage_entered).unwrap_or(self.created);
        days_since(touched, now)
    }
}

/// Whole days from `then` to `now`, never negative.
#[must_use]
fn days_since(then: Timestamp, now: Timestamp) -> i64 {
    ((now.as_second() - then.as_second()) / 86_400).max(0)
}

/// An instant as the wire spells it: ISO-8601, or a plain date (midnight UTC), or epoch milliseconds.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(date) = text.parse::<Date>() {
        return date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    }
    text.parse::<i64>()
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
}
