//! Tests of the whole camera against slow, independent references.

use proptest::prelude::*;

use super::coverage::coverage;
use super::*;
use crate::scene::{BallConfig, Path, Radii, ScatteredScene, Scene};

const SIZE: Size = Size { width: 96, height: 80 };

fn camera(size: Size, format: PixelFormat, config: &CameraConfig) -> Camera {
    Camera::new(size, format, config, true, 5).expect("a possible camera")
}

fn at(x: f64, y: f64, radius: f64) -> Shot {
    Shot { radius, path: Path::resting((x, y)) }
}

fn gray(config: &CameraConfig, shot: &Shot, index: u64) -> Vec<u8> {
    camera(SIZE, PixelFormat::Gray8, config).render(shot, index).image.bytes().to_vec()
}

/// Centroid of the light above the background, in px.
fn centroid(bytes: &[u8], background: u8) -> (f64, f64) {
    let weight = |byte: u8| f64::from(byte) - f64::from(background);
    let sum = |term: fn(usize) -> usize| -> f64 {
        bytes.iter().enumerate().map(|(index, &byte)| weight(byte) * term(index) as f64).sum()
    };
    let all = sum(|_| 1);
    (sum(|index| index % 96) / all, sum(|index| index / 96) / all)
}

/// A camera with every effect.
fn everything() -> CameraConfig {
    CameraConfig {
        noise: 5.0,
        shot_noise: 0.2,
        blur: 1.0,
        exposure: 1.0,
        contrast: 120.0,
        background: Background::Clutter,
        invert: true,
        occlude: true,
        jpeg: Some(80),
        gamma: 2.2,
        vignette: 0.4,
        empty_rate: 0.3,
        ..CameraConfig::default()
    }
}

#[test]
fn without_effects_both_cameras_take_the_same_picture() {
    for format in [PixelFormat::Gray8, PixelFormat::Bgr8] {
        let mut effects = camera(SIZE, format, &CameraConfig::default());
        let mut plain = PlainCamera::new(SIZE, format);
        let mut apart = 0;
        for index in 0..200_u32 {
            let shot = at(20.0 + f64::from(index) * 0.271, 60.0 - f64::from(index) * 0.133, 15.3);
            let pairs = effects.render(&shot, 0).image.bytes().iter().zip(plain.render(shot.circle()).bytes());
            apart += pairs.inspect(|(a, b)| assert!(a.abs_diff(**b) <= 1)).filter(|(a, b)| a != b).count();
        }
        // Fewer than 5 of about 25,000 rim pixels and channels may differ. The camera with effects rounds levels from
        // 24 bits, the plain camera from 53.
        assert!(apart < 5, "{apart}");
    }
}

#[test]
fn contrast_and_polarity_set_the_levels() {
    let shot = at(48.0, 40.0, 20.0);
    for (contrast, invert, levels) in [(10.0, false, (40, 50)), (-40.0, false, (40, 0)), (140.0, true, (215, 75))] {
        let bytes = gray(&CameraConfig { contrast, invert, ..CameraConfig::default() }, &shot, 0);
        assert_eq!((bytes[0], bytes[40 * 96 + 48]), levels);
    }
}

#[test]
fn a_blurred_disc_is_the_convolution_with_a_gaussian() {
    // The disc on a grid of 12 × 12 cells per pixel. Each cell is spread over the grid, then averaged over pixels.
    const GRID: usize = 12;
    const SIDE: usize = 40;
    let (x, y, radius) = (19.3, 20.1, 9.4);
    for sigma in [0.3, 0.7, 2.0] {
        let side = SIDE * GRID;
        let on_grid = |coordinate: f64| (coordinate + 0.5) * GRID as f64 - 0.5;
        let disc = Circle { x: on_grid(x), y: on_grid(y), radius: radius * GRID as f64 };
        let cell = |cell: usize| coverage(disc, (cell % side) as i64, (cell / side) as i64);
        let disc: Vec<f64> = (0..side * side).map(cell).collect();
        let reach = (5.0 * sigma * GRID as f64) as i64;
        let weight = |offset: i64| (-(offset as f64 / GRID as f64 / sigma).powi(2) / 2.0).exp();
        let sum: f64 = (-reach..=reach).map(weight).sum();
        let spread = |from: &[f64], step: usize, cell: usize, along: usize| -> f64 {
            let low = -(along as i64).min(reach);
            let high = ((side - 1 - along) as i64).min(reach);
            let source = |offset: i64| from[(cell as i64 + offset * step as i64) as usize];
            (low..=high).map(|offset| weight(offset) * source(offset)).sum::<f64>() / sum
        };
        // Only the middle row of pixels, because this is slow.
        let config = CameraConfig { blur: sigma, ..CameraConfig::default() };
        let size = Size { width: SIDE as u32, height: SIDE as u32 };
        let mut camera = camera(size, PixelFormat::Gray8, &config);
        let bytes = camera.render(&at(x, y, radius), 0).image.bytes();
        let rows = 20 * GRID..21 * GRID;
        let vertical: Vec<f64> = rows
            .flat_map(|row| (0..side).map(move |column| (row, column)))
            .map(|(row, column)| spread(&disc, side, row * side + column, row))
            .collect();
        for pixel in 0..SIDE {
            let cells = (0..GRID * GRID).map(|cell| (cell / GRID, pixel * GRID + cell % GRID));
            let light: f64 = cells.map(|(row, column)| spread(&vertical, 1, row * side + column, column)).sum();
            let expected = 40.0 + 140.0 * light / (GRID * GRID) as f64;
            let got = f64::from(bytes[20 * SIDE + pixel]);
            // Half a level for rounding, and a little for the errors of the two grids.
            assert!((got - expected).abs() < 0.6, "σ {sigma}, pixel {pixel}: {got}, expected {expected:.2}");
        }
    }
}

#[test]
fn an_exposure_is_the_average_over_its_moments_even_across_a_bounce() {
    let config =
        BallConfig { size: SIZE, radius: Radii::one(12.0), speed_px_s: 1500.0, step_s: 1.0 / 60.0, border: false };
    let moments = 400;
    let step_s = config.step_s / f64::from(moments);
    let mut scene = Scene::new(2, &config).expect("a valid scene");
    // The same ball in small steps of a 400th of a frame.
    let mut slow = Scene::new(2, &BallConfig { step_s, ..config }).expect("a valid scene");
    let exposed = CameraConfig { exposure: 1.0, ..CameraConfig::default() };
    let mut bounces = 0;
    for index in 0..6_u64 {
        let shot = scene.shot(index, 1.0);
        let mut sums = vec![0.0; SIZE.pixels()];
        let mut places = Vec::new();
        for moment in 0..u64::from(moments as u32) {
            let now = index * u64::from(moments as u32) + moment;
            // The mean of two steps misses a bounce between them; within a 400th of a frame that does not matter.
            let (from, to) = (slow.at(now), slow.at(now + 1));
            let disc = Circle { x: (from.x + to.x) / 2.0, y: (from.y + to.y) / 2.0, ..from };
            places.push(disc);
            for (pixel, sum) in sums.iter_mut().enumerate() {
                *sum += coverage(disc, (pixel % 96) as i64, (pixel / 96) as i64) / f64::from(moments);
            }
        }
        let turns = |pick: fn(&Circle) -> f64| {
            places.windows(3).any(|p| (pick(&p[1]) - pick(&p[0])) * (pick(&p[2]) - pick(&p[1])) < 0.0)
        };
        bounces += u32::from(turns(|disc| disc.x) || turns(|disc| disc.y));
        let bytes = gray(&exposed, &shot, index);
        for (pixel, (&byte, sum)) in bytes.iter().zip(&sums).enumerate() {
            let expected = 40.0 + 140.0 * sum;
            assert!((f64::from(byte) - expected).abs() < 0.6, "frame {index}, pixel {pixel}: {byte}, {expected:.2}");
        }
        let half = slow.at(index * u64::from(moments as u32) + u64::from(moments as u32) / 2);
        let truth = shot.circle();
        assert!((truth.x - half.x).abs() < 1e-9 && (truth.y - half.y).abs() < 1e-9, "frame {index}");
    }
    assert!(bounces >= 1, "a bounce within an exposure");
}

#[test]
fn effects_that_are_symmetric_about_the_disc_do_not_move_its_centroid() {
    let default = CameraConfig::default();
    let cases = [
        default,
        CameraConfig { blur: 0.7, ..default },
        CameraConfig { blur: 2.5, ..default },
        CameraConfig { gamma: 2.2, ..default },
        CameraConfig { contrast: 10.0, blur: 1.0, ..default },
        CameraConfig { exposure: 1.0, blur: 1.0, ..default },
    ];
    for config in cases {
        for (x, y) in [(48.0, 40.0), (47.5, 40.5), (48.5, 40.0)] {
            let velocity = if config.exposure > 0.0 { (300.0, 0.0) } else { (0.0, 0.0) };
            let shot = Shot { radius: 17.3, path: Path::straight((x, y), velocity, config.exposure / 60.0) };
            let bytes = gray(&config, &shot, 0);
            let (cx, cy) = centroid(&bytes, bytes[0]);
            assert!((cx - x).abs() < 1e-4 && (cy - y).abs() < 1e-4, "{config:?}: ({cx}, {cy}), not ({x}, {y})");
        }
    }
}

#[test]
fn the_ball_is_in_front_of_the_background_and_behind_the_occluder() {
    let config = CameraConfig { background: Background::Clutter, occlude: true, ..CameraConfig::default() };
    let shot = at(48.2, 40.7, 22.0);
    let mut seen = camera(SIZE, PixelFormat::Gray8, &config);
    let mut without = camera(SIZE, PixelFormat::Gray8, &CameraConfig { empty_rate: 1.0, ..config });
    let mut most = 0;
    for index in 0..20 {
        let with = seen.render(&shot, index).image.bytes().to_vec();
        let picture = without.render(&shot, index);
        assert!(picture.ball.is_none());
        let mut hidden = 0;
        for (pixel, (&with, &without)) in with.iter().zip(picture.image.bytes()).enumerate() {
            let cover = coverage(shot.circle(), (pixel % 96) as i64, (pixel / 96) as i64);
            if cover == 0.0 {
                assert_eq!(with, without);
            } else if cover == 1.0 {
                hidden += u32::from(with == without);
            }
        }
        // The disc has π 22² = 1520 px². A chord over a third of the outline cuts off a fifth of it.
        assert!(hidden < 350, "frame {index}: {hidden} px hidden");
        most = most.max(hidden);
    }
    assert!(most > 150, "at most {most} px hidden");
}

#[test]
fn the_share_of_empty_frames_is_the_rate_asked_for() {
    let config = CameraConfig { empty_rate: 0.3, ..CameraConfig::default() };
    let mut camera = Camera::new(SIZE, PixelFormat::Gray8, &config, false, 5).expect("a possible camera");
    let shot = at(48.0, 40.0, 20.0);
    let empty = (0..2000).filter(|&index| camera.render(&shot, index).ball.is_none()).count();
    // The standard deviation is √(2000 · 0.3 · 0.7) = 20.5. Four standard deviations are allowed.
    assert!((518..=682).contains(&empty), "{empty} of 2000");
}

#[test]
fn a_frame_does_not_depend_on_earlier_frames() {
    let config = BallConfig {
        size: SIZE,
        radius: Radii { min: 8.0, max: 20.0 },
        speed_px_s: 600.0,
        step_s: 1.0 / 60.0,
        border: true,
    };
    let scene = ScatteredScene::new(4, &config).expect("a valid scene");
    for format in [PixelFormat::Gray8, PixelFormat::Bgr8] {
        let without = |effect: fn(&mut CameraConfig)| {
            let mut config = everything();
            effect(&mut config);
            config
        };
        let quiet = |config: &mut CameraConfig| (config.noise, config.shot_noise, config.jpeg) = (0.0, 0.0, None);
        let configs = [
            everything(),
            without(quiet),
            CameraConfig { background: Background::Plain, ..without(quiet) },
            CameraConfig { background: Background::Ramp, ..without(quiet) },
            CameraConfig { empty_rate: 0.5, occlude: true, ..CameraConfig::default() },
        ];
        for config in configs {
            let fresh = |index: u64| {
                let mut camera = camera(SIZE, format, &config);
                let picture = camera.render(&scene.shot(index, config.exposure), index);
                (picture.image.clone(), picture.ball)
            };
            let mut used = camera(SIZE, format, &config);
            for index in [3, 0, 7, 7, 1, 12, 2] {
                let picture = used.render(&scene.shot(index, config.exposure), index);
                assert_eq!((picture.image.clone(), picture.ball), fresh(index), "frame {index} of {config:?}");
            }
        }
    }
}

#[test]
fn the_left_half_of_a_picture_is_the_picture_of_the_left_half() {
    // Blur brings in light from beyond the edge of the smaller image.
    let config = CameraConfig { blur: 3.0, exposure: 1.0, ..CameraConfig::default() };
    let shot = Shot { radius: 15.0, path: Path::straight((50.0, 30.0), (200.0, 100.0), 1.0 / 60.0) };
    let whole = gray(&config, &shot, 0);
    let half = Size { width: 48, height: 80 };
    let mut small = camera(half, PixelFormat::Gray8, &config);
    for (row, line) in small.render(&shot, 0).image.bytes().chunks_exact(48).enumerate() {
        assert_eq!(line, &whole[row * 96..row * 96 + 48], "row {row}");
    }
}

fn any_config() -> impl Strategy<Value = CameraConfig> {
    let background = prop_oneof![Just(Background::Plain), Just(Background::Ramp), Just(Background::Clutter)];
    let sensor = (prop_oneof![Just(0.0), 0.0..255.0], prop_oneof![Just(0.0), 0.0..100.0], 0.1..10.0);
    let optics = (prop_oneof![Just(0.0), 0.001..6.0], 0.0..=1.0, prop_oneof![Just(0.0), 0.0..=0.9]);
    let scene = (prop_oneof![-30.0..-0.1, 0.1..161.0], background, any::<bool>(), any::<bool>());
    (sensor, optics, scene, proptest::option::of(1..=100_u8), 0.0..=1.0).prop_map(
        |(
            (noise, shot_noise, gamma),
            (blur, exposure, vignette),
            (contrast, background, invert, occlude),
            jpeg,
            empty,
        )| {
            CameraConfig {
                noise,
                shot_noise,
                blur,
                exposure,
                contrast,
                background,
                invert,
                occlude,
                jpeg,
                gamma,
                vignette,
                empty_rate: empty,
                ..CameraConfig::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn no_possible_camera_panics(
        config in any_config(),
        (width, height) in (1_u32..70, 1_u32..70),
        (min, max) in (0.001..=1.0, 0.001..=1.0),
        speed_px_s in prop_oneof![0.0..3000.0, 0.0..1e6],
        (border, colour) in any::<(bool, bool)>(),
        seed in any::<u64>(),
        index in prop_oneof![0..50_u64, any::<u64>()],
    ) {
        let size = Size { width, height };
        let half = f64::from(size.shorter_side()) / 2.0;
        let (min, max) = (half * f64::min(min, max), half * f64::max(min, max));
        let ball = BallConfig { size, radius: Radii { min, max }, speed_px_s, step_s: 1.0 / 60.0, border };
        let format = if colour { PixelFormat::Bgr8 } else { PixelFormat::Gray8 };
        let mut camera = Camera::new(size, format, &config, border, seed).expect("a possible camera");
        let scattered = ScatteredScene::new(seed, &ball).expect("a possible ball").shot(index, config.exposure);
        let bouncing = Scene::new(seed, &ball).expect("a possible ball").shot(index % 50, config.exposure);
        for shot in [scattered, bouncing] {
            let picture = camera.render(&shot, index);
            prop_assert_eq!(picture.image.size(), size);
            if let Some((circle, limit)) = picture.ball {
                prop_assert!(circle.x >= -0.5 && circle.x <= f64::from(width) - 0.5, "{:?}", circle);
                prop_assert!(limit.px().is_none_or(|px| px.is_finite() && px > 0.0), "{:?}", limit);
            }
        }
    }
}
