//! The space of settings: parameters with their ranges, and the map between settings and points of the unit cube.

use shared::tuned::real;

/// Digits behind the range of a real number: a step is at most a 10,000th of the range.
const DIGITS: i32 = 4;

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A real number.
    Real(f64),
    /// A whole number.
    Whole(i64),
    /// `true` or `false`.
    Flag(bool),
    /// A text.
    Text(String),
}

/// The values that a parameter may take.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Domain {
    /// Real numbers between two ends; at equal ratios with `is_log`.
    Real {
        /// The smallest.
        from: f64,
        /// The largest.
        to: f64,
        /// Whether the search looks at the logarithm.
        is_log: bool,
    },
    /// Whole numbers between two ends, which are included.
    Whole {
        /// The smallest.
        from: i64,
        /// The largest.
        to: i64,
        /// Whether the search looks at the logarithm.
        is_log: bool,
    },
    /// One of these.
    Choice(Vec<Value>),
}

/// A parameter of the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: String,
    /// Its values.
    pub(crate) domain: Domain,
    /// Its value in the default setting. `None` leaves it to the pipeline.
    pub(crate) default: Option<Value>,
}

/// A value for each parameter, in the order of the space. `None` leaves a parameter to the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting(pub(crate) Vec<Option<Value>>);

/// All parameters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Space(pub(crate) Vec<Parameter>);

impl Value {
    /// As a number, if it is one.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Real(number) => Some(*number),
            Self::Whole(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// As text, without quotes.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Real(number) => real(*number),
            Self::Whole(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    /// A text that is equal for values that a program cannot tell apart, such as 1 and 1.0, and only for those. A text in
    /// quotes is never equal to anything else.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            other => other.text(),
        }
    }
}

impl Setting {
    /// A text that is equal for equal settings only.
    pub(crate) fn key(&self) -> String {
        let one = |value: &Option<Value>| value.as_ref().map_or_else(|| "-".to_owned(), Value::key);
        self.0.iter().map(one).collect::<Vec<_>>().join(",")
    }
}

impl Setting {
    /// This setting with another value of one parameter.
    pub(crate) fn with(&self, place: usize, value: Value) -> Self {
        let mut other = self.clone();
        other.0[place] = Some(value);
        other
    }
}

impl Domain {
    /// The value at a place from 0 to 1.
    fn at(&self, place: f64) -> Value {
        let place = place.clamp(0.0, 1.0);
        let between = |from: f64, to: f64, is_log: bool| {
            if is_log { from * (to / from).powf(place) } else { from + (to - from) * place }
        };
        match self {
            Self::Real { from, to, is_log } => {
                let value = between(*from, *to, *is_log);
                Value::Real(rounded(value, if *is_log { value.abs() } else { to - from }).clamp(*from, *to))
            }
            // Half a step more at each end gives all whole numbers the same share of the places.
            Self::Whole { from, to, is_log: false } => {
                let value = between(*from as f64 - 0.5, *to as f64 + 0.5, false).round() as i64;
                Value::Whole(value.clamp(*from, *to))
            }
            Self::Whole { from, to, is_log: true } => {
                let value = between(*from as f64 - 0.5, *to as f64 + 0.5, true).round() as i64;
                Value::Whole(value.clamp(*from, *to))
            }
            Self::Choice(values) => {
                let at = ((place * values.len() as f64) as usize).min(values.len().saturating_sub(1));
                values[at].clone()
            }
        }
    }

    /// The place of a value, from 0 to 1: the inverse of [`Self::at`], up to rounding.
    fn place(&self, value: &Value) -> Option<f64> {
        let number = value.number();
        let within = |from: f64, to: f64, is_log: bool| {
            let number = number?;
            let place = if is_log { (number / from).ln() / (to / from).ln() } else { (number - from) / (to - from) };
            Some(place.clamp(0.0, 1.0)).filter(|place| place.is_finite())
        };
        match self {
            Self::Real { from, to, is_log } => within(*from, *to, *is_log),
            Self::Whole { from, to, is_log } => within(*from as f64 - 0.5, *to as f64 + 0.5, *is_log),
            Self::Choice(values) => {
                let at = values.iter().position(|one| one == value)?;
                Some((at as f64 + 0.5) / values.len() as f64)
            }
        }
    }

    /// The length of a step, as a share of the range; 0 for real numbers.
    fn step(&self) -> f64 {
        match self {
            Self::Real { .. } => 0.0,
            Self::Whole { from, to, .. } => 1.0 / (to.abs_diff(*from) as f64 + 1.0),
            Self::Choice(values) => 1.0 / values.len().max(1) as f64,
        }
    }

    /// Places of a grid with this many values, or with all there are if those are fewer.
    fn places(&self, values: usize) -> Vec<f64> {
        let count = match self {
            Self::Real { .. } => values,
            Self::Whole { from, to, .. } => values.min((to.abs_diff(*from) as usize).saturating_add(1)),
            Self::Choice(all) => all.len(),
        };
        let place = |at: usize| match self {
            Self::Real { .. } if count > 1 => at as f64 / (count - 1) as f64,
            _ => (at as f64 + 0.5) / count as f64,
        };
        (0..count.max(1)).map(place).collect()
    }

    /// Whether it is a range of numbers.
    pub(crate) fn is_range(&self) -> bool {
        !matches!(self, Self::Choice(_))
    }
}

impl Space {
    /// The setting at a point of the unit cube.
    pub(crate) fn at(&self, point: &[f64]) -> Setting {
        Setting(self.0.iter().zip(point).map(|(parameter, place)| Some(parameter.domain.at(*place))).collect())
    }

    /// The point of a setting. `None` if it leaves a parameter to the pipeline.
    pub(crate) fn point(&self, setting: &Setting) -> Option<Vec<f64>> {
        let place = |(parameter, value): (&Parameter, &Option<Value>)| parameter.domain.place(value.as_ref()?);
        self.0.iter().zip(&setting.0).map(place).collect()
    }

    /// The setting that each parameter has by default.
    pub(crate) fn default_setting(&self) -> Setting {
        Setting(self.0.iter().map(|parameter| parameter.default.clone()).collect())
    }

    /// All combinations of `values` values of each range, and of all choices.
    pub(crate) fn grid(&self, values: usize) -> Vec<Setting> {
        let places: Vec<_> = self.0.iter().map(|parameter| parameter.domain.places(values)).collect();
        let mut points = vec![Vec::new()];
        for axis in &places {
            points = points
                .iter()
                .flat_map(|point: &Vec<f64>| axis.iter().map(|place| [point.as_slice(), &[*place]].concat()))
                .collect();
        }
        points.iter().map(|point| self.at(point)).collect()
    }

    /// Number of settings in a grid, without making them. More than 128 bits can count are as many as they can.
    pub(crate) fn grid_size(&self, values: usize) -> u128 {
        let counts = self.0.iter().map(|parameter| parameter.domain.places(values).len() as u128);
        counts.fold(1, u128::saturating_mul)
    }

    /// The parameters that are ranges, by their places.
    pub(crate) fn ranges(&self) -> Vec<usize> {
        (0..self.0.len()).filter(|place| self.0[*place].domain.is_range()).collect()
    }

    /// The step of a parameter as a share of its range.
    pub(crate) fn step(&self, place: usize) -> f64 {
        self.0[place].domain.step()
    }

    /// The ends of a range, or all choices, without this value.
    pub(crate) fn others(&self, place: usize, value: Option<&Value>) -> Vec<Value> {
        let domain = &self.0[place].domain;
        let mut values = match domain {
            Domain::Choice(values) => values.clone(),
            _ => vec![domain.at(0.0), domain.at(1.0)],
        };
        values.retain(|other| Some(other) != value);
        values
    }

    /// For people: `name value, name value`.
    pub(crate) fn described(&self, setting: &Setting) -> String {
        let words = self.0.iter().zip(&setting.0).map(|(parameter, value)| match value {
            Some(value) => format!("{} {}", parameter.name, value.text()),
            None => format!("{} as it is", parameter.name),
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// The number with as many decimals as a 10,000th of `scale` has: short texts, and the same number when read back.
fn rounded(value: f64, scale: f64) -> f64 {
    let decimals = DIGITS - (scale.abs().max(f64::MIN_POSITIVE).log10().floor() as i32);
    if (0..=17).contains(&decimals) {
        return format!("{value:.*}", decimals as usize).parse().unwrap_or(value);
    }
    if decimals > 17 { value } else { value.round() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: f64, to: f64, is_log: bool) -> Domain {
        Domain::Real { from, to, is_log }
    }

    fn space(domains: Vec<Domain>) -> Space {
        let named = |(place, domain)| Parameter { name: format!("p{place}"), domain, default: None };
        Space(domains.into_iter().enumerate().map(named).collect())
    }

    #[test]
    fn a_place_and_its_value_are_each_others_inverse() {
        for domain in [range(-3.0, 7.0, false), range(0.01, 100.0, true), range(1000.0, 1001.0, false)] {
            for place in (0..=50).map(|at| f64::from(at) / 50.0) {
                let back = domain.place(&domain.at(place)).unwrap();
                // The value is rounded to a 10,000th of its range.
                assert!((back - place).abs() < 2e-4, "{domain:?} {place}: {back}");
            }
        }
        let whole = Domain::Whole { from: 2, to: 9, is_log: false };
        for value in 2..=9 {
            assert_eq!(whole.at(whole.place(&Value::Whole(value)).unwrap()), Value::Whole(value));
        }
        let log = Domain::Whole { from: 1, to: 1000, is_log: true };
        for value in [1, 2, 30, 999, 1000] {
            assert_eq!(log.at(log.place(&Value::Whole(value)).unwrap()), Value::Whole(value));
        }
    }

    #[test]
    fn all_whole_numbers_and_all_choices_have_the_same_share_of_the_places() {
        let whole = Domain::Whole { from: 1, to: 4, is_log: false };
        let choice = Domain::Choice(vec![Value::Flag(false), Value::Flag(true)]);
        let count = |domain: &Domain, value: Value| {
            (0..1000).filter(|at| domain.at((f64::from(*at) + 0.5) / 1000.0) == value).count()
        };
        assert_eq!([1, 2, 3, 4].map(|value| count(&whole, Value::Whole(value))), [250; 4]);
        assert_eq!([false, true].map(|value| count(&choice, Value::Flag(value))), [500; 2]);
    }

    #[test]
    fn a_grid_has_every_combination_once_and_the_ends_of_each_range() {
        let whole = Domain::Whole { from: 1, to: 3, is_log: false };
        let choice = Domain::Choice(vec![Value::Text("a".into()), Value::Text("b".into())]);
        let space = space(vec![range(0.0, 1.0, false), whole, choice]);
        let grid = space.grid(5);
        assert_eq!((grid.len() as u128, space.grid_size(5)), (30, 30));
        let keys: std::collections::BTreeSet<_> = grid.iter().map(Setting::key).collect();
        assert_eq!(keys.len(), 30);
        assert!(keys.contains("0,1,\"a\"") && keys.contains("1,3,\"b\""), "{keys:?}");
    }

    #[test]
    fn a_setting_is_described_by_its_values() {
        let space = space(vec![range(0.0, 1.0, false), range(0.0, 1.0, false)]);
        assert_eq!(space.described(&Setting(vec![Some(Value::Real(0.25)), None])), "p0 0.25, p1 as it is");
    }

    #[test]
    fn values_are_short_numbers_within_their_ranges() {
        assert_eq!(range(0.0, 1.0, false).at(1.0 / 3.0), Value::Real(0.3333));
        assert_eq!(range(0.0, 200.0, false).at(1.0 / 3.0), Value::Real(66.67));
        assert_eq!(range(0.0, 0.123_456_789, false).at(1.0), Value::Real(0.12346_f64.min(0.123_456_789)));
    }
}
