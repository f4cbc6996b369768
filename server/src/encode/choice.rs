//! Chooses the quicker encoding: raw or LZ4.
//!
//! LZ4 is quicker when the bytes it saves would take longer on the link than compression and decompression do. The
//! frames themselves show the bytes and the compression time. The answers to raw frames show the link's time per byte.
//! Decompression is assumed to take as long as compression (measured: 0.1 to 0.7 of it).
//!
//! Trials are cheap. A raw stream compresses a sample of a frame now and then, and doubles the pause after each sample
//! that does not pay. An LZ4 stream that only just pays sends a few raw frames to measure the link again, and
//! quadruples the interval after each such trial.

/// Lowest and first estimate of the link's time, in ns per byte: the fastest link there is, between two ends on one
/// machine (1,363 MB/s measured). On any other link a saved byte is worth more.
const FASTEST_LINK_NS: f64 = 0.73;

/// Assumed time on a network that is not measured, in ns per byte: 1 Gbit/s.
const NETWORK_NS: f64 = 8.0;

/// Time to compress and decompress, over the time to compress.
const CODEC_FACTOR: f64 = 2.0;

/// A time saved of this many times the cost is a clear gain: the link is not measured again.
const CLEAR_GAIN_FACTOR: f64 = 4.0;

/// Maximum number of frames between two samples: 17 s at 60 fps. At that rate the cost of a 20 µs sample is too small
/// to measure.
const LONGEST_PAUSE: u32 = 1024;

/// Frames that stay raw to measure the link: enough for two estimates.
const RAW_TRIAL_FRAMES: u32 = 32;

/// Fewest and most LZ4 frames between two such raw trials.
const FIRST_TRIAL_INTERVAL: u32 = 64;
const LAST_TRIAL_INTERVAL: u32 = 16_384;

/// LZ4 frames in a row that must pay before the pause between samples is short again.
const SETTLED_FRAMES: u32 = 64;

/// Compression times kept. The shortest counts: a thread that lost its core can measure any longer time.
const TIMES_KEPT: usize = 4;

/// Result of compressing some pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    /// Bytes before.
    pub(super) pixels: usize,
    /// Bytes after.
    pub(super) block: usize,
    /// Time to compress them, in ns.
    pub(super) elapsed_ns: u64,
}

impl Trial {
    /// The result expected for a whole frame of `pixels` bytes, when this one is for a part of the frame.
    pub(super) fn scaled_to(self, pixels: usize) -> Self {
        let scale = pixels as f64 / self.pixels.max(1) as f64;
        let scaled = |part: f64| part * scale;
        Self { pixels, block: scaled(self.block as f64) as usize, elapsed_ns: scaled(self.elapsed_ns as f64) as u64 }
    }
}

/// What to do with the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Send it raw.
    Raw,
    /// Compress a sample of it and call [`Choice::sampled`], which says whether to compress the frame.
    Sample,
    /// Compress it and call [`Choice::compressed`].
    Lz4,
}

/// Chooses the encoding of each frame of one stream.
#[derive(Debug)]
pub(super) struct Choice {
    link_ns_per_byte: f64,
    state: State,
    /// Raw frames after the next sample that does not pay.
    pause: u32,
    /// LZ4 frames before the next raw trial.
    trial_interval: u32,
    /// Bytes of the last sampled or compressed frame, before compression.
    pixels: usize,
}

#[derive(Debug)]
enum State {
    Raw { left: u32 },
    Lz4 { left: u32, count: u32, clear: bool, elapsed_ns: [u64; TIMES_KEPT] },
}

impl Default for Choice {
    fn default() -> Self {
        let state = State::Raw { left: 0 };
        Self { link_ns_per_byte: FASTEST_LINK_NS, state, pause: 1, trial_interval: FIRST_TRIAL_INTERVAL, pixels: 0 }
    }
}

impl Choice {
    /// The choice for a link between machines whose speed is not measured.
    pub(super) fn for_network() -> Self {
        Self { link_ns_per_byte: NETWORK_NS, ..Self::default() }
    }

    /// What to do with the next frame.
    pub(super) fn plan(&mut self) -> Plan {
        match &mut self.state {
            State::Raw { left: 0 } => Plan::Sample,
            State::Raw { left } => {
                *left -= 1;
                Plan::Raw
            }
            State::Lz4 { left: 0, clear: false, .. } => {
                self.trial_interval = (4 * self.trial_interval).min(LAST_TRIAL_INTERVAL);
                self.state = State::Raw { left: RAW_TRIAL_FRAMES };
                Plan::Raw
            }
            State::Lz4 { left, .. } => {
                *left = left.saturating_sub(1);
                Plan::Lz4
            }
        }
    }

    /// Takes the result of a sample, scaled to the frame. Returns whether to compress the frame.
    pub(super) fn sampled(&mut self, trial: Trial) -> bool {
        self.pixels = trial.pixels;
        let pays = self.gain(trial, trial.elapsed_ns) > 1.0;
        if pays {
            let elapsed_ns = [u64::MAX; TIMES_KEPT];
            self.state = State::Lz4 { left: self.trial_interval, count: 0, clear: false, elapsed_ns };
        } else {
            self.go_raw();
        }
        pays
    }

    /// Takes the result of compressing a whole frame.
    pub(super) fn compressed(&mut self, trial: Trial) {
        self.pixels = trial.pixels;
        let State::Lz4 { elapsed_ns, count, .. } = &mut self.state else { return };
        elapsed_ns[*count as usize % TIMES_KEPT] = trial.elapsed_ns;
        *count = count.wrapping_add(1);
        let settled = *count == SETTLED_FRAMES;
        let shortest_ns = elapsed_ns.iter().copied().min().unwrap_or(u64::MAX);
        let gain = self.gain(trial, shortest_ns);
        if gain <= 1.0 {
            return self.go_raw();
        }
        if let State::Lz4 { clear, .. } = &mut self.state {
            *clear = gain > CLEAR_GAIN_FACTOR;
        }
        if settled {
            self.pause = 1;
        }
    }

    /// Takes a measurement of the link: the time of a raw frame's bytes, in µs.
    pub(super) fn link_measured(&mut self, us: f64) {
        if self.pixels == 0 {
            return;
        }
        let measured_ns = (us * 1e3 / self.pixels as f64).max(FASTEST_LINK_NS);
        let slower = measured_ns > 2.0 * self.link_ns_per_byte;
        self.link_ns_per_byte = (self.link_ns_per_byte + measured_ns) / 2.0;
        // On a slower link LZ4 may pay now.
        if let State::Raw { left } = &mut self.state
            && slower
        {
            *left = (*left).min(1);
        }
    }

    /// Time saved on the link over the time to compress and decompress.
    fn gain(&self, trial: Trial, elapsed_ns: u64) -> f64 {
        let saved_ns = trial.pixels.saturating_sub(trial.block) as f64 * self.link_ns_per_byte;
        saved_ns / (CODEC_FACTOR * elapsed_ns.max(1) as f64)
    }

    /// Sends raw frames for a while, because LZ4 does not pay.
    fn go_raw(&mut self) {
        self.state = State::Raw { left: self.pause };
        self.pause = (2 * self.pause).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::time::Micros;

    use super::super::link_time::LinkTime;
    use super::*;

    const PIXELS: usize = 307_200;

    /// A stream over a link, in simulated time.
    #[derive(Clone, Copy, Debug)]
    struct World {
        /// Bytes of a compressed frame over the bytes of its pixels.
        ratio: f64,
        compress_ns: f64,
        decompress_ns: f64,
        link_ns_per_byte: f64,
        /// Round-trip time of a small message.
        round_trip_us: u64,
    }

    impl World {
        fn raw_ns(self) -> f64 {
            PIXELS as f64 * self.link_ns_per_byte
        }

        fn lz4_ns(self) -> f64 {
            self.ratio * self.raw_ns() + self.compress_ns + self.decompress_ns
        }

        /// Time between two answers: 60 frames/s, or fewer if the link does not carry that many.
        fn interval_us(self) -> u64 {
            16_667.max((self.raw_ns() / 1e3) as u64)
        }

        fn trial(self) -> Trial {
            Trial { pixels: PIXELS, block: (PIXELS as f64 * self.ratio) as usize, elapsed_ns: self.compress_ns as u64 }
        }
    }

    /// Returns the total time of the stream in ns, and the number of its LZ4 frames.
    fn play(choice: &mut Choice, world: World, frames: u32) -> (f64, u32) {
        let (mut ns, mut lz4, mut link) = (0.0, 0, LinkTime::default());
        for frame in 0..u64::from(frames) {
            let compress = match choice.plan() {
                Plan::Raw => false,
                Plan::Sample => {
                    ns += world.compress_ns / 16.0;
                    choice.sampled(world.trial())
                }
                Plan::Lz4 => true,
            };
            if compress {
                choice.compressed(world.trial());
                (ns, lz4, link) = (ns + world.lz4_ns(), lz4 + 1, LinkTime::default());
            } else {
                ns += world.raw_ns();
                let flight_us = world.round_trip_us + (world.raw_ns() / 1e3) as u64;
                if let Some(us) = link.answered(Micros(frame * world.interval_us()), flight_us, world.round_trip_us) {
                    choice.link_measured(us);
                }
            }
        }
        (ns, lz4)
    }

    const CLEAN: World = World {
        ratio: 0.005,
        compress_ns: 16_000.0,
        decompress_ns: 8_000.0,
        link_ns_per_byte: 1.3,
        round_trip_us: 300,
    };
    const NOISY: World = World { ratio: 1.0, ..CLEAN };
    /// Noise of σ 1: half the bytes, but slow to compress.
    const HALVED: World = World { ratio: 0.52, compress_ns: 600_000.0, decompress_ns: 229_000.0, ..CLEAN };

    #[test]
    fn clean_frames_are_lz4_from_the_first_frame() {
        assert_eq!(play(&mut Choice::default(), CLEAN, 1000).1, 1000);
    }

    #[test]
    fn frames_of_noise_are_raw_and_rarely_sampled() {
        let mut choice = Choice::default();
        assert_eq!(play(&mut choice, NOISY, 3000).1, 0);
        let samples = (0..100_000).filter(|_| {
            let sample = choice.plan() == Plan::Sample;
            if sample {
                choice.sampled(NOISY.trial());
            }
            sample
        });
        assert!(samples.count() < 100);
    }

    #[test]
    fn halving_the_bytes_pays_only_on_a_slow_link() {
        let (_, fast) = play(&mut Choice::default(), HALVED, 4000);
        assert!(fast < 40, "{fast}");
        // 100 Mbit/s.
        let (_, slow) = play(&mut Choice::default(), World { link_ns_per_byte: 80.0, ..HALVED }, 4000);
        assert!(slow > 3900, "{slow}");
    }

    #[test]
    fn a_long_round_trip_does_not_count_as_time_of_the_bytes() {
        for round_trip_us in [0, 50_000, 300_000] {
            let (_, lz4) = play(&mut Choice::default(), World { round_trip_us, ..HALVED }, 4000);
            assert!(lz4 < 40, "{lz4} at {round_trip_us}");
            let slow = World { round_trip_us, link_ns_per_byte: 80.0, ..HALVED };
            let (_, lz4) = play(&mut Choice::default(), slow, 4000);
            assert!(lz4 > 3900, "{lz4} at {round_trip_us}");
        }
    }

    #[test]
    fn a_link_too_quick_to_measure_counts_as_the_fastest_link() {
        let mut choice = Choice::default();
        play(&mut choice, NOISY, 1);
        (0..20).for_each(|_| choice.link_measured(0.0));
        assert_eq!(choice.link_ns_per_byte, FASTEST_LINK_NS);
        assert_eq!(play(&mut choice, CLEAN, 100).1, 99, "one more frame of the pause is raw");
    }

    #[test]
    fn the_choice_follows_a_stream_that_changes() {
        let mut choice = Choice::default();
        play(&mut choice, NOISY, 500);
        assert!(play(&mut choice, CLEAN, 3000).1 > 1900, "noticed within the longest pause");
        assert!(play(&mut choice, NOISY, 3000).1 < 10, "noticed at once");
    }

    #[test]
    fn a_link_that_slows_down_is_noticed_at_once() {
        let mut choice = Choice::default();
        play(&mut choice, HALVED, 4000);
        let (_, lz4) = play(&mut choice, World { link_ns_per_byte: 80.0, ..HALVED }, 100);
        assert!(lz4 > 50, "{lz4}");
    }

    #[test]
    fn one_slow_compression_changes_nothing() {
        let mut choice = Choice::default();
        play(&mut choice, CLEAN, 100);
        choice.compressed(Trial { elapsed_ns: 5_000_000, ..CLEAN.trial() });
        assert_eq!(choice.plan(), Plan::Lz4);
    }

    #[test]
    fn the_result_of_a_part_is_scaled_to_the_whole() {
        let whole = Trial { pixels: 1000, block: 10, elapsed_ns: 50 }.scaled_to(16_000);
        assert_eq!((whole.pixels, whole.block, whole.elapsed_ns), (16_000, 160, 800));
        assert_eq!(Trial { pixels: 0, block: 0, elapsed_ns: 5 }.scaled_to(0).pixels, 0);
    }

    proptest! {
        #[test]
        fn auto_is_never_slower_than_raw_and_uses_lz4_when_it_is_much_quicker(
            ratio in 0.004..1.0f64,
            compress_us in 10.0..2000.0f64,
            decompress_share in 0.1..1.0f64,
            // From the fastest link to 10 Mbit/s.
            link_ns_per_byte in 0.73..800.0f64,
            round_trip_us in 0..400_000u64,
        ) {
            let compress_ns = compress_us * 1e3;
            let decompress_ns = compress_ns * decompress_share;
            let world = World { ratio, compress_ns, decompress_ns, link_ns_per_byte, round_trip_us };
            let frames = 20_000;
            let (ns, _) = play(&mut Choice::default(), world, frames);
            let (raw_ns, lz4_ns) = (world.raw_ns() * f64::from(frames), world.lz4_ns() * f64::from(frames));
            prop_assert!(ns <= 1.01 * raw_ns, "{} of raw", ns / raw_ns);
            // The choice assumes that decompression takes as long as compression, so it may miss gains smaller than
            // this.
            if lz4_ns < 0.4 * raw_ns {
                // The first estimate of the link takes 16 raw frames; the next sample comes after 32 at the latest.
                let learnt_ns = ns - 32.0 * world.raw_ns();
                prop_assert!(learnt_ns <= 1.08 * lz4_ns, "{} of LZ4", learnt_ns / lz4_ns);
            }
        }
    }
}
