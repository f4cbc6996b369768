//! Encoding a session's frames: as it was asked for, or as it is quicker.
//!
//! `choice` decides for `auto` by measured gain, `link_time` measures what a byte costs on the link. A [`FrameEncoder`] is the
//! shell around them: it runs the codec and holds the watch. It sees pixels and nothing of the scene.
//!
//! A frame's bytes on the way from the renderer to the detector: rendered in one buffer that stays (only what moved is
//! drawn again); copied once into fragments (raw) or written by the codec (`lz4`, a two-hundredth of them where frames
//! are clean) and copied from there; copied by the WebRTC crate at least three times here (packet, plaintext, record) and
//! once there (message), beside what the kernel does; joined, one copy while it is warm (none
//! where the message is one fragment); looked at where they were joined (raw) or read once into the worker's own image
//! (`lz4`).

mod choice;
mod link_time;

use std::time::{Duration, Instant};

use shared::image::Image;
use shared::protocol::encoding::{Encoding, Lz4Encoder, StreamEncoding};
use shared::protocol::message::Delivery;
use shared::time::Micros;

use crate::encode::choice::{Choice, Plan, Trial};
use crate::encode::link_time::LinkTime;

/// A sample is so many stripes of the image, evenly spread ...
const STRIPES: usize = 4;

/// ... that make up this part of it, ...
const SAMPLED_PART: usize = 16;

/// ... but each long enough for LZ4 to get into its stride, in bytes.
const LEAST_STRIPE: usize = 2048;

/// Encodes the frames of one session.
#[derive(Debug)]
pub struct FrameEncoder {
    asked: StreamEncoding,
    codec: Lz4Encoder,
    /// The watch.
    now: fn() -> Instant,
    choice: Choice,
    /// None in live delivery.
    link: Option<LinkTime>,
    /// The first of the frames that have been raw without a break.
    raw_since: Option<u64>,
}

impl FrameEncoder {
    /// An encoder that knows nothing of frames and link.
    ///
    /// In live delivery the link is not measured: frames that are lost say nothing, and those that come late for being
    /// repaired were not slow. It is taken for a network, on which each packet saved is one that cannot be lost.
    pub fn new(asked: StreamEncoding, delivery: Delivery) -> Self {
        let (choice, link) = match delivery {
            Delivery::Reliable => (Choice::default(), Some(LinkTime::default())),
            Delivery::Live => (Choice::for_network(), None),
        };
        Self { asked, codec: Lz4Encoder::default(), now: Instant::now, choice, link, raw_since: None }
    }

    /// The same by another watch: by one that does not depend on the machine, neither does what is chosen.
    pub fn timed_by(self, now: fn() -> Instant) -> Self {
        Self { now, ..self }
    }

    /// Encodes a frame: how, and its bytes. Ids count from 0, in order.
    pub fn encode<'a>(&'a mut self, id: u64, image: &'a Image) -> (Encoding, &'a [u8]) {
        let pixels = image.bytes();
        let encoding = match self.asked {
            StreamEncoding::Raw => Encoding::Raw,
            StreamEncoding::Lz4 => self.write(pixels).0,
            StreamEncoding::Auto => self.quicker(id, pixels),
        };
        match encoding {
            Encoding::Raw => (encoding, pixels),
            Encoding::Lz4 => (encoding, self.codec.block()),
        }
    }

    /// A frame's answer came at `now`: what its way says of the link, on which the frame and its answer took `flight_us`
    /// there and back, and a small message takes `round_trip_us`.
    pub fn answered(&mut self, id: u64, flight_us: u64, round_trip_us: u64, now: Micros) {
        let Some(link) = &mut self.link else { return };
        if self.raw_since.is_some_and(|since| id >= since)
            && let Some(us) = link.answered(now, flight_us, round_trip_us)
        {
            self.choice.link_took(us);
        }
    }

    fn quicker(&mut self, id: u64, pixels: &[u8]) -> Encoding {
        let lz4 = match self.choice.plan() {
            Plan::Raw => false,
            Plan::Sample => {
                let sample = self.sample(pixels);
                self.choice.sampled(sample.of_all(pixels.len()))
            }
            Plan::Lz4 => true,
        };
        let encoding = match lz4 {
            true => {
                let (encoding, trial) = self.write(pixels);
                self.choice.written(trial);
                encoding
            }
            false => Encoding::Raw,
        };
        match encoding {
            Encoding::Raw if self.raw_since.is_none() => {
                self.raw_since = Some(id);
                self.link = self.link.as_ref().map(|_| LinkTime::default());
            }
            Encoding::Raw => {}
            Encoding::Lz4 => self.raw_since = None,
        }
        encoding
    }

    /// Writes a frame whole.
    fn write(&mut self, pixels: &[u8]) -> (Encoding, Trial) {
        let start = (self.now)();
        let block = self.codec.encode(pixels).map(<[u8]>::len);
        let took_ns = ns((self.now)() - start);
        let trial = Trial { pixels: pixels.len(), block: block.unwrap_or(pixels.len()), took_ns };
        (block.map_or(Encoding::Raw, |_| Encoding::Lz4), trial)
    }

    /// Writes some of a frame, to see what that gives.
    fn sample(&mut self, pixels: &[u8]) -> Trial {
        let start = (self.now)();
        let mut trial = Trial { pixels: 0, block: 0, took_ns: 0 };
        let length = (pixels.len() / (SAMPLED_PART * STRIPES)).max(LEAST_STRIPE);
        for stripe in pixels.chunks(pixels.len().div_ceil(STRIPES).max(1)) {
            let stripe = &stripe[..length.min(stripe.len())];
            trial.pixels += stripe.len();
            trial.block += self.codec.encode(stripe).map_or(stripe.len(), <[u8]>::len);
        }
        Trial { took_ns: ns((self.now)() - start), ..trial }
    }
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use shared::geometry::Size;
    use shared::image::PixelFormat;
    use shared::protocol::encoding;

    use super::*;

    const SIZE: Size = Size { width: 320, height: 240 };
    const AUTO: StreamEncoding = StreamEncoding::Auto;

    fn noise() -> Image {
        let mut image = Image::zeros(SIZE, PixelFormat::Gray8);
        let Image::Gray8(pixels) = &mut image else { panic!("gray") };
        let mut state = 1u64;
        for pixel in pixels {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *pixel = (state >> 56) as u8;
        }
        image
    }

    #[test]
    fn whatever_is_asked_for_the_pixels_come_back() {
        let images = [Image::zeros(SIZE, PixelFormat::Bgr8), noise(), Image::zeros(SIZE, PixelFormat::Gray8)];
        for asked in [StreamEncoding::Raw, StreamEncoding::Lz4, StreamEncoding::Auto] {
            let (mut encoder, mut memory) = (FrameEncoder::new(asked, Delivery::Reliable), Vec::new());
            for (id, image) in images.iter().cycle().take(30).enumerate() {
                let (encoding, data) = encoder.encode(id as u64, image);
                let view = encoding::decode(encoding, data, SIZE, image.format(), &mut memory).unwrap();
                assert_eq!(&view.to_image(), image);
                assert!(data.len() <= image.bytes().len());
            }
        }
    }

    #[test]
    fn raw_and_lz4_are_what_was_asked_for_and_noise_is_never_longer_than_raw() {
        let flat = Image::zeros(SIZE, PixelFormat::Gray8);
        assert_eq!(FrameEncoder::new(StreamEncoding::Raw, Delivery::Reliable).encode(0, &flat).0, Encoding::Raw);
        assert_eq!(FrameEncoder::new(StreamEncoding::Lz4, Delivery::Reliable).encode(0, &flat).0, Encoding::Lz4);
        assert_eq!(FrameEncoder::new(StreamEncoding::Lz4, Delivery::Reliable).encode(0, &noise()).0, Encoding::Raw);
        assert_eq!(FrameEncoder::new(StreamEncoding::Auto, Delivery::Reliable).encode(0, &noise()).0, Encoding::Raw);
    }

    /// A watch by which nothing takes time, however busy the machine is.
    fn stopped() -> Instant {
        static MOMENT: LazyLock<Instant> = LazyLock::new(Instant::now);
        *MOMENT
    }

    #[test]
    fn in_live_delivery_clean_frames_are_written_whatever_becomes_of_them() {
        let clean = Image::zeros(SIZE, PixelFormat::Gray8);
        let mut encoder = FrameEncoder::new(AUTO, Delivery::Live).timed_by(stopped);
        assert!((0..500).all(|id| encoder.encode(id, &clean).0 == Encoding::Lz4));
        assert!((500..600).all(|id| encoder.encode(id, &noise()).0 == Encoding::Raw));
    }
}
