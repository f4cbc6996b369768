//! The window: how many frames may be unanswered at a time.

use std::num::NonZeroU32;

/// Counts unanswered frames against a limit.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    limit: u32,
    in_flight: u32,
}

impl Window {
    /// An empty window with room for `limit` frames.
    pub fn new(limit: NonZeroU32) -> Self {
        Self { limit: limit.get(), in_flight: 0 }
    }

    /// Whether one more frame may be sent.
    pub fn has_room(&self) -> bool {
        self.in_flight < self.limit
    }

    /// Frames that were sent and neither answered nor given up.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Counts a frame as sent.
    pub fn enter(&mut self) {
        self.in_flight += 1;
    }

    /// Counts a frame as answered or given up.
    pub fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_two_takes_two_and_then_one_for_each_that_leaves() {
        let mut window = Window::new(NonZeroU32::new(2).unwrap());
        window.enter();
        assert!(window.has_room());
        window.enter();
        assert!(!window.has_room());
        window.leave();
        assert!(window.has_room());
        assert_eq!(window.in_flight(), 1);
    }
}
