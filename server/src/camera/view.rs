//! The view: how a camera with a lens sees the plane on which the ball moves, and what the truth of a frame then is.
//!
//! The plane has coordinates of its own, in px: those that a frame without a lens has. Its middle, which is that of a
//! frame, lies on the optical axis. A pose turns the plane about its middle, first by the roll, then by the pan, then by
//! the tilt, and puts it at a distance.

use std::f64::consts::{PI, TAU};

use shared::geometry::{Circle, MAX_SIDE, Size};
use shared::lens::matrix::{self, Matrix3};
use shared::lens::rim::Moments;
use shared::lens::{Map, Pinhole, Point, Rim, Solid};

use super::lens::{LensConfig, PlanePose, TruthPoint};
use crate::scene::Random;
use crate::truth::Projected;

/// Points of the outline for area and centroid. They are exact to 1e-9 px for a ball of 40 px with half as many.
const ANGLES: usize = 64;

/// Step of the differences that give the derivatives of the centroid, in px. The centroid is smooth: the error is some
/// 1e-9.
const STEP_PX: f64 = 0.01;

/// The room of the ball grows by this share of the frame at a time, until the ball would leave the picture.
const GROWTH: f64 = 1.0 / 32.0;

/// The largest room, in frames. A plane that is farther away would show more.
const MOST_GROWTH: f64 = 16.0;

/// Halvings of the last step of the growth: to a 16th of a px in an image of 8192 px.
const HALVINGS: u32 = 12;

/// Places along each side of the room at which the ball is looked at, and points of its outline.
const PLACES: i32 = 16;
const OUTLINE: usize = 24;

/// Rounding of a coordinate, in px.
const ROUNDING_PX: f64 = 1e-6;

/// A plane seen through a lens, in one or several poses.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// The map of each pose.
    maps: Vec<Map>,
    solid: Solid,
    point: TruthPoint,
    size: Size,
    /// Cosine and sine of evenly spaced angles.
    angles: Vec<(f64, f64)>,
}

/// The plane in one of its poses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posed<'a> {
    view: &'a View,
    map: &'a Map,
    /// Number of the pose, from 1.
    pose: u32,
}

impl View {
    /// The view of this camera, whose images have this size; `None` if the plane is the image.
    pub(super) fn new(config: &LensConfig, size: Size, random: &Random) -> Option<Self> {
        if !config.has_lens() {
            return None;
        }
        let lens = config.lens(size.width, size.height);
        let poses = config.all_poses(lens.pinhole.fx, random);
        let map = |pose: &PlanePose| Map { plane: plane(pose, lens.pinhole, middle(size)), lens: Some(lens) };
        let angles = (0..ANGLES).map(|at| turn(at as f64 / ANGLES as f64)).collect();
        let maps = poses.iter().map(map).collect();
        Some(Self { maps, solid: config.solid(), point: config.truth_point.unwrap_or_default(), size, angles })
    }

    /// The view of a camera without a lens: the plane is the image.
    pub(super) fn flat(size: Size) -> Self {
        let maps = vec![Map { plane: matrix::UNIT, lens: None }];
        Self { maps, solid: Solid::Disc, point: TruthPoint::Centre, size, angles: Vec::new() }
    }

    /// Whether there is a lens.
    pub(super) fn has_lens(&self) -> bool {
        self.maps[0].lens.is_some()
    }

    /// The plane as frame `index` shows it.
    pub(super) fn of_frame(&self, index: u64) -> Posed<'_> {
        // invariant: there is at least one pose, and there are fewer than 2³².
        let at = (index % self.maps.len() as u64) as usize;
        Posed { view: self, map: &self.maps[at], pose: at as u32 + 1 }
    }

    fn poses(&self) -> impl Iterator<Item = Posed<'_>> {
        (0..self.maps.len() as u64).map(|at| self.of_frame(at))
    }

    /// The size of the largest part of the plane about its middle, in the proportions of the frame, in which a ball of this
    /// radius is seen whole wherever it is. With `border` only the image of its centre must be inside.
    pub(super) fn room(&self, radius: f64, border: bool) -> Option<Size> {
        let shows = |share: f64| self.shows(share, radius, border);
        let mut share = 0.0;
        while share < MOST_GROWTH && shows(share + GROWTH) {
            share += GROWTH;
        }
        let mut step = GROWTH;
        for _ in 0..HALVINGS {
            step /= 2.0;
            share += if shows(share + step) { step } else { 0.0 };
        }
        let room = |more: f64| {
            let side = |side: u32| (share * f64::from(side) + more).min(f64::from(MAX_SIDE)) as u64;
            Size::new(side(self.size.width), side(self.size.height)).ok()
        };
        // The bisection ends a little below a whole number of px; 0.1 px makes up for that, unless the lens would no longer
        // show the ball there.
        [0.1, 0.0, -1.0].into_iter().filter_map(room).find(|room| self.has_truth(*room, radius, border))
    }

    /// Whether balls at the walls of a room have a truth.
    fn has_truth(&self, room: Size, radius: f64, border: bool) -> bool {
        let sides = [room.width, room.height].map(f64::from);
        self.at_walls(sides, radius, border, |posed, ball| posed.seen(ball).is_some())
    }

    /// Place of a room's origin in the coordinates of the plane, in px.
    pub(super) fn offset(&self, room: Size) -> (f64, f64) {
        let ((x, y), (u, v)) = (middle(self.size), middle(room));
        (x - u, y - v)
    }

    /// Whether balls at the walls of a room are in the picture. The room has this share of the frame's sides.
    fn shows(&self, share: f64, radius: f64, border: bool) -> bool {
        let sides = [self.size.width, self.size.height].map(|side| share * f64::from(side));
        self.at_walls(sides, radius, border, |posed, ball| posed.is_inside(ball, border).unwrap_or(false))
    }

    /// Whether this holds for all balls at the walls of a room with these sides, in px, in all poses.
    fn at_walls(&self, sides: [f64; 2], radius: f64, border: bool, holds: impl Fn(Posed<'_>, Circle) -> bool) -> bool {
        let keep = if border { 0.0 } else { radius };
        let [half_width, half_height] = sides.map(|side| (side / 2.0 - keep).max(0.0));
        let (x, y) = middle(self.size);
        (-PLACES..=PLACES).map(|place| f64::from(place) / f64::from(PLACES)).all(|place| {
            let along = [(1.0, place), (-1.0, place), (place, 1.0), (place, -1.0)];
            along.into_iter().all(|(right, down)| {
                let ball = Circle { x: x + right * half_width, y: y + down * half_height, radius };
                self.poses().all(|posed| holds(posed, ball))
            })
        })
    }
}

impl<'a> Posed<'a> {
    /// The rim of the ball on the plane. `None` if it is not wholly in front of the camera.
    pub(super) fn rim(&self, ball: Circle) -> Option<Rim<'a>> {
        self.map.rim(self.view.solid, [ball.x, ball.y], ball.radius)
    }

    /// What is seen of a ball on the plane, and the scored circle: its point, with the radius of the circle of the
    /// picture's area.
    pub(super) fn seen(&self, ball: Circle) -> Option<(Circle, Projected)> {
        let rim = self.rim(ball)?;
        let ([x, y], _) = rim.centre()?;
        let Moments { area, centroid: [u, v] } = rim.moments(self.view.angles.iter().copied())?;
        let projected = Projected { centre: (x, y), centroid: (u, v), plane: ball, pose: self.pose };
        let (x, y) = match self.view.point {
            TruthPoint::Centre => projected.centre,
            TruthPoint::Centroid => projected.centroid,
        };
        Some((Circle { x, y, radius: (area / PI).sqrt() }, projected))
    }

    /// The derivatives of the plane's x, its y and the radius by the scored point's x, its y and the radius.
    pub(super) fn steering(&self, ball: Circle) -> Option<Matrix3> {
        let by = match self.view.point {
            TruthPoint::Centre => {
                let [[a, b], [c, d]] = self.rim(ball)?.centre()?.1;
                [[a, b, 0.0], [c, d, 0.0], [0.0, 0.0, 1.0]]
            }
            TruthPoint::Centroid => {
                let at = |x: f64, y: f64, radius: f64| {
                    let moved = Circle { x: ball.x + x, y: ball.y + y, radius: ball.radius + radius };
                    Some(self.rim(moved)?.moments(self.view.angles.iter().copied())?.centroid)
                };
                // The radius is reduced by this step, so it must be smaller than the radius.
                let h = STEP_PX.min(ball.radius / 2.0);
                let slope = |above: Point, below: Point| [0, 1].map(|axis| (above[axis] - below[axis]) / (2.0 * h));
                let x = slope(at(h, 0.0, 0.0)?, at(-h, 0.0, 0.0)?);
                let y = slope(at(0.0, h, 0.0)?, at(0.0, -h, 0.0)?);
                let radius = slope(at(0.0, 0.0, h)?, at(0.0, 0.0, -h)?);
                [[x[0], y[0], radius[0]], [x[1], y[1], radius[1]], [0.0, 0.0, 1.0]]
            }
        };
        matrix::inverse(&by)
    }

    /// Whether a ball, or with `border` its centre, is inside the image. `None` if the lens does not show it.
    fn is_inside(&self, ball: Circle, border: bool) -> Option<bool> {
        let inside = |[x, y]: Point| {
            let within = |at: f64, side: u32| at >= -0.5 - ROUNDING_PX && at <= f64::from(side) - 0.5 + ROUNDING_PX;
            within(x, self.view.size.width) && within(y, self.view.size.height)
        };
        let rim = self.rim(ball)?;
        let mut all = inside(rim.centre()?.0);
        for at in 0..OUTLINE {
            let point = rim.point(turn(at as f64 / OUTLINE as f64))?.at;
            all &= border || inside(point);
        }
        Some(all)
    }
}

/// The middle of an image or a room of this size.
fn middle(size: Size) -> (f64, f64) {
    ((f64::from(size.width) - 1.0) / 2.0, (f64::from(size.height) - 1.0) / 2.0)
}

/// Cosine and sine of a share of a full turn.
pub(super) fn turn(share: f64) -> (f64, f64) {
    let (sin, cos) = libm::sincos(TAU * share);
    (cos, sin)
}

/// The plane in the coordinates of the camera: the matrix that takes (x, y, 1) there.
fn plane(pose: &PlanePose, pinhole: Pinhole, (x, y): (f64, f64)) -> Matrix3 {
    let [tilt, pan, roll] = pose.turns.map(|degrees| turn(degrees / 360.0));
    let about_x = [[1.0, 0.0, 0.0], [0.0, tilt.0, -tilt.1], [0.0, tilt.1, tilt.0]];
    let about_y = [[pan.0, 0.0, pan.1], [0.0, 1.0, 0.0], [-pan.1, 0.0, pan.0]];
    let about_z = [[roll.0, -roll.1, 0.0], [roll.1, roll.0, 0.0], [0.0, 0.0, 1.0]];
    let turned = matrix::product(&about_x, &matrix::product(&about_y, &about_z));
    let place = [0.0, 0.0, pose.distance.unwrap_or(pinhole.fx)];
    [0, 1, 2].map(|row| {
        let [right, down, _] = turned[row];
        [right, down, place[row] - right * x - down * y]
    })
}
