//! `server calibrate`: fits the model that maps truth to answers, with the uncertainty of its parameters.
//!
//! `input` reads a run's folder (`run_folder`) or a CSV file (`csv_file`) into sets of `observation`s, each with the
//! `track` of its truth. `calibration` checks them and fits the model of a `choice`: a `problem` has the residuals and
//! their derivatives, `start` gives the initial parameters, `solve` minimises, `fit` finds outliers and judges the
//! model by `statistics` and the `pattern` of its residuals, and `told` decides which parameters the data determine.
//! `reference` measures how large a pipeline's errors are. `validate` holds out frames and poses, `residuals`
//! summarises, and `verify` applies the correction to a second run. `describe` makes the `result`; `print`, `yaml` and
//! `html` write it, into a `place`. The maps themselves are [`shared::lens`].

mod calibration;
mod choice;
pub(crate) mod csv_file;
mod describe;
mod error;
mod fit;
mod html;
mod input;
mod observation;
mod options;
mod pattern;
mod place;
#[cfg(test)]
mod planted;
mod print;
mod problem;
mod reference;
mod residuals;
mod result;
mod run_folder;
#[cfg(test)]
mod simulation;
mod solve;
mod start;
mod statistics;
#[cfg(test)]
mod tests;
mod told;
mod track;
mod validate;
mod verify;
mod yaml;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use shared::lens::Correction;
use shared::shell::exit::Exit;
use shared::shell::standard::{named_stdout, unless_reader_left};
use shared::text::Escaped;

use self::calibration::{Asked, Found};
use self::observation::Set;
use crate::output::identity::{refuse_one_for_two, spare_inputs};
use crate::output::part::{self, put_all};

pub use choice::ModelChoice;
pub use error::CalibrateError;
pub use options::CalibrateOptions;
pub use result::Calibration;

/// Calibrates the runs that the options name, and writes the results.
pub fn run(options: &CalibrateOptions) -> Exit {
    Exit::unless_failed(calibrated(options), CalibrateError::is_usage)
}

fn calibrated(options: &CalibrateOptions) -> Result<Exit, CalibrateError> {
    spared(options)?;
    let found = found(options)?;
    write(options, &found)?;
    let fails = found.calibration.fits == Some(false) && options.strict;
    Ok(if fails { Exit::GateFailed } else { Exit::Fine })
}

/// Checks that the result overwrites nothing that is read, that somebody else wrote, or that is of the result too.
fn spared(options: &CalibrateOptions) -> Result<(), CalibrateError> {
    let files = options.out.as_deref().map(place::files);
    let files = files.iter().flatten().map(|path| ("--out", path.as_path()));
    let outputs: Vec<_> = options.json.iter().map(|path| ("--json", path.as_path())).chain(files).collect();
    refuse_one_for_two(&outputs).map_err(CalibrateError::Usage)?;
    let runs = options.inputs.iter().map(|path| ("RUN", path.as_path()));
    let more = [("--reference", &options.reference), ("--verify", &options.verify)];
    let more = more.into_iter().filter_map(|(option, path)| Some((option, path.as_deref()?)));
    spare_inputs(&outputs, &runs.chain(more).collect::<Vec<_>>()).map_err(CalibrateError::Usage)?;
    options.out.as_deref().map_or(Ok(()), place::check)
}

/// Calibrates the runs that the options name. Returns the result and the correction, and writes nothing.
///
/// # Errors
/// [`CalibrateError`] if something cannot be read, or if there are too few data.
pub fn calibration(options: &CalibrateOptions) -> Result<(Calibration, Correction), CalibrateError> {
    found(options).map(|found| (found.calibration, found.correction))
}

fn found(options: &CalibrateOptions) -> Result<Found, CalibrateError> {
    let CalibrateOptions { model, distortion, focal, target, size, .. } = *options;
    let sets = options.inputs.iter().map(|path| input::read(path)).collect::<Result<Vec<_>, _>>()?;
    let sets = if model.has_poses() { sets.into_iter().flat_map(Set::by_pose).collect() } else { sets };
    if let Some(set) = sets.iter().find(|set| set.poses().len() > 1) {
        let wrong = format!(
            "{} shows the plane in {} poses: write --model camera, or name a run without --poses",
            Escaped(&set.name),
            set.poses().len()
        );
        return Err(CalibrateError::Usage(wrong));
    }
    let sigma = options.reference.as_deref().map(reference::sigma).transpose()?;
    let mut found = calibration::calibrate(&sets, &Asked { model, distortion, focal, target, size, sigma })?;
    if let Some(second) = &options.verify {
        let size = found.calibration.size;
        found.calibration.verified = Some(verify::verified(second, &found.correction, size)?);
    }
    Ok(found)
}

fn write(options: &CalibrateOptions, found: &Found) -> Result<(), CalibrateError> {
    // Names, texts and finite numbers always have a JSON form.
    let json = || shared::json::to_string_pretty(&found.calibration).unwrap_or_default() + "\n";
    if let Some(folder) = &options.out {
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let files = [
            (place::CORRECTION, Some(found.correction.to_text())),
            (place::RESULT, Some(json())),
            (place::PAGE, Some(html::page(found))),
            // The one of an earlier calibration does not stay beside the results of another model.
            (place::CAMERA, yaml::text(found)),
        ];
        put_all(folder, &files).map_err(|(name, error)| failed(&folder.join(name), error))?;
    }
    let is_stdout = options.json.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if is_stdout {
        named_stdout().map_err(|error| failed(Path::new("-"), error))?;
    }
    if let Some(path) = &options.json {
        put(path, &json())?;
    }
    if is_stdout { Ok(()) } else { put(Path::new("-"), &print::text(&found.calibration)) }
}

/// Writes a file. `-` means standard output.
fn put(path: &Path, text: &str) -> Result<(), CalibrateError> {
    let written = if path.as_os_str() == "-" {
        unless_reader_left(io::stdout().write_all(text.as_bytes()))
    } else {
        part::write(path, text)
    };
    written.map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: io::Error) -> CalibrateError {
    let place = if path.as_os_str() == "-" { "stdout".into() } else { Escaped(path.display()).to_string() };
    CalibrateError::Write { what: format!("the calibration to {place}"), error }
}
