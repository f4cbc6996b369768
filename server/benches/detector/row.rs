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
    /// `None` if OpenCV was left out.
    pub(crate) opencv: Option<Theirs>,
    pub(crate) times: Option<Times>,
}

/// OpenCV's figures: of the gradient method and of ALT.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Theirs {
    pub(crate) gradient: Figures,
    pub(crate) alt: Figures,
    pub(crate) settings: [Setting; 2],
}

impl Row {
    /// Measures a condition, or takes it from the last run if that is allowed.
    pub(crate) fn make(
        condition: &Condition,
        options: &Options,
        opencvs: &mut [Option<OpenCv>],
    ) -> Result<Self, Failure> {
        let file = file(&condition.name);
        if options.resume
            && let Some(row) = Self::read(&file)
            && row.frames == options.frames()
            && row.goals == condition.goals
            && row.opencv.is_none() == options.alone
            && row.times.is_some() == is_timed(condition, options)
        {
            eprintln!("  {}: as in the last run", condition.name);
            return Ok(row);
        }
        let row = Self::measure(condition, options, opencvs)?;
        fs::write(file, serde_json::to_vec_pretty(&row)?)?;
        Ok(row)
    }

    fn measure(condition: &Condition, options: &Options, opencvs: &mut [Option<OpenCv>]) -> Result<Self, Failure> {
        let count = condition.count(options.frames());
        let (mut settings, mut times) = (None, None);
        if let Some(first) = opencvs.first_mut().and_then(Option::as_mut) {
            let chosen = settings::choose(condition, (count / TUNING_SHARE).clamp(20, 200), first)?;
            if is_timed(condition, options) {
                times = Some(timing::measure(condition, options.rounds(), &chosen, first)?);
            }
            settings = Some(chosen);
        }
        let marks = accuracy::measure(condition, count, settings.as_ref(), opencvs)?;
        let [hough, gradient, alt] = marks.map(|marks| marks.figures());
        let opencv = settings.map(|settings| Theirs { gradient, alt, settings });
        let name = condition.name.clone();
        Ok(Self { name, goals: condition.goals, frames: options.frames(), hough, opencv, times })
    }

    fn read(file: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(file).ok()?).ok()
    }
}

/// Empty frames are counted, not timed.
fn is_timed(condition: &Condition, options: &Options) -> bool {
    options.rounds() > 0 && !condition.is_empty()
}

fn file(name: &str) -> PathBuf {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("detector-{}.json", name.chars().map(plain).collect::<String>()))
}
