//! A real client whose answers are pictures.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use client::commands::Commands;
use client::config::{Config, Server};
use client::pipeline::{
    AnswerKind, Answers, Frame, Pipeline, PipelineChoice, PipelineError, PipelineKind, PipelineOptions, image_payload,
};
use client::session::End;
use client::tally::Tally;
use client::view::NoView;
use client::workers::Policy;
use shared::link::Kind;
use shared::protocol::encoding::{Encoding, FEATURES};
use shared::protocol::message::Payload;
use shared::shell::stop::stop_pair;
use shared::shell::wait::Wait;

use super::slow_client::dial;

/// Answers with the frame as it is.
pub static ECHOING: Levels = Levels(|level| level);

/// Answers with every level inverted.
pub static INVERTING: Levels = Levels(|level| !level);

/// A pipeline that changes each level of the frame separately.
#[derive(Clone, Copy, Debug)]
pub struct Levels(fn(u8) -> u8);

/// How its answers are counted.
#[derive(Debug)]
struct Images;

impl PipelineKind for Levels {
    fn name(&self) -> &'static str {
        "levels"
    }

    fn tasks(&self) -> &'static [&'static str] {
        &["image"]
    }

    fn answers(&self) -> &'static dyn Answers {
        &Images
    }

    fn build(&self, _: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError> {
        Ok(Box::new(*self))
    }
}

impl Answers for Images {
    fn kinds(&self) -> &'static [AnswerKind] {
        &[AnswerKind { name: "image", label: "Images", is_bad: false }]
    }
}

impl Pipeline for Levels {
    fn answer(&mut self, frame: &Frame<'_>) -> Payload<'static> {
        let image = frame.image.to_image();
        let data = image.bytes().iter().map(|level| (self.0)(*level)).collect();
        image_payload(image.size(), image.format(), data, Encoding::Raw)
    }
}

/// Runs a session with this pipeline to its end.
pub fn run(server: SocketAddr, kind: &'static dyn PipelineKind) -> (End, Tally) {
    let config = Config {
        server: Server::Any,
        wait: Wait::Forever,
        link: Kind::Webrtc,
        admission: shared::door::admission::Admission::default(),
        tls: shared::tls::Tls::default(),
        sctp_mtu: None,
        pull: false,
        pipeline: PipelineChoice::of(kind, PipelineOptions::default()),
        workers: NonZeroUsize::new(2).expect("not zero"),
        policy: Policy::Every,
    };
    let (_stopper, stop) = stop_pair();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let link = dial(server, FEATURES.map(String::from).to_vec()).await;
        client::run::run(link, &config, &mut NoView, stop, &mut Commands::none()).await.expect("a pool")
    })
}
