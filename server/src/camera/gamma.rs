//! The sensor's output: gamma, clipping, and at the very end rounding to 8 bits.
//!
//! A level is `255 · (light / 255)^(1/γ)`, rounded to the nearest. Instead of raising each pixel to a power, its light is
//! compared with the 255 lights at which the level changes, `255 · ((level − ½) / 255)^γ`: exact, and quick.

use super::config::WHITE;

/// Cells of light, a level of linear light each divided into this many, in which the search for a level begins.
const CELLS_A_LEVEL: f32 = 4.0;

/// From light to levels.
#[derive(Clone, Debug)]
pub(super) struct Output {
    gamma: f64,
    /// The least light of each level; the first is below all light. Empty for γ = 1.
    least: Vec<f32>,
    /// The level of the darkest light of each cell.
    starts: Vec<u8>,
}

impl Output {
    pub(super) fn new(gamma: f64) -> Self {
        if gamma == 1.0 {
            return Self { gamma, least: Vec::new(), starts: Vec::new() };
        }
        let least = |level: u32| match level {
            0 => f32::NEG_INFINITY,
            _ => (WHITE * libm::pow((f64::from(level) - 0.5) / WHITE, gamma)) as f32,
        };
        let least: Vec<f32> = (0..256).map(least).collect();
        let cells = (WHITE as f32 * CELLS_A_LEVEL) as usize + 1;
        let start = |cell: usize| (least.partition_point(|&limit| limit <= cell as f32 / CELLS_A_LEVEL) - 1) as u8;
        let starts = (0..cells).map(start).collect();
        Self { gamma, least, starts }
    }

    /// Writes the levels of a row of light into every `stride`-th byte; what is outside 0 to 255 is clipped.
    pub(super) fn write(&self, line: &[f32], bytes: &mut [u8], stride: usize) {
        match (self.least.is_empty(), stride) {
            // Side by side the compiler takes several at a time.
            (true, 1) => bytes.iter_mut().zip(line).for_each(|(byte, &light)| *byte = rounded(light)),
            (true, _) => bytes.iter_mut().step_by(stride).zip(line).for_each(|(byte, &light)| *byte = rounded(light)),
            (false, _) => {
                bytes.iter_mut().step_by(stride).zip(line).for_each(|(byte, &light)| *byte = self.level(light));
            }
        }
    }

    /// The level of some light, for a gamma that is not 1.
    fn level(&self, light: f32) -> u8 {
        let cell = ((light * CELLS_A_LEVEL) as usize).min(self.starts.len() - 1);
        let mut level = usize::from(self.starts[cell]);
        while level < 255 && light >= self.least[level + 1] {
            level += 1;
        }
        level as u8
    }

    /// Level before rounding, and levels a level of light, at some light; the slope is that at ½ level where it is
    /// darker, for at 0 it may be infinite.
    pub(super) fn curve(&self, light: f64) -> (f64, f64) {
        if self.gamma == 1.0 {
            return (light, 1.0);
        }
        let share = light.clamp(0.5, WHITE) / WHITE;
        let level = WHITE * libm::pow(share, 1.0 / self.gamma);
        (level, level / (share * WHITE * self.gamma))
    }
}

/// 2²³: a number of 24 bits at least this large has no bits left for fractions.
const WHOLE: f32 = 8_388_608.0;

/// The nearest level, halves to the even one; what is no number ends at 0.
fn rounded(light: f32) -> u8 {
    // The sum is rounded to a whole number, which then are its lowest bits: no cast, so several at a time.
    (light.clamp(0.0, WHITE as f32) + WHOLE).to_bits() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(output: &Output, light: f32) -> u8 {
        let mut byte = [0];
        output.write(&[light], &mut byte, 1);
        byte[0]
    }

    #[test]
    fn levels_are_those_of_the_power_rounded() {
        for gamma in [0.1, 0.45, 1.0, 2.2, 10.0] {
            let output = Output::new(gamma);
            for step in 0..=20_000 {
                let light = f64::from(step) * 255.0 / 20_000.0;
                let exact = 255.0 * (light / 255.0).powf(1.0 / gamma);
                let level = f64::from(level(&output, light as f32));
                // Within rounding of the light to 24 bits, which the steepest curve multiplies.
                assert!((level - exact).abs() <= 0.5 + 1e-3, "γ {gamma}, light {light}: {level}, {exact}");
            }
        }
    }

    #[test]
    fn what_is_out_of_range_is_clipped() {
        for gamma in [0.5, 1.0, 2.2] {
            let output = Output::new(gamma);
            let levels = [-1e9, -3.0, 0.0, 255.0, 300.0, 1e9, f32::NAN].map(|light| level(&output, light));
            assert_eq!(levels, [0, 0, 0, 255, 255, 255, 0], "γ {gamma}");
        }
    }

    #[test]
    fn the_curve_has_its_slope() {
        for gamma in [0.45, 1.0, 2.2] {
            let output = Output::new(gamma);
            for light in [1.0, 40.0, 180.0, 250.0] {
                let step = 1e-4;
                let rise = (output.curve(light + step).0 - output.curve(light - step).0) / (2.0 * step);
                assert!((rise / output.curve(light).1 - 1.0).abs() < 1e-6, "γ {gamma}, light {light}");
            }
        }
    }
}
