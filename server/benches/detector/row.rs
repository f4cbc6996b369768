//! A row of the table: everything measured under one condition, kept in a file so that a run can be resumed.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::accuracy;
use crate::conditions::{Condition, Goals};
use crate::failure::Failure;
use crate::marks::Figures;
use crate::opencv::{OpenCv, Setting};
use crate::options::Options;
use crate::settings;
use crate::timing::{self, Times};

/// OpenCV's settings are tried out on the number of measured frames divided by this.
const TUNING_SHARE: u64 = 50;

/// A row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) goals: Goals,
    /// How many frames were asked for at 640x480.
    frames: u64,
    pub(crate) hough: Figures,
    pub(crate) gradient: Figures,
    pub(crate) alt: Figures,
    pub(crate) settings: [Setting; 2],
    pub(crate) times: Option<Times>,
}

impl Row {
    /// Measures a condition, or takes it from the last run if that is allowed.
    pub(crate) fn make(condition: &Condition, options: &Options, opencvs: &mut [OpenCv]) -> Result<Self, Failure> {
        let file = file(&condition.name);
        if options.resume
            && let Some(row) = Self::read(&file)
            && row.frames == options.frames()
            && row.goals == condition.goals
            && row.times.is_some() == is_timed(condition, options)
        {
            eprintln!("  {}: as in the last run", condition.name);
            return Ok(row);
        }
        let row = Self::measure(condition, options, opencvs)?;
        fs::write(file, serde_json::to_vec_pretty(&row)?)?;
        Ok(row)
    }

    fn measure(condition: &Condition, options: &Options, opencvs: &mut [OpenCv]) -> Result<Self, Failure> {
        let count = condition.count(options.frames());
        let first = opencvs.first_mut().ok_or("no thread")?;
        let settings = settings::choose(condition, (count / TUNING_SHARE).clamp(20, 200), first)?;
        let [gradient, alt] = &settings;
        let times = match is_timed(condition, options) {
            true => Some(timing::measure(condition, options.rounds, [gradient, alt], first)?),
            false => None,
        };
        let marks = accuracy::measure(condition, count, [gradient, alt], opencvs)?;
        let [hough, gradient, alt] = marks.map(|marks| marks.figures());
        let name = condition.name.clone();
        Ok(Self { name, goals: condition.goals, frames: options.frames(), hough, gradient, alt, settings, times })
    }

    fn read(file: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(file).ok()?).ok()
    }
}

/// Empty frames are counted, not timed.
fn is_timed(condition: &Condition, options: &Options) -> bool {
    options.rounds > 0 && !condition.is_empty()
}

fn file(name: &str) -> PathBuf {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("detector-{}.json", name.chars().map(plain).collect::<String>()))
}
