//! An axis: an option and the values that it takes in turn.

use toml::de::{DeTable, DeValue};

use super::trial::digest;
use crate::run::number::{real, whole};
use crate::run::{Entry, entry};

/// Most values of one axis. With more, a plan would have too many trials.
const MAX_VALUES: u64 = 1_000_000;

/// An option and its values, in order.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sweep) struct Axis {
    /// The option's id, or `pipeline`.
    pub(in crate::sweep) name: String,
    /// Its values. There is at least one, and no two are equal.
    pub(in crate::sweep) values: Vec<AxisValue>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sweep) struct AxisValue {
    /// Its text, as on the command line.
    pub(in crate::sweep) text: String,
    /// Whether it is `true` or `false` without quotes.
    is_switch: bool,
}

/// Checks a value of the option.
pub(super) type Check<'a> = &'a dyn Fn(&Entry) -> Result<(), String>;

impl Axis {
    /// Reads the values of an option from a list, or from a table that describes them.
    ///
    /// # Errors
    /// What was wrong and what would be right.
    pub(super) fn read(key: &str, value: &DeValue<'_>, check: Check<'_>) -> Result<Self, String> {
        let name = key.replace('-', "_");
        let values = match value {
            DeValue::Array(list) => list.iter().map(|one| listed(&name, one.get_ref(), check)).collect(),
            DeValue::Table(table) => described(&name, table, check),
            _ => Err(format!("write a list such as {name} = [0, 5], or {{ from = 0, to = 10, steps = 6 }}")),
        };
        let values = values.map_err(|wrong| format!("[axes] {name}: {wrong}"))?;
        let wrong = |wrong: String| Err(format!("[axes] {name}: {wrong}"));
        if values.is_empty() {
            return wrong("it has no values: list one or more, or leave the axis out".into());
        }
        let mut seen = std::collections::HashSet::new();
        match values.iter().find(|value| !seen.insert(value.key())) {
            Some(twice) => wrong(format!("{} is given twice", twice.text)),
            None => Ok(Self { name, values }),
        }
    }

    /// The values as numbers, if all are.
    pub(in crate::sweep) fn numbers(&self) -> Option<Vec<f64>> {
        self.values.iter().map(AxisValue::number).collect()
    }
}

impl AxisValue {
    /// A number.
    pub(super) fn of_number(number: f64) -> Self {
        Self { text: number.to_string(), is_switch: false }
    }

    /// The option with this value.
    pub(super) fn entry(&self, id: &str) -> Entry {
        Entry { id: id.to_owned(), text: self.text.clone(), is_switch: self.is_switch }
    }

    /// The value as a number, if it is one.
    pub(in crate::sweep) fn number(&self) -> Option<f64> {
        self.text.parse().ok().filter(|number: &f64| number.is_finite() && !self.is_switch)
    }

    /// A key that is equal for equal values: `5` and `5.0` have the same.
    fn key(&self) -> String {
        self.number().map_or_else(|| self.text.clone(), |number| number.to_string())
    }
}

fn listed(name: &str, value: &DeValue<'_>, check: Check<'_>) -> Result<AxisValue, String> {
    if matches!(value, DeValue::Array(_) | DeValue::Table(_) | DeValue::Datetime(_)) {
        return Err(format!("of type {}: write numbers, texts in quotes, or true and false", value.type_str()));
    }
    let entry = entry(name, value)?;
    check(&entry)?;
    Ok(AxisValue { text: entry.text, is_switch: entry.is_switch })
}

/// Values between two ends: at equal steps, or at random.
fn described(name: &str, table: &DeTable<'_>, check: Check<'_>) -> Result<Vec<AxisValue>, String> {
    let known = ["from", "to", "steps", "log", "random", "count"];
    if let Some(key) = table.keys().map(toml::Spanned::get_ref).find(|key| !known.contains(&key.as_ref())) {
        return Err(format!(
            "\"{key}\" is not known: write {{ from = 0, to = 10, steps = 6 }}, with log = true for equal ratios, or {{ \
             random = [0, 10], count = 6 }}"
        ));
    }
    let is_log = match table.get("log").map(toml::Spanned::get_ref) {
        None => false,
        Some(DeValue::Boolean(is_log)) => *is_log,
        Some(_) => return Err("log is true or false".into()),
    };
    let numbers = if table.contains_key("random") || table.contains_key("count") {
        random(name, table, is_log)
    } else {
        steps(table, is_log)
    };
    numbers?.into_iter().map(|number| taken(name, number, check)).collect()
}

fn steps(table: &DeTable<'_>, is_log: bool) -> Result<Vec<f64>, String> {
    let (from, to) = (number(table, "from")?, number(table, "to")?);
    let steps = count(table, "steps")?;
    check_ends(from, to, is_log)?;
    if steps == 1 && from != to {
        return Err("steps = 1 is one value, but from and to differ: write steps = 2 or more, or a list".into());
    }
    let last = (steps.max(2) - 1) as f64;
    // The last step is the end itself, without rounding.
    let at = |step| if step + 1 == steps && step > 0 { to } else { between(from, to, step as f64 / last, is_log) };
    Ok((0..steps).map(at).collect())
}

/// Values from a hash of the axis and the value's number, so that every machine draws the same.
fn random(name: &str, table: &DeTable<'_>, is_log: bool) -> Result<Vec<f64>, String> {
    let ends = match table.get("random").map(toml::Spanned::get_ref) {
        Some(DeValue::Array(ends)) if ends.len() == 2 => ends,
        _ => return Err("random takes two ends, such as random = [0, 10], and count is the number of values".into()),
    };
    let [from, to] = [0, 1].map(|place| real(ends[place].get_ref()));
    let (Some(from), Some(to)) = (from, to) else { return Err("random takes two numbers, such as [0, 10]".into()) };
    check_ends(from, to, is_log)?;
    let share = |place: u64| {
        let bits = digest(format!("axis {name} {place}\n").as_bytes());
        // 53 bits, as many as the fraction of a double has.
        (u64::from_be_bytes(bits[..8].try_into().unwrap_or_default()) >> 11) as f64 / (1_u64 << 53) as f64
    };
    Ok((0..count(table, "count")?).map(|place| between(from, to, share(place), is_log)).collect())
}

fn check_ends(from: f64, to: f64, is_log: bool) -> Result<(), String> {
    match (from <= to, is_log && from <= 0.0) {
        (false, _) => Err(format!("{from} is above {to}: write the smaller end first")),
        (_, true) => Err(format!("log = true needs ends above 0, not {from}")),
        _ => Ok(()),
    }
}

/// The number at this share of the way from `from` to `to`. `libm` gives the same digits on every machine.
fn between(from: f64, to: f64, share: f64, is_log: bool) -> f64 {
    if !is_log {
        return from + (to - from) * share;
    }
    let (low, high) = (libm::log(from), libm::log(to));
    libm::exp(low + (high - low) * share)
}

fn number(table: &DeTable<'_>, key: &str) -> Result<f64, String> {
    let right = || format!("{key} is a number: write {{ from = 0, to = 10, steps = 6 }}");
    table.get(key).and_then(|value| real(value.get_ref())).ok_or_else(right)
}

fn count(table: &DeTable<'_>, key: &str) -> Result<u64, String> {
    let count = table.get(key).and_then(|value| u64::try_from(whole(value.get_ref())?).ok());
    count
        .filter(|count| (1..=MAX_VALUES).contains(count))
        .ok_or_else(|| format!("{key} is a whole number from 1 to {MAX_VALUES}"))
}

/// The value for a number. An option that takes only whole numbers gets the nearest one.
fn taken(name: &str, number: f64, check: Check<'_>) -> Result<AxisValue, String> {
    let entry = |number: f64| Entry { id: name.to_owned(), text: number.to_string(), is_switch: false };
    let value = |entry: Entry| AxisValue { text: entry.text, is_switch: false };
    match check(&entry(number)) {
        Ok(()) => Ok(value(entry(number))),
        Err(_) if check(&entry(number.round())).is_ok() => Ok(value(entry(number.round()))),
        Err(wrong) => Err(wrong),
    }
}
