//! Refuses options that conflict.

use shared::image::PixelFormat;
use shared::protocol::message::{Delivery, FRAME_OVERHEAD};

use crate::cli::Local;
use crate::run::{Origins, RunSpec};
use crate::source::StreamFormat;

/// Maximum memory for the frames that a session keeps to compare answers with, in bytes: the same as the client's limit
/// for a window of frames.
const KEPT_BUDGET: usize = 2 << 30;

/// The run of a server that calls a client, which has one session; any other run as it is.
///
/// # Errors
/// If the server is also told to listen, or to have its client in this process. An address to listen on that an
/// environment variable gives, as in a Docker image, has no effect.
pub(super) fn calling(mut spec: RunSpec, local: &Local, origins: &Origins) -> Result<RunSpec, String> {
    if local.record && local.out.is_none() {
        let wrong = "--record writes run.mcap into the folder of --out: add --out DIR";
        return Err(origins.explained(wrong, &["record".into(), "out".into()]));
    }
    if local.dial.is_none() {
        return Ok(spec);
    }
    if local.listen.is_some() && !origins.names("listen") {
        let wrong = "--dial does not go with --listen: a server that calls its client does not listen; leave one of \
                     them out";
        return Err(origins.explained(wrong, &["dial".into(), "listen".into()]));
    }
    if spec.delivered.loopback {
        let wrong = "--dial does not go with --loopback, which has its client in this process: leave one of them out";
        return Err(origins.explained(wrong, &["dial".into(), "loopback".into()]));
    }
    spec.delivered.once = true;
    Ok(spec)
}

/// Why the run is impossible, and which options conflict. `None` if the run is possible.
pub(super) fn conflict(spec: &RunSpec, format: StreamFormat) -> Option<(String, Vec<String>)> {
    if format.pixel == PixelFormat::Gray16 && spec.delivered.encoding.is_lossy() {
        return Some(no_jpeg_of_16_bits(spec));
    }
    if let Some(wrong) = spec.too_warm() {
        return Some((wrong, vec!["warmup".into(), "frames".into()]));
    }
    let task = spec.sent.task.unwrap_or_default();
    if !task.keeps_frames() {
        return None;
    }
    if spec.delivered.delivery == Delivery::Live {
        let wrong = format!(
            "--task {task} does not go with --delivery live, where a picture would be lost with any of its pieces: \
             write --delivery reliable"
        );
        return Some((wrong, vec!["task".into(), "delivery".into()]));
    }
    let (window, StreamFormat { size, pixel }) = (spec.delivered.window, format);
    let most = KEPT_BUDGET / (pixel.bytes(size) + FRAME_OVERHEAD);
    (window.get() as usize > most).then(|| {
        let wrong = format!(
            "--task {task} keeps a window of frames, and --window {window} of {size} {pixel} takes too much memory: \
             write --window {most} or less"
        );
        (wrong, vec!["task".into(), "window".into()])
    })
}

fn no_jpeg_of_16_bits(spec: &RunSpec) -> (String, Vec<String>) {
    let wrong = format!(
        "--encoding {} does not go with gray16 frames, because JPEG has 8 bits: write --encoding png or lz4, which lose \
         nothing",
        spec.delivered.encoding
    );
    (wrong, vec!["encoding".into(), "pixel".into(), "source".into()])
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use shared::geometry::Size;

    use super::*;

    fn refused(task: &str, delivery: Delivery, window: u32) -> Option<String> {
        let mut spec = RunSpec::default();
        spec.sent.task = Some(task.parse().unwrap());
        spec.delivered.delivery = delivery;
        spec.delivered.window = NonZeroU32::new(window).unwrap();
        let format = StreamFormat { size: Size { width: 8192, height: 8192 }, pixel: PixelFormat::Bgr8 };
        conflict(&spec, format).map(|(wrong, _)| wrong)
    }

    #[test]
    fn a_warm_up_leaves_frames_that_count() {
        let format = StreamFormat { size: Size { width: 64, height: 48 }, pixel: PixelFormat::Gray8 };
        let refused = |frames: u64, warmup| {
            let mut spec = RunSpec::default();
            spec.sent.frames = std::num::NonZeroU64::new(frames);
            spec.judged.warmup = warmup;
            conflict(&spec, format).map(|(wrong, _)| wrong)
        };
        assert_eq!((refused(300, 299), refused(0, 9)), (None, None));
        assert!(refused(300, 300).unwrap().starts_with("--warmup 300 leaves nothing of --frames 300: write fewer"));
    }

    #[test]
    fn pictures_go_with_reliable_delivery_and_a_window_that_fits_memory() {
        assert_eq!(refused("image", Delivery::Reliable, 10), None);
        let wrong = refused("image", Delivery::Reliable, 11).unwrap();
        assert!(
            wrong.ends_with("--window 11 of 8192x8192 bgr8 takes too much memory: write --window 10 or less"),
            "{wrong}"
        );
        let wrong = refused("image", Delivery::Live, 8).unwrap();
        assert!(wrong.ends_with("write --delivery reliable"), "{wrong}");
        assert_eq!(refused("ack", Delivery::Live, 4096), None);
    }

    #[test]
    fn jpeg_does_not_go_with_frames_of_sixteen_bits() {
        let refused = |encoding: &str, pixel| {
            let mut spec = RunSpec::default();
            spec.delivered.encoding = encoding.parse().unwrap();
            let format = StreamFormat { size: Size { width: 64, height: 48 }, pixel };
            conflict(&spec, format).map(|(wrong, _)| wrong)
        };
        let wrong = refused("jpeg:90", PixelFormat::Gray16).unwrap();
        assert!(wrong.starts_with("--encoding jpeg:90 does not go with gray16 frames"), "{wrong}");
        assert_eq!(refused("png", PixelFormat::Gray16), None);
        assert_eq!(refused("jpeg:90", PixelFormat::Bgr8), None);
    }
}
