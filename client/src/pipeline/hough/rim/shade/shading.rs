//! How the levels run along and across an outline.

use super::columns::{IN, IN_ROOT, IN_SLOPE, OUT, OUT_SLOPE, STROKE};

/// How the levels run. From the fewest parameters to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shading {
    /// One level on each side.
    Flat,
    /// A plane outside, one level inside.
    Ground,
    /// A plane on each side.
    Planes,
    /// A level for each sector on each side.
    Sectors,
    /// A level and a slope across the edge for each sector, on each side.
    Slopes,
    /// As `Slopes`, and inside a term with the root of the depth: how a ball in the light darkens towards its rim.
    Ball,
}

pub(crate) const SHADINGS: [Shading; 6] =
    [Shading::Flat, Shading::Ground, Shading::Planes, Shading::Sectors, Shading::Slopes, Shading::Ball];

/// What explains the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hypothesis {
    pub(crate) shading: Shading,
    /// Whether the outline is a circle.
    pub(crate) round: bool,
}

impl Shading {
    /// The columns whose levels each sector has for itself.
    pub(crate) fn local(self, stroke: bool) -> &'static [usize] {
        match (self, stroke) {
            (Self::Flat | Self::Ground | Self::Planes, _) => &[],
            (Self::Sectors, false) => &[OUT, IN],
            (Self::Sectors, true) => &[OUT, IN, STROKE],
            (Self::Slopes, false) => &[OUT, IN, OUT_SLOPE, IN_SLOPE],
            (Self::Slopes, true) => &[OUT, IN, STROKE, OUT_SLOPE, IN_SLOPE],
            (Self::Ball, false) => &[OUT, IN, OUT_SLOPE, IN_ROOT, IN_SLOPE],
            (Self::Ball, true) => &[OUT, IN, STROKE, OUT_SLOPE, IN_ROOT, IN_SLOPE],
        }
    }

    /// The columns whose levels are waves along the outline, and their waves: 1, x or y of the direction.
    pub(crate) fn waves(self, stroke: bool) -> &'static [(usize, usize)] {
        const FLAT: [(usize, usize); 3] = [(OUT, 0), (IN, 0), (STROKE, 0)];
        const GROUND: [(usize, usize); 5] = [(OUT, 0), (OUT, 1), (OUT, 2), (IN, 0), (STROKE, 0)];
        const PLANES: [(usize, usize); 9] =
            [(OUT, 0), (OUT, 1), (OUT, 2), (IN, 0), (IN, 1), (IN, 2), (STROKE, 0), (STROKE, 1), (STROKE, 2)];
        let (all, of_stroke) = match self {
            Self::Flat => (&FLAT[..], 1),
            Self::Ground => (&GROUND[..], 1),
            Self::Planes => (&PLANES[..], 3),
            Self::Sectors | Self::Slopes | Self::Ball => (&[][..], 0),
        };
        if stroke { all } else { &all[..all.len() - of_stroke] }
    }
}
