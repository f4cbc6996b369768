//! Compares the limit with the error that a maximum-likelihood fit reaches on the camera's own frames.
//!
//! The fits use only two parts of the camera's code: the coverage of a pixel and the occluder's shape. They find x, y,
//! the radius and both levels, from a start that is off in each of them.

use super::coverage::coverage;
use super::gamma::Output;
use super::occluder::Occluder;
use super::pipeline::Pipeline;
use super::plane::Region;
use super::*;
use crate::scene::Path;

const SIZE: Size = Size { width: 44, height: 40 };
const PIXELS: usize = 44 * 40;
const SEED: u64 = 21;

/// Frames per condition. The mean L1 error of this many frames has a standard error of 0.53 / √400 = 2.7 %, because the
/// errors of x and y are independent and normal.
const FRAMES: u64 = 400;

/// x, y, radius, level of the ball, level of the background.
type Parameters = [f64; 5];

struct Condition {
    config: CameraConfig,
    centre: (f64, f64),
    radius: f64,
    /// Distance that the disc moves while the shutter is open, in px along x and y.
    way: (f64, f64),
}

impl Condition {
    fn shot(&self) -> Shot {
        let speed = (self.way.0 * 60.0, self.way.1 * 60.0);
        Shot { radius: self.radius, path: Path::straight(self.centre, speed, 1.0 / 60.0) }
    }

    /// The light of every pixel, with the occluder of frame `index` in front of the disc.
    fn light(&self, at: &Parameters, index: u64) -> Vec<f64> {
        let &[x, y, radius, ball, background] = at;
        let places = if self.way == (0.0, 0.0) { 1 } else { 24 };
        let discs: Vec<Circle> = (0..places)
            .map(|place| (f64::from(place) + 0.5) / f64::from(places) - 0.5)
            .map(|time| Circle { x: x + time * self.way.0, y: y + time * self.way.1, radius })
            .collect();
        let cover = |pixel: usize| {
            let (column, row) = ((pixel % 44) as i64, (pixel / 44) as i64);
            discs.iter().map(|&disc| near_rim(disc, column, row)).sum::<f64>() / f64::from(places)
        };
        let mut light: Vec<f64> = (0..PIXELS).map(|pixel| background + (ball - background) * cover(pixel)).collect();
        if self.config.occlude {
            let occluder = Occluder::new(&self.config, self.shot().circle(), &Random::new(SEED), index);
            let hidden = occluder.shape.coverage(Region::of_image(SIZE));
            for (pixel, light) in light.iter_mut().enumerate() {
                let share = f64::from(hidden.at((pixel % 44) as i64, (pixel / 44) as i64));
                *light += share * (f64::from(occluder.gray) - *light);
            }
        }
        // The cos⁴ law, written in another way than in the camera.
        let tangent_squared = (1.0 - self.config.vignette).powf(-0.5) - 1.0;
        let corner = f64::from(SIZE.width).hypot(f64::from(SIZE.height)) / 2.0;
        for (pixel, light) in light.iter_mut().enumerate() {
            let distance = ((pixel % 44) as f64 - 21.5).hypot((pixel / 44) as f64 - 19.5);
            *light *= (tangent_squared.sqrt() * distance / corner).atan().cos().powi(4);
        }
        light
    }

    /// Fits the levels by Gauss–Newton, weighted by the variances at the present parameters. This is maximum
    /// likelihood, except that it ignores what the variances themselves say about the parameters.
    fn fit(&self, bytes: &[u8], output: &Output, index: u64) -> (f64, f64) {
        let mut at = [self.centre.0 + 0.2, self.centre.1 - 0.15, self.radius + 0.1, 175.0, 43.0];
        for _ in 0..4 {
            let light = self.light(&at, index);
            let steps = [1e-3, 1e-3, 1e-3, 1e-2, 1e-2];
            let slopes: [Vec<f64>; 5] = std::array::from_fn(|parameter| {
                let mut moved = at;
                moved[parameter] += steps[parameter];
                let there = self.light(&moved, index);
                there.iter().zip(&light).map(|(there, here)| (there - here) / steps[parameter]).collect()
            });
            let (mut matrix, mut vector) = ([[0.0; 5]; 5], [0.0; 5]);
            for pixel in 0..PIXELS {
                let (level, slope) = output.curve(light[pixel]);
                let sensor = self.config.noise.powi(2) + self.config.shot_noise * light[pixel];
                let weight = 1.0 / (slope * slope * sensor + 1.0 / 12.0);
                let rest = f64::from(bytes[pixel]) - level;
                for row in 0..5 {
                    vector[row] += weight * slope * slopes[row][pixel] * rest;
                    for column in 0..5 {
                        matrix[row][column] += weight * slope * slope * slopes[row][pixel] * slopes[column][pixel];
                    }
                }
            }
            let step = solved(matrix, vector);
            at.iter_mut().zip(step).for_each(|(parameter, step)| *parameter += step);
        }
        (at[0], at[1])
    }
}

/// The same as [`coverage`], but quicker for pixels whose coverage is clearly 0 or 1.
fn near_rim(disc: Circle, column: i64, row: i64) -> f64 {
    let distance = (column as f64 - disc.x).hypot(row as f64 - disc.y) - disc.radius;
    if distance.abs() < 0.75 { coverage(disc, column, row) } else { f64::from(u8::from(distance < 0.0)) }
}

/// Solves the equations by Gauss–Jordan elimination. The matrices here are far from singular.
fn solved(mut matrix: [[f64; 5]; 5], mut vector: Parameters) -> Parameters {
    for pivot in 0..5 {
        let scale = matrix[pivot][pivot];
        matrix[pivot].iter_mut().for_each(|value| *value /= scale);
        vector[pivot] /= scale;
        for row in (0..5).filter(|&row| row != pivot) {
            let factor = matrix[row][pivot];
            let from = matrix[pivot];
            matrix[row].iter_mut().zip(from).for_each(|(value, from)| *value -= factor * from);
            vector[row] -= factor * vector[pivot];
        }
    }
    vector
}

#[track_caller]
fn reaches_its_limit(condition: &Condition) {
    let mut camera = Camera::new(SIZE, PixelFormat::Gray8, &condition.config, true, SEED).expect("a possible camera");
    let output = Output::new(condition.config.gamma);
    let (mut l1_px, mut limit_px) = (0.0, 0.0);
    let (mut dx, mut dy) = (0.0, 0.0);
    for index in 0..FRAMES {
        let picture = camera.render(&condition.shot(), index);
        let (_, limit) = picture.ball.expect("a ball");
        assert!(matches!(limit, Limit::Bound(_)), "{limit:?}");
        let (x, y) = condition.fit(picture.image.bytes(), &output, index);
        l1_px += (x - condition.centre.0).abs() + (y - condition.centre.1).abs();
        limit_px += limit.px().expect("a bound");
        dx += x - condition.centre.0;
        dy += y - condition.centre.1;
    }
    let ratio = l1_px / limit_px;
    // Three standard errors of 2.7 %, and 1 % for a fit that is not fully efficient or a model that is not exact.
    assert!((0.91..1.09).contains(&ratio), "{ratio:.3} x the limit of {:.5} px", limit_px / FRAMES as f64);
    // The fit is unbiased: the means lie within four standard errors. The error of x is about limit / 1.6.
    let error = limit_px / FRAMES as f64 / 1.6 * 1.5 / (FRAMES as f64).sqrt();
    let bias = (dx / FRAMES as f64, dy / FRAMES as f64);
    assert!(bias.0.abs() < 4.0 * error && bias.1.abs() < 4.0 * error, "bias {bias:?} px");
}

const NOISY: CameraConfig = CameraConfig {
    noise: 6.0,
    shot_noise: 0.0,
    blur: 0.0,
    exposure: 0.0,
    delay: 0.0,
    contrast: 140.0,
    background: Background::Plain,
    invert: false,
    occlude: false,
    aspect: None,
    aspect_angle: None,
    shade: None,
    shade_angle: None,
    shade_height: None,
    ring: None,
    jpeg: None,
    gamma: 1.0,
    vignette: 0.0,
    empty_rate: 0.0,
    lens: LensConfig::NONE,
    rolling_shutter: 0.0,
};

#[test]
fn a_fit_of_a_whole_disc_reaches_the_limit() {
    reaches_its_limit(&Condition { config: NOISY, centre: (21.3, 19.6), radius: 11.2, way: (0.0, 0.0) });
}

#[test]
fn a_fit_of_a_disc_cut_by_the_border_reaches_the_limit() {
    reaches_its_limit(&Condition { config: NOISY, centre: (3.3, 5.1), radius: 12.0, way: (0.0, 0.0) });
}

#[test]
fn a_fit_of_a_moving_disc_reaches_the_limit() {
    let config = CameraConfig { exposure: 1.0, ..NOISY };
    reaches_its_limit(&Condition { config, centre: (21.3, 19.6), radius: 9.0, way: (6.0, 3.0) });
}

#[test]
fn a_fit_of_an_occluded_disc_reaches_the_limit() {
    let config = CameraConfig { occlude: true, ..NOISY };
    reaches_its_limit(&Condition { config, centre: (21.3, 19.6), radius: 11.2, way: (0.0, 0.0) });
}

#[test]
fn a_fit_under_vignette_shot_noise_and_gamma_reaches_the_limit() {
    let config = CameraConfig { noise: 2.0, shot_noise: 0.4, gamma: 2.2, vignette: 0.5, ..NOISY };
    reaches_its_limit(&Condition { config, centre: (16.3, 22.6), radius: 11.2, way: (0.0, 0.0) });
}

/// Mean of the limit over 16 positions of a disc's centre within a pixel, computed from the Fisher matrix.
fn by_matrix(config: &CameraConfig, format: PixelFormat, radius: f64) -> f64 {
    let side = (2.0 * radius + 12.0 * config.blur) as u32 + 12;
    let size = Size { width: side, height: side };
    let mut pipeline = Pipeline::new(size, format, config, Random::new(1));
    pipeline.model_mut().without_closed_form();
    let middle = f64::from(side) / 2.0;
    let places = (0..16).map(|i| (middle + f64::from(i % 4) / 4.0 - 0.31, middle + f64::from(i / 4) / 4.0 - 0.37));
    let limit = |place: (f64, f64)| {
        let shot = Shot { radius, path: Path::resting(place) };
        pipeline.render(&shot, 0, false).1.px().expect("a limit")
    };
    places.map(limit).sum::<f64>() / 16.0
}

#[test]
fn the_closed_form_agrees_with_the_fisher_matrix() {
    for format in [PixelFormat::Gray8, PixelFormat::Bgr8] {
        for blur in [0.0, 0.4, 1.0, 2.0, 4.0] {
            for radius in [2.0, 3.0, 5.0, 8.0, 12.3, 20.0, 40.0] {
                let config = CameraConfig { blur, noise: 3.0, ..CameraConfig::default() };
                let closed = LimitModel::new(&config, format).closed(radius).and_then(Limit::px);
                // There is no closed form for a disc that is hardly wider than its blur.
                let Some(closed) = closed else { continue };
                let matrix = by_matrix(&config, format, radius);
                let apart = closed / matrix - 1.0;
                assert!(apart.abs() < 0.01, "blur {blur}, radius {radius}: {closed:.5} px, by matrix {matrix:.5} px");
            }
        }
    }
}

#[test]
fn the_limit_of_a_colour_frame_is_that_of_its_gray_picture() {
    let config = CameraConfig { noise: 10.0, gamma: 2.2, ..CameraConfig::default() };
    let (gray, colour) = (by_matrix(&config, PixelFormat::Gray8, 15.0), by_matrix(&config, PixelFormat::Bgr8, 15.0));
    // The gray value averages three independent channels, which leaves √(0.114² + 0.587² + 0.299²) = 0.67 of the noise.
    // Gamma treats the channels of the amber ball a little differently.
    assert!((0.6..0.75).contains(&(colour / gray)), "{colour:.5} px, {gray:.5} px");
}
