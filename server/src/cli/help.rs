//! The texts at the end of `--help`: examples and exit codes of each command.

/// Text at the end of `--help`.
pub(super) const SERVE: &str = "\
Examples:
  server --loopback                              a first try, all in one process
  server --frames 600 --seed 7 --json report.json
  server --listen 0.0.0.0:8080 --fps max         for clients on other machines
  server --dial 192.0.2.7:8080 --frames 600      call a client that listens there
  server --noise 10 --radius 10..40 --print-run  print the run as TOML for --run
  server --once --frames 600 --gate 'error_px.l1.mean <= 0.05'    for CI
  server --frames 600 --out runs/7               keep everything in a folder
  server report runs/7                           complete it after a crash
  server compare runs/7 runs/8                   say what is better or worse
  server sweep plan.toml --out sweep             run the trials of a plan
  server tune plan.toml --out tuned              find the best setting
  server calibrate runs/7 --out found            find a model, write a correction
  server health 192.0.2.7:8080                   check whether a server answers
  server token plumb.token                       make a token for --token-file

Use =false to turn a switch off, as in --once=false. The command line overrides
the environment, which overrides --run FILE, which overrides --camera FILE. An
empty environment variable counts as unset.

Exit codes:
  0  success: finished, or stopped by Ctrl-C, SIGTERM, SIGHUP, q or closing the
     window
  1  a gate failed or had no data; with --strict also if it was inconclusive
  2  wrong usage, found before the run
  3  no peer, port taken, connection lost, or, with --once, fewer frames sent
     than asked for
  4  any other error
If several apply, the first of 2, 4, 1, 3 is returned.";

/// Text at the end of `health --help`.
pub(super) const HEALTH: &str = "\
Examples:
  server health
  server health 192.0.2.7:8080

Exit codes:
  0  a server answers
  2  wrong usage
  3  no server answers";

/// Text at the end of `report --help`.
pub(super) const REPORT: &str = "\
Examples:
  server report runs/7

Exit codes:
  0  report.json, report.html and frames.parquet are written
  2  no run wrote this folder, or its run is still going on
  4  a file cannot be written";

/// Text at the end of `token --help`.
pub(super) const TOKEN: &str = "\
Examples:
  server token plumb.token
  server --listen 0.0.0.0:8080 --token-file plumb.token
  client 192.0.2.7:8080 --token-file plumb.token

Exit codes:
  0  the token is made
  2  the file exists
  4  the file cannot be written";

/// Text at the end of `compare --help`.
pub(super) const COMPARE: &str = "\
Examples:
  server compare runs/7 runs/8
  server compare runs/7 runs/8 --gate 'error_px.l1.mean.ratio <= 1.05'
  server compare runs/8 --baseline kept --keep --markdown summary.md
  server compare --run old.toml --run new.toml --rounds 12
  server compare --run a.toml --run b.toml --client 'client --pipeline hough'

Exit codes:
  0  compared, whatever was found
  1  a gate failed or had no data; with --strict also if it was inconclusive
  2  a run cannot be read, or cannot be compared with the others
  4  a round failed, or a file cannot be written";

/// Text at the end of `sweep --help`.
pub(super) const SWEEP: &str = "\
Examples:
  server sweep plan plan.toml                    list the trials of this plan:
      [run]
      frames = 100
      [axes]
      noise = [0, 5, 10, 20]
      blur = { from = 0, to = 3, steps = 7 }
      [pipeline]
      name = \"my_detector.py:find\"
  server sweep plan.toml --out sweep             run them, or go on
  server report sweep                            show them as a page
  server sweep plan.toml --out sweep --shard 1/8
  server sweep merge sweep                       after all shards
  server sweep plan.toml --out limit --find 'missed <= 1%' --along noise

Exit codes:
  0  all trials are done, or somebody stopped the sweep: it can go on
  2  the plan or the command line is wrong, or the folder has another plan
  4  trials failed or are missing, or results cannot be written";

/// Text at the end of `tune --help`.
pub(super) const TUNE: &str = "\
Examples:
  server tune plan.toml --out tuned              search, or go on:
      minimise = \"error_px.l1.mean\"
      subject_to = [\"missed <= 1%\"]
      [run]
      frames = 25
      noise = 10
      [pipeline]
      name = \"my_detector.py:find\"
      [parameters]
      threshold = { from = 5, to = 60 }

Exit codes:
  0  the search is done: best.toml has the best setting, or the default if none
     is shown to be better
  2  the plan or the command line is wrong, or the folder has another plan
  4  no setting meets the conditions, somebody stopped the search, or results
     cannot be written";

/// Text at the end of `calibrate --help`.
pub(super) const CALIBRATE: &str = "\
Examples:
  server calibrate runs/7
  server calibrate runs/7 --model homography+time --reference runs/6 --out found
  server calibrate runs/7 --model similarity --verify runs/8
  server calibrate a.csv b.csv c.csv --model camera --size 640x480 --out found
  client --correct found/correction.toml

Exit codes:
  0  calibrated, whether the model fits or not
  1  the model does not fit, with --strict
  2  wrong usage, or the frames are not enough for the model
  4  a file cannot be written";
