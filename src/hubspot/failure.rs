//! A request that did not succeed: what HubSpot said, and what it means to people. Reading an error answer into one is
//! `refusal`'s work.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    classify::{OpClass, Verdict, classify},
    signal::Signal,
    transport::{TransportError, TransportErrorKind},
};
use crate::domain::{Fault, FaultKind};

/// Why a request did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the exchange showed.
    pub signal: Signal,
    /// The status, when there was an answer.
    pub status: Option<u16>,
    /// HubSpot's sentence verbatim, else ours.
    pub message: String,
    /// HubSpot's correlation id, for their support.
    pub correlation_id: Option<String>,
    /// How long HubSpot (or the budget) wants us to wait.
    pub retry_after: Option<Duration>,
    /// The same as a time, where the budget knows it: when the day's budget is full again.
    pub retry_at: Option<Timestamp>,
    /// Properties the refusal is about; the missing ones when [`Signal::NeedsFields`].
    pub fields: Vec<String>,
    /// Scopes of which one is missing.
    pub scopes: Vec<String>,
    /// The record that already has the unique value.
    pub existing_id: Option<String>,
}

impl Failure {
    /// A failure of which only the signal and a sentence are known.
    #[must_use]
    pub fn new(signal: Signal, message: impl Into<String>) -> Self {
        Self {
            signal,
            status: None,
            message: message.into(),
            correlation_id: None,
            retry_after: None,
            retry_at: None,
            fields: Vec::new(),
            scopes: Vec::new(),
            existing_id: None,
        }
    }

    /// The day is spent for the lane; nothing was sent.
    pub(super) fn day_spent(reset: Timestamp, now: Timestamp) -> Self {
        Self {
            retry_after: Some(now.duration_until(reset).unsigned_abs()),
            retry_at: Some(reset),
            ..Self::new(Signal::Denied, "the daily budget of requests is spent")
        }
    }

    /// HubSpot is left alone for `wait`; nothing was sent.
    pub(super) fn resting(wait: Duration, moving: bool, now: Timestamp) -> Self {
        let (signal, message) = if moving {
            (Signal::Migrating { retry_after: wait }, "the account is being moved")
        } else {
            (Signal::Resting, "too many requests in a row failed")
        };
        Self {
            retry_after: Some(wait),
            retry_at: now.checked_add(wait).ok(),
            ..Self::new(signal, message)
        }
    }

    /// No answer.
    pub(super) fn from_transport(error: &TransportError) -> Self {
        let signal = match (error.kind, error.sent) {
            (TransportErrorKind::Certificate, _) => Signal::Interception,
            (TransportErrorKind::NotProcessed, _) => Signal::NotProcessed,
            (_, false) => Signal::NotSent,
            (TransportErrorKind::Timeout, true) => Signal::TimedOut,
            (TransportErrorKind::TooLarge, true) => Signal::Unreadable,
            (_, true) => Signal::Lost,
        };
        Self::new(signal, error.message.clone())
    }

    /// What it means for an operation of this class.
    #[must_use]
    pub fn verdict(&self, op: OpClass) -> Verdict {
        classify(op, &self.signal)
    }

    /// The failure in words, with the next step.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let (kind, next) = self.kind_and_next();
        let next = match (kind, self.retry_at) {
            (FaultKind::Rate, Some(at)) => format!("{next}, at {}", at.strftime("%Y-%m-%d %H:%M UTC")),
            _ => next.to_owned(),
        };
        Fault {
            retry_at: self.retry_at,
            ..Fault::new(kind, self.what(), next)
        }
    }

    fn what(&self) -> String {
        let said = sentence(&self.message);
        match &self.signal {
            Signal::NotSent | Signal::NotProcessed => format!("HubSpot cannot be reached: {said}"),
            Signal::Interception => format!("the connection to HubSpot is not trusted: {said}"),
            Signal::TimedOut | Signal::Lost => format!("HubSpot did not answer: {said}"),
            Signal::Denied => said,
            Signal::Resting => format!("HubSpot is not answering: {said}"),
            Signal::Unauthorized => format!("HubSpot refuses the token: {said}"),
            Signal::NeedsFields if !self.fields.is_empty() => {
                format!("this account's rules want a value for {}", self.fields.join(", "))
            }
            Signal::MissingScope if !self.scopes.is_empty() => {
                format!("the token lacks the scope {}", self.scopes.join(" or "))
            }
            _ => format!("HubSpot says: {said}"),
        }
    }

    fn kind_and_next(&self) -> (FaultKind, &'static str) {
        match &self.signal {
            Signal::Unauthorized => (
                FaultKind::Auth,
                "give a valid token: a service key from HubSpot's settings, under Development, Keys",
            ),
            Signal::MissingScope => (FaultKind::Auth, "add the scope to the key in HubSpot, then try again"),
            Signal::Forbidden => (FaultKind::Auth, "ask an admin of the account for the permission"),
            Signal::Interception => (
                FaultKind::Auth,
                "nothing is sent; check the network, or name its CA file in the configuration",
            ),
            Signal::RateDaily { .. } | Signal::Denied => {
                (FaultKind::Rate, "queued changes go out when the budget is full again")
            }
            Signal::RateWindow { .. } | Signal::RateSecond { .. } => (
                FaultKind::Rate,
                "somebody else uses the same limit; try again in a few seconds",
            ),
            Signal::Resting => (FaultKind::Offline, "it is left alone for a while, then tried again"),
            Signal::NotSent | Signal::NotProcessed => (FaultKind::Offline, "check the connection, then try again"),
            Signal::Migrating { .. } => (FaultKind::Offline, "HubSpot is moving the account; try again later"),
            Signal::NotHubSpot | Signal::Blocked => (
                FaultKind::Offline,
                "something between here and HubSpot answers instead; check the network",
            ),
            Signal::TimedOut | Signal::Lost | Signal::Server(_) | Signal::Unreadable | Signal::MissingItem => {
                (FaultKind::Offline, "try again in a moment")
            }
            Signal::WrongHost | Signal::Unreachable(_) | Signal::Redirect => {
                (FaultKind::Usage, "check the token and the base URL")
            }
            Signal::Locked => (
                FaultKind::Offline,
                "somebody else writes the record; try again in a few seconds",
            ),
            Signal::NeedsFields => (FaultKind::Refused, "give the missing values, then try again"),
            Signal::NotFound => (
                FaultKind::Refused,
                "it may have been archived or merged; look at it in HubSpot",
            ),
            Signal::UniqueClash | Signal::Conflict => (FaultKind::Refused, "look at the existing record"),
            Signal::Validation | Signal::BadRequest(_) => (FaultKind::Refused, "change the value, then try again"),
            Signal::Unknown(_) | Signal::Confirmed | Signal::OtherId => {
                (FaultKind::Bug, "report it with the correlation id")
            }
        }
    }
}

/// One clause: no full stop at the end, no line breaks, not longer than a screen line or two.
fn sentence(text: &str) -> String {
    const LONGEST: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(LONGEST).collect();
    let cut = if short.len() < line.len() { "…" } else { "" };
    format!("{}{cut}", short.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_says_what_to_do_next() {
        for (failure, kind) in [
            (Failure::new(Signal::Unauthorized, "No."), FaultKind::Auth),
            (Failure::new(Signal::NotSent, "connection refused"), FaultKind::Offline),
            (
                Failure::new(Signal::Server(502), "HubSpot answered 502"),
                FaultKind::Offline,
            ),
            (Failure::new(Signal::Validation, "bad"), FaultKind::Refused),
            (
                Failure::new(Signal::RateDaily { retry_after: None }, "You have"),
                FaultKind::Rate,
            ),
        ] {
            let fault = failure.fault();
            assert_eq!(fault.kind, kind);
            assert!(!fault.next.is_empty(), "{fault}");
            assert!(!fault.what.ends_with('.'), "{fault}");
        }
    }

    #[test]
    fn a_spent_day_names_the_reset() {
        let (reset, now): (Timestamp, Timestamp) = (
            "2026-11-23T05:00:00Z".parse().unwrap(),
            "2026-11-22T20:00:00Z".parse().unwrap(),
        );
        let fault = Failure::day_spent(reset, now).fault();
        assert_eq!(fault.kind, FaultKind::Rate);
        assert_eq!(fault.retry_at, Some(reset));
    }
}
