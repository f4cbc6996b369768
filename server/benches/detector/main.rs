//! The detector `hough` against OpenCV: accuracy, misses, false positives and time, on the same held-out frames.
//!
//! `cargo bench -p server --bench detector -- --help`. Every condition of [`conditions`] becomes a [`row`]: OpenCV's
//! best [`settings`] are chosen, all are timed in turns ([`timing`]), then their answers to many frames are marked
//! ([`accuracy`], [`marks`]); [`table`] writes it down after each row. OpenCV runs in a Python process ([`opencv`]).
//! `--pictures` tries real [`pictures`], `--empty` and `--count` count finds ([`counts`]), without OpenCV.
//! `--parity` compares the stages of `hough-classic` with OpenCV's instead ([`parity`]).

use std::io::Write;
use std::path::Path;
use std::{fs, io, thread};

use clap::Parser;

mod accuracy;
mod batch;
mod conditions;
mod counts;
mod failure;
mod frames;
mod marks;
mod opencv;
mod options;
mod parity;
mod pictures;
mod row;
mod settings;
mod table;
mod timing;

use failure::Failure;
use opencv::OpenCv;
use options::Options;
use row::Row;

fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let mut conditions = conditions::all();
    let names: Vec<_> = conditions.iter().map(|condition| condition.name.clone()).collect();
    conditions.retain(|condition| options.wants(&condition.name, &names));
    if options.list {
        conditions.iter().for_each(|condition| println!("{}", condition.name));
        return Ok(());
    }
    if let Some(count) = options.parity {
        return print(&parity::table(&conditions, count, &mut OpenCv::start()?)?, &options);
    }
    if options.pictures {
        return print(&pictures::table()?, &options);
    }
    let threads = options.threads.or_else(|| thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    if let Some(frames) = options.empty {
        return print(&counts::empty(frames, threads)?, &options);
    }
    if let Some(frames) = options.count {
        return print(&counts::balls(frames, threads)?, &options);
    }
    // One for each thread.
    let start = |_| (!options.alone).then(OpenCv::start).transpose();
    let mut opencvs = (0..threads.max(1)).map(start).collect::<Result<Vec<_>, _>>()?;
    let version = opencvs[0].as_mut().map(OpenCv::version).transpose()?;
    let run = table::Run { opencv: version, frames: options.frames() };
    let mut rows = Vec::new();
    for (index, condition) in conditions.iter().enumerate() {
        eprintln!("{} of {}: {}", index + 1, conditions.len(), condition.name);
        rows.push(Row::make(condition, &options, &mut opencvs)?);
        save(&table::write(&run, &rows)?, &options)?;
    }
    print(&table::write(&run, &rows)?, &options)
}

fn print(text: &str, options: &Options) -> Result<(), Failure> {
    save(text, options)?;
    Ok(io::stdout().write_all(text.as_bytes())?)
}

fn save(text: &str, options: &Options) -> Result<(), Failure> {
    match &options.out {
        // Cargo runs benchmarks in the package's folder, but people run cargo in the repository's.
        Some(file) => Ok(fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file), text)?),
        None => Ok(()),
    }
}
