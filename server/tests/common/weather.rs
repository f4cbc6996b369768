//! What a network in virtual time does to messages, by a seed.

use shared::flow::pacer::Rate;
use shared::protocol::message::Delivery;

use super::DEADLINE_US;

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, good enough to shake a network.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.roll() < probability
    }

    pub(crate) fn up_to(&mut self, limit_us: u64) -> u64 {
        (self.roll() * limit_us as f64) as u64
    }
}

/// What a network does to messages on the `frames` and `answers` lanes; `control` is only delayed, and in order.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) loss: f64,
    pub(crate) duplication: f64,
    /// How often the pipeline answers a frame twice.
    pub(crate) stammer: f64,
    pub(crate) delay_us: u64,
    /// The client's clock minus the server's.
    pub(crate) clock_offset_us: u64,
    /// Detection takes the first, and up to the second beside.
    pub(crate) least_detection_us: u64,
    pub(crate) detection_us: u64,
    /// What encoding a frame takes, nothing else being done meanwhile.
    pub(crate) encoding_us: u64,
    /// What the link takes to take a frame.
    pub(crate) link_us: u64,
    pub(crate) none_rate: f64,
    pub(crate) fps: Rate,
    pub(crate) window: u32,
    pub(crate) delivery: Delivery,
}

pub(crate) const CALM: Weather = Weather {
    loss: 0.0,
    duplication: 0.0,
    stammer: 0.0,
    delay_us: 500,
    clock_offset_us: 0,
    least_detection_us: 0,
    detection_us: 200,
    encoding_us: 0,
    link_us: 0,
    none_rate: 0.0,
    fps: Rate::Hz(1000.0),
    window: 8,
    delivery: Delivery::Reliable,
};

/// A network as bad as the seed says.
pub(crate) fn bad_weather(dice: &mut Dice, delivery: Delivery) -> Weather {
    Weather {
        loss: dice.roll() * 0.3,
        duplication: dice.roll() * 0.5,
        stammer: dice.roll() * 0.3,
        delay_us: 1 + dice.up_to(2 * DEADLINE_US),
        clock_offset_us: dice.up_to(1 << 40),
        least_detection_us: 0,
        detection_us: 1 + dice.up_to(DEADLINE_US / 4),
        encoding_us: 0,
        link_us: if dice.happens(0.3) { dice.up_to(DEADLINE_US / 2) } else { 0 },
        none_rate: dice.roll() * 0.3,
        fps: if dice.happens(0.3) { Rate::Max } else { Rate::Hz(50.0 + dice.roll() * 2_000.0) },
        window: 1 + dice.up_to(16) as u32,
        delivery,
    }
}
