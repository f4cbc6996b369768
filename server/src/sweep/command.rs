//! The command that runs one trial alone. It gives the same frames and the same figures of accuracy.

use std::fmt::Write;

use client::pipeline::{AUTO, RadiusLimits};
use shared::text::quoted;

use super::plan::{Answerer, Plan, Trial};

/// The command of a trial, for a shell.
pub(super) fn of(plan: &Plan, trial: &Trial) -> String {
    let arguments = plan.arguments(trial);
    let server = |more: &str| format!("server --no-graphics {more} {} --json report.json", joined(&arguments));
    match plan.pipeline.answerer(&trial.pipeline) {
        Answerer::Named(name) if name == AUTO && options(plan).is_empty() => server("--loopback"),
        Answerer::Named(name) => {
            let client = format!("client --no-graphics --pipeline {}{}", quoted(name), options(plan));
            format!("{} &\n{client} 127.0.0.1:8080", server("--once"))
        }
        Answerer::Client(command) => {
            format!("{} &\nPLUMB_SERVER=127.0.0.1:8080 sh -c {}", server("--once"), quoted(command))
        }
        Answerer::Function { file, name } => in_python(&arguments, &file.display().to_string(), &name, plan),
    }
}

/// The pipeline's options, in the form of the client's command line.
fn options(plan: &Plan) -> String {
    let RadiusLimits { min, max, .. } = plan.pipeline.radii;
    let mut text = String::new();
    for (name, radius) in [("min-radius", min), ("max-radius", max)] {
        if let Some(radius) = radius {
            // Writing into a string does not fail.
            let _ = write!(text, " --{name} {radius}");
        }
    }
    if let Some(time) = plan.pipeline.timeout {
        let _ = write!(
            text,
            " --pipeline-timeout {}",
            quoted(humantime::format_duration(time).to_string().replace(' ', ""))
        );
    }
    text
}

fn joined(arguments: &[(String, String)]) -> String {
    let words = arguments.iter().map(|(name, text)| quoted(format!("--{}={text}", name.replace('_', "-"))));
    words.collect::<Vec<_>>().join(" ")
}

/// The Python package evaluates a function in the same way.
fn in_python(arguments: &[(String, String)], file: &str, name: &str, plan: &Plan) -> String {
    let options = arguments.iter().map(|(id, text)| {
        let value = match text.as_str() {
            "true" => "True".into(),
            "false" => "False".into(),
            number if number.parse::<f64>().is_ok_and(f64::is_finite) => number.to_owned(),
            text => format!("{text:?}"),
        };
        format!("{id}={value}")
    });
    let code = format!(
        "import plumb, runpy; print(plumb.evaluate(runpy.run_path({file:?})[{name:?}], {}))",
        options.collect::<Vec<_>>().join(", ")
    );
    format!("{} -c {}", quoted(&plan.pipeline.python), quoted(code))
}
