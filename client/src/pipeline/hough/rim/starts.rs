//! Where outlines may be: ellipses through chains of edges, and the candidates of the votes.

use super::chains::Chains;
use super::oval::{Oval, Place};
use crate::pipeline::hough::bounds::{MAX_CANDIDATES, MAX_MEASURED, RADIUS_SLACK_PX};
use crate::pipeline::hough::search::candidates::{Candidate, MIN_SCORE};
use crate::pipeline::hough::search::edge_map::{DIRECTIONS, EdgeMap};
use crate::pipeline::hough::search::gradient::Edge;
use crate::pipeline::hough::search::reduce::Cells;
use crate::pipeline::radii::RadiusRange;

/// Maximum number of chains and of candidates that are traced, best first: for one disc and for all discs. Bounds the
/// time spent on a textured frame. They are twice those of the search for round discs.
const MOST_FOR_ONE: usize = 2 * MAX_CANDIDATES;
const MOST_FOR_ALL: usize = 2 * MAX_MEASURED;

/// Smallest fraction of an ellipse along which the reduced frame must have edges: as for the candidates of the votes.
const MIN_SHARE: f32 = MIN_SCORE / DIRECTIONS as f32;

/// How far the radius of a start may be outside the range, as a fraction. This is the error of an ellipse through a
/// chain that covers half of it.
const SLACK: f64 = 0.3;

/// The starts of one frame.
#[derive(Default)]
pub(crate) struct Starts {
    /// Best first.
    pub(crate) all: Vec<Oval>,
    chains: Chains,
    /// Ellipses of chains and the number of their edges.
    found: Vec<(Oval, usize)>,
    places: Vec<Place>,
}

/// The result of the search in a frame: the edges, and the candidates of the votes.
#[derive(Clone, Copy)]
pub(crate) struct Edges<'a> {
    pub(crate) cells: &'a Cells,
    pub(crate) edges: &'a [Edge],
    pub(crate) map: &'a EdgeMap,
    pub(crate) candidates: &'a [Candidate],
}

impl Starts {
    /// Collects the starts for radii in `range`: for one disc, or for `all` of them.
    pub(crate) fn collect(&mut self, from: Edges<'_>, range: RadiusRange, all: bool) {
        let Edges { cells, edges, map, candidates } = from;
        let most = if all { MOST_FOR_ALL } else { MOST_FOR_ONE };
        let found = &mut self.found;
        found.clear();
        self.chains.ovals(cells, edges, |oval, n| found.push((oval, n)));
        let places = &mut self.places;
        found.retain(|(oval, _)| is_sought(oval, range, SLACK) && share_of_edges(map, cells, oval, places) > MIN_SHARE);
        let place = |oval: &Oval| (oval.y, oval.x);
        found.sort_unstable_by(|(one, n), (other, m)| {
            let ((y, x), (other_y, other_x)) = (place(one), place(other));
            m.cmp(n).then(y.total_cmp(&other_y)).then(x.total_cmp(&other_x))
        });
        self.all.clear();
        self.all.extend(found.iter().take(most).map(|(oval, _)| *oval));
        self.all.extend(candidates.iter().take(most).map(around));
    }

    /// The starts of candidates alone.
    pub(crate) fn take_candidates(&mut self, candidates: &[Candidate]) {
        self.all.clear();
        self.all.extend(candidates.iter().take(MOST_FOR_ONE).map(around));
    }
}

/// Fraction of an outline along which the reduced frame has edges.
fn share_of_edges(map: &EdgeMap, cells: &Cells, oval: &Oval, places: &mut Vec<Place>) -> f32 {
    places.clear();
    oval.outline(DIRECTIONS, 1, places);
    map.share_along(places.iter().map(|Place { at, normal }| {
        ((cells.to_cell(at.0 as f32), cells.to_cell(at.1 as f32)), (normal.0 as f32, normal.1 as f32))
    }))
}

/// The circle of a candidate.
pub(crate) fn around(candidate: &Candidate) -> Oval {
    Oval::round(candidate.circle())
}

/// Whether the radius of an ellipse is within the range, and the ratio of its half-axes is large enough. `slack` is a
/// tolerance as a fraction.
pub(crate) fn is_sought(oval: &Oval, range: RadiusRange, slack: f64) -> bool {
    let Some(axes) = oval.axes() else { return false };
    let within = range.min() * (1.0 - slack) - RADIUS_SLACK_PX..=range.max() * (1.0 + slack) + RADIUS_SLACK_PX;
    within.contains(&oval.radius()) && axes.b > range.min_axis_ratio() * (1.0 - slack) * axes.a
}
