//! Reads the frames of a run's folder: from `frames.csv`, or from `frames.parquet` if there is no text.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use shared::bounded::{self, BoundedRows};
use shared::geometry::{Covariance, Size};
use shared::shell::guarded;

use super::csv_file;
use super::error::CalibrateError;
use super::observation::{Observation, Set};
use super::track::Track;
use crate::camera::MOST_POSES;
use crate::output::report::MAX_REPORT_BYTES;
use crate::source::ball::{NAME as BALL, UNPACED_STEP_S};

/// The columns that are read.
const COLUMNS: [&str; 16] = [
    "session",
    "frame",
    "source_index",
    "captured_us",
    "outcome",
    "warmup",
    "truth",
    "truth_x",
    "truth_y",
    "truth_radius",
    "kind",
    "x",
    "y",
    "cov_xx",
    "cov_xy",
    "cov_yy",
];

/// The columns of a ball that is seen through a lens. Runs of an older version do not have them.
const OF_A_LENS: [&str; 4] = ["plane_x", "plane_y", "plane_radius", "pose"];

/// The place of each column, then of those of a lens.
type Places = [Option<usize>; COLUMNS.len() + OF_A_LENS.len()];

/// Reads the first session of a run that sent frames.
pub(super) fn read(folder: &Path) -> Result<Set, CalibrateError> {
    let not_input = |wrong: String| CalibrateError::NotInput { path: folder.into(), wrong };
    let report = folder.join("report.json");
    if !report.is_file() {
        return Err(not_input("it has no report.json".into()));
    }
    let text = bounded::text(&report, MAX_REPORT_BYTES)
        .map_err(|error| CalibrateError::Read { path: report.clone(), error })?;
    let report = crate::compare::checked(&text)
        .map_err(|wrong| not_input(format!("its report.json is not a report: {wrong}")))?;
    let config = &report["run"]["config"];
    let clock = Clock::of(config);
    let sessions = report["sessions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sent = sessions.iter().find(|session| session["frames"]["sent"].as_u64().is_some_and(|sent| sent > 0));
    let session = sent.and_then(|session| session["session"].as_u64()).unwrap_or(1);
    let mut gathered = Gathered { clock, session, ..Gathered::default() };
    rows(folder, &mut gathered)?;
    let name = folder.display().to_string();
    if gathered.samples.is_empty() {
        return Err(CalibrateError::NoTruth { name });
    }
    gathered.observations.sort_by_key(|one| one.frame);
    // Frames with equal times say nothing about the motion.
    let track = Track::new(gathered.samples).unwrap_or_default();
    let side = |name: &str| config[name].as_u64();
    let size = side("width").zip(side("height")).and_then(|(width, height)| Size::new(width, height).ok());
    Ok(Set {
        name,
        observations: gathered.observations,
        track: Arc::new(track),
        size,
        is_stated: false,
        is_projected: gathered.is_projected,
    })
}

/// How the time of a frame is known.
#[derive(Clone, Copy, Debug, Default)]
enum Clock {
    /// From its index: the interval between frames is constant. In µs.
    Steps(f64),
    /// By the server's clock.
    #[default]
    Captured,
}

impl Clock {
    fn of(config: &Value) -> Self {
        let is_ball = config["source"].as_str().is_none_or(|source| source == BALL);
        let step_s = config["fps"].as_f64().map_or(UNPACED_STEP_S, f64::recip);
        if is_ball { Self::Steps(1e6 * step_s) } else { Self::Captured }
    }
}

/// What was read from the rows of a session.
#[derive(Default)]
struct Gathered {
    clock: Clock,
    session: u64,
    observations: Vec<Observation>,
    /// Whether the ball is seen through a lens. Its truth is then on the plane.
    is_projected: bool,
    samples: Vec<(f64, [f64; 2])>,
}

impl Gathered {
    /// Takes a row. `cell` gives the text of one of the [`COLUMNS`], and after them of those of a lens.
    fn take<'a>(&mut self, cell: impl Fn(usize) -> &'a str) -> Result<(), String> {
        let number = |at: usize| -> Result<Option<f64>, String> {
            let text = cell(at);
            let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
            match (text.is_empty(), value) {
                (true, _) => Ok(None),
                (false, Some(value)) => Ok(Some(value)),
                (false, None) => Err(format!(
                    "\"{}\" is not a number, which the column {} needs",
                    text.escape_default(),
                    COLUMNS.iter().chain(&OF_A_LENS).nth(at).unwrap_or(&"")
                )),
            }
        };
        if number(0)? != Some(self.session as f64) || cell(6) != "ball" {
            return Ok(());
        }
        let first = COLUMNS.len();
        let on_plane = number(first)?.zip(number(first + 1)?);
        self.is_projected |= on_plane.is_some();
        let in_image = number(7)?.zip(number(8)?);
        let Some((x, y)) = on_plane.or(in_image) else { return Ok(()) };
        let time = match self.clock {
            Clock::Steps(step) => number(2)?.map(|index| index * step),
            Clock::Captured => number(3)?,
        };
        self.samples.extend(time.map(|time| (time, [x, y])));
        let is_answered = cell(4) == "answered" && cell(10) == "circle" && number(5)? == Some(0.0);
        let (true, Some(u), Some(v)) = (is_answered, number(11)?, number(12)?) else { return Ok(()) };
        let covariance = match (number(13)?, number(14)?, number(15)?) {
            (Some(xx), Some(xy), Some(yy)) => csv_file::checked(Covariance { xx, xy, yy }).ok(),
            _ => None,
        };
        let frame = number(1)?.unwrap_or_default() as u64;
        let radius = if on_plane.is_some() { number(first + 2)? } else { number(9)? };
        let pose = number(first + 3)?.map(pose).transpose()?.unwrap_or_default();
        let (truth, answer) = ([x, y], [u, v]);
        self.observations.push(Observation { frame, truth, answer, time_us: time, covariance, radius, pose });
        Ok(())
    }
}

/// The number of a pose.
fn pose(number: f64) -> Result<u32, String> {
    if number.fract() == 0.0 && (0.0..=f64::from(MOST_POSES)).contains(&number) {
        Ok(number as u32)
    } else {
        Err(format!("\"{number}\" is not a pose that a run can have, which the column pose needs: 1 to {MOST_POSES}"))
    }
}

fn rows(folder: &Path, gathered: &mut Gathered) -> Result<(), CalibrateError> {
    let (text, typed) = (folder.join("frames.csv"), folder.join("frames.parquet"));
    if text.is_file() {
        return text_rows(&text, gathered);
    }
    if cfg!(feature = "parquet") && typed.is_file() {
        // The library panics at some damaged files.
        return guarded::caught(|| typed_rows(&typed, gathered)).unwrap_or_else(|panic| {
            Err(CalibrateError::NotInput { path: typed.clone(), wrong: format!("it is damaged ({panic})") })
        });
    }
    Err(CalibrateError::NotInput { path: folder.into(), wrong: "it has neither frames.csv nor frames.parquet".into() })
}

fn text_rows(path: &Path, gathered: &mut Gathered) -> Result<(), CalibrateError> {
    let file = File::open(path).map_err(|error| CalibrateError::Read { path: path.into(), error })?;
    let not_input = |wrong: String| CalibrateError::NotInput { path: path.into(), wrong };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(BufReader::new(BoundedRows::new(file)));
    let header = reader.headers().map_err(|error| not_input(error.to_string()))?.clone();
    let places = places(header.iter().map(str::to_owned).collect()).map_err(not_input)?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| not_input(error.to_string()))? {
        // A run that was interrupted may have an incomplete last row.
        if record.len() < header.len() {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let taken = gathered.take(|at| places[at].and_then(|place| record.get(place)).unwrap_or_default());
        taken.map_err(|wrong| CalibrateError::Row { path: path.into(), line, wrong })?;
    }
    Ok(())
}

#[cfg(feature = "parquet")]
fn typed_rows(path: &Path, gathered: &mut Gathered) -> Result<(), CalibrateError> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let file = File::open(path).map_err(|error| CalibrateError::Read { path: path.into(), error })?;
    let not_input = |wrong: String| CalibrateError::NotInput { path: path.into(), wrong };
    let reader = SerializedFileReader::new(file).map_err(|error| not_input(error.to_string()))?;
    let names = reader.metadata().file_metadata().schema().get_fields().iter().map(|field| field.name().to_owned());
    let places = places(names.collect()).map_err(not_input)?;
    let rows = reader.get_row_iter(None).map_err(|error| not_input(error.to_string()))?;
    for (line, row) in rows.enumerate() {
        let row = row.map_err(|error| not_input(error.to_string()))?;
        let text = |(_, field): (&String, &Field)| match field {
            Field::Null => String::new(),
            Field::Str(text) => text.clone(),
            // `Long` and `Double` are printed with all digits.
            Field::Long(value) => value.to_string(),
            Field::Double(value) => value.to_string(),
            _ => "?".into(),
        };
        let cells: Vec<_> = row.get_column_iter().map(text).collect();
        let taken =
            gathered.take(|at| places[at].and_then(|place| cells.get(place)).map(String::as_str).unwrap_or_default());
        taken.map_err(|wrong| CalibrateError::Row { path: path.into(), line: line as u64 + 1, wrong })?;
    }
    Ok(())
}

#[cfg(not(feature = "parquet"))]
fn typed_rows(path: &Path, _: &mut Gathered) -> Result<(), CalibrateError> {
    // `rows` never calls this without the feature.
    Err(CalibrateError::NotInput { path: path.into(), wrong: "this build reads no Parquet".into() })
}

fn places(names: Vec<String>) -> Result<Places, String> {
    let mut places: Places = [None; COLUMNS.len() + OF_A_LENS.len()];
    for (place, wanted) in places.iter_mut().zip(COLUMNS.into_iter().chain(OF_A_LENS)) {
        *place = names.iter().position(|name| name == wanted);
        if place.is_none() && COLUMNS.contains(&wanted) {
            return Err(format!("it has no column {wanted}: only runs of the task circle can be calibrated"));
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HEADER: &str = "session,frame,source_index,captured_us,outcome,lost_by,truth,truth_x,truth_y,truth_radius,\
                          limit_l1,kind,x,y,radius,cov_xx,cov_xy,cov_yy,warmup";

    fn folder(config: &str, rows: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let report = format!(
            r#"{{"schema": 1, "run": {{"config": {config}}}, "sessions": [{{"session": 2, "frames": {{"sent": 3}}}}]}}"#
        );
        fs::write(folder.path().join("report.json"), report).unwrap();
        fs::write(folder.path().join("frames.csv"), format!("{HEADER}\n{rows}")).unwrap();
        folder
    }

    #[test]
    fn frames_get_their_time_from_the_index_and_a_lost_frame_still_adds_to_the_path() {
        let rows = "2,0,0,5,answered,,ball,1,2,20,,circle,3,4,20,0.1,0,0.1,1\n\
                    2,1,2,6,answered,,ball,5,6,20,,circle,7,8,20,0.1,0,0.1,0\n\
                    2,2,3,7,lost,late,ball,9,10,20,,,,,,,,,0\n1,0,0,5,answered,,ball,1,2,20,,circle,3,4,20,,,,0\n\
                    2,3,4,8,answered,,no ball,,,,,none,,,,,,,0\n2,4,5,8,answered,,ball,1,2";
        let folder = folder(r#"{"fps": 50, "width": 640, "height": 480, "source": "ball"}"#, rows);
        let set = read(folder.path()).unwrap();
        assert_eq!(set.observations.len(), 1, "the warm-up and other sessions are left out");
        let one = set.observations[0];
        assert_eq!((one.frame, one.answer, one.time_us, one.radius), (1, [7.0, 8.0], Some(40_000.0), Some(20.0)));
        assert_eq!((set.track.at(60_000.0).0, set.size), ([9.0, 10.0], Some(Size { width: 640, height: 480 })));
    }

    #[test]
    fn other_folders_and_runs_without_truth_are_refused() {
        let empty = tempfile::tempdir().unwrap();
        let wrong = read(empty.path()).unwrap_err().to_string();
        assert!(wrong.contains("it has no report.json; name a folder that a run wrote"), "{wrong}");
        let blind = folder("{}", "2,0,0,5,answered,,unknown,,,,,circle,3,4,20,,,,0\n");
        let wrong = read(blind.path()).unwrap_err().to_string();
        assert!(wrong.contains("has no truth: calibrate a run of --source ball, or give --truth FILE"), "{wrong}");
        fs::write(blind.path().join("frames.csv"), "session,frame\n1,2\n").unwrap();
        let wrong = read(blind.path()).unwrap_err().to_string();
        assert!(wrong.contains("only runs of the task circle"), "{wrong}");
        fs::remove_file(blind.path().join("frames.csv")).unwrap();
        let wrong = read(blind.path()).unwrap_err().to_string();
        assert!(wrong.contains("it has neither frames.csv nor frames.parquet"), "{wrong}");
    }

    #[test]
    fn a_row_of_a_pose_that_no_run_has_is_refused_before_anything_is_made_for_it() {
        let folder = folder("{}", "");
        let of = |pose: &str| {
            let row = "2,0,0,5,answered,,ball,1,2,20,,circle,3,4,20,,,,0,1,2,20";
            let text = format!("{HEADER},plane_x,plane_y,plane_radius,pose\n{row},{pose}\n");
            fs::write(folder.path().join("frames.csv"), text).unwrap();
            read(folder.path())
        };
        assert_eq!(of("100").unwrap().observations[0].pose, 100);
        for wrong in ["101", "4000000000", "1e300", "-1", "1.5"] {
            let said = of(wrong).unwrap_err().to_string();
            assert!(said.contains(", line 2: ") && said.contains("is not a pose that a run can have"), "{said}");
        }
    }

    #[test]
    fn a_table_with_an_endless_line_and_an_endless_report_are_refused() {
        let folder = folder("{}", "");
        // Files with a hole of 8 GiB, which takes no room.
        let endless = |name: &str| File::create(folder.path().join(name)).unwrap().set_len(8 << 30).unwrap();
        endless("frames.csv");
        let wrong = read(folder.path()).unwrap_err().to_string();
        assert!(wrong.contains("frames.csv: it has a line of more than 1 MiB"), "{wrong}");
        endless("report.json");
        let wrong = read(folder.path()).unwrap_err().to_string();
        assert!(wrong.contains("report.json cannot be read (larger than 256 MiB)"), "{wrong}");
    }
}
