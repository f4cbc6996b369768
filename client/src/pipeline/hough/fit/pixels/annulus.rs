//! The pixels around a circle's edge, sorted by direction into sectors.

use super::band::{Band, Reach, holds};
use super::compass::Compass;
use super::rims::Rims;
use crate::pipeline::hough::fit::light::gain::Gain;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring::Ring;
use crate::pipeline::hough::sectors::{MAX_SECTORS, direction_of};

#[cfg(test)]
mod tests;

/// The number of pixels in each sector is a multiple of this. Sectors are filled up with pixels of weight 0.
pub(crate) const LANES: usize = 8;

/// Smallest fraction of an annulus that must lie in the frame for the circle to count as whole.
pub(crate) const WHOLE_SHARE: f64 = 0.9;

/// Smallest gain assumed for a pixel of the annulus, relative to the light at the centre. A surface of second order may
/// reach zero where it is extrapolated, and a pixel must not be divided by that.
const LEAST_GAIN: f32 = 0.1;

/// How far beyond an annulus the compass is prepared, for larger annuli to come, and how far before the first annulus,
/// in pixels.
const SPARE_PX: usize = 64;
const READY_PX: usize = 300;

/// The pixels whose distance from the origin lies within a band.
///
/// They are stored sector by sector, from the x axis towards the y axis, and within each sector from the inside
/// outwards. Lengths are in pixels, relative to the origin.
#[derive(Default)]
pub(crate) struct Annulus {
    /// The centre that the annulus was gathered around, in the frame.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Distance of the outermost pixels, as the mean over the directions.
    pub(crate) outer: f32,
    /// Number of pixels if the frame held all of the annulus.
    whole_px: f32,
    /// Number of sectors in use: a multiple of 16, at most [`MAX_SECTORS`].
    pub(crate) sectors: usize,
    pub(crate) dx: Vec<f32>,
    pub(crate) dy: Vec<f32>,
    /// Intensities, in gray levels.
    pub(crate) gray: Vec<f32>,
    /// 1 for a pixel, 0 for padding.
    pub(crate) weight: Vec<f32>,
    parts: Vec<Part>,
    coarse: Compass,
    fine: Compass,
}

/// A sector.
struct Part {
    /// Where the sector begins in the arrays, and how many pixels it has without padding.
    start: usize,
    count: usize,
    rims: Rims,
}

impl Annulus {
    /// Gathers the frame's pixels around a circle. Distances from the centre are rounded to whole pixels.
    pub(crate) fn gather(&mut self, frame: Frame<'_>, ring: Ring, reach: Reach, sectors: usize) {
        (self.x, self.y, self.sectors) = (ring.x, ring.y, sectors);
        let mut compass = std::mem::take(if sectors == MAX_SECTORS { &mut self.fine } else { &mut self.coarse });
        let most = (ring.radius + reach.most()).round().max(0.0) as usize;
        compass.prepare(sectors, most, most + most.min(SPARE_PX));
        let whole = holds(frame, ring, most);
        self.parts.clear();
        (self.whole_px, self.outer) = (0.0, 0.0);
        let mut at = 0;
        for k in 0..sectors {
            let band = Band::new(ring, reach.in_direction(direction_of(k, sectors)));
            let [inner, .., outer] = band.rings;
            self.whole_px += (outer * outer - inner * inner) as f32 * std::f32::consts::PI / sectors as f32;
            self.outer += outer as f32 / sectors as f32;
            self.make_room(at + compass.places(k, inner, outer).len().next_multiple_of(LANES));
            let part = match whole {
                true => self.take::<true>(frame, &compass, &band, k, at),
                false => self.take::<false>(frame, &compass, &band, k, at),
            };
            let end = at + part.count;
            at += part.count.next_multiple_of(LANES);
            self.parts.push(part);
            self.dx[end..at].fill(outer as f32);
            for column in [&mut self.dy, &mut self.gray, &mut self.weight] {
                column[end..at].fill(0.0);
            }
        }
        *(if sectors == MAX_SECTORS { &mut self.fine } else { &mut self.coarse }) = compass;
    }

    /// Prepares for circles with radii up to `largest`, in pixels, so that later calls need no preparation.
    pub(crate) fn expect(&mut self, largest: f64) {
        let reach = (largest.min(READY_PX as f64) as usize) + SPARE_PX;
        self.coarse.prepare(MAX_SECTORS / 2, reach, reach);
        self.fine.prepare(MAX_SECTORS, reach, reach);
    }

    /// Whether the frame's border cuts the circle.
    pub(crate) fn is_cut(&self) -> bool {
        self.held() < WHOLE_SHARE as f32
    }

    /// Fraction of the annulus that lies in the frame.
    fn held(&self) -> f32 {
        self.parts.iter().map(|part| part.count as f32).sum::<f32>() / self.whole_px.max(1.0)
    }

    /// Positions of a sector in the arrays, including padding.
    pub(crate) fn span(&self, sector: usize) -> std::ops::Range<usize> {
        let Part { start, count, .. } = self.parts[sector];
        start..start + count.next_multiple_of(LANES)
    }

    /// Number of pixels in a sector.
    pub(crate) fn count(&self, sector: usize) -> usize {
        self.parts[sector].count
    }

    /// Mean intensities of a sector's rims.
    pub(crate) fn rims(&self, sector: usize) -> Rims {
        self.parts[sector].rims
    }

    /// The typical rims: medians over the sectors.
    pub(crate) fn typical_rims(&self) -> Rims {
        let median = |pick: fn(&Rims) -> f32| {
            let (mut all, mut n) = ([0.0; MAX_SECTORS], 0);
            for value in self.parts.iter().map(|part| pick(&part.rims)).filter(|value| *value > 0.0) {
                (all[n], n) = (value, n + 1);
            }
            if n == 0 { 0.0 } else { *all[..n].select_nth_unstable_by(n / 2, f32::total_cmp).1 }
        };
        Rims { inside: median(|rims| rims.inside), outside: median(|rims| rims.outside) }
    }

    /// Divides the pixels by the gain of uneven light.
    pub(crate) fn divide(&mut self, gain: &Gain) {
        let (x, y) = gain.offset(self.x, self.y);
        for part in &mut self.parts {
            let pixels = part.start..part.start + part.count;
            let places = self.dx[pixels.clone()].iter().zip(&self.dy[pixels.clone()]);
            for (gray, (dx, dy)) in self.gray[pixels].iter_mut().zip(places) {
                *gray /= gain.at(x + dx, y + dy).max(LEAST_GAIN);
            }
        }
    }

    fn make_room(&mut self, end: usize) {
        if self.dx.len() < end {
            for column in [&mut self.dx, &mut self.dy, &mut self.gray, &mut self.weight] {
                column.resize(end, 0.0);
            }
        }
    }

    /// Copies a sector's pixels into the arrays, from `start` on. Pixels outside the frame are left out. If the frame
    /// is known to hold the `WHOLE` sector, the pixels are not checked.
    #[inline(always)]
    fn take<const WHOLE: bool>(
        &mut self,
        frame: Frame<'_>,
        compass: &Compass,
        band: &Band,
        sector: usize,
        start: usize,
    ) -> Part {
        let mut at = start;
        let quarters = sector / compass.quarter();
        let mut sums = [(0, 0); 3];
        for (part, sums) in sums.iter_mut().enumerate() {
            let places = compass.places(sector, band.rings[part], band.rings[part + 1]);
            let (dx, dy) = (&mut self.dx[at..at + places.len()], &mut self.dy[at..at + places.len()]);
            let (gray, weight) = (&mut self.gray[at..at + places.len()], &mut self.weight[at..at + places.len()]);
            let (mut n, mut sum) = (0, 0);
            for place in places {
                let (x, y) = place.turned(quarters);
                let Some(value) = band.pixel::<WHOLE>(frame, x, y) else { continue };
                dx[n] = x as f32 + band.off_x;
                dy[n] = y as f32 + band.off_y;
                gray[n] = f32::from(value);
                weight[n] = 1.0;
                sum += u32::from(value);
                n += 1;
            }
            *sums = (sum, n);
            at += n;
        }
        let mean = |(sum, n): (u32, usize)| sum as f32 / n.max(1) as f32;
        let rims = Rims { inside: mean(sums[0]), outside: mean(sums[2]) };
        Part { start, count: at - start, rims }
    }
}
