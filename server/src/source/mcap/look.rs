//! Inspects a file before the server listens: finds the topic to play, the format of its images, its rate and its
//! truth.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use shared::flow::pacer::Rate;
use shared::image::Image;
use shared::text::{Brief, Escaped};
use tracing::warn;

use super::error::McapFileError;
use super::known::{Known, KnownChannel};
use super::message::Kind;
use super::pixels::{self, PixelsError};
use crate::recording::container::{Container, ContainerError, FileEnd, Found};
use crate::recording::note::{Note, SCHEMA};
use crate::recording::{FORMAT, FORMAT_KEY, METADATA, RATE_KEY, TASK_KEY, Topics};
use crate::source::seam::StreamFormat;
use crate::task::TaskName;
use crate::truth::Truth;

/// Number of images from which the rate is computed.
const LOOKED_AT: usize = 32;

/// Maximum number of characters of a name to show: enough to recognise it.
const SHOWN_CHARACTERS: usize = 60;

/// How many topics a message names.
const SHOWN_TOPICS: usize = 8;

/// A file, open for reading.
pub(super) type McapFile = Container<BufReader<File>>;

/// The result of inspecting a file.
#[derive(Clone, Debug)]
pub(super) struct Looked {
    /// The file's name for people.
    pub(super) name: String,
    /// The topic to play.
    pub(super) topic: String,
    /// The format of its images.
    pub(super) format: StreamFormat,
    /// Its rate.
    pub(super) rate_hz: Option<f64>,
    /// The task of the recorded run, if it is a recording.
    pub(super) task: Option<TaskName>,
    /// Whether its first image has a truth.
    pub(super) knows_truth: bool,
    /// The channels of the file, including those whose first chunk is damaged.
    pub(super) known: Arc<Known>,
}

/// Channels and metadata of a file.
#[derive(Default)]
struct Contents {
    known: Known,
    metadata: BTreeMap<String, String>,
}

/// The file's name for messages.
pub(super) fn shown(path: &Path) -> String {
    Brief(&Escaped(path.display()).to_string(), SHOWN_CHARACTERS).to_string()
}

/// Opens a file.
///
/// # Errors
/// [`McapFileError::Container`].
pub(super) fn open(path: &Path) -> Result<McapFile, McapFileError> {
    let failed = |error| McapFileError::Container { file: shown(path), error };
    let file = File::open(path).map_err(|error| failed(error.into()))?;
    Container::open(BufReader::new(file)).map_err(failed)
}

/// Inspects a file, and chooses the topic to play. `topic` is the one that was asked for, if any.
///
/// # Errors
/// [`McapFileError`] if there is no topic to play, or if there are several and none was asked for.
pub(super) fn look(path: &Path, asked: Option<&str>) -> Result<Looked, McapFileError> {
    look_at(&shown(path), || open(path), asked)
}

/// Inspects the file that `open` opens. It is opened several times.
pub(super) fn look_at<R: Read + Seek>(
    name: &str,
    open: impl Fn() -> Result<Container<R>, McapFileError>,
    asked: Option<&str>,
) -> Result<Looked, McapFileError> {
    let contents = Contents::read(name, &open)?;
    let topic = contents.chosen(name, asked)?;
    let known = Arc::new(contents.known.clone());
    let first = First::read(name, TopicImages::new(open()?, &topic, &known))?;
    let own = |key| contents.metadata.get(key);
    let is_own = !contents.metadata.is_empty();
    let own_rate = own(RATE_KEY).and_then(|hz| hz.parse::<f64>().ok()).filter(|hz| Rate::paced(*hz).is_some());
    if own(RATE_KEY).is_some() && own_rate.is_none() {
        warn!("{name}: the rate in its metadata is not one that a run can have: it is played at 60 frames/s");
    }
    if let Some(format) = own(FORMAT_KEY).filter(|format| *format != FORMAT) {
        let format = Brief(format, SHOWN_CHARACTERS);
        warn!(
            "{name}: its metadata have format \"{format}\" of recordings, and this version reads {FORMAT}: some of it may be lost"
        );
    }
    if let Some(task) = own(TASK_KEY).filter(|task| task.parse::<TaskName>().is_err()) {
        warn!("{name}: the task \"{}\" in its metadata is unknown: write --task", Brief(task, SHOWN_CHARACTERS));
    }
    Ok(Looked {
        name: name.to_owned(),
        topic,
        format: StreamFormat { size: first.image.size(), pixel: first.image.format() },
        rate_hz: if is_own { own_rate } else { first.rate_hz },
        task: own(TASK_KEY).and_then(|name| name.parse().ok()),
        known,
        knows_truth: first.truth.is_some_and(|truth| truth != Truth::Unknown),
    })
}

impl Contents {
    /// Reads the summary at the end of a file, or the whole file if it has none. The metadata of a recording are at its
    /// start.
    fn read<R: Read + Seek>(
        name: &str,
        open: impl Fn() -> Result<Container<R>, McapFileError>,
    ) -> Result<Self, McapFileError> {
        let mut contents = Self::default();
        let failed = |error| McapFileError::Container { file: name.to_owned(), error };
        let mut file = open()?;
        if file.skip_to_summary().map_err(failed)? {
            contents.metadata = metadata(open()?);
            contents.add_all(name, file)?;
            // In a damaged file the summary may not be where the file says that it is.
            if contents.known.has_channels() {
                // Other programs that write a recording again may move its metadata behind the frames.
                let has_notes = contents.known.topics().values().any(|(_, schema)| *schema == SCHEMA);
                if contents.metadata.is_empty() && has_notes {
                    let mut whole = Self::default();
                    whole.add_all(name, open()?)?;
                    contents.metadata = whole.metadata;
                }
                return Ok(contents);
            }
        }
        if let FileEnd::Cut(_) = contents.add_all(name, open()?)? {
            warn!("{name} was not finished, as after kill -9: it is played up to its last whole chunk");
        }
        Ok(contents)
    }

    /// Adds all items of a file. Skips damaged chunks.
    fn add_all<R: Read + Seek>(&mut self, name: &str, mut file: Container<R>) -> Result<FileEnd, McapFileError> {
        loop {
            match file.next().and_then(|found| found.map(|found| self.add(found)).transpose()) {
                Ok(Some(())) => {}
                Ok(None) => return Ok(file.end().cloned().unwrap_or(FileEnd::Whole)),
                Err(error @ (ContainerError::Io(_) | ContainerError::Described)) => {
                    return Err(McapFileError::Container { file: name.to_owned(), error });
                }
                // The reader reports the damage when it plays the file.
                Err(_) => {}
            }
        }
    }

    fn add(&mut self, found: Found) -> Result<(), ContainerError> {
        match found {
            Found::Schema(schema) => self.known.add_schema(schema)?,
            Found::Channel(channel) => self.known.add_channel(channel)?,
            Found::Metadata(metadata) if metadata.name == METADATA => self.metadata = metadata.metadata,
            Found::Metadata(_) | Found::Message { .. } => {}
        }
        Ok(())
    }

    /// The topic to play.
    fn chosen(&self, name: &str, asked: Option<&str>) -> Result<String, McapFileError> {
        let topics = self.known.topics();
        let images = topics.iter().filter(|(_, (kind, _))| kind.is_some()).map(|(topic, _)| (*topic).to_owned());
        let images: Vec<_> = images.collect();
        let file = name.to_owned();
        if images.is_empty() {
            let others = topics.iter().map(|(topic, (_, schema))| format!("{topic} ({schema})"));
            let has = match listed(others) {
                list if list.is_empty() => String::new(),
                list => format!(" (it has {list})"),
            };
            return Err(McapFileError::NoImages { file, has });
        }
        let is_own = !self.metadata.is_empty();
        match asked {
            Some(asked) if images.iter().any(|topic| topic == asked) => Ok(asked.to_owned()),
            Some(asked) => {
                let asked = Brief(asked, SHOWN_CHARACTERS).to_string();
                Err(McapFileError::NoTopic { file, asked, topics: listed(images.into_iter()) })
            }
            // All sessions of a run play the same frames; the first has topics without a prefix.
            None if is_own => Ok(images.iter().min_by_key(|topic| topic.len()).cloned().unwrap_or_default()),
            None => match <[String; 1]>::try_from(images) {
                Ok([topic]) => Ok(topic),
                Err(images) => Err(McapFileError::SeveralTopics { file, topics: listed(images.into_iter()) }),
            },
        }
    }
}

/// Reads the metadata of a recording. They precede the frames.
fn metadata<R: Read + Seek>(mut start: Container<R>) -> BTreeMap<String, String> {
    loop {
        match start.next() {
            Ok(Some(Found::Metadata(metadata))) if metadata.name == METADATA => return metadata.metadata,
            Ok(Some(Found::Message { .. }) | None) | Err(_) => return BTreeMap::new(),
            Ok(Some(_)) => {}
        }
    }
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.map(|name| Brief(&name, SHOWN_CHARACTERS).to_string()).collect();
    let more = names.len().saturating_sub(SHOWN_TOPICS);
    let shown = names[..names.len() - more].join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// The first image of a topic.
struct First {
    image: Image,
    truth: Option<Truth>,
    rate_hz: Option<f64>,
}

impl First {
    fn read<R: Read + Seek>(name: &str, mut images: TopicImages<R>) -> Result<Self, McapFileError> {
        let (mut first, mut times, mut why) = (None, Vec::new(), String::new());
        while times.len() < LOOKED_AT {
            match images.next() {
                Ok(Some(TopicImage { image: Ok(image), note, log_time })) => {
                    times.push(log_time);
                    first.get_or_insert((image, note));
                }
                Ok(Some(TopicImage { image: Err(wrong), .. })) if why.is_empty() => why = format!(": {wrong}"),
                Err(error @ (ContainerError::Io(_) | ContainerError::Described)) => {
                    return Err(McapFileError::Container { file: name.to_owned(), error });
                }
                Err(wrong) if why.is_empty() => why = format!(": {wrong}"),
                Ok(Some(_)) | Err(_) => {}
                Ok(None) => break,
            }
        }
        let Some((image, note)) = first else {
            return Err(McapFileError::NoFrame { file: name.to_owned(), topic: images.topic, why });
        };
        let truth = note.and_then(|note| Note::read(&note)).map(|note| note.truth.into());
        Ok(Self { image, truth, rate_hz: rate(&times) })
    }
}

/// The frame rate of images with these times, in ns, from the median of their intervals.
fn rate(times: &[u64]) -> Option<f64> {
    let mut steps: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    steps.sort_unstable();
    let step = *steps.get(steps.len() / 2)?;
    // No video is slower than one frame per minute, and no camera is faster than 10 kHz.
    (100_000..60_000_000_000).contains(&step).then(|| 1e9 / step as f64)
}

/// The images of a topic, in the order of the file.
pub(super) struct TopicImages<R> {
    file: Container<R>,
    topic: String,
    note_topic: Option<String>,
    known: Known,
    /// Channels of the topic with the kind of their images; `None` for channels of its notes.
    channels: BTreeMap<u16, Option<Kind>>,
    /// The last note with its time, in ns.
    note: Option<(u64, Vec<u8>)>,
    /// Notes that no image followed at their time.
    unmatched_notes: u64,
}

/// An image of the topic.
pub(super) struct TopicImage {
    /// The image, or what is wrong with it.
    pub(super) image: Result<Image, String>,
    /// The note on it, if the file is a recording.
    pub(super) note: Option<Vec<u8>>,
    /// Its time, in ns.
    pub(super) log_time: u64,
}

impl<R: Read + Seek> TopicImages<R> {
    pub(super) fn new(file: Container<R>, topic: &str, known: &Known) -> Self {
        let note_topic = Topics::note_of(topic);
        let (known, topic) = (known.clone(), topic.to_owned());
        let mut images =
            Self { file, topic, note_topic, known, channels: BTreeMap::new(), note: None, unmatched_notes: 0 };
        let ids: Vec<_> = images.known.ids().collect();
        ids.into_iter().for_each(|id| images.add(id));
        images
    }

    /// The next image; `None` at the end. After any error except [`ContainerError::Io`] and [`ContainerError::Described`],
    /// the next call continues after the damage.
    pub(super) fn next(&mut self) -> Result<Option<TopicImage>, ContainerError> {
        while let Some(found) = self.file.next()? {
            match found {
                Found::Schema(schema) => self.known.add_schema(schema)?,
                Found::Channel(channel) => {
                    let id = channel.id;
                    self.known.add_channel(channel)?;
                    self.add(id);
                }
                Found::Message { channel_id, times: [log_time, _], data, .. } => match self.channels.get(&channel_id) {
                    Some(Some(kind)) => {
                        let image = match pixels::read(*kind, data) {
                            // Nothing is wrong with the image.
                            Err(PixelsError::Memory(error)) => return Err(io::Error::from(error).into()),
                            read => read.map_err(|wrong| wrong.to_string()),
                        };
                        let (at, note) = self.note.take().unzip();
                        let note = note.filter(|_| at == Some(log_time));
                        self.unmatched_notes += u64::from(at.is_some_and(|at| at != log_time));
                        return Ok(Some(TopicImage { image, note, log_time }));
                    }
                    Some(None) => {
                        let before = self.note.replace((log_time, data));
                        self.unmatched_notes += u64::from(before.is_some());
                    }
                    None => {}
                },
                Found::Metadata(_) => {}
            }
        }
        self.unmatched_notes += u64::from(self.note.take().is_some());
        Ok(None)
    }

    /// Notes so far that no image followed at their time, so that their truth is not used.
    pub(super) fn unmatched_notes(&self) -> u64 {
        self.unmatched_notes
    }

    /// Adds the channel with this id if it has the images or their notes.
    fn add(&mut self, id: u16) {
        let Some(KnownChannel { topic, schema, kind }) = self.known.channel(id) else { return };
        if topic == self.topic {
            if kind.is_some() {
                self.channels.insert(id, kind);
            }
        } else if self.note_topic.as_deref() == Some(topic) && schema == SCHEMA {
            self.channels.insert(id, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_most_images() {
        let times: Vec<u64> = (0..20).map(|frame| frame * 40_000_000 + u64::from(frame > 10) * 900_000_000).collect();
        assert_eq!(rate(&times), Some(25.0));
        assert_eq!((rate(&[5]), rate(&[5, 5, 5]), rate(&[9, 5])), (None, None, None));
    }
}
