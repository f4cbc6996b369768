//! The tables, in Markdown.

use std::fmt::{self, Display, Write};

use crate::marks::{Figures, rate};
use crate::row::Row;

/// What was run, and on which machine.
pub(crate) struct Run {
    /// OpenCV's version; `None` if it was left out.
    pub(crate) opencv: Option<String>,
    /// Frames of a condition at 640x480.
    pub(crate) frames: u64,
}

/// All tables of these rows.
pub(crate) fn write(run: &Run, rows: &[Row]) -> Result<String, fmt::Error> {
    let mut out = String::new();
    let (discs, empty): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.hough.discs > 0);
    head(&mut out, run)?;
    if !discs.is_empty() {
        accuracy(&mut out, &discs)?;
        goals(&mut out, &discs)?;
    }
    if !empty.is_empty() {
        false_positives(&mut out, &empty)?;
    }
    if run.opencv.is_some() {
        settings(&mut out, rows)?;
    }
    Ok(out)
}

fn head(out: &mut String, run: &Run) -> fmt::Result {
    writeln!(
        out,
        "{} frames a condition at 640x480, a fifth at 1920x1080, of seeds that nothing was tuned on. Errors are mean \
         L1 in px over the frames not missed; missed means no circle, or one more than 5 px off. The limit is the mean of \
         the frames' Cramér–Rao bounds; without noise it is a reference only, since rounding is not random. `hough` runs \
         at its default options{}\n",
        run.frames,
        run.opencv.as_deref().map_or_else(|| ".".to_owned(), opponent),
    )
}

fn opponent(version: &str) -> String {
    format!(
        "; OpenCV {version} is told the true range of radii and runs at the setting that suits each condition best (last \
         table). Times are medians on one thread of {}, gray frame to circle, blur included, all going round through the \
         same 64 MiB of frames in turns.",
        processor()
    )
}

fn accuracy(out: &mut String, rows: &[&Row]) -> fmt::Result {
    let head = [
        "condition",
        "limit",
        "hough",
        "ratio",
        "OpenCV G",
        "OpenCV ALT",
        "missed hough",
        "G",
        "ALT",
        "µs hough",
        "classic",
        "G",
        "ALT",
        "G / hough",
    ];
    table(
        out,
        &head,
        rows.iter().map(|row| {
            let theirs = row.opencv.as_ref();
            let missed =
                |figures: Option<&Figures>| figures.map_or_else(|| "–".to_owned(), |it| percent(it.missed_rate().0));
            let [gradient, alt] = [theirs.map(|theirs| &theirs.gradient), theirs.map(|theirs| &theirs.alt)];
            let times = |time: fn(&crate::timing::Times) -> f64, digits| shown(row.times.as_ref().map(time), digits);
            vec![
                row.name.clone(),
                px(row.hough.limit_px),
                px(row.hough.mean_px),
                shown(row.hough.ratio(), 3),
                px(gradient.and_then(|figures| figures.mean_px)),
                px(alt.and_then(|figures| figures.mean_px)),
                missed(Some(&row.hough)),
                missed(gradient),
                missed(alt),
                times(|times| times.hough_us, 0),
                times(|times| times.classic_us, 0),
                times(|times| times.gradient_us, 0),
                times(|times| times.alt_us, 0),
                shown(faster(row), 1),
            ]
        }),
    )
}

fn goals(out: &mut String, rows: &[&Row]) -> fmt::Result {
    writeln!(out, "The goals and further measurements of `hough`:\n")?;
    let head = [
        "condition",
        "ratio",
        "missed (95 % bound)",
        "µs",
        "times faster than G",
        "times closer than G",
        "p99 px",
        "worst px",
        "squared error / own covariance",
    ];
    table(
        out,
        &head,
        rows.iter().map(|row| {
            let (goals, hough) = (&row.goals, &row.hough);
            let (missed, bound) = hough.missed_rate();
            let missed_text = format!("{} of {} (< {})", hough.missed, hough.discs, percent(bound));
            let theirs_px = row.opencv.as_ref().and_then(|theirs| theirs.gradient.mean_px);
            let closer = theirs_px.zip(hough.mean_px).map(|(theirs, ours)| theirs / ours);
            vec![
                row.name.clone(),
                at_most(hough.ratio(), goals.ratio, |ratio| format!("{ratio:.3}")),
                rate_at_most(missed, goals.missed, &missed_text),
                at_most(row.times.map(|times| times.hough_us), goals.time_us, |time| format!("{time:.0}")),
                at_least(faster(row), goals.faster),
                at_least(closer, goals.closer),
                px(hough.p99_px),
                px(Some(hough.worst_px)),
                shown(hough.nees, 2),
            ]
        }),
    )
}

/// Frames without a disc, and in how many of them our detector and OpenCV's two methods found one.
type Finds = (u64, u64, Option<[u64; 2]>);

fn false_positives(out: &mut String, rows: &[&Row]) -> fmt::Result {
    writeln!(out, "Frames without a disc, in which any circle is a false positive:\n")?;
    let head = ["condition", "frames", "hough", "share (95 % bound)", "OpenCV G", "OpenCV ALT"];
    let finds = |row: &Row| -> Finds {
        let theirs = row.opencv.as_ref().map(|it| [it.gradient.false_positives, it.alt.false_positives]);
        (row.hough.empty, row.hough.false_positives, theirs)
    };
    let each = rows.iter().map(|row| (row.name.as_str(), None, finds(row)));
    let all = rows.iter().map(|row| finds(row)).reduce(|(frames, ours, theirs), (more, our_more, their_more)| {
        let theirs = theirs.zip(their_more).map(|([gradient, alt], more)| [gradient + more[0], alt + more[1]]);
        (frames + more, ours + our_more, theirs)
    });
    // All of them share one goal.
    let goal = rows.first().and_then(|row| row.goals.false_positives);
    let cells = |(name, goal, (frames, ours, theirs)): (&str, Option<f64>, Finds)| {
        let (rate, bound) = rate(ours, frames);
        let share = rate_at_most(rate, goal, &format!("{} (< {})", percent(rate), percent(bound)));
        let [gradient, alt] = [0, 1].map(|method| theirs.map_or_else(|| "–".to_owned(), |it| it[method].to_string()));
        vec![name.to_owned(), frames.to_string(), ours.to_string(), share, gradient, alt]
    };
    table(out, &head, each.chain(all.map(|all| ("all", goal, all))).map(cells))
}

fn settings(out: &mut String, rows: &[Row]) -> fmt::Result {
    writeln!(out, "OpenCV's settings:\n")?;
    let cells = |row: &Row| {
        let [gradient, alt] = row.opencv.as_ref()?.settings.map(|setting| setting.to_string());
        Some(vec![row.name.clone(), gradient, alt])
    };
    table(out, &["condition", "HOUGH_GRADIENT (G)", "HOUGH_GRADIENT_ALT (ALT)"], rows.iter().filter_map(cells))
}

fn table(out: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> fmt::Result {
    writeln!(out, "| {} |", head.join(" | "))?;
    writeln!(out, "|{}", "---|".repeat(head.len()))?;
    for cells in rows {
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    writeln!(out)
}

fn faster(row: &Row) -> Option<f64> {
    row.times.map(|times| times.gradient_us / times.hough_us)
}

fn at_most(figure: Option<f64>, goal: Option<f64>, show: impl Fn(f64) -> String) -> String {
    judged(figure, goal, |figure, goal| figure <= goal, show, |goal| format!("≤ {goal}"))
}

fn rate_at_most(rate: f64, goal: Option<f64>, shown: &str) -> String {
    let is_met = |rate, goal| rate <= goal;
    judged(Some(rate), goal, is_met, |_| shown.to_owned(), |goal| format!("≤ {}", percent(goal)))
}

fn at_least(figure: Option<f64>, goal: Option<f64>) -> String {
    let is_met = |figure, goal| figure >= goal;
    judged(figure, goal, is_met, |figure| format!("{figure:.1}"), |goal| format!("≥ {goal}"))
}

/// The figure and, if there is a goal, whether it is met.
fn judged(
    figure: Option<f64>,
    goal: Option<f64>,
    is_met: impl Fn(f64, f64) -> bool,
    show: impl Fn(f64) -> String,
    show_goal: impl Fn(f64) -> String,
) -> String {
    match (figure, goal) {
        (None, None) => "–".to_owned(),
        (Some(figure), None) => show(figure),
        (None, Some(goal)) => format!("– (goal {})", show_goal(goal)),
        (Some(figure), Some(goal)) => {
            let verdict = if is_met(figure, goal) { "met" } else { "**not met**" };
            format!("{} ({}: {verdict})", show(figure), show_goal(goal))
        }
    }
}

fn px(value: Option<f64>) -> String {
    // Three significant digits, for ten-thousandths as for whole pixels.
    match value {
        Some(px) if px >= 0.1 => format!("{px:.2}"),
        Some(px) if px >= 0.001 => format!("{px:.4}"),
        value => shown(value, 5),
    }
}

fn percent(rate: f64) -> String {
    match 100.0 * rate {
        0.0 => "0".to_owned(),
        percent if percent >= 1.0 => format!("{percent:.1} %"),
        percent => format!("{percent:.3} %"),
    }
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

/// The processor's name.
fn processor() -> impl Display {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}
