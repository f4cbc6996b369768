//! What a folder keeps, and what it refuses.

use std::fs::{self, File};
use std::path::Path;

use super::*;
use crate::tune::core::goal::Figure;
use crate::tune::core::space::{Setting, Value};

const PLAN: &str =
    "minimise = \"error_px.l1.mean\"\n[run]\nframes = 5\n[parameters]\nmin_radius = { from = 2, to = 9 }\n";

fn plan(folder: &Path, text: &str) -> Plan {
    let path = folder.join("a.toml");
    fs::write(&path, text).unwrap();
    crate::tune::plan::read(&path).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn sample() -> Sample {
    let limits = vec![Figure::Share { hits: 1, all: 5 }, Figure::Value(0.1 + 0.2)];
    Sample::Measured { objective: 1.0 / 3.0, limits, time_us: Some(70.0), frames: 5 }
}

/// A result without conditions.
fn plain() -> Sample {
    Sample::Measured { objective: 0.5, limits: Vec::new(), time_us: None, frames: 5 }
}

#[test]
fn results_are_read_again_to_the_bit_and_a_torn_line_is_left_out() {
    let room = tempfile::tempdir().unwrap();
    let asked = format!("subject_to = [\"missed <= 20%\", \"error_px.l1.p99 <= 1\"]\n{PLAN}");
    let (plan, folder) = (plan(room.path(), &asked), room.path().join("out"));
    let (mut journal, _) = Journal::open(&folder, &plan).unwrap();
    journal.keep("2".into(), Seeds::Search, 0, &sample(), None).unwrap();
    journal.keep("3".into(), Seeds::HeldOut, 7, &Sample::Failed, Some("it broke".into())).unwrap();
    assert_eq!(journal.number(), 1);
    drop(journal);
    let path = folder.join(FILE);
    let text = fs::read_to_string(&path).unwrap();
    for cut in 0..=text.len() {
        fs::write(&path, &text[..cut]).unwrap();
        let (_, Known { results, failures }) = Journal::open(&folder, &plan).unwrap();
        let mut expected = Results::default();
        let lines = text[..cut].matches('\n').count();
        assert!(fs::read_to_string(&path).unwrap().starts_with(text.lines().next().unwrap()));
        if lines > 1 {
            expected.note_key("2".into(), Seeds::Search, 0, sample());
        }
        if lines > 2 {
            expected.note_key("3".into(), Seeds::HeldOut, 7, Sample::Failed);
        }
        assert_eq!(results, expected, "cut at {cut}");
        assert_eq!(failures.len(), usize::from(lines > 2));
    }
    assert_eq!(fs::read_to_string(plan_of(&folder)).unwrap(), asked);
}

#[test]
fn a_line_that_holds_no_trial_of_this_plan_is_named() {
    let room = tempfile::tempdir().unwrap();
    let text = format!("subject_to = [\"missed <= 10%\"]\n{PLAN}");
    let (plan, folder) = (plan(room.path(), &text), room.path().join("out"));
    drop(Journal::open(&folder, &plan).unwrap());
    let head = fs::read_to_string(folder.join(FILE)).unwrap();
    let line = |limits: &str, frames: &str| {
        format!(
            "{{\"setting\":\"2\",\"held_out\":false,\"block\":0,\"sample\":{{\"measured\":{{\"objective\":0.5,\
             \"limits\":[{limits}],\"time_us\":null,\"frames\":{frames}}}}}}}\n"
        )
    };
    let opened = |line: &str| {
        fs::write(folder.join(FILE), format!("{head}{line}")).unwrap();
        Journal::open(&folder, &plan).err().map(|wrong| wrong.to_string()).unwrap_or_default()
    };
    let share = "{\"hits\":1,\"all\":5}";
    assert_eq!(opened(&line(share, "5")), "");
    for (line, words) in [
        ("{}\n".to_owned(), "missing field"),
        ("\u{1b}[2J\n".to_owned(), "line 2 holds no trial"),
        (line("", "5"), "it has 0 figures for 1 conditions"),
        (line("{\"hits\":6,\"all\":5}", "5"), "more frames than a block"),
        (line(share, "18446744073709551615"), "more frames than a block"),
        (line(share, "-5"), "line 2 holds no trial"),
    ] {
        let wrong = opened(&line);
        assert!(wrong.contains("line 2 holds no trial (") && wrong.contains(words), "{line}: {wrong}");
    }
}

#[test]
fn a_file_and_a_plan_that_never_end_are_not_read_to_their_end() {
    let room = tempfile::tempdir().unwrap();
    let (plan, folder) = (plan(room.path(), PLAN), room.path().join("out"));
    drop(Journal::open(&folder, &plan).unwrap());
    fs::remove_file(plan_of(&folder)).unwrap();
    std::os::unix::fs::symlink("/dev/zero", plan_of(&folder)).unwrap();
    drop(Journal::open(&folder, &plan).unwrap());
    // A hole of 8 GiB, which takes no room. The device would be locked for all tests.
    File::create(folder.join(FILE)).unwrap().set_len(8 << 30).unwrap();
    let wrong = Journal::open(&folder, &plan).err().unwrap().to_string();
    assert!(wrong.ends_with("samples.jsonl: it has a line of more than 1 MiB"), "{wrong}");
}

#[test]
fn a_folder_of_another_plan_and_one_of_something_else_are_refused() {
    let room = tempfile::tempdir().unwrap();
    let folder = room.path().join("out");
    drop(Journal::open(&folder, &plan(room.path(), PLAN)).unwrap());
    let other = plan(room.path(), &PLAN.replace("to = 9", "to = 8"));
    let wrong = Journal::open(&folder, &other).err().unwrap();
    assert!(wrong.is_usage() && wrong.to_string().contains("another plan"), "{wrong}");
    let wrong = Journal::open(room.path(), &other).err().unwrap();
    assert!(wrong.is_usage() && wrong.to_string().contains("is not empty"), "{wrong}");
    let wrong = Journal::open(&room.path().join("a.toml"), &other).err().unwrap();
    assert!(wrong.is_usage() && wrong.to_string().contains("a.toml is a file"), "{wrong}");
    fs::write(folder.join(FILE), "somebody's notes").unwrap();
    assert!(Journal::open(&folder, &other).is_err_and(|wrong| wrong.is_usage()));
    assert_eq!(fs::read_to_string(folder.join(FILE)).unwrap(), "somebody's notes");
}

#[test]
fn processes_that_share_a_folder_see_each_others_results_and_never_run_the_same_setting() {
    let room = tempfile::tempdir().unwrap();
    let (plan, folder) = (plan(room.path(), PLAN), room.path().join("out"));
    let (mut first, mut known) = Journal::open(&folder, &plan).unwrap();
    let (mut second, mut of_second) = Journal::open(&folder, &plan).unwrap();
    assert_eq!((first.number(), second.number()), (1, 2));
    let request = Request { setting: Setting(vec![Some(Value::Real(2.5))]), seeds: Seeds::Search, blocks: 0..3 };
    let claim = first.claim(&request).unwrap();
    assert!(claim.is_some() && second.claim(&request).unwrap().is_none());
    let on_new_seeds = Request { seeds: Seeds::HeldOut, ..request.clone() };
    assert!(second.claim(&on_new_seeds).unwrap().is_some());
    assert!(!second.refresh(&mut of_second).unwrap());
    first.keep(request.setting.key(), Seeds::Search, 0, &plain(), None).unwrap();
    assert!(second.refresh(&mut of_second).unwrap() && !second.refresh(&mut of_second).unwrap());
    assert_eq!(of_second.results.left(&request), [1, 2]);
    drop(claim);
    assert!(second.claim(&request).unwrap().is_some());
    second.keep(request.setting.key(), Seeds::Search, 1, &Sample::Failed, Some("it broke".into())).unwrap();
    assert!(first.refresh(&mut known).unwrap());
    // After a failure nothing more is asked.
    assert_eq!(known.results.left(&request), [0]);
    assert_eq!(known.failures["2.5"], "it broke");
    // The place of a process that ended is taken by the next one, and its results stay.
    drop(first);
    let (third, all) = Journal::open(&folder, &plan).unwrap();
    assert_eq!(third.number(), 1);
    assert_eq!(all.results.left(&request), Vec::<u32>::new());
    assert_eq!(read(&folder, &plan).unwrap().results, all.results);
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".lock")), "{left:?}");
}

#[test]
fn a_line_that_another_process_is_writing_is_read_when_it_is_whole() {
    let room = tempfile::tempdir().unwrap();
    let (plan, folder) = (plan(room.path(), PLAN), room.path().join("out"));
    let (mut journal, mut known) = Journal::open(&folder, &plan).unwrap();
    let whole = line::head(&plan) + &line::block("ä".into(), Seeds::Search, 4, &Sample::Failed, Some("ü".into()));
    let path = folder.join(name(2));
    for cut in 0..whole.len() {
        fs::write(&path, &whole.as_bytes()[..cut]).unwrap();
        journal.refresh(&mut known).unwrap();
        assert_eq!(known.results, Results::default(), "cut at {cut}");
    }
    fs::write(&path, &whole).unwrap();
    assert!(journal.refresh(&mut known).unwrap());
    assert_eq!(known.failures["ä"], "ü");
    // Another plan's journal, and a pipe, which would never answer.
    fs::write(folder.join(name(3)), "{\"plan\":\"another\"}\n").unwrap();
    assert!(journal.refresh(&mut known).unwrap_err().is_usage());
    fs::remove_file(folder.join(name(3))).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.join(name(3))).unwrap();
    let wrong = read(&folder, &plan).unwrap_err().to_string();
    assert!(wrong.ends_with("samples-3.jsonl: it is not a file: delete it"), "{wrong}");
}

#[test]
fn a_search_for_a_latency_runs_in_one_process_only() {
    let room = tempfile::tempdir().unwrap();
    let timed = PLAN.replace("error_px.l1.mean", "latency_us.stages.detect.p50");
    let (plan, folder) = (plan(room.path(), &timed), room.path().join("out"));
    let journal = Journal::open(&folder, &plan).unwrap();
    let wrong = Journal::open(&folder, &plan).err().unwrap().to_string();
    assert!(wrong.contains("only one process may search at a time"), "{wrong}");
    drop(journal);
    Journal::open(&folder, &plan).unwrap();
}

#[test]
fn a_journal_behind_a_missing_one_is_read() {
    let room = tempfile::tempdir().unwrap();
    let (plan, folder) = (plan(room.path(), PLAN), room.path().join("out"));
    let (mut journals, keys) = (Vec::new(), ["1", "2", "3"]);
    for key in keys {
        let (mut journal, _) = Journal::open(&folder, &plan).unwrap();
        journal.keep(key.into(), Seeds::Search, 0, &plain(), None).unwrap();
        journals.push(journal);
    }
    drop(journals);
    fs::remove_file(folder.join(name(2))).unwrap();
    let mut expected = Results::default();
    for key in ["1", "3"] {
        expected.note_key(key.into(), Seeds::Search, 0, plain());
    }
    assert_eq!(read(&folder, &plan).unwrap().results, expected);
    assert_eq!(Journal::open(&folder, &plan).unwrap().1.results, expected);
}

#[cfg(unix)]
#[test]
fn a_journal_that_is_deleted_or_cut_short_while_it_is_written_is_reported_and_gets_no_gap() {
    type Harm = fn(&Path) -> std::io::Result<()>;
    let harms: [(Harm, &str); 2] = [
        (|path| fs::remove_file(path), "it was deleted meanwhile"),
        (|path| fs::write(path, ""), "it was cut short meanwhile"),
    ];
    for (harm, told) in harms {
        let room = tempfile::tempdir().unwrap();
        let (plan, folder) = (plan(room.path(), PLAN), room.path().join("out"));
        let (mut journal, _) = Journal::open(&folder, &plan).unwrap();
        journal.keep("1".into(), Seeds::Search, 0, &plain(), None).unwrap();
        harm(&folder.join(FILE)).unwrap();
        let wrong = journal.keep("2".into(), Seeds::Search, 0, &plain(), None).unwrap_err().to_string();
        assert!(wrong.contains(told) && wrong.contains(FILE), "{wrong}");
        drop(journal);
        let (mut journal, known) = Journal::open(&folder, &plan).unwrap();
        assert_eq!(known.results, Results::default(), "a search goes on from what is left");
        journal.keep("3".into(), Seeds::Search, 0, &plain(), None).unwrap();
        drop(journal);
        let mut expected = Results::default();
        expected.note_key("3".into(), Seeds::Search, 0, plain());
        assert_eq!(read(&folder, &plan).unwrap().results, expected);
    }
}
