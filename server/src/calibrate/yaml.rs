//! `camera.yaml`: a camera in the file that OpenCV's `FileStorage`, ROS's `camera_info` and PyYAML read.
//!
//! Each matrix is a map with `rows`, `cols`, `dt: d` and `data`, without OpenCV's tag, and the header is `%YAML 1.2`:
//! OpenCV's own `%YAML:1.0` is not valid YAML, and without a header OpenCV 4.10 refuses the file. Numbers have 17
//! digits. Keys that begin with `plumb_` are Plumb's, and other readers ignore them.

use std::fmt::Write;

use shared::geometry::Size;
use shared::lens::{Distortion, Form};

use super::calibration::Found;

/// The text of the file; `None` for a model without a lens, or without a size.
pub(super) fn text(found: &Found) -> Option<String> {
    let size = found.calibration.size?;
    let (pinhole, kind, coefficients): ([f64; 4], Distortion, &[f64]) = match found.form {
        Form::Lensed { given, distortion } => {
            ([given.fx, given.fy, given.cx, given.cy], distortion, &found.values[8..])
        }
        Form::Camera(distortion) | Form::Undistorted(distortion) => {
            let terms = distortion.coefficients().len();
            let p = &found.values;
            ([p[0], p[1], p[2], p[3]], distortion, &p[4..4 + terms])
        }
        _ => return None,
    };
    Some(written(found, size, pinhole, kind, coefficients))
}

fn written(found: &Found, size: Size, [fx, fy, cx, cy]: [f64; 4], kind: Distortion, coefficients: &[f64]) -> String {
    let (model, listed) = kind.of_ros();
    let mut all = coefficients.to_vec();
    all.resize(listed, 0.0);
    let calibration = &found.calibration;
    let mut text = "%YAML 1.2\n---\n".to_owned();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# Pixel (0, 0) is the centre of the first pixel, as in OpenCV and ROS. P is [K | 0].");
    let _ = writeln!(text, "image_width: {}\nimage_height: {}", size.width, size.height);
    let _ = writeln!(text, "camera_name: plumb");
    matrix(&mut text, "camera_matrix", 3, 3, &[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]);
    let _ = writeln!(text, "distortion_model: {model}");
    matrix(&mut text, "distortion_coefficients", 1, listed, &all);
    matrix(&mut text, "rectification_matrix", 3, 3, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    matrix(&mut text, "projection_matrix", 3, 4, &[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let _ = writeln!(text, "nframes: {}", calibration.inputs.len());
    let _ = writeln!(text, "avg_reprojection_error: {}", number(calibration.after.rms_px));
    plumb(&mut text, found);
    text
}

/// Plumb's own keys: names and covariance of the parameters, the test, and which parameters the data determine.
fn plumb(text: &mut String, found: &Found) {
    let calibration = &found.calibration;
    let names: Vec<_> = calibration.parameters.iter().map(|one| format!("\"{}\"", one.name)).collect();
    let _ = writeln!(text, "plumb_model: \"{}\"", calibration.model);
    list(text, "plumb_parameters", &names);
    if calibration.fits != Some(false) && calibration.cannot_tell.is_empty() {
        let covariance = found.fit.covariance();
        let count = names.len();
        let rows: Vec<f64> = (0..count * count).map(|at| covariance[(at / count, at % count)]).collect();
        matrix(text, "plumb_covariance", count, count, &rows);
    }
    if let Some(chi_squared) = calibration.chi_squared {
        let _ =
            writeln!(text, "plumb_chi2: {}\nplumb_dof: {}", number(chi_squared.statistic), number(chi_squared.freedom));
    }
    let told = calibration.parameters.iter().filter(|one| one.value.is_some());
    list(text, "plumb_identifiable", &told.map(|one| format!("\"{}\"", one.name)).collect::<Vec<_>>());
}

fn list(text: &mut String, name: &str, items: &[String]) {
    let _ = writeln!(text, "{name}: [{}]", items.join(", "));
}

fn matrix(text: &mut String, name: &str, rows: usize, columns: usize, data: &[f64]) {
    let data: Vec<_> = data.iter().map(|value| number(*value)).collect();
    let _ = writeln!(text, "{name}:\n  rows: {rows}\n  cols: {columns}\n  dt: d\n  data: [{}]", data.join(", "));
}

/// A number with 17 significant digits. PyYAML, which reads YAML 1.1, takes an exponent without a sign for text.
fn number(value: f64) -> String {
    let text = format!("{value:.16e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_17_digits_and_a_sign_in_their_exponent() {
        for value in [599.998_082_282_190_9, -0.28, 0.0, 1e-9, -3e300] {
            let text = number(value);
            assert_eq!(text.parse(), Ok(value), "{text}");
            assert!(text.contains("e+") || text.contains("e-"), "{text}");
        }
        assert_eq!(number(0.5), "5.0000000000000000e-1");
        assert_eq!(number(600.0), "6.0000000000000000e+2");
    }
}
