//! The server's command line refuses bad options at once, with a helpful message and exit code 2.

use std::net::TcpListener;

use testkit::ends::with;
use testkit::program::{Ended, Program, command};

fn run(options: &[&str]) -> Ended {
    Program::start(with(command("server"), &[&["--no-graphics"], options].concat())).end()
}

/// Options with which nothing can run, and the text of the refusal.
const IMPOSSIBLE: [(&[&str], &str); 115] = [
    (&["--fsp", "60"], "a similar argument exists: '--fps'"),
    (&["--delivery", "pigeon"], "reliable or live"),
    (&["--sctp-mtu", "575"], "from 576 to 16000"),
    (&["--sctp-mtu", "16001"], "from 576 to 16000"),
    (&["--sctp-mtu", "-1"], "from 576 to 16000"),
    (&["--size", "0x480"], "0x480"),
    (&["--size", "640x0"], "640x0"),
    (&["--size", "8193x480"], "8192"),
    (&["--size", "640x8193"], "8192"),
    (&["--size", "640"], "WIDTHxHEIGHT"),
    (&["--size", "-640x480"], "-640x480"),
    (&["--size", "99999999999x480"], "99999999999x480"),
    (&["--radius", "241"], "480"),
    (&["--radius", "0"], "0"),
    (&["--radius", "-20"], "-20"),
    (&["--radius", "NaN"], "NaN"),
    (&["--radius", "inf"], "inf"),
    (&["--speed", "NaN"], "NaN"),
    (&["--speed", "-1"], "-1"),
    (&["--speed", "inf"], "inf"),
    (&["--fps", "0"], "0"),
    (&["--fps", "-60"], "-60"),
    (&["--fps", "NaN"], "NaN"),
    (&["--fps", "inf"], "inf"),
    (&["--fps", "fast"], "max"),
    (&["--window", "0"], "from 1"),
    (&["--window", "100000"], "4096"),
    (&["--frames", "0"], "--frames: \"0\""),
    (&["--gate", "latency_us.p99 <= 1e308 s"], "the limit is larger than any number"),
    (&["--duration", "0s"], "longer than 0"),
    (&["--duration", "10"], "10s"),
    (&["--deadline", "0s"], "longer than 0"),
    (&["--pixel", "rgb24"], "bgr8"),
    (&["--encoding", "zip"], "raw, lz4, auto, png or jpeg:QUALITY"),
    (&["--encoding", "jpeg"], "a whole number from 1 to 100, such as jpeg:90"),
    (&["--encoding", "jpeg:0"], "1 to 100"),
    (&["--encoding", "jpeg:101"], "1 to 100"),
    (&["--encoding", "jpeg:high"], "1 to 100"),
    (&["--source", "depth", "--encoding", "jpeg:90"], "JPEG has 8 bits: write --encoding png or lz4"),
    (&["--seed", "-1"], "-1"),
    (&["--udp-port", "0"], "1 to 65535"),
    (&["--listen", "8080"], "HOST:PORT"),
    (&["--advertise", "example"], "example"),
    (&["--allow-host", "a:80"], "the name of a host: write one such as plumb.example"),
    (&["--allow-host", "a,"], "with commas between them"),
    (&["--radius", "10-40"], "10..40"),
    (&["--radius", "40..10"], "40..10"),
    (&["--radius", "10..241"], "at most 240 px"),
    (&["--noise", "-1"], "--noise: \"-1\" is not a standard deviation of 0 to 255"),
    (&["--noise", "NaN"], "--noise: \"NaN\""),
    (&["--noise", "much"], "much"),
    (&["--shot-noise", "101"], "a gain of 0 to 100"),
    (&["--blur", "inf"], "--blur: \"inf\""),
    (&["--exposure", "1.5"], "from 0 to 1"),
    (&["--delay", "-1"], "a delay of 0 to 10000 ms"),
    (&["--contrast", "216"], "-40 to 215"),
    (&["--contrast", "-41"], "-40 to 215"),
    (&["--contrast", "0"], "not 0"),
    (&["--contrast", "200", "--pixel", "bgr8"], "161.8"),
    (&["--background", "forest"], "clutter"),
    (&["--invert=perhaps"], "perhaps"),
    (&["--aspect", "0"], "a ratio of half-axes from 0.1 to 1"),
    (&["--aspect", "1.2"], "a ratio of half-axes from 0.1 to 1"),
    (&["--aspect-angle", "30"], "--aspect-angle needs --aspect"),
    (&["--aspect", "0.8", "--aspect-angle", "181"], "an angle of 0 to 180 degrees"),
    (&["--shade", "-0.1"], "a share of light from 0 to 1"),
    (&["--shade-angle", "30"], "--shade-angle needs --shade"),
    (&["--shade-height", "30"], "--shade-height needs --shade"),
    (&["--shade", "0.3", "--shade-height", "91"], "an angle of 0 to 90 degrees"),
    (&["--ring", "0.1"], "a width of 0.5 to 100 px"),
    (&["--ring", "3", "--shade", "0.3"], "leave out --ring or --shade"),
    (&["--ring", "3", "--task", "count"], "--ring does not go with --task count"),
    (&["--source", "depth", "--aspect", "0.8"], "aspect"),
    (&["--focal", "0"], "--focal: \"0\" is not a focal length from 1 to 1000000 px"),
    (&["--centre", "320"], "write 319.5,239.5"),
    (&["--distortion", "fisheye:1"], "plumb_bob, rational_polynomial or equidistant"),
    (&["--distortion", "plumb_bob:1,2,3,4,5,6"], "with up to 5, 8 or 4 coefficients"),
    (&["--pose", "90,0,0"], "tilt and pan from -80 to 80 degrees"),
    (&["--target", "cube"], "disc, sphere"),
    (&["--truth-point", "rim"], "centre, centroid"),
    (&["--truth-point", "centroid"], "--truth-point needs --lens, --focal or --pose"),
    (&["--pose", "45,0,0", "--aspect", "0.8"], "--aspect does not go with a lens (--pose)"),
    (&["--pose", "45,0,0", "--shade", "0.3"], "--shade does not go with a lens (--pose)"),
    (&["--focal", "600", "--ring", "3"], "--ring does not go with a lens (--focal)"),
    (&["--pose", "0,0,0,300", "--radius", "200"], "radius 200 px does not fit into what is seen of the plane"),
    (&["--focal", "600", "--distortion", "plumb_bob:-900"], "write a smaller --radius, or another lens"),
    (&["--focal", "600", "--task", "count"], "--focal does not go with --task count"),
    (&["--focal", "600", "--source", "depth"], "--focal does not apply to --source depth"),
    (&["--lens", "no-such.yaml", "--source", "depth"], "--lens does not apply to --source depth"),
    (&["--lens", "no-such.yaml"], "--lens: \"no-such.yaml\" cannot be read"),
    (&["--rolling-shutter", "-1"], "a line time of 0 to 1000 us"),
    (&["--rolling-shutter", "30", "--blur", "1"], "--blur does not go with --rolling-shutter"),
    (&["--rolling-shutter", "30", "--ring", "3"], "--ring does not go with --rolling-shutter"),
    (&["--rolling-shutter", "30", "--task", "count"], "--rolling-shutter does not go with --task count"),
    (&["--rolling-shutter", "30", "--source", "depth"], "--rolling-shutter does not apply to --source depth"),
    (&["--poses", "0"], "a whole number of poses from 1 to 100"),
    (&["--poses", "8", "--pose", "1,2,3"], "leave out --pose or --poses"),
    (&["--jpeg", "0"], "1 to 100"),
    (&["--jpeg", "101"], "1 to 100"),
    (&["--jpeg", "256"], "256"),
    (&["--gamma", "0"], "0.1 to 10"),
    (&["--vignette", "1"], "0 to 0.9"),
    (&["--empty-rate", "2"], "--empty-rate: \"2\""),
    (&["--camera", "no-such-camera.toml"], "no-such-camera.toml"),
    (&["--task", "square"], "circle, count, ack or image"),
    (&["--task", "image", "--delivery", "live"], "write --delivery reliable"),
    (&["--task", "image", "--size", "8192x8192", "--window", "100"], "write --window 31 or less"),
    (&["--source", "no-such-source"], "is not a source, a file or a folder"),
    (&["--source", "no/such/*.png"], "no/such/*.png has no image"),
    (&["--fps", "source"], "--source ball has none"),
    (&["--loop"], "--loop does not apply to --source ball"),
    (&["--truth", "truth.csv"], "--truth \"truth.csv\" does not apply to --source ball"),
    (&["--link", "pigeon"], "memory"),
    (&["--link", "memory"], "it needs --loopback"),
    (&["--csv", "no-such-folder/frames.csv"], "no-such-folder/frames.csv"),
];

#[test]
fn impossible_options_are_refused_with_the_figure_and_the_limit() {
    for (options, word) in IMPOSSIBLE {
        let ended = run(options).expect(2).says(word);
        assert_eq!(ended.stdout, Vec::<String>::new(), "{options:?}");
        assert!(!ended.stderr.iter().any(|line| line.contains("panicked")), "{:#?}", ended.stderr);
    }
}

#[test]
fn a_camera_file_is_refused_with_its_name_the_key_and_what_is_valid() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("camera.toml");
    let path = path.to_str().expect("UTF-8");
    for (text, words) in [
        ("nose = 3", ["nose", "noise"]),
        ("noise = 'much'", ["noise", "much"]),
        ("noise = -1", ["noise: \"-1\"", "0 to 255"]),
        ("contrast = 300", ["contrast: \"300\"", "-40 to 215"]),
        ("jpeg = 0", ["jpeg: \"0\"", "1 to 100"]),
        ("jpeg = 1000", ["jpeg", "1000"]),
        ("background = 'forest'", ["forest", "clutter"]),
        ("radius = 'big'", ["big", "10..40"]),
        ("radius = 0", ["radius 0", "positive"]),
        ("radius = 300", ["radius 300", "radius is from"]),
        ("contrast = 0", ["contrast 0", "not 0"]),
        ("contrast = 0.0", ["contrast 0", "contrast is from"]),
        ("noise = 3\nnoise = 4", ["noise", "duplicate"]),
        ("noise", ["noise", "="]),
    ] {
        std::fs::write(path, text).expect("written");
        let ended = run(&["--camera", path]).expect(2).says(words[0]).says(words[1]);
        assert!(!ended.stderr.iter().any(|line| line.contains("panicked")), "{:#?}", ended.stderr);
        assert!(ended.stderr.join(" ").contains("camera.toml"), "{:#?}", ended.stderr);
    }
    std::fs::write(path, b"\xff\xfe").expect("written");
    run(&["--camera", path]).expect(2).says("camera.toml");
}

#[test]
fn an_unknown_option_or_command_is_refused() {
    run(&["--colour"]).expect(2);
    let mut server = command("server");
    server.arg("serve");
    Program::start(server).end().expect(2);
    run(&["127.0.0.1:8080"]).expect(2).says("--listen 127.0.0.1:8080 listens there");
    run(&["--loopback", "extra"]).expect(2).says("\"extra\" is neither an option nor a command");
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let ended = run(&["--listen", &address]).expect(3).says(&address).says("--listen");
    assert_eq!(ended.stderr.len(), 1, "one line: {:#?}", ended.stderr);
}

#[test]
fn an_address_of_another_machine_is_refused() {
    // 192.0.2.0/24 is reserved for documentation (RFC 5737).
    run(&["--listen", "192.0.2.1:0"]).expect(2).says("192.0.2.1:0");
}

#[test]
fn a_host_without_address_is_refused() {
    run(&["--listen", "no-such-host.invalid:0"]).expect(2).says("no-such-host.invalid");
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_the_run() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let missing = directory.path().join("missing").join("report.json");
    for path in [missing.as_path(), directory.path()] {
        let path = path.to_str().expect("UTF-8");
        let ended = run(&["--loopback", "--frames", "5", "--json", path]).expect(2).says(path);
        assert_eq!(ended.stdout, Vec::<String>::new());
    }
}

#[test]
fn help_and_version_are_not_errors() {
    for option in ["--help", "-h", "--version"] {
        assert!(!run(&[option]).expect(0).stdout.is_empty());
    }
    assert!(run(&["--help"]).stdout.iter().any(|line| line.contains("PLUMB_LISTEN")));
}
