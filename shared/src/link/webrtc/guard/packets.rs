//! Judges the peer's SCTP packets, from the packets of both directions.
//!
//! The SACKs in our own packets say how much data the crate has taken, and how much room it has left. Both bound what
//! may still arrive.

use super::breach::Breach;
use super::chunks::{ABORT, Chunk, DATA, ERROR, FORWARD_TSN, INIT, INIT_ACK, Malformed, RECONFIG, SACK, chunks};

/// How far a packet's number may be ahead of the last one we acknowledged. A peer's window of 1 MiB holds a few
/// thousand packets of some hundred bytes each.
const REACH: u32 = 1 << 16;

/// Numbers that a peer may skip before it has sent any data. The crate takes 3 ns for each.
const FIRST_SKIPS: u64 = 1 << 16;

/// Numbers that a peer may skip for each piece of data that arrives. A link that loses a larger share of its packets
/// cannot carry a session.
const SKIPS_PER_PIECE: u64 = 8;

/// Maximum number of skips that a peer can save up. The crate takes 3 ms for them.
const MOST_SKIPS: u64 = 1 << 20;

/// Maximum number of bytes accepted after we have told the peer that our window is full. An honest peer then only sends
/// single packets to probe for room (RFC 9260, 6.1 A).
const PAST_FULL: usize = 4 << 20;

/// Pieces of data smaller than this count as small, in bytes. All pieces of a message except the last are full packets.
const SMALL: usize = 256;

/// Maximum number of small pieces while the crate has an incomplete message. Each takes about 2 kB.
const MOST_SMALL: usize = 1 << 14;

/// Maximum number of streams a peer may send on: three lanes, a second one for answers, and as many again.
const MOST_STREAMS: usize = 8;

/// Maximum number of requests to reset streams, and the largest size of one, in bytes. Closing a channel takes one of
/// 32 bytes. Until the data before a request has arrived, the crate copies all requests for each piece of data.
const MOST_RESETS: usize = 64;
const LARGEST_RESET: usize = 128;

/// Length of the header of a piece of data, in bytes.
const DATA_HEADER: usize = 12;

/// What to do with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Drop,
    /// Drop it and all that follow.
    CutOff(Breach),
}

/// What is known from the packets of both directions.
#[derive(Debug, Default)]
pub(super) struct Packets {
    peer: Option<Peer>,
    /// Our window, and its free part by our last SACK.
    window: u32,
    room: u32,
    past_full: usize,
    small: usize,
    resets: usize,
    streams: Vec<u16>,
}

/// The one association of a link.
#[derive(Debug)]
struct Peer {
    tag: u32,
    first: u32,
    /// The highest number up to which all data has arrived or was skipped.
    reached: u32,
    skips: u64,
}

impl Packets {
    /// Judges a packet of the peer.
    pub(super) fn arrives(&mut self, packet: &[u8]) -> Verdict {
        for chunk in chunks(packet) {
            let verdict = match chunk.and_then(|chunk| self.judge(&chunk)) {
                Ok(verdict) => verdict,
                Err(Malformed) => chunk.map_or(Verdict::Drop, |chunk| Verdict::CutOff(Breach::Broken(chunk.kind))),
            };
            if verdict != Verdict::Pass {
                return verdict;
            }
        }
        Verdict::Pass
    }

    /// Reads a packet of ours.
    pub(super) fn leaves(&mut self, packet: &[u8]) {
        for chunk in chunks(packet).map_while(Result::ok) {
            // Our own packets are well-formed.
            let _ = match chunk.kind {
                SACK => self.acknowledges(&chunk),
                INIT | INIT_ACK => chunk.word(4).map(|window| (self.window, self.room) = (window, window)),
                _ => Ok(()),
            };
        }
    }

    fn acknowledges(&mut self, chunk: &Chunk<'_>) -> Result<(), Malformed> {
        let (reached, room) = (chunk.word(0)?, chunk.word(4)?);
        if let Some(peer) = &mut self.peer
            && is_after(reached, peer.reached)
        {
            peer.reached = reached;
        }
        self.room = room;
        if room > 0 {
            self.past_full = 0;
        }
        if room >= self.window {
            self.small = 0;
        }
        Ok(())
    }

    fn judge(&mut self, chunk: &Chunk<'_>) -> Result<Verdict, Malformed> {
        match chunk.kind {
            INIT | INIT_ACK => self.begins(chunk),
            DATA => self.brings(chunk),
            SACK => Ok(if has_ascending_blocks(chunk)? { Verdict::Pass } else { Verdict::Drop }),
            FORWARD_TSN => self.skips(chunk),
            ABORT | ERROR => chunk.has_sound_causes().map(|()| Verdict::Pass),
            RECONFIG => {
                self.resets += 1;
                let is_taken = self.resets <= MOST_RESETS && chunk.value.len() <= LARGEST_RESET;
                Ok(if is_taken { Verdict::Pass } else { Verdict::Drop })
            }
            _ => Ok(Verdict::Pass),
        }
    }

    /// Allows only one association. The crate would create another for each INIT with another tag.
    fn begins(&mut self, chunk: &Chunk<'_>) -> Result<Verdict, Malformed> {
        let (tag, first) = (chunk.word(0)?, chunk.word(12)?);
        let peer = self.peer.get_or_insert(Peer { tag, first, reached: first.wrapping_sub(1), skips: FIRST_SKIPS });
        Ok(if (peer.tag, peer.first) == (tag, first) { Verdict::Pass } else { Verdict::Drop })
    }

    fn brings(&mut self, chunk: &Chunk<'_>) -> Result<Verdict, Malformed> {
        let (number, stream) = (chunk.word(0)?, chunk.half(4)?);
        let size = chunk.value.len().checked_sub(DATA_HEADER).ok_or(Malformed)?;
        let Some(peer) = &mut self.peer else { return Ok(Verdict::Drop) };
        peer.skips = (peer.skips + SKIPS_PER_PIECE).min(MOST_SKIPS);
        if !is_after(number, peer.reached) {
            return Ok(Verdict::Pass);
        }
        if number.wrapping_sub(peer.reached) > REACH {
            return Ok(Verdict::Drop);
        }
        Ok(self.counts(stream, size).map_or(Verdict::Pass, Verdict::CutOff))
    }

    /// Counts a piece of data; a breach if there are too many.
    fn counts(&mut self, stream: u16, size: usize) -> Option<Breach> {
        if !self.streams.contains(&stream) {
            if self.streams.len() == MOST_STREAMS {
                return Some(Breach::Channels);
            }
            self.streams.push(stream);
        }
        if size < SMALL {
            self.small += 1;
        }
        if self.room == 0 {
            self.past_full += size;
        }
        if self.small > MOST_SMALL {
            return Some(Breach::Pieces);
        }
        (self.past_full > PAST_FULL).then_some(Breach::Endless)
    }

    /// Limits the numbers that are skipped, because the crate visits each of them.
    fn skips(&mut self, chunk: &Chunk<'_>) -> Result<Verdict, Malformed> {
        let to = chunk.word(0)?;
        let Some(peer) = &mut self.peer else { return Ok(Verdict::Drop) };
        if !is_after(to, peer.reached) {
            return Ok(Verdict::Pass);
        }
        match peer.skips.checked_sub(u64::from(to.wrapping_sub(peer.reached))) {
            Some(rest) => {
                (peer.skips, peer.reached) = (rest, to);
                Ok(Verdict::Pass)
            }
            None => Ok(Verdict::CutOff(Breach::Skip)),
        }
    }
}

/// Whether a number comes after another, in the arithmetic of serial numbers (RFC 1982).
fn is_after(number: u32, other: u32) -> bool {
    number != other && number.wrapping_sub(other) <= 1 << 31
}

/// Whether the blocks of a SACK are in ascending order and do not overlap, as RFC 9260 (3.3.4) requires. The crate
/// visits each number of each block.
fn has_ascending_blocks(chunk: &Chunk<'_>) -> Result<bool, Malformed> {
    let count = usize::from(chunk.half(8)?);
    let blocks = chunk.value.get(12..12 + 4 * count).ok_or(Malformed)?;
    let mut last = 0;
    for block in blocks.chunks_exact(4) {
        let (start, end) = (u16::from_be_bytes([block[0], block[1]]), u16::from_be_bytes([block[2], block[3]]));
        if start <= last || end < start {
            return Ok(false);
        }
        last = end;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::chunks::packet;
    use super::*;

    const WINDOW: u32 = 1 << 20;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn one(kind: u8, value: &[u8]) -> Vec<u8> {
        packet(&[(kind, 0, value)])
    }

    fn init(tag: u32, first: u32) -> Vec<u8> {
        one(INIT, &words(&[tag, WINDOW, 0xFFFF_FFFF, first]))
    }

    fn data(number: u32, stream: u16, size: usize) -> Vec<u8> {
        one(DATA, &[words(&[number, u32::from(stream) << 16, 51]), vec![7; size]].concat())
    }

    fn forward(to: u32) -> Vec<u8> {
        one(FORWARD_TSN, &words(&[to]))
    }

    fn sack(reached: u32, room: u32) -> Vec<u8> {
        one(SACK, &words(&[reached, room, 0]))
    }

    /// A link whose peer starts with this number.
    fn begun(first: u32) -> Packets {
        let mut packets = Packets::default();
        packets.leaves(&one(INIT_ACK, &words(&[1, WINDOW, 0, 5])));
        assert_eq!(packets.arrives(&init(9, first)), Verdict::Pass);
        packets
    }

    #[test]
    fn a_peer_may_skip_what_it_can_have_lost_and_no_more() {
        for first in [0, 1, 1 << 31, u32::MAX] {
            let mut packets = begun(first);
            assert_eq!(packets.arrives(&forward(first.wrapping_add(1000))), Verdict::Pass);
            assert_eq!(packets.arrives(&forward(first.wrapping_add(1000))), Verdict::Pass, "again");
            let far = packets.arrives(&forward(first.wrapping_add(1 << 31)));
            assert_eq!(far, Verdict::CutOff(Breach::Skip), "{first}");
        }
    }

    #[test]
    fn skipping_in_small_steps_is_bounded_too() {
        let mut packets = begun(1);
        let verdicts = (1..100).map(|step| packets.arrives(&forward(step * 10_000)));
        assert_eq!(verdicts.filter(|verdict| *verdict == Verdict::Pass).count(), 6);
    }

    #[test]
    fn a_lossy_link_may_skip_for_ever() {
        let mut packets = begun(1);
        for step in 1..10_000 {
            let number = step * 20;
            assert_eq!(packets.arrives(&data(number, 0, 1000)), Verdict::Pass);
            for loss in [number + 4, number + 7] {
                assert_eq!(packets.arrives(&forward(loss)), Verdict::Pass, "{step}");
            }
            for more in 0..3 {
                packets.arrives(&data(number + 8 + more, 0, 1000));
            }
            packets.leaves(&sack(number + 10, WINDOW));
        }
    }

    #[test]
    fn a_message_without_end_is_cut_off_soon_after_the_window_is_full() {
        let mut packets = begun(0);
        packets.leaves(&sack(0, 0));
        let passed =
            (1..1_000_000).take_while(|n| packets.arrives(&data(n % 60_000, 0, 1000)) == Verdict::Pass).count();
        assert_eq!(passed, PAST_FULL / 1000);
        let mut packets = begun(0);
        for number in 1..20_000 {
            // An honest peer sends this to probe for room.
            packets.leaves(&sack(number - 1, if number % 100 == 0 { 1 } else { 0 }));
            assert_eq!(packets.arrives(&data(number, 0, 1000)), Verdict::Pass);
        }
    }

    #[test]
    fn small_pieces_are_held_only_in_a_bounded_number() {
        let mut packets = begun(0);
        packets.leaves(&sack(0, WINDOW - 1));
        let passed = (1..60_000).take_while(|&n| packets.arrives(&data(n, 0, 1)) == Verdict::Pass).count();
        assert_eq!(passed, MOST_SMALL);
        let mut packets = begun(0);
        for number in 1..100_000 {
            assert_eq!(packets.arrives(&data(number, 0, 40)), Verdict::Pass);
            packets.leaves(&sack(number, if number % 9_000 == 0 { WINDOW } else { WINDOW - 40 }));
        }
    }

    #[test]
    fn a_link_has_few_streams_and_one_association() {
        let mut packets = begun(0);
        for stream in 0..MOST_STREAMS as u16 {
            assert_eq!(packets.arrives(&data(0, stream, 40)), Verdict::Pass);
        }
        assert_eq!(packets.arrives(&data(1, 99, 40)), Verdict::CutOff(Breach::Channels));
        assert_eq!(packets.arrives(&init(9, 0)), Verdict::Pass, "repeated");
        assert_eq!([packets.arrives(&init(8, 0)), packets.arrives(&init(9, 1))], [Verdict::Drop; 2]);
        assert_eq!(Packets::default().arrives(&data(1, 0, 40)), Verdict::Drop, "before it began");
    }

    #[test]
    fn broken_chunks_do_not_pass() {
        let mut packets = begun(0);
        for (kind, value) in [(ABORT, &[0, 12, 0, 99][..]), (ERROR, &[0, 12, 0, 0]), (DATA, &[0; 11]), (SACK, &[0; 8])]
        {
            let verdict = begun(0).arrives(&one(kind, value));
            assert_eq!(verdict, Verdict::CutOff(Breach::Broken(kind)));
        }
        assert_eq!(packets.arrives(&one(ABORT, b"")), Verdict::Pass);
        let overlapping = words(&[1, WINDOW, 2 << 16, 1 << 16 | 9, 3 << 16 | 12]);
        assert_eq!(packets.arrives(&one(SACK, &overlapping)), Verdict::Drop);
        let apart = words(&[1, WINDOW, 2 << 16, 2 << 16 | 9, 12 << 16 | 12]);
        assert_eq!(packets.arrives(&one(SACK, &apart)), Verdict::Pass);
        assert_eq!(packets.arrives(&one(RECONFIG, &[0; LARGEST_RESET + 1])), Verdict::Drop);
        let resets = (0..1000).filter(|_| packets.arrives(&one(RECONFIG, &[0; 16])) == Verdict::Pass).count();
        assert_eq!(resets, MOST_RESETS - 1);
        assert_eq!(packets.arrives(&data(REACH + 1, 0, 40)), Verdict::Drop);
        assert_eq!(packets.arrives(&[0; 5]), Verdict::Drop);
    }

    proptest! {
        #[test]
        fn no_packets_make_it_panic(packets in proptest::collection::vec(
            (prop::sample::select(vec![DATA, INIT, SACK, ABORT, RECONFIG, FORWARD_TSN, 77]),
             proptest::collection::vec(any::<u8>(), 0..40)), 0..20)
        ) {
            let mut judge = begun(7);
            for (kind, value) in packets {
                judge.arrives(&one(kind, &value));
                judge.leaves(&one(kind, &value));
            }
        }
    }
}
