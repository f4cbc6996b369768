//! The server's end of a [`World`].

use bytes::Bytes;
use server::session::{Action, Capture};
use server::truth::{Limit, Truth};
use shared::link::Lane;
use shared::time::Micros;

use super::network::To;
use super::run::World;
use super::schedule::Event;
use super::stream::{self, truth};

impl World {
    /// Performs the server's actions until it waits or ends.
    pub fn drain_server(&mut self) {
        while self.server_end.is_none() {
            match self.server.poll(Micros(self.now)) {
                Action::Send(lane, bytes) => self.carry(To::Client, lane, bytes.freeze()),
                Action::Capture(id) => self.capture(id),
                Action::Resend { frame, .. } if self.refusals > 0 => {
                    self.refusals -= 1;
                    self.server.not_resent(frame);
                }
                Action::Resend { piece, .. } => {
                    self.resent += 1;
                    self.carry(To::Client, Lane::Frames, Bytes::copy_from_slice(piece.as_ref()));
                }
                Action::GiveUp => {
                    let (id, _) = self.sending.take().expect("a frame to give up");
                    self.sending = Some((id, Vec::new()));
                    self.at(self.now, Event::LinkReady(id));
                }
                Action::Score(score) => self.scores.push(score),
                Action::StopServer => {
                    self.stops = true;
                    self.server.stop(Micros(self.now));
                }
                Action::Close(end) => self.server_end = Some(end),
                Action::Wait(until) => {
                    assert!(until.0 > self.now, "the server spins at {}", self.now);
                    self.server_wakes = until.0;
                    return;
                }
            }
        }
    }

    fn capture(&mut self, id: u64) {
        let captured = Micros(self.now - self.server.waited_us());
        let pieces = stream::pieces(id, captured);
        self.book.captured.insert(id, captured);
        self.now += self.network.conditions.encoding_us;
        let encoded = Micros(self.now);
        let truth = Truth::Ball { circle: truth(id), limit: Limit::Unknown };
        self.server.captured(
            Capture { source_index: id, truth, captured, encoded, raw_bytes: 1200, wire_bytes: 1300 },
            pieces.iter().map(|piece| &piece[..]),
        );
        let in_flight = self.server.tally().counts().sent - self.scores.len() as u64;
        self.most_in_flight = self.most_in_flight.max(in_flight);
        assert!(self.sending.is_none(), "frame {id} is captured while the link is taking another");
        self.sending = Some((id, pieces));
        self.at(self.now + self.network.conditions.link_us, Event::LinkReady(id));
    }

    /// The link has taken this frame, unless it was given up before.
    pub(super) fn link_ready(&mut self, id: u64) {
        let Some((_, pieces)) = self.sending.take_if(|(sending, _)| *sending == id) else { return };
        pieces.into_iter().for_each(|piece| self.carry(To::Client, Lane::Frames, piece));
        if self.server_end.is_none() {
            self.server.link_ready();
        }
    }
}
