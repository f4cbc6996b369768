//! The command of the pipeline `exec:COMMAND`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Access, access};
use shared::text::Brief;
use thiserror::Error;

/// Maximum number of characters of a program's name in a log line: half the width of a terminal.
const NAME_CHARS: usize = 40;

/// A program and its arguments. The program was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    name: String,
    path: PathBuf,
    arguments: Vec<String>,
}

/// Why a command cannot be run.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CommandError {
    /// The command cannot be split into words.
    #[error("the command {0:?} cannot be split into words: a quote has no end, or a backslash is last")]
    Unbalanced(String),
    /// The command has no words.
    #[error("exec: needs a command, for example \"exec:python3 centroid.py\"")]
    Empty,
    /// No folder of `PATH` has the program.
    #[error("no program {program:?} is on the PATH ({path}); one in this folder is written ./{program}")]
    NotOnPath {
        /// The program.
        program: String,
        /// The value of `PATH`.
        path: String,
    },
    /// The file does not exist.
    #[error("there is no program {0:?}: exec: takes a file, or a name on the PATH")]
    NoFile(String),
    /// The file cannot be executed.
    #[error("{0:?} cannot be executed: make it so (chmod +x), or name what runs it, as in \"exec:python3 {0}\"")]
    NotExecutable(String),
}

impl Program {
    /// Splits a command into words as a POSIX shell does, and finds the program. Nothing is expanded: no shell runs.
    ///
    /// # Errors
    /// [`CommandError`] if the command cannot be split, is empty, or names a program that cannot be run.
    pub fn of(command: &str) -> Result<Self, CommandError> {
        let words = shlex::split(command).ok_or_else(|| CommandError::Unbalanced(command.to_owned()))?;
        let (program, arguments) = words.split_first().ok_or(CommandError::Empty)?;
        let path = found(program)?;
        Ok(Self { name: name(&words), path, arguments: arguments.to_vec() })
    }

    /// Name for people: the words, each without its folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The command that starts the program.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments);
        command
    }
}

fn name(words: &[String]) -> String {
    let short: Vec<_> = words.iter().map(|word| word.rsplit('/').next().unwrap_or(word)).collect();
    Brief(short.join(" "), NAME_CHARS).to_string()
}

/// Finds a program as a shell does: a word with a slash is a file, any other word is a name on `PATH`.
fn found(program: &str) -> Result<PathBuf, CommandError> {
    if program.is_empty() {
        return Err(CommandError::Empty);
    }
    if program.contains('/') {
        let path = PathBuf::from(program);
        return match (path.is_file(), is_executable(&path)) {
            (true, true) => Ok(path),
            (true, false) => Err(CommandError::NotExecutable(program.to_owned())),
            (false, _) => Err(CommandError::NoFile(program.to_owned())),
        };
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let candidate = env::split_paths(&path).map(|folder| folder.join(program)).find(|path| is_executable(path));
    candidate.ok_or_else(|| CommandError::NotOnPath {
        program: program.to_owned(),
        path: path.to_string_lossy().into_owned(),
    })
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str) -> Vec<String> {
        Program::of(command).expect("a program").arguments
    }

    #[test]
    fn a_command_is_split_as_a_shell_splits_it_and_nothing_is_expanded() {
        assert_eq!(
            words(r#"sh -c 'a  b' "c d" e\ f "g\"h" $HOME *"#),
            ["-c", "a  b", "c d", "e f", "g\"h", "$HOME", "*"]
        );
        assert_eq!(Program::of("/bin/sh /tmp/x.sh -q").expect("a program").name(), "sh x.sh -q");
    }

    #[test]
    fn a_command_that_cannot_run_is_refused_and_the_error_says_what_is_valid() {
        let refused = |command: &str| Program::of(command).expect_err("refused").to_string();
        assert!(refused("sh 'a").contains("a quote has no end"));
        assert!(refused("sh \"a").contains("a quote has no end"));
        assert!(refused("").contains("needs a command") && refused(" \t").contains("needs a command"));
        assert!(refused("''").contains("needs a command"));
        let missing = refused("no-such-program-here -x");
        assert!(missing.contains("\"no-such-program-here\" is on the PATH (") && missing.contains("./no-such-program"));
        assert!(refused("./no-such-file").contains("there is no program \"./no-such-file\""));
        assert!(refused("/etc/passwd").contains("cannot be executed: make it so (chmod +x)"));
    }
}
