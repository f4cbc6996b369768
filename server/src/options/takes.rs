//! The range of a numeric option, read from the attributes of its field.
//!
//! `#[schemars(range(min = 0, max = 50), extend("takes" = "a standard deviation of {} px"))]` is all there is to write.
//! The command line, files, the help and checks of the struct all read it from the field's schema.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;

use clap::Arg;
use clap::builder::{StringValueParser, TypedValueParser, ValueParser};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Number, Value};
use shared::text::Figure;
use thiserror::Error;

/// A number outside its option's range.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{key} {got} is not {right}")]
pub struct OutOfRange {
    /// The option, as it is written.
    pub key: String,
    /// The value it was given.
    pub got: String,
    /// What the option takes.
    pub right: String,
}

/// The same error without the option's name, for parsers whose caller names the option.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{}\" is not {}", .0.got, .0.right)]
pub struct NotTaken(#[from] pub OutOfRange);

/// What one option takes.
#[derive(Clone, Debug)]
pub struct Takes {
    key: String,
    least: Option<Number>,
    most: Option<Number>,
    /// What the option takes, in words, with `{}` for the range.
    text: String,
}

/// What each option of a struct takes, if its field says so.
#[derive(Clone, Debug)]
pub struct TakesAll(BTreeMap<String, Takes>);

impl TakesAll {
    /// The keyword in a field's schema for what the option takes in words, with `{}` for the range.
    pub const KEYWORD: &str = "takes";

    /// Reads the fields' attributes.
    pub fn of<T: JsonSchema>() -> Self {
        let schema = SchemaGenerator::default().into_root_schema_for::<T>();
        let fields = schema.get("properties").and_then(Value::as_object);
        let taking = fields.into_iter().flatten().filter_map(|(id, field)| Some((id.clone(), Takes::read(id, field)?)));
        Self(taking.collect())
    }

    /// What the option with this id takes.
    pub fn get(&self, id: &str) -> Option<&Takes> {
        self.0.get(id)
    }

    /// Checks every number of a struct.
    ///
    /// # Errors
    /// [`OutOfRange`] names the first option, in alphabetical order, that is out of range.
    pub fn check(&self, options: &impl Serialize) -> Result<(), OutOfRange> {
        // As TOML, because JSON has no NaN.
        let numbers = toml::Table::try_from(options).unwrap_or_default();
        for (id, value) in numbers {
            let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
            if let (Some(takes), Some(number)) = (self.get(&id), number) {
                takes.check(number, &Figure(number).to_string())?;
            }
        }
        Ok(())
    }
}

impl Takes {
    fn read(id: &str, field: &Value) -> Option<Self> {
        let bound = |name: &str| field.get(name).and_then(Value::as_number).cloned();
        let text = field.get(TakesAll::KEYWORD)?.as_str()?.to_owned();
        Some(Self { key: id.replace('_', "-"), least: bound("minimum"), most: bound("maximum"), text })
    }

    /// Adds the range to the option's parser and help.
    pub(super) fn limit(&self, option: Arg) -> Arg {
        let option = match (option.get_help(), &self.least, &self.most) {
            (Some(help), Some(_), Some(_)) => {
                let help = format!("{help} [range: {}]", self.range());
                option.help(help)
            }
            _ => option,
        };
        match self.parser(&option.get_value_parser().type_id()) {
            Some(parser) => option.value_parser(parser),
            None => option,
        }
    }

    /// Reads a number of the field's type; `None` if the type is not a number.
    fn parser(&self, kind: &impl PartialEq<TypeId>) -> Option<ValueParser> {
        self.parser_of::<f64>(kind)
            .or_else(|| self.parser_of::<u8>(kind))
            .or_else(|| self.parser_of::<u32>(kind))
            .or_else(|| self.parser_of::<u64>(kind))
            .or_else(|| self.parser_of::<NonZeroU32>(kind))
            .or_else(|| self.parser_of::<NonZeroU64>(kind))
    }

    fn parser_of<T>(&self, kind: &impl PartialEq<TypeId>) -> Option<ValueParser>
    where
        T: FromStr + Clone + Send + Sync + 'static,
    {
        let takes = self.clone();
        let parser = StringValueParser::new().try_map(move |text: String| takes.parse::<T>(&text));
        (*kind == TypeId::of::<T>()).then(|| ValueParser::new(parser))
    }

    fn parse<T: FromStr>(&self, text: &str) -> Result<T, NotTaken> {
        let (Ok(value), Ok(number)) = (text.parse(), text.parse()) else { return Err(self.refuse(text).into()) };
        self.check(number, text)?;
        Ok(value)
    }

    fn check(&self, number: f64, text: &str) -> Result<(), OutOfRange> {
        let bound = |bound: &Option<Number>, open: f64| bound.as_ref().and_then(Number::as_f64).unwrap_or(open);
        let range = bound(&self.least, f64::NEG_INFINITY)..=bound(&self.most, f64::INFINITY);
        if range.contains(&number) { Ok(()) } else { Err(self.refuse(text)) }
    }

    fn refuse(&self, text: &str) -> OutOfRange {
        let right = self.text.replace("{}", &self.range());
        OutOfRange { key: self.key.clone(), got: text.to_owned(), right }
    }

    /// Text for people: `0 to 50`, or `1` if there is no upper end.
    fn range(&self) -> String {
        let bounds = [&self.least, &self.most].into_iter().flatten();
        bounds.map(written).collect::<Vec<_>>().join(" to ")
    }
}

/// `50`, not `50.0`.
fn written(number: &Number) -> String {
    match number.as_f64() {
        Some(figure) if number.is_f64() => figure.to_string(),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A struct of options.
    #[derive(JsonSchema, Serialize)]
    struct Options {
        #[schemars(range(min = 0, max = 50), extend("takes" = "a width of {} px"))]
        line_width: f64,
        #[schemars(range(min = 1), extend("takes" = "a whole number from {}"))]
        count: Option<u32>,
        other: f64,
    }

    #[test]
    fn a_number_out_of_range_is_named_and_the_error_says_what_is_valid() {
        let takes = TakesAll::of::<Options>();
        let check = |line_width, count| {
            let refused = takes.check(&Options { line_width, count, other: f64::NAN });
            refused.err().map(|refused| refused.to_string()).unwrap_or_default()
        };
        assert_eq!(check(50.0, None), "");
        assert_eq!(check(50.5, None), "line-width 50.5 is not a width of 0 to 50 px");
        assert_eq!(check(f64::NAN, None), "line-width NaN is not a width of 0 to 50 px");
        assert_eq!(check(0.0, Some(0)), "count 0 is not a whole number from 1");
    }

    #[test]
    fn a_text_that_is_not_a_number_is_refused_and_the_error_says_what_is_valid() {
        let takes = TakesAll::of::<Options>();
        let count = takes.get("count").expect("it says what it takes");
        assert_eq!(count.parse::<u32>("7"), Ok(7));
        assert_eq!(count.parse::<u32>("1k").unwrap_err().to_string(), "\"1k\" is not a whole number from 1");
        assert!(count.parse::<u32>("1.5").is_err() && count.parse::<u32>("-1").is_err());
        assert!(takes.get("other").is_none());
    }
}
