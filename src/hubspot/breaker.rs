//! The breaker: leaves HubSpot alone after too many bad answers, then lets one read find out whether it works again. It
//! sends nothing, waits for nothing, and knows nothing of limits: a 4xx or a 429 is a good answer here, since somebody is
//! there and thinks.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    budget::SlotTime,
    classify::{Action, OpClass},
    failure::Failure,
    signal::Signal,
    transport::Response,
    wire,
};

/// So many bad answers one after the other open the breaker.
const MOST_IN_A_ROW: u32 = 5;
/// Half of so many calls, all within [`WINDOW`], open it too.
const CALLS: usize = 20;
const WINDOW: Duration = Duration::from_secs(30);
/// How long it stays open the first time; twice as long every time it opens again.
const FIRST_REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_mins(5);
/// While the one read that may go is on its way, the others come back after this.
const PROBE_WAIT: Duration = Duration::from_secs(1);

/// What a request is for: only a read may find out whether HubSpot answers again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    Read,
    Write,
}

/// What an exchange says about HubSpot's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Somebody is there and thinks, whatever they answered.
    Good,
    /// It failed, or somebody else answered.
    Bad,
    /// It is no use to go on at all.
    Shut,
    /// HubSpot asked to be left alone this long (477).
    Moving(Duration),
    /// Nothing: the request did not get there, and that may be our own network.
    Unknown,
}

impl Health {
    /// Read from the answer, or from why there is none.
    pub(super) fn of(answer: &Result<Response, Failure>) -> Self {
        let signal = match answer {
            Ok(response) if wire::is_hubspots(response) => return Self::Good,
            Ok(_) => return Self::Bad,
            Err(failure) => &failure.signal,
        };
        match signal {
            Signal::Server(_) | Signal::Unknown(500..) | Signal::TimedOut | Signal::Lost | Signal::NotHubSpot => {
                Self::Bad
            }
            Signal::Migrating { retry_after } => Self::Moving(*retry_after),
            Signal::NotSent
            | Signal::NotProcessed
            | Signal::Interception
            | Signal::Denied
            | Signal::Unkept(_)
            | Signal::Resting => Self::Unknown,
            signal if super::classify(OpClass::PropertySet, signal).action == Action::BreakCircuit => Self::Shut,
            _ => Self::Good,
        }
    }
}

/// Why a request was not let through. It certainly had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Denial {
    /// When it makes sense to come back.
    pub(super) wait: Duration,
    /// HubSpot itself asked to be left alone.
    pub(super) moving: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    /// Nothing goes until then; afterwards one read.
    Open {
        until: SlotTime,
        moving: bool,
    },
    /// That one read is on its way.
    Probing {
        moving: bool,
    },
}

/// The breaker of one account.
#[derive(Debug)]
pub(super) struct Breaker {
    circuit: Mutex<Circuit>,
}

#[derive(Debug)]
struct Circuit {
    state: State,
    /// Counts the times the state changed: what was sent before says nothing about now.
    turn: u64,
    bad_in_a_row: u32,
    /// The last calls, oldest first: when they ended and whether they were bad. At most [`CALLS`].
    recent: VecDeque<(SlotTime, bool)>,
    /// How often it opened since it was last closed for longer than [`WINDOW`].
    openings: u32,
    closed_at: SlotTime,
}

/// The right to send one request. Dropped without an answer (a cancelled call) it says nothing about HubSpot.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    turn: u64,
    probe: bool,
}

impl Breaker {
    pub(super) const fn new() -> Self {
        Self {
            circuit: Mutex::new(Circuit {
                state: State::Closed,
                turn: 0,
                bad_in_a_row: 0,
                recent: VecDeque::new(),
                openings: 0,
                closed_at: SlotTime(0),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a request through, or says when to come back.
    pub(super) fn enter(&self, errand: Errand, now: SlotTime) -> Result<Pass<'_>, Denial> {
        let mut circuit = self.lock();
        let probe = match circuit.state {
            State::Closed => false,
            State::Open { until, moving } if until <= now && errand == Errand::Read => {
                circuit.set(State::Probing { moving });
                true
            }
            State::Open { until, moving } => {
                let wait = now.until(until).max(PROBE_WAIT);
                return Err(Denial { wait, moving });
            }
            State::Probing { moving } => {
                let wait = PROBE_WAIT;
                return Err(Denial { wait, moving });
            }
        };
        Ok(Pass {
            breaker: self,
            turn: circuit.turn,
            probe,
        })
    }

    /// Whether everything goes.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().state == State::Closed
    }

    /// How long nothing goes; `None` when something may.
    pub(super) fn rests(&self, now: SlotTime) -> Option<Duration> {
        match self.lock().state {
            State::Open { until, .. } if until > now => Some(now.until(until)),
            _ => None,
        }
    }
}

impl Pass<'_> {
    /// The request is over.
    pub(super) fn leave(self, health: Health, now: SlotTime) {
        let mut circuit = self.breaker.lock();
        if circuit.turn != self.turn {
            return;
        }
        match health {
            Health::Good if self.probe => circuit.close(now),
            Health::Good => circuit.count(false, now),
            Health::Moving(wait) => circuit.set(State::Open {
                until: now.after(wait),
                moving: true,
            }),
            Health::Shut => circuit.open(now),
            Health::Bad if self.probe => circuit.open(now),
            Health::Bad => {
                circuit.count(true, now);
                if circuit.is_too_bad() {
                    circuit.open(now);
                }
            }
            // The probe says nothing: the drop lets another one go.
            Health::Unknown => {}
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut circuit = self.breaker.lock();
        if self.probe
            && circuit.turn == self.turn
            && let State::Probing { moving } = circuit.state
        {
            let until = SlotTime(i64::MIN);
            circuit.set(State::Open { until, moving });
        }
    }
}

impl Circuit {
    fn set(&mut self, state: State) {
        self.state = state;
        self.turn += 1;
    }

    fn count(&mut self, bad: bool, now: SlotTime) {
        self.bad_in_a_row = if bad { self.bad_in_a_row + 1 } else { 0 };
        self.recent.push_back((now, bad));
        while self.recent.len() > CALLS || self.recent.front().is_some_and(|(at, _)| at.until(now) > WINDOW) {
            self.recent.pop_front();
        }
    }

    fn is_too_bad(&self) -> bool {
        let bad = self.recent.iter().filter(|(_, bad)| *bad).count();
        self.bad_in_a_row >= MOST_IN_A_ROW || (self.recent.len() == CALLS && bad * 2 >= CALLS)
    }

    fn open(&mut self, now: SlotTime) {
        if self.state == State::Closed && self.closed_at.until(now) > WINDOW {
            self.openings = 0;
        }
        let rest = (FIRST_REST * (1 << self.openings.min(6))).min(LONGEST_REST);
        self.openings += 1;
        tracing::warn!(?rest, "HubSpot is left alone for a while");
        self.set(State::Open {
            until: now.after(rest),
            moving: false,
        });
    }

    fn close(&mut self, now: SlotTime) {
        self.bad_in_a_row = 0;
        self.recent.clear();
        self.closed_at = now;
        self.set(State::Closed);
    }
}

#[cfg(test)]
mod tests;
