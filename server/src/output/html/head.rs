//! The top of the page: verdict, gates, warnings and figures.

use super::facts::{Facts, SessionFacts};
use super::text::{escaped, number, or_dash, percent, short, time, whole};
use crate::gate::{GateVerdict, Verdict};
use crate::output::report::{Incomplete, IncompleteReason};

/// Sessions that have a row in the table: the latest ones.
const LISTED: usize = 200;

/// The verdict on the run.
pub(super) fn verdict(facts: &Facts<'_>) -> String {
    let worst = facts.gates.iter().map(|gate| gate.verdict).max();
    let of = |verdict: Verdict| facts.gates.iter().filter(|gate| gate.verdict == verdict).count();
    let (class, word) = match worst {
        Some(Verdict::Pass) => ("pass", "Pass".to_owned()),
        Some(Verdict::Inconclusive) => ("inconclusive", "Inconclusive".into()),
        Some(Verdict::NoData) => ("fail", "No data".into()),
        Some(Verdict::Fail) => ("fail", "Fail".into()),
        None => ("none", "No gates".into()),
    };
    let all = facts.gates.len();
    let words = match worst {
        None => "The run has no gate, so nothing was judged.".to_owned(),
        Some(Verdict::Pass) => format!("{all} of {all} gates pass."),
        Some(_) => {
            let others = [Verdict::Fail, Verdict::NoData, Verdict::Inconclusive];
            let others = others.into_iter().filter(|other| of(*other) > 0);
            let others: Vec<_> = others.map(|other| format!("{} {}", of(other), kind(other))).collect();
            format!("{} of {all} gates pass; {}.", of(Verdict::Pass), others.join(", "))
        }
    };
    format!("<p class=\"verdict {class}\" data-verdict=\"{class}\"><b>{word}</b> <span>{words}</span></p>\n")
}

fn kind(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData => "without data",
        Verdict::Fail => "failed",
    }
}

/// Says what is missing from the run's folder.
pub(super) fn incomplete(incomplete: Option<&Incomplete>) -> String {
    let Some(Incomplete { reason, not_written, unknown }) = incomplete else { return String::new() };
    let mut words = match reason {
        IncompleteReason::Running => "The run was still going on when this page was made.".to_owned(),
        IncompleteReason::BrokenOff => "The run broke off.".into(),
        IncompleteReason::NotWritten => "Some frames could not be written.".into(),
    };
    if *not_written > 0 {
        words += &format!(" {} frames that the sessions count are not on this page.", whole(*not_written));
    }
    if !unknown.is_empty() {
        words += &format!(" These figures are lost: {}.", escaped(unknown.join(", ")));
    }
    format!("<p class=\"verdict incomplete\" data-incomplete=\"1\"><b>Incomplete</b> <span>{words}</span></p>\n")
}

/// The gates.
pub(super) fn gates(gates: &[GateVerdict]) -> String {
    if gates.is_empty() {
        return String::new();
    }
    let rows: String = gates.iter().map(gate).collect();
    format!(
        "<section><h2>Gates</h2><div class=\"wide\"><table class=\"gates\"><thead><tr><th>verdict<th>condition<th>figure\
         <th>95\u{202f}% bounds<th>in words</thead><tbody>{rows}</tbody></table></div></section>\n"
    )
}

fn gate(gate: &GateVerdict) -> String {
    let class = match gate.verdict {
        Verdict::Pass => "pass",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData | Verdict::Fail => "fail",
    };
    let bounds = match (gate.low, gate.high) {
        (None, None) => "\u{2013}".into(),
        (low, high) => format!("{} to {}", or_dash(low), or_dash(high)),
    };
    format!(
        "<tr><td><b class=\"chip {class}\">{}</b><td><code>{}</code><td data-label=\"figure\">{}<td data-label=\"95\u{202f}% bounds\">{bounds}<td>{}",
        gate.verdict.describe().to_lowercase(),
        escaped(&gate.condition),
        gate.value.map_or("\u{2013}".into(), |value| number(value, 4)),
        escaped(&gate.message)
    )
}

/// The doctor's warnings for a session.
pub(super) fn warnings(session: &SessionFacts) -> String {
    let rows: String = session
        .warnings
        .iter()
        .map(|warning| {
            let kind = serde_json::to_value(warning.kind).unwrap_or_default();
            let (kind, message, advice) = (kind.as_str().unwrap_or_default(), &warning.message, &warning.advice);
            let name = kind.replace('_', " ");
            format!(
                "<li data-warning=\"{kind}\"><b>{name}</b> <span>{}</span> <em>{}</em></li>",
                escaped(message),
                escaped(advice)
            )
        })
        .collect();
    if rows.is_empty() { String::new() } else { format!("<ul class=\"warnings\">{rows}</ul>\n") }
}

/// The table of sessions, for a run with several of them.
pub(super) fn sessions(facts: &Facts<'_>) -> String {
    if facts.count() < 2 {
        return String::new();
    }
    let mut rows: Vec<String> = facts.sessions().map(|session| row(&session)).collect();
    let left_out = facts.count() - rows.len().min(LISTED) as u64;
    rows.drain(..rows.len().saturating_sub(LISTED));
    let more = if left_out > 0 {
        format!("<p>{} earlier sessions are not listed.</p>", whole(left_out))
    } else {
        String::new()
    };
    format!(
        "<section><h2>Sessions</h2><div class=\"wide\"><table><thead><tr><th>session<th>client<th>end<th>frames<th>lost\
         <th>mean error, px<th>latency p50<th>p99<th>gates<th>warnings</thead><tbody>{}</tbody></table></div>{more}</section>\n",
        rows.concat()
    )
}

fn row(session: &SessionFacts) -> String {
    let worst = session.gates.iter().map(|gate| gate.verdict).max().map_or("\u{2013}", Verdict::describe);
    let count = |path: &str| session.figure(path).map_or("\u{2013}".into(), |count| whole(count as u64));
    let latency = |path: &str| session.figure(path).map_or("\u{2013}".into(), time);
    format!(
        "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}",
        session.number,
        client(session),
        end(session),
        count("frames.sent"),
        count("frames.lost"),
        or_dash(session.figure("error_px.l1.mean")),
        latency("latency_us.p50"),
        latency("latency_us.p99"),
        worst.to_lowercase(),
        session.warnings.len()
    )
}

/// The client of a session.
pub(super) fn client(session: &SessionFacts) -> String {
    let part = |path: &str| session.text(path).map(escaped);
    match (part("client.name"), part("client.version")) {
        (Some(name), Some(version)) => format!("{name} {version}"),
        _ => "unknown client".into(),
    }
}

/// How a session ended.
pub(super) fn end(session: &SessionFacts) -> String {
    let kind = session.text("end.kind").unwrap_or("unknown").replace('_', " ");
    let reason = session.text("end.reason").map_or(String::new(), |reason| format!(": {}", escaped(reason)));
    escaped(kind) + &reason
}

/// A figure's label, its path in the report, and how its value is written.
type Tile<'a> = (&'a str, &'a str, &'a dyn Fn(f64) -> String);

/// The figures of a session.
pub(super) fn tiles(task: &str, session: &SessionFacts) -> String {
    let px = |value: f64| format!("{}\u{202f}px", short(value));
    let times = |value: f64| format!("{}\u{202f}\u{d7}", short(value));
    let db = |value: f64| format!("{}\u{202f}dB", short(value));
    let plain = |value: f64| short(value);
    let own: &[Tile<'_>] = match task {
        "circle" => &[
            ("mean error", "error_px.l1.mean", &px),
            ("error / limit", "error_px.efficiency", &times),
            ("bias x", "error_px.bias.x", &px),
            ("bias y", "error_px.bias.y", &px),
            ("NEES (1 is right)", "error_px.nees", &plain),
        ],
        "count" => &[
            ("counts exact", "count.exact_share", &percent),
            ("mean error, balls", "count.mean_error", &plain),
            ("mean magnitude, balls", "count.mean_absolute_error", &plain),
        ],
        "image" => &[("mean PSNR", "image.psnr_db.mean", &db), ("least PSNR", "image.psnr_db.min", &db)],
        _ => &[],
    };
    let counted = |value: f64| whole(value as u64);
    let rate = |value: f64| format!("{}\u{202f}Hz", short(value));
    let all: [Tile<'_>; 6] = [
        ("frames sent", "frames.sent", &counted),
        ("lost", "frames.lost_rate", &percent),
        ("answers per second", "fps.answered", &rate),
        ("latency, median", "latency_us.p50", &time),
        ("latency, 99\u{202f}%", "latency_us.p99", &time),
        ("missed", "frames.missed", &counted),
    ];
    let shown = own.iter().chain(&all).filter_map(|(name, path, form)| {
        let value = form(session.figure(path)?);
        let bounds =
            session.bounds(path).map_or(String::new(), |[low, high]| format!("{} to {}", form(low), form(high)));
        Some(format!("<div data-figure=\"{path}\"><b>{value}</b><span>{name}</span><small>{bounds}</small></div>"))
    });
    format!("<div class=\"tiles\">{}</div>\n", shown.collect::<String>())
}
