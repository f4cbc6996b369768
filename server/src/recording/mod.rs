//! The format of a recording: an MCAP file that Foxglove shows and that the server replays.
//!
//! `foxglove` has the messages of images and annotations. `note` has what Foxglove's messages have no field for:
//! the exact truth of a frame. `record` has MCAP's records. `writer` writes a file, and `container` reads one
//! that may be incomplete or damaged; `order` knows which records Plumb writes, for completing a file. `described`
//! bounds what is kept of a file. `output::mcap` writes recordings, `source::mcap` replays them.

pub mod container;
pub(crate) mod described;
pub(crate) mod foxglove;
pub(crate) mod note;
mod order;
pub(crate) mod record;
pub(crate) mod writer;

/// Name of the metadata record that describes the recording.
pub(crate) const METADATA: &str = "plumb.run";

/// Key of the metadata: version of this format.
pub(crate) const FORMAT_KEY: &str = "format";

/// Version of this format.
pub(crate) const FORMAT: &str = "1";

/// Key of the metadata: name of the task.
pub(crate) const TASK_KEY: &str = "task";

/// Key of the metadata: frames per second; absent if the stream was not paced.
pub(crate) const RATE_KEY: &str = "rate_hz";

/// The topics of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topics {
    /// The frames as they were sent.
    pub(crate) image: String,
    /// The notes on the frames: what Foxglove's messages have no field for.
    pub(crate) note: String,
    /// Annotations of the truth.
    pub(crate) truth: String,
    /// Annotations of the answers.
    pub(crate) estimate: String,
    /// Figures of the frames.
    pub(crate) score: String,
}

impl Topics {
    /// The topics of a session. Those of the first session in a file have no prefix.
    pub(crate) fn of(session: u64, is_first: bool) -> Self {
        let prefix = if is_first { String::new() } else { format!("/session_{session}") };
        let topic = |name: &str| format!("{prefix}/{name}");
        Self {
            image: topic("camera/image"),
            note: topic("frame"),
            truth: topic("truth"),
            estimate: topic("estimate"),
            score: topic("score"),
        }
    }

    /// The topic of the notes on the images of this topic.
    pub(crate) fn note_of(image: &str) -> Option<String> {
        image.strip_suffix("/camera/image").map(|prefix| format!("{prefix}/frame"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notes_on_a_session_s_images_are_found() {
        for topics in [Topics::of(1, true), Topics::of(7, false)] {
            assert_eq!(Topics::note_of(&topics.image), Some(topics.note));
        }
        assert_eq!(Topics::of(7, false).image, "/session_7/camera/image");
        assert_eq!(Topics::note_of("/left/image_raw"), None);
    }
}
