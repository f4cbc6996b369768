//! Completions and man pages of both programs, loaded by the shells and by mandoc themselves.

use std::path::Path;
use std::process::{Command, Output};

use testkit::program::{AtTerminal, command};

/// Runs a tool that `.ci/install` installs.
#[track_caller]
fn run(tool: &str, arguments: &[&str]) -> Output {
    let output = Command::new(tool).args(arguments).env_remove("LC_ALL").output();
    output.unwrap_or_else(|error| panic!("{tool}: {error}; .ci/install installs it"))
}

#[track_caller]
fn said(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{}: {stderr}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn script(program: &str, shell: &str, folder: &Path) -> String {
    let script = said(&command(program).args(["completions", shell]).output().expect("started"));
    let path = folder.join(format!("{program}.{shell}"));
    std::fs::write(&path, script).expect("written");
    path.display().to_string()
}

/// What each program completes: the words so far, and what must be among the offers.
const CASES: [(&str, &str, &[&str]); 7] = [
    ("server", "--fra", &["--frames"]),
    ("server", "--no-", &["--no-graphics", "--no-announce"]),
    ("server", "compl", &["completions"]),
    ("server", "--no-graphics --fra", &["--frames"]),
    ("client", "--pol", &["--policy"]),
    ("client", "--policy ", &["every", "latest"]),
    ("client", "det", &["detect"]),
];

#[test]
fn bash_completes_options_values_and_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    for (program, typed, offers) in CASES {
        let script = script(program, "bash", folder.path());
        let words: Vec<_> = [program].into_iter().chain(typed.split(' ')).collect();
        let quoted = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
        let asked = format!(
            "set -u; source {script}; complete -p {program} >/dev/null; COMP_WORDS=({quoted}); COMP_CWORD={}; \
             COMPREPLY=(); set +u; _{program} {program} '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.len() - 1
        );
        let offered = said(&run("bash", &["--norc", "-c", &asked]));
        assert!(offers.iter().all(|offer| offered.lines().any(|line| line == *offer)), "{program} {typed}: {offered}");
    }
}

#[test]
fn fish_completes_options_values_and_commands() {
    let folder = tempfile::tempdir().expect("a folder");
    for (program, typed, offers) in CASES {
        let script = script(program, "fish", folder.path());
        let offered =
            said(&run("fish", &["--no-config", "-c", &format!("source {script}; complete -C '{program} {typed}'")]));
        let names: Vec<_> = offered.lines().filter_map(|line| line.split('\t').next()).collect();
        assert!(offers.iter().all(|offer| names.contains(offer)), "{program} {typed}: {offered}");
    }
}

#[test]
fn zsh_completes_as_a_person_types() {
    let folder = tempfile::tempdir().expect("a folder");
    for (program, typed, whole) in [
        ("server", "--fra", "--frames"),
        ("server", "compl", "completions"),
        ("client", "--policy ev", "every"),
        ("client", "det", "detect"),
    ] {
        let script = script(program, "zsh", folder.path());
        said(&run("zsh", &["-f", "-n", &script]));
        let mut zsh = Command::new("zsh");
        zsh.args(["-f", "-i"]).env("PS1", "ready> ").env("TERM", "dumb").env("HOME", folder.path());
        let mut zsh = AtTerminal::start(zsh, 200);
        zsh.wait_for("ready> ");
        // `-u`: the folders of the system's functions may belong to another user here.
        zsh.press(&format!("autoload -U compinit && compinit -u && source {script} && print loa''ded\n"));
        zsh.wait_for("loaded");
        zsh.press(&format!("{program} {typed}\t"));
        zsh.wait_for(whole);
        // Ctrl-U takes the line away, so that the program does not run.
        zsh.press("\x15exit\n");
        zsh.end();
    }
}

#[test]
fn man_pages_of_every_command_are_sound_and_say_what_help_says() {
    let folder = tempfile::tempdir().expect("a folder");
    for (program, pages) in [
        (
            "server",
            &[
                "server",
                "server-health",
                "server-report",
                "server-token",
                "server-completions",
                "server-man",
                "server-compare",
            ][..],
        ),
        ("client", &["client", "client-detect", "client-completions", "client-man"]),
    ] {
        let path = folder.path().join(program);
        let made = command(program).args(["man", path.to_str().expect("UTF-8"), "-q"]).output().expect("started");
        said(&made);
        for page in pages {
            let file = path.join(format!("{page}.1")).display().to_string();
            let checked = run("mandoc", &["-T", "lint", "-W", "error", &file]);
            assert!(checked.status.success(), "{page}: {}", String::from_utf8_lossy(&checked.stdout));
            let text = said(&run("mandoc", &["-T", "ascii", "-O", "width=200", &file]));
            assert!(text.starts_with(&format!("{page}(1)")), "{text}");
        }
        let printed = said(&command(program).arg("man").output().expect("started"));
        assert_eq!(printed, std::fs::read_to_string(path.join(format!("{program}.1"))).expect("written"));
        assert!(printed.contains("Exit codes") && printed.contains("PLUMB_"), "{printed}");
    }
}

#[test]
fn an_unknown_shell_and_an_unwritable_folder_are_refused() {
    for (arguments, code, words) in [
        (&["completions", "cmd"][..], 2, "bash, elvish, fish, powershell, zsh"),
        (&["completions"], 2, "SHELL"),
        (&["man", "/proc/none"], 4, "name a folder that can be written"),
    ] {
        for program in ["server", "client"] {
            let output = command(program).args(arguments).output().expect("started");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{program} {arguments:?}: {stderr}");
            assert!(stderr.contains(words), "{stderr}");
        }
    }
}
