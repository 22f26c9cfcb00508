//! The retry budget: keeps retries a small part of all requests, so that a HubSpot in trouble is not given more to do. It
//! decides neither what may be tried again nor when.

use std::sync::atomic::{AtomicU32, Ordering};

/// Retries a client may make without having earned them.
const RETRIES: u32 = 10;
/// Good answers that earn one more.
const PRICE: u32 = 10;

/// Ten retries; each costs one, every good answer brings a tenth back. Empty means: no retry, the failure goes up and
/// whoever asked comes back in their own time.
#[derive(Debug)]
pub(super) struct RetryBudget {
    /// In tenths of a retry.
    tenths: AtomicU32,
}

impl RetryBudget {
    pub(super) const fn new() -> Self {
        Self {
            tenths: AtomicU32::new(RETRIES * PRICE),
        }
    }

    /// A good answer came in.
    pub(super) fn earn(&self) {
        let more = |tenths: u32| (tenths < RETRIES * PRICE).then_some(tenths + 1);
        // Full is full.
        let _ = self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Takes one retry; `false` when there is none.
    pub(super) fn spend(&self) -> bool {
        let less = |tenths: u32| tenths.checked_sub(PRICE);
        self.tenths
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_retries_are_free_and_ten_good_answers_earn_one() {
        let budget = RetryBudget::new();
        budget.earn();
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10);
        for _ in 0..9 {
            budget.earn();
        }
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend());
        assert!(!budget.spend());
    }
}
