//! The control lane: hello, ping and pong, next, stop, bye.

use bytes::Bytes;
use shared::flow::pacer::Pacer;
use shared::link::Lane;
use shared::protocol::message::{self, Bye, Control, Hello, PULL_FEATURE, Pong, Refused, Role, STOP_FEATURE, Stream};
use shared::protocol::{INTEGER_LIMIT, VERSION};
use shared::text::Brief;
use shared::time::Micros;
use tracing::debug;

use super::{Action, ClientInfo, End, Phase, Session};

/// Maximum number of characters of a peer's text that a log line repeats.
const SHOWN: usize = 40;

impl Session {
    pub(super) fn control(&mut self, bytes: &Bytes, now: Micros) {
        match message::decode_control(bytes) {
            Ok(Control::Hello(hello)) => self.greeted(hello, now),
            Ok(Control::Ping(ping)) => {
                self.send_control(&Control::Pong(Pong { id: ping.id, received_us: now, sent_us: now }));
            }
            Ok(Control::Pong(pong)) => self.ponged(pong, now),
            Ok(Control::Next(_)) => self.asked_for_a_frame(),
            Ok(Control::Stop(_)) => self.asked_to_stop(),
            Ok(Control::Refused(refused)) => {
                self.ignore(&format_args!("it refuses {}, which was never asked for", Brief(&refused.what, SHOWN)));
            }
            Ok(Control::Bye(bye)) => self.finish(End::ClientLeft { reason: bye.reason }),
            Err(error) => {
                if message::is_hello(bytes) {
                    self.wrong_hello = Some(error.to_string());
                }
                self.ignore(&error);
            }
        }
    }

    fn greeted(&mut self, hello: Hello, now: Micros) {
        if !matches!(self.phase, Phase::Greeting { .. }) {
            return self.ignore(&"it is a second hello");
        }
        if hello.protocol != VERSION {
            let reason = format!("protocol {} is not supported here, only {VERSION}", hello.protocol);
            return self.finish(End::Rejected { reason });
        }
        if hello.role != Role::Sink {
            return self.finish(End::Rejected { reason: "this server is the source: the role must be sink".into() });
        }
        self.client = Some(ClientInfo { name: hello.name, version: hello.version, pull: hello.pull });
        self.connect_us = Some(now.since(self.accepted));
        if hello.pull {
            self.begin_pull();
        }
        self.phase = Phase::Streaming(Pacer::new(self.rate(), now));
    }

    fn ponged(&mut self, pong: Pong, now: Micros) {
        if let Some(sent) = self.heartbeat.answered(pong.id) {
            self.offset.add(sent, pong.received_us, pong.sent_us, now);
        }
    }

    /// Handles a client's request to stop the server, with all its sessions.
    fn asked_to_stop(&mut self) {
        if self.client.is_none() {
            return self.ignore(&"it asks the server to stop before its hello");
        }
        if self.config.let_clients_stop {
            return self.outbox.push_back(Action::StopServer);
        }
        let reason = "it was started without --let-clients-stop".into();
        self.send_control(&Control::Refused(Refused { what: STOP_FEATURE.into(), reason }));
    }

    pub(super) fn hello(&self) -> Hello {
        Hello {
            protocol: VERSION,
            name: "plumb-server".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            session: self.config.number,
            role: Role::Source,
            stream: Some(Stream {
                width: self.config.size.width,
                height: self.config.size.height,
                pixel: self.config.pixel,
                rate_hz: self.config.rate.hz(),
                window: self.config.window.get(),
                delivery: self.config.delivery,
                lifetime_us: self.config.lifetime().map(|lifetime| lifetime.as_micros() as u64),
                // A deadline of centuries is left out, because a peer refuses a number that large.
                deadline_us: u64::try_from(self.config.deadline.as_micros()).ok().filter(|us| *us < INTEGER_LIMIT),
                encoding: self.config.encoding,
                task: self.config.task.to_string(),
                meta: self.config.meta.clone(),
            }),
            features: vec![PULL_FEATURE.into(), STOP_FEATURE.into()],
            pull: false,
        }
    }

    pub(super) fn send_bye(&mut self, reason: &str) {
        self.send_control(&Control::Bye(Bye::new(reason)));
    }

    pub(super) fn send_control(&mut self, control: &Control) {
        match message::control_bytes(control) {
            Ok(bytes) => self.outbox.push_back(Action::Send(Lane::Control, bytes)),
            Err(error) => debug!("cannot encode a message on the control lane: {error}"),
        }
    }
}
