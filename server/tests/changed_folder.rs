//! A run's folder whose files somebody changed: `server report` names the file, and writes nothing.

use std::fs;

use testkit::folder::{Folder, unpaced};
use testkit::program::Program;
use testkit::room::Room;

/// All files of a complete run.
const FILES: [&str; 5] = ["frames.csv", "frames.parquet", "report.html", "report.json", "run.toml"];

#[test]
fn a_file_that_somebody_changed_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    unpaced(&["--frames", "30", "--seed", "7", "--size", "160x120", "--out", folder.name()]).expect(0);
    type Change = fn(&str) -> String;
    let changes: [(&str, Change, &str); 12] = [
        (
            "frames.csv",
            |rows| rows.replace("\n1,8,", "\n1,7,"),
            "line 10 is not a row of the task circle: it repeats frame 7 of session 1",
        ),
        ("frames.csv", |rows| rows.replace("\n1,8,", "\n1,3,"), "its frame 3 comes after frame 7 of session 1"),
        ("frames.csv", |rows| ten_times(rows, "l1"), "and its truth and answer give "),
        ("frames.csv", |rows| ten_times(rows, "dx"), "line 2 is not a row of the task circle: its dx is "),
        ("frames.csv", OTHER_ROWS, "frames.csv has other frames than"),
        ("report.json", |report| report.to_owned() + "\n\0", "report.json is no report that can be read"),
        ("report.json", |report| report[..report.len() / 2].to_owned(), "move it away"),
        ("report.json", |report| report.replace("\"schema\": 1", "\"schema\": 2"), "it has schema 2"),
        (
            "report.json",
            |report| report.replacen("\"sent\": 30,", "\"sent\": 18446744073709551615,", 1),
            "session 1: its frames.sent is 18446744073709551615, and no run has more than 9007199254740992",
        ),
        (
            "report.json",
            |report| report.replace("\"sessions_omitted\": 0", "\"sessions_omitted\": 18446744073709551615"),
            "its sessions_omitted is 18446744073709551615",
        ),
        ("run.toml", |run| run[..100].to_owned(), "is not the run of"),
        (
            "run.toml",
            |run| run.replace("160x120", "170x120"),
            "size is \"170x120\" there, and \"160x120\" in the report",
        ),
    ];
    // A torn row, which would be cut off.
    fs::write(folder.path.join("frames.csv"), folder.read("frames.csv") + "1,30,3").expect("written");
    let all = || FILES.map(|name| fs::read(folder.path.join(name)).expect("a file"));
    for (name, change, told) in changes {
        let before = folder.read(name);
        let changed = change(&before);
        assert_ne!(changed, before, "{told}");
        fs::write(folder.path.join(name), changed).expect("written");
        let files = all();
        let ended = folder.renew().expect(2);
        assert!(ended.stderr.join("\n").contains(told), "{told}: {:#?}", ended.stderr);
        assert!(all() == files, "{told}");
        fs::write(folder.path.join(name), before).expect("written");
    }
    // As an editor may save it.
    let report = folder.read("report.json");
    fs::write(folder.path.join("report.json"), format!("\u{feff}{report}")).expect("written");
    folder.renew().expect(0);
    assert_eq!(folder.read("report.json"), report);
}

/// The rows with each value of a column ten times as large.
fn ten_times(rows: &str, column: &str) -> String {
    let mut lines = rows.lines();
    let header = lines.next().expect("a header");
    let place = header.split(',').position(|name| name == column).expect("a column");
    let larger = |line: &str| {
        let mut cells: Vec<_> = line.split(',').map(str::to_owned).collect();
        cells[place] = cells[place].parse::<f64>().map_or(String::new(), |value| (10.0 * value).to_string());
        cells.join(",")
    };
    let rows: Vec<_> =
        lines.map(|line| if line.split(',').count() > place { larger(line) } else { line.into() }).collect();
    format!("{header}\n{}", rows.join("\n"))
}

/// The rows of another run of 30 frames.
const OTHER_ROWS: fn(&str) -> String = |rows| {
    let other = Folder::new();
    unpaced(&["--frames", "30", "--seed", "8", "--size", "160x120", "--out", other.name()]).expect(0);
    other.read("frames.csv") + rows.lines().last().expect("a torn row")
};

#[test]
fn a_folder_is_renewed_and_compared_although_its_run_was_given_relative_paths_and_files_of_options() {
    let room = Room::new();
    let lens = "image_width: 160\nimage_height: 120\ncamera_matrix:\n  rows: 3\n  cols: 3\n  data: [150, 0, 79.5, 0, 150, 59.5, \
                0, 0, 1]\ndistortion_model: plumb_bob\ndistortion_coefficients:\n  rows: 1\n  cols: 5\n  data: [-0.25, 0.05, 0, \
                0, 0]\n";
    room.write("camera.yaml", lens);
    room.write("meta.toml", "camera = \"left\"\n");
    // A folder with the name of the simulated source.
    fs::create_dir(room.path("ball")).expect("made");
    let run = |options: &[&str]| {
        let always = ["--loopback", "--no-graphics", "--link", "memory", "--fps", "60", "--once"];
        Program::start(room.server(&[&always[..], options].concat())).end().expect(0)
    };
    let server = |arguments: &[&str]| Program::start(room.server(arguments)).end();
    let lens = ["--lens", "camera.yaml", "--meta-file", "meta.toml", "--frames", "20", "--radius", "8", "--seed", "7"];
    run(&[&lens[..], &["--out", "first", "--record"]].concat());
    assert!(room.read("first/run.toml").contains("\nsource = \"ball\"\n"));
    run(&["--source", "first/run.mcap", "--seed", "7", "--out", "second"]);
    for name in ["first", "second"] {
        let again = format!("{name}-again");
        server(&["report", name]).expect(0);
        run(&["--run", &format!("{name}/run.toml"), "--out", &again]);
        server(&["report", &again]).expect(0);
        let compared = server(&["compare", name, &again]).expect(0).stdout.join("\n");
        assert!(!compared.contains("not paired") && !compared.contains("options differ"), "{compared}");
        server(&["compare", name, "--baseline", &format!("kept-{name}"), "--keep"]).expect(0);
        server(&["compare", &again, "--baseline", &format!("kept-{name}")]).expect(0);
    }
}

#[cfg(unix)]
#[test]
fn a_report_that_is_no_file_is_refused_at_once() {
    let folder = Folder::new();
    unpaced(&["--frames", "30", "--out", folder.name()]).expect(0);
    let path = folder.path.join("report.json");
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("made");
    folder.renew().expect(2).says("report.json is no report that can be read (it is not a file)");
    fs::remove_dir(&path).expect("removed");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    folder.renew().expect(2).says("report.json is no report that can be read (it is not a file)");
}
