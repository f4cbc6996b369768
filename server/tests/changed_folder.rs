//! A run's folder whose files somebody changed: `server report` names the file, and writes nothing.

use std::fs;

use testkit::folder::{Folder, unpaced};

/// All files of a complete run.
const FILES: [&str; 5] = ["frames.csv", "frames.parquet", "report.html", "report.json", "run.toml"];

#[test]
fn a_file_that_somebody_changed_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    unpaced(&["--frames", "30", "--seed", "7", "--size", "160x120", "--out", folder.name()]).expect(0);
    type Change = fn(&str) -> String;
    let changes: [(&str, Change, &str); 7] = [
        (
            "frames.csv",
            |rows| rows.replace("\n1,8,", "\n1,7,"),
            "line 10 is not a row of the task circle: it repeats frame 7 of session 1",
        ),
        ("frames.csv", |rows| rows.replace("\n1,8,", "\n1,3,"), "its frame 3 comes after frame 7 of session 1"),
        ("report.json", |report| report.to_owned() + "\n\0", "report.json is no report that can be read"),
        ("report.json", |report| report[..report.len() / 2].to_owned(), "move it away"),
        ("report.json", |report| report.replace("\"schema\": 1", "\"schema\": 2"), "it has schema 2"),
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
