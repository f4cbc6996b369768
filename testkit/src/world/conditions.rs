//! The impairments of a network in virtual time.

use shared::flow::pacer::Rate;
use shared::protocol::message::Delivery;

use super::dice::Dice;
use super::stream::DEADLINE_US;

/// What a network does to messages on the lanes `frames` and `answers`, and the load of the two ends. Messages on the
/// lane `control` are only delayed, and stay in order.
#[derive(Clone, Copy)]
pub struct Conditions {
    /// Share of messages that are lost, 0 to 1.
    pub loss: f64,
    /// Share of messages that arrive twice, 0 to 1.
    pub duplication: f64,
    /// Share of frames that the pipeline answers twice, 0 to 1.
    pub stammer: f64,
    /// Longest delay of a message; each takes a random time up to this.
    pub delay_us: u64,
    /// The client's clock minus the server's.
    pub clock_offset_us: u64,
    /// Shortest time of detection.
    pub least_detection_us: u64,
    /// Longest random time added to the least time of detection.
    pub detection_us: u64,
    /// Time to encode a frame; the server does nothing else meanwhile.
    pub encoding_us: u64,
    /// Time the link needs to take a frame.
    pub link_us: u64,
    /// Share of frames in which the pipeline finds nothing.
    pub none_rate: f64,
    /// Frame rate.
    pub fps: Rate,
    /// Maximum number of unanswered frames at once.
    pub window: u32,
    /// How frames are delivered.
    pub delivery: Delivery,
    /// A frame whose answer takes longer is lost.
    pub deadline_us: u64,
    /// Whether the client asks for each frame.
    pub pull: bool,
    /// Whether the client may stop the server.
    pub let_clients_stop: bool,
}

/// A network without losses.
pub const LOSSLESS: Conditions = Conditions {
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
    pull: false,
    let_clients_stop: false,
};

/// A random bad network.
pub fn bad_conditions(dice: &mut Dice, delivery: Delivery) -> Conditions {
    Conditions {
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
        pull: false,
        let_clients_stop: false,
    }
}
