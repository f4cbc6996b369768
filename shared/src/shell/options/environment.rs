//! Environment variables as defaults of the options.
//!
//! The order of precedence is therefore that of `clap`: command line, environment, defaults set by the caller, default.
//! Each value is first parsed by its option's own parser, so that an error names the variable and not the command line.
//! A variable is ignored if the command line sets the option. An empty variable counts as unset.

use std::ffi::{OsStr, OsString};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::complete::variables;
use super::refusal::{Refusal, check, in_our_form};

/// The variables that are set and not empty.
#[derive(Clone, Debug, Default)]
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The variable that sets an option, with its value: the first of its names that is set.
    pub fn of(&self, option: &Arg) -> Option<(String, &OsStr)> {
        let get =
            |name: String| self.0.iter().find(|(set, _)| *set == *name).map(|(_, value)| (name, value.as_os_str()));
        variables(option).into_iter().find_map(get)
    }

    /// The names of all variables.
    pub(super) fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.0.iter().map(|(name, _)| name.as_os_str())
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Self {
        Self(variables.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }
}

/// A command line with the environment it was given in.
#[derive(Debug)]
pub struct CommandLine {
    arguments: Vec<OsString>,
    environment: Environment,
    /// The command line parsed without the environment.
    given: ArgMatches,
}

impl CommandLine {
    /// Parses the arguments without the environment.
    ///
    /// # Errors
    /// A usage error, or the help or version text that was asked for. Print it before anything runs.
    pub fn new(
        command: &Command,
        arguments: impl IntoIterator<Item = OsString>,
        environment: Environment,
    ) -> Result<Self, clap::Error> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let given = command.clone().try_get_matches_from(&arguments);
        let given = given.map_err(|refused| in_our_form(command, &arguments, refused))?;
        Ok(Self { arguments, environment, given })
    }

    /// Parses the arguments. They override the environment, which overrides the defaults of `command`.
    ///
    /// # Errors
    /// A usage error. Print it before anything runs.
    pub fn over(&self, command: Command) -> Result<ArgMatches, clap::Error> {
        let command = with_environment(command, &self.environment, &self.given)?;
        let read = command.clone().try_get_matches_from(&self.arguments);
        read.map_err(|refused| in_our_form(&command, &self.arguments, refused))
    }

    /// The variable that sets this option, if any.
    pub fn variable(&self, option: &Arg) -> Option<String> {
        let is_given = is_given(&self.given, option);
        self.environment.of(option).filter(|_| !is_given).map(|(name, _)| name)
    }

    /// Whether the arguments themselves set this option.
    pub fn names(&self, option: &Arg) -> bool {
        is_given(&self.given, option)
    }
}

fn with_environment(mut command: Command, set: &Environment, given: &ArgMatches) -> Result<Command, Refusal> {
    let options: Vec<_> = command.get_arguments().filter(|option| !is_given(given, option)).cloned().collect();
    for option in options {
        let Some((name, value)) = set.of(&option) else { continue };
        check(&option, value).map_err(|reason| Refusal { place: name, reason })?;
        command = command.mut_arg(option.get_id().clone(), |option| option.default_value(value.to_owned()));
    }
    let Some((name, given)) = given.subcommand() else { return Ok(command) };
    let Some(subcommand) = command.find_subcommand(name).cloned() else { return Ok(command) };
    let subcommand = with_environment(subcommand, set, given)?;
    Ok(command.mut_subcommand(name, |_| subcommand))
}

fn is_given(matches: &ArgMatches, option: &Arg) -> bool {
    matches.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use clap::{ArgAction, value_parser};

    use super::super::completed;
    use super::*;

    fn command() -> Command {
        let [seed, name] = ["seed", "name"].map(|name| Arg::new(name).long(name).value_name("N"));
        let file = Arg::new("file").long("file").value_parser(value_parser!(std::path::PathBuf));
        let once = Arg::new("once").long("once").action(ArgAction::SetTrue);
        let verbose = Arg::new("verbose").short('v').action(ArgAction::Count).global(true);
        let fps = Arg::new("fps").long("fps").default_value("60").value_parser(["60", "90"]);
        let look = Command::new("look").arg(Arg::new("eye").long("eye").alias("old-eye").visible_alias("old-eye"));
        completed(Command::new("it").args([seed, name, file, once, verbose, fps]).subcommand(look))
    }

    fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<ArgMatches, String> {
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let arguments = ["it"].iter().chain(arguments).map(OsString::from);
        let line = CommandLine::new(&command(), arguments, environment).map_err(|refused| refused.to_string())?;
        line.over(command()).map_err(|refused| refused.to_string())
    }

    fn text(matches: &ArgMatches, id: &str) -> Option<String> {
        matches.get_one::<String>(id).cloned()
    }

    #[test]
    fn the_command_line_overrides_the_environment_which_overrides_the_default() {
        let matches = read(&["--seed", "1"], &[("PLUMB_SEED", "2"), ("PLUMB_FPS", "90"), ("PLUMB_VERBOSE", "2")]);
        let matches = matches.expect("a sound line");
        assert_eq!((text(&matches, "seed"), text(&matches, "fps")), (Some("1".into()), Some("90".into())));
        assert_eq!(matches.get_one::<u8>("verbose"), Some(&2));
        let matches = read(&["look", "-v"], &[("PLUMB_OLD_EYE", "old"), ("PLUMB_VERBOSE", "2")]).expect("a sound line");
        assert_eq!(matches.get_one::<u8>("verbose"), Some(&1));
        let (_, look) = matches.subcommand().expect("look");
        assert_eq!(text(look, "eye"), Some("old".into()));
    }

    #[test]
    fn an_empty_variable_is_an_unset_one() {
        let matches = read(&[], &[("PLUMB_SEED", ""), ("PLUMB_FPS", ""), ("PLUMB_ONCE", ""), ("PLUMB_VERBOSE", "")]);
        let matches = matches.expect("a sound line");
        assert_eq!((text(&matches, "seed"), text(&matches, "fps")), (None, Some("60".into())));
        let matches = read(&["look"], &[("PLUMB_EYE", ""), ("PLUMB_OLD_EYE", "old")]).expect("a sound line");
        assert_eq!(text(matches.subcommand().expect("look").1, "eye"), Some("old".into()));
    }

    #[test]
    fn a_wrong_value_is_reported_with_its_variable_unless_the_command_line_overrides_it() {
        for (variable, value, said) in [
            ("PLUMB_FPS", "61\u{1b}", "error: PLUMB_FPS: \"61\\u{1b}\" is none of 60, 90\n"),
            ("PLUMB_ONCE", "perhaps", "error: PLUMB_ONCE: \"perhaps\" is neither true nor false\n"),
            ("PLUMB_VERBOSE", "much", "error: PLUMB_VERBOSE: \"much\" is not a whole number from 0 to 255\n"),
        ] {
            let refused = read(&[], &[(variable, value)]).expect_err("a wrong value");
            assert!(refused.starts_with(said), "{refused}");
        }
        assert!(read(&["--fps", "90"], &[("PLUMB_FPS", "61")]).is_ok());
    }

    #[test]
    fn a_value_must_be_utf8_but_a_file_name_need_not_be() {
        let wrong = || OsString::from_vec(b"a\xff".to_vec());
        let line = |arguments: &[OsString], environment: &[(&str, OsString)]| {
            let environment = environment.iter().map(|(name, value)| (name.into(), value.clone())).collect();
            let line = CommandLine::new(&command(), arguments.to_vec(), environment)?;
            line.over(command())
        };
        let said = |result: Result<ArgMatches, clap::Error>| result.expect_err("no text").to_string();
        let two = said(line(&["it".into(), "--name".into(), wrong()], &[]));
        assert!(two.starts_with("error: --name: \"a\u{fffd}\" is not UTF-8 text"), "{two}");
        let mut joined = OsString::from("--seed=");
        joined.push(wrong());
        let files = [OsString::from("--file"), wrong()];
        let behind_a_file = [&["it".into()], &files[..], &[joined]].concat();
        let joined = said(line(&behind_a_file, &[]));
        assert!(joined.starts_with("error: --seed: \"a\u{fffd}\" is not UTF-8 text"), "{joined}");
        let variable = said(line(&["it".into()], &[("PLUMB_SEED", wrong())]));
        assert!(variable.starts_with("error: PLUMB_SEED: \"a\u{fffd}\" is not UTF-8 text"), "{variable}");
        assert!(line(&[&["it".into()], &files[..]].concat(), &[("PLUMB_FILE", wrong())]).is_ok());
    }

    #[test]
    fn errors_quote_the_command_line_escaped_and_shortened() {
        for arguments in [&["--\u{1b}[2J"][..], &["\u{1b}[2J"], &["--fps", "\u{1b}[2J"], &["look", "\u{1b}[2J"]] {
            let refused = read(arguments, &[]).expect_err("a wrong line");
            assert!(refused.contains("\\u{1b}[2J") && !refused.contains('\u{1b}'), "{refused:?}");
        }
        let refused = read(&["--fps", &"9".repeat(9000)], &[]).expect_err("a wrong value");
        assert!(refused.len() < 200 && refused.contains("99.."), "{refused}");
    }
}
