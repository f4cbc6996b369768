//! The pipeline `ack`: acknowledges each frame without looking at it, so that only delivery and latency are measured.

use shared::protocol::message::{Payload, Value};

use super::answers::{AnswerKind, Answers};
use super::error::PipelineError;
use super::frame::Frame;
use super::options::PipelineOptions;
use super::seam::{Pipeline, PipelineKind};

/// The pipeline `ack`, for the list.
pub(super) const KIND: AckKind = AckKind;

/// Builds [`Ack`] pipelines.
#[derive(Debug)]
pub(super) struct AckKind;

/// Describes the answers of [`Ack`].
#[derive(Debug)]
struct Acknowledgements;

/// Acknowledges each frame with code 0.
struct Ack;

impl PipelineKind for AckKind {
    fn name(&self) -> &'static str {
        "ack"
    }

    fn tasks(&self) -> &'static [&'static str] {
        &["ack"]
    }

    fn answers(&self) -> &'static dyn Answers {
        &Acknowledgements
    }

    fn build(&self, _: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError> {
        Ok(Box::new(Ack))
    }
}

impl Answers for Acknowledgements {
    fn kinds(&self) -> &'static [AnswerKind] {
        &[AnswerKind { name: "ack", label: "Acknowledged", is_bad: false }]
    }
}

impl Pipeline for Ack {
    fn answer(&mut self, _: &Frame<'_>) -> Payload<'static> {
        Payload::new("ack").with("code", Value::Integer(0))
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;
    use shared::image::{Image, PixelFormat};

    use super::*;

    #[test]
    fn every_frame_is_acknowledged_with_code_zero() {
        let frame = Image::zeros(Size { width: 16, height: 16 }, PixelFormat::Bgr8);
        let answer = Ack.answer(&frame.view().into());
        assert_eq!((answer.kind(), answer.integer("code")), ("ack", Ok(0)));
        assert_eq!(Acknowledgements.row(&answer).trim(), "ack code 0");
    }
}
