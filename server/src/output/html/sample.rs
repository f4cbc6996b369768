//! A sample of a session's frames, for charts with a dot for each frame.
//!
//! A hash of the frame's number selects the frames, so errors that repeat regularly, such as in every tenth answer, are
//! sampled fairly. Up to [`MOST`] frames are all kept. When the sample overflows, the half with the larger hashes is
//! removed.

use super::timeline::STAGES;

/// Maximum number of frames: more dots could not be told apart in a chart. Each takes 10 bytes of the page.
const MOST: usize = 1_200;

/// The values of a frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Point {
    pub(super) source_index: u64,
    /// Time after the first frame, in s.
    pub(super) at_s: f64,
    /// The task's error: px, balls or dB.
    pub(super) residual: Option<f64>,
    pub(super) error: Option<[f64; 2]>,
    pub(super) truth: Option<[f64; 2]>,
    pub(super) radius: Option<f64>,
    pub(super) limit: Option<f64>,
    /// Speed of the ball, in px per frame.
    pub(super) speed: Option<f64>,
    pub(super) latency_us: Option<f64>,
    pub(super) stages_us: Option<[f64; STAGES.len()]>,
}

/// The sample.
#[derive(Debug, Default)]
pub(super) struct Sample {
    points: Vec<(u64, Point)>,
    /// A frame is kept if its hash has this many leading zeros.
    zeros: u32,
}

impl Sample {
    /// Adds a frame if its number is one of the sample's.
    pub(super) fn add(&mut self, id: u64, point: impl FnOnce() -> Point) {
        let hash = mixed(id);
        if hash.leading_zeros() < self.zeros {
            return;
        }
        self.points.push((hash, point()));
        while self.points.len() > MOST {
            self.zeros += 1;
            self.points.retain(|(hash, _)| hash.leading_zeros() >= self.zeros);
        }
    }

    pub(super) fn points(&self) -> impl Iterator<Item = &Point> + Clone {
        self.points.iter().map(|(_, point)| point)
    }

    /// Whether every frame is in it.
    pub(super) fn is_all(&self) -> bool {
        self.zeros == 0
    }

    /// Says whether the dots are all frames or a sample.
    pub(super) fn describe(&self) -> String {
        let count = super::text::whole(self.points.len() as u64);
        if self.is_all() {
            "Each dot is a frame.".into()
        } else {
            format!("The dots are {count} frames, drawn by a hash of their numbers.")
        }
    }
}

/// SplitMix64's finaliser (S. Vigna, 2015): every bit of the number affects every bit of the result.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_bounded_and_keeps_the_share_of_every_tenth_frame() {
        let mut sample = Sample::default();
        (0..1_000_000).for_each(|id| sample.add(id, || Point { source_index: id, ..Point::default() }));
        let count = sample.points().count();
        assert!((MOST / 3..=MOST).contains(&count), "{count}");
        let tenth = sample.points().filter(|point| point.source_index % 10 == 9).count() as f64 / count as f64;
        // Five standard errors of a share of 0.1 in 400 frames.
        assert!((tenth - 0.1).abs() < 0.075, "{tenth}");
    }
}
