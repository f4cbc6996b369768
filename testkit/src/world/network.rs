//! The network between the two ends.

use bytes::Bytes;
use shared::link::Lane;

use super::conditions::Conditions;
use super::dice::Dice;
use super::schedule::{Event, Schedule};

/// The end that a message goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// The server.
    Server,
    /// The client.
    Client,
}

/// Carries messages as the conditions say.
pub struct Network {
    /// Conditions for messages from now on.
    pub conditions: Conditions,
    /// Random numbers for everything random in a world.
    pub(super) dice: Dice,
    /// Events in the future.
    pub(super) schedule: Schedule,
    /// Arrival time of the last control message to each end. No later one overtakes it.
    control_free: [u64; 2],
}

impl Network {
    /// A network without messages in flight.
    pub(super) fn new(seed: u64, conditions: Conditions) -> Self {
        Self { conditions, dice: Dice(seed), schedule: Schedule::default(), control_free: [0; 2] }
    }

    /// Sends a message: the conditions decide how often and how late it arrives.
    pub(super) fn carry(&mut self, now: u64, to: To, lane: Lane, bytes: Bytes) {
        let event = |bytes| match to {
            To::Server => Event::ToServer(lane, bytes),
            To::Client => Event::ToClient(lane, bytes),
        };
        if lane == Lane::Control {
            let arrival = self.arrival(now).max(self.control_free[to as usize]);
            self.control_free[to as usize] = arrival;
            return self.schedule.at(arrival, event(bytes));
        }
        if self.dice.happens(self.conditions.loss) {
            return;
        }
        let copies = 1 + u64::from(self.dice.happens(self.conditions.duplication));
        for _ in 0..copies {
            let arrival = self.arrival(now);
            self.schedule.at(arrival, event(bytes.clone()));
        }
    }

    fn arrival(&mut self, now: u64) -> u64 {
        now + 1 + self.dice.up_to(self.conditions.delay_us)
    }
}
