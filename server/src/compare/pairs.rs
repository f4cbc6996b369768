//! Pairs the frames of two runs: those with the same seed, id and truth.

use super::frames::Frame;
use super::side::Side;
use crate::run::is_same_option;

/// The options that must be equal. If they differ, frames of the same seed differ in size, or are not computed.
const SAME: [&str; 2] = ["size", "source"];

/// The paired frames of two runs.
#[derive(Debug)]
pub(super) enum Pairs<'a> {
    /// The frames of both runs, by id.
    Paired {
        /// The same frame in A and in B.
        pairs: Vec<(&'a Frame, &'a Frame)>,
        /// Frames of A that B does not have.
        only_a: usize,
        /// Frames of B that A does not have.
        only_b: usize,
    },
    /// The frames are not paired, for this reason.
    Unpaired(String),
}

/// Pairs the frames of two runs.
pub(super) fn pair<'a>(a: &'a Side, b: &'a Side) -> Pairs<'a> {
    match why_not(a, b) {
        Some(why) => Pairs::Unpaired(why),
        None => matched(a.frames.as_deref().unwrap_or_default(), b.frames.as_deref().unwrap_or_default()),
    }
}

/// The reason why the frames of two runs cannot be the same. `None` if they can.
fn why_not(a: &Side, b: &Side) -> Option<String> {
    if a.seed() != b.seed() {
        let seed = |side: &Side| side.seed().map_or("none".into(), |seed| seed.to_string());
        return Some(format!("the seeds differ: {} and {}", seed(a), seed(b)));
    }
    for name in SAME {
        let (in_a, in_b) = (a.option(name), b.option(name));
        if !is_same_option(name, in_a, in_b) {
            return Some(format!("the options differ: {name} is {in_a} and {in_b}"));
        }
    }
    if a.option("source").as_str().is_some_and(|source| source.starts_with("camera:") || source.starts_with("/dev/")) {
        return Some("the source is a camera, which shows no frame twice".into());
    }
    [a, b]
        .into_iter()
        .find(|side| side.frames.is_none())
        .map(|side| format!("{} has no frames, only a report", shared::text::Escaped(&side.name)))
}

fn matched<'a>(a: &'a [Frame], b: &'a [Frame]) -> Pairs<'a> {
    let (mut pairs, mut rest) = (Vec::new(), b);
    for frame in a {
        let before = rest.partition_point(|other| other.id < frame.id);
        rest = &rest[before..];
        if let Some(other) = rest.first().filter(|other| other.id == frame.id) {
            if !frame.shows_the_same(other) {
                return Pairs::Unpaired(format!("frame {} shows something else", frame.id));
            }
            pairs.push((frame, other));
        }
    }
    if pairs.is_empty() {
        return Pairs::Unpaired("they have no frame in common".into());
    }
    let (only_a, only_b) = (a.len() - pairs.len(), b.len().saturating_sub(pairs.len()));
    Pairs::Paired { pairs, only_a, only_b }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::frames::Column;
    use super::super::frames::tests::frame;
    use super::*;

    fn side(seed: u64, config: serde_json::Value, ids: Option<&[u64]>) -> Side {
        let session = json!({"session": 1, "task": "circle", "frames": {"sent": 3}});
        let report = json!({"schema": 1, "run": {"seed": seed, "config": config}, "sessions": [session]});
        let frames = ids.map(|ids| ids.iter().map(|id| frame(*id, &[(Column::TruthX, *id as f64)])).collect());
        Side { frames, ..Side::of_report("runs/7".into(), report) }
    }

    fn said(a: &Side, b: &Side) -> String {
        match pair(a, b) {
            Pairs::Unpaired(why) => why,
            Pairs::Paired { pairs, only_a, only_b } => format!("{} pairs, {only_a}, {only_b}", pairs.len()),
        }
    }

    #[test]
    fn frames_with_one_seed_and_id_are_paired_and_all_others_counted() {
        let config = json!({"size": "640x480", "source": "ball"});
        let of = |ids: &[u64]| side(7, config.clone(), Some(ids));
        assert_eq!(said(&of(&[1, 2, 4]), &of(&[0, 2, 3, 4])), "2 pairs, 1, 2");
        assert_eq!(said(&of(&[1, 2]), &of(&[3, 4])), "they have no frame in common");
    }

    #[test]
    fn frames_that_are_not_the_same_are_not_paired_and_a_note_says_why() {
        let config = json!({"size": "640x480", "source": "ball"});
        let a = side(7, config.clone(), Some(&[1]));
        assert_eq!(said(&a, &side(8, config.clone(), Some(&[1]))), "the seeds differ: 7 and 8");
        let small = json!({"size": "320x240", "source": "ball"});
        let why = said(&a, &side(7, small, Some(&[1])));
        assert_eq!(why, "the options differ: size is \"640x480\" and \"320x240\"");
        assert_eq!(said(&a, &side(7, config.clone(), None)), "runs/7 has no frames, only a report");
        let camera = || side(7, json!({"source": "camera:0"}), Some(&[1]));
        assert_eq!(said(&camera(), &camera()), "the source is a camera, which shows no frame twice");
        let mut other = side(7, config, Some(&[1]));
        other.frames.as_mut().unwrap()[0].values[Column::TruthX as usize] = 5.0;
        assert_eq!(said(&a, &other), "frame 1 shows something else");
    }
}
