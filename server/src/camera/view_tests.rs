//! Frames, truths and limits of a ball that is seen through a lens, against a slow `reference`.

use std::f64::consts::PI;

use proptest::prelude::*;
use shared::lens::{Distortion, Form, Map};

use super::*;
use crate::scene::{Path, Radii};
use crate::source::{BallScene, Motion};
use crate::truth::{Projected, Truth};

mod limits;
mod reference;
mod rows;

use reference::{CASES, Case, ball};

const SIZE: Size = Size { width: 96, height: 80 };
const NOISE: f64 = 4.0;

fn camera(config: &CameraConfig) -> Camera {
    Camera::new(SIZE, PixelFormat::Gray8, config, false, 5).expect("a possible camera")
}

fn projected(camera: &Camera, ball: Circle) -> (Circle, Projected) {
    match camera.truth(ball, 0, Limit::Unknown) {
        Truth::Projected { circle, projected, .. } => (circle, projected),
        other => panic!("{other:?} is not seen through a lens"),
    }
}

#[test]
fn frames_agree_with_rays_through_the_lens() {
    for case in CASES {
        let mut camera = camera(&case.config(TruthPoint::Centre, 0.0));
        let picture = camera.render(&case.shot(), 3);
        for (index, (byte, cover)) in picture.image.bytes().iter().zip(case.cover(case.ball, 100)).enumerate() {
            // Rounding, and half a row of 100 points times the contrast.
            let light = 40.0 + 140.0 * cover;
            assert!((f64::from(*byte) - light).abs() < 0.5 + 0.7 + 0.05, "{case:?}, pixel {index}: {byte}, {light}");
        }
    }
}

#[test]
fn the_truth_has_the_image_of_the_centre_and_the_centroid_and_the_scored_one_is_chosen() {
    for case in CASES {
        let cameras = [TruthPoint::Centre, TruthPoint::Centroid].map(|point| camera(&case.config(point, 0.0)));
        let [(by_centre, seen), (by_centroid, same)] = cameras.each_ref().map(|camera| projected(camera, case.ball));
        assert_eq!((seen, seen.plane), (same, case.ball));
        assert_eq!(((by_centre.x, by_centre.y), (by_centroid.x, by_centroid.y)), (seen.centre, seen.centroid));
        let [u, v] = case.centroid(case.ball);
        // The points are 1/25 px apart. The errors of some 2,000 points at the rim average out to a thousandth of a px.
        assert!((seen.centroid.0 - u).hypot(seen.centroid.1 - v) < 2e-3, "{case:?}: {seen:?}, ({u}, {v})");
        // The ray through the image of the centre meets the centre: it hits a ball of a thousandth of a px there.
        let small = Circle { radius: 1e-3, ..case.ball };
        assert!(case.meets(small)(seen.centre.0, seen.centre.1), "{case:?}");
        let area: f64 = case.cover(case.ball, 40).iter().sum();
        assert!((PI * by_centre.radius.powi(2) / area - 1.0).abs() < 2e-3, "{case:?}");
    }
}

#[test]
fn the_centroid_is_a_third_of_a_px_off_the_centre_under_45_degrees() {
    let size = Size { width: 640, height: 480 };
    let lens = LensConfig { focal: Focal::new(600.0, 600.0), pose: "45,0,0".parse().ok(), ..LensConfig::default() };
    let config = CameraConfig { lens, ..CameraConfig::default() };
    let mut camera = Camera::new(size, PixelFormat::Gray8, &config, false, 5).expect("a possible camera");
    let ball = Circle { x: 319.5, y: 239.5, radius: 20.0 };
    let (_, seen) = projected(&camera, ball);
    let off = (seen.centroid.0 - seen.centre.0).hypot(seen.centroid.1 - seen.centre.1);
    assert!((off - 0.33).abs() < 0.01, "{off} px");
    // The light of the frame has that centroid.
    let shot = Shot { radius: 20.0, path: Path::resting((ball.x, ball.y)) };
    let bytes = camera.render(&shot, 0).image.bytes();
    let (mut all, mut sum) = (0.0, [0.0; 2]);
    for (index, byte) in bytes.iter().enumerate() {
        let weight = f64::from(*byte) - 40.0;
        (all, sum) = (all + weight, [sum[0] + weight * (index % 640) as f64, sum[1] + weight * (index / 640) as f64]);
    }
    // Rounding of some 150 pixels of the rim.
    assert!((sum[0] / all - seen.centroid.0).abs() < 1e-3 && (sum[1] / all - seen.centroid.1).abs() < 1e-3, "{seen:?}");
}

/// The centre that the exact formulas derive from the centroid of a frame's light, and the distance of this centroid
/// from the image of the centre.
fn corrected(lens: LensConfig, map: &Map, ball: Circle) -> ([f64; 2], f64) {
    let size = Size { width: 640, height: 480 };
    let solid = lens.solid();
    let config = CameraConfig { lens, ..CameraConfig::default() };
    let mut camera = Camera::new(size, PixelFormat::Gray8, &config, false, 5).expect("a possible camera");
    let shot = Shot { radius: ball.radius, path: Path::resting((ball.x, ball.y)) };
    let (mut all, mut sum) = (0.0, [0.0; 2]);
    for (index, byte) in camera.render(&shot, 0).image.bytes().iter().enumerate() {
        let weight = f64::from(*byte) - 40.0;
        (all, sum) = (all + weight, [sum[0] + weight * (index % 640) as f64, sum[1] + weight * (index / 640) as f64]);
    }
    let light = sum.map(|sum| sum / all);
    let centre = map.forward([ball.x, ball.y]).expect("an image");
    let back = map.back_from_centroid_of(solid, light, ball.radius).expect("a centre");
    (back, (light[0] - centre[0]).hypot(light[1] - centre[1]))
}

#[test]
fn the_exact_formulas_take_the_bias_of_the_centre_back_to_a_thousandth_of_a_px() {
    // The camera of `server calibrate`: focal lengths, centre, k1, a rotation vector, and where the plane's origin is.
    let camera = |k1: f64, tilt: f64| {
        let (sin, cos) = tilt.to_radians().sin_cos();
        let origin = [-319.5, -239.5 * cos, 600.0 - 239.5 * sin];
        let [x, y, z] = origin;
        Form::Camera(Distortion::Brown(1)).map(&[600.0, 600.0, 319.5, 239.5, k1, tilt.to_radians(), 0.0, 0.0, x, y, z])
    };
    let lens = LensConfig { focal: Focal::new(600.0, 600.0), ..LensConfig::default() };
    let tilted = LensConfig { pose: "45,0,0".parse().ok(), ..lens };
    let bent = LensConfig { distortion: "plumb_bob:-0.3".parse().ok(), ..lens };
    let sphere = LensConfig { target: Some(Body::Sphere), ..lens };
    let off_axis = 319.5 + 600.0 * 20.0_f64.to_radians().tan();
    let cases = [
        (tilted, camera(0.0, 45.0), ball(319.5, 239.5, 20.0), 0.3),
        (tilted, camera(0.0, 45.0), ball(402.3, 180.9, 20.0), 0.3),
        (bent, camera(-0.3, 0.0), ball(540.2, 310.4, 20.0), 0.15),
        (sphere, camera(0.0, 0.0), ball(off_axis, 239.5, 20.0), 0.2),
    ];
    for (lens, map, ball, raw) in cases {
        let ([x, y], off) = corrected(lens, &map, ball);
        assert!(off > raw, "{lens:?}: {off} px without the correction");
        // Rounding of some 150 pixels of the rim leaves 3e-4 px.
        assert!((x - ball.x).hypot(y - ball.y) < 1e-3, "{lens:?}: ({x}, {y}), not {ball:?}");
    }
}

#[test]
fn an_ideal_lens_shows_what_a_camera_without_one_shows() {
    let scene = |lens| BallScene {
        ball: crate::scene::BallConfig {
            size: SIZE,
            radius: Radii { min: 6.0, max: 15.0 },
            speed_px_s: 200.0,
            step_s: 1.0 / 60.0,
            border: false,
        },
        motion: Motion::Bouncing,
        camera: CameraConfig { lens, exposure: 0.5, noise: 2.0, ..CameraConfig::default() },
        pixel: PixelFormat::Gray8,
        seed: 3,
    };
    let plain = LensConfig::default();
    let ideal = LensConfig { focal: Focal::new(100.0, 100.0), ..plain };
    let mut sources = [plain, ideal].map(|lens| scene(lens).source().expect("a possible scene"));
    for index in 0..20 {
        let [expected, found] = sources.each_mut().map(|source| {
            let frame = source.frame(index);
            (frame.image.clone(), frame.truth.ball().expect("a ball"))
        });
        let apart = expected.0.bytes().iter().zip(found.0.bytes()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(apart <= Some(1), "frame {index}: {apart:?}");
        let ((circle, limit), (seen, own)) = (expected.1, found.1);
        assert!((circle.x - seen.x).hypot(circle.y - seen.y) < 1e-9, "frame {index}");
        let ratio = own.px().expect("a limit") / limit.px().expect("a limit");
        // The polygon's sides follow the rim to 2e-4 px.
        assert!((ratio - 1.0).abs() < 1e-3, "frame {index}: {ratio}");
    }
}

#[test]
fn a_lens_works_with_every_effect_that_it_does_not_refuse() {
    for case in CASES {
        let config = CameraConfig {
            background: Background::Clutter,
            occlude: true,
            blur: 1.2,
            exposure: 0.5,
            shot_noise: 0.3,
            gamma: 2.2,
            vignette: 0.3,
            ..case.config(TruthPoint::Centroid, 2.0)
        };
        let mut camera = camera(&config);
        let path = Path::straight((case.ball.x, case.ball.y), (120.0, 60.0), 1.0 / 60.0);
        let moving = Shot { radius: case.ball.radius, path };
        let first = camera.render(&moving, 8).image.clone();
        camera.render(&case.shot(), 9);
        let again = camera.render(&moving, 8);
        assert_eq!(*again.image, first);
        assert!(matches!(again.ball, Some((_, Limit::Bound(px))) if px > 0.0 && px < 5.0), "{:?}", again.ball);
    }
}

#[test]
fn an_exposure_through_a_lens_is_the_average_over_its_moments() {
    let case = CASES[1];
    let config = CameraConfig { exposure: 1.0, ..case.config(TruthPoint::Centre, 0.0) };
    let path = Path::straight((case.ball.x, case.ball.y), (400.0, -300.0), 1.0 / 60.0);
    let mut sums = vec![0.0; SIZE.pixels()];
    let moments = path.places(60);
    for &(x, y) in &moments {
        let cover = case.cover(Circle { x, y, ..case.ball }, 16);
        sums.iter_mut().zip(cover).for_each(|(sum, cover)| *sum += cover / 60.0);
    }
    let mut camera = camera(&config);
    let picture = camera.render(&Shot { radius: case.ball.radius, path }, 0);
    for (index, (byte, cover)) in picture.image.bytes().iter().zip(sums).enumerate() {
        // Rounding; 60 moments 0.14 px apart, of 16 rows of points each, leave less than half a level.
        let light = 40.0 + 140.0 * cover;
        assert!((f64::from(*byte) - light).abs() < 0.5 + 0.6, "pixel {index}: {byte}, {light}");
    }
}

#[test]
fn poses_are_drawn_from_the_seed_and_shown_in_turn_with_the_ball_in_the_picture() {
    let lens = LensConfig { focal: Focal::new(110.0, 110.0), poses: Some(5), ..LensConfig::default() };
    let ball = BallConfig { size: SIZE, radius: Radii::one(8.0), speed_px_s: 300.0, step_s: 1.0 / 60.0, border: false };
    let scene = |seed| {
        let camera = CameraConfig { lens, ..CameraConfig::default() };
        BallScene { ball, motion: Motion::Bouncing, camera, pixel: PixelFormat::Gray8, seed }
    };
    let mut source = scene(7).source().expect("a possible scene");
    let mut maps = Vec::new();
    for index in 0..60 {
        let frame = source.frame(index);
        let Truth::Projected { circle, projected, .. } = frame.truth else { panic!("{:?}", frame.truth) };
        assert_eq!(u64::from(projected.pose), index % 5 + 1);
        let inside = |at: f64, side: u32| at >= 0.4 * circle.radius && at <= f64::from(side) - 0.4 * circle.radius;
        assert!(inside(circle.x, SIZE.width) && inside(circle.y, SIZE.height), "{circle:?}");
        // A pose enlarges places by a factor of its own.
        if index < 5 {
            maps.push(circle.radius / projected.plane.radius);
        }
    }
    assert!(maps.windows(2).all(|pair| (pair[0] - pair[1]).abs() > 1e-3), "{maps:?}");
    let image = |seed| scene(seed).source().expect("a possible scene").frame(3).image.clone();
    assert!(image(7) == image(7) && image(7) != image(8));
}

#[test]
fn a_ball_at_the_walls_of_its_room_has_a_truth_even_if_the_plane_goes_on_behind_the_camera() {
    let size = Size { width: 64, height: 48 };
    let lens = LensConfig { focal: Focal::new(10.0, 10.0), pose: "0,80,0,30".parse().ok(), ..LensConfig::default() };
    let view = View::new(&lens, size, &Random::new(3)).expect("a lens");
    let room = view.room(8.0, true).expect("a room");
    let (left, top) = view.offset(room);
    for share in (0..=64).map(|place| f64::from(place) / 64.0) {
        let [along, down] = [room.width, room.height].map(|side| share * f64::from(side) - 0.5);
        for (x, y) in
            [(-0.5, down), (f64::from(room.width) - 0.5, down), (along, -0.5), (along, f64::from(room.height) - 0.5)]
        {
            let ball = Circle { x: left + x, y: top + y, radius: 8.0 };
            assert!(view.of_frame(0).seen(ball).is_some(), "{room}: ({x}, {y})");
        }
    }
}

fn lenses() -> impl Strategy<Value = LensConfig> {
    let coefficients = proptest::collection::vec(-2.0..2.0_f64, 0..=4);
    let kinds = prop_oneof![Just(Distortion::Brown(5)), Just(Distortion::Brown(8)), Just(Distortion::Equidistant)];
    let pose = (-80.0..80.0_f64, -80.0..80.0_f64, -360.0..360.0_f64, proptest::option::of(1.0..1e5_f64));
    let focal = (1.0..3000.0_f64, 1.0..3000.0_f64);
    (focal, (-200.0..400.0_f64, -200.0..400.0_f64), kinds, coefficients, proptest::option::of(pose), any::<[bool; 2]>())
        .prop_map(|(focal, centre, kind, coefficients, pose, [sphere, centroid])| {
            let pose = pose.map(|(tilt, pan, roll, distance)| {
                let distance = distance.map_or(String::new(), |distance| format!(",{distance}"));
                format!("{tilt},{pan},{roll}{distance}").parse().expect("a pose")
            });
            LensConfig {
                focal: Focal::new(focal.0, focal.1),
                centre: Centre::new(centre.0, centre.1),
                distortion: Bend::new(kind, &coefficients),
                pose,
                poses: None,
                target: Some(if sphere { Body::Sphere } else { Body::Disc }),
                truth_point: Some(if centroid { TruthPoint::Centroid } else { TruthPoint::Centre }),
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_ball_is_seen_whole_through_any_lens_or_the_lens_is_refused(
        lens in lenses(),
        (width, height) in (8_u32..150, 8_u32..150),
        share in 0.01..0.5_f64,
        (border, scattered) in any::<(bool, bool)>(),
        (exposure, blur) in (prop_oneof![Just(0.0), 0.0..1.0_f64], prop_oneof![Just(0.0), 0.3..2.0_f64]),
        line_us in prop_oneof![Just(0.0), 0.0..100.0_f64],
        seed in any::<u64>(),
    ) {
        let size = Size { width, height };
        let radius = Radii::one(share * f64::from(size.shorter_side()));
        let ball = BallConfig { size, radius, speed_px_s: 300.0, step_s: 1.0 / 60.0, border };
        let (blur, rolling_shutter) = if blur > 0.0 { (blur, 0.0) } else { (0.0, line_us) };
        let camera = CameraConfig { lens, exposure, blur, rolling_shutter, noise: 3.0, ..CameraConfig::default() };
        let motion = if scattered { Motion::Scattered } else { Motion::Bouncing };
        let Ok(mut source) = (BallScene { ball, motion, camera, pixel: PixelFormat::Gray8, seed }).source() else {
            return Ok(());
        };
        for index in [0, 1, 40] {
            let frame = source.frame(index);
            let Truth::Projected { limit, projected, .. } = frame.truth else { panic!("{:?}", frame.truth) };
            let (x, y) = projected.centre;
            prop_assert!(x >= -0.6 && x <= f64::from(width) - 0.4, "{:?}", projected);
            prop_assert!(y >= -0.6 && y <= f64::from(height) - 0.4, "{:?}", projected);
            prop_assert!(limit.px().is_none_or(|px| px.is_finite() && px > 0.0), "{:?}", limit);
        }
    }
}
