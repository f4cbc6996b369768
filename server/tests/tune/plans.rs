//! Plans that are wrong, and plans that nothing can meet.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::room::{OF_PROGRAM, PLAN, server, tune, with_plan};

#[test]
fn what_is_wrong_with_a_plan_is_said_before_anything_runs() {
    let room = with_plan("");
    fs::create_dir(room.path("shots")).expect("a folder");
    fs::write(room.path("shots/1.pgm"), [b"P5 64 48 255\n".as_slice(), &[40; 64 * 48]].concat()).expect("written");
    let program = |from: &str, to: &str| OF_PROGRAM.replace(from, to);
    let ours = |from: &str, to: &str| PLAN.replace(from, to);
    for (plan, words) in [
        // A parameter that the pipeline does not have.
        (ours("param1 =", "parm1 ="), "[parameters] parm1: hough-classic has no such parameter: did you mean param1?"),
        (ours("param1 = { from = 10", "param1 = { from = 1"), "param1 is a whole number from 2 to 2040"),
        (program("{bias}", "0"), "[parameters] bias: the command has no such parameter"),
        (program(", default = 0.7", ""), "[parameters] bias: default is missing"),
        (ours("hough-classic", "find.py:find"), "there is no file find.py"),
        // An empty range.
        (ours("from = 13, to = 24, default = 24", "from = 24, to = 13"), "the range from 24 to 13 is empty"),
        (ours("from = 13, to = 24, default = 24", "from = 13, to = 13"), "the range from 13 to 13 is empty"),
        (program("[\"seeing\", \"as before\"], default = \"seeing\"", "[]"), "[parameters] kind: the choice is empty"),
        // A figure that does not exist.
        (ours("error_px.l1.mean", "error_px.l1.maen"), "minimise: the report has no figure error_px.l1.maen"),
        (ours("missed <=", "mised <="), "subject_to: "),
        (ours("missed <= 20%", "missed <= ten"), "subject_to: "),
        // Keys that do not exist, with one that is near.
        (ours("trials =", "trails ="), "\"trails\" is not a key of a plan: did you mean trials?"),
        (ours("noise = 20", "nois = 20"), "\"nois\" is not an option: did you mean noise?"),
        (ours("from = 13, to = 24, default", "from = 13, to = 24, defualt"), "did you mean default?"),
        (ours("max_radius = {", "min_radius = {"), "line "),
        // Ranges that cannot be searched.
        (ours("from = 10, to = 200, log", "from = 0, to = 200, log"), "param1: log = true needs a range above 0"),
        (ours("from = 2, to = 7", "from = nan, to = 7"), "min_radius: from is a finite number"),
        (ours("from = 2, to = 7", "from = 2, to = inf"), "min_radius: to is a finite number"),
        (ours("from = 2, to = 7", "from = 2, to = 7, default = 9"), "min_radius: default is outside the range"),
        // The rest.
        (ours("frames = 5\n", "frames = 0\n"), "frames: \"0\""),
        (ours("frames = 5\n", "duration = \"5s\"\n"), "write frames instead"),
        (
            ours("frames = 5\n", "frames = 5\nsource = \"shots\"\ntask = \"circle\"\n")
                .replace("radius = 8\n", "")
                .replace("noise = 5\n", "")
                .replace("noise = 20\n", ""),
            "the same with every seed",
        ),
        (ours("frames = 5\n", "\n"), "[run] frames is missing"),
        (ours("noise = 20", "noise = -20"), "-20"),
        (ours("noise = 20", "seed = 20"), "[[mixture]] seed and frames are the same for all of them"),
        (ours("name = \"hough-classic\"", "client = \"client\""), "[pipeline] client has no parameters"),
        ("minimise = ".into(), "plan.toml"),
    ] {
        room.write("plan.toml", &plan);
        let text = tune(&room, "out", &[]).expect(2).said();
        assert!(text.contains(words) && text.contains("plan.toml"), "{words}: {text}");
        assert!(!room.path("out").exists(), "{words}");
    }
}

#[test]
fn a_plan_that_is_no_text_and_a_folder_that_cannot_be_written_are_named() {
    let room = with_plan("");
    let refused = |plan: &str, out: &str, code: i32, words: &str| {
        let text = server(&room, &["tune", plan, "--out", out]).expect(code).said();
        assert!(text.contains(words) && !text.contains("panicked"), "{words}: {text}");
    };
    fs::create_dir(room.path("folder")).expect("a folder");
    fs::write(room.path("bytes.toml"), b"minimise = \"\xff\"\n").expect("written");
    fs::write(room.path("huge.toml"), vec![b'#'; 2 << 20]).expect("written");
    refused("folder", "out", 2, "PLAN: \"folder\" cannot be read");
    refused("nothing.toml", "out", 2, "PLAN: \"nothing.toml\" cannot be read");
    refused("bytes.toml", "out", 2, "bytes.toml is not UTF-8 text");
    refused("huge.toml", "out", 2, "huge.toml is larger than 1 MiB");
    assert!(!room.path("out").exists());
    room.write("plan.toml", PLAN);
    refused("plan.toml", "huge.toml", 2, "huge.toml is a file: name an absent or empty folder");
    // Nobody, not even root, can make a folder there.
    refused("plan.toml", "/proc/plumb", 4, "/proc/plumb: ");
    let text = server(&room, &["tune", "plan.toml", "--out", "out", "--jobs", "0"]).expect(2).said();
    assert!(text.contains("--jobs") && text.contains("from 1"), "{text}");
}

#[test]
fn a_function_without_the_parameter_is_refused_with_those_that_it_has() {
    let plan = PLAN.replace("hough-classic", "find.py:find");
    let room = with_plan(&plan);
    room.write("find.py", "def find(frame, param2=3, min_radius=1.0, max_radius=9):\n    return None\n");
    let text = tune(&room, "out", &[]).expect(2).said();
    assert!(text.contains("[parameters] param1: find has no such parameter: did you mean param2?"), "{text}");
    let plan = PLAN.replace("hough-classic", "find.py:find").replace("min_radius = { from = 2, to = 7 }\n", "");
    room.write("plan.toml", &plan);
    room.write("find.py", "def find(frame, min_radius, param1=1, param2=3, max_radius=9):\n    return None\n");
    let text = tune(&room, "out", &[]).expect(2).said();
    assert!(text.contains("[parameters] min_radius is missing: find has no default for it"), "{text}");
    room.write("find.py", "def find(frame, param1, /, param2=3, max_radius=9):\n    return None\n");
    let text = tune(&room, "out", &[]).expect(2).said();
    assert!(text.contains("[parameters] param1: find has no such parameter"), "{text}");
    room.write("find.py", "def find(frame, param1=1, param2=3, max_radius=9):\n    return None\n");
    room.write("bare", "#!/bin/sh\nexec python3 -IS \"$@\"\n");
    fs::set_permissions(room.path("bare"), fs::Permissions::from_mode(0o755)).expect("executable");
    room.write("plan.toml", &plan.replace("[pipeline]\n", "[pipeline]\npython = \"./bare\"\n"));
    let text = tune(&room, "out", &[]).expect(2).said();
    assert!(text.contains("[pipeline] python = \"./bare\" has no module numpy"), "{text}");
    room.write("plan.toml", &plan);
    room.write("find.py", "found = 3\n");
    let text = tune(&room, "out", &[]).expect(2).said();
    assert!(text.contains("find.py cannot be loaded: it has no function find"), "{text}");
    room.write("find.py", "import nothing_of_this_name\n");
    let text = tune(&room, "out", &[]).expect(2).said();
    assert!(text.contains("find.py cannot be loaded: ") && text.contains("nothing_of_this_name"), "{text}");
}

#[test]
fn wrong_folders_and_a_plan_that_changed_are_refused() {
    let plan =
        OF_PROGRAM.replace("trials = 16", "trials = 4").replace("exec:python3 -SE detect.py {bias} {kind}", "hough");
    let plan = plan.split("bias =").next().expect("a text").to_owned() + "max_radius = { from = 9, to = 20 }\n";
    let room = with_plan(&plan);
    fs::create_dir(room.path("full")).expect("a folder");
    room.write("full/note", "");
    let text = tune(&room, "full", &[]).expect(2).said();
    assert!(text.contains("full is not empty and has no samples.jsonl"), "{text}");
    tune(&room, "out", &[]).expect(0);
    room.write("plan.toml", &plan.replace("to = 20", "to = 21"));
    let text = tune(&room, "out", &[]).expect(2).said();
    assert!(text.contains("out/samples.jsonl has the trials of another plan"), "{text}");
    let text = server(&room, &["tune", "plan.toml"]).expect(2).said();
    assert!(text.contains("--out"), "{text}");
    room.write("full/samples.jsonl", "no journal\n");
    room.write("full/plan.toml", &plan);
    let text = server(&room, &["report", "full"]).expect(2).said();
    assert!(text.contains("full/samples.jsonl has the trials of another plan or of another version"), "{text}");
}

#[test]
fn a_pipe_in_place_of_a_file_of_the_folder_is_refused_and_not_waited_for() {
    let room = with_plan(OF_PROGRAM);
    fs::create_dir(room.path("out")).expect("a folder");
    let pipe = |name: &str| {
        assert!(Command::new("mkfifo").arg(room.path("out").join(name)).status().expect("mkfifo").success());
    };
    pipe("plan.toml");
    tune(&room, "out", &[]).expect(2).says("out is not empty and has no samples.jsonl");
    pipe("samples.jsonl");
    tune(&room, "out", &[]).expect(4).says("out/samples.jsonl: it is not a file: delete it");
    server(&room, &["report", "out"]).expect(4).says("out/plan.toml: it is not a file: delete it");
}

#[test]
fn settings_with_which_the_program_fails_are_counted_and_never_chosen_even_if_the_default_is_one() {
    let plan = OF_PROGRAM.replace("trials = 16", "trials = 8").replace("default = 0.7", "default = 0.9");
    let room = with_plan(&plan);
    let text = tune(&room, "out", &["--jobs", "2"]).expect(0).said();
    assert!(
        text.contains("with the default the pipeline fails or has no error_px.l1.mean, and with this it has: bias"),
        "{text}"
    );
    assert!(text.contains("of them failed"), "{text}");
    let best: toml::Table = toml::from_str(&room.read("out/best.toml")).expect("TOML");
    assert!(best["parameters"]["bias"].as_float().expect("a number") <= 0.8);
    room.write("plan.toml", &plan.replace("from = -1, to = 1, default = 0.9", "from = 0.85, to = 1, default = 0.9"));
    let text = tune(&room, "all-fail", &["--jobs", "2"]).expect(4).said();
    assert!(text.contains("no setting: the pipeline fails with all of them"), "{text}");
    assert!(!room.path("all-fail/best.toml").exists());
}

#[test]
fn if_nothing_meets_a_condition_the_nearest_is_said() {
    let plan =
        OF_PROGRAM.replace("trials = 16", "subject_to = [\"missed <= 5%\"]\ntrials = 4").replace("seeing", "blind");
    let room = with_plan(&plan.replace("as before", "blind too").replace("{kind}", "blind").replace("kind = {", "#"));
    let text = tune(&room, "out", &["--jobs", "2"]).expect(4).said();
    assert!(text.contains("no setting meets all conditions; the nearest is bias"), "{text}");
    assert!(text.contains("It misses frames.missed <= 5 %: it has 40 %"), "{text}");
    assert!(!room.path("out/best.toml").exists());
    assert!(room.read("out/report.html").contains("data-verdict=\"fail\""));
}
