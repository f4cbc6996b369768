//! The picture of a frame, the marks on it, and the legend that says what they mean.

use embedded_graphics::prelude::{Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use super::colour::Colours;
use super::layout::Layout;
use super::placement::{Placement, Scale};
use super::stroke::Line;
use super::surface::Canvas;
use super::text::{Font, Side};
use super::theme;
use crate::geometry::{Circle, CircleEstimate};
use crate::image::Image;

/// Width of a cross's lines.
const STROKE_PX: f64 = 1.6;
/// Arm of the truth's cross. It is longer than the estimate's arm, so that it stays visible under the estimate's cross.
const TRUTH_ARM_PX: f64 = 11.0;
/// Arm of the estimate's cross.
const ESTIMATE_ARM_PX: f64 = 7.0;

/// A circle to mark on the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    /// Solid outline and upright cross.
    Truth(Circle),
    /// Dashed outline and diagonal cross, so that the truth shows through. Without a radius there is no outline.
    Estimate(CircleEstimate),
}

/// Which marks the legend explains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Legend {
    /// No marks.
    #[default]
    Nothing,
    /// Only an estimate.
    Estimate,
    /// The truth and an estimate.
    Both,
    /// No marks, but these words.
    Words(&'static str),
}

impl Canvas {
    /// Draws the picture, or a text in its place, and the marks on it. A picture with 16 bits has these colours.
    pub fn view(&mut self, layout: &Layout, image: Option<&Image>, colours: Option<&Colours>, marks: &[Mark]) {
        self.fill(layout.view, theme::MAT);
        match image {
            Some(image) if image.size() == layout.frame => self.draw_image(image, colours, layout.picture),
            _ => self.text_in_the_middle("no frame yet", layout.view),
        }
        self.within(layout.view, |canvas| {
            // Shadows first, so that none falls on another mark.
            marks.iter().for_each(|mark| canvas.shadow(layout.picture, *mark));
            marks.iter().for_each(|mark| canvas.mark(layout.picture, *mark));
        });
    }

    fn text_in_the_middle(&mut self, text: &str, area: Rectangle) {
        let (width, height) = (text.len() as u32 * Font::Label.advance(), Font::Label.height());
        let room = area.size.saturating_sub(Extent::new(width, height)) / 2;
        self.text(text, area.top_left + room, Side::Left, Font::Label, theme::MUTED);
    }

    /// Darkens the surroundings of a mark's cross, which may be on a bright disc.
    fn shadow(&mut self, picture: Placement, mark: Mark) {
        let width = STROKE_PX + 2.0;
        match mark {
            Mark::Truth(c) => self.upright_cross(picture.point(c.x, c.y), TRUTH_ARM_PX, width, theme::MAT),
            Mark::Estimate(c) => self.diagonal_cross(picture.point(c.x, c.y), ESTIMATE_ARM_PX, width, theme::MAT),
        }
    }

    fn mark(&mut self, picture: Placement, mark: Mark) {
        match mark {
            Mark::Truth(circle) => {
                self.circle_outline(picture.circle(circle), 2.0, Line::Solid, theme::TRUTH);
                self.upright_cross(picture.point(circle.x, circle.y), TRUTH_ARM_PX, STROKE_PX, theme::TRUTH);
            }
            Mark::Estimate(estimate) => {
                if let Some(circle) = estimate.circle() {
                    self.circle_outline(picture.circle(circle), 2.0, Line::Dashed, theme::ESTIMATE);
                }
                let centre = picture.point(estimate.x, estimate.y);
                self.diagonal_cross(centre, ESTIMATE_ARM_PX, STROKE_PX, theme::ESTIMATE);
            }
        }
    }

    /// Draws the legend under the picture: the meaning of the marks, the scale of the picture, and its colours if it has
    /// 16 bits.
    pub fn legend(&mut self, layout: &Layout, legend: Legend, colours: Option<&Colours>) {
        let Rectangle { top_left, size } = layout.view;
        let y = top_left.y + size.height as i32 + 12;
        let mut x = top_left.x;
        if legend == Legend::Both {
            self.upright_cross(middle_of_sign(x, y), 5.0, STROKE_PX, theme::TRUTH);
            x = self.word_of_legend("truth", x, y);
        }
        if let Legend::Words(words) = legend {
            self.text(words, Point::new(x, y), Side::Left, Font::Note, theme::TEXT);
        }
        if matches!(legend, Legend::Estimate | Legend::Both) {
            self.diagonal_cross(middle_of_sign(x, y), 5.0, STROKE_PX, theme::ESTIMATE);
            self.word_of_legend("estimate", x, y);
        }
        let shown = match layout.picture.scale {
            Scale::Up(1) => format!("{}", layout.frame),
            Scale::Up(by) => format!("{}, shown {by}×", layout.frame),
            Scale::Down(by) => format!("{}, shown 1:{by}", layout.frame),
        };
        let shown = colours.map_or(shown.clone(), |colours| format!("{shown}, {colours}"));
        let right = top_left.x + size.width as i32;
        self.text(&shown, Point::new(right, y), Side::Right, Font::Note, theme::MUTED);
    }

    /// Writes the meaning of a sign at `x`. Returns where the next sign goes.
    fn word_of_legend(&mut self, word: &str, x: i32, y: i32) -> i32 {
        self.text(word, Point::new(x + 18, y), Side::Left, Font::Note, theme::TEXT);
        x + 18 + (word.len() as u32 * Font::Note.advance()) as i32 + 20
    }
}

fn middle_of_sign(x: i32, y: i32) -> (f64, f64) {
    (f64::from(x) + 6.0, f64::from(y) + 6.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Size;

    #[test]
    fn marks_stay_in_the_picture_area() {
        let layout = Layout::opening(Size { width: 640, height: 480 }, Size { width: 1366, height: 768 });
        let circle = Circle { x: -10.0, y: 475.0, radius: 300.0 };
        let mut plain = layout.canvas();
        plain.view(&layout, None, None, &[]);
        let mut marked = layout.canvas();
        marked.view(&layout, None, None, &[Mark::Truth(circle), Mark::Estimate(circle.into())]);
        assert_ne!(plain, marked);
        marked.fill(layout.view, theme::MAT);
        plain.fill(layout.view, theme::MAT);
        assert_eq!(plain, marked);
    }

    #[test]
    fn an_estimate_without_a_radius_is_a_cross_without_an_outline() {
        let layout = Layout::opening(Size { width: 640, height: 480 }, Size { width: 1366, height: 768 });
        let drawn = |marks: &[Mark]| {
            let mut canvas = layout.canvas();
            canvas.view(&layout, None, None, marks);
            canvas
        };
        let estimate = |radius| Mark::Estimate(CircleEstimate { x: 100.0, y: 80.0, radius });
        let [plain, mut without, mut with] =
            [vec![], vec![estimate(None)], vec![estimate(Some(40.0))]].map(|m| drawn(&m));
        assert_ne!(without, plain, "a cross");
        let (x, y) = layout.picture.point(100.0, 80.0);
        let cross = Rectangle::new(Point::new(x as i32 - 12, y as i32 - 12), Extent::new(25, 25));
        without.fill(cross, theme::MAT);
        with.fill(cross, theme::MAT);
        assert_eq!(without, plain, "nothing but a cross");
        assert_ne!(with, plain, "an outline around the cross");
    }
}
