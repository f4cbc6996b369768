//! Runs a detector as a pipeline.

use shared::image::GrayLevels;
use shared::protocol::message::{FoundCircle, Payload};

use crate::pipeline::detector::{Detector, Estimate};
use crate::pipeline::frame::Frame;
use crate::pipeline::seam::Pipeline;

/// Runs a detector on the gray levels of each frame.
pub(super) struct CirclePipeline {
    detector: Box<dyn Detector>,
    /// The gray levels of a frame that is not gray8.
    gray: GrayLevels,
}

impl CirclePipeline {
    pub(super) fn new(detector: Box<dyn Detector>) -> Self {
        Self { detector, gray: GrayLevels::default() }
    }
}

impl Pipeline for CirclePipeline {
    fn answer(&mut self, frame: &Frame<'_>) -> Payload<'static> {
        let estimate = self.detector.detect(self.gray.of(frame.image));
        let found = |Estimate { circle, covariance, .. }| FoundCircle { circle: circle.into(), covariance };
        let answer = FoundCircle::write(estimate.map(found));
        match estimate.and_then(|estimate| estimate.ellipse) {
            Some(ellipse) => ellipse.add_to(answer),
            None => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Circle;
    use shared::image::Image;

    use super::*;
    use crate::pipeline::radii::RadiusLimits;
    use crate::pipeline::testing::{Canvas, Random, by_name};

    #[test]
    fn depth_readings_are_measured_as_accurately_as_gray_levels_in_any_frame() {
        let mut random = Random::new(7);
        let mut pipelines = [0, 1, 2].map(|_| CirclePipeline::new(by_name("hough", RadiusLimits::default()).unwrap()));
        let mut squares = [0.0; 3];
        for _ in 0..60 {
            let circle = Circle { x: random.uniform(60.0, 260.0), y: random.uniform(60.0, 180.0), radius: 12.0 };
            let levels = Canvas::new(320, 240, 40.0).disc(circle, 180.0).shot(3.0, &mut random);
            let deep = levels.mapv(|level| 500 + 9 * u16::from(level));
            // A few pixels without a reading, and a few at the end of the sensor's range.
            let mut wild = deep.clone();
            (wild[[2, 5]], wild[[7, 300]], wild[[230, 9]]) = (0, u16::MAX, u16::MAX);
            let frames = [Image::Gray8(levels), Image::Gray16(deep), Image::Gray16(wild)];
            for ((frame, pipeline), sum) in frames.iter().zip(&mut pipelines).zip(&mut squares) {
                let answer = pipeline.answer(&frame.view().into());
                let found = FoundCircle::read(&answer).expect("an answer of this task").expect("a circle").circle;
                *sum += (found.x - circle.x).powi(2) + (found.y - circle.y).powi(2);
            }
        }
        let [of_8, of_16, wild] = squares.map(|sum: f64| (sum / 60.0).sqrt());
        println!("root mean square error: {of_8:.5} px of 8 bits, {of_16:.5} of 16, {wild:.5} with wild pixels");
        // Rounding to other levels moves each estimate a little: far less than noise does.
        assert!(of_16 < 1.1 * of_8 && wild < 1.1 * of_8, "{of_8} {of_16} {wild}");
    }

    #[test]
    fn frames_in_colour_or_sixteen_bits_get_the_answer_of_their_gray_levels() {
        let circle = Circle { x: 60.25, y: 44.5, radius: 15.0 };
        let gray = Image::Gray8(Canvas::new(128, 96, 40.0).disc(circle, 180.0).shot(0.0, &mut Random::new(1)));
        let detector = || by_name("hough", RadiusLimits::default()).expect("listed");
        let answer = CirclePipeline::new(detector()).answer(&gray.view().into());
        let found = FoundCircle::read(&answer).expect("an answer of this task").expect("a circle").circle;
        assert!((found.x - circle.x).hypot(found.y - circle.y) < 0.05, "{found:?}");
        // OpenCV's weights add up to one, so three equal channels have that value as their gray level.
        assert_eq!(CirclePipeline::new(detector()).answer(&gray.clone().into_bgr().view().into()), answer);
        let Image::Gray8(levels) = &gray else { panic!("not gray8") };
        // The range of the readings becomes all levels, so that the scaled frame has more contrast.
        let deep = Image::Gray16(levels.mapv(|level| 500 + 9 * u16::from(level)));
        let answer = CirclePipeline::new(detector()).answer(&deep.view().into());
        let found = FoundCircle::read(&answer).expect("an answer of this task").expect("a circle").circle;
        assert!((found.x - circle.x).hypot(found.y - circle.y) < 0.05, "{found:?}");
        let empty = Image::zeros(gray.size(), gray.format());
        assert_eq!(CirclePipeline::new(detector()).answer(&empty.view().into()).kind(), "none");
    }
}
