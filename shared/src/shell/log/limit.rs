//! One line per second for each kind of event that others can cause. Further lines are counted.
//!
//! A kind may have a burst: as many lines at once, if it was silent for as many seconds before.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Time for each line of one kind.
const SPACING: Duration = Duration::from_secs(1);

/// Lines held back, by kind. There must be few kinds: each takes up memory as long as it is not silent.
#[derive(Debug)]
pub(super) struct Limiter<K> {
    kinds: HashMap<K, Recent>,
}

/// The recent lines of one kind.
#[derive(Debug)]
struct Recent {
    /// When the time for all lines that were written is over.
    over: Instant,
    /// How long before that another line may be written.
    early: Duration,
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

    /// Returns the line if it may be written now. Otherwise it is held until [`Self::due`] returns it. Of its kind,
    /// `burst` lines may be written at once.
    pub(super) fn admit(&mut self, kind: K, burst: u32, line: String, now: Instant) -> Option<String> {
        let early = SPACING * burst.saturating_sub(1);
        let recent = self.kinds.entry(kind).or_insert(Recent { over: now, early, held: None });
        if recent.held.is_some() || !recent.may_write(now) {
            let more = recent.held.take().map_or(0, |held| held.more + 1);
            recent.held = Some(Held { line, more });
            return None;
        }
        recent.written(now);
        Some(line)
    }

    /// The held lines that may be written now, and when the next one may be.
    pub(super) fn due(&mut self, now: Instant) -> (Vec<String>, Option<Instant>) {
        let mut lines = Vec::new();
        self.kinds.retain(|_, recent| {
            if recent.may_write(now)
                && let Some(held) = recent.held.take()
            {
                lines.push(held.text());
                recent.written(now);
            }
            now < recent.over
        });
        let held = self.kinds.values().filter(|recent| recent.held.is_some());
        (lines, held.map(Recent::next).min())
    }

    /// All held lines, whether they may be written yet or not.
    pub(super) fn all(&mut self) -> Vec<String> {
        self.kinds.drain().filter_map(|(_, recent)| Some(recent.held?.text())).collect()
    }
}

impl Recent {
    fn may_write(&self, now: Instant) -> bool {
        self.over <= now + self.early
    }

    fn written(&mut self, now: Instant) {
        self.over = self.over.max(now) + SPACING;
    }

    /// When a line may be written, if none may now.
    fn next(&self) -> Instant {
        self.over.checked_sub(self.early).unwrap_or(self.over)
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
            said.extend(limiter.admit("bad", 1, format!("bad {ms}"), now));
        }
        assert_eq!(said, ["bad 0", "bad 999 (and 998 more)", "bad 1999 (and 999 more)"]);
        assert_eq!(limiter.all(), ["bad 2499 (and 499 more)"]);
    }

    #[test]
    fn a_kind_with_a_burst_has_every_line_of_a_crowd_and_a_line_per_second_of_a_flood() {
        let (start, mut limiter) = (Instant::now(), Limiter::new());
        let said = |limiter: &mut Limiter<&str>, ms: u64, line: &str| {
            let now = after(start, ms);
            let mut lines = limiter.due(now).0;
            lines.extend(limiter.admit("session", 4, line.into(), now));
            lines
        };
        for crowd in 0..3 {
            for client in 0..4 {
                assert_eq!(said(&mut limiter, 10_000 * crowd + client, "client").len(), 1, "{crowd}, {client}");
            }
        }
        let flood: Vec<_> = (30_000..35_500).flat_map(|ms| said(&mut limiter, ms, "flood")).collect();
        // Four at once, and one each second after that.
        assert_eq!(flood.len(), 4 + 5);
        assert_eq!(flood[..4], ["flood"; 4]);
        assert!(flood[5..].iter().all(|line| line == "flood (and 999 more)"), "{flood:?}");
        assert_eq!(limiter.all(), ["flood (and 499 more)"]);
    }

    #[test]
    fn kinds_do_not_hide_each_other() {
        let (start, mut limiter) = (Instant::now(), Limiter::new());
        assert_eq!(limiter.admit("bad", 1, "one".into(), start), Some("one".into()));
        assert_eq!(limiter.admit("worse", 1, "two".into(), start), Some("two".into()));
        assert_eq!(limiter.admit("bad", 1, "three".into(), after(start, 10)), None);
        assert_eq!(limiter.due(after(start, 10)), (vec![], Some(after(start, 1_000))));
        assert_eq!(limiter.due(after(start, 1_000)).0, ["three"], "one that was held alone is said as it is");
        assert_eq!(limiter.admit("bad", 1, "four".into(), after(start, 1_500)), None, "a second after that one");
        assert_eq!(limiter.due(after(start, 2_000)).0, ["four"]);
    }

    #[test]
    fn a_rare_event_is_logged_at_once_and_forgotten() {
        let (start, mut limiter) = (Instant::now(), Limiter::new());
        for second in 0..5 {
            let now = after(start, 1_000 * second);
            assert_eq!(limiter.due(now), (vec![], None));
            assert!(limiter.kinds.is_empty());
            assert!(limiter.admit("bad", 1, "line".into(), now).is_some());
        }
    }
}
