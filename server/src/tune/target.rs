//! How a setting reaches the pipeline: options of ours, arguments of a program, or keyword arguments of a function.

use std::process::Command;

use client::pipeline::Parameter as Number;
use shared::text::Escaped;
use shared::tuned::filled;

use super::core::space::{Domain, Parameter, Setting, Space, Value};
use crate::sweep::single::{Form, Single, Tuned};
use shared::near::near;

/// The radii of our detectors of circles. Which radii suit depends on the frames.
const RADII: [Number; 2] = [radius("min_radius"), radius("max_radius")];

const fn radius(name: &'static str) -> Number {
    Number { name, default: f64::NAN, from: f64::MIN_POSITIVE, to: f64::MAX, is_whole: false }
}

/// Prints the names of a function's keyword arguments, one a line: with `!` before one that has no default, and `*` if it
/// takes any name. The first parameter is the frame. A module without which no frame can be passed comes with `-`.
const SIGNATURE: &str = include_str!("signature.py");

/// The setting in the form that the pipeline takes. Parameters without a value are left to the pipeline.
pub(super) fn tuned(form: &Form, space: &Space, setting: &Setting) -> Tuned {
    let given = || {
        space.0.iter().zip(&setting.0).filter_map(|(parameter, value)| Some((parameter.name.as_str(), value.as_ref()?)))
    };
    match form {
        Form::BuiltIn => {
            let number = |(name, value): (&str, &Value)| Some((name.to_owned(), value.number()?));
            Tuned { parameters: given().filter_map(number).collect(), ..Tuned::default() }
        }
        Form::Program(command) => {
            let text = |name: &str| given().find(|(given, _)| *given == name).map(|(_, value)| value.text());
            Tuned { name: Some(filled(command, text)), ..Tuned::default() }
        }
        Form::Function { .. } => {
            let all: serde_json::Map<_, _> = given().map(|(name, value)| (name.to_owned(), json(value))).collect();
            Tuned { keywords: Some(serde_json::Value::Object(all).to_string()), ..Tuned::default() }
        }
        Form::Client => Tuned::default(),
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Real(number) => (*number).into(),
        Value::Whole(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Text(text) => text.as_str().into(),
    }
}

/// Checks that the pipeline has these parameters.
///
/// # Errors
/// The first that it does not have, with those that it has.
pub(super) fn check(single: &Single, space: &Space) -> Result<(), String> {
    let names: Vec<_> = space.0.iter().map(|parameter| parameter.name.as_str()).collect();
    let has = |known: &[String], what: &str| names.iter().try_for_each(|name| known_one(name, known, what));
    match single.form() {
        Form::Client => Err("[pipeline] client has no parameters that can be tuned: write name instead".into()),
        Form::BuiltIn => {
            let numbers: Vec<Number> = RADII.iter().chain(single.parameters()).copied().collect();
            has(&numbers.iter().map(|one| one.name.to_owned()).collect::<Vec<_>>(), single.pipeline())?;
            let suits = |parameter: &Parameter| {
                // invariant: `has` found it.
                let number = numbers.iter().find(|one| one.name == parameter.name);
                number.map_or(Ok(()), |number| suits(number, &parameter.domain))
            };
            space.0.iter().try_for_each(suits).map_err(|wrong| format!("[parameters] {wrong}"))
        }
        Form::Program(command) => {
            let known = placeholders(&command);
            has(&known, "the command")?;
            let without = space.0.iter().find(|one| one.default.is_none());
            if let Some(without) = without {
                return Err(format!(
                    "[parameters] {}: default is missing: the command cannot be run without a value",
                    without.name
                ));
            }
            Ok(())
        }
        Form::Function { python, file, name } => {
            let lines = signature(&python, &file, &name)?;
            let (missing, known): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.starts_with('-'));
            suits_function(&known, &name, space)?;
            missing.first().map_or(Ok(()), |module| {
                let module = module.trim_start_matches('-');
                Err(format!(
                    "[pipeline] python = {python:?} has no module {module}, which frames need: install it there, or name \
                     another Python"
                ))
            })
        }
    }
}

/// Checks that a function takes the parameters, and needs no others. `signature` has its lines from [`SIGNATURE`].
fn suits_function(signature: &[String], function: &str, space: &Space) -> Result<(), String> {
    let known: Vec<String> = signature.iter().map(|one| one.trim_start_matches('!').to_owned()).collect();
    if !known.iter().any(|one| one == "*") {
        space.0.iter().try_for_each(|parameter| known_one(&parameter.name, &known, function))?;
    }
    for needed in signature.iter().filter_map(|one| one.strip_prefix('!')) {
        match space.0.iter().find(|parameter| parameter.name == needed) {
            Some(parameter) if parameter.default.is_some() => {}
            Some(_) => {
                return Err(format!(
                    "[parameters] {needed}: default is missing: {function} has none, so there is nothing to compare with"
                ));
            }
            None => {
                return Err(format!(
                    "[parameters] {needed} is missing: {function} has no default for it. Write its range here, or its \
                     default into the function"
                ));
            }
        }
    }
    Ok(())
}

/// Checks that a number of ours takes the values of a domain.
fn suits(number: &Number, domain: &Domain) -> Result<(), String> {
    let values = match domain {
        Domain::Real { .. } if number.is_whole => {
            return Err(format!("{} is a whole number: write whole = true into its range", number.name));
        }
        Domain::Real { from, to, .. } => vec![*from, *to],
        Domain::Whole { from, to, .. } => vec![*from as f64, *to as f64],
        Domain::Choice(values) => {
            let numbers: Option<Vec<f64>> = values.iter().map(Value::number).collect();
            numbers.ok_or_else(|| format!("{} is a number: list numbers", number.name))?
        }
    };
    values.into_iter().try_for_each(|value| number.check(value))
}

fn known_one(name: &str, known: &[String], what: &str) -> Result<(), String> {
    if known.iter().any(|one| one == name) {
        return Ok(());
    }
    let advice = match near(name, known.iter().map(String::as_str)).first() {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => {
            "it has none that can be set by name. A program has one for each {name} in its command, \
                                     and a function one for each keyword argument"
                .into()
        }
        None => format!("it has {}", known.join(", ")),
    };
    Err(format!("[parameters] {name}: {} has no such parameter: {advice}", Escaped(what)))
}

/// The names in braces.
fn placeholders(command: &str) -> Vec<String> {
    let inner = command.split('{').skip(1).filter_map(|part| part.split_once('}'));
    inner.map(|(name, _)| name.to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The parameters of a Python function, after the first, which is the frame.
fn signature(python: &str, file: &std::path::Path, name: &str) -> Result<Vec<String>, String> {
    let run = Command::new(python).arg("-c").arg(SIGNATURE).arg(file).arg(name).output();
    let output = run.map_err(|error| format!("[pipeline] python = {python:?} cannot be started: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it ended without a word");
        return Err(format!("[pipeline] {} cannot be loaded: {}", file.display(), Escaped(last)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(names: &[&str]) -> Space {
        let named = |name: &&str| Parameter {
            name: (*name).into(),
            domain: Domain::Real { from: 0.0, to: 9.0, is_log: false },
            default: None,
        };
        Space(names.iter().map(named).collect())
    }

    #[test]
    fn a_setting_reaches_ours_programs_and_functions() {
        let setting = Setting(vec![Some(Value::Real(2.5)), Some(Value::Whole(7))]);
        let ours = tuned(&Form::BuiltIn, &space(&["min_radius", "param1"]), &setting).parameters;
        assert_eq!(ours, [("min_radius".to_owned(), 2.5), ("param1".to_owned(), 7.0)].into());
        let program = Form::Program("exec:detect --low {a} --high {b}".into());
        assert_eq!(tuned(&program, &space(&["a", "b"]), &setting).name.unwrap(), "exec:detect --low 2.5 --high 7");
        let function = Form::Function { python: "python3".into(), file: "a.py".into(), name: "find".into() };
        assert_eq!(tuned(&function, &space(&["a", "b"]), &setting).keywords.unwrap(), "{\"a\":2.5,\"b\":7}");
        let default = Setting(vec![None, Some(Value::Flag(true))]);
        assert_eq!(tuned(&function, &space(&["a", "b"]), &default).keywords.unwrap(), "{\"b\":true}");
    }

    #[test]
    fn a_number_of_ours_is_refused_outside_its_range() {
        let param1 = Number { name: "param1", default: 50.0, from: 2.0, to: 2040.0, is_whole: true };
        let of = |domain: Domain| suits(&param1, &domain).err().unwrap_or_default();
        assert_eq!(of(Domain::Whole { from: 2, to: 300, is_log: true }), "");
        assert!(of(Domain::Whole { from: 0, to: 300, is_log: false }).contains("a whole number from 2 to 2040"));
        assert!(of(Domain::Real { from: 5.0, to: 9.0, is_log: false }).contains("write whole = true"));
        assert!(of(Domain::Choice(vec![Value::Text("a".into()), Value::Whole(5)])).contains("list numbers"));
        assert!(suits(&RADII[0], &Domain::Real { from: 0.0, to: 9.0, is_log: false }).is_err());
    }

    #[test]
    fn a_parameter_that_the_pipeline_does_not_have_is_named_with_a_near_one() {
        let known = ["param1", "param2"].map(str::to_owned);
        let wrong = known_one("parm1", &known, "find").unwrap_err();
        assert_eq!(wrong, "[parameters] parm1: find has no such parameter: did you mean param1?");
        let wrong = known_one("zzz", &known, "find").unwrap_err();
        assert!(wrong.ends_with("it has param1, param2"), "{wrong}");
        assert_eq!(placeholders("exec:a {b} --c={d}"), ["b", "d"]);
    }

    #[test]
    fn an_argument_without_a_default_is_asked_for_before_the_function_fails_with_every_setting() {
        let signature = ["!level", "sigma"].map(str::to_owned);
        let of = |space: &Space| suits_function(&signature, "find", space).err().unwrap_or_default();
        assert!(of(&space(&["sigma"])).starts_with("[parameters] level is missing: find has no default for it"));
        assert!(of(&space(&["level", "sigma"])).starts_with("[parameters] level: default is missing"));
        let mut given = space(&["level", "sigma"]);
        given.0[0].default = Some(Value::Real(5.0));
        assert_eq!(of(&given), "");
        assert!(of(&space(&["levl"])).ends_with("did you mean level?"));
        let any = ["*".to_owned()];
        assert_eq!(suits_function(&any, "find", &space(&["levl"])), Ok(()));
    }
}
