//! How much of a disc another disc covers.

use std::f64::consts::PI;

use shared::geometry::Circle;

/// Area of the intersection of two discs as a share of the smaller one's area, from 0 to 1.
///
/// With radii r ≤ R and the centres d apart, r + R > d > R − r, the intersection is a lens of the area
///
/// ```text
/// r² acos((d² + r² − R²) / 2dr) + R² acos((d² + R² − r²) / 2dR) − ½ √((r + R − d)(d + r − R)(d − r + R)(d + r + R))
/// ```
///
/// (Weisstein, Circle-Circle Intersection, MathWorld, eq. 14.)
pub(super) fn overlap(one: Circle, other: Circle) -> f64 {
    let (x, y) = (one.x - other.x, one.y - other.y);
    let distance = (x * x + y * y).sqrt();
    let (small, large) = (one.radius.min(other.radius), one.radius.max(other.radius));
    if distance >= small + large {
        return 0.0;
    }
    if distance <= large - small {
        return 1.0;
    }
    let sector = |radius: f64, partner: f64| {
        let cosine = (distance * distance + radius * radius - partner * partner) / (2.0 * distance * radius);
        radius * radius * libm::acos(cosine.clamp(-1.0, 1.0))
    };
    let kite = (small + large - distance)
        * (distance + small - large)
        * (distance - small + large)
        * (distance + small + large);
    let lens = sector(small, large) + sector(large, small) - kite.max(0.0).sqrt() / 2.0;
    (lens / (PI * small * small)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn disc(x: f64, radius: f64) -> Circle {
        Circle { x, y: 0.0, radius }
    }

    #[test]
    fn separate_discs_share_nothing_and_a_disc_inside_another_is_covered() {
        assert_eq!(overlap(disc(0.0, 10.0), disc(30.0, 20.0)), 0.0);
        assert_eq!(overlap(disc(0.0, 10.0), disc(10.0, 20.0)), 1.0);
        assert_eq!(overlap(disc(5.0, 10.0), disc(5.0, 10.0)), 1.0);
    }

    #[test]
    fn two_equal_discs_a_radius_apart_share_the_known_lens() {
        // ⅔ − √3 / 2π, the vesica piscis over the disc.
        let share = overlap(disc(0.0, 10.0), disc(10.0, 10.0));
        assert!((share - (2.0 / 3.0 - 3.0_f64.sqrt() / (2.0 * PI))).abs() < 1e-12, "{share}");
    }

    proptest! {
        #[test]
        fn the_share_agrees_with_counting_points(
            (x, y) in (-30.0..30.0, -30.0..30.0),
            (small, large) in (2.0..20.0, 2.0..20.0),
        ) {
            let (one, other) = (Circle { x, y, radius: small }, disc(0.0, large));
            let least = if small <= large { one } else { other };
            const N: i32 = 200;
            let point = |i: i32| (f64::from(i) + 0.5) / f64::from(N) * 2.0 - 1.0;
            let inside = |circle: Circle, x: f64, y: f64| (x - circle.x).hypot(y - circle.y) <= circle.radius;
            let points = (0..N * N).map(|i| (least.x + least.radius * point(i % N), least.y + least.radius * point(i / N)));
            let both = points.filter(|&(x, y)| inside(one, x, y) && inside(other, x, y)).count() as f64;
            let counted = both * 4.0 / PI / f64::from(N * N);
            // The outline of the lens crosses fewer than 8 N of the N² cells. At most half of those are miscounted, at
            // random, so the error is far below 4 / N.
            prop_assert!((overlap(one, other) - counted).abs() < 4.0 / f64::from(N));
        }
    }
}
