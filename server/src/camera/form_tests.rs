//! Frames and limits of ellipses, shaded balls and outlines, against a slow reference: each pixel is the mean of many
//! points, and the derivatives of the limit are differences of such pictures. It shares no code with the camera.

use std::f64::consts::PI;

use super::*;
use crate::scene::Path;

const SIZE: Size = Size { width: 40, height: 38 };
const CENTRE: (f64, f64) = (19.3, 18.6);
const RADIUS: f64 = 10.4;
const NOISE: f64 = 4.0;

/// x, y, area's radius, ball, background, both form parameters, light towards x, y and z, width.
type Parameters = [f64; 11];

#[derive(Clone, Copy)]
struct Case {
    aspect: Option<f64>,
    shade: Option<f64>,
    ring: Option<f64>,
}

const ANGLE: f64 = 35.0;
const AZIMUTH: f64 = 200.0;
const HEIGHT: f64 = 40.0;

const CASES: [Case; 5] = [
    Case { aspect: Some(0.7), shade: None, ring: None },
    Case { aspect: None, shade: Some(0.3), ring: None },
    Case { aspect: None, shade: None, ring: Some(3.0) },
    Case { aspect: Some(0.8), shade: None, ring: Some(2.0) },
    Case { aspect: Some(0.8), shade: Some(0.2), ring: None },
];

impl Case {
    fn config(self, noise: f64) -> CameraConfig {
        CameraConfig {
            aspect: self.aspect,
            aspect_angle: self.aspect.map(|_| ANGLE),
            shade: self.shade,
            shade_angle: self.shade.map(|_| AZIMUTH),
            shade_height: self.shade.map(|_| HEIGHT),
            ring: self.ring,
            noise,
            ..CameraConfig::default()
        }
    }

    fn truth(self) -> Parameters {
        let own = -0.5 * self.aspect.unwrap_or(1.0).ln();
        let twice = 2.0 * ANGLE * PI / 180.0;
        let (azimuth, height) = (AZIMUTH * PI / 180.0, HEIGHT * PI / 180.0);
        let strength = 1.0 - self.shade.unwrap_or(1.0);
        let towards = [height.cos() * azimuth.cos(), height.cos() * azimuth.sin(), height.sin()].map(|l| strength * l);
        let [lx, ly, lz] = towards;
        [
            CENTRE.0,
            CENTRE.1,
            RADIUS,
            180.0,
            40.0,
            own * twice.cos(),
            own * twice.sin(),
            lx,
            ly,
            lz,
            self.ring.unwrap_or(0.0),
        ]
    }

    /// The parameters that are not known.
    fn unknown(self) -> Vec<usize> {
        let mut all: Vec<_> = (0..5).collect();
        all.extend(self.aspect.iter().flat_map(|_| [5, 6]));
        all.extend(self.shade.iter().flat_map(|_| [7, 8, 9]));
        all.extend(self.ring.iter().map(|_| 10));
        all
    }

    /// The light of every pixel, each the mean of `points` times `points` places.
    fn light(self, at: &Parameters, points: usize) -> Vec<f64> {
        let point = self.point(at);
        let pixel = |index: usize| {
            let (column, row) = ((index % SIZE.width as usize) as f64, (index / SIZE.width as usize) as f64);
            let far = (column - at[0]).hypot(row - at[1]) > 16.0;
            let points = if far { 1 } else { points };
            let part = |i: usize| (i as f64 + 0.5) / points as f64 - 0.5;
            let all = (0..points * points).map(|i| point(column + part(i % points), row + part(i / points)));
            all.sum::<f64>() / (points * points) as f64
        };
        (0..SIZE.pixels()).map(pixel).collect()
    }

    /// The light at a point.
    fn point(self, at: &Parameters) -> impl Fn(f64, f64) -> f64 {
        let [x0, y0, radius, ball, background, c, s, lx, ly, lz, width] = *at;
        let half = c.hypot(s);
        let (sin, cos) = (0.5 * s.atan2(c)).sin_cos();
        let (long, short) = (radius * half.exp(), radius * (-half).exp());
        move |x, y| {
            let (along, across) = ((x - x0) * cos + (y - y0) * sin, (y - y0) * cos - (x - x0) * sin);
            let inside = |by: f64| (along / (long + by)).powi(2) + (across / (short + by)).powi(2) < 1.0;
            if !inside(0.5 * width) || width > 0.0 && inside(-0.5 * width) {
                return background;
            }
            let Some(ambient) = self.shade else { return ball };
            let (u, v) = (along / long, across / short);
            let normal = [u * cos - v * sin, u * sin + v * cos, (1.0 - u * u - v * v).sqrt()];
            // `ball` is the level of the ambient light. The level of the other light is fixed, because only their ratio
            // matters.
            ambient * ball + 180.0 * (normal[0] * lx + normal[1] * ly + normal[2] * lz).max(0.0)
        }
    }

    /// The limit from differences of pictures.
    fn limit(self) -> f64 {
        let truth = self.truth();
        let unknown = self.unknown();
        let steps = [0.1, 0.1, 0.1, 1.0, 1.0, 0.01, 0.01, 0.02, 0.02, 0.02, 0.1];
        let slopes: Vec<Vec<f64>> = unknown
            .iter()
            .map(|&parameter| {
                let [less, more] = [-1.0, 1.0].map(|side| {
                    let mut moved = truth;
                    moved[parameter] += side * steps[parameter];
                    self.light(&moved, 80)
                });
                less.iter().zip(&more).map(|(less, more)| (more - less) / (2.0 * steps[parameter])).collect()
            })
            .collect();
        let n = unknown.len();
        let weight = 1.0 / (NOISE * NOISE + 1.0 / 12.0);
        // The matrix, augmented by the unit matrix for Gauss–Jordan elimination.
        let mut rows: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let product = |j: usize| slopes[i].iter().zip(&slopes[j]).map(|(a, b)| weight * a * b).sum::<f64>();
                (0..n).map(product).chain((0..n).map(|j| f64::from(u8::from(i == j)))).collect()
            })
            .collect();
        for pivot in 0..n {
            let own = rows[pivot].clone();
            for (i, row) in rows.iter_mut().enumerate() {
                let factor = if i == pivot { 1.0 - 1.0 / own[pivot] } else { row[pivot] / own[pivot] };
                row.iter_mut().zip(&own).for_each(|(value, own)| *value -= factor * own);
            }
        }
        (2.0 / PI).sqrt() * (rows[0][n].sqrt() + rows[1][n + 1].sqrt())
    }
}

fn camera(config: &CameraConfig) -> Camera {
    Camera::new(SIZE, PixelFormat::Gray8, config, false, 5).expect("a possible camera")
}

fn shot() -> Shot {
    Shot { radius: RADIUS, path: Path::resting(CENTRE) }
}

#[test]
fn frames_agree_with_the_mean_of_many_points() {
    for case in CASES {
        let mut camera = camera(&case.config(0.0));
        let picture = camera.render(&shot(), 3);
        let (circle, limit) = picture.ball.expect("a ball");
        assert_eq!((circle.x, circle.y, circle.radius), (CENTRE.0, CENTRE.1, RADIUS));
        assert!(matches!(limit, Limit::Reference(_)), "{limit:?}");
        for (index, (byte, light)) in picture.image.bytes().iter().zip(case.light(&case.truth(), 200)).enumerate() {
            // Rounding, and half a row of 200 points times the contrast.
            assert!((f64::from(*byte) - light).abs() < 0.5 + 0.35 + 0.05, "pixel {index}: {byte}, {light}");
        }
    }
}

#[test]
fn limits_count_the_parameters_of_the_form_as_unknown() {
    for case in CASES {
        let limit = camera(&case.config(NOISE)).render(&shot(), 3).ball.and_then(|(_, limit)| limit.px());
        let (limit, expected) = (limit.expect("a limit"), case.limit());
        // Differences over a fifth of a pixel, of grids of points, are off by some per cent at most.
        assert!((limit / expected - 1.0).abs() < 0.03, "{limit}, {expected}");
    }
}

#[test]
fn a_form_is_drawn_for_each_frame_unless_given_and_options_do_not_change_each_others_draws() {
    let form = |config: &CameraConfig, index| config.form(shot().circle(), &Random::new(5), index).expect("a form");
    let plain = CameraConfig::default();
    let oval = CameraConfig { aspect: Some(0.7), ..plain };
    let both = CameraConfig { shade: Some(0.4), ..oval };
    assert_ne!(form(&oval, 1).oblong, form(&oval, 2).oblong);
    assert_eq!(form(&oval, 1).oblong, form(&both, 1).oblong);
    assert_ne!(form(&both, 1).light, form(&both, 2).light);
    let fixed = CameraConfig { aspect_angle: Some(20.0), ..oval };
    assert_eq!(form(&fixed, 1).oblong, form(&fixed, 2).oblong);
    let (axes, angle) = form(&fixed, 1).axes();
    assert!((angle - 20.0 * PI / 180.0).abs() < 1e-12 && (axes[1] / axes[0] - 0.7).abs() < 1e-12);
    assert!(plain.form(shot().circle(), &Random::new(5), 1).is_none());
}

#[test]
fn forms_work_with_every_other_effect() {
    for case in CASES {
        let config = CameraConfig {
            background: Background::Clutter,
            occlude: true,
            blur: 1.2,
            exposure: 0.5,
            shot_noise: 0.3,
            gamma: 2.2,
            vignette: 0.3,
            ..case.config(2.0)
        };
        let mut camera = camera(&config);
        let moving = Shot { radius: RADIUS, path: Path::straight(CENTRE, (120.0, 60.0), 1.0 / 60.0) };
        let first = camera.render(&moving, 8).image.clone();
        camera.render(&moving, 9);
        let again = camera.render(&moving, 8);
        assert_eq!(*again.image, first);
        assert!(matches!(again.ball, Some((_, Limit::Bound(px))) if px > 0.0 && px < 5.0), "{:?}", again.ball);
    }
}
