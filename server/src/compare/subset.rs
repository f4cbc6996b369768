//! Figures by subset of the frames: by the radius of the ball in each frame, and by contrast and noise of each run.

use std::str::FromStr;

use super::figure::{Figure, Kind};
use super::frames::{Column, Frame};
use super::means::RISK;
use super::result::{OfSubset, Subset, Unit};
use super::side::Side;
use crate::score::batches::Batches;
use crate::score::bounds::{Bound, student};

/// The property by which frames are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The radius of the ball, in px.
    Radius,
    /// The contrast of the run, in gray levels, without its sign.
    Contrast,
    /// The noise of the run, in gray levels.
    Noise,
}

/// The lower ends of the bins of radii, in px: half octaves, from the smallest ball that the detector looks for.
const RADII: &[f64] = &[0.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0];

/// The lower ends of the bins of contrast, in gray levels: octaves.
const CONTRASTS: &[f64] = &[0.0, 10.0, 20.0, 40.0, 80.0, 160.0];

/// The lower ends of the bins of noise, in gray levels.
const NOISES: &[f64] = &[0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0];

/// The figures of a subset.
const PATHS: [&str; 6] = [
    "error_px.l1.mean",
    "frames.missed",
    "count.exact",
    "count.mean_absolute_error",
    "image.psnr_db.mean",
    "frames.lost",
];

impl By {
    const ALL: [(&'static str, Self); 3] =
        [("radius", Self::Radius), ("contrast", Self::Contrast), ("noise", Self::Noise)];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, by)| *by == self).map_or("", |(name, _)| name)
    }

    fn bins(self) -> (&'static [f64], &'static str) {
        match self {
            Self::Radius => (RADII, "px"),
            Self::Contrast => (CONTRASTS, "gray levels"),
            Self::Noise => (NOISES, "gray levels"),
        }
    }

    /// The value of this property for a frame of a run.
    fn of(self, side: &Side, frame: &Frame) -> Option<f64> {
        match self {
            Self::Radius => frame.get(Column::TruthRadius),
            Self::Contrast => side.option("contrast").as_f64().map(f64::abs),
            Self::Noise => side.option("noise").as_f64(),
        }
    }
}

impl FromStr for By {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text.trim()).map(|(_, by)| *by);
        found.ok_or_else(|| {
            format!("\"{text}\" is not a property of frames: write radius, contrast, noise, or several of them, separated by commas")
        })
    }
}

/// The figures by subset, of all runs that have frames.
pub(super) fn subsets(by: &[By], sides: &[Side], figures: &[Figure]) -> Vec<Subset> {
    by.iter().flat_map(|by| of_one(*by, sides, figures)).collect()
}

fn of_one(by: By, sides: &[Side], figures: &[Figure]) -> Vec<Subset> {
    let (bins, unit) = by.bins();
    let listed: Vec<_> = figures.iter().filter(|figure| PATHS.contains(&figure.path)).collect();
    let mut found = Vec::new();
    for (place, low) in bins.iter().enumerate() {
        let high = bins.get(place + 1);
        let is_in = |value: f64| value >= *low && high.is_none_or(|high| value < *high);
        let frames: Vec<Vec<&Frame>> =
            sides.iter().map(|side| chosen(side, |frame| by.of(side, frame).is_some_and(is_in))).collect();
        if frames.iter().all(Vec::is_empty) {
            continue;
        }
        let bin = high.map_or_else(|| format!("{low} {unit} and more"), |high| format!("{low} to {high} {unit}"));
        found.extend(listed.iter().filter_map(|figure| {
            let runs: Vec<_> = frames.iter().map(|frames| of_frames(figure, frames)).collect();
            let unit = Unit::of(figure.path, matches!(figure.kind, Kind::Share(..)));
            runs.iter().any(Option::is_some).then(|| Subset {
                by: by.name(),
                bin: bin.clone(),
                path: figure.path,
                unit,
                runs,
            })
        }));
    }
    found
}

fn chosen(side: &Side, is_in: impl Fn(&Frame) -> bool) -> Vec<&Frame> {
    side.frames.iter().flatten().filter(|frame| is_in(frame)).collect()
}

/// A figure of these frames, with its bounds.
fn of_frames(figure: &Figure, frames: &[&Frame]) -> Option<OfSubset> {
    match figure.kind {
        Kind::Mean(value) => {
            let mut batches = Batches::<1>::default();
            frames.iter().filter_map(|frame| value(frame)).for_each(|value| batches.add([value]));
            let count = batches.count();
            let [mean] = (count > 0).then(|| batches.means())?;
            let spread = batches.spread(|[value]| *value);
            let half = spread.map(|spread| student(spread.freedom, RISK) * spread.standard_error);
            Some(OfSubset {
                value: mean,
                low: half.map(|half| mean - half),
                high: half.map(|half| mean + half),
                frames: count,
            })
        }
        Kind::Share(holds, _) => {
            let (hits, all) = frames
                .iter()
                .filter_map(|frame| holds(frame))
                .fold((0, 0), |(hits, all), holds| (hits + u64::from(holds), all + 1));
            let Bound { low, high, .. } = Bound::of_share(hits, all)?;
            Some(OfSubset { value: hits as f64 / all as f64, low, high, frames: all })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::figure::of_task;
    use super::super::frames::tests::frame;
    use super::*;

    #[test]
    fn frames_are_grouped_by_radius_and_runs_by_noise() {
        let side = |noise: f64| {
            let frames = (0..60).map(|id| {
                let radius = if id % 2 == 0 { 10.0 } else { 40.0 };
                frame(
                    id,
                    &[
                        (Column::TruthRadius, radius),
                        (Column::L1, 1.0 / radius),
                        (Column::Ball, 1.0),
                        (Column::Circle, 1.0),
                    ],
                )
            });
            let report = json!({"schema": 1, "run": {"config": {"noise": noise}}, "sessions": []});
            Side { frames: Some(frames.collect()), ..Side::of_report("a".into(), report) }
        };
        let figures = of_task("circle").unwrap();
        let found = subsets(&[By::Radius, By::Noise], &[side(0.0), side(7.0)], figures);
        let means: Vec<_> = found.iter().filter(|subset| subset.path == "error_px.l1.mean").collect();
        let bins: Vec<_> = means.iter().map(|subset| (subset.by, subset.bin.as_str())).collect();
        assert_eq!(
            bins,
            [
                ("radius", "8 to 12 px"),
                ("radius", "32 to 48 px"),
                ("noise", "0 to 1 gray levels"),
                ("noise", "5 to 10 gray levels")
            ]
        );
        let ten = means[0].runs[0].expect("frames");
        assert!((ten.value - 0.1).abs() < 1e-12 && ten.frames == 30, "{ten:?}");
        assert_eq!(means[2].runs[1], None, "the other run has another noise");
        let missed =
            found.iter().find(|subset| subset.path == "frames.missed").and_then(|subset| subset.runs[0]).unwrap();
        assert!(missed.value == 0.0 && (missed.high.unwrap() - 0.0950).abs() < 1e-3, "{missed:?}");
    }

    #[test]
    fn an_unknown_property_is_refused() {
        assert_eq!("radius".parse(), Ok(By::Radius));
        assert!("speed".parse::<By>().unwrap_err().contains("write radius, contrast, noise"));
    }
}
