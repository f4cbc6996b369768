//! Pictures drawn by another library: imageproc's filled circles and its Gaussian noise.

use client::pipeline::{DetectorChoice, Estimate, RadiusLimits};
use image::{GrayImage, Luma};
use imageproc::drawing::draw_filled_circle;
use imageproc::noise::gaussian_noise;
use ndarray::ArrayView2;

fn drawn(x: i32, y: i32, radius: i32) -> GrayImage {
    draw_filled_circle(&GrayImage::from_pixel(320, 240, Luma([40])), (x, y), radius, Luma([180]))
}

fn detect(picture: &GrayImage) -> Option<Estimate> {
    let (columns, rows) = picture.dimensions();
    let gray = ArrayView2::from_shape((rows as usize, columns as usize), picture.as_raw()).expect("as many bytes");
    DetectorChoice::new("hough", RadiusLimits::default()).expect("the defaults").build().detect(gray)
}

#[test]
fn an_integer_drawn_circle_has_its_centre_where_it_was_drawn() {
    for (x, y, radius) in [(100, 120, 20), (161, 77, 11), (60, 60, 37)] {
        let found = detect(&drawn(x, y, radius)).expect("a circle").circle;
        let l1 = (found.x - f64::from(x)).abs() + (found.y - f64::from(y)).abs();
        // The drawing is symmetric about its centre, so the only error left is where the fit stops, 2e-4 px.
        assert!(l1 < 0.002, "radius {radius}: {found:?}");
    }
}

#[test]
fn a_circle_is_found_in_the_librarys_noise_too() {
    for seed in 0..10 {
        let found = detect(&gaussian_noise(&drawn(150, 100, 20), 0.0, 10.0, seed)).expect("a circle").circle;
        // The bound on the centre's sigma at noise 10 and radius 20 is 0.010 px along each axis. This is the L1 of five
        // sigmas.
        assert!((found.x - 150.0).abs() + (found.y - 100.0).abs() < 0.1, "seed {seed}: {found:?}");
    }
}

#[test]
fn the_librarys_noise_alone_gives_no_circle() {
    let ground = GrayImage::from_pixel(320, 240, Luma([100]));
    for seed in 0..20 {
        assert_eq!(detect(&gaussian_noise(&ground, 0.0, 20.0, seed)), None, "seed {seed}");
    }
}
