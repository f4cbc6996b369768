//! Encodes a session's frames, in the encoding that was asked for or in the quicker one.
//!
//! `choice` decides for `auto` by the measured gain. `link_time` measures how long bytes take on the link. A
//! [`FrameEncoder`] is the shell around them: it runs the codec and holds the clock. It sees pixels, never the scene.
//!
//! A frame's bytes are copied this often on the way from the renderer to the detector:
//! 1. The camera renders into one buffer that stays; it draws again only what moved.
//! 2. Raw pixels are copied once into fragments. With `lz4` the codec writes a block (of clean frames, a two-hundredth
//!    of the bytes), which is copied into fragments. `png` and `jpeg` also write a picture that is copied into
//!    fragments, from a copy of the pixels with red first if they have colour.
//! 3. The WebRTC crate copies at least three times on the sending side (packet, plaintext, record) and once on the
//!    receiving side (message). The kernel's copies come on top.
//! 4. The receiver joins the fragments: one copy while the data is still in the cache, none if the message is one
//!    fragment.
//! 5. The detector reads raw pixels where they were joined; those of 16 bits are copied once if they lie at an odd
//!    address. With any other encoding they are decoded once, into the worker's own image.

mod choice;
mod link_time;

use std::time::{Duration, Instant};

use shared::image::Image;
use shared::protocol::encoding::{Encoding, JpegEncoder, Lz4Encoder, PngEncoder, StreamEncoding};
use shared::protocol::message::Delivery;
use shared::time::Micros;

use crate::encode::choice::{Choice, Plan, Trial};
use crate::encode::link_time::LinkTime;

/// Stripes of the image in a sample, evenly spread.
const STRIPES: usize = 4;

/// The stripes together are one part in this many of the image.
const SAMPLED_PART: usize = 16;

/// Shortest stripe, in bytes: long enough for LZ4 to compress at its usual rate.
const LEAST_STRIPE: usize = 2048;

/// Encodes the frames of one session.
#[derive(Debug)]
pub struct FrameEncoder {
    asked: StreamEncoding,
    codec: Lz4Encoder,
    png: PngEncoder,
    jpeg: JpegEncoder,
    /// The wire's bytes of a frame with 16 bits, on a machine with another byte order.
    wire: Vec<u8>,
    /// The clock.
    now: fn() -> Instant,
    choice: Choice,
    /// `None` in live delivery.
    link: Option<LinkTime>,
    /// Id of the first frame since which all frames have been raw.
    raw_since: Option<u64>,
}

impl FrameEncoder {
    /// An encoder that has not yet seen a frame or measured the link.
    ///
    /// In live delivery the link is not measured: a lost frame gives no measurement, and a frame that was late because
    /// it was repaired does not mean a slow link. The link is assumed to be a network, where each packet saved is a
    /// packet that cannot be lost.
    pub fn new(asked: StreamEncoding, delivery: Delivery) -> Self {
        let (choice, link) = match delivery {
            Delivery::Reliable => (Choice::default(), Some(LinkTime::default())),
            Delivery::Live => (Choice::for_network(), None),
        };
        Self {
            asked,
            codec: Lz4Encoder::default(),
            png: PngEncoder::default(),
            jpeg: JpegEncoder::default(),
            wire: Vec::new(),
            now: Instant::now,
            choice,
            link,
            raw_since: None,
        }
    }

    /// Whether frames may change their pixels on the way.
    pub fn is_lossy(&self) -> bool {
        self.asked.is_lossy()
    }

    /// The same encoder with another clock. If the clock does not depend on the machine, neither does the choice.
    pub fn timed_by(self, now: fn() -> Instant) -> Self {
        Self { now, ..self }
    }

    /// Encodes a frame. Returns its encoding and its bytes. Ids count from 0, in order.
    pub fn encode<'a>(&'a mut self, id: u64, image: &'a Image) -> (Encoding, &'a [u8]) {
        let encoding = match self.asked {
            StreamEncoding::Raw => Encoding::Raw,
            StreamEncoding::Lz4 => self.with_wire_bytes(image, |this, pixels| this.compress(pixels).0),
            StreamEncoding::Auto => self.with_wire_bytes(image, |this, pixels| this.encode_auto(id, pixels)),
            StreamEncoding::Png => self.png.encode(image).map_or(Encoding::Raw, |_| Encoding::Png),
            StreamEncoding::Jpeg(quality) => self.jpeg.encode(image, quality).map_or(Encoding::Raw, |_| Encoding::Jpeg),
        };
        let data = match encoding {
            Encoding::Raw => image.view().wire_bytes(&mut self.wire),
            Encoding::Lz4 => self.codec.block(),
            Encoding::Png => self.png.picture(),
            Encoding::Jpeg => self.jpeg.picture(),
        };
        (encoding, data)
    }

    /// What [`Self::encode`] returned last, if it is a picture; empty otherwise.
    pub fn latest(&self, encoding: Encoding) -> &[u8] {
        match encoding {
            Encoding::Raw | Encoding::Lz4 => &[],
            Encoding::Png => self.png.picture(),
            Encoding::Jpeg => self.jpeg.picture(),
        }
    }

    /// Calls a method with the image's bytes as they go onto the wire.
    fn with_wire_bytes<T>(&mut self, image: &Image, encode: impl FnOnce(&mut Self, &[u8]) -> T) -> T {
        let mut wire = std::mem::take(&mut self.wire);
        let encoded = encode(self, image.view().wire_bytes(&mut wire));
        self.wire = wire;
        encoded
    }

    /// Takes the answer to a frame, which arrived at `now`, as a measurement of the link. Frame and answer were in
    /// flight for `flight_us`; a small message and its answer take `round_trip_us`.
    pub fn answered(&mut self, id: u64, flight_us: u64, round_trip_us: u64, now: Micros) {
        let Some(link) = &mut self.link else { return };
        if self.raw_since.is_some_and(|since| id >= since)
            && let Some(us) = link.answered(now, flight_us, round_trip_us)
        {
            self.choice.link_measured(us);
        }
    }

    /// Encodes a frame in the encoding that is quicker.
    fn encode_auto(&mut self, id: u64, pixels: &[u8]) -> Encoding {
        let lz4 = match self.choice.plan() {
            Plan::Raw => false,
            Plan::Sample => {
                let sample = self.sample(pixels);
                self.choice.sampled(sample.scaled_to(pixels.len()))
            }
            Plan::Lz4 => true,
        };
        let encoding = match lz4 {
            true => {
                let (encoding, trial) = self.compress(pixels);
                self.choice.compressed(trial);
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
            _ => self.raw_since = None,
        }
        encoding
    }

    /// Compresses a whole frame.
    fn compress(&mut self, pixels: &[u8]) -> (Encoding, Trial) {
        let start = (self.now)();
        let block = self.codec.encode(pixels).map(<[u8]>::len);
        let elapsed_ns = ns((self.now)() - start);
        let trial = Trial { pixels: pixels.len(), block: block.unwrap_or(pixels.len()), elapsed_ns };
        (block.map_or(Encoding::Raw, |_| Encoding::Lz4), trial)
    }

    /// Compresses a part of a frame, to measure size and time.
    fn sample(&mut self, pixels: &[u8]) -> Trial {
        let start = (self.now)();
        let mut trial = Trial { pixels: 0, block: 0, elapsed_ns: 0 };
        let length = (pixels.len() / (SAMPLED_PART * STRIPES)).max(LEAST_STRIPE);
        for stripe in pixels.chunks(pixels.len().div_ceil(STRIPES).max(1)) {
            let stripe = &stripe[..length.min(stripe.len())];
            trial.pixels += stripe.len();
            trial.block += self.codec.encode(stripe).map_or(stripe.len(), <[u8]>::len);
        }
        Trial { elapsed_ns: ns((self.now)() - start), ..trial }
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
    use shared::protocol::encoding::{self, JpegQuality};

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
    fn every_encoding_gives_the_pixels_back() {
        let zeros = |format| Image::zeros(SIZE, format);
        let images = [zeros(PixelFormat::Bgr8), noise(), zeros(PixelFormat::Gray8), zeros(PixelFormat::Gray16)];
        for asked in [StreamEncoding::Raw, StreamEncoding::Lz4, StreamEncoding::Auto, StreamEncoding::Png] {
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
    fn a_jpeg_is_used_where_it_is_shorter_and_only_its_encoder_is_lossy() {
        let jpeg = StreamEncoding::Jpeg(JpegQuality::new(90).unwrap());
        let mut encoder = FrameEncoder::new(jpeg, Delivery::Reliable);
        assert_eq!(encoder.encode(0, &Image::zeros(SIZE, PixelFormat::Bgr8)).0, Encoding::Jpeg);
        assert_eq!(encoder.encode(1, &Image::zeros(Size { width: 8, height: 8 }, PixelFormat::Gray8)).0, Encoding::Raw);
        assert!(encoder.is_lossy());
        assert!(!FrameEncoder::new(StreamEncoding::Png, Delivery::Reliable).is_lossy());
    }

    #[test]
    fn raw_and_lz4_are_used_as_asked_and_noise_is_never_longer_than_raw() {
        let flat = Image::zeros(SIZE, PixelFormat::Gray8);
        assert_eq!(FrameEncoder::new(StreamEncoding::Raw, Delivery::Reliable).encode(0, &flat).0, Encoding::Raw);
        assert_eq!(FrameEncoder::new(StreamEncoding::Lz4, Delivery::Reliable).encode(0, &flat).0, Encoding::Lz4);
        assert_eq!(FrameEncoder::new(StreamEncoding::Lz4, Delivery::Reliable).encode(0, &noise()).0, Encoding::Raw);
        assert_eq!(FrameEncoder::new(StreamEncoding::Auto, Delivery::Reliable).encode(0, &noise()).0, Encoding::Raw);
    }

    /// A clock that stands still: nothing takes time, however busy the machine is.
    fn stopped() -> Instant {
        static MOMENT: LazyLock<Instant> = LazyLock::new(Instant::now);
        *MOMENT
    }

    #[test]
    fn in_live_delivery_clean_frames_are_compressed_and_noise_is_not() {
        let clean = Image::zeros(SIZE, PixelFormat::Gray8);
        let mut encoder = FrameEncoder::new(AUTO, Delivery::Live).timed_by(stopped);
        assert!((0..500).all(|id| encoder.encode(id, &clean).0 == Encoding::Lz4));
        assert!((500..600).all(|id| encoder.encode(id, &noise()).0 == Encoding::Raw));
    }
}
