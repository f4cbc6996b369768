//! One condition: `PATH OP NUMBER`, where NUMBER may have a unit.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

/// Two conditions, for messages.
pub const EXAMPLE: &str = "\"error_px.l1.mean <= 0.05\" or \"latency_us.p99 <= 5ms\"";

/// Operators. The longer ones come first, because a shorter one may be the beginning of a longer one.
pub(super) const OPERATORS: [(&str, Operator); 6] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    ("<", Operator::Below),
    (">", Operator::Above),
];

/// Units. The longer ones come first, because a shorter one may be the end of a longer one.
pub(super) const UNITS: [(&str, Unit); 5] =
    [("us", Unit::Us), ("ms", Unit::Ms), ("px", Unit::Px), ("s", Unit::S), ("%", Unit::Percent)];

/// A comparison of the figure at a path with a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub(super) path: String,
    pub(super) operator: Operator,
    /// The number as it is written, with its digits.
    pub(super) number: String,
    pub(super) unit: Option<Unit>,
}

/// A text that is not a condition.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NotACondition {
    /// It cannot be read.
    #[error("\"{text}\" is not a condition: {advice}")]
    Unreadable {
        /// The text.
        text: String,
        /// Where the mistake is, and what would be right.
        advice: String,
    },
    /// The unit does not fit the figure.
    #[error("{0}")]
    Unit(String),
    /// The limit is too large in the unit of the figure.
    #[error("\"{0}\": the limit is larger than any number: write one below 1e300")]
    TooLarge(String),
}

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
    Unequal,
}

/// The unit of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Us,
    Ms,
    S,
    Px,
    Percent,
}

impl Condition {
    /// The path of the figure.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The limit in the unit of the figure, or as a share of 1: the number nearest to the written one.
    pub fn limit(&self) -> f64 {
        // invariant: `FromStr` has read this text as a finite number, also in the unit of the figure.
        self.scaled_limit().parse().unwrap_or(f64::NAN)
    }

    /// Whether it holds below its limit, and not above.
    pub(crate) fn is_upper(&self) -> bool {
        self.operator.is_upper()
    }

    /// Whether it compares with one value, by == or !=.
    pub(crate) fn is_exact(&self) -> bool {
        self.operator.is_exact()
    }

    /// Whether the condition holds for a value in the unit of the figure, or for a share of 1.
    pub(super) fn holds(&self, value: f64) -> bool {
        value.partial_cmp(&self.limit()).is_some_and(|ordering| self.operator.holds(ordering))
    }

    /// Whether the condition holds for a whole number, however large it is.
    pub(super) fn holds_for_whole(&self, value: i128) -> bool {
        match self.number.parse::<i128>() {
            Ok(limit) if self.shift() == 0 => self.operator.holds(value.cmp(&limit)),
            _ => self.holds(value as f64),
        }
    }

    /// Whether the figure is a count that the condition compares as its share of the frames sent.
    pub(crate) fn wants_share(&self) -> bool {
        self.unit == Some(Unit::Percent) && !is_share(&self.path)
    }

    /// A value in the unit of the condition. It has five digits, unless rounding would change whether the condition
    /// holds.
    pub(crate) fn shown(&self, value: f64) -> String {
        let scaled = value / 10_f64.powi(self.shift());
        let short: f64 = format!("{scaled:.4e}").parse().unwrap_or(scaled);
        // All digits are shown if five would not be shorter, or would contradict the verdict.
        let is_the_same = self.holds(short * 10_f64.powi(self.shift())) == self.holds(value);
        let shown = if is_the_same && short.abs() < 1e5 { short } else { scaled };
        self.with_unit(&shown.to_string())
    }

    /// Operator and number, such as `<= 5 ms`.
    pub(super) fn operator_and_limit(&self) -> String {
        format!("{} {}", self.operator, self.with_unit(&self.number))
    }

    fn with_unit(&self, number: &str) -> String {
        self.unit.map_or_else(|| number.to_owned(), |unit| format!("{number} {unit}"))
    }

    /// Power of ten from the condition's unit to the figure's.
    fn shift(&self) -> i32 {
        match self.unit {
            None | Some(Unit::Us | Unit::Px) => 0,
            Some(Unit::Ms) => 3,
            Some(Unit::S) => 6,
            Some(Unit::Percent) => -2,
        }
    }

    fn scaled_limit(&self) -> String {
        let (digits, exponent) = self.number.split_once(['e', 'E']).unwrap_or((&self.number, "0"));
        format!("{digits}e{}", exponent.parse::<i32>().unwrap_or_default() + self.shift())
    }

    /// The condition, if its limit is a number in the unit of the figure.
    pub(super) fn with_finite_limit(self) -> Result<Self, NotACondition> {
        if self.limit().is_finite() { Ok(self) } else { Err(NotACondition::TooLarge(self.to_string())) }
    }

    /// The condition, if its unit is one of the figure.
    pub(super) fn with_fitting_unit(self) -> Result<Self, NotACondition> {
        let (path, named) = (&self.path, |end: &str| self.path.split('.').any(|name| name.ends_with(end)));
        let wrong = match self.unit {
            Some(unit @ (Unit::Us | Unit::Ms | Unit::S)) if !named("_us") => {
                format!("{path} is not a time, so its limit cannot be in {unit}: a time has _us in its name")
            }
            Some(Unit::Px) if !named("_px") => {
                format!("{path} is not a length, so its limit cannot be in px: a length has _px in its name")
            }
            Some(Unit::Percent) if !is_share(path) && !is_count(path) => {
                format!("{path} is neither a share nor a count of frames, so its limit cannot be in %")
            }
            _ => return Ok(self),
        };
        Err(NotACondition::Unit(wrong))
    }
}

impl Operator {
    /// Whether the limit is an upper one.
    pub(super) fn is_upper(self) -> bool {
        matches!(self, Self::Below | Self::AtMost)
    }

    /// Whether it asks for one value, so that no bound can decide.
    pub(super) fn is_exact(self) -> bool {
        matches!(self, Self::Equal | Self::Unequal)
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Below => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Above => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
            Self::Equal => ordering.is_eq(),
            Self::Unequal => ordering.is_ne(),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OPERATORS.iter().find(|(_, operator)| operator == self).map_or("", |(text, _)| text))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(UNITS.iter().find(|(_, unit)| unit == self).map_or("", |(text, _)| text))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.operator_and_limit())
    }
}

/// Figures that are shares: docs/report.md, `frames.lost_rate` and `count.exact_share`.
fn is_share(path: &str) -> bool {
    ["_rate", "_share", "_share_low", "_share_high"].iter().any(|end| path.ends_with(end))
}

/// Whether the figure counts frames or answers. All figures of some objects do, and some figures of others.
fn is_count(path: &str) -> bool {
    const SOME: [&str; 6] =
        ["count.scored", "count.exact", "image.images", "image.identical", "image.other_shape", "pipeline_errors"];
    ["frames.", "circle.", "ack."].iter().any(|start| path.starts_with(start)) || SOME.contains(&path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Condition {
        text.parse().unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    #[test]
    fn a_condition_is_printed_in_one_form_and_read_back() {
        for (text, printed) in [
            ("error_px.l1.mean<=0.05", "error_px.l1.mean <= 0.05"),
            ("  error_px.l1.mean  <  5e-2px ", "error_px.l1.mean < 5e-2 px"),
            ("latency_us.p99 <= 20ms", "latency_us.p99 <= 20 ms"),
            ("frames.lost_rate <= 0.1%", "frames.lost_rate <= 0.1 %"),
            ("error_px.bias.x > -.01", "error_px.bias.x > -.01"),
            ("ack.codes.0 == 100 %", "ack.codes.0 == 100 %"),
            ("frames.circle != 0", "frames.circle != 0"),
        ] {
            assert_eq!(read(text).to_string(), printed);
            assert_eq!(read(printed), read(text));
        }
    }

    #[test]
    fn a_limit_is_the_number_nearest_to_the_written_one() {
        for (text, limit) in [
            ("frames.lost_rate <= 0.1%", 0.001),
            ("frames.lost_rate <= 7e-1 %", 0.007),
            ("latency_us.p99 <= 28.627ms", 28_627.0),
            ("latency_us.p99 <= .02s", 20_000.0),
            ("latency_us.p99 <= 1.", 1.0),
        ] {
            assert_eq!(read(text).limit(), limit, "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_compared_to_the_last_digit() {
        let seed = read("run.seed == 18446744073709551615");
        assert!(seed.holds_for_whole(i128::from(u64::MAX)) && !seed.holds_for_whole(i128::from(u64::MAX) - 1));
        assert!(read("latency_us.p99 <= 28.627ms").holds_for_whole(28_627));
    }

    #[test]
    fn a_wrong_condition_is_refused_with_the_place_and_what_was_expected() {
        for (text, words) in [
            ("", "the path of a figure was expected at character 1"),
            ("error_px.l1.mean", "one of < <= > >= == != was expected at character 17"),
            ("error_px.l1.mean =< 1", "one of < <= > >= == != was expected at character 18"),
            ("error_px.l1.mean <= much", "a number was expected at character 21"),
            ("error_px.l1.mean <= 1e9999", "a number was expected at character 22"),
            ("latency_us.p99 <= 5min", "a unit or the end was expected at character 20"),
            ("latency_us.p99 <= 5ms more", "the end was expected at character 23"),
            ("error_px..mean <= 1", "the path of a figure was expected at character 10"),
            ("größe <= 1", "one of < <= > >= == != was expected at character 3"),
            ("frames.missed = 0", "write \"==\""),
            ("a <= 1 and b <= 2", "as a string of its own"),
            ("a <= 0,05", "as a string of its own"),
        ] {
            let wrong = text.parse::<Condition>().unwrap_err().to_string();
            assert!(wrong.starts_with(&format!("\"{text}\" is not a condition: ")) && wrong.contains(words), "{wrong}");
        }
    }

    #[test]
    fn a_limit_that_is_infinite_in_the_unit_of_its_figure_is_refused() {
        let digits = format!("latency_us.p99 <= {} s", "9".repeat(305));
        for text in ["latency_us.p99 <= 1e308 s", "latency_us.p99 > -1e306ms", &digits] {
            let wrong = text.parse::<Condition>().unwrap_err().to_string();
            assert!(wrong.contains("the limit is larger than any number"), "{wrong}");
        }
        assert_eq!(read("latency_us.p99 <= 1e300 s").limit(), 1e306);
        assert_eq!(read("frames.lost <= 1e308 %").limit(), 1e306);
    }

    #[test]
    fn a_unit_must_fit_its_figure() {
        for (text, words) in [
            ("error_px.l1.mean <= 5ms", "is not a time, so its limit cannot be in ms"),
            ("latency_us.p99 <= 5px", "is not a length, so its limit cannot be in px"),
            ("run.seed <= 5%", "run.seed is neither a share nor a count of frames"),
        ] {
            let wrong = text.parse::<Condition>().unwrap_err().to_string();
            assert!(wrong.contains(words), "{wrong}");
        }
    }

    #[test]
    fn a_value_is_shown_with_enough_digits_to_be_on_its_side_of_the_limit() {
        assert_eq!(read("error_px.l1.p50 <= 0.05").shown(0.071_234_56), "0.071235");
        assert_eq!(read("error_px.l1.p50 <= 0.05").shown(0.050_000_01), "0.05000001");
        assert_eq!(read("latency_us.p99 <= 5ms").shown(28_627.0), "28.627 ms");
        assert_eq!(read("latency_us.max < 1ms").shown(123_456_789.0), "123456.789 ms");
    }

    proptest! {
        #[test]
        fn no_text_is_read_beyond_its_end(text in ".{0,40}") {
            if let Ok(condition) = text.parse::<Condition>() {
                prop_assert_eq!(read(&condition.to_string()), condition);
            }
        }

        #[test]
        fn texts_that_are_nearly_conditions_do_no_harm(text in "[a-z_.<>=! %0-9e+-]{0,24}") {
            if let Ok(condition) = text.parse::<Condition>() {
                prop_assert!(condition.limit().is_finite());
            }
        }
    }
}
