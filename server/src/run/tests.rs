//! Tests that a run specification survives the way from the command line to a file and back, and what a file may hold.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use proptest::prelude::*;
use serde_json::Value;
use shared::image::PixelFormat;
use shared::shell::options::Environment;

use super::*;
use crate::camera::CameraConfig;
use crate::cli::Cli;
use crate::options::TakesAll;
use crate::task::TaskName;

/// The specification of a command line, with `{}` for a file of this text.
fn read_with(file: &str, options: &[&str]) -> Result<RunSpec, String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("run.toml");
    std::fs::write(&path, file).expect("written");
    let path = path.to_str().expect("UTF-8");
    let arguments = ["server"].iter().chain(options).map(|option| OsString::from(option.replace("{}", path)));
    Cli::read(arguments, Environment::default()).map(|cli| cli.spec).map_err(|refused| refused.to_string())
}

fn read(options: &[&str]) -> RunSpec {
    read_with("", options).unwrap_or_else(|refused| panic!("{refused}"))
}

#[track_caller]
fn refused(file: &str) -> String {
    let said = read_with(file, &["--run", "{}"]).expect_err("a file that is refused");
    assert!(said.starts_with("error: ") && said.contains("run.toml"), "{said}");
    said
}

#[test]
fn an_empty_command_line_gives_the_defaults() {
    assert_eq!(read(&[]), RunSpec::default());
    assert_eq!(RunSpec::default().camera, CameraConfig::default());
    assert_eq!((RunSpec::default().sent.seed, RunSpec::default().sent.frames), (None, None));
}

#[test]
fn the_command_line_overrides_the_run_file_and_the_run_file_the_camera_file() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let camera = directory.path().join("camera.toml");
    std::fs::write(&camera, "noise = 1\nblur = 1\ngamma = 2\nshot-noise = 0.5\nradius = 30").expect("written");
    let camera = camera.to_str().expect("UTF-8");
    let file = "noise = 2\nblur = 2\nwindow = 3";
    let spec = read_with(file, &["--run", "{}", "--camera", camera, "--noise", "3"]).expect("a run");
    let rate = spec.rate().to_string();
    let RunSpec { sent, delivered, camera: seen, .. } = spec;
    assert_eq!((seen.noise, seen.blur, seen.gamma, seen.shot_noise), (3.0, 2.0, 2.0, 0.5));
    assert_eq!((sent.radius.expect("given").max, delivered.window.get(), rate), (30.0, 3, "60".into()));
    // The run's file may name the camera's.
    let named = read_with(&format!("{file}\ncamera = '{camera}'"), &["--run", "{}"]).expect("a run");
    assert_eq!((named.camera.noise, named.camera.gamma), (2.0, 2.0));
}

#[test]
fn a_file_takes_numbers_texts_and_switches_as_the_options_do() {
    let file = "fps = 'max'\nradius = '10..40'\nframes = 1_000\nseed = 0xff\ndeadline = '500ms'\nonce = true\n\
                empty-rate = 0.25\nspeed = 100\nsize = '64x48'";
    let spec = read_with(file, &["--run", "{}"]).expect("a run");
    let line = ["--fps=max", "--radius=10..40", "--frames=1000", "--seed=255", "--deadline=500ms", "--once"];
    assert_eq!(spec, read(&[&line[..], &["--empty-rate=0.25", "--speed=100", "--size=64x48"]].concat()));
    assert_eq!(read_with("fps = 30\nradius = 12.5", &["--run", "{}"]), Ok(read(&["--fps=30", "--radius=12.5"])));
}

#[test]
fn every_switch_can_be_switched_on_and_off() {
    assert!(read(&["--once"]).delivered.once && read(&["--once=true"]).delivered.once);
    assert!(!read(&["--once=false"]).delivered.once && !read(&["--invert=0"]).camera.invert);
    let off = read_with("once = true\nborder = true", &["--run", "{}", "--once=false", "--border=false"]);
    assert_eq!(off, Ok(RunSpec::default()));
}

#[test]
fn a_file_is_refused_with_its_key_and_what_is_valid() {
    for (file, words) in [
        ("fps = 'fast'", ["fps: \"fast\" is not a frame rate", "60, or max"]),
        ("frames = 0", ["frames: \"0\"", "a whole number of frames from 1"]),
        ("frames = 1.5", ["frames: \"1.5\"", "a whole number of frames from 1"]),
        ("deadline = 2", ["deadline", "10s"]),
        ("once = 'yes'", ["once: \"yes\"", "true nor false"]),
        ("fps = true", ["fps: true", "a number, or a text"]),
        ("frames = [1]", ["frames", "array"]),
        ("duration = 1979-05-27", ["duration", "datetime"]),
        ("[camera]\nnoise = 1", ["camera", "table"]),
        ("deadlin = '2s'", ["\"deadlin\" is not an option", "deadline?"]),
        ("listen = '0.0.0.0:1'", ["listen is not part of a run", "on the command line"]),
        ("json = 'report.json'", ["json is not part of a run", "on the command line"]),
        ("run = 'other.toml'", ["run is not part of a run", "on the command line"]),
        ("shot-noise = 1\nshot_noise = 2", ["shot_noise", "twice"]),
        ("noise = 300", ["noise: \"300\"", "0 to 255 gray levels"]),
        ("jpeg = 101", ["jpeg: \"101\"", "1 to 100"]),
        ("background = 'forest'", ["background: \"forest\"", "clutter"]),
        ("window = 8\nfps 60", ["line 2", "fps 60"]),
        ("'\\u001b[2J' = 1", ["is not an option", "server --help"]),
        ("camera = 'no-such-camera.toml'", ["", ""]),
    ] {
        let said = read_with(file, &["--run", "{}"]).expect_err("a file that is refused");
        assert!(said.contains(words[0]) && said.contains(words[1]), "{file}: {said}");
        assert!(
            said.contains("run.toml: ") || said.contains("--camera: \"no-such-camera.toml\" cannot be read"),
            "{said}"
        );
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
}

#[test]
fn a_long_key_is_cut_where_it_is_printed() {
    let key = "k".repeat(100_000);
    for file in [format!("{key} = 1"), format!("{key} = [1]"), format!("[{key}]")] {
        let said = read_with(&file, &["--run", "{}"]).expect_err("a file that is refused");
        assert!(said.len() < 500 && said.contains("kk.."), "{}", said.len());
    }
}

#[test]
fn a_camera_file_holds_only_the_camera() {
    let said = read_with("fps = 30", &["--camera", "{}"]).expect_err("no camera");
    assert!(said.contains("fps is not part of a camera"), "{said}");
    assert!(read_with("radius = '10..40'\nborder = true\njpeg = 80", &["--camera", "{}"]).is_ok());
}

#[test]
fn binary_files_and_endless_files_are_refused() {
    assert!(refused(&" ".repeat(MAX_FILE_BYTES as usize + 1)).contains("larger than"));
    for (path, word) in [("/dev/zero", "larger than"), ("/no/such/run.toml", "cannot be read"), ("/", "cannot be read")]
    {
        let said = read_with("", &["--run", path]).expect_err("no file of options");
        assert!(said.contains(path) && said.contains(word), "{said}");
    }
}

#[test]
fn every_number_with_a_range_is_held_to_it_on_the_command_line() {
    let ranges = TakesAll::of::<RunSpec>();
    let options = Cli::completed_command();
    let limited = options.get_arguments().filter(|option| ranges.get(option.get_id().as_str()).is_some());
    let mut count = 0;
    for name in limited.filter_map(clap::Arg::get_long) {
        for wrong in ["-1e9", "lots", ""] {
            let said = read_with("", &[&format!("--{name}={wrong}")]).expect_err("out of range");
            assert!(said.contains(&format!("--{name}: \"{wrong}\" is not a")), "{said}");
        }
        count += 1;
    }
    assert!(count >= 13, "{count} options say what they take");
}

#[test]
fn a_run_keeps_its_seed_or_gets_one() {
    assert!(read(&[]).with_seed().sent.seed.is_some());
    assert_eq!(read(&["--seed", "7"]).with_seed().sent.seed, Some(7));
}

#[test]
fn options_of_this_machine_are_never_printed() {
    let local =
        ["--listen=0.0.0.0:9", "--json=secret.json", "--no-graphics", "--udp-port=40000", "--advertise=192.0.2.7"];
    assert_eq!(read(&[&local[..], &["--seed=1"]].concat()).to_toml(), read(&["--seed=1"]).to_toml());
    let printed = read(&["--seed=1"]).to_toml();
    for name in ["listen", "json", "graphics", "announce", "udp", "advertise", "camera", "run", "verbose"] {
        assert!(!printed.contains(name), "{name} in\n{printed}");
    }
}

#[test]
fn the_report_has_every_option_and_the_figures_of_schema_1() {
    let spec = read(&["--fps=max", "--radius=10..40", "--deadline=500ms", "--delivery=live", "--once", "--seed=3"]);
    let spec = spec.of_source(DEFAULT_SIZE, PixelFormat::Gray8, TaskName::default(), None);
    let config = serde_json::to_value(RunConfig::new(&spec)).expect("JSON");
    for option in RunSpec::augment_args(clap::Command::new("run")).get_arguments() {
        assert!(config.get(option.get_id().as_str()).is_some(), "no {} in {config:#}", option.get_id());
    }
    for (name, value) in [
        ("size", Value::from("640x480")),
        ("source", "ball".into()),
        ("task", "circle".into()),
        ("width", 640.into()),
        ("height", 480.into()),
        ("fps", Value::Null),
        ("deadline", "500ms".into()),
        ("deadline_us", 500_000.into()),
        ("duration_us", Value::Null),
        ("radius", "10..40".into()),
        ("radius_px", 10.0.into()),
        ("radius_max_px", 40.0.into()),
        ("speed_px_s", 200.0.into()),
        ("once", true.into()),
        ("loopback", false.into()),
        ("sctp_mtu", Value::Null),
        ("seed", 3.into()),
        ("noise", 0.0.into()),
    ] {
        assert_eq!(config[name], value, "{name}");
    }
    assert!(config["lifetime_us"].is_u64());
    assert_eq!(config["camera"], serde_json::to_value(spec.camera).expect("JSON"));
    let paced = serde_json::to_value(RunConfig::new(&read(&["--fps=59.94"]))).expect("JSON");
    assert_eq!((&paced["fps"], &paced["lifetime_us"]), (&59.94.into(), &Value::Null));
}

/// Durations as people may write them, with a resolution of one nanosecond.
fn times() -> impl Strategy<Value = String> {
    (1_u64..=u64::MAX).prop_map(|ns| format!("{ns}ns"))
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    let number = (any::<u64>(), 1_u32..=4096, proptest::option::of(576_u32..=16_000));
    let camera = (0.0..=255.0_f64, 0.1..=10.0_f64, proptest::option::of(1_u8..=100), any::<[bool; 4]>());
    let sent = ((1_u32..=8192, 1_u32..=8192), 1e-3..=1e6_f64, times(), times(), (0.5..9.0_f64, 0.0..40.0_f64));
    (number, camera, sent).prop_map(|((seed, window, mtu), (noise, gamma, jpeg, on), sent)| {
        let ((width, height), fps, duration, deadline, (radius, more)) = sent;
        let mut line = vec![
            format!("--seed={seed}"),
            format!("--window={window}"),
            format!("--noise={noise}"),
            format!("--gamma={gamma}"),
            format!("--size={width}x{height}"),
            format!("--fps={}", if on[0] { "max".into() } else { fps.to_string() }),
            format!("--duration={duration}"),
            format!("--deadline={deadline}"),
            format!("--radius={radius}..{}", radius + more),
            format!("--once={}", on[1]),
            format!("--delivery={}", if on[2] { "live" } else { "reliable" }),
            format!("--background={}", if on[3] { "clutter" } else { "plain" }),
        ];
        line.extend(mtu.map(|mtu| format!("--sctp-mtu={mtu}")));
        line.extend(jpeg.map(|jpeg| format!("--jpeg={jpeg}")));
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_run_is_read_back_as_the_same_run_and_printed_alike(line in lines()) {
        let line: Vec<_> = line.iter().map(String::as_str).collect();
        let spec = read(&line);
        let printed = spec.to_toml();
        let again = read_with(&printed, &["--run", "{}"]).expect("what was printed");
        prop_assert_eq!(&again, &spec);
        prop_assert_eq!(again.to_toml(), printed.clone());
        // Other readers of TOML can read it too.
        prop_assert!(printed.parse::<toml::Table>().is_ok());
    }

    #[test]
    fn no_file_brings_the_server_down(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("run.toml");
        std::fs::write(&path, bytes).expect("written");
        let _ = layered(Cli::completed_command(), Some(Path::new(&path)), None);
    }
}
