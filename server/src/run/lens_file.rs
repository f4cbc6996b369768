//! The file of a lens: `camera_info` as ROS writes it, or what OpenCV's `FileStorage` and `server calibrate` write.
//!
//! Of YAML only what these programs write is read: names with a value or a block of further names, and lists of numbers in
//! brackets, which may go on in the next lines.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use shared::bounded::{self, BoundedError};
use shared::geometry::Size;
use shared::lens::Distortion;
use shared::text::{Brief, Escaped};
use thiserror::Error;

use super::slow_file::say_if_slow;
use crate::camera::{Bend, Centre, Focal};

/// Size of the largest file that is read: a hundred times what the writers make, with a view for each of 1,000 frames.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// How much of a text to show: enough to recognise it.
const SHOWN_CHARACTERS: usize = 60;

/// How much of a block's name to keep, because each name in the block has it too: more than any name that is read has.
const NAME_CHARACTERS: usize = 60;

/// What a file of a lens says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LensFile {
    pub(super) size: Size,
    pub(super) focal: Focal,
    pub(super) centre: Centre,
    pub(super) distortion: Bend,
}

/// Why the file of a lens was refused.
#[derive(Debug, Error)]
pub enum LensFileError {
    /// The file cannot be read.
    #[error(
        "--lens: \"{}\" cannot be read ({error}): write the name of a YAML file with a camera_matrix",
        Brief(file, SHOWN_CHARACTERS)
    )]
    Read {
        /// The file.
        file: String,
        /// What failed.
        error: io::Error,
    },
    /// The file is of another program, or damaged.
    #[error("--lens: {}: {wrong}", Escaped(file))]
    NotOne {
        /// The file.
        file: String,
        /// What is wrong, and what would be right.
        wrong: String,
    },
    /// The lens is that of another size.
    #[error(
        "--lens: {} is for images of {expected}, and --size is {found}: write --size {expected}, or leave it out",
        Escaped(file)
    )]
    OtherSize {
        /// The file.
        file: String,
        /// The size that the file is for.
        expected: Size,
        /// The size of the run.
        found: Size,
    },
}

/// Reads a file.
///
/// # Errors
/// [`LensFileError`] names the file, what was wrong and what would be right.
pub(super) fn read(file: &str) -> Result<LensFile, LensFileError> {
    let not_one = |wrong: String| LensFileError::NotOne { file: file.into(), wrong };
    let path = Path::new(file);
    let bytes = say_if_slow(path, || bounded::read(path, MAX_FILE_BYTES)).map_err(|error| match error {
        BoundedError::Io(error) => LensFileError::Read { file: file.into(), error },
        BoundedError::TooLarge { .. } => not_one("it is larger than 1 MiB, and a lens has a few lines".into()),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| not_one("it is not UTF-8 text: write YAML".into()))?;
    parsed(&text).map_err(not_one)
}

/// Parses the text of a file. The error says what is wrong, and what would be right.
fn parsed(text: &str) -> Result<LensFile, String> {
    let values = values(text);
    let size = Size::new(whole(&values, "image_width")?, whole(&values, "image_height")?)
        .map_err(|wrong| format!("image_width and image_height: {wrong}"))?;
    let matrix = list(&values, "camera_matrix")?;
    let &[fx, skew, cx, below, fy, cy, zero, nought, one] = &matrix[..] else {
        return Err(format!("camera_matrix has {} numbers: it must have 9, those of 3 rows of 3", matrix.len()));
    };
    if [skew, below, zero, nought] != [0.0; 4] || one != 1.0 {
        return Err("camera_matrix must be [fx, 0, cx, 0, fy, cy, 0, 0, 1]".into());
    }
    let focal = Focal::new(fx, fy).ok_or("camera_matrix: focal lengths must be from 1 to 1000000 px")?;
    let centre = Centre::new(cx, cy).ok_or("camera_matrix: the centre must be within 1000000 px")?;
    Ok(LensFile { size, focal, centre, distortion: distortion(&values)? })
}

fn distortion(values: &BTreeMap<String, String>) -> Result<Bend, String> {
    let coefficients = list(values, "distortion_coefficients")?;
    let named = values.get("distortion_model").map(String::as_str);
    // OpenCV's files have no name: the number of coefficients tells it.
    let (kind, counts): (_, &[usize]) = match named {
        Some("plumb_bob") => (Distortion::Brown(5), &[4, 5]),
        None if coefficients.len() == 8 => (Distortion::Brown(8), &[8]),
        None => (Distortion::Brown(5), &[4, 5, 8]),
        Some("rational_polynomial") => (Distortion::Brown(8), &[8]),
        Some("equidistant") => (Distortion::Equidistant, &[4]),
        Some(other) => {
            let known = "plumb_bob, rational_polynomial or equidistant";
            return Err(format!(
                "distortion_model \"{}\" is not known: it must be {known}",
                Brief(other, SHOWN_CHARACTERS)
            ));
        }
    };
    if !counts.contains(&coefficients.len()) {
        let right = counts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        return Err(format!("distortion_coefficients has {} numbers: it must have {right}", coefficients.len()));
    }
    Bend::new(kind, &coefficients).ok_or_else(|| "distortion_coefficients must be at most 1000000".into())
}

/// The values by name. Those of a block have the block's name and a dot before their own.
fn values(text: &str) -> BTreeMap<String, String> {
    let (mut values, mut block, mut open) = (BTreeMap::new(), String::new(), None::<(String, String)>);
    for line in text.lines() {
        let line = line.split_once(" #").map_or(line, |(line, _)| line);
        if line.trim().is_empty() || line.starts_with(['#', '%']) || line.starts_with("---") {
            continue;
        }
        let (name, value, is_closed) = match open.take() {
            // A list may have very many lines, so each is looked at once.
            Some((name, mut begun)) => {
                begun.push(' ');
                begun.push_str(line.trim());
                (name, begun, line.contains(']'))
            }
            None => {
                let Some((name, value)) = line.split_once(':') else { continue };
                let (own, value) = (name.trim(), value.trim());
                let is_inner = name.starts_with([' ', '\t']) && !block.is_empty();
                let name = if is_inner { format!("{block}.{own}") } else { own.to_owned() };
                // A tag, such as OpenCV's !!opencv-matrix, also begins a block.
                if !is_inner && (value.is_empty() || value.starts_with("!!")) {
                    block = own.chars().take(NAME_CHARACTERS).collect();
                    continue;
                }
                (name, value.to_owned(), value.contains(']'))
            }
        };
        if value.starts_with('[') && !is_closed {
            open = Some((name, value));
        } else {
            values.insert(name, value.trim_matches(['"', '\'']).to_owned());
        }
    }
    values
}

fn whole(values: &BTreeMap<String, String>, name: &str) -> Result<u64, String> {
    let text = values.get(name).ok_or_else(|| lacks(name))?;
    text.parse().map_err(|_| format!("{name} \"{}\" is not a whole number of px", Brief(text, SHOWN_CHARACTERS)))
}

/// The numbers of a matrix, or of a list without rows and columns.
fn list(values: &BTreeMap<String, String>, name: &str) -> Result<Vec<f64>, String> {
    let text = values.get(&format!("{name}.data")).or_else(|| values.get(name)).ok_or_else(|| lacks(name))?;
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let inner = inner.ok_or_else(|| format!("{name} has no numbers in brackets after data:"))?;
    let number = |text: &str| {
        let text = text.trim();
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
        value.ok_or_else(|| format!("{name}: \"{}\" is not a finite number", Brief(text, SHOWN_CHARACTERS)))
    };
    inner.trim_end_matches([',', ' ']).split(',').map(number).collect()
}

fn lacks(name: &str) -> String {
    format!("it has no {name}: write a file as ROS's camera_info or server calibrate has it")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As ROS's `camera_calibration` writes it.
    const ROS: &str = "image_width: 640\nimage_height: 480\ncamera_name: narrow_stereo\ncamera_matrix:\n  rows: 3\n  cols: 3\n  \
                       data: [438.783367, 0.000000, 305.593336, 0.000000, 437.302876, 243.738352, 0.000000, 0.000000, \
                       1.000000]\ndistortion_model: plumb_bob\ndistortion_coefficients:\n  rows: 1\n  cols: 5\n  data: \
                       [-0.361976, 0.110510, 0.001014, 0.000505, 0.000000]\nrectification_matrix:\n  rows: 3\n  cols: 3\n  \
                       data: [1, 0, 0, 0, 1, 0, 0, 0, 1]\n";

    /// As OpenCV's sample `calibration` writes it.
    const OPENCV: &str = "%YAML:1.0\n---\ncalibration_time: \"Mon 01 Jan 2024\"\nnframes: 13\nimage_width: 640\nimage_height: 480\n\
                          # flags: +zero_tangent_dist\nflags: 8\ncamera_matrix: !!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n   \
                          data: [ 5.3e+02, 0., 3.4e+02, 0.,\n       5.3e+02, 2.35e+02, 0., 0., 1. ]\ndistortion_coefficients: \
                          !!opencv-matrix\n   rows: 5\n   cols: 1\n   dt: d\n   data: [ -2.8e-01, 1.1e-01, 0., 0., -2.e-02 ]\n";

    #[test]
    fn files_of_ros_and_of_opencv_are_read() {
        let ros = parsed(ROS).expect("a lens");
        assert_eq!(
            (ros.size, ros.focal.to_string()),
            (Size { width: 640, height: 480 }, "438.783367,437.302876".into())
        );
        assert_eq!(ros.centre.to_string(), "305.593336,243.738352");
        assert_eq!(ros.distortion.to_string(), "plumb_bob:-0.361976,0.11051,0.001014,0.000505,0");
        let opencv = parsed(OPENCV).expect("a lens");
        assert_eq!((opencv.focal.to_string(), opencv.centre.to_string()), ("530".into(), "340,235".into()));
        assert_eq!(opencv.distortion.to_string(), "plumb_bob:-0.28,0.11,0,0,-0.02");
        let fisheye = ROS.replace("plumb_bob", "equidistant").replace(", 0.000000]\nrect", "]\nrect");
        assert!(parsed(&fisheye).expect("a lens").distortion.to_string().starts_with("equidistant:-0.361976,"));
    }

    #[test]
    fn a_list_may_go_on_in_the_next_lines_and_ends_with_its_bracket() {
        let spread = ROS.replace(", 0.000000", ",\n     0.000000");
        assert_eq!(parsed(&spread), parsed(ROS));
        let later = ROS.replace("image_width", "names: [a,\n  b]: [c,\n  d: 3]\nimage_width");
        assert_eq!(parsed(&later), parsed(ROS));
    }

    #[test]
    fn a_long_name_of_a_block_is_not_kept_for_each_name_in_it() {
        let inner: String = (0..1000).map(|place| format!(" n{place}: 1\n")).collect();
        let values = values(&format!("{}:\n{inner}", "b".repeat(100_000)));
        assert_eq!(values.len(), 1000);
        assert!(values.keys().all(|name| name.len() < 100));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        let without = |line: &str| ROS.replace(line, "other: 1");
        for (text, words) in [
            (String::new(), "it has no image_width: write a file as ROS's"),
            (without("image_height: 480"), "it has no image_height"),
            (ROS.replace("640", "wide"), "image_width \"wide\" is not a whole number"),
            (ROS.replace("640", "9999"), "each side must be 1 to 8192"),
            (without("camera_matrix:"), "it has no camera_matrix"),
            (ROS.replace("305.593336, ", ""), "camera_matrix has 8 numbers: it must have 9"),
            (ROS.replace("438.783367, 0.000000", "438.783367, 0.5"), "must be [fx, 0, cx"),
            (ROS.replace("438.783367", "-1"), "focal lengths must be from 1"),
            (ROS.replace("438.783367", ".nan"), "camera_matrix: \".nan\" is not a finite number"),
            (ROS.replace("438.783367", "nan"), "camera_matrix: \"nan\" is not a finite number"),
            (
                ROS.replace("plumb_bob", "fisheye"),
                "distortion_model \"fisheye\" is not known: it must be plumb_bob, rational",
            ),
            (ROS.replace("plumb_bob", "equidistant"), "distortion_coefficients has 5 numbers: it must have 4"),
            (ROS.replace("plumb_bob", "rational_polynomial"), "it must have 8"),
            (ROS.replace("-0.361976", "inf"), "distortion_coefficients: \"inf\" is not a finite number"),
            (
                ROS.replace("data: [-0.361976, 0.110510, 0.001014, 0.000505, 0.000000]", "data: 3"),
                "no numbers in brackets",
            ),
        ] {
            let wrong = parsed(&text).expect_err(words);
            assert!(wrong.contains(words), "{words}: {wrong}");
        }
        let missing = read("/nowhere/camera.yaml").expect_err("no file").to_string();
        assert!(
            missing.contains("--lens: \"/nowhere/camera.yaml\" cannot be read") && missing.contains("write the name"),
            "{missing}"
        );
    }

    proptest! {
        #[test]
        fn no_text_brings_the_reader_down(text in any::<String>(), lines in proptest::collection::vec("[a-z_:\\[\\], 0-9#%-]{0,20}", 0..20)) {
            let _ = parsed(&text);
            let _ = parsed(&lines.join("\n"));
        }
    }
}
