//! Builds the page.

use std::fmt::Write;

use serde_json::Value;

use super::bad::Bad;
use super::facts::{Facts, SessionFacts};
use super::gathered::{CHARTED, Gathered};
use super::pictures::{Picture, Pictures, pictures};
use super::text::{escaped, whole};
use super::{charts, head};
use crate::output::Steps;
use crate::output::worst::Ring;
use crate::source::{self, NUMBERED_FRAMES};

/// The content security policy. It allows only the styles and pictures that are part of the page.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// The styles.
const STYLE: &str = include_str!("style.css");

/// Builds the page of a run from its report (JSON), the text of its `run.toml`, and the data gathered from its frames.
/// Frames that are rendered again count as steps.
pub(in crate::output) fn page(report: &str, run_toml: &str, gathered: &Gathered, steps: &Steps) -> String {
    let Some(facts) = Facts::read(report) else { return framed("Plumb", "<p>There is no report.</p>") };
    let pictures = pictures(gathered, steps);
    let title = format!("Plumb: {}, {}", gathered.task, escaped(facts.config("source").as_str().unwrap_or("run")));
    let mut text =
        format!("<header><h1>{title}</h1><p class=\"sub\">{}</p></header>\n<main>", subtitle(&facts, run_toml));
    text += &head::verdict(&facts);
    text += &head::incomplete(facts.incomplete.as_ref());
    text += &head::gates(&facts.gates);
    text += &head::sessions(&facts);
    text += &sessions(&facts, gathered, &pictures);
    text += &worst(gathered, &pictures);
    text += &configuration(&facts, run_toml);
    framed(&title, &(text + "</main>"))
}

/// A whole page: its head with policy and styles, and this body. Both texts are HTML.
pub(crate) fn framed(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><link rel=\"icon\" href=\"data:,\"><style>\n{STYLE}</style></head>\n<body>{body}</body></html>\n"
    )
}

/// One line: version, seed, size, when and where.
fn subtitle(facts: &Facts<'_>, run_toml: &str) -> String {
    let version = escaped(facts.run["version"].as_str().unwrap_or_default());
    let size = ["width", "height"].map(|side| facts.config(side).as_u64().unwrap_or_default());
    let mut words = format!("Plumb {version} · seed {} · {}x{}\u{202f}px", facts.run["seed"], size[0], size[1]);
    for line in comments(run_toml) {
        words += &format!(" · {}", escaped(line));
    }
    words
}

/// When and where the run started, as the comments of `run.toml` say.
fn comments(run_toml: &str) -> impl Iterator<Item = &str> {
    ["# started: ", "# machine: "]
        .into_iter()
        .filter_map(|start| run_toml.lines().find_map(|line| line.strip_prefix(start)))
}

/// The sessions that have charts, one after the other.
fn sessions(facts: &Facts<'_>, gathered: &Gathered, pictures: &Pictures) -> String {
    let mut text = String::new();
    let (mut charted, mut others) = (0, Vec::new());
    for session in facts.sessions() {
        match gathered.sessions.iter().find(|frames| frames.number == session.number) {
            Some(frames) => {
                charted += 1;
                text += &opened(&session);
                text += &head::tiles(gathered.task.name(), &session);
                text += &head::warnings(&session);
                let charts = charts::of_session(gathered.task, frames, &session, &pictures.contrasts);
                text += &format!("<div class=\"charts\">{charts}</div></section>\n");
            }
            None if others.len() < CHARTED => others.push(session),
            None => {}
        }
    }
    if charted == 0 {
        for session in &others {
            text +=
                &format!("{}<p class=\"nothing\">No frame of this session counts.</p></section>\n", opened(session));
        }
        if others.is_empty() {
            text +=
                "<section><h2>Sessions</h2><p class=\"nothing\">No client came: there was no session.</p></section>\n";
        }
    } else if facts.count() > charted {
        text += &format!("<p class=\"nothing\">The first {CHARTED} sessions that sent a frame have charts.</p>\n");
    }
    text
}

fn opened(session: &SessionFacts) -> String {
    let (number, client, end) = (session.number, head::client(session), head::end(session));
    let link = session.text("client.link").map_or(String::new(), |link| format!(" · link {}", escaped(link)));
    format!("<section data-session=\"{number}\"><h2>Session {number}</h2><p class=\"sub\">{client}{link} · {end}</p>\n")
}

/// The worst frames.
fn worst(gathered: &Gathered, pictures: &Pictures) -> String {
    let frames: Vec<_> = gathered.worst.shown().collect();
    if frames.is_empty() {
        return String::new();
    }
    let several = gathered.sessions.len() > 1;
    let is_computed = source::is_computed(&gathered.spec.sent.source);
    let mut text = String::from("<section><h2>Worst frames</h2><div class=\"worst\">");
    for (place, bad) in frames.iter().enumerate() {
        let picture = pictures.worst.get(place).and_then(Option::as_ref);
        let session = if several { format!("session {}, ", bad.session) } else { String::new() };
        let drawn = match picture {
            Some(picture) => drawn(picture, bad),
            None if is_computed && bad.source_index >= NUMBERED_FRAMES => format!(
                "<p class=\"nothing\">no picture: only the first {} frames of a source are rendered again</p>",
                whole(NUMBERED_FRAMES)
            ),
            None => "<p class=\"nothing\">no picture</p>".into(),
        };
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "<figure class=\"bad\">{drawn}<figcaption>{session}frame {}<br>{}</figcaption></figure>",
            whole(bad.id),
            bad.what
        );
    }
    let has_places = frames.iter().any(|bad| bad.rings.truth.is_some() || bad.rings.estimate.is_some());
    let keys = "<div class=\"legend\"><span><i class=\"key truth\"></i>truth</span><span><i class=\"key estimate\"></i>estimate</span></div>";
    let words = match (pictures.worst.iter().flatten().count(), is_computed) {
        (0, _) => "No picture of these frames was kept.",
        (_, true) => "The pictures are these frames, rendered again.",
        (shown, _) if shown < frames.len() => "The pictures were kept during the run. Some were lost.",
        _ => "The pictures were kept during the run.",
    };
    text + "</div>" + if has_places { keys } else { "" } + "<p class=\"note\">" + words + "</p></section>\n"
}

/// A picture with truth and estimate, in the frame's own units.
fn drawn(picture: &Picture, bad: &Bad) -> String {
    let Picture { data, area: [left, top, width, height] } = picture;
    let ring = |ring: &Option<Ring>, class: &str| {
        let Some(([x, y], radius)) = ring else { return String::new() };
        let circle = radius.map_or(String::new(), |radius| {
            format!("<circle class=\"{class}\" cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius:.2}\"/>")
        });
        // A cross of a fixed length marks the centre.
        circle + &format!("<path class=\"{class}\" d=\"M{:.2} {y:.2}h6m-3 -3v6\"/>", x - 3.0)
    };
    format!(
        "<svg viewBox=\"{left} {top} {width} {height}\" role=\"img\" aria-label=\"frame {}\"><image href=\"{data}\" x=\"{left}\" y=\"{top}\" \
         width=\"{width}\" height=\"{height}\" preserveAspectRatio=\"none\"/>{}{}</svg>",
        bad.id,
        ring(&bad.rings.truth, "truth"),
        ring(&bad.rings.estimate, "estimate")
    )
}

/// Every option of the run, and how to run it again.
fn configuration(facts: &Facts<'_>, run_toml: &str) -> String {
    let mut rows = String::new();
    let unused = facts.config("unused_options").as_array().cloned().unwrap_or_default();
    for (name, value) in facts.run["config"].as_object().into_iter().flatten() {
        let is_shown = !value.is_null() && name != "unused_options" && !unused.iter().any(|unused| unused == name);
        if is_shown && name != "camera" {
            rows += &format!("<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(said(value)));
        }
    }
    let file: String =
        run_toml.lines().filter(|line| !line.starts_with('#')).map(|line| line.to_owned() + "\n").collect();
    // Line breaks are kept; everything else is escaped.
    let file: String = file.lines().map(|line| escaped(line) + "\n").collect();
    format!(
        "<section><h2>Configuration</h2><p>The same frames again: <code>server --run run.toml</code></p>\
         <dl class=\"options\">{rows}</dl>\
         <details><summary>run.toml</summary><pre>{file}</pre></details></section>\n"
    )
}

/// A value of the configuration as text.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(said).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}
