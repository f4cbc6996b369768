//! Limits on connections to the port.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use clap::Args;
use shared::flow::budget::AddressBudgets;

/// Largest value of an option in this group. Each connection takes memory and descriptors.
const MOST: u64 = 65_536;

/// Size of a burst from one address, in seconds at its rate.
const BURST: u32 = 2;

/// Limits on those who come to the port.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Maximum number of sessions at a time; further clients are told that the server is full, and may try again
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = number(1))]
    pub max_sessions: usize,

    /// Maximum number of connections that have not said yet what they want; a new one replaces the oldest
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = number(1))]
    pub max_waiting: usize,

    /// Maximum number of unanswered offers to silent connections; a new one replaces the oldest
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = number(1))]
    pub max_offers: usize,

    /// Maximum time from accepting a connection until its link is open
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = positive)]
    pub handshake_limit: Duration,

    /// Maximum time that a connection with an offer may stay silent
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = positive)]
    pub idle_limit: Duration,

    /// Number of unacknowledged bytes on a data channel at which further messages wait
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = bytes)]
    pub max_in_flight: usize,

    /// Maximum number of connections per second from one address; beyond that, only those that say hello are served. 0
    /// for no limit
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = number(0))]
    pub max_requests: usize,
}

/// Parses a number of at least `least`.
fn number(least: u64) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| (least..=MOST).contains(number));
        let number = number.and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| format!("\"{text}\" is not a whole number from {least} to {MOST}"))
    }
}

fn positive(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(time) if time.is_zero() => Err(format!("\"{text}\" is not longer than 0: write 10s, for example")),
        Ok(time) => Ok(time),
        Err(_) => Err(format!("\"{text}\" is not a duration such as 10s or 500ms")),
    }
}

fn bytes(text: &str) -> Result<usize, String> {
    const LEAST: usize = 4 << 10;
    let bytes = text.parse().ok().filter(|bytes| (LEAST..=1 << 30).contains(bytes));
    bytes.ok_or_else(|| format!("\"{text}\" is not a number of bytes from {LEAST} to {}", 1 << 30))
}

/// Counts the visits of each address. Without a limit, every visit is within the rate.
#[derive(Debug)]
pub(super) struct Visits(Option<AddressBudgets>);

impl Visits {
    pub(super) fn new(limits: &Limits) -> Self {
        let a_second = u32::try_from(limits.max_requests).unwrap_or(u32::MAX);
        let budgets = || AddressBudgets::new(a_second.saturating_mul(BURST), Duration::from_secs(1) / a_second);
        Self((a_second > 0).then(budgets))
    }

    /// Counts a visit. Returns whether it is within the rate.
    pub(super) fn come(&self, address: IpAddr, now: Instant) -> bool {
        self.0.as_ref().is_none_or(|budgets| budgets.take(address, now))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        limits: Limits,
    }

    fn limits(options: &[&str]) -> Result<Limits, String> {
        let line = Line::try_parse_from([&["server"], options].concat());
        line.map(|line| line.limits).map_err(|error| error.to_string())
    }

    #[test]
    fn impossible_limits_are_refused_with_what_would_be_right() {
        for (option, right) in [
            ("--max-sessions=0", "from 1 to 65536"),
            ("--max-waiting=x", "from 1 to 65536"),
            ("--max-offers=-1", "from 1 to 65536"),
            ("--max-requests=70000", "from 0 to 65536"),
            ("--handshake-limit=0s", "longer than 0: write 10s"),
            ("--idle-limit=soon", "a duration such as 10s"),
            ("--max-in-flight=100", "from 4096 to"),
        ] {
            let error = limits(&[option]).unwrap_err();
            assert!(error.contains(right), "{error}");
        }
        assert_eq!(limits(&[]).unwrap().max_sessions, 256);
    }

    #[test]
    fn an_address_may_come_as_often_as_its_option_says_and_twice_as_often_in_a_burst() {
        let visits = Visits::new(&limits(&["--max-requests=10"]).unwrap());
        let (now, busy) = (Instant::now() + Duration::from_secs(60), [192, 0, 2, 1].into());
        assert_eq!((0..1000).filter(|_| visits.come(busy, now)).count(), 20);
        assert_eq!((0..1000).filter(|_| visits.come(busy, now + Duration::from_secs(1))).count(), 10);
        let unlimited = Visits::new(&limits(&["--max-requests=0"]).unwrap());
        assert!((0..1000).all(|_| unlimited.come(busy, now)));
    }
}
