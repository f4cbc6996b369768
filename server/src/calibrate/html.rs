//! `calibration.html`: residual vectors, uncertainty over the image and a histogram before and after, as one page.

use std::fmt::Write;

use shared::text::Escaped;

use super::calibration::Found;
use super::print;
use super::residuals::area;

/// Width of a chart, in px of the page.
const WIDTH: f64 = 640.0;

/// Most residual vectors that are drawn.
const MOST_VECTORS: usize = 1_200;

/// Bars of the histogram.
const BARS: usize = 40;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}svg{width:100%;height:auto;border:1px solid #8886}pre{overflow-x:auto;font-size:13px}\
.before{fill:#d9822b99;stroke:none}.after{fill:#2b6cd999;stroke:none}line{stroke:#2b6cd9;stroke-width:1}\
text{font:11px system-ui,sans-serif;fill:currentColor}\
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181c}}";

/// The page.
pub(super) fn page(found: &Found) -> String {
    let table = escaped(&print::text(&found.calibration));
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Calibration: {title}</title><style>{STYLE}</style>\n\
         <h1>Calibration: {title}</h1>\n<pre>{table}</pre>\n{}\n{}\n{}\n</html>\n",
        vectors(found),
        uncertainty(found),
        histogram(found),
        title = escaped(&found.calibration.model),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Where each point of the image is drawn in the chart.
struct Frame {
    area: [f64; 4],
    scale: f64,
}

impl Frame {
    fn of(found: &Found) -> Self {
        let area = area(found.calibration.size, &found.placed);
        Self { area, scale: WIDTH / (area[2] - area[0]).max(f64::MIN_POSITIVE) }
    }

    fn height(&self) -> f64 {
        (self.scale * (self.area[3] - self.area[1])).clamp(40.0, 4.0 * WIDTH)
    }

    fn at(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.scale * (x - self.area[0]), self.scale * (y - self.area[1])]
    }
}

fn vectors(found: &Found) -> String {
    let frame = Frame::of(found);
    let largest = found.calibration.after.rms_px.max(1e-12);
    let times = 16.0 / largest;
    let every = found.placed.len().div_ceil(MOST_VECTORS).max(1);
    let mut svg = String::new();
    for (place, residual) in found.placed.iter().step_by(every) {
        let [x, y] = frame.at(*place);
        let _ = write!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            x + times * residual[0],
            y + times * residual[1]
        );
    }
    let shown = if every > 1 { format!(" of every {every}th frame") } else { String::new() };
    format!(
        "<h2>Residuals over the image</h2><svg viewBox=\"0 0 {WIDTH} {:.0}\">{svg}</svg>\
         <p>Answer minus model{shown}, drawn {:.0} times as long as it is.</p>",
        frame.height(),
        times / frame.scale
    )
}

fn uncertainty(found: &Found) -> String {
    let cells = &found.calibration.over_image;
    let known: Vec<f64> = cells.iter().filter_map(|cell| cell.uncertainty_px).collect();
    if known.is_empty() {
        return String::new();
    }
    let frame = Frame::of(found);
    let most = known.iter().fold(0.0_f64, |most, value| most.max(*value)).max(f64::MIN_POSITIVE);
    let mut svg = String::new();
    for cell in cells {
        let [left, top] = frame.at([cell.place_px[0], cell.place_px[1]]);
        let [right, bottom] = frame.at([cell.place_px[2], cell.place_px[3]]);
        let Some(value) = cell.uncertainty_px else { continue };
        let _ = write!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#2b6cd9\" fill-opacity=\"{:.2}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{:.1}</text>",
            right - left,
            bottom - top,
            0.05 + 0.75 * value / most,
            (left + right) / 2.0,
            (top + bottom) / 2.0 + 4.0,
            1e3 * value
        );
    }
    format!(
        "<h2>Uncertainty over the image</h2><svg viewBox=\"0 0 {WIDTH} {:.0}\">{svg}</svg>\
         <p>Standard deviation of where the model puts a point, in thousandths of a px.</p>",
        frame.height()
    )
}

fn histogram(found: &Found) -> String {
    let length = |[x, y]: &[f64; 2]| x.hypot(*y);
    let before: Vec<f64> = found.raw.iter().map(length).collect();
    let after: Vec<f64> = found.placed.iter().map(|(_, residual)| length(residual)).collect();
    let all = || before.iter().chain(&after).copied().filter(|value| *value > 0.0);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
    if low >= high {
        return String::new();
    }
    // Both may differ by orders of magnitude, so the axis is logarithmic.
    let (low, high) = (low.max(high * 1e-6).log10(), high.log10());
    let counts = |values: &[f64]| {
        let mut counts = [0_usize; BARS];
        for value in values {
            let at = (value.max(f64::MIN_POSITIVE).log10() - low) / (high - low) * BARS as f64;
            counts[(at.max(0.0) as usize).min(BARS - 1)] += 1;
        }
        counts
    };
    let (before, after) = (counts(&before), counts(&after));
    let most = before.iter().chain(&after).copied().max().unwrap_or(1).max(1) as f64;
    let (height, wide) = (200.0, WIDTH / BARS as f64);
    let mut svg = String::new();
    for (class, counts) in [("before", before), ("after", after)] {
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let tall = height * *count as f64 / most;
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\"/>",
                at as f64 * wide,
                height - tall,
                wide - 1.0
            );
        }
    }
    for decade in low.ceil() as i32..=high.floor() as i32 {
        let x = (f64::from(decade) - low) / (high - low) * WIDTH;
        let _ =
            write!(svg, "<text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">1e{decade} px</text>", height + 16.0);
    }
    let model = Escaped(&found.calibration.model).to_string();
    format!(
        "<h2>Before and after</h2><svg viewBox=\"0 0 {WIDTH} {:.0}\">{svg}</svg>\
         <p>Lengths of answer minus truth (orange) and of answer minus {} (blue), on a logarithmic axis.</p>",
        height + 24.0,
        escaped(&model)
    )
}
