//! A pool of reusable buffers. Whoever gets a buffer only drops it; nothing needs to be returned.

use std::collections::VecDeque;

use bytes::BytesMut;

/// Buffers examined before a new one is made: they become free in about the order they were handed out.
const TRIES: usize = 4;

/// Room beyond the requested size, in bytes: ids and times grow by this much over a session, and messages with them.
const SLACK: usize = 64;

/// Keeps the memory of the buffers it hands out, and reuses it once nobody else holds it.
#[derive(Debug)]
pub struct BufferPool {
    /// Empty remainders of buffers whose filled part may still be held, each with its total capacity. Longest out
    /// first.
    spare: VecDeque<(BytesMut, usize)>,
    most: usize,
    /// The largest size requested, so that each new buffer suffices for every request.
    largest: usize,
}

impl BufferPool {
    /// A pool that keeps the memory of at most `most` buffers.
    pub fn new(most: usize) -> Self {
        Self { spare: VecDeque::new(), most, largest: 0 }
    }

    /// Raises the number of buffers kept to at least `most`.
    pub fn keep(&mut self, most: usize) {
        self.most = self.most.max(most);
    }

    /// An empty buffer with room for `least` bytes.
    pub fn take(&mut self, least: usize) -> BytesMut {
        self.largest = self.largest.max(least);
        for _ in 0..self.spare.len().min(TRIES) {
            let Some((mut buffer, room)) = self.spare.pop_front() else { break };
            if buffer.try_reclaim(self.largest) {
                return buffer;
            }
            // A buffer that has become too small stays too small: drop it.
            if room >= self.largest {
                self.spare.push_back((buffer, room));
            }
        }
        BytesMut::with_capacity(self.largest + SLACK)
    }

    /// Hands out the filled part of a buffer. Its memory returns to the pool when that part is dropped.
    pub fn share(&mut self, mut filled: BytesMut) -> BytesMut {
        self.largest = self.largest.max(filled.len());
        let room = filled.capacity();
        let shared = filled.split();
        self.put(filled, room);
        shared
    }

    /// Takes back a buffer that nobody else holds.
    pub fn put_back(&mut self, mut buffer: BytesMut) {
        buffer.clear();
        let room = buffer.capacity();
        self.put(buffer, room);
    }

    fn put(&mut self, rest: BytesMut, room: usize) {
        if self.spare.len() >= self.most {
            self.spare.pop_front();
        }
        if self.most > 0 {
            self.spare.push_back((rest, room));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pool: &mut BufferPool, bytes: &[u8]) -> BytesMut {
        let mut buffer = pool.take(bytes.len());
        buffer.extend_from_slice(bytes);
        pool.share(buffer)
    }

    #[test]
    fn memory_comes_back_when_its_user_drops_it() {
        let mut pool = BufferPool::new(4);
        let first = filled(&mut pool, &[1; 1000]).freeze();
        let place = first.as_ptr();
        let second = filled(&mut pool, &[2; 1000]);
        assert_ne!(second.as_ptr(), place, "the first is in use");
        drop(first);
        assert_eq!(filled(&mut pool, &[3; 1000]).as_ptr(), place);
        assert_eq!(second[..], [2; 1000]);
    }

    #[test]
    fn a_buffer_grown_by_its_user_keeps_its_size() {
        let mut pool = BufferPool::new(1);
        let mut buffer = pool.take(10);
        buffer.extend_from_slice(&[0; 5000]);
        let place = pool.share(buffer).as_ptr();
        let again = pool.take(1);
        assert!(again.capacity() >= 5000);
        assert_eq!(again.as_ptr(), place);
    }

    #[test]
    fn buffers_that_have_become_too_small_make_room_for_others() {
        let mut pool = BufferPool::new(8);
        for length in [100, 1000] {
            for _ in 0..8 {
                let out: Vec<_> = (0..4).map(|_| filled(&mut pool, &vec![0; length])).collect();
                drop(out);
            }
        }
        assert!(pool.spare.iter().all(|(_, room)| *room >= 1000), "{pool:?}");
    }

    #[test]
    fn no_more_are_kept_than_the_limit_allows() {
        let mut pool = BufferPool::new(2);
        let out: Vec<_> = (0..10).map(|byte| filled(&mut pool, &[byte; 100])).collect();
        assert_eq!(pool.spare.len(), 2);
        assert!(out.iter().enumerate().all(|(byte, buffer)| buffer[..] == [byte as u8; 100]));
    }
}
