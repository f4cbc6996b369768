//! Antialiased lines, circles and crosses at sub-pixel positions.
//!
//! A pixel takes the share `½ + width/2 − distance` of the colour, clamped to `[0, 1]`. The distance is from the
//! pixel's centre to the middle of the stroke. Numbers that are not finite draw nothing.

use std::f64::consts::TAU;
use std::ops::{Range, RangeInclusive};

use embedded_graphics::pixelcolor::Rgb888;

use super::surface::{Canvas, blended};
use crate::geometry::Circle;

/// Length of a dash and the gap after it together, in canvas px.
const DASH_PERIOD_PX: f64 = 14.0;

/// Style of a circle's outline: solid, or dashed so that another one shows through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The whole outline.
    Solid,
    /// Every other piece of the outline, in at least four pieces.
    Dashed,
}

impl Canvas {
    /// A straight line with round ends between two points `(x, y)`.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), width: f64, colour: Rgb888) {
        let reach = width / 2.0 + 0.5;
        let Some(columns) = span(from.0.min(to.0) - reach, from.0.max(to.0) + reach, &self.clip.0) else { return };
        let Some(rows) = span(from.1.min(to.1) - reach, from.1.max(to.1) + reach, &self.clip.1) else { return };
        for row in rows {
            for column in columns.clone() {
                let distance = distance_to_segment((f64::from(column), f64::from(row)), from, to);
                self.blend(column, row, colour, reach - distance);
            }
        }
    }

    /// The outline of a circle in canvas coordinates.
    pub fn circle_outline(&mut self, circle: Circle, width: f64, line: Line, colour: Rgb888) {
        let Circle { x, y, radius } = circle;
        let reach = width / 2.0 + 0.5;
        let Some(rows) = span(y - radius - reach, y + radius + reach, &self.clip.1) else { return };
        let dashes = (TAU * radius / DASH_PERIOD_PX).round().max(4.0);
        for row in rows {
            let dy = f64::from(row) - y;
            let (outer, inner) = (half_chord(radius + reach, dy), half_chord((radius - reach).max(0.0), dy));
            let Some(columns) = span(x - outer, x + outer, &self.clip.0) else { continue };
            for column in columns {
                let dx = f64::from(column) - x;
                if dx.abs() >= inner && (line == Line::Solid || in_dash(dy.atan2(dx), dashes)) {
                    self.blend(column, row, colour, reach - (length(dx, dy) - radius).abs());
                }
            }
        }
    }

    /// An upright cross, `+`, with arms of this length in canvas px.
    pub fn upright_cross(&mut self, (x, y): (f64, f64), arm: f64, width: f64, colour: Rgb888) {
        self.line((x - arm, y), (x + arm, y), width, colour);
        self.line((x, y - arm), (x, y + arm), width, colour);
    }

    /// A diagonal cross, `×`, with arms of this length in canvas px.
    pub fn diagonal_cross(&mut self, (x, y): (f64, f64), arm: f64, width: f64, colour: Rgb888) {
        let d = arm * std::f64::consts::FRAC_1_SQRT_2;
        self.line((x - d, y - d), (x + d, y + d), width, colour);
        self.line((x - d, y + d), (x + d, y - d), width, colour);
    }

    /// Blends a pixel of the canvas with a colour, by a share clamped to `[0, 1]`.
    fn blend(&mut self, column: u32, row: u32, colour: Rgb888, share: f64) {
        if share > 0.0 {
            let pixel = &mut self.row_mut(row as usize)[column as usize];
            *pixel = blended(*pixel, colour, share.min(1.0));
        }
    }
}

/// The pixels of `limit` whose centres lie in `[low, high]`; `None` if there are none.
fn span(low: f64, high: f64, limit: &Range<u32>) -> Option<RangeInclusive<u32>> {
    if low.is_nan() || high.is_nan() {
        return None;
    }
    let (low, high) = (low.ceil().max(limit.start.into()), high.floor().min(f64::from(limit.end) - 1.0));
    (low <= high).then_some(low as u32..=high as u32)
}

fn in_dash(angle: f64, dashes: f64) -> bool {
    (angle / TAU * dashes).rem_euclid(1.0) < 0.5
}

fn half_chord(radius: f64, distance: f64) -> f64 {
    ((radius - distance) * (radius + distance)).max(0.0).sqrt()
}

fn distance_to_segment((x, y): (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let (run, rise) = (to.0 - from.0, to.1 - from.1);
    let length_squared = run * run + rise * rise;
    let along = (x - from.0) * run + (y - from.1) * rise;
    let share = if length_squared > 0.0 { (along / length_squared).clamp(0.0, 1.0) } else { 0.0 };
    length(x - from.0 - share * run, y - from.1 - share * rise)
}

/// Like `hypot`, which is slower because it handles sizes that no canvas has.
fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Rgb888 = Rgb888::new(255, 255, 255);

    fn level(canvas: &Canvas, column: u32, row: u32) -> u32 {
        canvas.pixels()[(row * canvas.width() + column) as usize] & 0xff
    }

    #[test]
    fn an_outline_on_the_grid_is_symmetric_and_one_pixel_wide() {
        let mut canvas = Canvas::new(21, 21);
        canvas.circle_outline(Circle { x: 10.0, y: 10.0, radius: 6.0 }, 1.0, Line::Solid, WHITE);
        for (x, y) in (0..21).flat_map(|y| (0..21).map(move |x| (x, y))) {
            assert_eq!(level(&canvas, x, y), level(&canvas, 20 - x, y));
            assert_eq!(level(&canvas, x, y), level(&canvas, y, x));
        }
        assert_eq!([15, 16, 17, 10].map(|x| level(&canvas, x, 10)), [0, 255, 0, 0]);
    }

    #[test]
    fn half_a_pixel_shares_the_outline_between_neighbours() {
        let mut canvas = Canvas::new(21, 21);
        canvas.circle_outline(Circle { x: 10.5, y: 10.0, radius: 6.0 }, 1.0, Line::Solid, WHITE);
        assert_eq!([15, 16, 17, 18].map(|x| level(&canvas, x, 10)), [0, 128, 128, 0]);
    }

    #[test]
    fn a_dashed_outline_draws_about_half_of_a_solid_one() {
        let ink = |line| {
            let mut canvas = Canvas::new(101, 101);
            canvas.circle_outline(Circle { x: 50.0, y: 50.0, radius: 40.0 }, 1.5, line, WHITE);
            canvas.pixels().iter().filter(|&&pixel| pixel != 0).count() as f64
        };
        let share = ink(Line::Dashed) / ink(Line::Solid);
        assert!((0.45..0.55).contains(&share), "{share}");
    }

    #[test]
    fn crosses_meet_in_their_middle() {
        let mut canvas = Canvas::new(11, 11);
        canvas.upright_cross((5.0, 5.0), 3.0, 1.0, WHITE);
        assert_eq!([(5, 5), (2, 5), (5, 8), (3, 3), (1, 5)].map(|(x, y)| level(&canvas, x, y)), [255, 255, 255, 0, 0]);
        let mut canvas = Canvas::new(11, 11);
        canvas.diagonal_cross((5.0, 5.0), 4.0, 1.0, WHITE);
        assert_eq!([(5, 5), (3, 3), (3, 7), (5, 8)].map(|(x, y)| level(&canvas, x, y)), [255, 255, 255, 0]);
    }

    #[test]
    fn points_off_the_canvas_or_not_finite_draw_nothing() {
        let mut canvas = Canvas::new(8, 8);
        for v in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300] {
            canvas.line((v, 4.0), (v, v), 1.0, WHITE);
            canvas.upright_cross((v, v), 5.0, 1.0, WHITE);
            canvas.circle_outline(Circle { x: v, y: 4.0, radius: 2.0 }, 1.0, Line::Solid, WHITE);
            canvas.circle_outline(Circle { x: 4.0, y: 4.0, radius: v }, 1.0, Line::Dashed, WHITE);
        }
        assert!(canvas.pixels().iter().all(|&pixel| pixel == 0));
    }
}
