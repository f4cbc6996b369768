//! Writes the file of a recording: Foxglove's messages in chunks.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use shared::image::PixelFormat;
use shared::protocol::encoding::Encoding;

use super::queue::RecordedFrame;
use crate::output::intact;
use crate::output::report::Run;
use crate::output::table;
use crate::recording::foxglove::{
    ANNOTATIONS, COMPRESSED_IMAGE, COMPRESSED_IMAGE_DATA, CompressedImage, DESCRIPTION, ESTIMATE_COLOUR,
    ImageAnnotations, PROTOBUF, RAW_IMAGE, RAW_IMAGE_DATA, RawImage, TRUTH_COLOUR, before_data, bytes, marks,
    timestamp,
};
use crate::recording::note::{self, Note};
use crate::recording::record::{Channel, Message, Metadata};
use crate::recording::writer::Writer;
use crate::recording::{FORMAT, FORMAT_KEY, METADATA, RATE_KEY, TASK_KEY, Topics};
use crate::score::cells::{Cell, ColumnKind};
use crate::score::record::FrameRecord;
use crate::task::{ChartValue, TaskName};
use crate::truth::Truth;

/// Frame id of the camera in every image.
const FRAME_ID: &str = "camera";

/// Schema of the figures of a frame.
const SCORE: &str = "plumb.Score";

/// Encoding of JSON's schemas.
const JSON_SCHEMA: &str = "jsonschema";

/// Encoding of messages in JSON.
const JSON: &str = "json";

/// Number of channels that a file can have: their ids have 16 bits (MCAP specification, Channel).
const MOST_CHANNELS: usize = 1 << 16;

/// Channels of a session of a task that has places: note, image, truth, estimate and score. Another image channel comes
/// with the first frame that has the other schema.
const WITH_PLACES: usize = 5;

/// Channels of a session of another task: note, image and score.
const WITHOUT_PLACES: usize = 3;

/// A recording that is being written.
pub(super) struct RecordingFile {
    writer: Writer<BufWriter<File>>,
    /// The same file, for truncating it.
    file: File,
    /// Bytes of the file's whole chunks.
    whole: u64,
    task: TaskName,
    sessions: BTreeMap<u64, Recorded>,
    /// Ids of the channels that have a message, by session, topic and schema.
    channels: BTreeMap<(u64, Topic, &'static str), u16>,
    /// Number of channels that no session has or will have.
    free_channels: usize,
}

/// The state of a session's recording.
struct Recorded {
    topics: Topics,
    /// Frames whose outcome is not known yet: id, and times in ns since 1970.
    pending: VecDeque<(u64, [u64; 2])>,
}

/// A topic of a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Note,
    Image,
    Truth,
    Estimate,
    Score,
}

impl Topic {
    /// Its name.
    fn of(self, topics: &Topics) -> &str {
        match self {
            Self::Note => &topics.note,
            Self::Image => &topics.image,
            Self::Truth => &topics.truth,
            Self::Estimate => &topics.estimate,
            Self::Score => &topics.score,
        }
    }
}

/// A message that is to be written.
struct Outgoing<'a> {
    session: u64,
    schema: &'static str,
    topic: Topic,
    id: u64,
    times_ns: [u64; 2],
    data: [&'a [u8]; 2],
}

impl RecordingFile {
    /// Creates the file, which must not be there yet.
    pub(super) fn create(path: &Path, run: &Run, task: TaskName) -> io::Result<Self> {
        let file = File::options().append(true).create_new(true).open(path)?;
        // Chunks are gathered in memory and written as a whole, so that a crash leaves whole ones.
        let mut writer = Writer::begin(BufWriter::new(file.try_clone()?), &format!("plumb {}", run.version))?;
        writer.metadata(&about(run, task))?;
        let (sessions, channels) = (BTreeMap::new(), BTreeMap::new());
        let mut created = Self { writer, file, whole: 0, task, sessions, channels, free_channels: MOST_CHANNELS };
        created.flush()?;
        Ok(created)
    }

    /// Adds a frame to the chunk. Returns how many bytes it took; `None` if the file has no channels left for it.
    pub(super) fn frame(&mut self, frame: &RecordedFrame) -> Option<usize> {
        let &RecordedFrame { session, id, times_ns, truth, .. } = frame;
        let (schema, head) = image(frame);
        self.take_channels(session, schema)?;
        let is_first = self.sessions.keys().next().is_none_or(|&first| first == session);
        let recorded = self.sessions.entry(session).or_insert_with(|| Recorded::new(Topics::of(session, is_first)));
        recorded.pending.push_back((id, times_ns));
        let noted = note_on(frame);
        let mut written = self.write(&Outgoing {
            session,
            schema: note::SCHEMA,
            topic: Topic::Note,
            id,
            times_ns,
            data: [&noted, &[]],
        });
        let data = [&head[..], &frame.data];
        written += self.write(&Outgoing { session, schema, topic: Topic::Image, id, times_ns, data });
        if let Some(marks) = truth_marks(truth, times_ns[0]).filter(|_| self.task.has_places()) {
            let data = bytes(&marks);
            written += self.write(&Outgoing {
                session,
                schema: ANNOTATIONS,
                topic: Topic::Truth,
                id,
                times_ns,
                data: [&data, &[]],
            });
        }
        Some(written)
    }

    /// Takes the channels that a session needs with an image of this schema. `None` if not so many are free. So a
    /// session is recorded with all its channels, or not at all.
    fn take_channels(&mut self, session: u64, schema: &'static str) -> Option<()> {
        let needed = match self.sessions.contains_key(&session) {
            true => usize::from(!self.channels.contains_key(&(session, Topic::Image, schema))),
            false if self.task.has_places() => WITH_PLACES,
            false => WITHOUT_PLACES,
        };
        self.free_channels = self.free_channels.checked_sub(needed)?;
        Some(())
    }

    /// Adds the outcome of a frame that was recorded. Returns how many bytes it took.
    pub(super) fn outcome(&mut self, session: u64, record: &FrameRecord) -> usize {
        let id = record.id;
        let Some(times_ns) = self.sessions.get_mut(&session).and_then(|recorded| recorded.times_of(id)) else {
            return 0;
        };
        let score = score(self.task, session, record);
        let mut written =
            self.write(&Outgoing { session, schema: SCORE, topic: Topic::Score, id, times_ns, data: [&score, &[]] });
        if self.task.has_places() {
            let data = bytes(&self.estimate(record, times_ns[0]));
            written += self.write(&Outgoing {
                session,
                schema: ANNOTATIONS,
                topic: Topic::Estimate,
                id,
                times_ns,
                data: [&data, &[]],
            });
        }
        written
    }

    /// The annotations of an answer, labelled with its error; empty if it found nothing.
    fn estimate(&self, record: &FrameRecord, ns: u64) -> ImageAnnotations {
        let chart = self.task.chart();
        let error = match chart.value {
            ChartValue::Residual(place) | ChartValue::Magnitude(place) => {
                record.residual.get(place).and_then(|cell| cell.number())
            }
            ChartValue::LatencyMs => None,
        };
        let text = error.map(|error| format!("{error:.4} {}", chart.unit));
        let circle = record.answer.as_ref().and_then(|answer| self.task.estimate(answer));
        circle.map(|circle| marks(circle, ns, ESTIMATE_COLOUR, text)).unwrap_or_default()
    }

    /// Adds a message to the chunk. Returns its bytes.
    fn write(&mut self, message: &Outgoing<'_>) -> usize {
        let channel_id = self.channel(message);
        let [log_time, publish_time] = message.times_ns;
        // The field has 32 bits. In a longer run it wraps around to 0.
        let sequence = message.id as u32;
        self.writer.message(&Message { channel_id, sequence, log_time, publish_time, data: message.data });
        message.data.iter().map(|part| part.len()).sum()
    }

    /// The channel of a message. It is created with the first message.
    fn channel(&mut self, message: &Outgoing<'_>) -> u16 {
        let key = (message.session, message.topic, message.schema);
        if let Some(&channel) = self.channels.get(&key) {
            return channel;
        }
        let topics = self.sessions.get(&message.session).map(|recorded| &recorded.topics);
        let topic = topics.map(|topics| message.topic.of(topics).to_owned()).unwrap_or_default();
        let (encoding, schema_encoding, description) = match message.schema {
            SCORE => (JSON, JSON_SCHEMA, score_schema(self.task)),
            note::SCHEMA => (JSON, JSON_SCHEMA, json_text(&schemars::schema_for!(Note).to_value())),
            _ => (PROTOBUF, PROTOBUF, DESCRIPTION.to_vec()),
        };
        let schema_id = self.writer.schema(message.schema, schema_encoding, &description);
        // Never more than `MOST_CHANNELS`: `take_channels` has counted this one.
        let id = u16::try_from(self.channels.len()).unwrap_or(u16::MAX);
        let (encoding, metadata) = (encoding.to_owned(), BTreeMap::new());
        self.writer.add_channel(Channel { id, schema_id, topic, encoding, metadata });
        self.channels.insert(key, id);
        id
    }

    /// Writes the chunk.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        intact::check(&self.file, self.whole)?;
        self.writer.flush()?;
        self.whole = self.writer.written();
        intact::check(&self.file, self.whole)
    }

    /// Completes the file, with the report if there is one.
    pub(super) fn finish(mut self, report: &str) -> io::Result<()> {
        let attached = intact::check(&self.file, self.whole).and_then(|()| match report {
            "" => Ok(()),
            report => self.writer.attach("report.json", "application/json", report.as_bytes()),
        });
        let Self { writer, file, whole, .. } = self;
        let finished = attached.and_then(|()| writer.finish().map(drop)).and_then(|()| intact::check(&file, whole));
        finished.inspect_err(|_| cut(&file, whole))
    }

    /// Abandons the file. It keeps its whole chunks.
    pub(super) fn cut(self) {
        // Discard the buffer.
        let _ = self.writer.into_inner().into_parts();
        cut(&self.file, self.whole);
    }
}

/// Truncates a file to this many bytes, if it has more.
fn cut(file: &File, whole: u64) {
    // If the file cannot be truncated, it ends with a partial chunk, which readers notice.
    if file.metadata().is_ok_and(|now| now.len() > whole) {
        let _ = file.set_len(whole);
    }
}

impl Recorded {
    fn new(topics: Topics) -> Self {
        Self { topics, pending: VecDeque::new() }
    }

    /// The times of a frame whose outcome is now known. Outcomes come in frame order, so earlier frames will get none.
    fn times_of(&mut self, id: u64) -> Option<[u64; 2]> {
        while self.pending.front().is_some_and(|(pending, _)| *pending < id) {
            self.pending.pop_front();
        }
        let (_, times) = self.pending.pop_front_if(|(pending, _)| *pending == id)?;
        Some(times)
    }
}

/// The metadata record that describes the run.
fn about(run: &Run, task: TaskName) -> Metadata {
    // A run without such a text has no folder, and so no recording.
    let text = run.config.to_toml().unwrap_or_default();
    let rate = text.parse::<toml::Table>().ok().and_then(|run| match run.get("fps") {
        Some(toml::Value::Float(hz)) => Some(hz.to_string()),
        Some(toml::Value::Integer(hz)) => Some(hz.to_string()),
        _ => None,
    });
    let pairs = [
        (FORMAT_KEY, Some(FORMAT.to_owned())),
        ("version", Some(run.version.to_owned())),
        ("seed", Some(run.seed.to_string())),
        (TASK_KEY, Some(task.name().to_owned())),
        (RATE_KEY, rate),
        ("run", Some(text)),
    ];
    let metadata = pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    Metadata { name: METADATA.into(), metadata }
}

fn note_on(frame: &RecordedFrame) -> Vec<u8> {
    Note {
        frame: frame.id,
        source_index: frame.source_index,
        captured_us: frame.captured.0,
        pixel: frame.pixel,
        truth: frame.truth.into(),
        meta: frame.meta.clone(),
    }
    .write()
}

/// The schema of a frame's image, and its message up to the image data. The data are the last field.
fn image(frame: &RecordedFrame) -> (&'static str, Vec<u8>) {
    let at = Some(timestamp(frame.times_ns[0]));
    let length = frame.data.len();
    let frame_id = FRAME_ID.to_owned();
    let format = match frame.encoding {
        Encoding::Png => "png",
        Encoding::Jpeg => "jpeg",
        Encoding::Raw | Encoding::Lz4 => {
            let encoding = match frame.pixel {
                PixelFormat::Gray8 => "mono8",
                PixelFormat::Bgr8 => "bgr8",
                PixelFormat::Gray16 => "mono16",
            };
            // No frame is wider than 8192 px.
            let step = frame.size.width * frame.pixel.bytes_per_pixel() as u32;
            let (width, height) = (frame.size.width, frame.size.height);
            let (encoding, data) = (encoding.into(), Bytes::new());
            let image = RawImage { timestamp: at, width, height, encoding, step, data, frame_id };
            return (RAW_IMAGE, before_data(&image, RAW_IMAGE_DATA, length));
        }
    };
    let image = CompressedImage { timestamp: at, data: Bytes::new(), format: format.into(), frame_id };
    (COMPRESSED_IMAGE, before_data(&image, COMPRESSED_IMAGE_DATA, length))
}

/// The annotations of the truth; `None` if it is not known.
fn truth_marks(truth: Truth, ns: u64) -> Option<ImageAnnotations> {
    match truth {
        Truth::Unknown | Truth::Balls(_) => None,
        _ => Some(truth.ball().map(|(ball, _)| marks(ball, ns, TRUTH_COLOUR, None)).unwrap_or_default()),
    }
}

/// The figures of a frame: the fields of its row that are not empty.
fn score(task: TaskName, session: u64, record: &FrameRecord) -> Vec<u8> {
    let cells = table::columns(task).zip(table::row(task, session, record));
    let fields = cells.filter_map(|(column, cell)| {
        let value = match cell {
            Cell::Empty => return None,
            Cell::Integer(value) => value.into(),
            Cell::Real(value) => value.into(),
            Cell::Word(word) => word.into(),
        };
        Some((column.name.to_owned(), value))
    });
    json_text(&Value::Object(fields.collect()))
}

fn score_schema(task: TaskName) -> Vec<u8> {
    let kind = |kind| match kind {
        ColumnKind::Word(_) => "string",
        ColumnKind::Integer => "integer",
        ColumnKind::Real => "number",
    };
    let properties: Map<_, _> =
        table::columns(task).map(|column| (column.name.to_owned(), json!({ "type": kind(column.kind) }))).collect();
    json_text(&json!({ "title": SCORE, "type": "object", "properties": properties }))
}

fn json_text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shared::geometry::Size;
    use shared::time::Micros;

    use super::*;
    use crate::output::report::tests::{record, run};

    fn frame(session: u64, id: u64, encoding: Encoding) -> RecordedFrame {
        RecordedFrame {
            session,
            id,
            source_index: id,
            truth: Truth::Empty,
            meta: None,
            captured: Micros(id),
            times_ns: [id; 2],
            size: Size { width: 1, height: 1 },
            pixel: PixelFormat::Gray8,
            encoding,
            data: vec![0],
            counts: Arc::default(),
        }
    }

    #[test]
    fn a_session_without_room_for_its_channels_is_not_recorded_and_none_shares_a_channel() {
        let folder = tempfile::tempdir().unwrap();
        for (task, each) in [(TaskName::default(), WITH_PLACES), (TaskName::ack(), WITHOUT_PLACES)] {
            let path = folder.path().join(format!("{task}.mcap"));
            let mut file = RecordingFile::create(&path, &run(), task).unwrap();
            // Room for two sessions, one of which has images of both kinds.
            file.free_channels = 2 * each + 1;
            let is_recorded = |file: &mut RecordingFile, session, id, encoding| {
                let is_recorded = file.frame(&frame(session, id, encoding)).is_some();
                assert_eq!(file.outcome(session, &record(id)) > 0, is_recorded);
                is_recorded
            };
            assert!(is_recorded(&mut file, 1, 0, Encoding::Raw) && is_recorded(&mut file, 2, 0, Encoding::Raw));
            assert!(is_recorded(&mut file, 1, 1, Encoding::Png), "the other kind");
            assert!(!is_recorded(&mut file, 3, 0, Encoding::Raw) && !is_recorded(&mut file, 2, 1, Encoding::Png));
            assert!(is_recorded(&mut file, 2, 2, Encoding::Raw), "sessions that have their channels go on");
            let ids: std::collections::BTreeSet<_> = file.channels.values().collect();
            assert_eq!((ids.len(), file.channels.len(), file.free_channels), (2 * each + 1, 2 * each + 1, 0));
        }
    }
}
