//! Runs a detector of all circles as a pipeline that counts.

use shared::image::GrayLevels;
use shared::protocol::message::{Payload, Value};

use crate::pipeline::detector::{DetectorOfAll, Estimate};
use crate::pipeline::frame::Frame;
use crate::pipeline::seam::Pipeline;

/// Counts the circles in the gray levels of each frame.
pub(super) struct CountPipeline {
    detector: Box<dyn DetectorOfAll>,
    /// The gray levels of a frame that is not gray8.
    gray: GrayLevels,
    found: Vec<Estimate>,
}

impl CountPipeline {
    pub(super) fn new(detector: Box<dyn DetectorOfAll>) -> Self {
        Self { detector, gray: GrayLevels::default(), found: Vec::new() }
    }
}

impl Pipeline for CountPipeline {
    fn answer(&mut self, frame: &Frame<'_>) -> Payload<'static> {
        self.detector.detect_all(self.gray.of(frame.image), &mut self.found);
        Payload::new("count").with("count", Value::Integer(self.found.len() as i128))
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Circle;
    use shared::image::Image;

    use crate::pipeline::testing::{Canvas, Random};
    use crate::pipeline::{PipelineChoice, PipelineOptions};

    #[test]
    fn hough_answers_the_task_count_with_the_number_of_discs_in_gray_and_in_colour() {
        let choice = PipelineChoice::new("hough", PipelineOptions::default()).expect("listed");
        let mut pipeline = choice.for_task("count").expect("its task").build().expect("valid options");
        let mut canvas = Canvas::new(320, 120, 40.0);
        for count in 0..4 {
            let gray = Image::Gray8(canvas.shot(5.0, &mut Random::new(count)));
            let answer = pipeline.answer(&gray.view().into());
            assert_eq!((answer.kind(), answer.integer("count")), ("count", Ok(i128::from(count))));
            assert_eq!(answer.fields().count(), 1);
            assert_eq!(pipeline.answer(&gray.into_bgr().view().into()), answer);
            canvas = canvas.disc(Circle { x: 60.0 + 70.0 * count as f64, y: 60.3, radius: 20.0 }, 180.0);
        }
    }
}
