//! Draws charts as SVG: axes, lines, bands, dots and bars.
//!
//! Every chart is a figure of 440 × 260 units: one fits on a phone, and two fit side by side on a desktop. Colours are
//! classes of the page's style sheet, so a chart suits light mode, dark mode and print.

use std::fmt::Write;

use super::text::{coordinate, number, words};

/// Size of a chart.
const SIZE: [f64; 2] = [440.0, 260.0];

/// The corners of the area between the axes: left, top, right, bottom.
const AREA: [f64; 4] = [48.0, 12.0, 430.0, 218.0];

/// An axis with its label and range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis<'a> {
    pub(crate) label: &'a str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) is_log: bool,
}

/// A chart that is being drawn.
#[derive(Debug)]
pub(crate) struct Plot<'a> {
    x: Axis<'a>,
    y: Axis<'a>,
    body: String,
    legend: Vec<(&'a str, String)>,
    /// Whether the y axis only counts rows.
    has_rows: bool,
    /// The names of the values 0, 1, 2 and so on of the x axis, if it has names instead of numbers.
    names: Option<Vec<String>>,
}

impl<'a> Axis<'a> {
    /// A linear axis.
    pub(crate) fn linear(label: &'a str, from: f64, to: f64) -> Self {
        let (from, to) = (drawable(from), drawable(to));
        let to = if to > from { to } else { from + 1.0 };
        Self { label, from, to, is_log: false }
    }

    /// A logarithmic axis, for positive numbers.
    pub(crate) fn log(label: &'a str, from: f64, to: f64) -> Self {
        let (from, to) = (drawable(from.max(1e-9)), drawable(to));
        let to = if to > from * 1.01 { to } else { from * 10.0 };
        Self { label, from, to, is_log: true }
    }

    /// The position of a value on the axis, from 0 to 1. Values outside the range are placed at its ends.
    fn share(&self, value: f64) -> f64 {
        let share = if self.is_log {
            (value.max(f64::MIN_POSITIVE) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        share.clamp(0.0, 1.0)
    }

    /// Round values along the axis.
    fn ticks(&self) -> Vec<f64> {
        if self.is_log {
            let decades = (self.from.log10().floor() as i32)..=(self.to.log10().ceil() as i32);
            let steps: &[f64] = if decades.clone().count() > 4 { &[1.0] } else { &[1.0, 2.0, 5.0] };
            let all = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
            return all.filter(|tick| (self.from * 0.999..=self.to * 1.001).contains(tick)).collect();
        }
        let rough = (self.to - self.from) / 5.0;
        let decade = 10_f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * decade >= rough * 0.999).unwrap_or(10.0) * decade;
        let first = (self.from / step).ceil() as i64;
        (first..first + 12).map(|place| place as f64 * step).take_while(|tick| *tick <= self.to + step * 1e-6).collect()
    }
}

/// A number that an axis can end at: whole numbers up to 2⁵³ are exact, so ticks of any step are different numbers.
fn drawable(value: f64) -> f64 {
    const FARTHEST: f64 = (1_u64 << 53) as f64;
    if value.is_nan() { 0.0 } else { value.clamp(-FARTHEST / 10.0, FARTHEST / 10.0) }
}

impl<'a> Plot<'a> {
    /// An empty chart with these axes.
    pub(crate) fn new(x: Axis<'a>, y: Axis<'a>) -> Self {
        Self { x, y, body: String::new(), legend: Vec::new(), has_rows: false, names: None }
    }

    /// An empty chart with the same scale on both axes. It is centred at (`x`, `y`) and reaches `reach` up and down.
    pub(crate) fn square(labels: [&'a str; 2], [x, y]: [f64; 2], reach: f64) -> Self {
        let aside = reach * (AREA[2] - AREA[0]) / (AREA[3] - AREA[1]);
        // y points down, as in pictures.
        let down = Axis { label: labels[1], from: y + reach, to: y - reach, is_log: false };
        Self::new(Axis::linear(labels[0], x - aside, x + aside), down)
    }

    /// Makes the y axis count rows from the top, without ticks.
    pub(crate) fn without_y(self, [first, last]: [f64; 2]) -> Self {
        Self { y: Axis { label: "", from: last, to: first, is_log: false }, has_rows: true, ..self }
    }

    /// Makes the x axis show these names at 0, 1, 2 and so on.
    pub(crate) fn with_names(self, names: Vec<String>) -> Self {
        Self { names: Some(names), ..self }
    }

    fn at(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [left, top, right, bottom] = AREA;
        [left + self.x.share(x) * (right - left), bottom - self.y.share(y) * (bottom - top)]
    }

    fn path(&mut self, class: &str, points: impl Iterator<Item = [f64; 2]>, end: &str) {
        let mut text = String::new();
        for (place, point) in points.enumerate() {
            let [x, y] = self.at(point);
            text.push(if place == 0 { 'M' } else { 'L' });
            coordinate(&mut text, x);
            text.push(' ');
            coordinate(&mut text, y);
        }
        if !text.is_empty() {
            // Writing into a string does not fail.
            let _ = write!(self.body, "<path class=\"{class}\" d=\"{text}{end}\"/>");
        }
    }

    /// A line through points.
    pub(crate) fn line(&mut self, class: &str, points: impl Iterator<Item = [f64; 2]>) {
        self.path(&format!("line {class}"), points, "");
    }

    /// An area between two lines, given by points (x, lower, upper).
    pub(crate) fn band(&mut self, class: &str, points: impl DoubleEndedIterator<Item = [f64; 3]> + Clone) {
        let below = points.clone().map(|[x, low, _]| [x, low]);
        let above = points.rev().map(|[x, _, high]| [x, high]);
        self.path(&format!("band {class}"), below.chain(above), "Z");
    }

    /// A dot for each point. Points outside the axes are drawn at the edge.
    pub(crate) fn dots(&mut self, class: &str, points: impl Iterator<Item = [f64; 2]>) {
        let mut text = String::new();
        for point in points {
            let [x, y] = self.at(point);
            text.push('M');
            coordinate(&mut text, x);
            text.push(' ');
            coordinate(&mut text, y);
            text.push_str("h0");
        }
        if !text.is_empty() {
            // Writing into a string does not fail.
            let _ = write!(self.body, "<path class=\"dots {class}\" d=\"{text}\"/>");
        }
    }

    /// A rectangle between two corners, with an opacity from 0 to 1.
    pub(crate) fn cell(&mut self, class: &str, one: [f64; 2], other: [f64; 2], strength: f64, title: &str) {
        let ([x0, y0], [x1, y1]) = (self.at(one), self.at(other));
        let (x, y, width, height) = (x0.min(x1), y0.min(y1), (x1 - x0).abs(), (y1 - y0).abs());
        let title = if title.is_empty() { String::new() } else { format!("<title>{}</title>", words(title)) };
        let opacity = if strength < 0.995 { format!(" fill-opacity=\"{strength:.2}\"") } else { String::new() };
        // Writing into a string does not fail.
        let _ = write!(
            self.body,
            "<rect class=\"cell {class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"{opacity}>{title}</rect>"
        );
    }

    /// A bar from `from` up to `to`.
    pub(crate) fn bar(&mut self, class: &str, [left, right]: [f64; 2], [from, to]: [f64; 2], title: &str) {
        if to > from {
            self.cell(class, [left, from], [right, to], 1.0, title);
        }
    }

    /// An ellipse around a point, with axes in the unit of the x axis.
    pub(super) fn ellipse(&mut self, class: &str, centre: [f64; 2], axes: super::moments::Axes) {
        let [x, y] = self.at(centre);
        let unit = (AREA[2] - AREA[0]) / (self.x.to - self.x.from);
        // Writing into a string does not fail.
        let _ = write!(
            self.body,
            "<ellipse class=\"line {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" rx=\"{:.2}\" ry=\"{:.2}\" transform=\"rotate({:.1} {x:.1} {y:.1})\"/>",
            axes.long * unit,
            axes.short * unit,
            axes.degrees
        );
    }

    /// A cross at a point.
    pub(crate) fn cross(&mut self, class: &str, at: [f64; 2]) {
        let [x, y] = self.at(at);
        // Writing into a string does not fail.
        let _ = write!(self.body, "<path class=\"line {class}\" d=\"M{:.1} {y:.1}h14m-7 -7v14\"/>", x - 7.0);
    }

    /// A text at a point, beginning (`start`), centred (`middle`) or ending (`end`) there.
    pub(crate) fn label(&mut self, at: [f64; 2], anchor: &str, text: &str) {
        let [x, y] = self.at(at);
        // Writing into a string does not fail.
        let _ = write!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            y + 4.0,
            words(text)
        );
    }

    /// Adds a class to the legend below the chart.
    pub(crate) fn explain(&mut self, class: &'a str, text: impl Into<String>) {
        self.legend.push((class, text.into()));
    }

    /// The chart as a figure with a name, a heading, and what it shows in words (HTML).
    pub(crate) fn figure(self, name: &str, heading: &str, caption: &str) -> String {
        let grid = self.grid();
        let keys: String = self
            .legend
            .iter()
            .map(|(class, text)| format!("<span><i class=\"key {class}\"></i>{}</span>", words(text)))
            .collect();
        let [width, height] = SIZE;
        let label = words(heading);
        format!(
            "<figure class=\"chart\" data-chart=\"{name}\"><h3>{label}</h3><svg viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-label=\"{label}\">{grid}<g class=\"data\">{}</g></svg><div class=\"legend\">{keys}</div><figcaption>{caption}</figcaption></figure>\n",
            self.body
        )
    }

    /// The axes, with their ticks.
    fn grid(&self) -> String {
        let [left, top, right, bottom] = AREA;
        let mut text = String::from("<g class=\"axes\">");
        let named =
            self.names.as_ref().map(|names| names.iter().enumerate().map(|(at, name)| (at as f64, words(name))));
        let ticks: Vec<(f64, String)> = match named {
            Some(named) => named.collect(),
            None => self.x.ticks().into_iter().map(|tick| (tick, number(tick, 3))).collect(),
        };
        for (tick, shown) in ticks {
            let [x, _] = self.at([tick, self.y.from]);
            text += &format!(
                "<path d=\"M{x:.1} {top}V{bottom}\"/><text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{shown}</text>",
                bottom + 14.0
            );
        }
        let (low, high) = (self.y.from.min(self.y.to), self.y.from.max(self.y.to));
        let ticks = if self.has_rows { Vec::new() } else { Axis { from: low, to: high, ..self.y }.ticks() };
        for tick in ticks {
            let [_, y] = self.at([self.x.from, tick]);
            let shown = number(tick, 3);
            text += &format!(
                "<path d=\"M{left} {y:.1}H{right}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{shown}</text>",
                left - 5.0,
                y + 4.0
            );
        }
        let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
        text += &format!(
            "<text class=\"name\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            SIZE[1] - 8.0,
            words(self.x.label)
        );
        text += &format!(
            "<text class=\"name\" transform=\"translate(11 {y}) rotate(-90)\" text-anchor=\"middle\">{}</text></g>",
            words(self.y.label)
        );
        text
    }
}

/// An empty figure that says why there is nothing to show.
pub(crate) fn nothing(name: &str, heading: &str, why: &str) -> String {
    format!(
        "<figure class=\"chart none\" data-chart=\"{name}\"><h3>{}</h3><figcaption>{}</figcaption></figure>\n",
        words(heading),
        words(why)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(Axis::linear("", 0.0, 1.0).ticks(), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(Axis::linear("", -3.0, 7.0).ticks(), [-2.0, 0.0, 2.0, 4.0, 6.0]);
        assert_eq!(Axis::log("", 0.01, 0.1).ticks(), [0.01, 0.02, 0.05, 0.1]);
        assert!(Axis::linear("", 5.0, 5.0).ticks().len() > 1, "an axis of one value has a length");
    }

    #[test]
    fn an_axis_of_any_numbers_has_few_ticks_all_of_them_finite() {
        let ends =
            [0.0, 1.0, -1.0, 1e-320, 1e16, 1e300, f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
        for (from, to) in ends.into_iter().flat_map(|from| ends.map(|to| (from, to))) {
            for axis in [Axis::linear("", from, to), Axis::log("", from, to)] {
                let ticks = axis.ticks();
                assert!(ticks.len() <= 60 && ticks.iter().all(|tick| tick.is_finite()), "{from} to {to}: {ticks:?}");
                assert!((0.0..=1.0).contains(&axis.share(from.max(0.5))), "{from} to {to}");
            }
        }
    }

    #[test]
    fn points_outside_the_axes_are_drawn_at_the_edge() {
        let mut plot = Plot::new(Axis::linear("x", 0.0, 1.0), Axis::linear("y", 0.0, 1.0));
        plot.dots("some", [[2.0, 9.0], [-1.0, -7.0]].into_iter());
        assert!(plot.body.contains("M430 12h0M48 218h0"), "{}", plot.body);
    }
}
