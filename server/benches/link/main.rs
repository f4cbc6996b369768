//! Compares Plumb's whole path with its limits and with an alternative, on the same frames. The limits are raw TCP,
//! the bare link without our pipeline, and our pipeline without the network. The alternative is aiortc + OpenCV. Each
//! end is a separate process.
//!
//! "Ours, in memory" is `server --loopback --link memory`: the real server and the real client in one process, over a
//! link without sockets. It is the floor of our own path: the difference to it is the cost of WebRTC and of two
//! processes. Its client shows no rows; its processor time and its start are those of both ends.
//!
//! For help run `cargo bench -p server --bench link -- --help`. [`contenders`] lists the contenders; [`run`] runs one.
//! [`ours`] runs the two programs. [`pair`] runs the others: this program itself as either end of [`tcp`], of a bare
//! [`grpc`] stream or of the bare [`link`] ([`source`] defines what a source prints), and a Python script. Rounds are
//! interleaved. [`table`] gives medians and ratios, and whether the goals are met.

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
mod grpc;
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

/// The allocator of the programs, with counts of allocations and bytes.
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
        Wire::Grpc => grpc::run(end),
        Wire::Link => link::run(end),
    }
}

fn save(text: &str, options: &Options) -> io::Result<()> {
    match &options.out {
        // Cargo runs benchmarks in the package's folder, but people run cargo in the repository's folder.
        Some(file) => fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file), text),
        None => Ok(()),
    }
}
