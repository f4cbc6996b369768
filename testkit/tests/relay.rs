//! The relay's decisions, tested without sockets.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use testkit::relay::{Counts, Impairments, Line, Transit};

const MS: Duration = Duration::from_millis(1);

fn impairments() -> impl Strategy<Value = Impairments> {
    let share = || prop_oneof![Just(0.0), Just(1.0), 0.0..1.0];
    let delay = || (0..50u32).prop_map(|ms| ms * MS);
    (delay(), delay(), share(), share(), share(), delay()).prop_map(
        |(delay, jitter, loss, duplication, reordering, hold)| Impairments {
            delay,
            jitter,
            loss,
            duplication,
            reordering,
            hold,
            rate: None,
        },
    )
}

/// Sends datagrams with these gaps in ms through a line. Returns what comes out with its times, and the line.
fn through(seed: u64, impairments: Impairments, gaps: &[u32], start: Instant) -> (Vec<(Instant, u64)>, Line) {
    let (mut line, mut out, mut now) = (Line::new(seed, impairments), Vec::new(), start);
    let drain = |line: &mut Line, until: Instant, out: &mut Vec<_>| {
        while let Some(due) = line.next_due().filter(|due| *due <= until) {
            let bytes = line.deliver(due).expect("due");
            out.push((due, u64::from_be_bytes(bytes.try_into().expect("eight bytes"))));
        }
    };
    for (index, gap) in gaps.iter().enumerate() {
        now += *gap * MS;
        drain(&mut line, now, &mut out);
        line.take(&(index as u64).to_be_bytes(), now);
    }
    drain(&mut line, now + 1000 * MS, &mut out);
    (out, line)
}

proptest! {
    #[test]
    fn the_same_seed_decides_the_same(seed: u64, impairments in impairments(), gaps in prop::collection::vec(0..20u32, 0..100)) {
        let start = Instant::now();
        let run = || through(seed, impairments, &gaps, start).0;
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn no_datagram_is_gained_or_forgotten(
        seed: u64, impairments in impairments(), gaps in prop::collection::vec(0..20u32, 0..100), until in 0..100usize,
    ) {
        let (out, line) = through(seed, impairments, &gaps, Instant::now());
        let Counts { taken, dropped, duplicated, delivered, .. } = line.counts();
        prop_assert_eq!((taken, delivered, line.waiting()), (gaps.len() as u64, out.len() as u64, 0));
        prop_assert_eq!(taken + duplicated, dropped + delivered);
        let mut times = BTreeMap::<u64, u64>::new();
        out.iter().for_each(|(_, datagram)| *times.entry(*datagram).or_default() += 1);
        prop_assert!(times.values().all(|times| *times <= 2));
        prop_assert_eq!(times.len() as u64, taken - dropped);
        prop_assert_eq!(times.values().filter(|times| **times == 2).count() as u64, duplicated);
        // The counts also hold while some datagrams are in flight.
        let mut line = Line::new(seed, impairments);
        for _ in &gaps[..until.min(gaps.len())] {
            line.take(&[0; 8], Instant::now());
        }
        let Counts { taken, dropped, duplicated, delivered, .. } = line.counts();
        prop_assert_eq!(taken + duplicated, dropped + delivered + line.waiting());
    }

    #[test]
    fn each_datagram_is_delayed_as_the_impairments_say(
        seed: u64, impairments in impairments(), gaps in prop::collection::vec(0..20u32, 1..100),
    ) {
        let start = Instant::now();
        let came: Vec<_> = gaps.iter().scan(start, |now, gap| { *now += *gap * MS; Some(*now) }).collect();
        for (out, datagram) in through(seed, impairments, &gaps, start).0 {
            let late = out - came[datagram as usize];
            prop_assert!(late >= impairments.delay);
            prop_assert!(late <= impairments.delay + impairments.jitter + impairments.hold);
        }
    }

    #[test]
    fn only_held_back_datagrams_are_overtaken(
        seed: u64, impairments in impairments(), gaps in prop::collection::vec(0..20u32, 0..100),
    ) {
        let out = through(seed, Impairments { reordering: 0.0, ..impairments }, &gaps, Instant::now()).0;
        prop_assert!(out.is_sorted_by_key(|(_, datagram)| *datagram));
    }

    #[test]
    fn the_shares_of_impairments_are_met(seed: u64, loss in 0.0..1.0, duplication in 0.0..1.0, reordering in 0.0..1.0) {
        let impairments = Impairments { loss, duplication, reordering, ..Impairments::default() };
        let fates: Vec<_> = (0..20_000).map(|index| impairments.transit(seed, index)).collect();
        let arrived: Vec<_> = fates
            .iter()
            .filter_map(|transit| match transit {
                Transit::Delivered { held, twice, .. } => Some((*held, *twice)),
                Transit::Dropped => None,
            })
            .collect();
        // Six standard deviations of a share of n draws are at most 3 / sqrt(n). Chance exceeds them once in a billion.
        let near = |hits: usize, of: usize, wanted: f64| {
            (hits as f64 / of as f64 - wanted).abs() <= 3.0 / (of as f64).sqrt()
        };
        prop_assert!(near(fates.len() - arrived.len(), fates.len(), loss));
        prop_assume!(!arrived.is_empty());
        let (held, twice) = (arrived.iter().filter(|of| of.0).count(), arrived.iter().filter(|of| of.1).count());
        prop_assert!(near(held, arrived.len(), reordering) && near(twice, arrived.len(), duplication));
    }
}

#[test]
fn a_held_back_datagram_is_overtaken() {
    let impairments = Impairments { reordering: 0.3, hold: 100 * MS, ..Impairments::default() };
    let (out, line) = through(1, impairments, &[1; 50], Instant::now());
    assert!(line.counts().held > 0 && !out.is_sorted_by_key(|(_, datagram)| *datagram), "{out:?}");
}

#[test]
fn a_change_of_impairments_does_not_affect_datagrams_on_their_way() {
    let now = Instant::now();
    let mut line = Line::new(1, Impairments { delay: 10 * MS, ..Impairments::default() });
    line.take(&[1], now);
    line.change(Impairments { loss: 1.0, ..Impairments::default() });
    line.take(&[2], now + MS);
    assert_eq!((line.deliver(now + 9 * MS), line.deliver(now + 10 * MS)), (None, Some(vec![1])));
    assert_eq!(line.counts(), Counts { taken: 2, dropped: 1, delivered: 1, ..Counts::default() });
}
