//! The whole path against its limits: raw TCP as the floor, the bare link without our pipeline, our pipeline without the
//! network, and aiortc + OpenCV as what else there is, all on the same frames, each end a process of its own.
//!
//! "Ours, in memory" is `server --loopback --link memory`: the real server and the real client in one process, over a link
//! without sockets. It is the floor of our own path: what is above it is the cost of WebRTC and of two processes. Its
//! client shows no rows, its processor time is that of both ends, and its start is that of both.
//!
//! `cargo bench -p server --bench link -- --help`. [`contenders`] lists who runs, [`run`] runs one: [`ours`] the two
//! programs, [`pair`] the others: this program itself as either end of [`tcp`] or of the bare [`link`] ([`source`] says what a
//! source reports), and a Python script. Rounds are interleaved; [`table`] gives medians and ratios, and says what came
//! of the goals.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::{fs, io};

use clap::Parser;
use testkit::processes;

mod contenders;
mod counting;
mod error;
mod frames;
mod link;
mod options;
mod ours;
mod pair;
mod run;
mod sample;
mod source;
mod table;
mod tcp;

use frames::Frames;
use options::{Command, EndOptions, Options, Wire};
use sample::Samples;

/// As in the programs, with a count of what is asked of it.
#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    if let Some(Command::End(end)) = &options.end {
        return run_end(end);
    }
    let contenders: Vec<_> =
        contenders::all().into_iter().filter(|contender| options.wants(&contender.full_name())).collect();
    if options.list {
        contenders.iter().for_each(|contender| println!("{}", contender.full_name()));
        return Ok(());
    }
    let machine = processes::machine();
    if !options.no_build {
        processes::build()?;
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut samples = Samples::default();
    for round in 1..=options.rounds() {
        for (index, contender) in contenders.iter().enumerate() {
            eprintln!("round {round}, {} of {}: {}", index + 1, contenders.len(), contender.full_name());
            let frames = Frames::of(contender.group.size, folder.path())?;
            samples.add(contender, contender.run(&frames, options.time(), folder.path()));
        }
        save(&table::write(&machine, &contenders, &samples, &options)?, &options)?;
    }
    let text = table::write(&machine, &contenders, &samples, &options)?;
    Ok(io::stdout().write_all(text.as_bytes())?)
}

fn run_end(end: &EndOptions) -> Result<(), Box<dyn Error>> {
    match end.wire {
        Wire::Tcp => tcp::run(end),
        Wire::Link => link::run(end),
    }
}

fn save(text: &str, options: &Options) -> io::Result<()> {
    match &options.out {
        // Cargo runs benchmarks in the package's folder, while people run cargo in the repository's.
        Some(file) => fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file), text),
        None => Ok(()),
    }
}
