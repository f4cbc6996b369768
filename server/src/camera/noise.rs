//! Noise of the sensor: shot noise and read noise (EMVA 1288, release 4.0, §2).
//!
//! A pixel's variance is `σ² + K · signal` in linear light, with the read noise σ and the gain K. The noise of every
//! pixel, channel and frame is independent. A row of a channel takes `⌈width / 2⌉` words of 32 bits from the frame's
//! sequence; the channels of a row follow each other. Pixel x uses the x-th 16 bits of these words as its lane.

use super::normal::Normal;
use super::recycled::Recycled;
use crate::scene::{Random, Sequence, Stream};

/// A sensor's noise.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    /// σ², in gray levels squared.
    read_variance: f32,
    /// K, in gray levels.
    gain: f32,
    normal: Normal,
}

/// One frame's noise, which is added row by row.
#[derive(Clone, Debug)]
pub(super) struct FrameNoise<'a> {
    noise: &'a Noise,
    lanes: Sequence,
    tail: Sequence,
    bytes: Recycled<u8>,
}

impl Noise {
    /// Noise with the read noise `sigma` and the gain; `None` if both are 0.
    pub(super) fn new(sigma: f64, gain: f64) -> Option<Self> {
        let read_variance = (sigma * sigma) as f32;
        (sigma > 0.0 || gain > 0.0).then(|| Self { read_variance, gain: gain as f32, normal: Normal::new() })
    }

    /// The noise of a frame.
    pub(super) fn of_frame(&self, random: &Random, index: u64) -> FrameNoise<'_> {
        let (lanes, tail) = (random.sequence(Stream::Noise, index), random.sequence(Stream::NoiseTail, index));
        FrameNoise { noise: self, lanes, tail, bytes: Recycled::default() }
    }
}

impl FrameNoise<'_> {
    /// Adds noise to the next row of a channel.
    pub(super) fn add(&mut self, line: &mut [f32]) {
        let length = line.len().div_ceil(2) * 4;
        if self.bytes.len() != length {
            self.bytes = Recycled::filled(length, 0);
        }
        self.lanes.fill(&mut self.bytes);
        let Self { noise, tail, bytes, .. } = self;
        let lanes = bytes.as_chunks().0.iter().map(|&lane| u16::from_le_bytes(lane));
        if noise.gain == 0.0 {
            let sigma = noise.read_variance.sqrt();
            for (light, lane) in line.iter_mut().zip(lanes) {
                *light += sigma * noise.normal.number(lane, tail);
            }
        } else {
            for (light, lane) in line.iter_mut().zip(lanes) {
                let variance = noise.read_variance + noise.gain * light.max(0.0);
                *light += variance.sqrt() * noise.normal.number(lane, tail);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noisy(level: f32, sigma: f64, gain: f64, index: u64) -> Vec<f64> {
        let noise = Noise::new(sigma, gain).expect("some noise");
        let mut frame = noise.of_frame(&Random::new(11), index);
        let row = || {
            let mut line = vec![level; 641];
            frame.add(&mut line);
            line
        };
        std::iter::repeat_with(row).take(480).flatten().map(|light| f64::from(light) - f64::from(level)).collect()
    }

    fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
        values.clone().sum::<f64>() / values.count() as f64
    }

    // From a second implementation, written in another language.
    #[test]
    fn rows_have_their_golden_noise() {
        let noise = Noise::new(1.0, 0.0).expect("some noise");
        let mut frame = noise.of_frame(&Random::new(1), 3);
        for expected in [
            [-1.338_291_6, 0.430_048_95, 0.676_724_24, -1.368_395_4, 1.132_338_7],
            [-0.927_115_5, 0.437_107_92, -1.747_673_2, 0.955_952_8, 0.565_323_7_f32],
        ] {
            let mut line = [0.0; 5];
            frame.add(&mut line);
            assert!(line.iter().zip(expected).all(|(got, number)| (got - number).abs() < 3e-7), "{line:?}");
        }
    }

    #[test]
    fn noise_is_normal_and_white() {
        let z: Vec<f64> = noisy(100.0, 7.0, 0.0, 3).into_iter().map(|value| value / 7.0).collect();
        let n = z.len() as f64;
        let moment = |power: i32| mean(z.iter().map(move |z| z.powi(power)));
        // Standard errors of the moments of n normal numbers: √(1, 2, 15, 96) / √n; four of each.
        for (power, expected, spread) in [(1, 0.0, 1.0_f64), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let error = 4.0 * (spread / n).sqrt();
            assert!((moment(power) - expected).abs() < error, "moment {power}: {}", moment(power));
        }
        // Neighbours in a row, in a column and across: the correlations have the standard error 1 / √n.
        for lag in [1, 2, 640, 641, 642, 1282] {
            let correlation = mean(z.iter().zip(&z[lag..]).map(|(a, b)| a * b));
            assert!(correlation.abs() < 4.0 / n.sqrt(), "lag {lag}: {correlation}");
        }
        let next: Vec<f64> = noisy(100.0, 7.0, 0.0, 4);
        let correlation = mean(z.iter().zip(&next).map(|(a, b)| a * b / 7.0));
        assert!(correlation.abs() < 4.0 / n.sqrt(), "frames: {correlation}");
    }

    #[test]
    fn the_photon_transfer_curve_has_the_gain_as_slope_and_the_read_noise_as_offset() {
        for level in [10.0, 60.0, 200.0] {
            let noise = noisy(level, 3.0, 0.8, 0);
            let variance = mean(noise.iter().map(|value| value * value));
            let expected = 9.0 + 0.8 * f64::from(level);
            // √(2 / n) = 0.26 % standard error; four of them.
            assert!((variance / expected - 1.0).abs() < 0.0104, "at {level}: {variance}, expected {expected}");
        }
    }

    #[test]
    fn noise_is_a_function_of_the_frame_index() {
        assert_eq!(noisy(50.0, 5.0, 0.0, 9), noisy(50.0, 5.0, 0.0, 9));
        assert!(Noise::new(0.0, 0.0).is_none());
    }
}
