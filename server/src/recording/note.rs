//! The note on a frame in a recording: which frame it is, and its exact truth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::geometry::Circle;
use shared::image::PixelFormat;
use shared::protocol::INTEGER_LIMIT;
use shared::protocol::message::{COORDINATE_LIMIT, Meta, check_meta};

use crate::truth::{Limit, Projected, Truth};

/// Schema of a note.
pub(crate) const SCHEMA: &str = "plumb.Frame";

/// A note on a frame, as JSON. It stands before the frame's image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Note {
    /// The frame's id in its session.
    pub(crate) frame: u64,
    /// Its index at the source, from 0.
    pub(crate) source_index: u64,
    /// When it was captured, in µs of the server's clock, as in the report and the rows.
    pub(crate) captured_us: u64,
    /// Its pixel format.
    pub(crate) pixel: PixelFormat,
    /// What it shows.
    pub(crate) truth: NotedTruth,
    /// Metadata of the frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<Meta>,
}

/// What a frame shows. Pixel centres are at whole coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum NotedTruth {
    /// A ball.
    Ball {
        x: f64,
        y: f64,
        radius: f64,
        /// The least error that an estimate can have.
        limit: NotedLimit,
        /// What is seen through a lens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        projected: Option<NotedProjection>,
    },
    /// A ball whose radius is not known.
    Centre { x: f64, y: f64 },
    /// A number of balls.
    Balls { count: u32 },
    /// No ball.
    Empty,
    /// The truth is not known.
    Unknown,
}

/// A ball on its plane, and the points of its picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct NotedProjection {
    centre: (f64, f64),
    centroid: (f64, f64),
    /// x, y and radius on the plane.
    plane: (f64, f64, f64),
    /// Number of the plane's pose, from 1.
    pose: u32,
}

/// The least mean |dx| + |dy|, in px.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum NotedLimit {
    Bound { px: f64 },
    Reference { px: f64 },
    Unknown,
}

impl Note {
    /// Parses a note. `None` if it is malformed, or if a number, the truth or the size of the metadata is impossible.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(Self::is_possible)
    }

    fn is_possible(&self) -> bool {
        let is_small = |meta: &Meta| check_meta(meta).is_ok();
        let is_counted = [self.frame, self.source_index, self.captured_us].into_iter().all(|one| one < INTEGER_LIMIT);
        is_counted && self.truth.is_possible() && self.meta.as_ref().is_none_or(is_small)
    }

    /// The note as JSON.
    pub(crate) fn write(&self) -> Vec<u8> {
        // Serialising cannot fail: there are only names and numbers.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl NotedTruth {
    fn is_possible(self) -> bool {
        match self {
            Self::Ball { x, y, radius, limit, projected } => {
                let is_seen = projected.is_none_or(|NotedProjection { centre, centroid, plane, .. }| {
                    let all = [centre.0, centre.1, centroid.0, centroid.1, plane.0, plane.1, plane.2];
                    all.into_iter().all(is_within) && plane.2 > 0.0
                });
                let is_limit = match limit {
                    NotedLimit::Bound { px } | NotedLimit::Reference { px } => (0.0..=MOST_LIMIT_PX).contains(&px),
                    NotedLimit::Unknown => true,
                };
                [x, y, radius].into_iter().all(is_within) && radius > 0.0 && is_limit && is_seen
            }
            Self::Centre { x, y } => is_within(x) && is_within(y),
            Self::Balls { .. } | Self::Empty | Self::Unknown => true,
        }
    }
}

/// Largest limit, in px: the sum over 2^53 frames stays finite.
const MOST_LIMIT_PX: f64 = f64::MAX / 9_007_199_254_740_992.0;

/// Within the limit of answers, so that errors and their squares stay finite.
fn is_within(px: f64) -> bool {
    px.abs() <= COORDINATE_LIMIT
}

impl From<Truth> for NotedTruth {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::Ball { circle: Circle { x, y, radius }, limit } => {
                Self::Ball { x, y, radius, limit: limit.into(), projected: None }
            }
            Truth::Projected { circle: Circle { x, y, radius }, limit, projected } => {
                let Projected { centre, centroid, plane, pose } = projected;
                let plane = (plane.x, plane.y, plane.radius);
                let projected = Some(NotedProjection { centre, centroid, plane, pose });
                Self::Ball { x, y, radius, limit: limit.into(), projected }
            }
            Truth::Centre { x, y } => Self::Centre { x, y },
            Truth::Balls(count) => Self::Balls { count },
            Truth::Empty => Self::Empty,
            Truth::Unknown => Self::Unknown,
        }
    }
}

impl From<NotedTruth> for Truth {
    fn from(noted: NotedTruth) -> Self {
        match noted {
            NotedTruth::Ball { x, y, radius, limit, projected: None } => {
                Self::Ball { circle: Circle { x, y, radius }, limit: limit.into() }
            }
            NotedTruth::Ball { x, y, radius, limit, projected: Some(noted) } => {
                let (plane_x, plane_y, plane_radius) = noted.plane;
                let plane = Circle { x: plane_x, y: plane_y, radius: plane_radius };
                let projected = Projected { centre: noted.centre, centroid: noted.centroid, plane, pose: noted.pose };
                Self::Projected { circle: Circle { x, y, radius }, limit: limit.into(), projected }
            }
            NotedTruth::Centre { x, y } => Self::Centre { x, y },
            NotedTruth::Balls { count } => Self::Balls(count),
            NotedTruth::Empty => Self::Empty,
            NotedTruth::Unknown => Self::Unknown,
        }
    }
}

impl From<Limit> for NotedLimit {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Bound(px) => Self::Bound { px },
            Limit::Reference(px) => Self::Reference { px },
            Limit::Unknown => Self::Unknown,
        }
    }
}

impl From<NotedLimit> for Limit {
    fn from(noted: NotedLimit) -> Self {
        match noted {
            NotedLimit::Bound { px } => Self::Bound(px),
            NotedLimit::Reference { px } => Self::Reference(px),
            NotedLimit::Unknown => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::protocol::message::MetaValue;

    use super::*;

    fn note(truth: Truth) -> Note {
        Note {
            frame: INTEGER_LIMIT - 1,
            source_index: 7,
            captured_us: 1,
            pixel: PixelFormat::Gray16,
            truth: truth.into(),
            meta: None,
        }
    }

    proptest! {
        #[test]
        fn truth_comes_back_to_the_last_bit(x in -1e4..1e4f64, y in -1e4..1e4f64, radius in 1e-3..1e4f64, px in 0.0..10f64) {
            let circle = Circle { x, y, radius };
            for limit in [Limit::Bound(px), Limit::Reference(px), Limit::Unknown] {
                let truth = Truth::Ball { circle, limit };
                prop_assert_eq!(Truth::from(Note::read(&note(truth).write()).unwrap().truth), truth);
            }
            let projected = Projected { centre: (x, y), centroid: (y, x), plane: circle, pose: 2 };
            let seen = Truth::Projected { circle, limit: Limit::Bound(px), projected };
            prop_assert_eq!(Truth::from(Note::read(&note(seen).write()).unwrap().truth), seen);
            let centre = Truth::Centre { x, y };
            prop_assert_eq!(Truth::from(Note::read(&note(centre).write()).unwrap().truth), centre);
        }
    }

    #[test]
    fn every_kind_of_truth_comes_back_and_an_impossible_one_is_refused() {
        for truth in [Truth::Balls(3), Truth::Empty, Truth::Unknown] {
            assert_eq!(Note::read(&note(truth).write()), Some(note(truth)));
        }
        let text = String::from_utf8(note(Truth::Centre { x: 1.5, y: 2.5 }).write()).unwrap();
        for wrong in [text.replace("1.5", "1e999"), text.replace("1.5", "null"), text.replace("centre", "square")] {
            assert_eq!(Note::read(wrong.as_bytes()), None, "{wrong}");
        }
        let circle = Circle { x: 1.0, y: 2.0, radius: -3.0 };
        assert_eq!(Note::read(&note(Truth::Ball { circle, limit: Limit::Unknown }).write()), None);
    }

    #[test]
    fn a_number_or_metadata_beyond_the_limits_of_the_protocol_is_refused() {
        let fine = note(Truth::Empty);
        assert_eq!(Note::read(&fine.write()).as_ref(), Some(&fine));
        let long = [("a".to_owned(), MetaValue::Text("x".repeat(5000)))].into();
        for wrong in [
            Note { frame: INTEGER_LIMIT, ..fine.clone() },
            Note { source_index: u64::MAX, ..fine.clone() },
            Note { captured_us: INTEGER_LIMIT, ..fine.clone() },
            Note { meta: Some(long), ..fine.clone() },
        ] {
            assert_eq!(Note::read(&wrong.write()), None);
        }
    }

    #[test]
    fn truth_beyond_the_limit_of_answers_is_refused_in_each_of_its_numbers() {
        let most = COORDINATE_LIMIT;
        let circle = Circle { x: -most, y: most, radius: most };
        let projected = Projected { centre: (most, -most), centroid: (-most, most), plane: circle, pose: 1 };
        let seen = |circle, limit, projected| Truth::Projected { circle, limit, projected };
        let fine = seen(circle, Limit::Bound(MOST_LIMIT_PX), projected);
        assert_eq!(Note::read(&note(fine).write()), Some(note(fine)));
        let beyond = most.next_up();
        let limit = Limit::Unknown;
        for wrong in [
            seen(Circle { x: -beyond, ..circle }, limit, projected),
            seen(Circle { y: beyond, ..circle }, limit, projected),
            seen(Circle { radius: beyond, ..circle }, limit, projected),
            seen(circle, limit, Projected { centre: (beyond, 0.0), ..projected }),
            seen(circle, limit, Projected { centre: (0.0, -beyond), ..projected }),
            seen(circle, limit, Projected { centroid: (-beyond, 0.0), ..projected }),
            seen(circle, limit, Projected { centroid: (0.0, beyond), ..projected }),
            seen(circle, limit, Projected { plane: Circle { x: beyond, ..circle }, ..projected }),
            seen(circle, limit, Projected { plane: Circle { y: -beyond, ..circle }, ..projected }),
            seen(circle, limit, Projected { plane: Circle { radius: 0.0, ..circle }, ..projected }),
            seen(circle, limit, Projected { plane: Circle { radius: beyond, ..circle }, ..projected }),
            seen(circle, Limit::Bound(MOST_LIMIT_PX.next_up()), projected),
            seen(circle, Limit::Reference(1e308), projected),
            seen(circle, Limit::Reference(-0.1), projected),
            Truth::Centre { x: beyond, y: 0.0 },
            Truth::Centre { x: 0.0, y: -1e308 },
        ] {
            assert_eq!(Note::read(&note(wrong).write()), None, "{wrong:?}");
        }
    }
}
