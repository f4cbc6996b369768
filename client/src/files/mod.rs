//! Circle detection in image files.

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use shared::image::file::{self, ImageFileError, Picture};
use shared::memory::look_for;
use shared::shell::exit::Exit;
use shared::shell::standard::reader_left;
use shared::text::Escaped;
use tracing::{debug, error};

use crate::cli::DetectArgs;
use crate::workers::look_for_detector;

use draw::Drawings;
use found::{Found, Seen};
use looker::Looker;

mod draw;
mod found;
mod looker;

/// Memory of a drawing, in bytes per pixel: a copy of the picture, the same in colour, and its file.
const DRAWN_BYTES: usize = 9;

/// The name that means the standard input.
const STDIN: &str = "-";

/// Processes the files one after the other. A file that cannot be read is reported, and the rest are still processed.
pub fn run(args: &DetectArgs) -> Exit {
    let looker = args.check().map_err(|wrong| wrong.to_string());
    let looker = looker.and_then(|()| Looker::new(args).map_err(|wrong| wrong.to_string()));
    let drawings = args.draw.as_ref().map(|folder| Drawings::new(folder, &args.files)).transpose();
    let (mut looker, drawings) =
        match looker.and_then(|looker| Ok((looker, drawings.map_err(|wrong| wrong.to_string())?))) {
            Ok(both) => both,
            Err(wrong) => {
                error!("{wrong}");
                return Exit::Usage;
            }
        };
    let files = args.files.iter().enumerate();
    let results = files.map(|(index, file)| look((index, file), &mut looker, drawings.as_ref()));
    match if args.json { print_json(results) } else { print_lines(results) } {
        Ok(true) => Exit::Fine,
        Ok(false) => Exit::Other,
        Err(wrong) if reader_left(&wrong) => Exit::Fine,
        Err(wrong) => {
            error!("cannot write the results: {wrong}");
            Exit::Other
        }
    }
}

fn look((index, path): (usize, &Path), looker: &mut Looker, drawings: Option<&Drawings>) -> Found {
    let file = path.display().to_string();
    let picture = read(path).and_then(|picture| {
        let size = picture.image.size();
        look_for_detector(looker.name(), size)?;
        if drawings.is_some() {
            look_for(DRAWN_BYTES * size.pixels(), format_args!("a drawing of {size} px"))?;
        }
        Ok(picture)
    });
    let Picture { image, changes } = match picture {
        Ok(picture) => picture,
        Err(wrong) => {
            let (seen, error) = (Seen::default(), Some(wrong.to_string()));
            return Found { file, seen, detect_us: None, drawn: None, error };
        }
    };
    changes.iter().for_each(|change| debug!("{}: {change}", Escaped(&file)));
    let shown = drawings.map(|drawings| (drawings, image.clone()));
    let gray = image.into_gray_levels();
    let start = Instant::now();
    looker.look(gray.view());
    let detect_us = u64::try_from(start.elapsed().as_micros()).ok();
    let seen = looker.seen(gray.view());
    let drawn = shown.map(|(drawings, image)| drawings.draw(index, image, &seen)).transpose();
    let (drawn, error) = match drawn {
        Ok(path) => (path.map(|path| path.display().to_string()), None),
        Err(wrong) => (None, Some(wrong.to_string())),
    };
    Found { file, seen, detect_us, drawn, error }
}

/// Reads a file, or the standard input.
fn read(path: &Path) -> Result<Picture, ImageFileError> {
    if path == Path::new(STDIN) { file::read_stream(io::stdin().lock()) } else { file::read_picture(path) }
}

/// Prints one line per file, and a line per circle or candidate if they are asked for. Returns whether all went well.
fn print_lines(results: impl Iterator<Item = Found>) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    let mut all_good = true;
    for Found { file, seen, detect_us, error, .. } in results {
        let file = Escaped(file);
        if let Some(error) = error {
            all_good = false;
            error!("{file}: {}", Escaped(error));
            // Without a time, no picture could be read.
            if detect_us.is_none() {
                continue;
            }
        }
        print_seen(&mut stdout, &file, &seen, detect_us.unwrap_or_default())?;
    }
    Ok(all_good)
}

fn print_seen(stdout: &mut impl Write, file: &Escaped<String>, seen: &Seen, detect_us: u64) -> io::Result<()> {
    match (&seen.circle, &seen.circles) {
        (None, _) => writeln!(stdout, "{file}: no circle{}, in {detect_us} µs", seen.looked_for())?,
        (Some(circle), None) => writeln!(stdout, "{file}: {circle}, in {detect_us} µs")?,
        (Some(_), Some(all)) => {
            let circles = if all.len() == 1 { "1 circle".into() } else { format!("{} circles", all.len()) };
            writeln!(stdout, "{file}: {circles}, in {detect_us} µs")?;
            all.iter().try_for_each(|circle| writeln!(stdout, "{file}: {circle}"))?;
        }
    }
    match (&seen.candidates, &seen.rejected) {
        (Some(all), _) => {
            writeln!(stdout, "{file}: {} candidates, best first", all.len())?;
            all.iter().try_for_each(|candidate| writeln!(stdout, "{file}: {candidate}"))
        }
        (None, Some(best)) => writeln!(stdout, "{file}: best candidate: {best}"),
        (None, None) => Ok(()),
    }
}

fn print_json(results: impl Iterator<Item = Found>) -> io::Result<bool> {
    let results: Vec<_> = results.collect();
    let mut stdout = io::stdout().lock();
    shared::json::to_writer_pretty(&mut stdout, &results)?;
    writeln!(stdout)?;
    Ok(results.iter().all(|found| found.error.is_none()))
}
