//! A budget: allows a burst, and a fixed rate after that (a token bucket).

use std::time::{Duration, Instant};

/// A budget that refills with time.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    most: u32,
    each: Duration,
    /// When the budget was, or would have been, empty.
    empty_at: Option<Instant>,
}

impl Budget {
    /// A full budget of `most`, which gains one per interval `each`.
    pub fn new(most: u32, each: Duration) -> Self {
        Self { most, each, empty_at: None }
    }

    /// Takes one. Returns false if the budget is empty.
    pub fn take(&mut self, now: Instant) -> bool {
        let full = self.each * self.most;
        // The budget never exceeds `most`.
        let oldest = now.checked_sub(full).unwrap_or(now);
        let empty_at = self.empty_at.map_or(oldest, |empty_at| empty_at.max(oldest));
        let next = empty_at + self.each;
        let has_one = next <= now;
        self.empty_at = Some(if has_one { next } else { empty_at });
        has_one
    }

    /// Whether the budget is full.
    pub fn is_full(&self, now: Instant) -> bool {
        self.empty_at.is_none_or(|empty_at| empty_at + self.each * self.most <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_allows_its_number_at_once_and_refills() {
        let (mut budget, now) = (Budget::new(3, Duration::from_secs(1)), Instant::now() + Duration::from_secs(60));
        let taken = |budget: &mut Budget, at: Duration| (0..10).filter(|_| budget.take(now + at)).count();
        assert!(budget.is_full(now));
        assert_eq!(taken(&mut budget, Duration::ZERO), 3);
        assert!(!budget.is_full(now));
        assert_eq!(taken(&mut budget, Duration::from_millis(1_500)), 1);
        assert_eq!(taken(&mut budget, Duration::from_secs(100)), 3, "no more than it holds");
    }
}
