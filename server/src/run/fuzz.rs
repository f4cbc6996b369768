//! The properties that the fuzzer checks of files that users write. The corpus is `fuzz/corpus/files`.

use std::path::Path;

use clap::{Args, Command, FromArgMatches};
use client::pipeline::{PipelineChoice, PipelineOptions};
use shared::lens::Correction;
use shared::tuned::{Tuned, filled};
use toml::de::DeTable;

use super::file::entries;
use super::layers::{FileKind, with_entries};
use super::meta::GivenMeta;
use super::{Origins, RunSpec};
use crate::calibrate::csv_file;
use crate::gate::Condition;
use crate::options::{self, TakesAll};
use crate::source::truth_file;
use crate::{sweep, tune};

/// The name of the file in errors.
const NAME: &str = "it";

/// Checks that a file is read, or refused with a reason; and that what is read is the same once it is written and read
/// again.
///
/// The first byte chooses the kind: a run's file, a camera's, metadata, a gate, a truth file, a plan, a correction, frames
/// for a calibration, a search's plan, or a setting (`best.toml`). The rest is the file.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    let Some((kind, file)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(file);
    match kind % 10 {
        0 => run(&text, FileKind::Run),
        1 => run(&text, FileKind::Camera),
        2 => meta(&text),
        3 => gate(&text),
        4 => truth(file),
        5 => sweep::fuzz::plan(&text),
        6 => correction(&text),
        7 => frames(file),
        8 => tune::fuzz::plan(&text),
        _ => setting(&text),
    }
}

fn run(text: &str, kind: FileKind) {
    match run_of(text, kind) {
        Ok(written) => match run_of(&written, FileKind::Run) {
            Ok(again) => assert_eq!(again, written),
            Err(wrong) => panic!("{wrong}: {written}"),
        },
        Err(wrong) => assert!(!wrong.is_empty()),
    }
}

/// The run of a file, as a file.
fn run_of(text: &str, kind: FileKind) -> Result<String, String> {
    let table = DeTable::parse(text).map_err(|wrong| wrong.to_string())?.into_inner();
    let command = RunSpec::augment_args(Command::new("run").no_binary_name(true));
    let command = options::completed(command, &TakesAll::of::<RunSpec>());
    let command = with_entries(command, Path::new(NAME), entries(&table)?, kind, &mut Origins::default());
    let matches = command.map_err(|wrong| wrong.to_string())?.try_get_matches_from([""; 0]);
    let spec = matches.and_then(|matches| RunSpec::from_arg_matches(&matches));
    Ok(spec.map_err(|wrong| wrong.to_string())?.to_toml())
}

fn meta(text: &str) {
    let Ok(table) = DeTable::parse(text) else { return };
    if let Ok(given) = GivenMeta::of_table(table.get_ref()) {
        let written = given.to_string();
        assert_eq!(written.parse::<GivenMeta>().map(|again| again.to_string()).ok(), Some(written));
    }
}

fn gate(text: &str) {
    match text.parse::<Condition>() {
        Ok(condition) => {
            let written = condition.to_string();
            assert_eq!(written.parse::<Condition>().ok(), Some(condition), "{written}");
        }
        Err(wrong) => assert!(!wrong.to_string().is_empty()),
    }
}

fn truth(file: &[u8]) {
    if let Err(wrong) = truth_file::check(file) {
        assert!(!wrong.to_string().contains(|one: char| one.is_control() && one != '\n'), "{wrong}");
    }
}

fn correction(text: &str) {
    let Ok(correction) = Correction::parse(text) else { return };
    let written = correction.to_text();
    let again = Correction::parse(&written).unwrap_or_else(|wrong| panic!("{wrong}: {written}"));
    assert_eq!(again.to_text(), written);
    for answer in [[0.0, 0.0], [320.0, 240.0], [-1e6, 1e6]] {
        if let Some(corrected) = correction.apply(answer, Some(20.0)) {
            assert!(corrected.centre.iter().all(|value| !value.is_nan()), "{:?}", corrected.centre);
        }
    }
}

fn setting(text: &str) {
    let is_plain = |text: &str| !text.is_empty() && !text.contains(|one: char| one.is_control() && one != '\n');
    match Tuned::parse(text) {
        Ok(tuned) => {
            // Names without values stay as they are.
            assert_eq!(filled(&tuned.pipeline, |_| None), tuned.pipeline);
            let pipeline = if tuned.pipeline.starts_with("exec:") { tuned.command() } else { tuned.pipeline.clone() };
            let parameters = tuned.numbers().map(|numbers| numbers.into_iter().collect());
            let options = parameters.map(|parameters| PipelineOptions { parameters, ..PipelineOptions::default() });
            let refused = match options {
                Ok(options) => PipelineChoice::new(&pipeline, options).err().map(|wrong| wrong.to_string()),
                Err(wrong) => Some(wrong),
            };
            assert!(refused.as_deref().is_none_or(is_plain), "{refused:?}");
        }
        Err(wrong) => assert!(is_plain(&wrong), "{wrong:?}"),
    }
}

fn frames(file: &[u8]) {
    if let Err(wrong) = csv_file::check(file) {
        assert!(!wrong.to_string().contains(|one: char| one.is_control() && one != '\n'), "{wrong}");
    }
}
