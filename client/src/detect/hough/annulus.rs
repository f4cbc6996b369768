//! The pixels around a circle's edge, sorted by direction into sixteen sectors.

use super::{circle::Ring, frame::Frame};

/// Sectors of 22.5°: fine enough to set an occluder or a patch of clutter apart, and still 60 pixels at radius 20.
pub(super) const SECTORS: usize = 16;

const TAN_22_5: f32 = 0.414_213_57;

/// Pixels of one sector.
#[derive(Clone, Default)]
pub(super) struct Sector {
    /// Pixel centres relative to the annulus' origin, in pixels.
    pub(super) dx: Vec<f32>,
    pub(super) dy: Vec<f32>,
    /// Intensities, in gray levels.
    pub(super) gray: Vec<f32>,
}

/// Pixels whose distance from the origin lies within a band.
#[derive(Default)]
pub(super) struct Annulus {
    pub(super) sectors: [Sector; SECTORS],
    /// Origin of the sectors' coordinates, in pixels: the centre the annulus was gathered around.
    pub(super) x: f32,
    pub(super) y: f32,
}

impl Annulus {
    /// Gathers the frame's pixels with a distance of `radius` ± `half_width` from the circle's centre.
    pub(super) fn gather(&mut self, frame: Frame<'_>, ring: Ring, half_width: f32) {
        (self.x, self.y) = (ring.x, ring.y);
        for sector in &mut self.sectors {
            sector.dx.clear();
            sector.dy.clear();
            sector.gray.clear();
        }
        let (inner, outer) = ((ring.radius - half_width).max(0.0), ring.radius + half_width);
        for y in within(ring.y - outer, ring.y + outer, frame.height) {
            let dy = y as f32 - ring.y;
            let wide = (outer * outer - dy * dy).max(0.0).sqrt();
            let hole = (inner * inner - dy * dy).max(0.0).sqrt();
            let row = frame.row(y);
            if hole > 0.0 {
                self.take(row, within(ring.x - wide, ring.x - hole, frame.width), dy);
                self.take(row, within(ring.x + hole, ring.x + wide, frame.width), dy);
            } else {
                self.take(row, within(ring.x - wide, ring.x + wide, frame.width), dy);
            }
        }
    }

    fn take(&mut self, row: &[u8], columns: std::ops::Range<usize>, dy: f32) {
        for x in columns {
            let dx = x as f32 - self.x;
            let sector = &mut self.sectors[sector_of(dx, dy)];
            sector.dx.push(dx);
            sector.dy.push(dy);
            sector.gray.push(f32::from(row[x]));
        }
    }
}

/// Integers in `low..=high` that are also in `0..end`.
fn within(low: f32, high: f32, end: usize) -> std::ops::Range<usize> {
    let first = low.max(0.0).ceil() as usize;
    let past = if high < 0.0 { 0 } else { (high.floor() as usize).saturating_add(1).min(end) };
    first.min(past)..past
}

/// The sector a direction lies in, `0..16`, in an order that serves only as a label.
pub(super) fn sector_of(dx: f32, dy: f32) -> usize {
    let (ax, ay) = (dx.abs(), dy.abs());
    let steep = ay > ax;
    let (long, short) = if steep { (ay, ax) } else { (ax, ay) };
    let oblique = short > TAN_22_5 * long;
    usize::from(dx < 0.0) | usize::from(dy < 0.0) << 1 | usize::from(steep) << 2 | usize::from(oblique) << 3
}

/// Unit vector to the middle of a sector.
pub(super) fn direction_of(sector: usize) -> (f32, f32) {
    // cos and sin of 11.25° and 33.75°.
    let (long, short) = if sector & 8 == 0 { (0.980_785_3, 0.195_090_32) } else { (0.831_469_6, 0.555_570_24) };
    let (x, y) = if sector & 4 == 0 { (long, short) } else { (short, long) };
    let flip = |bit: usize, value: f32| if sector & bit == 0 { value } else { -value };
    (flip(1, x), flip(2, y))
}
