//! Reads the frames of an MCAP file, one after another.

use std::io;
use std::path::PathBuf;

use shared::memory::look_for;
use tracing::warn;

use super::error::McapFileError;
use super::look::{Looked, TopicImage, TopicImages, open};
use super::pixels::in_format;
use crate::recording::container::ContainerError;
use crate::recording::note::Note;
use crate::source::error::SourceError;
use crate::source::queue::{ReadFrame, Reading};
use crate::source::seam::StreamFormat;
use crate::truth::Truth;

/// A file that is played.
#[derive(Clone, Debug)]
pub(super) struct Played {
    pub(super) path: PathBuf,
    pub(super) looked: Looked,
    /// The format of the frames.
    pub(super) format: StreamFormat,
    /// Whether it starts again when it ends.
    pub(super) repeats: bool,
}

/// Reads one image after another.
pub(super) struct McapReader {
    played: Played,
    images: Option<TopicImages<std::io::BufReader<std::fs::File>>>,
    /// The index of the next image in the topic.
    next: u64,
    /// Whether an image was read in this round.
    has_read: bool,
    is_over: bool,
    /// Whether it was said that notes match no image.
    said_unmatched: bool,
}

impl McapReader {
    pub(super) fn new(played: Played) -> Self {
        Self { played, images: None, next: 0, has_read: false, is_over: false, said_unmatched: false }
    }

    fn read(&mut self) -> Result<Option<Reading>, McapFileError> {
        loop {
            let images = match &mut self.images {
                Some(images) => images,
                None => {
                    let file = open(&self.played.path)?;
                    self.images.insert(TopicImages::new(file, &self.played.looked.topic, &self.played.looked.known))
                }
            };
            let read = images.next();
            if images.unmatched_notes() > 0 && !std::mem::replace(&mut self.said_unmatched, true) {
                warn!(
                    "{}: notes on frames are not directly before their images, at the same time, as the server records \
                     them: their truth is not used",
                    self.played.looked.name
                );
            }
            match read {
                Ok(Some(image)) => return self.frame(image).map(Some),
                Ok(None) if self.played.repeats && self.has_read => {
                    (self.images, self.next, self.has_read) = (None, 0, false);
                }
                Ok(None) => return Ok(None),
                Err(error @ (ContainerError::Io(_) | ContainerError::Lost { .. } | ContainerError::Described)) => {
                    return Err(McapFileError::Container { file: self.played.looked.name.clone(), error });
                }
                Err(wrong) => {
                    warn!("{}: {wrong}; its images are passed over", self.played.looked.name);
                    return Ok(Some(Reading::Broken));
                }
            }
        }
    }

    fn frame(&mut self, TopicImage { image, note, .. }: TopicImage) -> Result<Reading, McapFileError> {
        let place = self.next;
        self.next += 1;
        let file = || self.played.looked.name.clone();
        let StreamFormat { size, pixel } = self.played.format;
        let image = match image {
            Ok(image) => image,
            Err(wrong) => {
                warn!("{}: image {place}: {wrong}; it is passed over", self.played.looked.name);
                return Ok(Reading::Broken);
            }
        };
        if image.size() != size {
            return Err(McapFileError::Changed { file: file(), frame: place, got: image.size(), first: size });
        }
        let got = image.format();
        if got != pixel {
            let found = look_for(pixel.bytes(size), format_args!("frames of {size} {pixel}")).map_err(io::Error::from);
            found.map_err(|error| McapFileError::Container { file: file(), error: error.into() })?;
        }
        let image = in_format(image, pixel).ok_or_else(|| McapFileError::Depth { file: file(), got })?;
        let note = note.map(|note| Note::read(&note).ok_or_else(|| McapFileError::Note { file: file(), frame: place }));
        let (index, truth, meta) = match note.transpose()? {
            Some(note) => (note.source_index, note.truth.into(), note.meta),
            None => (place, Truth::Unknown, None),
        };
        self.has_read = true;
        Ok(Reading::Frame(ReadFrame { index, image, truth, meta }))
    }
}

impl Iterator for McapReader {
    type Item = Result<Reading, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let read = self.read().map_err(SourceError::from);
        self.is_over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}
