//! A start for a disc that moved about as far as it is wide, from its first and second moments.
//!
//! Such a disc no longer shows a ring, and the rays find only one end of it. But motion preserves the amount of light,
//! the light's centroid is the midpoint of the path, and uniform motion over a distance L adds L²/12 to the second
//! moment along the path.

use super::start::Start;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring::Ring;
use crate::pipeline::hough::sectors::DIRECTIONS;

/// How far the window extends beyond the circle: sigmas of the edge, plus pixels.
///
/// An even motion over a distance L blurs the edge by L/√12, so L is 3.46 sigmas. The rays may have found one end of
/// the path, and the other end is then L away. The pixels are the rim and as much again.
const REACH_SIGMAS: f32 = 3.5;
const REACH_PX: f32 = 2.0 * RIM_PX;

/// Width of the window's rim in pixels. The rim's mean is the level of the ground. Around the smallest discs, of 8 px,
/// it has 150 pixels, which know the level to a twelfth of the noise.
const RIM_PX: f32 = 2.0;

/// Radius of the middle in pixels. The middle's mean is the level of the disc: nine pixels, which know it to a third of
/// the noise, and which lie in full light if the motion is three pixels shorter than the disc is wide.
const MIDDLE_PX: f32 = 1.5;

/// Sigma of the edge with which the fit begins: the motion is a parameter of its own, so only optics and pixels blur
/// the edge. Half a pixel is between no blur (0.29 px) and a blur of 1 px.
const EDGE_SIGMA_PX: f32 = 0.5;

/// Sum of the light and its moments about the window's centre.
#[derive(Default)]
struct Moments {
    sum: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Moments {
    fn add(&mut self, light: f64, dx: f64, dy: f64) {
        self.sum += light;
        self.x += light * dx;
        self.y += light * dy;
        self.xx += light * dx * dx;
        self.xy += light * dx * dy;
        self.yy += light * dy * dy;
    }
}

/// Derives a start from the moments of the pixels around another start. `None` if there is hardly any light.
pub(crate) fn start_from_moments(frame: Frame<'_>, start: &Start) -> Option<Start> {
    let mut ring = start.ring;
    let reach = ring.radius + REACH_SIGMAS * start.edge_sigma + REACH_PX;
    let mut found = None;
    // Two passes: the second window is centred on the centroid.
    for _ in 0..2 {
        let ground = mean(frame, ring, (reach - RIM_PX, reach))?;
        let disc = mean(frame, ring, (0.0, MIDDLE_PX))?;
        let moments = light(frame, ring, reach, ground, disc)?;
        (ring, found) = (moments.0, Some(moments.1));
    }
    let (ring, motion) = (ring, found?);
    Some(Start { ring, edge_sigma: EDGE_SIGMA_PX, directions: u16::MAX >> (16 - DIRECTIONS), motion, ..*start })
}

/// Returns the circle of the light above `ground`, and its motion. `disc` is the gray level of full light.
fn light(frame: Frame<'_>, ring: Ring, reach: f32, ground: f64, disc: f64) -> Option<(Ring, (f64, f64))> {
    let mut moments = Moments::default();
    each_pixel(frame, ring, (0.0, reach), |gray, dx, dy| moments.add((gray - ground) / (disc - ground), dx, dy));
    if moments.sum.is_nan() || moments.sum <= 1.0 {
        return None;
    }
    let (x, y) = (moments.x / moments.sum, moments.y / moments.sum);
    let (xx, yy) = (moments.xx / moments.sum - x * x, moments.yy / moments.sum - y * y);
    let xy = moments.xy / moments.sum - x * y;
    let spread = ((xx - yy).powi(2) + 4.0 * xy * xy).sqrt();
    let (way, angle) = ((12.0 * spread).sqrt(), 0.5 * (2.0 * xy).atan2(xx - yy));
    let radius = (moments.sum / std::f64::consts::PI).sqrt();
    let ring = Ring { x: ring.x + x as f32, y: ring.y + y as f32, radius: radius as f32 };
    let motion = (way * angle.cos(), way * angle.sin());
    (x.hypot(y) < f64::from(reach) && radius.is_finite()).then_some((ring, motion))
}

fn mean(frame: Frame<'_>, ring: Ring, between: (f32, f32)) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    each_pixel(frame, ring, between, |gray, _, _| (sum, count) = (sum + gray, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// Passes on each pixel at a distance in `from..=to` from the circle's centre, with its position relative to the
/// centre.
fn each_pixel(frame: Frame<'_>, ring: Ring, (from, to): (f32, f32), mut take: impl FnMut(f64, f64, f64)) {
    let span = |centre: f32, end: usize| {
        let first = (centre - to).max(0.0) as usize;
        first.min(end)..((centre + to).max(-1.0) + 1.0).min(end as f32) as usize
    };
    for y in span(ring.y, frame.height) {
        let row = frame.row(y);
        for x in span(ring.x, frame.width) {
            let (dx, dy) = (x as f32 - ring.x, y as f32 - ring.y);
            let square = dx * dx + dy * dy;
            if (from * from..=to * to).contains(&square) {
                take(f64::from(row[x]), f64::from(dx), f64::from(dy));
            }
        }
    }
}
