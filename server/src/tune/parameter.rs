//! Reads the parameters of a plan.

use std::collections::HashMap;

use toml::de::{DeTable, DeValue};

use super::core::draw::DIMENSIONS;
use super::core::space::{Domain, Parameter, Space, Value};
use crate::run::number::real as number;
use shared::near::near;

/// The forms of a parameter, for messages.
const FORMS: &str = "write { from = 1, to = 9 }, with log = true for equal ratios and whole = true for whole numbers, or \
                     { choice = [\"a\", \"b\"] }; default = 3 is its value now";

/// Whole numbers below this have exact places among real ones, with room for half a step more: 2^53 is 9.007e15.
const LARGEST: f64 = 9e15;

/// The parameters of the table `[parameters]`, in the order of the file.
///
/// # Errors
/// What was wrong and what would be right.
pub(super) fn space(table: &DeTable<'_>) -> Result<Space, String> {
    let mut found: Vec<_> = table.iter().collect();
    found.sort_by_key(|(key, _)| key.span().start);
    let read = |(key, value): &(&toml::Spanned<toml::de::DeString<'_>>, &toml::Spanned<DeValue<'_>>)| {
        let name = key.get_ref().to_string();
        parameter(&name, value.get_ref()).map_err(|wrong| format!("[parameters] {name}: {wrong}"))
    };
    let parameters: Vec<_> = found.iter().map(read).collect::<Result<_, _>>()?;
    match parameters.len() {
        0 => Err("[parameters] is empty: write one or more, such as threshold = { from = 1, to = 9 }".into()),
        1..=DIMENSIONS => Ok(Space(parameters)),
        count => Err(format!("[parameters] has {count} parameters: a search has at most {DIMENSIONS}")),
    }
}

fn parameter(name: &str, value: &DeValue<'_>) -> Result<Parameter, String> {
    let DeValue::Table(table) = value else { return Err(FORMS.into()) };
    let known = ["from", "to", "log", "whole", "choice", "default"];
    if let Some(key) = table.keys().map(toml::Spanned::get_ref).find(|key| !known.contains(&key.as_ref())) {
        let advice = near(key, known).first().map_or_else(|| FORMS.to_owned(), |near| format!("did you mean {near}?"));
        return Err(format!("\"{key}\" is not known: {advice}"));
    }
    let domain = match table.get("choice").map(toml::Spanned::get_ref) {
        None => range(table)?,
        Some(_) if ["from", "to", "log", "whole"].iter().any(|key| table.contains_key(*key)) => {
            return Err("it has a range and a choice: leave one of them out".into());
        }
        Some(DeValue::Array(values)) => choice(values)?,
        Some(_) => return Err("choice is a list, such as [\"a\", \"b\"]".into()),
    };
    let default = table.get("default").map(|value| of(&domain, value.get_ref())).transpose()?;
    Ok(Parameter { name: name.to_owned(), domain, default })
}

fn choice(values: &toml::de::DeArray<'_>) -> Result<Domain, String> {
    let values: Vec<Value> = values.iter().map(|value| any(value.get_ref())).collect::<Result<_, _>>()?;
    match values.len() {
        0 => Err("the choice is empty: list two values or more".into()),
        1 => Err("there is only one value: list two or more, or leave the parameter out".into()),
        _ => distinct(&values).map(|()| Domain::Choice(values)),
    }
}

/// Refuses values that would be one and the same setting.
fn distinct(values: &[Value]) -> Result<(), String> {
    let mut seen = HashMap::new();
    for value in values {
        match seen.insert(value.key(), value) {
            Some(same) if same == value => return Err(format!("{} is listed twice", value.key())),
            Some(_) => {
                let text = value.key();
                return Err(format!(
                    "{text} is listed as a whole and as a real number, which are one setting: leave one of them out"
                ));
            }
            None => {}
        }
    }
    Ok(())
}

fn range(table: &DeTable<'_>) -> Result<Domain, String> {
    let switch = |key: &str| match table.get(key).map(toml::Spanned::get_ref) {
        None => Ok(false),
        Some(DeValue::Boolean(is_on)) => Ok(*is_on),
        Some(_) => Err(format!("{key} is true or false")),
    };
    let (is_log, is_whole) = (switch("log")?, switch("whole")?);
    let end = |key: &str| {
        let value = table.get(key).ok_or_else(|| format!("{key} is missing: {FORMS}"))?;
        number(value.get_ref()).ok_or_else(|| format!("{key} is a finite number, such as {key} = 5"))
    };
    let (from, to) = (end("from")?, end("to")?);
    if from >= to {
        return Err(format!("the range from {} to {} is empty: from must be below to", shown(from), shown(to)));
    }
    // A whole number's range begins half a step before its first value.
    if is_log && (from <= 0.0 || is_whole && from < 1.0) {
        return Err(format!("log = true needs a range above 0, and this one begins at {}", shown(from)));
    }
    // Places in the range are computed from its length, and from the ratio of its ends.
    if !(to - from).is_finite() || is_log && !(to / from).is_finite() {
        let (from, to) = (shown(from), shown(to));
        return Err(format!("the range from {from} to {to} is too wide: write ends that are closer together"));
    }
    if !is_whole {
        return Ok(Domain::Real { from, to, is_log });
    }
    let whole = |end: f64| (end.fract() == 0.0 && end.abs() < LARGEST).then_some(end as i64);
    match (whole(from), whole(to)) {
        (Some(from), Some(to)) => Ok(Domain::Whole { from, to, is_log }),
        _ => Err(format!("whole = true needs whole numbers as ends, smaller than {LARGEST:e}")),
    }
}

/// A value of this domain.
fn of(domain: &Domain, value: &DeValue<'_>) -> Result<Value, String> {
    let outside = || "default is outside the range".to_owned();
    match domain {
        Domain::Real { from, to, .. } => {
            let number = number(value).ok_or("default is a number")?;
            (*from..=*to).contains(&number).then_some(Value::Real(number)).ok_or_else(outside)
        }
        Domain::Whole { from, to, .. } => {
            let number = number(value).filter(|number| number.fract() == 0.0).ok_or("default is a whole number")?;
            (*from as f64..=*to as f64).contains(&number).then_some(Value::Whole(number as i64)).ok_or_else(outside)
        }
        Domain::Choice(values) => {
            let value = any(value)?;
            values.contains(&value).then_some(value).ok_or_else(|| "default is not among the choices".to_owned())
        }
    }
}

fn any(value: &DeValue<'_>) -> Result<Value, String> {
    match value {
        DeValue::String(text) => Ok(Value::Text(text.to_string())),
        DeValue::Boolean(flag) => Ok(Value::Flag(*flag)),
        DeValue::Integer(_) => {
            let whole = number(value).filter(|number| number.abs() < LARGEST);
            whole.map(|number| Value::Whole(number as i64)).ok_or_else(|| "this whole number is too large".to_owned())
        }
        DeValue::Float(_) => {
            // Zero has one sign here, as it has one key.
            let real = number(value).map(|number| Value::Real(if number == 0.0 { 0.0 } else { number }));
            real.ok_or_else(|| "write finite numbers".to_owned())
        }
        _ => Err("write numbers, texts in quotes, or true and false".into()),
    }
}

/// A number for a message, not longer than it needs to be.
fn shown(number: f64) -> String {
    if number == 0.0 || (1e-6..1e16).contains(&number.abs()) { number.to_string() } else { format!("{number:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Space, String> {
        space(DeTable::parse(text).unwrap().get_ref())
    }

    #[test]
    fn ranges_and_choices_are_read_in_the_order_of_the_file() {
        let space = read(
            "z = { from = 1, to = 9 }\na = { from = 1, to = 100, whole = true, log = true, default = 30 }\n\
             kind = { choice = [\"x\", \"y\"], default = \"y\" }\n",
        )
        .unwrap();
        assert_eq!(space.0[0].domain, Domain::Real { from: 1.0, to: 9.0, is_log: false });
        assert_eq!(space.0[1].domain, Domain::Whole { from: 1, to: 100, is_log: true });
        assert_eq!(space.default_setting().key(), "-,30,\"y\"");
    }

    #[test]
    fn numbers_are_read_in_every_form_of_toml() {
        let space =
            read("a = { from = 0x10, to = 1_000, whole = true }\nb = { choice = [0b11, 1_0.5, -2e1] }\n").unwrap();
        assert_eq!(space.0[0].domain, Domain::Whole { from: 16, to: 1000, is_log: false });
        assert_eq!(space.0[1].domain, Domain::Choice(vec![Value::Whole(3), Value::Real(10.5), Value::Real(-20.0)]));
    }

    #[test]
    fn what_is_wrong_with_a_parameter_is_said() {
        for (text, words) in [
            ("", "[parameters] is empty"),
            ("a = { from = 9, to = 1 }", "[parameters] a: the range from 9 to 1 is empty: from must be below to"),
            ("a = { from = 1, to = 1 }", "is empty"),
            ("a = { from = 0, to = 1, log = true }", "log = true needs a range above 0, and this one begins at 0"),
            ("a = { from = -1, to = 1, log = true }", "log = true needs a range above 0, and this one begins at -1"),
            ("a = { from = 0, to = 9, log = true, whole = true }", "log = true needs a range above 0"),
            ("a = { from = nan, to = 1 }", "from is a finite number, such as from = 5"),
            ("a = { from = 0, to = inf }", "to is a finite number, such as to = 5"),
            ("a = { from = \"0\", to = 1 }", "from is a finite number"),
            ("a = { from = -1.7e308, to = 1.7e308 }", "the range from -1.7e308 to 1.7e308 is too wide"),
            ("a = { from = 1e-300, to = 1e300, log = true }", "is too wide"),
            ("a = { from = 0, to = 10000000000000000, whole = true }", "smaller than 9e15"),
            ("a = { from = 0.5, to = 3, whole = true }", "whole numbers as ends"),
            ("a = { from = 0, to = 1, step = 3 }", "\"step\" is not known: write { from = 1, to = 9 }"),
            ("a = { from = 0, to = 1, defualt = 3 }", "\"defualt\" is not known: did you mean default?"),
            ("a = { from = 0 }", "to is missing"),
            ("a = 3", "write { from = 1, to = 9 }"),
            ("a = { choice = [] }", "the choice is empty"),
            ("a = { choice = 3 }", "choice is a list"),
            ("a = { choice = [nan, 1] }", "write finite numbers"),
            ("a = { choice = [1, [2]] }", "write numbers, texts in quotes, or true and false"),
            ("a = { choice = [1, 99999999999999999999] }", "this whole number is too large"),
            ("a = { choice = [1, 2], log = true }", "a range and a choice"),
            ("a = { choice = [1] }", "only one value"),
            ("a = { choice = [1, 1] }", "1 is listed twice"),
            ("a = { choice = [\"b\", 2, \"b\"] }", "\"b\" is listed twice"),
            ("a = { choice = [1, 1.0] }", "1 is listed as a whole and as a real number, which are one setting"),
            ("a = { choice = [0.0, -0.0] }", "0 is listed twice"),
            ("a = { choice = [1, 2], default = 3 }", "not among the choices"),
            ("a = { from = 0, to = 1, default = 3 }", "outside the range"),
            ("a = { from = 0, to = 1, default = nan }", "default is a number"),
            ("a = { from = 0, to = 9, whole = true, default = 0.5 }", "default is a whole number"),
        ] {
            let wrong = read(text).unwrap_err();
            assert!(wrong.contains(words), "{text}: {wrong}");
        }
    }
}
