//! The pixels around a circle's edge, sorted by direction into sectors.

use super::compass::Compass;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring::Ring;
use crate::pipeline::hough::sectors::{MAX_SECTORS, direction_of};

/// Sectors end on whole vectors of this many pixels; the rest is filled up with pixels of no weight.
pub(crate) const LANES: usize = 8;

/// What is made ready beyond the annulus, for larger ones to come, and before the first, in pixels.
const SPARE_PX: usize = 64;
const READY_PX: usize = 300;

/// Width of a band's rims, which show nothing but disc and ground, in pixels.
const RIM_PX: usize = 2;

/// Pixels whose distance from the origin lies within a band, sector by sector, counter to the hands of a clock in a
/// frame whose y points up, and in each from within outwards. Lengths in pixels, relative to the origin.
#[derive(Default)]
pub(crate) struct Annulus {
    /// The centre the annulus was gathered around, in the frame.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Distance of the outermost pixels, the mean over the directions.
    pub(crate) outer: f32,
    /// Pixels it has where the frame holds all of it.
    whole_px: f32,
    /// Sectors in use, a multiple of 16, at most [`MAX_SECTORS`].
    pub(crate) sectors: usize,
    pub(crate) dx: Vec<f32>,
    pub(crate) dy: Vec<f32>,
    /// Intensities, in gray levels.
    pub(crate) gray: Vec<f32>,
    /// 1 for a pixel, 0 for a filler.
    pub(crate) weight: Vec<f32>,
    parts: Vec<Part>,
    coarse: Compass,
    fine: Compass,
}

/// How far an annulus reaches to both sides of its circle, in pixels: evenly, and by half of a way in its directions.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    pub(crate) even: f32,
    pub(crate) way: (f32, f32),
}

impl Reach {
    fn most(self) -> f32 {
        self.even + 0.5 * self.way.0.hypot(self.way.1)
    }

    fn in_direction(self, (x, y): (f64, f64)) -> f32 {
        self.even + 0.5 * (self.way.0 * x as f32 + self.way.1 * y as f32).abs()
    }
}

/// A sector.
struct Part {
    /// Where it begins in the arrays, and how many pixels it has, fillers excluded.
    start: usize,
    count: usize,
    rims: Rims,
}

/// Mean intensities of a sector's innermost and outermost pixels, 0 of none, in gray levels.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rims {
    pub(crate) inside: f32,
    pub(crate) outside: f32,
}

impl Annulus {
    /// Gathers the frame's pixels around a circle, to whole pixels of their distance from its centre.
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

    /// Makes ready for circles of radii up to `largest`, in pixels, so that later ones find everything there.
    pub(crate) fn expect(&mut self, largest: f64) {
        let reach = (largest.min(READY_PX as f64) as usize) + SPARE_PX;
        self.coarse.prepare(MAX_SECTORS / 2, reach, reach);
        self.fine.prepare(MAX_SECTORS, reach, reach);
    }

    /// Part of the annulus that the frame holds.
    pub(crate) fn held(&self) -> f32 {
        self.parts.iter().map(|part| part.count as f32).sum::<f32>() / self.whole_px.max(1.0)
    }

    /// Positions of a sector in the arrays, fillers included.
    pub(crate) fn span(&self, sector: usize) -> std::ops::Range<usize> {
        let Part { start, count, .. } = self.parts[sector];
        start..start + count.next_multiple_of(LANES)
    }

    /// Pixels in a sector.
    pub(crate) fn count(&self, sector: usize) -> usize {
        self.parts[sector].count
    }

    /// Mean intensities of a sector's rims.
    pub(crate) fn rims(&self, sector: usize) -> Rims {
        self.parts[sector].rims
    }

    fn make_room(&mut self, end: usize) {
        if self.dx.len() < end {
            for column in [&mut self.dx, &mut self.dy, &mut self.gray, &mut self.weight] {
                column.resize(end, 0.0);
            }
        }
    }

    /// Takes the pixels of a sector, those in the frame unless it is known to hold all; which begins at `start`.
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

/// A ring of whole pixels around one.
struct Band {
    x: i32,
    y: i32,
    /// From the circle's centre to the middle of the pixel it is on.
    off_x: f32,
    off_y: f32,
    /// Distances at which it begins, its inner rim ends, its outer rim begins, and it ends.
    rings: [usize; 4],
}

impl Band {
    fn new(ring: Ring, half_width: f32) -> Self {
        // Distances are counted from the pixel the centre is on.
        let (x, y) = (ring.x.round(), ring.y.round());
        let inner = (ring.radius - half_width).round().max(0.0) as usize;
        let outer = ((ring.radius + half_width).round().max(0.0) as usize).max(inner);
        let rims = (inner + RIM_PX).min(outer)..outer.saturating_sub(RIM_PX).max(inner);
        Self {
            x: x as i32,
            y: y as i32,
            off_x: x - ring.x,
            off_y: y - ring.y,
            rings: [inner, rims.start, rims.end.max(rims.start), outer],
        }
    }

    #[inline(always)]
    fn pixel<const WHOLE: bool>(&self, frame: Frame<'_>, x: i32, y: i32) -> Option<u8> {
        let (x, y) = (self.x + x, self.y + y);
        let (column, row) = (x as usize, y as usize);
        // Negative numbers become huge ones.
        (WHOLE || column < frame.width && row < frame.height).then(|| frame.pixels[row * frame.width + column])
    }
}

/// Whether a frame holds all pixels up to a distance from a circle's centre.
fn holds(frame: Frame<'_>, ring: Ring, reach: usize) -> bool {
    let (x, y, reach) = (ring.x.round() as i32, ring.y.round() as i32, reach as i32);
    let fits = |at: i32, length: usize| at >= reach && at + reach < length as i32;
    fits(x, frame.width) && fits(y, frame.height)
}

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

    fn even(even: f32) -> Reach {
        Reach { even, way: (0.0, 0.0) }
    }

    /// A frame whose pixels differ from their neighbours.
    fn gray(x: usize, y: usize) -> u8 {
        ((7 * x + 31 * y) % 256) as u8
    }

    fn gather(width: usize, ring: Ring, half_width: f32, sectors: usize) -> Annulus {
        let pixels: Vec<u8> = (0..width * 80).map(|i| gray(i % width, i / width)).collect();
        let mut annulus = Annulus::default();
        // What was there before must not show.
        let frame = Frame { pixels: &pixels, width, height: 80 };
        annulus.gather(frame, Ring { x: 30.0, y: 30.0, radius: 25.0 }, even(9.0), 64);
        annulus.gather(frame, ring, even(half_width), sectors);
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
                    *times.entry((x, y)).or_insert(0u32) += 1;
                }
            }
            let (inner, outer) = ((ring.radius - half_width).round().max(0.0), (ring.radius + half_width).round());
            for (x, y) in (0..600 * 80).map(|i| (i % 600, i / 600)) {
                let distance = (x as f32 - ring.x.round()).hypot(y as f32 - ring.y.round()).floor();
                let times = times.get(&(x, y)).copied().unwrap_or(0);
                // The pixel in the middle has no direction.
                let expected = distance >= inner.max(1.0) && distance < outer;
                assert_eq!(times, u32::from(expected), "{x}, {y} of {ring:?}");
            }
        }
    }

    #[test]
    fn the_part_that_the_frame_holds_is_known() {
        let inside = gather(600, RINGS[0].0, RINGS[0].1, 32);
        // Pixels against the area of a ring.
        assert!((inside.held() - 1.0).abs() < 0.05, "{}", inside.held());
        let half = gather(600, Ring { x: 0.0, y: 40.0, radius: 30.0 }, 5.0, 32);
        assert!((half.held() - 0.5).abs() < 0.05, "{}", half.held());
    }

    #[test]
    fn an_annulus_reaches_further_along_a_way() {
        let pixels: Vec<u8> = (0..200 * 200).map(|i| gray(i % 200, i / 200)).collect();
        let frame = Frame { pixels: &pixels, width: 200, height: 200 };
        let (ring, reach) = (Ring { x: 100.2, y: 99.7, radius: 40.0 }, Reach { even: 5.0, way: (12.0, 0.0) });
        let mut annulus = Annulus::default();
        annulus.gather(frame, ring, reach, 32);
        let furthest = |k: usize| {
            let distance = |i: usize| annulus.dx[i].hypot(annulus.dy[i]);
            annulus.span(k).take(annulus.count(k)).map(distance).fold(0.0, f32::max)
        };
        // Whole pixels, counted from the pixel the centre is on.
        assert!((furthest(0) - 51.0).abs() < 1.5, "{}", furthest(0));
        assert!((furthest(8) - 45.0).abs() < 1.5, "{}", furthest(8));
    }

    #[test]
    fn rims_are_the_means_of_disc_and_ground() {
        let ring = Ring { x: 100.3, y: 99.6, radius: 40.0 };
        let level = |x: usize, y: usize| {
            if (x as f32 - ring.x).hypot(y as f32 - ring.y) < ring.radius { 170 } else { 60 }
        };
        let pixels: Vec<u8> = (0..200 * 200).map(|i| level(i % 200, i / 200)).collect();
        let mut annulus = Annulus::default();
        annulus.gather(Frame { pixels: &pixels, width: 200, height: 200 }, ring, even(4.0), 32);
        for Rims { inside, outside } in (0..32).map(|k| annulus.rims(k)) {
            assert_eq!((inside, outside), (170.0, 60.0));
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
                        // Half a sector, as seen from the middle of the pixel that the centre is on.
                        let most = std::f64::consts::PI / sectors as f64 + (0.71 / dx.hypot(dy)).min(1.0).asin();
                        assert!(off <= most, "({dx}, {dy}) is {off} off sector {k}");
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
}
