//! The pixels around a circle's edge, sorted by direction into sectors.

use std::sync::LazyLock;

use super::{circle::Ring, frame::Frame, simd::annulus_bins};

/// Most sectors an annulus is cut into.
pub(super) const MAX_SECTORS: usize = 64;

/// Sectors end on whole vectors of this many pixels; the rest is filled up with pixels of no weight.
pub(super) const LANES: usize = 8;

/// Longest stretch of a row sorted at once, in pixels.
pub(super) const STRETCH: usize = 256;

/// Pixels whose distance from the origin lies within a band, sector by sector, counter to the hands of a clock in a
/// frame whose y points up. Lengths in pixels, relative to the origin.
#[derive(Default)]
pub(super) struct Annulus {
    /// The centre the annulus was gathered around, in the frame.
    pub(super) x: f32,
    pub(super) y: f32,
    /// Distances of the innermost and the outermost pixels.
    pub(super) inner: f32,
    pub(super) outer: f32,
    /// Sectors in use, a multiple of 16, at most [`MAX_SECTORS`].
    pub(super) sectors: usize,
    pub(super) dx: Vec<f32>,
    pub(super) dy: Vec<f32>,
    /// Intensities, in gray levels.
    pub(super) gray: Vec<f32>,
    /// 1 for a pixel, 0 for a filler.
    pub(super) weight: Vec<f32>,
    /// Where each sector begins and how many pixels it has, fillers excluded.
    starts: Vec<usize>,
    counts: Vec<usize>,
    unsorted: Unsorted,
}

/// Pixels in reading order.
#[derive(Default)]
struct Unsorted {
    dx: Vec<f32>,
    dy: Vec<f32>,
    gray: Vec<u8>,
    sector: Vec<u8>,
}

impl Annulus {
    /// Gathers the frame's pixels with a distance of `radius` ± `half_width` from the circle's centre.
    pub(super) fn gather(&mut self, frame: Frame<'_>, ring: Ring, half_width: f32, sectors: usize) {
        (self.x, self.y, self.sectors) = (ring.x, ring.y, sectors);
        (self.inner, self.outer) = ((ring.radius - half_width).max(0.0), ring.radius + half_width);
        self.unsorted.clear();
        self.counts.clear();
        self.counts.resize(sectors, 0);
        let (inner, outer) = (self.inner, self.outer);
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
        self.sort();
    }

    /// Positions of a sector in the arrays, fillers included.
    pub(super) fn span(&self, sector: usize) -> std::ops::Range<usize> {
        self.starts[sector]..self.starts[sector] + self.counts[sector].next_multiple_of(LANES)
    }

    /// Pixels in a sector.
    pub(super) fn count(&self, sector: usize) -> usize {
        self.counts[sector]
    }

    fn take(&mut self, row: &[u8], columns: std::ops::Range<usize>, dy: f32) {
        let mut from = columns.start;
        while from < columns.end {
            let n = (columns.end - from).min(STRETCH);
            let unsorted = &mut self.unsorted;
            let at = unsorted.gray.len();
            unsorted.gray.extend_from_slice(&row[from..from + n]);
            unsorted.dy.resize(at + n, dy);
            unsorted.dx.extend((from..from + n).map(|x| x as f32 - self.x));
            unsorted.sector.resize(at + n, 0);
            annulus_bins(&unsorted.dx[at..], dy, self.sectors, &mut unsorted.sector[at..]);
            for &sector in &unsorted.sector[at..] {
                self.counts[usize::from(sector)] += 1;
            }
            from += n;
        }
    }

    fn sort(&mut self) {
        self.starts.clear();
        let mut end = 0;
        for &count in &self.counts {
            self.starts.push(end);
            end += count.next_multiple_of(LANES);
        }
        for column in [&mut self.dx, &mut self.dy, &mut self.gray, &mut self.weight] {
            column.resize(end, 0.0);
        }
        let mut next = [0; MAX_SECTORS];
        next[..self.sectors].copy_from_slice(&self.starts);
        let Unsorted { dx, dy, gray, sector } = &self.unsorted;
        for (((&dx, &dy), &gray), &sector) in dx.iter().zip(dy).zip(gray).zip(sector) {
            let slot = &mut next[usize::from(sector)];
            let at = *slot;
            *slot += 1;
            self.dx[at] = dx;
            self.dy[at] = dy;
            self.gray[at] = f32::from(gray);
            self.weight[at] = 1.0;
        }
        for (sector, &from) in next[..self.sectors].iter().enumerate() {
            let to = self.starts[sector] + self.counts[sector].next_multiple_of(LANES);
            for column in [&mut self.dy, &mut self.gray, &mut self.weight] {
                column[from..to].fill(0.0);
            }
            // Fillers need a direction too.
            self.dx[from..to].fill(self.outer);
        }
    }
}

impl Unsorted {
    fn clear(&mut self) {
        self.dx.clear();
        self.dy.clear();
        self.gray.clear();
        self.sector.clear();
    }
}

/// Integers in `low..=high` that are also in `0..end`.
fn within(low: f32, high: f32, end: usize) -> std::ops::Range<usize> {
    let first = low.max(0.0).ceil() as usize;
    let past = if high < 0.0 { 0 } else { (high.floor() as usize).saturating_add(1).min(end) };
    first.min(past)..past
}

/// The sector, of `sectors`, that a direction lies in: sector k lies about the angle k / `sectors` of a turn, from the x
/// axis towards the y axis. Pixels in a row with the centre, which rounding makes alike, are in the middle of a sector.
///
/// Its borders are right to 0.3°.
#[inline(always)]
pub(super) fn sector_of(dx: f32, dy: f32, sectors: usize) -> u8 {
    let (ax, ay) = (dx.abs(), dy.abs());
    let (long, short) = (ax.max(ay), ax.min(ay));
    let ratio = short / long.max(1e-9);
    // atan to 0.004 rad.
    let angle = ratio * (std::f32::consts::FRAC_PI_4 + 0.273 * (1.0 - ratio));
    // Rounding by adding 2²³: vector code everywhere, unlike a saturating cast.
    let part = (angle * (sectors as f32 / std::f32::consts::TAU) + 8_388_608.0).to_bits() & 0xff;
    let n = sectors as u32;
    let quarter = if ay > ax { n / 4 - part } else { part };
    let half = if dx < 0.0 { n / 2 - quarter } else { quarter };
    let all = if dy < 0.0 { n - half } else { half };
    (if all == n { 0 } else { all }) as u8
}

/// Which of `directions` a sector of `sectors` belongs to.
pub(super) fn direction_index(sector: usize, sectors: usize, directions: usize) -> usize {
    (sector + sectors / directions / 2) * directions / sectors % directions
}

/// Unit vector to the middle of a sector of `sectors`, a part of [`MAX_SECTORS`].
pub(super) fn direction_of(sector: usize, sectors: usize) -> (f64, f64) {
    UNIT_VECTORS[sector * (MAX_SECTORS / sectors) % MAX_SECTORS]
}

/// Directions of [`MAX_SECTORS`] sectors.
static UNIT_VECTORS: LazyLock<[(f64, f64); MAX_SECTORS]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let (sin, cos) = (i as f64 / MAX_SECTORS as f64 * std::f64::consts::TAU).sin_cos();
        (cos, sin)
    })
});

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Centres and radii: inside, over each border, larger than a stretch of a row, without a hole.
    const RINGS: [(Ring, f32); 5] = [
        (Ring { x: 60.3, y: 41.8, radius: 20.0 }, 5.0),
        (Ring { x: 2.0, y: 75.4, radius: 20.0 }, 5.0),
        (Ring { x: 118.5, y: -3.0, radius: 30.0 }, 9.0),
        (Ring { x: 300.2, y: 40.1, radius: 290.0 }, 250.0),
        (Ring { x: 50.0, y: 40.0, radius: 4.0 }, 6.0),
    ];

    /// A frame whose pixels differ from their neighbours.
    fn gray(x: usize, y: usize) -> u8 {
        ((7 * x + 31 * y) % 256) as u8
    }

    fn gather(width: usize, ring: Ring, half_width: f32, sectors: usize) -> Annulus {
        let pixels: Vec<u8> = (0..width * 80).map(|i| gray(i % width, i / width)).collect();
        let mut annulus = Annulus::default();
        // What was there before must not show.
        annulus.gather(Frame { pixels: &pixels, width, height: 80 }, Ring { x: 30.0, y: 30.0, radius: 25.0 }, 9.0, 64);
        annulus.gather(Frame { pixels: &pixels, width, height: 80 }, ring, half_width, sectors);
        annulus
    }

    #[test]
    fn every_pixel_of_the_band_is_there_once_with_its_gray_level() {
        for (ring, half_width) in RINGS {
            let annulus = gather(600, ring, half_width, 32);
            let mut times = HashMap::new();
            for k in 0..32 {
                for i in annulus.span(k).take(annulus.count(k)) {
                    let (x, y) = (annulus.dx[i] + ring.x, annulus.dy[i] + ring.y);
                    let (x, y) = (x.round() as usize, y.round() as usize);
                    assert_eq!((annulus.gray[i], annulus.weight[i]), (f32::from(gray(x, y)), 1.0), "{x}, {y}");
                    *times.entry((x, y)).or_insert(0) += 1;
                }
            }
            for (x, y) in (0..600 * 80).map(|i| (i % 600, i / 600)) {
                let distance = (x as f32 - ring.x).hypot(y as f32 - ring.y);
                let times = times.get(&(x, y)).copied().unwrap_or(0);
                // On the very border of the band rounding decides.
                let within = (distance - ring.radius).abs() - half_width;
                assert!(times == usize::from(within < 0.0) || within.abs() < 1e-3 && times < 2, "{x}, {y}: {times}");
            }
        }
    }

    #[test]
    fn every_pixel_is_in_the_sector_of_its_direction() {
        for (ring, half_width) in RINGS {
            for sectors in [16, 32, 64] {
                let annulus = gather(600, ring, half_width, sectors);
                for k in 0..sectors {
                    let (ux, uy) = direction_of(k, sectors);
                    for i in annulus.span(k).take(annulus.count(k)) {
                        let (dx, dy) = (f64::from(annulus.dx[i]), f64::from(annulus.dy[i]));
                        let off = (ux * dy - uy * dx).atan2(ux * dx + uy * dy).abs();
                        // Half a sector, and what its border is right to. The centre has no direction.
                        let most = std::f64::consts::PI / sectors as f64 + 0.3f64.to_radians();
                        assert!(off < most || dx.hypot(dy) < 1e-6, "({dx}, {dy}) is {off} off sector {k}");
                    }
                }
            }
        }
    }

    #[test]
    fn sectors_end_on_whole_vectors_with_fillers_of_no_weight() {
        let annulus = gather(600, RINGS[0].0, RINGS[0].1, 32);
        for k in 0..32 {
            let span = annulus.span(k);
            assert_eq!((span.start % LANES, span.end % LANES), (0, 0));
            assert!(annulus.weight[span].iter().skip(annulus.count(k)).all(|&weight| weight == 0.0));
        }
    }

    #[test]
    fn finer_sectors_belong_to_the_nearest_direction() {
        for sectors in [16, 32, 64] {
            for k in 0..sectors {
                let (own, whole) = (direction_of(k, sectors), direction_of(direction_index(k, sectors, 16), 16));
                // At most half a direction: π/16.
                assert!(
                    own.0 * whole.0 + own.1 * whole.1 > (std::f64::consts::PI / 16.0).cos() - 1e-9,
                    "{k} of {sectors}"
                );
            }
        }
    }
}
