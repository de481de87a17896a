//! The retry budget of a client.

use std::sync::atomic::{AtomicU32, Ordering};

/// The cost of a retry, in units of what a successful call puts back.
const COST: u32 = 10;

/// A token bucket that all clones of a client share.
///
/// A retry takes one out, and a successful call puts a tenth of one back. While the service is down, the bucket soon is
/// empty, and retries no longer add to the load.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU32,
    capacity: u32,
}

impl Budget {
    /// Returns a full budget of `retries`.
    pub(crate) fn new(retries: u32) -> Self {
        let capacity = retries.saturating_mul(COST);
        Self { left: AtomicU32::new(capacity), capacity }
    }

    /// Takes one retry, and returns whether there was one.
    pub(crate) fn take(&self) -> bool {
        self.change(|left| left.checked_sub(COST))
    }

    /// Puts back a tenth of a retry, for a successful call.
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
