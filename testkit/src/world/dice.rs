//! Random numbers from a seed.

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, and good enough for a simulated network.
pub struct Dice(
    /// The state; at first the seed.
    pub u64,
);

impl Dice {
    /// Uniform in [0, 1).
    pub fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.roll() < probability
    }

    /// Uniform in [0, `limit_us`), in whole µs.
    pub fn up_to(&mut self, limit_us: u64) -> u64 {
        (self.roll() * limit_us as f64) as u64
    }
}
