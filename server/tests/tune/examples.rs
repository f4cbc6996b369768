//! The example `examples/tune`: OpenCV's `HoughCircles` on two camera settings.

use std::fs;

use testkit::python::Packages;
use testkit::repository;

use crate::room::{tune, with_plan};

#[test]
fn the_circles_of_opencv_are_tuned_on_two_camera_settings() {
    let python = Packages::OpenCv.test_python(env!("CARGO_TARGET_TMPDIR"));
    let example = |name: &str| fs::read_to_string(repository::path("examples/tune").join(name)).expect("the example");
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
