//! What a network in virtual time does to messages, by a seed.

use shared::flow::pacer::Rate;
use shared::protocol::message::Delivery;

use super::dice::Dice;
use super::stream::DEADLINE_US;

/// What a network does to messages on the `frames` and `answers` lanes; `control` is only delayed, and in order.
#[derive(Clone, Copy)]
pub struct Weather {
    /// Share of messages that are lost, 0 to 1.
    pub loss: f64,
    /// Share that comes twice.
    pub duplication: f64,
    /// How often the pipeline answers a frame twice.
    pub stammer: f64,
    /// The most a message takes; each takes a random time up to this.
    pub delay_us: u64,
    /// The client's clock minus the server's.
    pub clock_offset_us: u64,
    /// The least detection takes.
    pub least_detection_us: u64,
    /// Detection takes a random time up to this in addition.
    pub detection_us: u64,
    /// What encoding a frame takes, nothing else being done meanwhile.
    pub encoding_us: u64,
    /// What the link takes to take a frame.
    pub link_us: u64,
    /// Share of frames in which the pipeline finds nothing.
    pub none_rate: f64,
    /// Frames a second.
    pub fps: Rate,
    /// Unanswered frames at a time.
    pub window: u32,
    /// How frames are delivered.
    pub delivery: Delivery,
    /// A frame whose answer takes longer is lost.
    pub deadline_us: u64,
}

/// A network that loses nothing.
pub const CALM: Weather = Weather {
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
    deadline_us: DEADLINE_US,
};

/// A network as bad as the seed says.
pub fn bad_weather(dice: &mut Dice, delivery: Delivery) -> Weather {
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
        deadline_us: DEADLINE_US,
    }
}
