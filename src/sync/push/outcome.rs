//! From what an exchange showed to where the operation goes. The verdict itself is the client's one table; here it only
//! becomes a step of the outbox.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    domain::{OpError, OpState, Payload, RetryPolicy},
    hubspot::{Action, Applied, Failure, HeldReason, OpClass, Signal},
    store::{Kept, Outcome},
    sync::connection::later,
};

/// A change of a person is tried this often before it is given up; being offline, refused by 401 or by a rate window
/// does not count.
const MOST_ATTEMPTS: u32 = 12;
/// A change of a person is tried this long.
const LONGEST: Duration = Duration::from_hours(72);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// How long a change waits when HubSpot does not say how long.
const PAUSE: Duration = Duration::from_secs(10);

/// The class of an error by which HubSpot says that it has the key already.
pub const TAKEN: &str = "taken";

/// What repeating an operation would do.
pub const fn class(payload: &Payload) -> OpClass {
    match payload {
        Payload::SetProperties { .. } => OpClass::PropertySet,
        Payload::CreateNote { key: Some(_), .. } | Payload::UpsertContact { .. } => OpClass::KeyedCreate,
        Payload::CreateNote { key: None, .. } => OpClass::UnkeyedCreate,
        Payload::Archive => OpClass::Archive,
        Payload::Associate { .. } | Payload::ListMember { .. } => OpClass::Association,
    }
}

/// Where an operation goes after a send that did not succeed. `contacts` is how often, and when, a contact that is pushed
/// is tried again; what a person did has limits of its own.
pub fn after_failure(op: &Kept, failure: &Failure, contacts: &RetryPolicy, now: Timestamp) -> Outcome {
    let verdict = failure.verdict(class(&op.payload));
    let outcome = |state| Outcome {
        error: Some(error(word(&failure.signal), failure)),
        charged: verdict.charge_attempt,
        http_status: failure.status,
        correlation_id: failure.correlation_id.clone(),
        ..Outcome::to(state)
    };
    let queued = |wait: Duration| {
        let wait = match op.payload {
            _ if !verdict.charge_attempt => Some(wait),
            Payload::UpsertContact { .. } => contacts.wait(op.attempts),
            _ => Some(wait).filter(|_| !is_spent(op, now)),
        };
        match wait {
            Some(wait) => Outcome {
                not_before: Some(later(now, wait)),
                ..outcome(OpState::Queued)
            },
            None => outcome(OpState::Dead),
        }
    };
    if verdict.applied == Applied::Unknown {
        return Outcome {
            ambiguous: true,
            ..outcome(OpState::Uncertain)
        };
    }
    match verdict.action {
        Action::Landed | Action::LandedElsewhere => Outcome {
            error: None,
            ..outcome(OpState::Landed)
        },
        Action::Requeue { after } | Action::Resend { after } => queued(backoff(op, after)),
        // The key is taken, most likely by an earlier send of ours: it is looked up, not sent again.
        Action::Resolve if matches!(op.payload, Payload::CreateNote { .. }) => Outcome {
            error: Some(error(TAKEN, failure)),
            ambiguous: true,
            ..outcome(OpState::Uncertain)
        },
        Action::Resolve | Action::Reread => queued(backoff(op, Duration::from_secs(1))),
        Action::Offline | Action::PauseAccount | Action::StopSending | Action::BreakCircuit => {
            queued(failure.retry_after.unwrap_or_default())
        }
        Action::PauseFor(span) => queued(span.or(failure.retry_after).unwrap_or(PAUSE)),
        Action::Uncertain => Outcome {
            ambiguous: true,
            ..outcome(OpState::Uncertain)
        },
        Action::Held(reason) => Outcome {
            error: Some(held(reason, failure)),
            ..outcome(OpState::Held)
        },
        Action::FindTarget => Outcome {
            error: Some(gone(failure.correlation_id.clone())),
            ..outcome(OpState::Held)
        },
        Action::Dead => Outcome {
            error: Some(refused(op, failure)),
            ..outcome(OpState::Dead)
        },
    }
}

/// Where the push of a contact goes whose last send nobody knows the outcome of: HubSpot keeps addresses unique, so it may
/// be sent again. At once, when it was not HubSpot that failed but the process that sent; as often as every other failure
/// otherwise. What was never answered is not called refused: in the end a person decides.
pub fn after_doubt(op: &Kept, epoch: u64, contacts: &RetryPolicy, now: Timestamp) -> Outcome {
    let wait = if op.epoch.is_some_and(|sent| sent < epoch) {
        Some(Duration::ZERO)
    } else {
        contacts.wait(op.attempts)
    };
    Outcome {
        not_before: wait.map(|wait| later(op.changed_at.max(now), wait)),
        error: op.error.clone(),
        ..Outcome::to(if wait.is_some() { OpState::Queued } else { OpState::Held })
    }
}

/// What HubSpot refuses for good; of a contact, with the fields it names, since nobody saw the form.
fn refused(op: &Kept, failure: &Failure) -> OpError {
    let mut error = error(word(&failure.signal), failure);
    // HubSpot's own sentence may name it after a page of options.
    let beginning: String = error.message.chars().take(100).collect();
    let is_said = |field: &String| beginning.contains(field.as_str());
    if matches!(op.payload, Payload::UpsertContact { .. }) && !failure.fields.iter().all(is_said) {
        error.message = format!("'{}': {}", failure.fields.join("', '"), error.message);
    }
    error
}

/// The wait before the next try: at least `least`, doubled with every attempt, with a spread that is the operation's own,
/// so that a hundred changes do not come back at the same instant.
pub fn backoff(op: &Kept, least: Duration) -> Duration {
    let doubled = least.saturating_mul(1 << op.attempts.saturating_sub(1).min(10));
    let capped = doubled.min(LONGEST_WAIT.max(least));
    let spread = (op.created_at.as_millisecond().rem_euclid(256) + 37 * i64::from(op.attempts)) % 256;
    capped + capped * u32::try_from(spread).unwrap_or_default() / 512
}

fn is_spent(op: &Kept, now: Timestamp) -> bool {
    op.attempts >= MOST_ATTEMPTS || later(op.created_at, LONGEST) < now
}

fn error(class: &str, failure: &Failure) -> OpError {
    OpError {
        class: class.to_owned(),
        message: failure.message.clone(),
        correlation_id: failure.correlation_id.clone(),
    }
}

fn held(reason: HeldReason, failure: &Failure) -> OpError {
    match reason {
        HeldReason::NeedsFields => OpError {
            message: OpError::wants(&failure.fields),
            ..error(OpError::NEEDS_FIELDS, failure)
        },
        HeldReason::Scope => OpError {
            message: format!(
                "the token lacks the scope '{}'; grant it, then send this again",
                failure.scopes.join("' or '")
            ),
            ..error("scope", failure)
        },
        HeldReason::Permission => error("permission", failure),
    }
}

/// The error of an operation whose record is gone. Nothing is ever made anew for it.
pub fn gone(correlation_id: Option<String>) -> OpError {
    OpError {
        class: "not_found".to_owned(),
        message: "the record is not in HubSpot any more; restore it there and send this again, or drop it".to_owned(),
        correlation_id,
    }
}

/// The stable word of a failure.
const fn word(signal: &Signal) -> &'static str {
    match signal {
        Signal::NotSent
        | Signal::NotProcessed
        | Signal::Resting
        | Signal::Blocked
        | Signal::Redirect
        | Signal::Migrating { .. }
        | Signal::Unreachable(_) => "offline",
        Signal::Unauthorized | Signal::Interception => "auth",
        Signal::RateWindow { .. } | Signal::RateSecond { .. } | Signal::RateDaily { .. } | Signal::Denied => "rate",
        Signal::Unkept(_) => "store",
        Signal::NotFound => "not_found",
        Signal::MissingScope => "scope",
        Signal::Forbidden => "permission",
        Signal::Locked => "locked",
        Signal::Conflict => "conflict",
        Signal::Validation | Signal::UniqueClash | Signal::BadRequest(_) => "validation",
        Signal::NeedsFields => "needs_fields",
        _ => "unknown_outcome",
    }
}
