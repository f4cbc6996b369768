//! A frame's values in the columns that its task names.
//!
//! A task states its columns once; every output takes them from there. So a new task touches no output.

use std::fmt;

use smallvec::SmallVec;

/// A column of a task's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in files: snake_case, with its unit where a bare number could mislead.
    pub name: &'static str,
    /// How a terminal shows it; absent where it has no room for it.
    pub heading: Option<Heading>,
}

/// A column of a terminal's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    /// What stands above it.
    pub text: &'static str,
    /// Its width in characters.
    pub width: usize,
    /// Digits after the point.
    pub decimals: usize,
    /// What stands above it, and its width, where a line has 80 characters.
    pub narrow: (&'static str, usize),
}

impl Column {
    /// A column that only files have.
    pub const fn new(name: &'static str) -> Self {
        Self { name, heading: None }
    }

    /// The same column, shown in a terminal too.
    #[must_use]
    pub const fn shown(self, text: &'static str, width: usize, decimals: usize) -> Self {
        Self { heading: Some(Heading { text, width, decimals, narrow: (text, width) }), ..self }
    }

    /// The same column, shown like this where there is less room.
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
    /// Of the truth.
    pub truth: &'static [Column],
    /// Of the answer.
    pub answer: &'static [Column],
    /// Of the residual.
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
    /// There is none.
    #[default]
    Empty,
    /// A whole number.
    Integer(i64),
    /// A real number, finite.
    Real(f64),
    /// A word.
    Word(&'static str),
}

/// The values of one group of columns, in their order. A circle with its covariance, the largest, takes no memory.
pub type Cells = SmallVec<[Cell; 7]>;

impl Cell {
    /// The number, if it is one.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(value as f64),
            Self::Real(value) => Some(value),
            Self::Empty | Self::Word(_) => None,
        }
    }

    /// The value with so many digits after the point, for people; `-` where there is none.
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

/// For files: nothing where there is no value, and as many digits as the number needs to be read back exactly.
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
