//! What a signal means for an operation: one function, one table. It decides nothing else and performs nothing.

use std::time::Duration;

use super::signal::Signal;

/// Kinds of requests, by what repeating them would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpClass {
    /// Reads and searches: repeatable at will.
    Read,
    /// A create that HubSpot itself deduplicates by a unique property.
    KeyedCreate,
    /// A create without such a key: sending it twice makes two. A merge, which is never repeated either.
    UnkeyedCreate,
    /// Setting properties: repeatable only after looking, since a person may have changed them meanwhile.
    PropertySet,
    /// Associating: idempotent.
    Association,
    /// Archiving: idempotent.
    Archive,
}

impl OpClass {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::KeyedCreate,
        Self::UnkeyedCreate,
        Self::PropertySet,
        Self::Association,
        Self::Archive,
    ];
}

/// Whether the request took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Certainly not.
    No,
    /// Yes.
    Yes,
    /// Nobody knows.
    Unknown,
}

/// Why an operation waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldReason {
    /// The account's rules want more properties; `Failure::fields` names them.
    NeedsFields,
    /// The token lacks a scope; `Failure::scopes` names it.
    Scope,
    /// The user may not do this.
    Permission,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It took effect: record the answer.
    Landed,
    /// It took effect on another record: note the alias, then record the answer.
    LandedElsewhere,
    /// It had no effect: back to the queue, not before `after`.
    Requeue {
        /// At least this long; add jitter.
        after: Duration,
    },
    /// It had no effect and there is no connection: back to the queue, probe until there is one.
    Offline,
    /// Unknown outcome of a request that is safe to repeat as it is: mark it uncertain, send it again with backoff.
    Resend {
        /// At least this long; add jitter and grow with every attempt.
        after: Duration,
    },
    /// Keyed create: look the key up. Found means landed; absent means the same request may be sent again.
    Resolve,
    /// Property set: mark it uncertain (or in conflict) and read the record with history before anything else.
    Reread,
    /// Unknown outcome that only a later look, or a person, can settle. Never resent silently.
    Uncertain,
    /// The target is gone: look for it among archived and merged records.
    FindTarget,
    /// The token is refused: pause the account, ask for a token, check the portal id before going on.
    PauseAccount,
    /// Pause everything for this long; `None` means until the day's budget is full again.
    PauseFor(Option<Duration>),
    /// Stop all sending and tell the person that the connection is not trusted.
    StopSending,
    /// Back to the queue, and slow down: somebody between us and HubSpot blocks us.
    BreakCircuit,
    /// Wait for a person.
    Held(HeldReason),
    /// Refused for good; for a read: give up and report.
    Dead,
}

/// The verdict on one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it took effect.
    pub applied: Applied,
    /// What to do.
    pub action: Action,
    /// Whether it counts as one of the operation's attempts.
    pub charge_attempt: bool,
}

/// The table.
#[must_use]
pub fn classify(op: OpClass, signal: &Signal) -> Verdict {
    let read = op == OpClass::Read;
    match signal {
        Signal::Confirmed => yes(Action::Landed),
        Signal::OtherId => yes(Action::LandedElsewhere),
        Signal::NotSent => free(Action::Offline),
        Signal::NotProcessed => free(requeue(1)),
        Signal::Interception => free(Action::StopSending),
        Signal::Denied | Signal::Unkept(_) | Signal::Resting if read => free(Action::Dead),
        Signal::Unkept(_) => free(requeue(5)),
        Signal::Denied => free(Action::PauseFor(None)),
        Signal::Resting => free(Action::Offline),
        Signal::MissingItem | Signal::TimedOut | Signal::Lost => unknown(op, Action::Resolve),
        // Behind a captive portal every answer looks like this; a read is useless, a write may have gone through.
        Signal::NotHubSpot if read => no(Action::Dead),
        Signal::NotHubSpot | Signal::Unreadable => unknown(op, Action::Resolve),
        Signal::Server(_) => unknown(op, resend(1)),
        Signal::Unknown(_) if read => no(Action::Dead),
        Signal::Unknown(_) => unknown(op, Action::Resolve),
        Signal::Redirect if read => no(Action::Dead),
        Signal::Redirect | Signal::Blocked | Signal::Unreachable(_) => free(Action::BreakCircuit),
        Signal::Validation | Signal::BadRequest(_) => no(Action::Dead),
        Signal::NeedsFields if !read => no(Action::Held(HeldReason::NeedsFields)),
        Signal::MissingScope if !read => no(Action::Held(HeldReason::Scope)),
        Signal::Forbidden if !read => no(Action::Held(HeldReason::Permission)),
        Signal::NeedsFields | Signal::MissingScope | Signal::Forbidden => no(Action::Dead),
        Signal::UniqueClash | Signal::Conflict => no(clash(op, signal)),
        Signal::NotFound => not_found(op),
        Signal::Unauthorized => free(Action::PauseAccount),
        Signal::Locked => no(requeue(2)),
        Signal::RateWindow { retry_after } => free(wait(*retry_after, 10)),
        Signal::RateSecond { retry_after } => free(wait(*retry_after, 1)),
        Signal::RateDaily { retry_after } => free(Action::PauseFor(*retry_after)),
        Signal::Migrating { retry_after } => free(Action::PauseFor(Some(*retry_after))),
        Signal::WrongHost => free(requeue(0)),
    }
}

/// The value, or the record, is taken.
fn clash(op: OpClass, signal: &Signal) -> Action {
    match op {
        OpClass::KeyedCreate => Action::Resolve,
        OpClass::PropertySet if *signal == Signal::Conflict => Action::Reread,
        _ => Action::Dead,
    }
}

/// Nothing there: as good as archived; anything else may have been merged or archived meanwhile.
const fn not_found(op: OpClass) -> Verdict {
    match op {
        OpClass::Archive => yes(Action::Landed),
        OpClass::KeyedCreate | OpClass::UnkeyedCreate => no(Action::Dead),
        OpClass::Read | OpClass::PropertySet | OpClass::Association => no(Action::FindTarget),
    }
}

/// The request may have had its effect. `keyed` is what a keyed create does about it.
const fn unknown(op: OpClass, keyed: Action) -> Verdict {
    let action = match op {
        OpClass::Read => return no(requeue(1)),
        OpClass::KeyedCreate => keyed,
        OpClass::UnkeyedCreate => Action::Uncertain,
        OpClass::PropertySet => Action::Reread,
        OpClass::Association | OpClass::Archive => resend(1),
    };
    Verdict {
        applied: Applied::Unknown,
        action,
        charge_attempt: true,
    }
}

const fn yes(action: Action) -> Verdict {
    Verdict {
        applied: Applied::Yes,
        action,
        charge_attempt: true,
    }
}

/// No effect, and it counts as an attempt.
const fn no(action: Action) -> Verdict {
    Verdict {
        applied: Applied::No,
        action,
        charge_attempt: true,
    }
}

/// No effect, and not the operation's fault: no attempt is charged.
const fn free(action: Action) -> Verdict {
    Verdict {
        applied: Applied::No,
        action,
        charge_attempt: false,
    }
}

const fn requeue(seconds: u64) -> Action {
    Action::Requeue {
        after: Duration::from_secs(seconds),
    }
}

const fn resend(seconds: u64) -> Action {
    Action::Resend {
        after: Duration::from_secs(seconds),
    }
}

fn wait(retry_after: Option<Duration>, seconds: u64) -> Action {
    Action::Requeue {
        after: retry_after.unwrap_or(Duration::from_secs(seconds)),
    }
}
