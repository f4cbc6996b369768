//! Decides whether a client may have a session, by what its hello says.

use clap::ValueEnum;
use shared::connect::Path;
use shared::door::signal::Introduction;
use shared::image::PixelFormat;
use shared::link::Kind;
use shared::link::webrtc::{LEAST_MTU, sound_mtu};
use shared::protocol::VERSION;
use shared::protocol::encoding::GRAY16_FEATURE;
use shared::protocol::message::{Delivery, Role};
use shared::text::Brief;

use super::greeter::Greeter;
use super::places::Place;

/// Maximum number of characters of a wrong name that an error repeats.
const SHOWN_CHARACTERS: usize = 40;

/// The reason given to a source that calls a source.
pub(super) const BOTH_SOURCES: &str = "both ends are sources of frames: this is a server that listens, so the role \
    must be sink; a server that calls (--dial) needs a client that listens (client --listen ADDR)";

/// Why a client gets no place, and whether it may try again later.
pub(super) struct Rejection {
    pub(super) reason: String,
    pub(super) retry: bool,
}

impl Greeter<'_> {
    /// Takes a place for the client with this introduction, or says why it gets none. `is_encrypted` says whether its
    /// connection is inside TLS.
    pub(super) fn welcome(&self, hello: &Introduction, path: Path, is_encrypted: bool) -> Result<Place, Rejection> {
        let asked = kind(hello).unwrap_or_default();
        let protected = self.config.admission.protects(asked, path.peer.ip(), is_encrypted);
        let refused = protected
            .err()
            .map(|wrong| wrong.to_string())
            .or_else(|| unusable(hello))
            .or_else(|| self.link_refused(hello))
            .or_else(|| self.unreadable(&hello.features));
        if let Some(reason) = refused {
            return Err(Rejection { reason, retry: false });
        }
        // The client may retry: places become free again.
        self.places.take().map_err(|refusal| Rejection { reason: refusal.to_string(), retry: true })
    }

    /// Like [`Self::welcome`], for a client whose hello is a line of JSON. `is_page` says that a page of a browser sent it.
    pub(super) fn welcome_by_line(
        &self,
        hello: &Introduction,
        path: Path,
        is_encrypted: bool,
        is_page: bool,
    ) -> Result<Place, Rejection> {
        match kind(hello) {
            Some(Kind::Tcp) if is_page => {
                let reason = "a page has the link webrtc alone: its WebSocket cannot become the link";
                Err(Rejection { reason: reason.into(), retry: false })
            }
            Some(Kind::Grpc) if self.config.link.takes(Kind::Grpc) => {
                let reason =
                    "the link grpc begins with a gRPC call of plumb.v1.Source at this port, and not with a line";
                Err(Rejection { reason: reason.into(), retry: false })
            }
            _ => self.welcome(hello, path, is_encrypted),
        }
    }

    /// Why a client cannot have the link that it asks for; `None` if it can.
    fn link_refused(&self, hello: &Introduction) -> Option<String> {
        let asked = hello.link.as_deref().unwrap_or(Kind::default().name());
        let kinds: Vec<_> = Kind::value_variants().iter().filter(|kind| self.config.link.takes(**kind)).collect();
        let Some(kind) = kinds.iter().find(|kind| kind.name() == asked) else {
            let names = kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
            let names = names.rsplit_once(", ").map_or(names.clone(), |(others, last)| format!("{others} and {last}"));
            return Some(format!(
                "this server has no link \"{}\", only {names}: ask for that in the hello (--link at the client)",
                Brief(asked, SHOWN_CHARACTERS),
            ));
        };
        let is_live = self.config.session.delivery == Delivery::Live;
        (is_live && kind.is_stream()).then(|| {
            format!(
                "delivery is live here, and {kind} is a stream, which cannot be live: ask for webrtc (--link at the client), or \
                 start the server with --delivery reliable"
            )
        })
    }

    /// Why a client with these features cannot read the stream's frames; `None` if it can. A client that does not name
    /// the feature would misread pixels of 16 bits, so it gets no frames.
    pub(super) fn unreadable(&self, features: &[String]) -> Option<String> {
        let pixel = self.config.session.pixel;
        let can_read = pixel != PixelFormat::Gray16 || features.iter().any(|feature| feature == GRAY16_FEATURE);
        (!can_read).then(|| {
            format!(
                "the frames are {pixel}, and the hello does not name the feature \"{GRAY16_FEATURE}\": say \
                 \"features\":[\"{GRAY16_FEATURE}\"] if you read them"
            )
        })
    }
}

/// The kind of link that a client asks for.
pub(super) fn kind(hello: &Introduction) -> Option<Kind> {
    hello.link.as_deref().map_or(Some(Kind::default()), Kind::named)
}

/// Why a client with this introduction cannot be served; `None` if it can.
fn unusable(hello: &Introduction) -> Option<String> {
    if hello.plumb != VERSION {
        return Some(format!("protocol {} is not supported here, only {VERSION}", hello.plumb));
    }
    if hello.role != Role::Sink {
        return Some(BOTH_SOURCES.into());
    }
    let mtu = hello.mtu.filter(|mtu| sound_mtu(*mtu).is_none())?;
    Some(format!(
        "an mtu of {mtu} bytes cannot carry frames: write {LEAST_MTU} or more, or leave it out if it is not known"
    ))
}
