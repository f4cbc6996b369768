//! Limits the number of connectivity checks sent to a machine that has not answered.
//!
//! A peer names its own addresses, and ICE sends each of them up to a thousand checks. An address other than that of
//! the signaling connection may belong to a third machine, which never asked for checks. Such a machine gets only a
//! few, at growing intervals. They are enough to open a path through a firewall; after that, the peer's own checks
//! arrive.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::flow::budget::Budget;

/// Interval between the first two checks of a connection to a machine. Each later one is twice as long.
const FIRST_INTERVAL: Duration = Duration::from_millis(10);

/// Maximum number of checks from a connection to a machine. With the intervals above, the last one is sent after 10 s,
/// when opening ends.
const MOST_CHECKS: u32 = 11;

/// Maximum number of checks at once from all connections together to one machine. After that, one per second is
/// allowed.
const CHECKS_AT_ONCE: u32 = 32;
const EACH: Duration = Duration::from_secs(1);

/// Number of remembered budgets at which those that are full again are forgotten.
const REMEMBERED: usize = 1024;

/// The machines that one connection has checked.
#[derive(Debug, Default)]
pub(super) struct CheckedMachines(HashMap<IpAddr, Checked>);

#[derive(Debug)]
struct Checked {
    checks: u32,
    next: Instant,
}

impl CheckedMachines {
    /// Whether one more check may be sent to this machine, which has not answered any.
    pub(super) fn may_check(&mut self, machine: IpAddr, now: Instant) -> bool {
        let checked = self.0.entry(machine).or_insert(Checked { checks: 0, next: now });
        if checked.checks >= MOST_CHECKS || now < checked.next || !all_may_check(machine, now) {
            return false;
        }
        checked.next = now + FIRST_INTERVAL * (1 << checked.checks);
        checked.checks += 1;
        true
    }
}

/// Whether the budget of all connections of this process allows one more check to this machine.
fn all_may_check(machine: IpAddr, now: Instant) -> bool {
    static BUDGETS: LazyLock<Mutex<HashMap<IpAddr, Budget>>> = LazyLock::new(Mutex::default);
    let mut budgets = BUDGETS.lock().unwrap_or_else(PoisonError::into_inner);
    if budgets.len() >= REMEMBERED {
        budgets.retain(|_, budget| !budget.is_full(now));
    }
    budgets.entry(machine).or_insert(Budget::new(CHECKS_AT_ONCE, EACH)).take(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_machine_gets_a_few_checks_over_ten_seconds() {
        let (mut checked, start) = (CheckedMachines::default(), Instant::now() + Duration::from_secs(60));
        let machine = [192, 0, 2, 1].into();
        let sent: Vec<_> = (0..1000)
            .map(|tick| tick * 10)
            .filter(|&ms| checked.may_check(machine, start + Duration::from_millis(ms)))
            .collect();
        assert_eq!(sent, [0, 10, 30, 70, 150, 310, 630, 1270, 2550, 5110]);
    }

    #[test]
    fn many_connections_check_it_no_more_often() {
        let start = Instant::now() + Duration::from_secs(60);
        let machine = [192, 0, 2, 2].into();
        let sent = (0..1000).filter(|_| CheckedMachines::default().may_check(machine, start)).count();
        assert_eq!(sent, CHECKS_AT_ONCE as usize);
    }
}
