//! The detector that processes the files, and its result for each of them.

use ndarray::ArrayView2;
use shared::geometry::{Circle, Size};

use super::found::{Candidate, FoundCircle, Seen};
use crate::cli::DetectArgs;
use crate::pipeline::hough::{self, Hough};
use crate::pipeline::{
    DEFAULT_MIN_AXIS_RATIO, Detector, DetectorOfAll, Estimate, PipelineError, RadiusLimits, RadiusRange,
};

/// A detector, and what it is asked to find.
pub(super) struct Looker {
    detector: Kind,
    limits: RadiusLimits,
    /// Whether all circles are asked for, and how many at most.
    all: Option<usize>,
    explain: bool,
    found: Vec<Estimate>,
}

enum Kind {
    /// Finds all circles, and lists the outcome of its candidates.
    Hough(Box<Hough>),
    Other(Box<dyn Detector>),
}

impl Looker {
    /// # Errors
    /// [`PipelineError`] if the detector cannot do what is asked, or no circle can be within the limits.
    pub(super) fn new(args: &DetectArgs) -> Result<Self, PipelineError> {
        let choice = args.detector.choice()?;
        let limits = args.detector.radii.limits();
        let detector = if choice.name() == hough::NAME {
            let hough = Hough::new(limits).explaining();
            Kind::Hough(Box::new(hough.with_min_axis_ratio(args.min_axis_ratio.unwrap_or(DEFAULT_MIN_AXIS_RATIO))))
        } else {
            if args.all {
                choice.build_all()?;
            }
            let refused = [("--min-axis-ratio", args.min_axis_ratio.is_some()), ("--explain", args.explain)];
            if let Some((option, _)) = refused.into_iter().find(|(_, given)| *given) {
                return Err(PipelineError::OnlyHough { option, detector: choice.name() });
            }
            Kind::Other(choice.build())
        };
        let all = args.all.then(|| args.max_count.map_or(usize::MAX, usize::from));
        Ok(Self { detector, limits, all, explain: args.explain, found: Vec::new() })
    }

    /// The detector's name.
    pub(super) fn name(&self) -> &'static str {
        match &self.detector {
            Kind::Hough(_) => hough::NAME,
            Kind::Other(detector) => detector.name(),
        }
    }

    /// Finds what is asked for.
    pub(super) fn look(&mut self, gray: ArrayView2<'_, u8>) {
        self.found.clear();
        match (&mut self.detector, self.all) {
            (Kind::Hough(hough), Some(most)) => {
                hough.detect_all(gray, &mut self.found);
                self.found.truncate(most);
            }
            (Kind::Hough(hough), None) => self.found.extend(hough.detect(gray)),
            (Kind::Other(detector), _) => self.found.extend(detector.detect(gray)),
        }
    }

    /// What the last look saw.
    pub(super) fn seen(&mut self, gray: ArrayView2<'_, u8>) -> Seen {
        let size = Size { width: gray.ncols() as u32, height: gray.nrows() as u32 };
        let circles: Vec<_> = self.found.iter().copied().map(FoundCircle::of).collect();
        let (range, trials) = match &mut self.detector {
            Kind::Hough(hough) => (hough.range(size), Some(hough.trials(gray, &self.found))),
            Kind::Other(_) => (self.limits.range(size), None),
        };
        let candidates = trials.map(|trials| trials.iter().map(Candidate::of).collect::<Vec<_>>());
        Seen {
            circle: circles.first().cloned(),
            circles: self.all.is_some().then_some(circles.clone()),
            radii: range.map(|range| [range.min(), range.max()]),
            min_axis_ratio: candidates.as_ref().and(range).map(RadiusRange::min_axis_ratio),
            rejected: candidates.as_ref().filter(|_| circles.is_empty()).and_then(|all| all.first().cloned()),
            candidates: candidates.filter(|_| self.explain),
        }
    }
}

impl FoundCircle {
    fn of(Estimate { circle: Circle { x, y, radius }, ellipse, .. }: Estimate) -> Self {
        Self { x, y, radius, axes: ellipse.map(|ellipse| ellipse.axes), angle: ellipse.map(|ellipse| ellipse.angle) }
    }
}

impl Candidate {
    fn of(trial: &hough::Trial) -> Self {
        let circle = FoundCircle::of(Estimate { circle: trial.circle, ellipse: trial.ellipse, covariance: None });
        Self { circle, evidence: trial.evidence, share: trial.share, reason: trial.rejected.clone() }
    }
}
