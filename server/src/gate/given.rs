//! The conditions of one `--gate`: one, or several with a semicolon between them, which is how the environment and a
//! run's file give them.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::condition::{Condition, NotACondition};

/// What separates conditions, besides the ends of lines.
const BETWEEN: &str = "; ";

/// What one `--gate` gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenGates(pub Vec<Condition>);

impl FromStr for GivenGates {
    type Err = NotACondition;

    fn from_str(text: &str) -> Result<Self, NotACondition> {
        let parts = text.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty());
        let conditions: Vec<_> = parts.map(str::parse).collect::<Result<_, _>>()?;
        if conditions.is_empty() {
            // Says what would be right.
            return text.trim_matches([';', ' ', '\n']).parse().map(|condition| Self(vec![condition]));
        }
        Ok(Self(conditions))
    }
}

impl fmt::Display for GivenGates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(BETWEEN))
    }
}

impl GivenGates {
    /// The text of one option that gives all of these conditions.
    pub(crate) fn joined<'a>(conditions: impl Iterator<Item = &'a str>) -> String {
        conditions.collect::<Vec<_>>().join(BETWEEN)
    }

    /// All conditions of several options, in order.
    pub fn all(given: &[Self]) -> Vec<Condition> {
        given.iter().flat_map(|part| part.0.clone()).collect()
    }

    /// Writes all conditions as one list of texts.
    pub(crate) fn serialize_all<S: Serializer>(given: &[Self], serializer: S) -> Result<S::Ok, S::Error> {
        let texts: Vec<_> = Self::all(given).iter().map(ToString::to_string).collect();
        texts.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_conditions_are_separated_by_semicolons_or_lines() {
        let one: GivenGates = "frames.missed == 0".parse().unwrap();
        assert_eq!(one.0.len(), 1);
        let two: GivenGates = "frames.missed == 0; latency_us.p99 <= 20ms;\n".parse().unwrap();
        assert_eq!(two, "frames.missed==0\nlatency_us.p99 <= 20 ms".parse().unwrap());
        assert_eq!(two.to_string().parse(), Ok(two.clone()));
        assert_eq!(GivenGates::all(&[one, two]).len(), 3);
        for wrong in ["", ";", "frames.missed == 0; frames"] {
            let said = wrong.parse::<GivenGates>().unwrap_err().to_string();
            assert!(said.contains("is not a condition") && said.contains("PATH OP NUMBER"), "{said}");
        }
    }
}
