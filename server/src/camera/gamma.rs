//! The sensor's output: gamma, clipping, and finally rounding to 8 bits.
//!
//! A level is `255 · (light / 255)^(1/γ)`, rounded to the nearest integer. No pixel is raised to a power: its light is
//! compared with the 255 lights at which the level changes, `255 · ((level − ½) / 255)^γ`. This is exact and quick.

use super::config::WHITE;

/// Cells per level of linear light. The search for a level starts at the light's cell.
const CELLS_PER_LEVEL: f32 = 4.0;

/// The curve from light to levels.
#[derive(Clone, Debug)]
pub(super) struct Output {
    gamma: f64,
    /// Smallest light of each level; the first is below all light. Empty for γ = 1.
    least: Vec<f32>,
    /// Level of the darkest light of each cell.
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
        let cells = (WHITE as f32 * CELLS_PER_LEVEL) as usize + 1;
        let start = |cell: usize| (least.partition_point(|&limit| limit <= cell as f32 / CELLS_PER_LEVEL) - 1) as u8;
        let starts = (0..cells).map(start).collect();
        Self { gamma, least, starts }
    }

    /// Writes the levels of a row of light into every `stride`-th byte. Levels outside 0 to 255 are clipped.
    pub(super) fn write(&self, line: &[f32], bytes: &mut [u8], stride: usize) {
        match (self.least.is_empty(), stride) {
            // The compiler vectorises this loop over adjacent bytes.
            (true, 1) => bytes.iter_mut().zip(line).for_each(|(byte, &light)| *byte = rounded(light)),
            (true, _) => bytes.iter_mut().step_by(stride).zip(line).for_each(|(byte, &light)| *byte = rounded(light)),
            (false, _) => {
                bytes.iter_mut().step_by(stride).zip(line).for_each(|(byte, &light)| *byte = self.level(light));
            }
        }
    }

    /// The level of a light, for a gamma other than 1.
    fn level(&self, light: f32) -> u8 {
        let cell = ((light * CELLS_PER_LEVEL) as usize).min(self.starts.len() - 1);
        let mut level = usize::from(self.starts[cell]);
        while level < 255 && light >= self.least[level + 1] {
            level += 1;
        }
        level as u8
    }

    /// The level before rounding, and the slope of the curve, at a light. Below a light of ½ the values at ½ are
    /// returned, because the slope at 0 may be infinite.
    pub(super) fn curve(&self, light: f64) -> (f64, f64) {
        if self.gamma == 1.0 {
            return (light, 1.0);
        }
        let share = light.clamp(0.5, WHITE) / WHITE;
        let level = WHITE * libm::pow(share, 1.0 / self.gamma);
        (level, level / (share * WHITE * self.gamma))
    }
}

/// 2²³: an `f32`, which has 24 bits, has no fraction bits from here on.
const WHOLE: f32 = 8_388_608.0;

/// The nearest level, with halves rounded to even. NaN becomes 0.
fn rounded(light: f32) -> u8 {
    // The addition rounds to an integer, which is then in the lowest bits. Without a cast the loop vectorises.
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
    fn levels_are_the_rounded_power_of_the_light() {
        for gamma in [0.1, 0.45, 1.0, 2.2, 10.0] {
            let output = Output::new(gamma);
            for step in 0..=20_000 {
                let light = f64::from(step) * 255.0 / 20_000.0;
                let exact = 255.0 * (light / 255.0).powf(1.0 / gamma);
                let level = f64::from(level(&output, light as f32));
                // The steepest curve multiplies the rounding of the light to 24 bits.
                assert!((level - exact).abs() <= 0.5 + 1e-3, "γ {gamma}, light {light}: {level}, {exact}");
            }
        }
    }

    #[test]
    fn light_out_of_range_is_clipped() {
        for gamma in [0.5, 1.0, 2.2] {
            let output = Output::new(gamma);
            let levels = [-1e9, -3.0, 0.0, 255.0, 300.0, 1e9, f32::NAN].map(|light| level(&output, light));
            assert_eq!(levels, [0, 0, 0, 255, 255, 255, 0], "γ {gamma}");
        }
    }

    #[test]
    fn the_slope_is_the_derivative_of_the_curve() {
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
