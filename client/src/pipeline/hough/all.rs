//! Finds all discs of a frame. It measures every candidate; the search for one disc stops at the first clear one.
//!
//! A disc may be found more than once: from several peaks of its votes, or as a ring with a hole. If one circle holds
//! the centre of another, both are the same disc, and the circle with more evidence is kept.

use ndarray::ArrayView2;
use shared::geometry::Circle;

use super::bounds::MAX_MEASURED;
use super::detector::{Hough, PARAMETERS};
use super::frame::Frame;
use super::rim::oval::Oval;
use super::rim::starts::Edges;
use super::search::candidates::Candidate;
use crate::pipeline::detector::{DetectorOfAll, Estimate};
use crate::pipeline::parameters::Parameter;
use crate::pipeline::radii::RadiusRange;

/// A disc that was found.
#[derive(Clone, Copy)]
pub(super) struct Found {
    /// Evidence for the disc, comparable within the frame.
    evidence: f64,
    /// Whether the evidence is beyond doubt.
    ample: bool,
    estimate: Estimate,
}

impl DetectorOfAll for Hough {
    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn set(&mut self, name: &str, value: f64) {
        self.set_number(name, value);
    }

    fn detect_all(&mut self, gray: ArrayView2<'_, u8>, found: &mut Vec<Estimate>) {
        self.see(gray, Self::find_all);
        found.clear();
        found.extend(self.all.iter().map(|found| found.estimate));
    }
}

impl Hough {
    fn find_all(&mut self, frame: Frame<'_>) {
        self.all.clear();
        if let Some(sought) = self.search(frame) {
            self.candidates.examine_all(&self.cells);
            self.measure_all(frame, sought.first);
            leave_one_a_disc(&mut self.all);
            self.measure_rims(frame, sought.all);
            leave_one_a_disc(&mut self.all);
        }
    }

    /// Measures the outlines that differ from all discs found so far.
    fn measure_rims(&mut self, frame: Frame<'_>, range: RadiusRange) {
        self.candidates.cast(&self.cells, &self.gradients.edges, range);
        self.candidates.examine_all(&self.cells);
        let (map, candidates) = (self.candidates.map(), &self.candidates.ranked[..]);
        let edges = Edges { cells: &self.cells, edges: &self.gradients.edges, map, candidates };
        let known = |start: &Oval| self.all.iter().any(|found| are_one_disc(found.estimate.circle, start.circle()));
        self.rims.trace_all(frame, edges, range, &known);
        for i in 0..self.rims.traced.len() {
            let rim = self.rims.traced[i];
            if self.all.iter().all(|found| !are_one_disc(found.estimate.circle, rim.oval.circle())) {
                let Some(estimate) = self.measure_rim(i, frame, range) else { continue };
                // Both kinds of evidence are natural logarithms of chances.
                let evidence = -rim.closure.log_alarms * std::f64::consts::LN_10;
                self.all.push(Found { evidence, ample: rim.is_ample(), estimate });
            }
        }
    }

    /// Measures the candidates, except those that lie in a disc already found.
    fn measure_all(&mut self, frame: Frame<'_>, range: RadiusRange) {
        let mut left = MAX_MEASURED;
        for i in 0..self.candidates.ranked.len() {
            let candidate = self.candidates.ranked[i];
            if left == 0 {
                return;
            }
            if self.all.iter().any(|found| found.ample && lies_in(candidate, found.estimate.circle)) {
                continue;
            }
            left -= 1;
            if let Some((verdict, estimate)) = self.measure(i, frame, range) {
                self.all.push(Found { evidence: verdict.evidence, ample: verdict.ample, estimate });
            }
        }
    }
}

fn lies_in(candidate: Candidate, disc: Circle) -> bool {
    (f64::from(candidate.x) - disc.x).hypot(f64::from(candidate.y) - disc.y) < disc.radius
}

/// Sorts by evidence, the most certain circle first, and removes circles that are the same disc as a more certain one.
fn leave_one_a_disc(all: &mut Vec<Found>) {
    let place = |found: &Found| (found.estimate.circle.y, found.estimate.circle.x);
    all.sort_unstable_by(|one, other| {
        let ((y, x), (other_y, other_x)) = (place(one), place(other));
        other.evidence.total_cmp(&one.evidence).then(y.total_cmp(&other_y)).then(x.total_cmp(&other_x))
    });
    let mut kept = 0;
    for i in 0..all.len() {
        let found = all[i];
        if all[..kept].iter().all(|other| !are_one_disc(other.estimate.circle, found.estimate.circle)) {
            all[kept] = found;
            kept += 1;
        }
    }
    all.truncate(kept);
}

/// Whether one of the circles holds the other's centre. Two discs are so close only if one covers almost half of the
/// other.
fn are_one_disc(one: Circle, other: Circle) -> bool {
    (one.x - other.x).hypot(one.y - other.y) < one.radius.max(other.radius)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(x: f64, radius: f64, evidence: f64) -> Found {
        Found {
            evidence,
            ample: true,
            estimate: Estimate { circle: Circle { x, y: 50.0, radius }, ellipse: None, covariance: None },
        }
    }

    #[test]
    fn circles_that_hold_each_others_centre_are_one_disc() {
        let mut all =
            vec![found(50.2, 20.0, 30.0), found(90.0, 20.1, 40.0), found(50.0, 8.0, 45.0), found(71.0, 20.0, 3.0)];
        leave_one_a_disc(&mut all);
        let left: Vec<_> = all.iter().map(|found| found.estimate.circle.x).collect();
        // The third circle is the hole of the first. The last one holds the second's centre.
        assert_eq!(left, [50.0, 90.0]);
    }
}
