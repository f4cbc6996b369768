//! Runs the stages one by one, for `benches/stages.rs` only.

use ndarray::Array2;

use super::detector::Hough;
use super::frame::Frame;
use super::locate::start::Start;
use crate::pipeline::radii::{RadiusLimits, RadiusRange};

/// A frame with a disc, and a detector that has found it. Each stage can be run again on the output of the stages
/// before.
pub struct Stages {
    hough: Hough,
    gray: Array2<u8>,
    range: RadiusRange,
    candidate: usize,
    start: Start,
}

impl Stages {
    /// Finds the disc in a frame and keeps the result of each stage.
    ///
    /// # Panics
    /// If the frame shows no disc or is not stored row by row.
    #[must_use]
    pub fn of(gray: Array2<u8>, limits: RadiusLimits) -> Self {
        let frame = frame(&gray);
        let mut hough = Hough::new(limits);
        let range = hough.search(frame).expect("a range of radii").first;
        hough.detect_in(frame).expect("a disc");
        // Start again from the peaks, because the search continues past a disc without ample evidence.
        hough.candidates.cast(&hough.cells, &hough.gradients.edges, range);
        while hough.candidates.examine_more(&hough.cells) {
            for candidate in 0..hough.candidates.ranked.len() {
                if hough.measure(candidate, frame, range).is_some() {
                    let start = locate(&mut hough, candidate, frame).expect("it was measured from there");
                    return Self { hough, gray, range, candidate, start };
                }
            }
        }
        unreachable!("the candidate by which the disc was found is among them")
    }

    /// Reduces the frame by 1, 2, 4 or 8. The later stages continue with this reduction.
    pub fn reduce(&mut self, factor: usize) {
        let frame = frame(&self.gray);
        self.hough.cells.reduce(frame.pixels, frame.width, factor);
    }

    /// Finds the edges and returns their number.
    pub fn gradients(&mut self) -> usize {
        self.hough.gradients.find(&self.hough.cells);
        self.hough.gradients.edges.len()
    }

    /// Finds the candidates among the first peaks and returns their number.
    pub fn votes(&mut self) -> usize {
        self.hough.candidates.cast(&self.hough.cells, &self.hough.gradients.edges, self.range);
        self.hough.candidates.examine_more(&self.hough.cells);
        self.hough.candidates.ranked.len()
    }

    /// Whether the rays agree on a circle around the candidate that is the disc.
    pub fn rays(&mut self) -> bool {
        locate(&mut self.hough, self.candidate, frame(&self.gray)).is_some()
    }

    /// Whether a disc can be fitted to the circle that the rays agreed on.
    pub fn fit(&mut self) -> bool {
        self.hough.refiner.fit(frame(&self.gray), &self.hough.cells, &self.start).is_some()
    }
}

fn frame(gray: &Array2<u8>) -> Frame<'_> {
    let (height, width) = gray.dim();
    Frame { pixels: gray.as_slice().expect("row by row"), width, height }
}

fn locate(hough: &mut Hough, candidate: usize, frame: Frame<'_>) -> Option<Start> {
    let candidate = hough.candidates.ranked[candidate];
    hough.rays.locate(frame, candidate, hough.cells.factor as f32, hough.gradients.noise_gray)
}
