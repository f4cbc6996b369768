//! Paces the handshakes of addresses that make too many.
//!
//! Each costs the server 0.3 ms of a core more than a connection without one (`bench/admission.py`, docs/security.md).

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::flow::budget::AddressBudgets;

/// Number of handshakes that one address may make at once. As many as `--max-requests` takes in a burst by default.
const BURST: u32 = 100;

/// Time from one further handshake to the next: 50 per second, the default of `--max-requests`.
const SPACING: Duration = Duration::from_millis(20);

/// When a handshake may begin.
#[derive(Debug)]
pub(super) struct Pace {
    budgets: AddressBudgets,
    /// Those beyond their budget wait here, in the order in which they came.
    line: Semaphore,
}

impl Default for Pace {
    fn default() -> Self {
        Self { budgets: AddressBudgets::new(BURST, SPACING), line: Semaphore::new(1) }
    }
}

impl Pace {
    /// Waits until this address may begin a handshake: not at all within its budget. All addresses beyond theirs share
    /// one further handshake per [`SPACING`]. A wait that is dropped takes nobody's turn.
    pub(super) async fn turn(&self, address: IpAddr) {
        if self.budgets.take(address, Instant::now().into_std()) {
            return;
        }
        // The semaphore is never closed, so that this always gets its permit.
        let _permit = self.line.acquire().await;
        sleep(SPACING).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_beyond_its_budget_waits_and_others_do_not() {
        let (pace, start) = (Arc::new(Pace::default()), Instant::now());
        let mut turns = JoinSet::new();
        for _ in 0..BURST + 50 {
            let pace = pace.clone();
            turns.spawn(async move { pace.turn([192, 0, 2, 1].into()).await });
        }
        for _ in 0..BURST {
            turns.join_next().await.unwrap().unwrap();
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        pace.turn([192, 0, 2, 2].into()).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "another address");
        while turns.join_next().await.is_some() {}
        let waited = start.elapsed();
        assert!(waited >= SPACING * 50 && waited <= SPACING * 52, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_stop_waiting_take_nobodys_turn() {
        let (pace, start) = (Arc::new(Pace::default()), Instant::now());
        let address = [192, 0, 2, 1].into();
        for _ in 0..BURST {
            pace.turn(address).await;
        }
        let mut gone = JoinSet::new();
        for _ in 0..1_000 {
            let pace = pace.clone();
            gone.spawn(async move { pace.turn(address).await });
        }
        tokio::task::yield_now().await;
        gone.shutdown().await;
        pace.turn(address).await;
        assert!(start.elapsed() <= SPACING * 2, "{:?}", start.elapsed());
    }
}
