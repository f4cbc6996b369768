//! Plans that are wrong, and plans that nothing can meet.

use std::fs;

use crate::room::{OF_PROGRAM, PLAN, server, tune, with_plan};

#[test]
fn what_is_wrong_with_a_plan_is_said_before_anything_runs() {
    let room = with_plan("");
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
        // The rest.
        (ours("frames = 5\n", "\n"), "[run] frames is missing"),
        (ours("noise = 20", "noise = -20"), "-20"),
        (ours("noise = 20", "seed = 20"), "[[mixture]] seed and frames are the same for all of them"),
        (ours("name = \"hough-classic\"", "client = \"client\""), "[pipeline] client has no parameters"),
        ("minimise = ".into(), "plan.toml"),
    ] {
        room.write("plan.toml", &plan);
        let text = tune(&room, "out", &[]).expect(2).said();
        assert!(text.contains(words), "{words}: {text}");
        assert!(!room.path("out").exists(), "{words}");
    }
}

#[test]
fn a_function_without_the_parameter_is_refused_with_those_that_it_has() {
    let plan = PLAN.replace("hough-classic", "find.py:find");
    let room = with_plan(&plan);
    room.write("find.py", "def find(frame, param2=3, min_radius=1.0, max_radius=9):\n    return None\n");
    let text = tune(&room, "out", &[]).expect(2).said();
    assert!(text.contains("[parameters] param1: find has no such parameter: did you mean param2?"), "{text}");
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
    assert!(text.contains("full is not empty, and no search wrote it"), "{text}");
    tune(&room, "out", &[]).expect(0);
    room.write("plan.toml", &plan.replace("to = 20", "to = 21"));
    let text = tune(&room, "out", &[]).expect(2).said();
    assert!(text.contains("out has the trials of another plan"), "{text}");
    let text = server(&room, &["tune", "plan.toml"]).expect(2).said();
    assert!(text.contains("--out"), "{text}");
    room.write("full/samples.jsonl", "no journal\n");
    room.write("full/plan.toml", &plan);
    let text = server(&room, &["report", "full"]).expect(2).said();
    assert!(text.contains("full has the trials of another plan or of another version"), "{text}");
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
