//! Random numbers as a pure function of (seed, stream, index).
//!
//! There is no generator state to carry. So a scene can be replayed from any frame, and two purposes never disturb
//! each other's numbers. One draw is
//!
//! ```text
//! key     = seed as 8 little-endian bytes, then 24 zero bytes
//! word    = the index-th 64-bit little-endian word of ChaCha8(key, nonce = stream number), counted from 0
//! uniform = (word >> 11) · 2⁻⁵³
//! ```
//!
//! where ChaCha is the original variant with a 64-bit block counter and a 64-bit nonce. A seed promises this formula:
//! a change to it changes every recorded sequence.
//!
//! A frame that needs many numbers for one purpose draws them in order from its own sequence:
//!
//! ```text
//! words   = the words of ChaCha8(key, nonce = stream number + 256 · frame index), starting with the first
//! ```

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// 2⁻⁵³: the spacing of `f64` in `[½, 1)`, which has 53 bits.
const FRACTION: f64 = 1.0 / (1_u64 << 53) as f64;

/// ChaCha counts positions in 32-bit words; one draw takes two of them.
const WORDS_PER_DRAW: u128 = 2;

/// The purpose of a random number. Each purpose draws from its own stream.
///
/// The stream numbers are fixed: a new purpose takes the next free number, and no number is ever reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    /// Start position along x; draw 0 only.
    PositionX = 0,
    /// Start position along y; draw 0 only.
    PositionY = 1,
    /// Start direction along x; draw 0 only.
    DirectionX = 2,
    /// Start direction along y; draw 0 only.
    DirectionY = 3,
    /// Speed along x: at the start (draw 0), then after the n-th bounce (draw n).
    SpeedX = 4,
    /// Speed along y: at the start (draw 0), then after the n-th bounce (draw n).
    SpeedY = 5,
    /// Radius of the ball in a frame; draw n for frame n.
    Radius = 6,
    /// Whether a frame shows a ball; draw n for frame n.
    Empty = 7,
    /// Place and direction of a scattered ball; one sequence per frame.
    Scatter = 8,
    /// Slope of the background; one sequence per frame.
    Ramp = 9,
    /// Shapes behind the ball; one sequence per frame.
    Clutter = 10,
    /// Occluder in front of the ball; one sequence per frame.
    Occluder = 11,
    /// Noise of the pixels; one sequence per frame.
    Noise = 12,
    /// Tails of the noise of the pixels; one sequence per frame.
    NoiseTail = 13,
    /// Number, sizes and places of several balls; one sequence per frame.
    Balls = 14,
    /// Form of the ball: the angle of an ellipse and the direction of the light; one sequence per frame.
    Form = 15,
    /// Poses of the ball's plane; one sequence per pose.
    Poses = 16,
}

/// Number of streams that the nonce has room for. The frame index takes the bits above them.
const STREAMS: u64 = 256;

/// The random numbers of one seed.
#[derive(Clone, Debug)]
pub struct Random {
    seed: u64,
}

impl Random {
    /// The random numbers of a seed. Every seed, 0 included, gives different numbers.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Draw number `index` of a stream, uniform in `[0, 1)`.
    pub fn uniform(&self, stream: Stream, index: u64) -> f64 {
        let mut words = ChaCha8Rng::from_seed(key(self.seed));
        words.set_stream(stream as u64);
        words.set_word_pos(u128::from(index) * WORDS_PER_DRAW);
        (words.next_u64() >> 11) as f64 * FRACTION
    }

    /// The numbers of a frame for one purpose, in order. The sequences repeat after 2⁵⁶ frames.
    pub fn sequence(&self, stream: Stream, frame: u64) -> Sequence {
        let mut words = ChaCha8Rng::from_seed(key(self.seed));
        words.set_stream((stream as u64).wrapping_add(frame.wrapping_mul(STREAMS)));
        Sequence(words)
    }
}

/// The random numbers for one purpose in one frame, in order.
#[derive(Clone, Debug)]
pub struct Sequence(ChaCha8Rng);

impl Sequence {
    /// The next number, uniform in `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * FRACTION
    }

    /// The next number, uniform in `[low, high)`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// The next integer, uniform in `[0, count)`; `count` must be above 0.
    pub fn below(&mut self, count: u32) -> u32 {
        // The product stays below `count` even when rounded, because `uniform` is at most 1 − 2⁻⁵³.
        (self.uniform() * f64::from(count)) as u32
    }

    /// The next direction, as a unit vector: a random point of the unit disc, moved out to the rim.
    pub fn direction(&mut self) -> (f64, f64) {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let length = (x * x + y * y).sqrt();
            // Accepts π/4 of the draws. A point near the centre would lose digits in the division.
            if length <= 1.0 && length > 1e-3 {
                return (x / length, y / length);
            }
        }
    }

    /// The next bytes of the keystream, in whole 32-bit little-endian words.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

fn key(seed: u64) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_matches_the_published_chacha8_vector() {
        // eSTREAM ChaCha8, all-zero 256-bit key and IV: keystream 3e00ef2f895f40d6….
        let word = u64::from_le_bytes([0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
        let expected = (word >> 11) as f64 / 9_007_199_254_740_992.0;
        assert_eq!(Random::new(0).uniform(Stream::PositionX, 0), expected);
    }

    // From a second implementation of the formula, written in another language.
    #[test]
    fn draws_have_their_golden_values() {
        let draw = |seed, stream, index| Random::new(seed).uniform(stream, index);
        assert_eq!(draw(1, Stream::PositionX, 0), 0.381489413238261);
        assert_eq!(draw(1, Stream::PositionY, 0), 0.10353313864874247);
        assert_eq!(draw(1, Stream::SpeedX, 0), 0.3454639541217426);
        assert_eq!(draw(1, Stream::SpeedX, 1), 0.8488080204565893);
        assert_eq!(draw(42, Stream::DirectionY, 1_000_000_007), 0.10699919228536925);
        assert_eq!(draw(u64::MAX, Stream::SpeedY, u64::MAX), 0.7950372987980128);
    }

    #[test]
    fn draws_do_not_depend_on_their_order() {
        let random = Random::new(7);
        let forward: Vec<f64> = (0..100).map(|i| random.uniform(Stream::SpeedX, i)).collect();
        let mut backward: Vec<f64> = (0..100).rev().map(|i| random.uniform(Stream::SpeedX, i)).collect();
        backward.reverse();
        assert_eq!(forward, backward);
    }

    #[test]
    fn a_sequence_is_the_keystream_of_its_own_nonce() {
        let random = Random::new(1);
        // The sequence of frame 0 has nonce 12, and so do the single draws of stream 12: the words are the same.
        let mut sequence = random.sequence(Stream::Noise, 0);
        assert_eq!(sequence.uniform(), random.uniform(Stream::Noise, 0));
        assert_eq!(sequence.uniform(), random.uniform(Stream::Noise, 1));
        let frames: Vec<f64> = (0..3).map(|frame| random.sequence(Stream::Clutter, frame).uniform()).collect();
        assert!(frames[0] != frames[1] && frames[1] != frames[2]);
    }

    #[test]
    fn directions_are_unit_vectors_in_every_quadrant() {
        let mut sequence = Random::new(2).sequence(Stream::Scatter, 0);
        let directions: Vec<_> = (0..400).map(|_| sequence.direction()).collect();
        assert!(directions.iter().all(|(x, y)| (x * x + y * y - 1.0).abs() < 1e-12));
        for (right, down) in [(false, false), (false, true), (true, false), (true, true)] {
            let here = directions.iter().filter(|(x, y)| (*x > 0.0) == right && (*y > 0.0) == down).count();
            // 100 expected, standard deviation 8.7; four of them.
            assert!((65..=135).contains(&here), "{here}");
        }
    }

    #[test]
    fn draws_are_uniform_in_the_unit_interval() {
        const DRAWS: u32 = 10_000;
        let random = Random::new(3);
        let draws: Vec<f64> = (0..u64::from(DRAWS)).map(|i| random.uniform(Stream::SpeedY, i)).collect();
        assert!(draws.iter().all(|u| (0.0..1.0).contains(u)));
        let n = f64::from(DRAWS);
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|u| (u - mean) * (u - mean)).sum::<f64>() / n;
        // Standard errors: 0.0029 of the mean, 0.00075 of the variance; four of each.
        assert!((mean - 0.5).abs() < 0.012, "mean {mean}");
        assert!((variance - 1.0 / 12.0).abs() < 0.003, "variance {variance}");
    }
}
