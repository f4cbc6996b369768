//! A budget: allows a burst, and a fixed rate after that (a token bucket).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Number of remembered addresses at which those with a full budget are forgotten: about 400 kB.
const REMEMBERED: usize = 4_096;

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

/// A budget for each address.
#[derive(Debug)]
pub struct AddressBudgets {
    full: Budget,
    known: Mutex<HashMap<IpAddr, Budget>>,
}

impl AddressBudgets {
    /// Each address starts with a full budget of `most`, which gains one per interval `each`.
    pub fn new(most: u32, each: Duration) -> Self {
        Self { full: Budget::new(most, each), known: Mutex::default() }
    }

    /// Takes one from the budget of this address. Returns false if it is empty. An IPv4 address counts as the same in
    /// the form of IPv6.
    pub fn take(&self, address: IpAddr, now: Instant) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, budget| !budget.is_full(now));
        }
        known.entry(address.to_canonical()).or_insert(self.full).take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_held_to_its_budget_and_others_are_not() {
        let budgets = AddressBudgets::new(20, Duration::from_millis(100));
        let (now, busy) = (Instant::now() + Duration::from_secs(60), [192, 0, 2, 1].into());
        assert_eq!((0..1000).filter(|_| budgets.take(busy, now)).count(), 20);
        assert!(!budgets.take("::ffff:192.0.2.1".parse().unwrap(), now), "the same in the form of IPv6");
        assert!(budgets.take([192, 0, 2, 2].into(), now));
        assert!(budgets.take(busy, now + Duration::from_secs(1)));
    }

    #[test]
    fn addresses_with_a_full_budget_are_forgotten() {
        let (budgets, start) = (AddressBudgets::new(1, Duration::from_secs(1)), Instant::now());
        for number in 0..20_000 {
            assert!(budgets.take(IpAddr::from(u32::to_be_bytes(number)), start + Duration::from_millis(number.into())));
        }
        assert!(budgets.known.lock().unwrap().len() <= REMEMBERED);
    }

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
