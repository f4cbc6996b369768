//! Directions around a centre: the fine sectors that pixels are sorted into, and the coarser directions they belong to.

use std::sync::LazyLock;

/// Largest number of sectors.
pub(crate) const MAX_SECTORS: usize = 64;

/// Number of directions for which evidence is kept separately.
pub(crate) const DIRECTIONS: usize = 16;

/// Returns the sector, out of `sectors`, that a direction lies in.
///
/// Sector k is centred on the angle k / `sectors` of a turn, from the x axis towards the y axis. Pixels in the same row
/// or column as the centre, which rounding makes alike, thus lie in the middle of a sector.
///
/// The borders between sectors are accurate to 0.3°.
#[inline(always)]
pub(crate) fn sector_of(dx: f32, dy: f32, sectors: usize) -> u8 {
    let (ax, ay) = (dx.abs(), dy.abs());
    let (long, short) = (ax.max(ay), ax.min(ay));
    let ratio = short / long.max(1e-9);
    // Approximates atan to 0.004 rad.
    let angle = ratio * (std::f32::consts::FRAC_PI_4 + 0.273 * (1.0 - ratio));
    // Rounds by adding 2²³, which compiles to vector code everywhere, unlike a saturating cast.
    let part = (angle * (sectors as f32 / std::f32::consts::TAU) + 8_388_608.0).to_bits() & 0xff;
    let n = sectors as u32;
    let quarter = if ay > ax { n / 4 - part } else { part };
    let half = if dx < 0.0 { n / 2 - quarter } else { quarter };
    let all = if dy < 0.0 { n - half } else { half };
    (if all == n { 0 } else { all }) as u8
}

/// The direction, out of `directions`, that a sector of `sectors` belongs to.
pub(crate) fn direction_index(sector: usize, sectors: usize, directions: usize) -> usize {
    (sector + sectors / directions / 2) * directions / sectors % directions
}

/// Unit vector towards the middle of a sector of `sectors`, which must divide [`MAX_SECTORS`].
pub(crate) fn direction_of(sector: usize, sectors: usize) -> (f64, f64) {
    UNIT_VECTORS[sector * (MAX_SECTORS / sectors) % MAX_SECTORS]
}

/// Unit vectors towards [`MAX_SECTORS`] sectors.
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
