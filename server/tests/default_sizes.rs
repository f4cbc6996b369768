//! The defaults of server and client match: in frames of any size, the client looks for the ball and finds it.

use client::pipeline::{Detector, DetectorChoice, RadiusLimits, RadiusRange};
use ndarray::ArrayView2;
use server::run::RunSpec;
use server::scene::Radii;
use server::source::BallScene;
use server::truth::Truth;
use shared::geometry::{MAX_SIDE, Size};
use shared::image::Image;

/// Number of frames per size.
const FRAMES: u64 = 3;

fn size(width: u32, height: u32) -> Size {
    Size { width, height }
}

fn scene(size: Size) -> BallScene {
    let mut run = RunSpec::default();
    (run.sent.size, run.sent.seed) = (Some(size), Some(7));
    BallScene::of(&run)
}

fn find(detector: &mut dyn Detector, gray: ArrayView2<'_, u8>, truth: Truth, size: Size) {
    let Truth::Ball { circle, .. } = truth else { panic!("a ball at {size}") };
    let found = detector.detect(gray).unwrap_or_else(|| panic!("missed {circle:?} at {size}"));
    let l1 = (found.circle.x - circle.x).abs() + (found.circle.y - circle.y).abs();
    assert!(l1 < 0.05, "{l1} px off at {size}");
}

#[test]
fn the_ball_of_every_size_is_found_by_default() {
    let wide = [(640, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160), (8192, 4320), (4320, 8192)];
    let square = [32, 40, 48, 64, 100, 128, 200, 256, 512, 1024, 4096].map(|side| (side, side));
    for (width, height) in wide.into_iter().chain(square) {
        let size = size(width, height);
        let mut source = scene(size).source().expect("a ball that fits");
        let mut detector = DetectorChoice::new("hough", RadiusLimits::default()).expect("the default").build();
        for index in 0..FRAMES {
            let frame = source.frame(index);
            let Image::Gray8(gray) = frame.image else { panic!("gray8 is the default") };
            find(&mut *detector, gray.view(), frame.truth, size);
        }
    }
}

#[test]
fn the_default_radius_is_looked_for_by_default_at_every_size() {
    for side in 1..=MAX_SIDE {
        let size = size(side, MAX_SIDE);
        let (ball, sought) = (Radii::for_size(size), RadiusRange::for_size(size).expect("a range"));
        assert!(sought.min() <= ball.min && ball.max <= sought.max(), "{ball} at {size}");
    }
    assert_eq!(Radii::for_size(size(640, 480)), Radii::one(20.0), "what published figures were measured with");
}
