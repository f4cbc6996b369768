//! The examples in `examples/tune`: OpenCV's `HoughCircles`, and detectors of ours, each on two camera settings.

use std::fs;

use testkit::program::{Program, command};
use testkit::python::Packages;
use testkit::repository;

use crate::room::{tune, with_plan};

fn example(name: &str) -> String {
    fs::read_to_string(repository::path("examples/tune").join(name)).expect("the example")
}

#[test]
fn detectors_of_ours_are_tuned_on_two_camera_settings() {
    for (file, names) in [
        ("hough-classic.toml", &["param1", "param2"][..]),
        ("hough.toml", &["min_axis_ratio", "min_radius", "max_radius"]),
    ] {
        // Smaller frames and fewer trials than the example has.
        let plan = example(file);
        assert!(plan.contains("frames = 10\nradius = 20\n") && plan.contains("missed <= 1%"), "{plan}");
        let plan = plan.replace("frames = 10\nradius = 20\n", "frames = 3\nsize = \"160x120\"\nradius = 20\n");
        // So few frames cannot show that fewer are missed.
        let plan = plan.replace("missed <= 1%", "missed <= 20%").replace("240", "60");
        let room = with_plan(&format!("trials = 24\nseeds = 2\nheld_out = 10\n{plan}"));
        let text = tune(&room, "out", &[]).expect(0).said();
        assert!(text.contains("on 60 frames of 10 seeds that no trial saw"), "{text}");
        let best: toml::Table = toml::from_str(&room.read("out/best.toml")).expect("TOML");
        assert_eq!(best["pipeline"].as_str(), file.strip_suffix(".toml"));
        for name in names {
            assert!(best["parameters"][*name].is_float() || best["parameters"][*name].is_integer(), "{name}: {best:?}");
        }
        // A client takes what was found.
        let mut client = command("client");
        client.args(["127.0.0.1:9", "--no-graphics", "--wait", "0s", "--detector-options", "out/best.toml"]);
        client.current_dir(room.folder());
        Program::start(client).end().expect(3);
    }
}

#[test]
fn the_circles_of_opencv_are_tuned_on_two_camera_settings() {
    let python = Packages::OpenCv.test_python(env!("CARGO_TARGET_TMPDIR"));
    // Smaller frames and fewer trials than the example has.
    let plan = example("circles.toml");
    assert!(plan.contains("frames = 10\n") && plan.contains("[pipeline]\n"), "{plan}");
    let plan = plan.replace("frames = 10\n", "frames = 3\nsize = \"160x120\"\n");
    let interpreter = format!("[pipeline]\ntimeout = \"20s\"\npython = \"{}\"\n", python.display());
    let plan = plan.replace("[pipeline]\n", &interpreter).replace("examples/tune/", "");
    // So few frames cannot show that fewer are missed.
    let plan = plan.replace("missed <= 1%", "missed <= 20%");
    let room = with_plan(&format!("trials = 24\nseeds = 2\nheld_out = 10\n{plan}"));
    room.write("circles.py", &example("circles.py"));
    let text = tune(&room, "out", &["--jobs", "2"]).expect(0).said();
    assert!(text.contains("on 60 frames of 10 seeds that no trial saw"), "{text}");
    for name in ["sigma", "dp", "param1", "param2"] {
        assert!(text.contains(&format!("\n  {name}")), "{name}: {text}");
    }
    let best: toml::Table = toml::from_str(&room.read("out/best.toml")).expect("TOML");
    assert_eq!(best["pipeline"].as_str(), Some("circles.py:find"));
    assert!(room.read("out/report.html").contains("data-part=\"against\""));
}
