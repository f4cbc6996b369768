//! A run, given by the command line, the environment and files, is printed and read back by the real programs.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use testkit::ends::with;
use testkit::program::{Ended, Program, command};
use testkit::report::{checked, only_session};

/// A directory with files of options.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    /// Writes a file and returns its path.
    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).expect("written");
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn server(options: &[&str]) -> Command {
    let mut server = command("server");
    server.args(options);
    server
}

/// The lines of the run that this command prints.
fn printed(server: Command) -> Vec<String> {
    Program::start(server).end().expect(0).stdout
}

#[track_caller]
fn assert_says(printed: &[String], lines: &[&str]) {
    for line in lines {
        assert!(printed.iter().any(|said| said == line), "no {line} in {printed:#?}");
    }
}

#[test]
fn the_command_line_overrides_the_environment_the_environment_the_file_and_the_file_the_default() {
    let files = Files::new();
    let run = files.write("run.toml", "noise = 1\nblur = 1\ngamma = 2\nonce = true\ninvert = true");
    let camera = files.write("camera.toml", "noise = 9\nvignette = 0.5\ngamma = 9");
    let mut all = server(&["--print-run", "--run", &run, "--camera", &camera, "--noise", "3", "--invert=false"]);
    all.env("PLUMB_NOISE", "2").env("PLUMB_BLUR", "2").env("PLUMB_ONCE", "0").env("PLUMB_INVERT", "1");
    let lines = [
        "noise = 3.0",
        "blur = 2.0",
        "gamma = 2.0",
        "vignette = 0.5",
        "contrast = 140.0",
        "once = false",
        "invert = false",
    ];
    assert_says(&printed(all), &lines);
    // The files are named in the environment.
    let mut by_environment = server(&["--print-run"]);
    by_environment.env("PLUMB_RUN", &run).env("PLUMB_CAMERA", &camera);
    assert_says(&printed(by_environment), &["noise = 1.0", "vignette = 0.5", "once = true"]);
}

#[test]
fn an_empty_environment_variable_is_an_unset_one() {
    let mut bare = server(&["--print-run", "--seed", "1"]);
    let plain = printed(bare);
    bare = server(&["--print-run", "--seed", "1"]);
    for name in ["RUN", "CAMERA", "FPS", "FRAMES", "ONCE", "JSON", "LISTEN", "QUIET", "VERBOSE", "BACKGROUND", "SEED"] {
        bare.env(format!("PLUMB_{name}"), "");
    }
    assert_eq!(printed(bare), plain);
    // Exit code 3: nobody listens there, but the address is valid.
    let mut health = server(&["health"]);
    health.env("PLUMB_LISTEN", "");
    assert_ne!(Program::start(health).end().code, Some(2));
}

#[test]
fn a_seed_that_nobody_chose_is_drawn_and_printed_and_the_text_fed_back_is_the_same() {
    let files = Files::new();
    let options = ["--print-run", "--fps", "max", "--radius", "10..40", "--duration", "90s", "--jpeg", "80", "--once"];
    let first = printed(server(&options));
    assert!(first.iter().any(|line| line.starts_with("seed = ")), "{first:#?}");
    assert_ne!(first, printed(server(&options)), "another seed each time");
    let run = files.write("run.toml", &(first.join("\n") + "\n"));
    assert_eq!(printed(server(&["--run", &run, "--print-run"])), first);
}

#[test]
fn a_printed_run_plays_the_same_frames() {
    let files = Files::new();
    let options =
        ["--loopback", "--fps", "max", "--frames", "60", "--size", "160x120", "--noise", "4", "--deadline", "30s"];
    let run = files.write("run.toml", &printed(server(&[&options[..], &["--print-run"]].concat())).join("\n"));
    let report = || {
        let played = with(command("server"), &["--run", &run, "--no-graphics", "--json", "-"]);
        checked(&Program::start(played).end().expect(0).stdout.join("\n"))
    };
    let (first, second) = (report(), report());
    assert_eq!(first["run"], second["run"]);
    let [first, second] = [&first, &second].map(|report| only_session(report)["error_px"]["l1"]["sum"].clone());
    assert!(first.as_f64().is_some_and(|sum| sum > 0.0), "{first}");
    assert_eq!(first, second, "the same errors to the last digit");
}

#[test]
fn an_impossible_run_is_refused_before_it_is_printed() {
    let files = Files::new();
    let run = files.write("run.toml", "radius = '10..2000'");
    for options in [&["--run", &run, "--print-run"][..], &["--contrast", "0", "--print-run"]] {
        let Ended { stdout, .. } = Program::start(server(options)).end().expect(2);
        assert_eq!(stdout, Vec::<String>::new());
    }
}

#[test]
fn printing_a_run_opens_neither_a_report_nor_a_port() {
    let files = Files::new();
    let report = files.path("report.json");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let mut server = server(&["--print-run", "--listen", &address, "--json"]);
    server.arg(&report);
    let said = printed(server).join("\n");
    assert!(!said.contains(&address) && !said.contains("report.json"), "{said}");
    assert!(!report.exists());
}

#[test]
fn an_unknown_variable_gets_a_warning_with_similar_names() {
    for program in ["server", "client"] {
        let run = |variables: &[(&str, &str)]| {
            let mut run = command(program);
            match program {
                "server" => run.arg("--print-run"),
                _ => run.args(["--no-graphics", "127.0.0.1:1", "--wait", "0s"]),
            };
            run.envs(variables.iter().copied());
            Program::start(run).end().stderr.join("\n")
        };
        let said = run(&[("PLUMB_WORKER", "2"), ("PLUMB_FRAMSE", "600")]);
        assert!(said.contains("PLUMB_WORKER belongs to no option: did you mean PLUMB_WORKERS?"), "{program}: {said}");
        assert!(said.contains("did you mean PLUMB_FRAMES"), "{program}: {said}");
        // Variables of the other program, of neither program, and unset ones.
        let said = run(&[("PLUMB_WORKERS", "2"), ("PLUMB_FRAMES", "600"), ("FRAMSE", "1"), ("PLUMB_FRAMSE", "")]);
        assert!(!said.contains("belongs to no option"), "{program}: {said}");
    }
}
