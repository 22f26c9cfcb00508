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
            Payload::UpsertContact { .. } => contacts.wait(failures(op)),
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
        // Another contact has the value of a unique property: that stays so until somebody changes it.
        Action::Resolve if failure.signal == Signal::UniqueClash => Outcome {
            error: Some(refused(op, failure)),
            ..outcome(OpState::Dead)
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
/// be sent again. At once, when only our own processes failed so far; on the schedule of every other failure otherwise. What
/// was never answered is not called refused: in the end a person decides.
pub fn after_doubt(op: &Kept, contacts: &RetryPolicy, now: Timestamp) -> Outcome {
    let wait = match failures(op) {
        0 => Some(Duration::ZERO),
        failed => contacts.wait(failed),
    };
    Outcome {
        not_before: wait.map(|wait| later(op.changed_at.max(now), wait)),
        error: op.error.clone(),
        ..Outcome::to(if wait.is_some() { OpState::Queued } else { OpState::Held })
    }
}

/// The sends of an operation that failed while its process lived.
const fn failures(op: &Kept) -> u32 {
    op.op.attempts.saturating_sub(op.crashes)
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
        Signal::Validation | Signal::UniqueClash | Signal::BadRequest(_) => OpError::VALIDATION,
        Signal::NeedsFields => "needs_fields",
        _ => "unknown_outcome",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OpId, Operation, Properties, RecordRef};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(60 * minute).unwrap()
    }

    fn push(attempts: u32, crashes: u32) -> Kept {
        let email = "a@b.example".to_owned();
        let op = Operation {
            id: OpId(uuid::Uuid::from_u128(1)),
            entity: RecordRef::by_email(&email),
            payload: Payload::UpsertContact {
                email,
                values: Properties::new(),
            },
            state: OpState::Uncertain,
            attempts,
            created_at: at(0),
            not_before: None,
            error: None,
            remote_id: None,
            undo_of: None,
            title: String::new(),
        };
        Kept {
            op,
            account: 42,
            op_key: String::new(),
            seq: 1,
            ambiguous_sends: attempts,
            crashes,
            epoch: Some(1),
            claimed_at: Some(at(0)),
            landed_version: None,
            changed_at: at(0),
            superseded_by: None,
        }
    }

    #[test]
    fn after_a_crash_a_contact_is_sent_again_at_once_and_after_a_failure_on_its_schedule() {
        let wait = |attempts, crashes| {
            let outcome = after_doubt(&push(attempts, crashes), &RetryPolicy::default(), at(0));
            Some(outcome.not_before?.as_second() / 60)
        };
        assert_eq!(wait(1, 1), Some(0), "the process ended, HubSpot did not fail");
        assert_eq!(wait(1, 0), Some(5), "in a new process too");
        assert_eq!(wait(2, 1), Some(5));
        assert_eq!(wait(3, 0), Some(20));
        assert_eq!(wait(4, 0), None, "the last try was made");
        assert_eq!(wait(5, 1), None);
    }

    #[test]
    fn a_value_that_another_contact_has_is_refused_and_not_tried_again() {
        let failure = Failure {
            fields: vec!["badge".to_owned()],
            ..Failure::new(Signal::UniqueClash, "already has that value")
        };
        let outcome = after_failure(&push(1, 0), &failure, &RetryPolicy::default(), at(0));
        let error = outcome.error.unwrap();
        assert_eq!(
            (outcome.state, error.class.as_str()),
            (OpState::Dead, OpError::VALIDATION)
        );
        assert!(error.message.contains("badge"), "{error:?}");
    }
}
