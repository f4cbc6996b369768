//! The network between both ends.

use bytes::Bytes;
use shared::link::Lane;

use super::dice::Dice;
use super::schedule::{Event, Schedule};
use super::weather::Weather;

/// Which end a message goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// The server.
    Server,
    /// The client.
    Client,
}

/// Messages on their way, in this weather.
pub struct Network {
    /// What it does to messages from now on.
    pub weather: Weather,
    /// What decides for all that is random in a world.
    pub(super) dice: Dice,
    /// What is to come.
    pub(super) schedule: Schedule,
    /// When the last control message to each end arrives: none overtakes it.
    control_free: [u64; 2],
}

impl Network {
    /// A network with nothing on its way.
    pub(super) fn new(seed: u64, weather: Weather) -> Self {
        Self { weather, dice: Dice(seed), schedule: Schedule::default(), control_free: [0; 2] }
    }

    /// Puts a message on the way, as often and as late as the weather says.
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
        if self.dice.happens(self.weather.loss) {
            return;
        }
        let copies = 1 + u64::from(self.dice.happens(self.weather.duplication));
        for _ in 0..copies {
            let arrival = self.arrival(now);
            self.schedule.at(arrival, event(bytes.clone()));
        }
    }

    fn arrival(&mut self, now: u64) -> u64 {
        now + 1 + self.dice.up_to(self.weather.delay_us)
    }
}
