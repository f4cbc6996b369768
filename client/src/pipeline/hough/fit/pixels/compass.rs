//! The offsets of pixels around a centre, sorted by direction and distance, so that a ring is read in order.

use crate::pipeline::hough::sectors::MAX_SECTORS;

/// Offsets of pixels from a middle pixel, for one number of sectors: sector by sector, nearest first.
///
/// Sector k is centred on the angle k / sectors of a turn, from the x axis towards the y axis, so pixels on an axis are
/// in the middle of a sector. Only the first quarter is stored. The other offsets follow by rotation: a quarter turn
/// maps (x, y) to (-y, x), and sector k to sector k + sectors / 4.
#[derive(Default)]
pub(crate) struct Compass {
    sectors: usize,
    reach: usize,
    places: Vec<Place>,
    /// For each sector of the quarter and each whole distance, the number of offsets stored before it.
    starts: Vec<u32>,
}

/// An offset, in pixels.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) x: i16,
    pub(crate) y: i16,
}

impl Place {
    /// Rotates the offset by `quarters` of a turn, from the x axis towards the y axis.
    #[inline(always)]
    pub(crate) fn turned(self, quarters: usize) -> (i32, i32) {
        let (x, y) = (i32::from(self.x), i32::from(self.y));
        match quarters {
            0 => (x, y),
            1 => (-y, x),
            2 => (-x, -y),
            _ => (y, -x),
        }
    }
}

impl Compass {
    /// Prepares the offsets of `sectors`, a multiple of four, for distances below `least` pixels. Does nothing if they
    /// are ready. Otherwise it prepares distances below `reach`, which takes four bytes per pixel of a quarter: 100 kB
    /// for 180 px.
    pub(crate) fn prepare(&mut self, sectors: usize, least: usize, reach: usize) {
        let sectors = sectors.clamp(4, MAX_SECTORS);
        if self.sectors == sectors && self.reach >= least.min(i16::MAX as usize) {
            return;
        }
        // Offsets have 16 bits. Longer ones would lie outside the frame.
        let reach = reach.min(i16::MAX as usize);
        (self.sectors, self.reach) = (sectors, reach);
        self.sort();
    }

    /// Offsets of a sector at distances of `from..to` whole pixels. The caller rotates them to the sector's quarter.
    pub(crate) fn places(&self, sector: usize, from: usize, to: usize) -> &[Place] {
        let ring = |distance: usize| {
            let at = sector % self.quarter() * (self.reach + 1) + distance.min(self.reach);
            self.starts[at] as usize
        };
        &self.places[ring(from)..ring(to).max(ring(from))]
    }

    /// Number of sectors in a quarter.
    pub(crate) fn quarter(&self) -> usize {
        self.sectors / 4
    }

    /// A counting sort: one pass to count, one to place. Offsets at the same whole distance stay in reading order.
    fn sort(&mut self) {
        let slots = self.quarter() * (self.reach + 1);
        self.starts.clear();
        self.starts.resize(slots + 1, 0);
        let (sectors, reach) = (self.sectors, self.reach);
        each_place(sectors, reach, |slot, _| self.starts[slot + 1] += 1);
        for slot in 0..slots {
            self.starts[slot + 1] += self.starts[slot];
        }
        self.places.clear();
        self.places.resize(self.starts[slots] as usize, Place { x: 0, y: 0 });
        let mut next = self.starts.clone();
        each_place(sectors, reach, |slot, place| {
            self.places[next[slot] as usize] = place;
            next[slot] += 1;
        });
    }
}

/// Calls `take` with every offset of the first quarter except the middle, and with its slot: sector, then distance.
fn each_place(sectors: usize, reach: usize, mut take: impl FnMut(usize, Place)) {
    let most = reach as i32;
    let sector_angle = std::f64::consts::TAU / sectors as f64;
    for y in -most..=most {
        for x in 0..=most {
            let distance = f64::from(x * x + y * y).sqrt() as usize;
            let sector = (f64::from(y).atan2(f64::from(x)) / sector_angle + 0.5).floor();
            if (1..reach).contains(&distance) && (0.0..sectors as f64 / 4.0).contains(&sector) {
                take(sector as usize * (reach + 1) + distance, Place { x: x as i16, y: y as i16 });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_pixel_appears_once_in_the_sector_of_its_direction() {
        for sectors in [16, 32, 64] {
            let mut compass = Compass::default();
            compass.prepare(sectors, 20, 25);
            let mut seen = BTreeSet::new();
            for k in 0..sectors {
                for distance in 0..25 {
                    for place in compass.places(k, distance, distance + 1) {
                        let (x, y) = place.turned(k / compass.quarter());
                        assert!(seen.insert((x, y)), "({x}, {y}) is given twice");
                        let (x, y) = (f64::from(x), f64::from(y));
                        assert_eq!(x.hypot(y) as usize, distance, "({x}, {y})");
                        let turn = std::f64::consts::TAU;
                        let off = (y.atan2(x) / turn - k as f64 / sectors as f64 + 1.5).rem_euclid(1.0) - 0.5;
                        assert!(off.abs() <= 0.5 / sectors as f64 + 1e-9, "({x}, {y}) in sector {k} of {sectors}");
                    }
                }
            }
            let around = (-25i32..=25).flat_map(|y| (-25..=25).map(move |x| (x, y)));
            let expected: BTreeSet<_> = around.filter(|(x, y)| (1..625).contains(&(x * x + y * y))).collect();
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn there_are_no_offsets_beyond_the_reach() {
        let mut compass = Compass::default();
        compass.prepare(32, 10, 10);
        assert!(compass.places(3, 10, 50).is_empty());
        assert!(compass.places(3, 7, 5).is_empty());
        compass.prepare(32, 12, 20);
        assert!(!compass.places(3, 10, 50).is_empty());
    }
}
