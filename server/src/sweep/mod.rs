//! `server sweep`: runs the trials of a plan, on one machine or as one of several shards.
//!
//! A `plan` lists the trials. `work` runs them, `trial` one of them; `folder` keeps their results, in such a way that
//! no trial is lost or doubled when a process is killed; `reading` reads them again. `shard` chooses the part of the trials that this call runs,
//! from its options or from the environment of an engine (Slurm, AWS Batch, Kubernetes). `merge` makes one table of all
//! trials, and `page` shows it. `listing`, `estimate` and `command` say in advance what will run. `find` looks for the
//! place on an axis where a condition ceases to hold. `single` lets `server tune` run trials of its own. `progress` says how far the sweep is.
//!
//! Nothing here distributes or repeats work across machines. An engine does that: it starts each shard.

mod command;
mod error;
mod estimate;
mod find;
mod folder;
pub(crate) mod fuzz;
pub(crate) mod jobs;
mod listing;
pub(crate) mod lock;
mod marks;
mod merge;
mod options;
mod page;
mod plan;
mod progress;
mod reading;
mod shard;
pub(crate) mod single;
mod trial;
mod work;

#[cfg(test)]
mod simulation;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;

use shared::shell::exit::Exit;
use shared::shell::standard::unless_reader_left;
use shared::shell::stop::stop_pair;
use shared::text::Escaped;
use tracing::{error, info, warn};

use self::folder::SweepFolder;
use self::merge::{Merged, merge};
use self::plan::Plan;
use self::work::{AGAIN, Done, Over, Work};

pub use error::SweepError;
pub use options::SweepOptions;
pub use shard::Shard;

/// The first word that asks for the list of trials.
const PLAN: &str = "plan";

/// The first word that asks for the table.
const MERGE: &str = "merge";

/// Does what the options ask for.
pub fn run(options: &SweepOptions, is_quiet: bool) -> Exit {
    Exit::unless_failed(asked(options, is_quiet), SweepError::is_usage)
}

/// Whether a sweep wrote this folder.
pub fn is_folder(folder: &Path) -> bool {
    SweepFolder::is_one(folder)
}

/// Makes the page of a sweep's folder, and its table if it has none.
pub fn report(folder: &Path) -> Exit {
    Exit::unless_failed(reported(folder), SweepError::is_usage)
}

fn reported(folder: &Path) -> Result<Exit, SweepError> {
    let mut exit = Exit::Fine;
    // A table that was merged from several folders stays. One of this folder alone may be old.
    if !folder.join(folder::TABLE).is_file() {
        exit = merged(&merge(&[folder.to_owned()], folder, true)?)?;
    }
    let rows = page::write(folder)?;
    say(&format!("{rows} trials: wrote {}", Escaped(folder.join(folder::PAGE).display())))?;
    Ok(exit)
}

fn asked(options: &SweepOptions, is_quiet: bool) -> Result<Exit, SweepError> {
    let usage = |wrong: &str| Err(SweepError::Usage(wrong.to_owned()));
    let is_word = |word: &str| options.words.first().is_some_and(|first| first.as_os_str() == word);
    if options.mixed && !is_word(MERGE) {
        return usage("--mixed is for server sweep merge: leave it out");
    }
    if options.command.is_some() && !is_word(PLAN) {
        return usage("--command is for server sweep plan PLAN.toml: write the word plan before the file");
    }
    if options.find.is_some() != options.along.is_some() {
        return usage("--find and --along go together: write --find 'missed <= 1%' --along noise, for example");
    }
    match options.words.as_slice() {
        [] => usage("which plan? Write server sweep PLAN.toml --out DIR; server sweep --help shows one"),
        [word, plan] if word.as_os_str() == PLAN => planned(plan, options),
        [word, ..] if word.as_os_str() == PLAN => usage("server sweep plan takes one file: the plan"),
        [word, folders @ ..] if word.as_os_str() == MERGE => merge_asked(folders, options),
        [plan] => swept(plan, options, is_quiet),
        _ => usage("one plan at a time: server sweep PLAN.toml --out DIR"),
    }
}

/// Prints the trials of a plan, or the command of one.
fn planned(path: &Path, options: &SweepOptions) -> Result<Exit, SweepError> {
    let plan = Plan::read(path)?;
    if let Some(number) = options.command {
        if number.get() > plan.trials() {
            let wrong = format!("there is no trial {number}: the plan has {}", plan.trials());
            return Err(SweepError::Usage(wrong));
        }
        say(&command::of(&plan, &plan.trial(number.get())?))?;
        return Ok(Exit::Fine);
    }
    plan.check()?;
    let jobs = jobs(&plan, options, true);
    say(&listing::text(&plan, jobs)?)?;
    say(&estimate::text(&plan, jobs))?;
    Ok(Exit::Fine)
}

fn merge_asked(folders: &[PathBuf], options: &SweepOptions) -> Result<Exit, SweepError> {
    let Some(first) = folders.first() else {
        return Err(SweepError::Usage("merge needs one folder or more: server sweep merge DIR...".into()));
    };
    merged(&merge(folders, options.out.as_ref().unwrap_or(first), options.mixed)?)
}

/// Says what was merged. Returns the exit code, which is not 0 if trials are missing.
fn merged(merged: &Merged) -> Result<Exit, SweepError> {
    let Merged { done, failed, missing, examples, table } = merged;
    let failures = if *failed > 0 { format!(", {failed} of them failed") } else { String::new() };
    say(&format!("{} trials{failures}: wrote {}", done + failed, Escaped(table.display())))?;
    if *missing == 0 {
        return Ok(if *failed > 0 { Exit::Other } else { Exit::Fine });
    }
    let examples = examples.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    error!("{missing} trials are missing, such as {examples}: run their shards again, then merge again");
    Ok(Exit::Other)
}

/// Runs trials.
fn swept(path: &Path, options: &SweepOptions, is_quiet: bool) -> Result<Exit, SweepError> {
    let Some(out) = &options.out else {
        return Err(SweepError::Usage("--out is missing: say where the results go, as in --out DIR".into()));
    };
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let shards = options.shards.map(std::num::NonZeroU64::get);
    let shard = Shard::find(options.shard, shards, &variable).map_err(SweepError::Usage)?;
    let plan = Plan::read(path)?;
    plan.check()?;
    let (stopper, _stop) = stop_pair();
    stopper.stop_on_signals();
    if let (Some(condition), Some(axis)) = (&options.find, &options.along) {
        return find::run(&plan, condition, axis, out, &stopper);
    }
    let folder = SweepFolder::take(out, &plan)?;
    let jobs = jobs(&plan, options, false);
    if !shard.is_whole() {
        info!("shard {shard}: {} of {} trials", shard.count(plan.trials()), plan.trials());
    }
    let done = Work { plan: &plan, folder: &folder, shard, jobs, stopper: &stopper }.run(is_quiet);
    said(&plan, &folder, shard, &done)
}

/// Trials that run at the same time.
fn jobs(plan: &Plan, options: &SweepOptions, is_plan: bool) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let asked = options.jobs.map(usize::from);
    match plan.latency_counts() {
        Some(why) => {
            if asked.is_some_and(|asked| asked > 1) && !is_plan {
                warn!("trials run one at a time, because {why}: --jobs has no effect");
            }
            1
        }
        None => asked.unwrap_or(cores),
    }
}

/// Says what became of the trials, and makes the table if all are there.
fn said(plan: &Plan, folder: &SweepFolder, shard: Shard, done: &Done) -> Result<Exit, SweepError> {
    let place = Escaped(folder.path().display()).to_string();
    let all = shard.count(plan.trials());
    let mut text = format!("{} of {all} trials are in {place}: {} were run", done.run + done.known, done.run);
    for (count, what) in [
        (done.known, "were there already"),
        (done.failed, "failed"),
        (done.elsewhere, "are being run by another process"),
    ] {
        if count > 0 {
            text += &format!(", {count} {what}");
        }
    }
    say(&text)?;
    match &done.over {
        Some(Over::Failures(count, reason)) => {
            let wrong = format!("{count} trials failed in a row, the last because {}; {AGAIN}", Escaped(reason));
            return Err(SweepError::Stopped(wrong));
        }
        Some(Over::Write(wrong)) => {
            return Err(SweepError::Stopped(format!("results cannot be written: {wrong}")));
        }
        Some(Over::Stopped) => return Err(SweepError::Stopped(format!("stopped: {AGAIN}"))),
        Some(Over::Time(limit)) => {
            info!("the budget of {} is used up: {AGAIN}", humantime::format_duration(*limit));
            return Ok(Exit::Fine);
        }
        None => {}
    }
    if done.elsewhere > 0 || !shard.is_whole() {
        say(&format!("when all trials are there: server sweep merge {place}"))?;
        return Ok(if done.failed > 0 { Exit::Other } else { Exit::Fine });
    }
    let exit = merged(&merge(&[folder.path().to_owned()], folder.path(), true)?)?;
    say(&format!("to make a page of it: server report {place}"))?;
    Ok(exit)
}

/// Prints one or more lines to stdout.
pub(crate) fn say(text: &str) -> Result<(), SweepError> {
    unless_reader_left(writeln!(io::stdout(), "{text}")).map_err(SweepError::at(Path::new("stdout")))
}
