//! The retry budget of a client.

use std::sync::atomic::{AtomicU32, Ordering};

/// What one repetition costs, in units of what a success gives back.
const COST: u32 = 10;

/// A token bucket that all clones of a client share: a repetition takes one retry out, a call that
/// succeeds puts a tenth of one back. While the service is down, clients thus soon stop adding load.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU32,
    capacity: u32,
}

impl Budget {
    /// A full budget of `retries`.
    pub(crate) fn new(retries: u32) -> Self {
        let capacity = retries.saturating_mul(COST);
        Self { left: AtomicU32::new(capacity), capacity }
    }

    /// Takes one retry, if there is one.
    pub(crate) fn take(&self) -> bool {
        self.change(|left| left.checked_sub(COST))
    }

    /// Puts back what a success is worth.
    pub(crate) fn credit(&self) {
        self.change(|left| (left < self.capacity).then(|| left + 1));
    }

    fn change(&self, change: impl FnMut(u32) -> Option<u32>) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[test]
    fn a_budget_is_never_overdrawn_and_ten_successes_earn_a_retry() {
        let budget = Budget::new(2);
        assert_eq!([budget.take(), budget.take(), budget.take()], [true, true, false]);
        (0..9).for_each(|_| budget.credit());
        assert!(!budget.take());
        budget.credit();
        assert!(budget.take());
    }

    #[test]
    fn a_full_budget_takes_no_credit() {
        let budget = Budget::new(1);
        (0..100).for_each(|_| budget.credit());
        assert_eq!([budget.take(), budget.take()], [true, false]);
    }
}
