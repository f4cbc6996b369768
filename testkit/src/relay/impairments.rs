//! Impairments of a network. Whether and when a datagram arrives is a function of the seed and the datagram's index.

use std::time::Duration;

/// Impairments of the datagrams of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Impairments {
    /// Delay of every datagram.
    pub delay: Duration,
    /// Longest random delay added to each datagram. It does not reorder datagrams.
    pub jitter: Duration,
    /// Share of datagrams that are dropped, 0 to 1.
    pub loss: f64,
    /// Share of datagrams that arrive twice, 0 to 1.
    pub duplication: f64,
    /// Share of datagrams that are held back for [`Self::hold`], so that others overtake them, 0 to 1.
    pub reordering: f64,
    /// Additional delay of a datagram that is held back.
    pub hold: Duration,
    /// Data rate of the line; unlimited when absent.
    pub rate: Option<Rate>,
}

/// Data rate of a line, and the length of its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Bits per second.
    pub bits_per_s: u64,
    /// Maximum number of bytes that wait in the queue; datagrams beyond that are dropped.
    pub queue_bytes: usize,
}

impl Rate {
    /// Time to transmit this many bytes.
    pub fn time(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 * 8.0 / self.bits_per_s as f64)
    }
}

/// Whether and when one datagram arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transit {
    /// The datagram never arrives.
    Dropped,
    /// The datagram arrives.
    Delivered {
        /// Delay.
        after: Duration,
        /// Whether others may overtake it.
        held: bool,
        /// Whether it arrives twice.
        twice: bool,
    },
}

impl Impairments {
    /// The transit of the datagram with this index.
    pub fn transit(&self, seed: u64, index: u64) -> Transit {
        let chance = |purpose| uniform(seed, purpose, index);
        if chance(Purpose::Loss) < self.loss {
            return Transit::Dropped;
        }
        let held = chance(Purpose::Reordering) < self.reordering;
        let after = self.delay + self.jitter.mul_f64(chance(Purpose::Jitter));
        let after = if held { after + self.hold } else { after };
        Transit::Delivered { after, held, twice: chance(Purpose::Duplication) < self.duplication }
    }
}

/// Purpose of a random number. Numbers for different purposes are independent.
#[derive(Clone, Copy)]
enum Purpose {
    Loss,
    Reordering,
    Jitter,
    Duplication,
}

/// A number uniform in [0, 1): the upper 53 bits of SplitMix64's output (Steele, Lea and Flood, OOPSLA 2014). The
/// arguments determine the place in its sequence.
fn uniform(seed: u64, purpose: Purpose, index: u64) -> f64 {
    let start = mix(seed ^ mix(purpose as u64 + 1));
    (mix(start.wrapping_add(index)) >> 11) as f64 / (1u64 << 53) as f64
}

fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
