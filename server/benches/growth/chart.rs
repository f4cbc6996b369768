//! Draws the tables as a chart in SVG: four panels with logarithmic scales, and the name of each line at its end.

use std::fmt::{self, Write};

use crate::Growth;
use crate::point::Point;

/// Sizes of the chart and of the panels, in px.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 640.0;
const PANEL_WIDTH: f64 = 330.0;
const PANEL_HEIGHT: f64 = 210.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 60.0;

/// Distances between the origins of two panels.
const ACROSS: f64 = 480.0;
const DOWN: f64 = 310.0;

/// Smallest distance between two names at the right.
const NAME_HEIGHT: f64 = 15.0;

/// Colours of the lines, which colour-blind people can distinguish (Okabe and Ito, 2008).
const COLOURS: [&str; 3] = ["#0072b2", "#e69f00", "#d55e00"];

/// A panel: lines over named places on the x axis.
struct Panel {
    title: &'static str,
    places: Vec<String>,
    lines: Vec<(&'static str, Vec<f64>)>,
}

/// Draws all points as SVG.
pub(crate) fn draw(growth: &Growth) -> Result<String, fmt::Error> {
    let paced: Vec<_> = growth.sizes.iter().map(|(paced, _)| paced.clone()).collect();
    let clients = |point: &Point| point.setting.clients.to_string();
    let size = |point: &Point| point.setting.size.to_string();
    let rates = |point: fn(&(Point, Point)) -> f64| growth.sizes.iter().map(point).collect();
    let unpaced = Panel {
        title: "Unpaced, by size of the frames",
        places: paced.iter().map(size).collect(),
        lines: vec![
            ("frames/s", rates(|(_, unpaced)| unpaced.frames_per_s)),
            ("MB/s", rates(|(_, unpaced)| unpaced.frames_per_s * unpaced.setting.size.pixels() as f64 / 1e6)),
        ],
    };
    let panels = [
        latency("Latency in ms, by clients at 30 frames/s", &growth.clients, clients),
        cpu("Processor time per frame in µs, by clients", &growth.clients, clients),
        latency("Latency in ms at 30 frames/s, by size of the frames", &paced, size),
        unpaced,
    ];
    let mut out = String::new();
    writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="#333">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>"##
    )?;
    for (index, panel) in panels.iter().enumerate().filter(|(_, panel)| !panel.places.is_empty()) {
        let (column, row) = ((index % 2) as f64, (index / 2) as f64);
        writeln!(out, r#"<g transform="translate({} {})">"#, LEFT + column * ACROSS, TOP + row * DOWN)?;
        panel.draw(&mut out)?;
        writeln!(out, "</g>")?;
    }
    writeln!(out, "</svg>")?;
    Ok(out)
}

fn latency(title: &'static str, points: &[Point], place: impl Fn(&Point) -> String) -> Panel {
    let values = |figure: fn(&Point) -> f64| points.iter().map(figure).collect();
    let lines = vec![
        ("p50", values(|point| point.p50_ms)),
        ("p99", values(|point| point.p99_ms)),
        ("p99.9", values(|point| point.p999_ms)),
    ];
    Panel { title, places: points.iter().map(place).collect(), lines }
}

fn cpu(title: &'static str, points: &[Point], place: impl Fn(&Point) -> String) -> Panel {
    let values = |side: usize| points.iter().map(|point| point.cpu_us[side]).collect();
    Panel {
        title,
        places: points.iter().map(place).collect(),
        lines: vec![("server", values(0)), ("client", values(1))],
    }
}

impl Panel {
    fn draw(&self, out: &mut String) -> fmt::Result {
        let (low, high) = self.decades();
        let y = |value: f64| PANEL_HEIGHT * (1.0 - (value.max(low).log10() - low.log10()) / (high / low).log10());
        let steps = (self.places.len() - 1).max(1) as f64;
        let x = |place: usize| PANEL_WIDTH * place as f64 / steps;
        writeln!(out, r#"<text x="0" y="-22" font-size="14" font-weight="bold">{}</text>"#, self.title)?;
        for value in ticks(low, high) {
            let (y, colour) = (y(value), if value.log10().fract() == 0.0 { "#bbb" } else { "#eee" });
            writeln!(out, r#"<line x2="{PANEL_WIDTH}" y1="{y:.1}" y2="{y:.1}" stroke="{colour}"/>"#)?;
            writeln!(out, r#"<text x="-8" y="{:.1}" text-anchor="end">{value}</text>"#, y + 4.0)?;
        }
        for (place, name) in self.places.iter().enumerate() {
            let (x, below) = (x(place), PANEL_HEIGHT + 18.0);
            writeln!(out, r#"<text x="{x:.1}" y="{below}" text-anchor="middle" font-size="10">{name}</text>"#)?;
        }
        for ((_, values), colour) in self.lines.iter().zip(COLOURS) {
            let places: Vec<_> = values.iter().enumerate().map(|(i, v)| (x(i), y(*v))).collect();
            let line: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            writeln!(out, r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#, line.join(" "))?;
            for (x, y) in places {
                writeln!(out, r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"/>"#)?;
            }
        }
        self.name_lines(out, y)
    }

    /// Writes the names of the lines at their right ends, from the top down, without overlap.
    fn name_lines(&self, out: &mut String, y: impl Fn(f64) -> f64) -> fmt::Result {
        let end = |values: &[f64]| values.last().map_or(0.0, |value| y(*value));
        let mut names: Vec<_> =
            self.lines.iter().zip(COLOURS).map(|((name, values), colour)| (end(values), *name, colour)).collect();
        names.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut free = f64::NEG_INFINITY;
        for (y, name, colour) in names {
            let y = y.max(free);
            free = y + NAME_HEIGHT;
            writeln!(out, r#"<text x="{}" y="{:.1}" fill="{colour}">{name}</text>"#, PANEL_WIDTH + 10.0, y + 4.0)?;
        }
        Ok(())
    }

    /// Ends of a scale that holds all values: 1, 2 or 5 times a power of ten. They are at least a factor of ten apart,
    /// so that small differences look small.
    fn decades(&self) -> (f64, f64) {
        let all = || self.lines.iter().flat_map(|(_, values)| values.iter().copied()).filter(|value| *value > 0.0);
        let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
        if most <= 0.0 {
            return (1.0, 10.0);
        }
        let mut around: Vec<_> = ticks(least / 10.0, most * 10.0).collect();
        around.sort_by(f64::total_cmp);
        let low = around.iter().rev().find(|tick| **tick <= least).copied().unwrap_or(least);
        let high = around.iter().find(|tick| **tick >= most && **tick > low).copied().unwrap_or(most);
        (low.min(high / 10.0), high)
    }
}

/// All numbers from `low` to `high` that are 1, 2 or 5 times a power of ten.
fn ticks(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let powers = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
    let all = powers.flat_map(|power| {
        // Parsed, not multiplied, so that it is 0.2 and not 0.2000…01.
        [1, 2, 5].into_iter().filter_map(move |digit| format!("{digit}e{power}").parse::<f64>().ok())
    });
    all.filter(move |tick| (low * 0.999..=high * 1.001).contains(tick))
}
