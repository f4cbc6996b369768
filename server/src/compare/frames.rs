//! The frames of one session, with the columns that are compared.

/// A column that is compared. A column of words is read as numbers: 1 for the word named in [`COLUMNS`], 0 for any
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// `truth`: whether the frame shows a ball.
    Ball,
    /// Truth.
    TruthX,
    /// Truth.
    TruthY,
    /// Truth.
    TruthRadius,
    /// Truth of the task `count`.
    TruthCount,
    /// `kind`: whether the answer is a circle.
    Circle,
    /// Error to the right, in px.
    Dx,
    /// Error downwards, in px.
    Dy,
    /// |dx| + |dy|, in px.
    L1,
    /// Error of the task `count`, in balls.
    Residual,
    /// `match`: whether the image is that of the frame.
    Identical,
    /// PSNR of the image, in dB.
    Psnr,
}

/// Each column with its name in the table and, for a column of words, the word that is read as 1.
pub(super) const COLUMNS: [(Column, &str, Option<&str>); 12] = [
    (Column::Ball, "truth", Some("ball")),
    (Column::TruthX, "truth_x", None),
    (Column::TruthY, "truth_y", None),
    (Column::TruthRadius, "truth_radius", None),
    (Column::TruthCount, "truth_count", None),
    (Column::Circle, "kind", Some("circle")),
    (Column::Dx, "dx", None),
    (Column::Dy, "dy", None),
    (Column::L1, "l1", None),
    (Column::Residual, "residual", None),
    (Column::Identical, "match", Some("identical")),
    (Column::Psnr, "psnr_db", None),
];

/// The columns that say what a frame shows.
const TRUTH: [Column; 5] = [Column::Ball, Column::TruthX, Column::TruthY, Column::TruthRadius, Column::TruthCount];

/// The outcome of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    Dropped,
    Lost,
    Unresolved,
}

/// A frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) id: u64,
    pub(super) source_index: u64,
    pub(super) fate: Fate,
    /// The value of each of the [`COLUMNS`]; NaN if there is none.
    pub(super) values: [f64; COLUMNS.len()],
}

impl Fate {
    /// The outcome with this name in the table.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "answered" => Self::Answered,
            "dropped" => Self::Dropped,
            "lost" => Self::Lost,
            "unresolved" => Self::Unresolved,
            _ => return None,
        })
    }
}

impl Frame {
    /// The value of a column, if there is one.
    pub(super) fn get(&self, column: Column) -> Option<f64> {
        // The columns are in the order of their declaration.
        Some(self.values[column as usize]).filter(|value| value.is_finite())
    }

    /// Whether both frames have the same truth.
    pub(super) fn shows_the_same(&self, other: &Self) -> bool {
        let is_same = |column: &Column| self.get(*column) == other.get(*column);
        self.source_index == other.source_index && TRUTH.iter().all(is_same)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::score::record::Outcome;

    /// An answered frame with these values.
    pub(in crate::compare) fn frame(id: u64, values: &[(Column, f64)]) -> Frame {
        let mut frame = Frame { id, source_index: id, fate: Fate::Answered, values: [f64::NAN; COLUMNS.len()] };
        values.iter().for_each(|(column, value)| frame.values[*column as usize] = *value);
        frame
    }

    #[test]
    fn each_column_is_at_its_place() {
        assert!(COLUMNS.iter().enumerate().all(|(place, (column, ..))| *column as usize == place));
    }

    #[test]
    fn frames_show_the_same_if_their_truths_are_equal() {
        let ball = frame(7, &[(Column::TruthX, 1.5)]);
        assert_eq!((ball.get(Column::TruthX), ball.get(Column::Dx)), (Some(1.5), None));
        assert!(ball.shows_the_same(&ball));
        assert!(!ball.shows_the_same(&frame(7, &[(Column::TruthX, 1.25)])));
        assert!(!ball.shows_the_same(&frame(7, &[])));
    }

    #[test]
    fn outcomes_have_the_names_of_the_table() {
        let names = Outcome::NAMES.iter().map(|name| Fate::named(name)).collect::<Vec<_>>();
        assert_eq!(names, [Fate::Answered, Fate::Dropped, Fate::Lost, Fate::Unresolved].map(Some));
        assert_eq!(Fate::named("eaten"), None);
    }
}
