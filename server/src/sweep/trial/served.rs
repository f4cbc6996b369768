//! A trial with a client: starts a server as a separate process, and then the client's command.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use shared::shell::stop::Stopper;

use super::TrialError;
use super::write::{head, put};
use crate::compare::{Running, of_client, without_variables};
use crate::gate::fell_short;
use crate::run::RunConfig;
use crate::source;
use crate::sweep::folder::Claim;
use crate::sweep::plan::{Plan, Trial};
use crate::sweep::reading::{REPORT, RUN};

/// Interval at which the server is polled for its end.
const LOOK: Duration = Duration::from_millis(20);

/// The folder that the server writes if the frames are kept.
const KEPT: &str = "run";

/// Runs the server and its client, and writes the folder of the trial.
pub(super) fn run(
    plan: &Plan,
    trial: &Trial,
    client: &str,
    claim: &Claim,
    stopper: &Stopper,
) -> Result<(), TrialError> {
    let (spec, _) = source::settled(trial.spec.clone()).map_err(TrialError::failed)?;
    let folder = claim.part();
    let run = RunConfig::new(&spec).to_toml().map_err(TrialError::failed)?;
    put(folder, RUN, &(head(plan, trial) + &run))?;
    let started = Running::start(&mut server(folder, plan.frames));
    let mut server = started.map_err(|error| TrialError::Failed(format!("the server cannot be started: {error}")))?;
    let log = server.log();
    let mut started = None;
    let code = loop {
        if stopper.is_stopped() {
            return Err(TrialError::Stopped);
        }
        if let (None, Ok(address)) = (&started, log.address.try_recv()) {
            let spawned = Running::start_group(&mut of_client(client, &address));
            started = Some(spawned.map_err(|error| TrialError::Failed(format!("{client}: {error}")))?);
        }
        match server.ended().map_err(|error| TrialError::Failed(format!("the server cannot be waited for: {error}")))? {
            Some(status) => break status.code(),
            None => thread::sleep(LOOK),
        }
    };
    started.iter_mut().for_each(Running::wait);
    // Exit code 1 means that a gate failed, which is a result.
    if !matches!(code, Some(0 | 1)) {
        return Err(TrialError::Failed(format!("the server ended with {}, with the client {client}", log.end(code))));
    }
    check(folder, plan.frames)
}

fn server(folder: &Path, keeps_frames: bool) -> Command {
    let program = std::env::current_exe().unwrap_or_else(|_| "server".into());
    let mut server = Command::new(program);
    server.arg("--run").arg(folder.join(RUN));
    server.args(["--once", "--no-graphics", "--no-announce", "--listen", "127.0.0.1:0", "--wait", "30s"]);
    match keeps_frames {
        true => server.arg("--out").arg(folder.join(KEPT)),
        false => server.arg("--json").arg(folder.join(REPORT)),
    };
    without_variables(&mut server, &[]);
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    server
}

/// Checks the report, and moves what the server wrote into its place.
fn check(folder: &Path, keeps_frames: bool) -> Result<(), TrialError> {
    if keeps_frames {
        let kept = folder.join(KEPT);
        moved(&kept, folder).map_err(TrialError::at(&kept))?;
    }
    let text = fs::read_to_string(folder.join(REPORT))
        .map_err(|error| TrialError::Failed(format!("the server's {REPORT} cannot be read: {error}")))?;
    let report: serde_json::Value = serde_json::from_str(&text).map_err(TrialError::failed)?;
    let frames = &report["sessions"][0]["frames"];
    match (frames["sent"].as_u64().unwrap_or(0), frames["dropped"].as_u64().unwrap_or(0)) {
        (0, _) => Err(TrialError::failed("the client took no frame")),
        (sent, dropped) if sent == dropped => {
            Err(TrialError::Failed(format!("the client answered none of {sent} frames: see its log")))
        }
        // Behind a gate's exit code, that of a client that left is not seen.
        _ => fell_short(&report).map_or(Ok(()), |why| Err(TrialError::Failed(why))),
    }
}

/// Moves the files of a run into the folder of its trial, which has a `run.toml` of its own.
fn moved(kept: &Path, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(kept)? {
        let entry = entry?;
        if entry.file_name() != RUN {
            fs::rename(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    fs::remove_dir_all(kept)
}
