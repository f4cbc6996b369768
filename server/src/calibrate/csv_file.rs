//! Reads frames from a CSV file: `frame,x,y,u,v`, and optionally `t_us`, `cov_xx,cov_xy,cov_yy` and `radius`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use shared::bounded::BoundedRows;
use shared::geometry::Covariance;

use super::error::CalibrateError;
use super::observation::{Observation, Set};
use super::track::Track;
use crate::run::say_if_slow;

/// The columns that each file has.
const ALWAYS: [&str; 5] = ["frame", "x", "y", "u", "v"];

/// The columns that a file may have.
const OPTIONAL: [&str; 5] = ["t_us", "cov_xx", "cov_xy", "cov_yy", "radius"];

/// Longest cell that an error repeats.
const SHOWN: usize = 40;

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Set, CalibrateError> {
    let file = say_if_slow(path, || File::open(path));
    parse(path, file.map_err(|error| CalibrateError::Read { path: path.into(), error })?)
}

/// Checks the text of a file, for the fuzzer.
///
/// # Errors
/// [`CalibrateError`] names the first thing that is wrong.
pub(crate) fn check(text: &[u8]) -> Result<(), CalibrateError> {
    parse(Path::new("it"), text).map(drop)
}

/// Parses the text of a file.
fn parse(path: &Path, text: impl Read) -> Result<Set, CalibrateError> {
    let not_input = |wrong: String| CalibrateError::NotInput { path: path.into(), wrong };
    let unread = |error: io::Error| CalibrateError::Read { path: path.into(), error };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(BoundedRows::new(text));
    let header = reader.headers().map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => unread(error),
        _ => not_input("it is not a text file".into()),
    })?;
    let header = header.clone();
    let columns = Columns::of(&header).map_err(not_input)?;
    let mut set = Set { name: path.display().to_string(), is_stated: true, ..Set::default() };
    let (mut samples, mut record) = (Vec::new(), csv::StringRecord::new());
    loop {
        let row_wrong = |line: u64, wrong: String| CalibrateError::Row { path: path.into(), line, wrong };
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) => unread(error),
                    _ => row_wrong(line, "its number of cells differs from the header's, or it is not text".into()),
                });
            }
        }
        let line = record.position().map_or(0, csv::Position::line);
        let row = columns.row(&record).map_err(|wrong| row_wrong(line, wrong))?;
        if let Some(time) = row.time_us {
            samples.push((time, row.truth));
        }
        if row.answer.iter().all(|value| value.is_finite()) {
            set.observations.push(row);
        }
    }
    let track = Track::new(samples).map_err(|time| {
        not_input(format!("two rows have t_us {time}, and different truths: each time needs one truth"))
    })?;
    set.track = Arc::new(track);
    Ok(set)
}

/// The places of the columns.
struct Columns {
    always: [usize; 5],
    optional: [Option<usize>; 5],
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, String> {
        let place = |wanted: &str| header.iter().position(|name| name == wanted);
        let missing: Vec<_> = ALWAYS.into_iter().filter(|name| place(name).is_none()).collect();
        if !missing.is_empty() {
            return Err(format!("it has no column {}", missing.join(", ")));
        }
        let optional = OPTIONAL.map(place);
        let covariance = optional[1..4].iter().flatten().count();
        if !matches!(covariance, 0 | 3) {
            return Err("it has some of cov_xx, cov_xy and cov_yy: all three are needed, or none".into());
        }
        Ok(Self { always: ALWAYS.map(|name| place(name).unwrap_or_default()), optional })
    }

    /// Parses a row. The answer is NaN if both of its cells are empty: such a row only adds a point to the ball's path.
    fn row(&self, record: &csv::StringRecord) -> Result<Observation, String> {
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let number = |at: usize, name: &str| {
            let value = cell(at).parse::<f64>().ok().filter(|value| value.is_finite());
            let shown: String = cell(at).escape_default().take(SHOWN).collect();
            value.ok_or_else(|| format!("\"{shown}\" is not a finite number, which the column {name} needs"))
        };
        let of = |column: usize| number(self.always[column], ALWAYS[column]);
        let frame = cell(self.always[0]).parse::<u64>();
        let frame = frame.map_err(|_| {
            let shown: String = cell(self.always[0]).escape_default().take(SHOWN).collect();
            format!("\"{shown}\" is not a whole number, which the column frame needs")
        })?;
        let truth = [of(1)?, of(2)?];
        let is_unanswered = cell(self.always[3]).is_empty() && cell(self.always[4]).is_empty();
        let answer = if is_unanswered { [f64::NAN; 2] } else { [of(3)?, of(4)?] };
        let optional = |column: usize| self.optional[column].map(|at| number(at, OPTIONAL[column])).transpose();
        let time_us = optional(0)?;
        let covariance = match self.optional[1] {
            Some(_) if !is_unanswered => match (optional(1)?, optional(2)?, optional(3)?) {
                (Some(xx), Some(xy), Some(yy)) => Some(checked(Covariance { xx, xy, yy })?),
                _ => None,
            },
            _ => None,
        };
        let radius = optional(4)?;
        if radius.is_some_and(|radius| radius <= 0.0) {
            return Err("the column radius needs a number above 0".into());
        }
        Ok(Observation { frame, truth, answer, time_us, covariance, radius, pose: 0 })
    }
}

/// A covariance that is positive definite.
pub(super) fn checked(covariance: Covariance) -> Result<Covariance, String> {
    let Covariance { xx, xy, yy } = covariance;
    if xx > 0.0 && yy > 0.0 && xx * yy - xy * xy > 1e-12 * xx * yy {
        Ok(covariance)
    } else {
        Err(format!(
            "[{xx}, {xy}, {yy}] is not a covariance: cov_xx and cov_yy must be above 0, and cov_xy² below their product"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: impl AsRef<[u8]>) -> Result<Set, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pairs.csv");
        std::fs::write(&path, text).unwrap();
        read(&path).map_err(|wrong| wrong.to_string().split_once("pairs.csv").unwrap_or_default().1.to_owned())
    }

    #[test]
    fn optional_columns_are_read_and_a_row_without_an_answer_adds_to_the_path() {
        let text = "frame,x,y,u,v,t_us,cov_xx,cov_xy,cov_yy\n0,1,2,3,4,0,0.1,0.01,0.2\n1, 5,6,,,16667,,,\n2,7,8,9,10,33333,1,0,1\n";
        let set = read_text(text).unwrap();
        assert_eq!(set.observations.len(), 2);
        let first = set.observations[0];
        assert_eq!((first.frame, first.truth, first.answer, first.time_us), (0, [1.0, 2.0], [3.0, 4.0], Some(0.0)));
        assert_eq!(first.covariance, Some(Covariance { xx: 0.1, xy: 0.01, yy: 0.2 }));
        assert!(set.has_covariances() && set.track.is_known() && set.is_stated);
        assert_eq!(set.track.at(16_667.0).0, [5.0, 6.0]);
        let set = read_text("v,u,y,x,frame,more\n4,3,2,1,0,a\n").unwrap();
        assert_eq!(
            (set.observations[0].answer, set.has_covariances(), set.track.is_known()),
            ([3.0, 4.0], false, false)
        );
    }

    #[test]
    fn errors_name_the_line_and_what_would_be_right() {
        let header = "frame,x,y,u,v";
        for (text, words) in [
            (String::new(), ": it has no column frame, x, y, u, v; name a folder"),
            ("time;left;top\n1;2;3\n".into(), ": it has no column frame, x, y, u, v"),
            ("frame,x,y\n0,1,2\n".into(), ": it has no column u, v"),
            (format!("{header},cov_xx\n0,1,2,3,4,1\n"), ": it has some of cov_xx, cov_xy and cov_yy"),
            (
                format!("{header}\n0,1,2,3,4\n1,2,nan,4,5\n"),
                ", line 3: \"nan\" is not a finite number, which the column y",
            ),
            (format!("{header}\n0,1,2,3,inf\n"), ", line 2: \"inf\" is not a finite number, which the column v"),
            (format!("{header}\n0,1,2,3,\n"), ", line 2: \"\" is not a finite number, which the column v"),
            (format!("{header}\n-1,1,2,3,4\n"), ", line 2: \"-1\" is not a whole number, which the column frame"),
            (format!("{header}\n0,1,2,3\n"), ", line 2: its number of cells differs from the header's"),
            (format!("{header},cov_xx,cov_xy,cov_yy\n0,1,2,3,4,1,2,1\n"), ", line 2: [1, 2, 1] is not a covariance"),
            (format!("{header},radius\n0,1,2,3,4,0\n"), ", line 2: the column radius needs a number above 0"),
            (format!("{header},t_us\n0,1,2,3,4,5\n1,2,2,3,4,5\n"), ": two rows have t_us 5"),
        ] {
            let wrong = read_text(&text).expect_err(&text);
            assert!(wrong.starts_with(words), "{text}: {wrong}");
        }
        let endless = read(Path::new("/dev/zero")).expect_err("no line").to_string();
        assert!(
            endless.starts_with("/dev/zero cannot be read (it has a line of more than 1 MiB): name a"),
            "{endless}"
        );
        let later = read_text(format!("{header}\n0,1,2,3,4\n{}", "1".repeat(2 << 20))).expect_err("a long line");
        assert!(later.contains(" cannot be read (it has a line of more than 1 MiB)"), "{later}");
        let wrong = read_text(b"\xff\xfe\0\x01").expect_err("not text");
        assert!(wrong.starts_with(": it is not a text file") || wrong.starts_with(": it has no column"), "{wrong}");
    }
}
