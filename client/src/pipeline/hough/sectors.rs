//! Directions around a centre: the sectors that pixels are sorted into, and the directions that those belong to.

use std::sync::LazyLock;

/// Most sectors that are told apart.
pub(crate) const MAX_SECTORS: usize = 64;

/// Directions the evidence is told apart by.
pub(crate) const DIRECTIONS: usize = 16;

/// The sector, of `sectors`, that a direction lies in: sector k lies about the angle k / `sectors` of a turn, from the x
/// axis towards the y axis. Pixels in a row with the centre, which rounding makes alike, are in the middle of a sector.
///
/// Its borders are right to 0.3°.
#[inline(always)]
pub(crate) fn sector_of(dx: f32, dy: f32, sectors: usize) -> u8 {
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
pub(crate) fn direction_index(sector: usize, sectors: usize, directions: usize) -> usize {
    (sector + sectors / directions / 2) * directions / sectors % directions
}

/// Unit vector to the middle of a sector of `sectors`, a part of [`MAX_SECTORS`].
pub(crate) fn direction_of(sector: usize, sectors: usize) -> (f64, f64) {
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
    use super::*;

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
