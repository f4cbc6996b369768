//! `server tune`: looks for the setting of a pipeline with the least error, against known truth.
//!
//! `core` decides what to run, from the results so far. `plan` reads the plan, with `parameter` for its parameters;
//! `target` gives a setting to the pipeline. `work` runs what the core asks for, and `journal` keeps it. `told` says what
//! was found; `written` writes `best.toml`, `table` a table of all trials and `page` a page.

mod core;
pub(crate) mod fuzz;
mod journal;
mod options;
mod page;
mod parameter;
mod plan;
mod table;
mod target;
mod told;
mod work;
mod written;

use std::fs;
use std::path::Path;
use std::thread;

use shared::shell::exit::Exit;
use shared::shell::stop::stop_pair;
use shared::text::Escaped;
use tracing::{info, warn};

use self::core::search::search;
use self::journal::Journal;
use crate::output::part::put;
use crate::sweep::{SweepError, say};

pub use options::TuneOptions;

/// The best setting.
const BEST: &str = "best.toml";

/// Searches as the options ask.
pub fn run(options: &TuneOptions) -> Exit {
    Exit::unless_failed(searched(options), SweepError::is_usage)
}

/// Whether a search wrote this folder.
pub fn is_folder(folder: &Path) -> bool {
    journal::is_folder(folder)
}

/// Makes the table and the page of a folder again.
pub fn report(folder: &Path) -> Exit {
    Exit::unless_failed(reported(folder), SweepError::is_usage)
}

fn searched(options: &TuneOptions) -> Result<Exit, SweepError> {
    let plan = plan::read(&options.plan)?;
    let (journal, known) = Journal::open(&options.out, &plan)?;
    if journal.number() > 1 {
        info!("{} other processes search in this folder, and this one helps them", journal.number() - 1);
    }
    let (stopper, _stop) = stop_pair();
    stopper.stop_on_signals();
    let tuned = work::run(&plan, (journal, known), jobs(&plan, options), &stopper)?;
    let told = told::told(&plan, &tuned);
    say(&told.text)?;
    let mut files = Vec::new();
    if let Some(setting) = &told.setting {
        let text = written::best(&plan.runs[0], &plan.problem.space, setting, &told.verdict);
        write(&options.out, BEST, &text)?;
        files.push(BEST);
    } else {
        // That of an earlier call with other results would be taken for this one's.
        let _ = fs::remove_file(options.out.join(BEST));
    }
    files.extend(described(&options.out, &plan, &tuned, &told)?);
    let files: Vec<_> = files.iter().map(|name| Escaped(options.out.join(name).display()).to_string()).collect();
    say(&format!("wrote {}", files.join(", ")))?;
    Ok(if told.setting.is_some() { Exit::Fine } else { Exit::Other })
}

/// Trials that run at the same time.
fn jobs(plan: &plan::Plan, options: &TuneOptions) -> usize {
    let asked = options.jobs.map(usize::from);
    if !plan.alone {
        return asked.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    }
    if asked.is_some_and(|asked| asked > 1) {
        warn!("trials run one at a time, because a time is asked for: --jobs has no effect");
    }
    1
}

fn reported(folder: &Path) -> Result<Exit, SweepError> {
    let plan = plan::again(&journal::plan_of(folder))?;
    let known = journal::read(folder, &plan)?;
    let Ok(found) = search(&plan.problem, &known.results) else {
        let wrong = format!(
            "the search in {} is not finished: run the same server tune again to finish it",
            Escaped(folder.display())
        );
        return Err(SweepError::Stopped(wrong));
    };
    let tuned = work::Tuned { found, failures: known.failures };
    let told = told::told(&plan, &tuned);
    let files: Vec<_> = described(folder, &plan, &tuned, &told)?
        .iter()
        .map(|name| Escaped(folder.join(name).display()).to_string())
        .collect();
    say(&format!("{}\nwrote {}", told.text, files.join(", ")))?;
    Ok(Exit::Fine)
}

/// Writes the table and the page. Returns their names.
fn described(
    folder: &Path,
    plan: &plan::Plan,
    tuned: &work::Tuned,
    told: &told::Told,
) -> Result<Vec<&'static str>, SweepError> {
    let has_table = table::write(folder, plan, tuned).map_err(SweepError::at(&folder.join(table::FILE)))?;
    write(folder, page::FILE, &page::text(plan, tuned, told))?;
    Ok(has_table.then_some(table::FILE).into_iter().chain([page::FILE]).collect())
}

/// Writes a file in one step: another process may write it at the same time.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), SweepError> {
    put(folder, name, text).map_err(SweepError::at(&folder.join(name)))
}
