//! The client's end of a [`World`].

use client::session::{Action, Detection};
use shared::geometry::{Circle, CircleEstimate};
use shared::protocol::message::{FoundCircle, Payload};
use shared::time::Micros;

use super::dice::Dice;
use super::network::To;
use super::run::World;
use super::schedule::Event;
use super::stream::{SIZE, truth};

impl World {
    /// Performs the client's actions until it waits or ends.
    pub fn drain_client(&mut self) {
        if self.is_frozen() {
            self.client_wakes = self.frozen.end;
            return;
        }
        while self.client_end.is_none() {
            let now = self.client_now();
            if self.wanted > 0 && self.client.takes_commands() && self.client.may_ask() {
                self.wanted -= 1;
                self.client.ask();
            }
            match self.client.poll(now) {
                Action::Send(lane, bytes) => self.carry(To::Server, lane, bytes.freeze()),
                Action::Greeted { .. } => {}
                Action::SendPicture(_) => panic!("a picture, in the task circle"),
                Action::Refused { frame, .. } => panic!("frame {frame} is not as announced"),
                Action::Detect(frame) => {
                    assert_eq!(frame.image(&mut Vec::new()).unwrap().size(), SIZE);
                    let done = self.now
                        + self.network.conditions.least_detection_us
                        + self.network.dice.up_to(self.network.conditions.detection_us);
                    self.at(done, Event::Detected(frame.id, frame.received, now));
                }
                Action::Close(end) => self.client_end = Some(end),
                Action::Wait(until) => {
                    assert!(until > now, "the client spins at {}", now.0);
                    self.client_wakes = until.0 - self.network.conditions.clock_offset_us;
                    return;
                }
            }
        }
    }

    /// The answer of the pipeline under test, a function of the frame alone.
    fn finding(&self, frame: u64) -> Payload<'static> {
        let mut dice = Dice(frame.wrapping_mul(31) + 7);
        if dice.happens(self.network.conditions.none_rate) {
            return FoundCircle::write(None);
        }
        let Circle { x, y, radius } = truth(frame);
        let (x, y) = (x + dice.roll() - 0.5, y + dice.roll() - 0.5);
        let circle = CircleEstimate { x, y, radius: dice.happens(0.5).then_some(radius) };
        FoundCircle::write(Some(FoundCircle { circle, covariance: None }))
    }

    /// Gives the client the pipeline's answer to a frame, sometimes twice.
    pub(super) fn detected(&mut self, frame: u64, received: Micros, started: Micros) {
        let now = self.client_now();
        let detection = Detection { frame, received, started, finished: now, payload: self.finding(frame) };
        self.client.detected(detection.clone(), now);
        if self.network.dice.happens(self.network.conditions.stammer) {
            self.client.detected(detection, now);
        }
    }
}
