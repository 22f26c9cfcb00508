//! Which state may follow which. One table; every step of every operation passes it.

use crate::domain::OpState::{
    self, Cancelled, Conflict, Dead, Done, Held, InFlight, Landed, Queued, Superseded, Uncertain,
};

/// Whether `to` may follow `from`. `ambiguous` = HubSpot may have applied a send of which nobody knows the outcome.
///
/// The sentence that everything hangs on: after an ambiguous send only `uncertain` may follow, and only finding out (or
/// a person) leads out of it; never a resend, never a cancellation.
pub(super) const fn allowed(from: OpState, to: OpState, ambiguous: bool) -> bool {
    if ambiguous {
        return matches!((from, to), (InFlight | Uncertain, Uncertain));
    }
    match from {
        // `landed` without a send: the check before it found HubSpot already there.
        Queued => matches!(
            to,
            Queued | InFlight | Landed | Conflict | Held | Dead | Cancelled | Superseded
        ),
        InFlight => matches!(to, Queued | Uncertain | Landed | Conflict | Held | Dead),
        // Found out: it took effect, it certainly did not (resend), somebody else was faster, or a person must decide.
        Uncertain => matches!(to, Uncertain | Landed | Queued | Conflict | Held),
        // Back to `queued`: a late, older send of ours overwrote it, so the newest intent is sent again.
        Landed => matches!(to, Done | Queued | Conflict),
        Conflict => matches!(to, Queued | Landed | Held | Cancelled),
        Held => matches!(to, Queued | Landed | Conflict | Uncertain | Cancelled),
        Dead => matches!(to, Queued | Cancelled),
        Done | Cancelled | Superseded => false,
    }
}

/// Whether a send (or finding out about one) can end there. The other states have their own ways: a claim, settling,
/// cancelling, replacing.
pub(super) const fn is_outcome(state: OpState) -> bool {
    matches!(state, Queued | Uncertain | Landed | Conflict | Held | Dead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ambiguous_send_leads_to_uncertain_and_nowhere_else() {
        for from in OpState::ALL {
            for to in OpState::ALL {
                let expected = matches!(from, InFlight | Uncertain) && to == Uncertain;
                assert_eq!(allowed(from, to, true), expected, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn what_is_over_stays_over() {
        for from in [Done, Cancelled, Superseded] {
            for to in OpState::ALL {
                assert!(!allowed(from, to, false), "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn only_a_claim_leads_into_flight_and_only_landing_leads_to_done() {
        for from in OpState::ALL {
            assert_eq!(allowed(from, InFlight, false), from == Queued, "{from:?}");
            assert_eq!(allowed(from, Done, false), from == Landed, "{from:?}");
            assert_eq!(allowed(from, Superseded, false), from == Queued, "{from:?}");
        }
    }

    #[test]
    fn neither_flight_nor_doubt_can_be_cancelled_or_given_up() {
        assert!(!allowed(InFlight, Cancelled, false));
        assert!(!allowed(Uncertain, Cancelled, false));
        assert!(!allowed(Uncertain, Dead, false));
        assert!(!allowed(Landed, Cancelled, false));
    }
}
