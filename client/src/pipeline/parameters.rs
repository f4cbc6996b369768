//! The numbers that change how a detector works, beside the radii: a search may look for the best ones.

use std::collections::BTreeMap;

/// Values of parameters, by name.
pub type Parameters = BTreeMap<String, f64>;

/// A number that changes how a detector works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value unless it is set.
    pub default: f64,
    /// The smallest value.
    pub from: f64,
    /// The largest value.
    pub to: f64,
    /// Whether it is a whole number.
    pub is_whole: bool,
}

impl Parameter {
    /// Checks that a value suits this parameter.
    ///
    /// # Errors
    /// Says which values do.
    pub fn check(&self, value: f64) -> Result<(), String> {
        let Self { name, from, to, is_whole, .. } = *self;
        if (from..=to).contains(&value) && (!is_whole || value.fract() == 0.0) {
            return Ok(());
        }
        let kind = if is_whole { "a whole number" } else { "a number" };
        let range = if to == f64::MAX { "above 0".to_owned() } else { format!("from {from} to {to}") };
        Err(format!("{name} = {value}: {name} is {kind} {range}"))
    }
}

/// Checks that a pipeline with these parameters takes the values.
///
/// # Errors
/// Names the first that it does not take.
pub(super) fn check(known: &[Parameter], values: &Parameters) -> Result<(), String> {
    for (name, value) in values {
        let Some(parameter) = known.iter().find(|one| one.name == name) else {
            let names: Vec<_> =
                ["min_radius", "max_radius"].into_iter().chain(known.iter().map(|one| one.name)).collect();
            return Err(format!("it has no parameter {name:?}, but {}", names.join(", ")));
        };
        parameter.check(*value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Parameter; 1] = [Parameter { name: "param1", default: 50.0, from: 2.0, to: 2040.0, is_whole: true }];

    #[test]
    fn a_value_that_does_not_suit_is_refused_with_those_that_do() {
        let checked = |name: &str, value: f64| {
            let values: Parameters = [(name.to_owned(), value)].into();
            check(&KNOWN, &values)
        };
        assert_eq!(checked("param1", 50.0), Ok(()));
        for value in [1.0, 50.5, f64::NAN, 1e9] {
            assert!(checked("param1", value).unwrap_err().ends_with("param1 is a whole number from 2 to 2040"));
        }
        let wrong = checked("param3", 1.0).unwrap_err();
        assert_eq!(wrong, "it has no parameter \"param3\", but min_radius, max_radius, param1");
    }
}
