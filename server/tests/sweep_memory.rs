//! A sweep keeps nothing of a trial that is done.

use std::fs;
use std::path::Path;

use clap::Parser;
use server::sweep::{SweepOptions, run};
use shared::shell::exit::Exit;
use testkit::allocator::{Counting, most_bytes_of_process};

#[global_allocator]
static COUNTING: Counting = Counting;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: SweepOptions,
}

/// The most memory that a sweep of this many trials takes. It is one of two shards, so that it makes no table.
fn most_bytes_of(trials: u64, folder: &Path) -> usize {
    let (plan, out) = (folder.join(format!("{trials}.toml")), folder.join(trials.to_string()));
    // Pipelines that search the picture take more memory for some pictures than for others.
    let text = format!(
        "repeats = {trials}\n[run]\ntask = \"ack\"\nframes = 5\nsize = \"64x48\"\n[axes]\nnoise = [0, 5]\n[pipeline]\nname = \"ack\"\n"
    );
    fs::write(&plan, text).expect("written");
    let (plan, out) = (plan.display().to_string(), out.display().to_string());
    let options = Line::parse_from(["sweep", &plan, "--out", &out, "--jobs", "1", "--shard", "1/2"]).options;
    most_bytes_of_process(|| assert_eq!(run(&options, true), Exit::Fine))
}

#[test]
fn memory_does_not_grow_with_the_number_of_trials() {
    let folder = tempfile::tempdir().expect("a folder");
    // The first sweep also takes memory that is taken only once.
    most_bytes_of(5, folder.path());
    let (few, many) = (most_bytes_of(20, folder.path()), most_bytes_of(420, folder.path()));
    println!("{few} bytes for 20 trials, {many} for 420");
    // Reports differ by some digits. A name kept for each trial would already be 8,000 bytes.
    assert!(many < few + 4_000, "{few} bytes for 20 trials, {many} for 420");
}
