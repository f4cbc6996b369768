//! One line per second for each kind of failure. Further lines are counted.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Shortest time between two lines of one kind.
const SPACING: Duration = Duration::from_secs(1);

/// Lines held back, by kind. There must be few kinds: each takes up memory for a second.
#[derive(Debug)]
pub(super) struct Limiter<K> {
    kinds: HashMap<K, Recent>,
}

/// The recent lines of one kind.
#[derive(Debug)]
struct Recent {
    /// When the next line may be written.
    next: Instant,
    held: Option<Held>,
}

/// The last line held back, and how many were held back before it.
#[derive(Debug)]
struct Held {
    line: String,
    more: u64,
}

impl<K: Eq + Hash> Limiter<K> {
    /// Holds no lines.
    pub(super) fn new() -> Self {
        Self { kinds: HashMap::new() }
    }

    /// Returns the line if it may be written now. Otherwise it is held until [`Self::due`] returns it.
    pub(super) fn admit(&mut self, kind: K, line: String, now: Instant) -> Option<String> {
        match self.kinds.get_mut(&kind) {
            Some(recent) if recent.held.is_some() || now < recent.next => {
                let more = recent.held.take().map_or(0, |held| held.more + 1);
                recent.held = Some(Held { line, more });
                None
            }
            _ => {
                self.kinds.insert(kind, Recent { next: now + SPACING, held: None });
                Some(line)
            }
        }
    }

    /// The held lines that may be written now, and when the next one may be.
    pub(super) fn due(&mut self, now: Instant) -> (Vec<String>, Option<Instant>) {
        let mut lines = Vec::new();
        self.kinds.retain(|_, recent| {
            if now < recent.next {
                return true;
            }
            let held = recent.held.take();
            recent.next = now + SPACING;
            lines.extend(held.as_ref().map(Held::text));
            held.is_some()
        });
        let held = self.kinds.values().filter(|recent| recent.held.is_some());
        (lines, held.map(|recent| recent.next).min())
    }

    /// All held lines, whether they may be written yet or not.
    pub(super) fn all(&mut self) -> Vec<String> {
        self.kinds.drain().filter_map(|(_, recent)| Some(recent.held?.text())).collect()
    }
}

impl Held {
    fn text(&self) -> String {
        match self.more {
            0 => self.line.clone(),
            more => format!("{} (and {more} more)", self.line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn a_flood_of_one_kind_is_limited_to_a_line_per_second_and_the_rest_is_counted() {
        let (start, mut limiter) = (Instant::now(), Limiter::new());
        let mut said = Vec::new();
        // One failure per millisecond, for 2.5 s.
        for ms in 0..2_500 {
            let now = after(start, ms);
            said.extend(limiter.due(now).0);
            said.extend(limiter.admit("bad", format!("bad {ms}"), now));
        }
        assert_eq!(said, ["bad 0", "bad 999 (and 998 more)", "bad 1999 (and 999 more)"]);
        assert_eq!(limiter.all(), ["bad 2499 (and 499 more)"]);
    }

    #[test]
    fn kinds_do_not_hide_each_other() {
        let (start, mut limiter) = (Instant::now(), Limiter::new());
        assert_eq!(limiter.admit("bad", "one".into(), start), Some("one".into()));
        assert_eq!(limiter.admit("worse", "two".into(), start), Some("two".into()));
        assert_eq!(limiter.admit("bad", "three".into(), after(start, 10)), None);
        assert_eq!(limiter.due(after(start, 10)), (vec![], Some(after(start, 1_000))));
        assert_eq!(limiter.due(after(start, 1_000)).0, ["three"], "one that was held alone is said as it is");
        assert_eq!(limiter.admit("bad", "four".into(), after(start, 1_500)), None, "a second after that one");
        assert_eq!(limiter.due(after(start, 2_000)).0, ["four"]);
    }

    #[test]
    fn a_rare_event_is_logged_at_once_and_forgotten() {
        let (start, mut limiter) = (Instant::now(), Limiter::new());
        for second in 0..5 {
            let now = after(start, 1_000 * second);
            assert_eq!(limiter.due(now), (vec![], None));
            assert!(limiter.kinds.is_empty());
            assert!(limiter.admit("bad", "line".into(), now).is_some());
        }
    }
}
