//! A request that did not succeed: what HubSpot said, and what it means to people. Reading an error answer into one is
//! `refusal`'s work.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    budget::NoPermit,
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
    /// A next step that knows more than the signal does.
    pub next: Option<&'static str>,
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
            next: None,
        }
    }

    /// The budget gives no permit; nothing was sent.
    pub(super) fn without_permit(why: NoPermit, now: Timestamp) -> Self {
        match why {
            NoPermit::DaySpent(reset) => Self {
                retry_after: Some(now.duration_until(reset).unsigned_abs()),
                retry_at: Some(reset),
                ..Self::new(
                    Signal::Denied,
                    "the day's requests are spent, or down to the part that is kept for people",
                )
            },
            NoPermit::Unkept(fault) => Self::new(Signal::Unkept(Box::new(fault)), "requests cannot be counted"),
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
        if let Signal::Unkept(fault) = &self.signal {
            return Fault::clone(fault);
        }
        let (kind, next) = self.kind_and_next();
        let next = match (kind, self.retry_at) {
            (FaultKind::Rate, Some(at)) => format!("{next}, at {}", at.strftime("%Y-%m-%d %H:%M UTC")),
            _ => next.to_owned(),
        };
        Fault {
            retry_at: self.retry_at,
            ..Fault::new(kind, self.what(), self.next.map_or(next, str::to_owned))
        }
    }

    fn what(&self) -> String {
        let said = sentence(&self.message);
        match &self.signal {
            Signal::NotSent | Signal::NotProcessed => format!("HubSpot cannot be reached: {said}"),
            Signal::Interception => format!("the connection to HubSpot is not trusted: {said}"),
            Signal::TimedOut | Signal::Lost => format!("HubSpot did not answer: {said}"),
            Signal::Denied | Signal::Unkept(_) => said,
            Signal::Resting => format!("HubSpot is not answering: {said}"),
            Signal::Unauthorized => format!("HubSpot refuses the token: {said}"),
            Signal::NeedsFields if !self.fields.is_empty() => {
                format!("this account's rules want a value for {}", self.fields.join(", "))
            }
            Signal::MissingScope if !self.scopes.is_empty() => {
                format!("the token lacks the scope {}", self.scopes.join(" or "))
            }
            Signal::Unknown(_) | Signal::Server(_) => format!("HubSpot says: {said}{}", self.reference()),
            _ => format!("HubSpot says: {said}"),
        }
    }

    /// What HubSpot's support asks for when HubSpot itself failed.
    fn reference(&self) -> String {
        match (self.status, &self.correlation_id) {
            (Some(status), Some(id)) => format!(" (status {status}, correlation id {id})"),
            (None, Some(id)) => format!(" (correlation id {id})"),
            _ => String::new(),
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
            Signal::Unkept(_) => (FaultKind::Store, "free some space, then try again"),
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

    /// The four families of errors (authentication, rate limit, API, configuration) and the rest, as people read them.
    #[test]
    fn every_signal_has_a_kind_a_sentence_and_a_next_step() {
        let said = Failure::new(Signal::Confirmed, "What was said.");
        let waited = Some(Duration::from_secs(9));
        let table: Vec<String> = [
            Signal::Unauthorized,
            Signal::MissingScope,
            Signal::Forbidden,
            Signal::Interception,
            Signal::RateWindow { retry_after: waited },
            Signal::RateSecond { retry_after: None },
            Signal::RateDaily { retry_after: None },
            Signal::Denied,
            Signal::Unkept(Fault::new(FaultKind::Store, "the disk is full", "free some space").into()),
            Signal::Validation,
            Signal::NeedsFields,
            Signal::BadRequest(414),
            Signal::UniqueClash,
            Signal::Conflict,
            Signal::NotFound,
            Signal::Locked,
            Signal::Server(502),
            Signal::Unknown(418),
            Signal::NotSent,
            Signal::NotProcessed,
            Signal::TimedOut,
            Signal::Lost,
            Signal::Unreadable,
            Signal::NotHubSpot,
            Signal::MissingItem,
            Signal::Blocked,
            Signal::WrongHost,
            Signal::Unreachable(530),
            Signal::Redirect,
            Signal::Migrating {
                retry_after: Duration::from_secs(60),
            },
        ]
        .into_iter()
        .map(|signal| {
            let status = match signal {
                Signal::Server(status) | Signal::Unknown(status) => Some(status),
                _ => None,
            };
            let failure = Failure {
                signal,
                status,
                correlation_id: Some("c0ffee".to_owned()),
                fields: vec!["close_date".to_owned()],
                scopes: vec!["crm.lists.read".to_owned()],
                ..said.clone()
            };
            let fault = failure.fault();
            assert!(!fault.next.is_empty() && !fault.what.ends_with('.'), "{fault}");
            format!("{:<8} {fault}", fault.kind.word())
        })
        .collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn a_next_step_that_knows_more_takes_the_place_of_the_signals_own() {
        let failure = Failure {
            next: Some("run 'dealdeck setup --oauth' to give access again"),
            ..Failure::new(Signal::Unauthorized, "No.")
        };
        assert_eq!(
            failure.fault().next,
            "run 'dealdeck setup --oauth' to give access again"
        );
    }

    #[test]
    fn a_spent_day_names_the_reset() {
        let (reset, now): (Timestamp, Timestamp) = (
            "2026-11-23T05:00:00Z".parse().unwrap(),
            "2026-11-22T20:00:00Z".parse().unwrap(),
        );
        let fault = Failure::without_permit(NoPermit::DaySpent(reset), now).fault();
        assert_eq!(fault.kind, FaultKind::Rate);
        assert_eq!(fault.retry_at, Some(reset));
    }
}
