//! Models of the levels along and across an outline.

use super::columns::{IN, IN_ROOT, IN_SLOPE, LIGHT_X, LIGHT_Y, LIGHT_Z, OUT, OUT_SLOPE, STROKE};

/// What an outline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The edge of an area.
    Edge,
    /// The rim of a lit ball.
    Ball,
    /// A stroke, and an edge along its middle if both sides have different levels.
    Stroke,
}

/// A model of the levels. Models with fewer parameters come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shading {
    /// One level on each side.
    Flat,
    /// A plane outside, one level inside.
    Ground,
    /// A plane on each side.
    Planes,
    /// One level outside, and inside ambient light and light from one direction, by Lambert's law.
    Lambert,
    /// Like `Lambert`, with a plane outside.
    LambertOnGround,
    /// A level for each sector on each side.
    Sectors,
    /// A level and a slope across the edge for each sector, on each side.
    Slopes,
    /// Like `Slopes`, with an additional term inside: the root of the depth. A ball in any light darkens like this
    /// towards its rim.
    Roots,
}

/// A hypothesis that may explain the pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hypothesis {
    pub(crate) shading: Shading,
    /// Whether the outline is a circle.
    pub(crate) round: bool,
}

impl Kind {
    /// The possible shadings of such an outline, those with the fewest parameters first.
    pub(crate) fn shadings(self) -> &'static [Shading] {
        use Shading::{Flat, Ground, Lambert, LambertOnGround, Planes, Roots, Sectors, Slopes};
        match self {
            Self::Edge | Self::Stroke => &[Flat, Ground, Planes, Sectors, Slopes, Roots],
            Self::Ball => &[Lambert, LambertOnGround],
        }
    }

    /// The shading that a fit begins with.
    pub(crate) fn first(self) -> Shading {
        match self {
            Self::Edge | Self::Stroke => Shading::Sectors,
            Self::Ball => Shading::LambertOnGround,
        }
    }
}

impl Shading {
    /// Whether both sides have the level of a plane.
    pub(crate) fn is_even(self) -> bool {
        matches!(self, Self::Flat | Self::Ground | Self::Planes)
    }

    /// Whether the levels change with the distance from the edge, other than a ball's.
    pub(crate) fn has_slopes(self) -> bool {
        matches!(self, Self::Slopes | Self::Roots)
    }

    /// Whether all sectors share the levels.
    pub(crate) fn is_shared(self) -> bool {
        self.local(false).is_empty()
    }

    /// The columns with separate levels for each sector.
    pub(crate) fn local(self, stroke: bool) -> &'static [usize] {
        match (self, stroke) {
            (Self::Flat | Self::Ground | Self::Planes | Self::Lambert | Self::LambertOnGround, _) => &[],
            (Self::Sectors, false) => &[OUT, IN],
            (Self::Sectors, true) => &[OUT, IN, STROKE],
            (Self::Slopes, false) => &[OUT, IN, OUT_SLOPE, IN_SLOPE],
            (Self::Slopes, true) => &[OUT, IN, STROKE, OUT_SLOPE, IN_SLOPE],
            (Self::Roots, false) => &[OUT, IN, OUT_SLOPE, IN_ROOT, IN_SLOPE],
            (Self::Roots, true) => &[OUT, IN, STROKE, OUT_SLOPE, IN_ROOT, IN_SLOPE],
        }
    }

    /// The columns whose levels are waves along the outline, and their waves: 1, x or y of the direction.
    pub(crate) fn waves(self, stroke: bool) -> &'static [(usize, usize)] {
        const FLAT: [(usize, usize); 3] = [(OUT, 0), (IN, 0), (STROKE, 0)];
        const GROUND: [(usize, usize); 5] = [(OUT, 0), (OUT, 1), (OUT, 2), (IN, 0), (STROKE, 0)];
        const PLANES: [(usize, usize); 9] =
            [(OUT, 0), (OUT, 1), (OUT, 2), (IN, 0), (IN, 1), (IN, 2), (STROKE, 0), (STROKE, 1), (STROKE, 2)];
        const LAMBERT: [(usize, usize); 5] = [(OUT, 0), (IN, 0), (LIGHT_X, 0), (LIGHT_Y, 0), (LIGHT_Z, 0)];
        const ON_GROUND: [(usize, usize); 7] =
            [(OUT, 0), (OUT, 1), (OUT, 2), (IN, 0), (LIGHT_X, 0), (LIGHT_Y, 0), (LIGHT_Z, 0)];
        let (all, of_stroke) = match self {
            Self::Flat => (&FLAT[..], 1),
            Self::Ground => (&GROUND[..], 1),
            Self::Planes => (&PLANES[..], 3),
            Self::Lambert => return &LAMBERT,
            Self::LambertOnGround => return &ON_GROUND,
            Self::Sectors | Self::Slopes | Self::Roots => (&[][..], 0),
        };
        if stroke { all } else { &all[..all.len() - of_stroke] }
    }
}
