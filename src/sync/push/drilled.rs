//! Deliberate bugs about outcomes, for the simulation that must catch them.

use crate::{
    domain::{Bug, OpState},
    store::Outcome,
    sync::core::Core,
};

/// The outcome as the bug of a drill would have it; without one, as it is.
pub fn outcome(core: &Core, outcome: Outcome) -> Outcome {
    let drill = core.settings.drill;
    if outcome.state == OpState::Uncertain && drill.has(Bug::UncertainToQueued) {
        return Outcome {
            state: OpState::Queued,
            ambiguous: false,
            ..outcome
        };
    }
    if outcome.http_status.is_some_and(|status| status >= 500) && drill.has(Bug::FalseLanding) {
        return Outcome {
            ambiguous: false,
            ..Outcome::to(OpState::Landed)
        };
    }
    Outcome {
        charged: outcome.charged || drill.has(Bug::RefusalsCharged),
        not_before: outcome.not_before.filter(|_| !drill.has(Bug::NoBackoff)),
        ..outcome
    }
}
