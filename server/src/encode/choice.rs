//! Which encoding is quicker.
//!
//! LZ4 is, where the bytes it saves take longer on the link than it takes to write and read them. All of this is
//! measured: bytes and writing on the frames themselves, the link's time a byte on raw frames, by their answers; reading
//! is taken to last as long as writing (measured: 0.1 to 0.7 of it).
//!
//! Trying is cheap. A raw stream writes a sample of a frame every so often, and twice as seldom each time that it does
//! not pay. An LZ4 stream that only just pays goes raw for a moment, to measure the link again: this four times as
//! seldom each time.

/// Before anything is measured, ns for each byte, and at least: the fastest link there is, between two ends on one machine
/// (1,363 MB/s measured). On any other a byte saved is worth more.
const FASTEST_LINK_NS: f64 = 0.73;

/// The same of a network: 1 Gbit/s.
const NETWORK_NS: f64 = 8.0;

/// Time to write and read, over that to write.
const READ_TOO: f64 = 2.0;

/// A gain of so many times the cost needs no second look.
const SURE: f64 = 4.0;

/// Frames between two samples, at most: 17 s at 60 fps; a sample of 20 µs then costs nothing that can be measured.
const LONGEST_PAUSE: u32 = 1024;

/// Frames that stay raw to measure the link: two estimates.
const RAW_TRIAL: u32 = 32;

/// LZ4 frames between two such trials, at first and at most.
const FIRST_TRIAL: u32 = 64;
const LAST_TRIAL: u32 = 16_384;

/// LZ4 frames without a doubt after which the pauses begin anew.
const SETTLED: u32 = 64;

/// Times to write kept: the shortest counts, as a thread that lost its core measures anything.
const KEPT: usize = 4;

/// What LZ4 made of pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    /// Bytes before.
    pub(super) pixels: usize,
    /// Bytes after.
    pub(super) block: usize,
    /// Time to write them, in ns.
    pub(super) took_ns: u64,
}

impl Trial {
    /// The same for a whole frame of which this was a part.
    pub(super) fn of_all(self, pixels: usize) -> Self {
        let scale = pixels as f64 / self.pixels.max(1) as f64;
        let scaled = |part: f64| part * scale;
        Self { pixels, block: scaled(self.block as f64) as usize, took_ns: scaled(self.took_ns as f64) as u64 }
    }
}

/// What to do with the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Send it raw.
    Raw,
    /// Write a sample of it, call [`Choice::sampled`], do what that says.
    Sample,
    /// Write it, call [`Choice::written`].
    Lz4,
}

/// Decides for one stream.
#[derive(Debug)]
pub(super) struct Choice {
    link_ns_per_byte: f64,
    state: State,
    /// Frames before the next sample that follows one that did not pay.
    pause: u32,
    /// LZ4 frames before the next raw trial.
    trial_pause: u32,
    /// Bytes of the last raw or written frame's pixels.
    pixels: usize,
}

#[derive(Debug)]
enum State {
    Raw { left: u32 },
    Lz4 { left: u32, held: u32, sure: bool, took_ns: [u64; KEPT] },
}

impl Default for Choice {
    fn default() -> Self {
        let state = State::Raw { left: 0 };
        Self { link_ns_per_byte: FASTEST_LINK_NS, state, pause: 1, trial_pause: FIRST_TRIAL, pixels: 0 }
    }
}

impl Choice {
    /// For a link between machines that is not measured.
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
            State::Lz4 { left: 0, sure: false, .. } => {
                self.trial_pause = (4 * self.trial_pause).min(LAST_TRIAL);
                self.state = State::Raw { left: RAW_TRIAL };
                Plan::Raw
            }
            State::Lz4 { left, .. } => {
                *left = left.saturating_sub(1);
                Plan::Lz4
            }
        }
    }

    /// A sample, scaled to the frame: whether to write the frame.
    pub(super) fn sampled(&mut self, trial: Trial) -> bool {
        self.pixels = trial.pixels;
        let pays = self.gain(trial, trial.took_ns) > 1.0;
        if pays {
            let took_ns = [u64::MAX; KEPT];
            self.state = State::Lz4 { left: self.trial_pause, held: 0, sure: false, took_ns };
        } else {
            self.rest();
        }
        pays
    }

    /// A frame was written.
    pub(super) fn written(&mut self, trial: Trial) {
        self.pixels = trial.pixels;
        let State::Lz4 { took_ns, held, .. } = &mut self.state else { return };
        took_ns[*held as usize % KEPT] = trial.took_ns;
        *held = held.wrapping_add(1);
        let settled = *held == SETTLED;
        let shortest_ns = took_ns.iter().copied().min().unwrap_or(u64::MAX);
        let gain = self.gain(trial, shortest_ns);
        if gain <= 1.0 {
            return self.rest();
        }
        if let State::Lz4 { sure, .. } = &mut self.state {
            *sure = gain > SURE;
        }
        if settled {
            self.pause = 1;
        }
    }

    /// A raw frame's bytes took so long of the link, in µs.
    pub(super) fn link_took(&mut self, us: f64) {
        if self.pixels == 0 {
            return;
        }
        let measured_ns = (us * 1e3 / self.pixels as f64).max(FASTEST_LINK_NS);
        let slower = measured_ns > 2.0 * self.link_ns_per_byte;
        self.link_ns_per_byte = (self.link_ns_per_byte + measured_ns) / 2.0;
        // What did not pay may now.
        if let State::Raw { left } = &mut self.state
            && slower
        {
            *left = (*left).min(1);
        }
    }

    /// Time saved on the link over time to write and read.
    fn gain(&self, trial: Trial, took_ns: u64) -> f64 {
        let saved_ns = trial.pixels.saturating_sub(trial.block) as f64 * self.link_ns_per_byte;
        saved_ns / (READ_TOO * took_ns.max(1) as f64)
    }

    /// LZ4 does not pay: raw for a while.
    fn rest(&mut self) {
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

    /// A stream on a link, in simulated time.
    #[derive(Clone, Copy, Debug)]
    struct World {
        /// Bytes of a frame's block over its pixels'.
        ratio: f64,
        write_ns: f64,
        read_ns: f64,
        link_ns_per_byte: f64,
        /// What any message takes there and back.
        round_trip_us: u64,
    }

    impl World {
        fn raw_ns(self) -> f64 {
            PIXELS as f64 * self.link_ns_per_byte
        }

        fn lz4_ns(self) -> f64 {
            self.ratio * self.raw_ns() + self.write_ns + self.read_ns
        }

        /// Between two answers, at 60 frames a second where the link carries so many.
        fn interval_us(self) -> u64 {
            16_667.max((self.raw_ns() / 1e3) as u64)
        }

        fn trial(self) -> Trial {
            Trial { pixels: PIXELS, block: (PIXELS as f64 * self.ratio) as usize, took_ns: self.write_ns as u64 }
        }
    }

    /// The stream's time and how many of its frames were LZ4.
    fn play(choice: &mut Choice, world: World, frames: u32) -> (f64, u32) {
        let (mut ns, mut lz4, mut link) = (0.0, 0, LinkTime::default());
        for frame in 0..u64::from(frames) {
            let write = match choice.plan() {
                Plan::Raw => false,
                Plan::Sample => {
                    ns += world.write_ns / 16.0;
                    choice.sampled(world.trial())
                }
                Plan::Lz4 => true,
            };
            if write {
                choice.written(world.trial());
                (ns, lz4, link) = (ns + world.lz4_ns(), lz4 + 1, LinkTime::default());
            } else {
                ns += world.raw_ns();
                let flight_us = world.round_trip_us + (world.raw_ns() / 1e3) as u64;
                if let Some(us) = link.answered(Micros(frame * world.interval_us()), flight_us, world.round_trip_us) {
                    choice.link_took(us);
                }
            }
        }
        (ns, lz4)
    }

    const CLEAN: World =
        World { ratio: 0.005, write_ns: 16_000.0, read_ns: 8_000.0, link_ns_per_byte: 1.3, round_trip_us: 300 };
    const NOISY: World = World { ratio: 1.0, ..CLEAN };
    /// Noise of σ 1: half the bytes, but slow to write.
    const HALVED: World = World { ratio: 0.52, write_ns: 600_000.0, read_ns: 229_000.0, ..CLEAN };

    #[test]
    fn clean_frames_are_lz4_from_the_first() {
        assert_eq!(play(&mut Choice::default(), CLEAN, 1000).1, 1000);
    }

    #[test]
    fn frames_of_noise_are_raw_and_seldom_looked_at() {
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
    fn half_the_bytes_pay_on_a_slow_link_only() {
        let (_, fast) = play(&mut Choice::default(), HALVED, 4000);
        assert!(fast < 40, "{fast}");
        // 100 Mbit/s.
        let (_, slow) = play(&mut Choice::default(), World { link_ns_per_byte: 80.0, ..HALVED }, 4000);
        assert!(slow > 3900, "{slow}");
    }

    #[test]
    fn a_long_path_makes_no_byte_dearer() {
        for round_trip_us in [0, 50_000, 300_000] {
            let (_, lz4) = play(&mut Choice::default(), World { round_trip_us, ..HALVED }, 4000);
            assert!(lz4 < 40, "{lz4} at {round_trip_us}");
            let slow = World { round_trip_us, link_ns_per_byte: 80.0, ..HALVED };
            let (_, lz4) = play(&mut Choice::default(), slow, 4000);
            assert!(lz4 > 3900, "{lz4} at {round_trip_us}");
        }
    }

    #[test]
    fn a_link_too_quick_to_measure_is_the_fastest_there_is() {
        let mut choice = Choice::default();
        play(&mut choice, NOISY, 1);
        (0..20).for_each(|_| choice.link_took(0.0));
        assert_eq!(choice.link_ns_per_byte, FASTEST_LINK_NS);
        assert_eq!(play(&mut choice, CLEAN, 100).1, 99, "the next of the pause is raw");
    }

    #[test]
    fn a_stream_that_changes_is_followed() {
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
    fn one_slow_writing_changes_nothing() {
        let mut choice = Choice::default();
        play(&mut choice, CLEAN, 100);
        choice.written(Trial { took_ns: 5_000_000, ..CLEAN.trial() });
        assert_eq!(choice.plan(), Plan::Lz4);
    }

    #[test]
    fn a_part_speaks_for_the_whole() {
        let whole = Trial { pixels: 1000, block: 10, took_ns: 50 }.of_all(16_000);
        assert_eq!((whole.pixels, whole.block, whole.took_ns), (16_000, 160, 800));
        assert_eq!(Trial { pixels: 0, block: 0, took_ns: 5 }.of_all(0).pixels, 0);
    }

    proptest! {
        #[test]
        fn auto_is_never_slower_than_raw_and_finds_what_is_much_quicker(
            ratio in 0.004..1.0f64,
            write_us in 10.0..2000.0f64,
            read_part in 0.1..1.0f64,
            // From the fastest link to 10 Mbit/s.
            link_ns_per_byte in 0.73..800.0f64,
            round_trip_us in 0..400_000u64,
        ) {
            let write_ns = write_us * 1e3;
            let world = World { ratio, write_ns, read_ns: write_ns * read_part, link_ns_per_byte, round_trip_us };
            let frames = 20_000;
            let (ns, _) = play(&mut Choice::default(), world, frames);
            let (raw_ns, lz4_ns) = (world.raw_ns() * f64::from(frames), world.lz4_ns() * f64::from(frames));
            prop_assert!(ns <= 1.01 * raw_ns, "{} of raw", ns / raw_ns);
            // Where it is not known that reading is quicker than writing, that much is given away.
            if lz4_ns < 0.4 * raw_ns {
                // The link is known after 16 raw frames, and looked at again after 32 at the latest.
                let learnt_ns = ns - 32.0 * world.raw_ns();
                prop_assert!(learnt_ns <= 1.08 * lz4_ns, "{} of LZ4", learnt_ns / lz4_ns);
            }
        }
    }
}
