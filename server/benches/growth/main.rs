//! Measures how the cost of the programs grows: with the number of clients, each a separate process at 30 frames/s;
//! with the size of the frames; and with time (`--soak`), where nothing should grow.
//!
//! For help run `cargo bench -p server --bench growth -- --help`. [`point`] runs one server with its clients, [`table`]
//! writes the points as tables, and [`chart`] draws them. [`soak`] runs for a long time.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Parser;
use shared::flow::pacer::Rate;
use shared::geometry::Size;
use testkit::processes;

mod chart;
mod options;
mod point;
mod soak;
mod table;

use options::Options;
use point::{Point, Setting};

/// Size of the frames while the number of clients grows: the programs' default.
const VGA: Size = Size { width: 640, height: 480 };

/// Frame rate of each client.
const RATE: Rate = Rate::Hz(30.0);

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let sizes = options.sizes()?;
    let machine = processes::machine();
    if !options.no_build {
        processes::build()?;
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    if let Some(time) = options.soak {
        return finish(&soak::run(&machine, time, &options.with, folder.path())?, &options);
    }
    let mut growth = Growth::default();
    let point = |clients, size, rate| -> Result<Point, Box<dyn Error>> {
        let setting = Setting { clients, size, rate, time: options.time() };
        eprintln!("{setting}");
        Ok(point::run(&setting, &options.with, folder.path())?)
    };
    for clients in options.clients() {
        growth.clients.push(point(clients, VGA, RATE)?);
        save(&table::write(&machine, &growth, &options)?, options.out.as_deref())?;
    }
    for size in sizes {
        growth.sizes.push((point(1, size, RATE)?, point(1, size, Rate::Max)?));
        save(&table::write(&machine, &growth, &options)?, options.out.as_deref())?;
    }
    save(&chart::draw(&growth)?, options.svg.as_deref())?;
    finish(&table::write(&machine, &growth, &options)?, &options)
}

/// All measured points.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    /// Points by number of clients.
    pub(crate) clients: Vec<Point>,
    /// Points by size of the frames: paced, and unpaced.
    pub(crate) sizes: Vec<(Point, Point)>,
}

fn finish(text: &str, options: &Options) -> Result<(), Box<dyn Error>> {
    save(text, options.out.as_deref())?;
    Ok(io::stdout().write_all(text.as_bytes())?)
}

fn save(text: &str, file: Option<&Path>) -> io::Result<()> {
    // Cargo runs benchmarks in the package's folder, but people run cargo in the repository's folder.
    let here = |file: &Path| -> PathBuf { Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file) };
    file.map_or(Ok(()), |file| fs::write(here(file), text))
}
