//! Compares annuli with a check of every pixel of the frame.

use std::collections::HashMap;

use super::*;

/// Rings and half widths of annuli: inside the frame; across its left and bottom border; across its top border; wider
/// than the frame is high; without a hole.
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

/// A frame in which neighbouring pixels differ.
fn gray(x: usize, y: usize) -> u8 {
    ((7 * x + 31 * y) % 256) as u8
}

fn gather(width: usize, ring: Ring, half_width: f32, sectors: usize) -> Annulus {
    let pixels: Vec<u8> = (0..width * 80).map(|i| gray(i % width, i / width)).collect();
    let mut annulus = Annulus::default();
    // Old contents must not remain.
    let frame = Frame { pixels: &pixels, width, height: 80 };
    annulus.gather(frame, Ring { x: 30.0, y: 30.0, radius: 25.0 }, even(9.0), 64);
    annulus.gather(frame, ring, even(half_width), sectors);
    annulus
}

#[test]
fn every_pixel_of_the_band_appears_once_with_its_gray_level() {
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
            // The middle pixel has no direction.
            let expected = distance >= inner.max(1.0) && distance < outer;
            assert_eq!(times, u32::from(expected), "{x}, {y} of {ring:?}");
        }
    }
}

#[test]
fn held_is_the_share_of_the_annulus_inside_the_frame() {
    let inside = gather(600, RINGS[0].0, RINGS[0].1, 32);
    // Compares the number of pixels with the area of a ring.
    assert!((inside.held() - 1.0).abs() < 0.05, "{}", inside.held());
    let half = gather(600, Ring { x: 0.0, y: 40.0, radius: 30.0 }, 5.0, 32);
    assert!((half.held() - 0.5).abs() < 0.05, "{}", half.held());
}

#[test]
fn an_annulus_reaches_further_along_the_motion() {
    let pixels: Vec<u8> = (0..200 * 200).map(|i| gray(i % 200, i / 200)).collect();
    let frame = Frame { pixels: &pixels, width: 200, height: 200 };
    let (ring, reach) = (Ring { x: 100.2, y: 99.7, radius: 40.0 }, Reach { even: 5.0, way: (12.0, 0.0) });
    let mut annulus = Annulus::default();
    annulus.gather(frame, ring, reach, 32);
    let furthest = |k: usize| {
        let distance = |i: usize| annulus.dx[i].hypot(annulus.dy[i]);
        annulus.span(k).take(annulus.count(k)).map(distance).fold(0.0, f32::max)
    };
    // Whole pixels, measured from the pixel that the centre is on.
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
