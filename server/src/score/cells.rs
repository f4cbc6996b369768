//! A frame's values in the columns that its task names.
//!
//! A task states its columns once, and every output takes them from there. So a new task changes no output.

use std::fmt;

use smallvec::SmallVec;

/// A column of a task's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in files: snake_case, with the unit if a bare number could mislead.
    pub name: &'static str,
    /// The type of its values.
    pub kind: ColumnKind,
    /// How a terminal shows it; absent if it is only in files.
    pub heading: Option<Heading>,
}

/// The type of a column's values. Any value may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Words, all of which are in this list.
    Word(&'static [&'static str]),
    /// Whole numbers.
    Integer,
    /// Real numbers.
    Real,
}

/// A column of a terminal's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Its heading.
    pub text: &'static str,
    /// Its width in characters.
    pub width: usize,
    /// Digits after the decimal point.
    pub decimals: usize,
    /// Its heading and width in lines of 80 characters.
    pub narrow: (&'static str, usize),
}

impl Column {
    /// A column of these words, for files only.
    pub const fn word(name: &'static str, words: &'static [&'static str]) -> Self {
        Self::of(name, ColumnKind::Word(words))
    }

    /// A column of whole numbers, for files only.
    pub const fn integer(name: &'static str) -> Self {
        Self::of(name, ColumnKind::Integer)
    }

    /// A column of real numbers, for files only.
    pub const fn real(name: &'static str) -> Self {
        Self::of(name, ColumnKind::Real)
    }

    const fn of(name: &'static str, kind: ColumnKind) -> Self {
        Self { name, kind, heading: None }
    }

    /// This column, shown in a terminal too.
    #[must_use]
    pub const fn shown(self, text: &'static str, width: usize, decimals: usize) -> Self {
        Self { heading: Some(Heading { text, width, decimals, narrow: (text, width) }), ..self }
    }

    /// This column, with this heading and width in narrow terminals.
    #[must_use]
    pub const fn narrow(self, text: &'static str, width: usize) -> Self {
        match self.heading {
            Some(heading) => Self { heading: Some(Heading { narrow: (text, width), ..heading }), ..self },
            None => self,
        }
    }
}

/// The columns of a task, in three groups: what the frame shows, what the answer says, and the difference.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Columns of the truth.
    pub truth: &'static [Column],
    /// Columns of the answer.
    pub answer: &'static [Column],
    /// Columns of the residual.
    pub residual: &'static [Column],
}

impl Columns {
    /// All columns, in the order of a record's cells.
    pub fn all(self) -> impl Iterator<Item = &'static Column> {
        self.truth.iter().chain(self.answer).chain(self.residual)
    }
}

/// A value in a column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Cell {
    /// No value.
    #[default]
    Empty,
    /// A whole number.
    Integer(i64),
    /// A finite real number.
    Real(f64),
    /// A word.
    Word(&'static str),
}

/// The values of one group of columns, in column order. Even the largest group, a circle with its covariance and its
/// ellipse, needs no allocation.
pub type Cells = SmallVec<[Cell; 10]>;

impl Cell {
    /// Whether a column of this kind may hold the value.
    pub fn is_of(self, kind: ColumnKind) -> bool {
        match (self, kind) {
            (Self::Word(word), ColumnKind::Word(words)) => words.contains(&word),
            (value, kind) => matches!(
                (value, kind),
                (Self::Empty, _) | (Self::Integer(_), ColumnKind::Integer) | (Self::Real(_), ColumnKind::Real)
            ),
        }
    }

    /// Parses a value of a column of this kind from a file: the inverse of its display. `None` if it is invalid.
    pub fn read(text: &str, kind: ColumnKind) -> Option<Self> {
        match kind {
            _ if text.is_empty() => Some(Self::Empty),
            ColumnKind::Word(words) => words.iter().find(|word| **word == text).map(|word| Self::Word(word)),
            ColumnKind::Integer => text.parse().ok().map(Self::Integer),
            ColumnKind::Real => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Self::Real),
        }
    }

    /// The value as a number, if it is one.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(value as f64),
            Self::Real(value) => Some(value),
            Self::Empty | Self::Word(_) => None,
        }
    }

    /// The value for people, with this many digits after the decimal point; `-` if there is none.
    pub fn rounded(self, decimals: usize) -> String {
        match self {
            Self::Empty => "-".into(),
            Self::Integer(value) => value.to_string(),
            Self::Real(value) => format!("{value:.decimals$}"),
            Self::Word(word) => word.into(),
        }
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Empty, Self::Real)
    }
}

/// The value for files: as many digits as the number needs to be read back exactly; empty if there is none.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Real(value) => write!(f, "{value}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_of_the_wrong_kind_for_its_column_is_refused() {
        let words = ColumnKind::Word(&["ball", "no ball"]);
        assert_eq!(Cell::read("no ball", words), Some(Cell::Word("no ball")));
        assert_eq!(Cell::read("", words), Some(Cell::Empty));
        for (text, kind) in [("cube", words), ("1.5", ColumnKind::Integer), ("x", ColumnKind::Real)] {
            assert_eq!(Cell::read(text, kind), None, "{text}");
        }
        for text in ["inf", "NaN", "1e999"] {
            assert_eq!(Cell::read(text, ColumnKind::Real), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_read_back_to_its_last_bit(
            real in any::<f64>().prop_filter("finite", |value| value.is_finite()), whole in any::<i64>(),
        ) {
            let read = Cell::read(&Cell::Real(real).to_string(), ColumnKind::Real).and_then(Cell::number);
            prop_assert_eq!(read.map(f64::to_bits), Some(real.to_bits()));
            let cell = Cell::Integer(whole);
            prop_assert_eq!(Cell::read(&cell.to_string(), ColumnKind::Integer), Some(cell));
        }
    }
}
