//! Runs a detector as a pipeline.

use ndarray::Array2;
use shared::image::{ImageView, to_gray};
use shared::protocol::message::{FoundCircle, Payload};

use crate::pipeline::detector::{Detector, Estimate};
use crate::pipeline::frame::Frame;
use crate::pipeline::seam::Pipeline;

/// Runs a detector on the gray levels of each frame.
pub(super) struct CirclePipeline {
    detector: Box<dyn Detector>,
    /// The gray levels of a colour frame.
    gray: Array2<u8>,
}

impl CirclePipeline {
    pub(super) fn new(detector: Box<dyn Detector>) -> Self {
        Self { detector, gray: Array2::zeros((0, 0)) }
    }
}

impl Pipeline for CirclePipeline {
    fn answer(&mut self, frame: &Frame<'_>) -> Payload<'static> {
        let estimate = match frame.image {
            ImageView::Gray8(gray) => self.detector.detect(gray),
            ImageView::Bgr8(bgr) => {
                to_gray(bgr, &mut self.gray);
                self.detector.detect(self.gray.view())
            }
        };
        let found = |Estimate { circle, covariance }| FoundCircle { circle: circle.into(), covariance };
        FoundCircle::write(estimate.map(found))
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
    fn a_frame_in_colour_is_answered_as_its_gray_levels_are() {
        let circle = Circle { x: 60.25, y: 44.5, radius: 15.0 };
        let gray = Image::Gray8(Canvas::new(128, 96, 40.0).disc(circle, 180.0).shot(0.0, &mut Random::new(1)));
        let detector = || by_name("hough", RadiusLimits::default()).expect("listed");
        let answer = CirclePipeline::new(detector()).answer(&gray.view().into());
        let found = FoundCircle::read(&answer).expect("an answer of this task").expect("a circle").circle;
        assert!((found.x - circle.x).hypot(found.y - circle.y) < 0.05, "{found:?}");
        // OpenCV's weights add up to one, so three equal channels have that value as their gray level.
        assert_eq!(CirclePipeline::new(detector()).answer(&gray.clone().into_bgr().view().into()), answer);
        let empty = Image::zeros(gray.size(), gray.format());
        assert_eq!(CirclePipeline::new(detector()).answer(&empty.view().into()).kind(), "none");
    }
}
