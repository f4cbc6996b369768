//! Exposure of a ball that is seen through a lens: its outline is a fine polygon, whose area in each cell is exact.
//!
//! The corners of the polygon are images of points of the ball's rim. They lie a little outside of the rim, so that the
//! polygon has the area of the ball. There are so many of them that a side is nowhere farther than [`FLAT_PX`] from the
//! outline. A cell's covered area changes with the ball as the sides inside the cell sweep over it.

use std::f64::consts::{PI, TAU};

use shared::geometry::Circle;
use shared::lens::Rim;
use shared::lens::matrix::Matrix3;
use shared::lens::rim::RimPoint;

use super::exposure::Exposed;
use super::plane::Region;
use super::polygon::Polygon;
use super::recycled::Recycled;
use super::view::{Posed, turn};

/// Largest distance between the outline and a side of the polygon: 3 % of a gray level at the default contrast.
const FLAT_PX: f64 = 2e-4;

/// Fewest and most corners. The most are enough for a ball of 680 px.
const CORNERS: (usize, usize) = (64, 4096);

/// Number of points of the outline from which the pixels that it reaches are found. Between these points the outline
/// may extend further, by up to 0.5 % of their distance from the middle.
const COARSE: usize = 32;

/// Tolerance at a cell's border, in cells: a point this close to the border counts as beyond it.
const EDGE: f64 = 1e-9;

/// The polygon's corners as angles of the rim: cosine and sine, times the factor that puts them outside.
#[derive(Debug)]
pub(super) struct Corners(Recycled<(f64, f64)>);

/// How both ends of a side move with a parameter.
type Ends = ((f64, f64), (f64, f64));

/// An outline in the coordinates of cells.
struct Outline {
    corners: Polygon,
    /// How each corner moves with the scored point's x, its y, and the radius.
    moves: [Recycled<(f64, f64)>; 3],
}

impl Corners {
    /// Corners for a picture of this extent.
    pub(super) fn new(extent_px: f64) -> Self {
        // A side of an N-gon about a circle of radius r is r (π / N)² / 2 from it in its middle.
        let count = PI * (extent_px / (2.0 * FLAT_PX)).sqrt();
        let count = (count.ceil() as usize).clamp(CORNERS.0, CORNERS.1);
        let step = TAU / count as f64;
        // The area of an N-gon inside a circle is that of the circle times sin s / s, with s = τ / N.
        let outside = (step / libm::sin(step)).sqrt();
        let corner = |at: usize| {
            let (cos, sin) = turn(at as f64 / count as f64);
            (outside * cos, outside * sin)
        };
        Self((0..count).map(corner).collect())
    }
}

/// Least and greatest x, and least and greatest y, of a ball's picture at these places. `None` if it is not seen.
pub(super) fn extent(view: &Posed<'_>, places: &[(f64, f64)], radius: f64) -> Option<[(f64, f64); 2]> {
    let mut spans = [(f64::INFINITY, f64::NEG_INFINITY); 2];
    for &(x, y) in places {
        let rim = view.rim(Circle { x, y, radius })?;
        let mut own = [(f64::INFINITY, f64::NEG_INFINITY); 2];
        for at in 0..COARSE {
            let point = rim.point(turn(at as f64 / COARSE as f64))?.at;
            own.iter_mut().zip(point).for_each(|(span, at)| *span = (span.0.min(at), span.1.max(at)));
        }
        for (span, (low, high)) in spans.iter_mut().zip(own) {
            let more = beyond(low, high);
            *span = (span.0.min(low - more), span.1.max(high + more));
        }
    }
    Some(spans)
}

/// How far an outline may extend beyond [`COARSE`] points of it, which span this interval. Half of the extent is about the
/// distance from the middle.
fn beyond(low: f64, high: f64) -> f64 {
    0.005 * (high - low) + 0.1
}

/// Averages the coverage of a ball's picture over the places of the ball on the plane. With `steering` the derivatives by
/// the scored point and the radius are found too.
pub(super) fn expose(
    view: &Posed<'_>,
    corners: &Corners,
    places: &[(f64, f64)],
    radius: f64,
    (region, fine): (Region, usize),
    steering: Option<&Matrix3>,
) -> Exposed {
    let cells = region.pixels() * fine * fine;
    let slope_cells = if steering.is_some() { cells } else { 0 };
    let mut exposed = Exposed {
        cover: Recycled::filled(cells, 0.0),
        slopes: std::array::from_fn(|_| Recycled::filled(slope_cells, 0.0)),
    };
    let share = 1.0 / places.len().max(1) as f64;
    let grid = Region { left: 0, top: 0, width: region.width * fine, height: region.height * fine };
    for &(x, y) in places {
        let ball = Circle { x, y, radius };
        add_ball(&mut exposed, view, corners, ball, ((region, fine), grid), share, steering);
    }
    exposed
}

/// Adds this share of a ball's coverage, and of its derivatives, in the cells of a window of a region's grid. Of a window of
/// some rows, only the outline in these rows is computed.
pub(super) fn add_ball(
    exposed: &mut Exposed,
    view: &Posed<'_>,
    corners: &Corners,
    ball: Circle,
    ((region, fine), window): ((Region, usize), Region),
    share: f64,
    steering: Option<&Matrix3>,
) {
    let top = region.top as f64 - 0.5 + window.top as f64 / fine as f64;
    let band = (top, top + window.height as f64 / fine as f64);
    let band = (window.height < region.height * fine).then_some(band);
    let outline = view.rim(ball).and_then(|rim| outline(&rim, corners, band, (region, fine), steering));
    if let Some(outline) = outline {
        add(exposed, &outline, region.width * fine, window, share);
    }
}

/// The outline of a rim in the coordinates of a region's cells. With a `band` of y it is exact only there. `None` if the rim
/// is not seen, or not in the band.
fn outline(
    rim: &Rim<'_>,
    Corners(corners): &Corners,
    band: Option<(f64, f64)>,
    (region, fine): (Region, usize),
    steering: Option<&Matrix3>,
) -> Option<Outline> {
    let scale = fine as f64;
    let cell = |coordinate: f64, origin: i64| (coordinate - origin as f64 + 0.5) * scale - 0.5;
    let room = if band.is_none() { corners.len() } else { 2 * COARSE };
    let mut places = Recycled::with_capacity(room);
    let mut moves = std::array::from_fn(|_| Recycled::with_capacity(if steering.is_some() { room } else { 0 }));
    let mut add = |point: &RimPoint| {
        places.push((cell(point.at[0], region.left), cell(point.at[1], region.top)));
        let Some(steering) = steering else { return };
        for (parameter, moves) in moves.iter_mut().enumerate() {
            let along = |axis: usize| (0..3).map(|by| point.by[by][axis] * steering[by][parameter]).sum::<f64>();
            moves.push((scale * along(0), scale * along(1)));
        }
    };
    match band {
        Some(band) => in_band(rim, corners, band, &mut add)?,
        None => corners.iter().try_for_each(|corner| rim.point(*corner).map(|point| add(&point)))?,
    }
    Some(Outline { corners: Polygon(places), moves })
}

/// Calls `add` with the corners of an outline that may be in a band of y, and with others above and below it, in their
/// order: sides between those are outside of the band. `None` if no part of the outline is in the band, or a corner is not
/// seen.
fn in_band(rim: &Rim<'_>, corners: &[(f64, f64)], band: (f64, f64), add: &mut dyn FnMut(&RimPoint)) -> Option<()> {
    // invariant: there are at least 64 corners, two for each of these places.
    let place = |at: usize| at * corners.len() / COARSE;
    let (mut coarse, mut low, mut high) = ([None; COARSE], f64::INFINITY, f64::NEG_INFINITY);
    for (at, point) in coarse.iter_mut().enumerate() {
        let found = rim.point(corners[place(at)])?;
        (low, high) = (low.min(found.at[1]), high.max(found.at[1]));
        *point = Some(found);
    }
    let more = beyond(low, high);
    if high + more < band.0 || low - more > band.1 {
        return None;
    }
    let mut between = Between { rim, corners, band, add };
    for at in 0..COARSE {
        let (point, next) = (coarse[at]?, coarse[(at + 1) % COARSE]?);
        (between.add)(&point);
        between.corners((place(at), place(at + 1)), (point.at[1], next.at[1]), more)?;
    }
    Some(())
}

/// Looks for the corners in a band of y.
struct Between<'a> {
    rim: &'a Rim<'a>,
    corners: &'a [(f64, f64)],
    band: (f64, f64),
    add: &'a mut dyn FnMut(&RimPoint),
}

impl Between<'_> {
    /// Adds the corners between two others, with these y, if any of them may be in the band. The outline extends at most
    /// `more` beyond the two.
    fn corners(&mut self, (from, to): (usize, usize), (here, there): (f64, f64), more: f64) -> Option<()> {
        let is_outside = here.max(there) + more < self.band.0 || here.min(there) - more > self.band.1;
        if to - from < 2 || is_outside {
            return Some(());
        }
        let middle = usize::midpoint(from, to);
        let point = self.rim.point(self.corners[middle])?;
        // A curve is a quarter as far from a chord of half the length.
        self.corners((from, middle), (here, point.at[1]), more / 4.0)?;
        (self.add)(&point);
        self.corners((middle, to), (point.at[1], there), more / 4.0)
    }
}

/// Adds this share of an outline's coverage, and of its derivatives, to the cells of a window. A row of all cells has this
/// width.
fn add(exposed: &mut Exposed, outline: &Outline, width: usize, window: Region, share: f64) {
    let covered = outline.corners.coverage(window);
    for row in covered.region.rows() {
        let line = &mut exposed.cover[row as usize * width + covered.region.left as usize..][..covered.region.width];
        line.iter_mut().zip(covered.row(row)).for_each(|(to, cover)| *to += share as f32 * cover);
    }
    if outline.moves[0].is_empty() {
        return;
    }
    let corners = &outline.corners.0;
    let share = share * orientation(corners);
    for (at, from) in corners.iter().enumerate() {
        let next = (at + 1) % corners.len();
        // Cell i is the interval from i to i + 1.
        let [here, there] = [from.1, corners[next].1].map(|y| y + 0.5 - window.top as f64);
        if here.max(there) < 0.0 || here.min(there) > window.height as f64 {
            continue;
        }
        let moves = [0, 1, 2].map(|parameter| (outline.moves[parameter][at], outline.moves[parameter][next]));
        sweep(*from, corners[next], &moves, window, |(column, row), swept| {
            for (slopes, swept) in exposed.slopes.iter_mut().zip(swept) {
                slopes[row * width + column] += (share * swept) as f32;
            }
        });
    }
}

/// 1 if the corners go around clockwise in the image, else −1.
fn orientation(corners: &[(f64, f64)]) -> f64 {
    let pairs = corners.iter().zip(corners.iter().cycle().skip(1));
    pairs.map(|(a, b)| a.0 * b.1 - a.1 * b.0).sum::<f64>().signum()
}

/// Calls `take` with each cell of a window that a side crosses, and the area that the side sweeps in this cell as its
/// ends move.
fn sweep(
    from: (f64, f64),
    to: (f64, f64),
    moves: &[Ends; 3],
    window: Region,
    mut take: impl FnMut((usize, usize), [f64; 3]),
) {
    // Cell i is the interval from i to i + 1.
    let (x, y) = (from.0 + 0.5, from.1 + 0.5);
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let edge = |at: f64, by: f64, share: f64| {
        let here = at + share * by;
        if by > 0.0 {
            ((here + EDGE).floor() + 1.0 - at) / by
        } else if by < 0.0 {
            ((here - EDGE).ceil() - 1.0 - at) / by
        } else {
            1.0
        }
    };
    let mut share = 0.0;
    while share < 1.0 {
        let next = edge(x, dx, share).min(edge(y, dy, share)).min(1.0);
        let middle = (share + next) / 2.0;
        let (column, row) = ((x + middle * dx).floor(), (y + middle * dy).floor());
        let (column, row) = (column as i64, row as i64);
        if window.columns().contains(&column) && window.rows().contains(&row) {
            let swept = moves.map(|((ax, ay), (bx, by))| {
                let (right, down) = (ax + middle * (bx - ax), ay + middle * (by - ay));
                (next - share) * (right * dy - down * dx)
            });
            take((column as usize, row as usize), swept);
        }
        // Without progress, rounding has stopped the walk at the side's end.
        if next <= share {
            return;
        }
        share = next;
    }
}
