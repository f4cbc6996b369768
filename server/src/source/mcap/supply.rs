//! The supply of the frames of an MCAP file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::McapFileError;
use super::look::look;
use super::reader::{McapReader, Played};
use crate::recording::record::MAGIC;
use crate::run::{RunSpec, say_if_slow};
use crate::source::ball::{option_of_the_ball, options_of_the_ball};
use crate::source::error::SourceError;
use crate::source::queue::QueuedSource;
use crate::source::seam::{Source, SourceKind, StreamFormat, Supply};
use crate::task::TaskName;

/// The source's entry in the list of sources.
pub(in crate::source) struct McapKind;

/// Whether the text names an MCAP file. The ending or the first bytes of the file decide.
pub(in crate::source) fn is_meant(text: &str) -> bool {
    let path = Path::new(text);
    let begins_as_one = || {
        let mut magic = [0; MAGIC.len()];
        File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == MAGIC
    };
    path.is_file() && (path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("mcap")) || begins_as_one())
}

impl SourceKind for McapKind {
    fn usage(&self) -> &'static str {
        "an MCAP file, such as the run.mcap of a recorded run"
    }

    fn is_meant(&self, text: &str) -> bool {
        is_meant(text)
    }

    fn supply(&self, run: &RunSpec) -> Result<Box<dyn Supply>, SourceError> {
        if let Some(option) = option_of_the_ball(run) {
            return Err(SourceError::Option { option, source_name: run.sent.source.clone() });
        }
        let path = Path::new(&run.sent.source);
        let looked = say_if_slow(path, || look(path, run.sent.topic.as_deref()))?;
        let StreamFormat { size, pixel: got } = looked.format;
        let pixel = run.sent.pixel.unwrap_or(got);
        let is_deep = |format| format == shared::image::PixelFormat::Gray16;
        if is_deep(pixel) != is_deep(got) {
            return Err(McapFileError::Depth { file: looked.name, got }.into());
        }
        match run.sent.size {
            Some(asked) if asked != size => Err(SourceError::Size { asked, size, of: "images of the file" }),
            _ => {
                let (format, repeats) = (StreamFormat { size, pixel }, run.sent.repeat);
                Ok(Box::new(Played { path: path.into(), looked, format, repeats }))
            }
        }
    }
}

impl Supply for Played {
    fn format(&self) -> StreamFormat {
        self.format
    }

    fn default_task(&self) -> TaskName {
        self.looked.task.unwrap_or_else(TaskName::ack)
    }

    fn rate_hz(&self) -> Option<f64> {
        self.looked.rate_hz
    }

    fn knows_truth(&self) -> bool {
        self.looked.knows_truth
    }

    fn unused_options(&self) -> Vec<String> {
        options_of_the_ball()
    }

    fn open(&self) -> Result<Box<dyn Source>, SourceError> {
        Ok(Box::new(QueuedSource::start(Box::new(McapReader::new(self.clone())))?))
    }
}
