//! What ffprobe reports about a video: size, rate and pixel format. It decodes one frame, so that a file without frames
//! is refused before the server listens.

use std::io::ErrorKind;
use std::process::Command;

use serde::Deserialize;
use shared::geometry::Size;

use super::address::Address;
use super::error::{VideoError, shown};
use super::process::{Ended, Processes, SILENCE};

/// The program that looks at files.
const PROGRAM: &str = "ffprobe";

/// Maximum number of bytes of ffprobe's answer: a hundred times what a file with every tag has.
const ANSWER_BYTES: usize = 1 << 20;

/// Smallest share by which the two rates of a file must differ for it to count as one of variable frame rate. A short
/// file of constant rate is off by a frame in its length.
const VARIABLE: f64 = 0.05;

/// What is known of a video before it is played.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Probed {
    /// Size of its frames as they are shown: a rotation in the file's metadata is applied.
    pub(super) size: Size,
    /// Frames per second; `None` if the file does not say.
    pub(super) rate_hz: Option<f64>,
    /// ffmpeg's name of its pixel format.
    pub(super) pix_fmt: String,
    /// Whether ffmpeg has the option `-fps_mode`, which version 5.1 brought in place of `-vsync`.
    pub(super) has_fps_mode: bool,
}

/// Asks ffprobe.
///
/// # Errors
/// [`VideoError`] says why this is not a video to play.
pub(super) fn probe(address: &Address) -> Result<Probed, VideoError> {
    let source_name = shown(address.text());
    let mut command = Command::new(PROGRAM);
    command.args(["-v", "error", "-of", "json", "-show_program_version", "-select_streams", "V:0"]);
    command.args(["-read_intervals", "%+#1", "-show_entries", ENTRIES]).args(address.options());
    command.arg("-i").arg(address.input());
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => VideoError::NoProgram { source_name: source_name.clone(), program: PROGRAM },
        ErrorKind::TimedOut => address.silent(PROGRAM),
        _ => VideoError::Program { program: PROGRAM, error },
    };
    let mut running = Processes::default().start(command).map_err(failed)?;
    let mut answer = vec![0; ANSWER_BYTES];
    let length = running.fill(&mut answer, Some(SILENCE)).map_err(failed)?;
    let Ended { is_success, said } = running.end();
    let answer: Answer = serde_json::from_slice(&answer[..length]).unwrap_or_default();
    let Some(stream) = answer.streams.first() else {
        return Err(match is_success {
            true => VideoError::NoStream { source_name },
            false => VideoError::NotAVideo { source_name, said },
        });
    };
    let Some(frame) = answer.frames.first() else { return Err(VideoError::NoFrame { source_name, said }) };
    let [width, height] =
        if stream.is_on_its_side() { [frame.height, frame.width] } else { [frame.width, frame.height] };
    Ok(Probed {
        size: Size::new(width, height).map_err(|error| VideoError::Size { source_name, error })?,
        rate_hz: stream.rate_hz(),
        pix_fmt: stream.pix_fmt.clone(),
        has_fps_mode: has_fps_mode(&answer.program_version.version),
    })
}

const ENTRIES: &str = "stream=pix_fmt,r_frame_rate,avg_frame_rate:stream_tags=rotate:stream_side_data=rotation:\
                       frame=width,height";

/// ffprobe's answer. What is absent there is empty here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    program_version: ProgramVersion,
    streams: Vec<Stream>,
    frames: Vec<Frame>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProgramVersion {
    version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Frame {
    width: u64,
    height: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    pix_fmt: String,
    r_frame_rate: String,
    avg_frame_rate: String,
    tags: Rotated,
    side_data_list: Vec<Rotation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rotated {
    rotate: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rotation {
    rotation: Option<f64>,
}

impl Stream {
    /// Whether frames are shown turned by a quarter, so that width and height change places.
    fn is_on_its_side(&self) -> bool {
        let turned = self.side_data_list.iter().find_map(|data| data.rotation);
        let degrees = turned.or_else(|| self.tags.rotate.parse().ok()).unwrap_or_default();
        (degrees.abs() % 180.0 - 90.0).abs() < 1.0
    }

    /// The file's rate: the nominal one, or the mean one of a file of variable rate.
    fn rate_hz(&self) -> Option<f64> {
        let [nominal, mean] = [&self.r_frame_rate, &self.avg_frame_rate].map(|text| ratio(text));
        match (nominal, mean) {
            (Some(nominal), Some(mean)) if (nominal / mean - 1.0).abs() > VARIABLE => Some(mean),
            (nominal, mean) => nominal.or(mean),
        }
    }
}

/// Reads `30000/1001`; `None` if it is not a rate that a stream of frames can have.
fn ratio(text: &str) -> Option<f64> {
    let (over, under) = text.split_once('/')?;
    let ratio = over.parse::<f64>().ok()? / under.parse::<f64>().ok()?;
    // 90000/1 is the clock of a transport stream that states no rate.
    (ratio > 0.0 && ratio < 10_000.0).then_some(ratio)
}

/// Whether this version has `-fps_mode`. A version that is not a number counts as newer than any release.
fn has_fps_mode(version: &str) -> bool {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse::<u32>().ok());
    let number = (numbers.next(), numbers.next().unwrap_or(0));
    number.0.is_none_or(|major| (major, number.1) >= (5, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_the_nominal_one_unless_frames_come_unevenly() {
        let rate = |nominal: &str, mean: &str| {
            Stream { r_frame_rate: nominal.into(), avg_frame_rate: mean.into(), ..Stream::default() }.rate_hz()
        };
        assert_eq!(rate("30000/1001", "30000/1001"), Some(30_000.0 / 1001.0));
        assert_eq!(rate("30/1", "900/31"), Some(30.0));
        assert_eq!(rate("120/1", "24/1"), Some(24.0), "a variable rate");
        assert_eq!(rate("90000/1", "0/0"), None);
        assert_eq!(rate("90000/1", "25/1"), Some(25.0));
        assert_eq!(rate("25/1", "0/0"), Some(25.0));
        assert_eq!(rate("", ""), None);
    }

    #[test]
    fn a_quarter_turn_swaps_width_and_height() {
        let turned = |degrees| {
            let side_data_list = vec![Rotation { rotation: None }, Rotation { rotation: Some(degrees) }];
            Stream { side_data_list, ..Stream::default() }.is_on_its_side()
        };
        assert_eq!([-90.0, 90.0, 270.0, 0.0, 180.0].map(turned), [true, true, true, false, false]);
        let tags = Rotated { rotate: "90".into() };
        assert!(Stream { tags, ..Stream::default() }.is_on_its_side());
    }

    #[test]
    fn old_versions_of_ffmpeg_get_the_option_they_know() {
        let versions = ["4.4.2-0ubuntu0.22.04.1", "5.0.3", "5.1.9-0+deb12u1", "7.1", "8.0", "N-109542-g123", ""];
        assert_eq!(versions.map(has_fps_mode), [false, false, true, true, true, true, true]);
    }
}
