//! The answers `circle` and `none`, as people read them.

use shared::canvas::face::Section;
use shared::canvas::figure::{UNKNOWN, pixels};
use shared::canvas::mark::{Legend, Mark};
use shared::canvas::theme::Tone;
use shared::geometry::CircleEstimate;
use shared::protocol::message::{FoundCircle, Payload};

use crate::pipeline::answers::{AnswerKind, Answers};

/// The answers that every detector gives.
#[derive(Debug)]
pub(super) struct Circles;

impl Answers for Circles {
    fn kinds(&self) -> &'static [AnswerKind] {
        const CIRCLE: AnswerKind = AnswerKind { name: "circle", label: "Circle", is_bad: false };
        const NONE: AnswerKind = AnswerKind { name: "none", label: "No circle", is_bad: true };
        &[CIRCLE, NONE]
    }

    fn work(&self) -> &'static str {
        "detection"
    }

    fn header(&self) -> &'static str {
        "estimate x  estimate y    radius  detect ms"
    }

    fn row(&self, payload: &Payload<'_>) -> String {
        match circle(payload) {
            Some(CircleEstimate { x, y, radius }) => {
                let radius = radius.map_or_else(|| UNKNOWN.into(), |radius| format!("{radius:.3}"));
                format!("{x:>10.3}  {y:>10.3}  {radius:>8}")
            }
            None => format!("{:>32}", payload.kind()),
        }
    }

    fn gap(&self) -> &'static str {
        "without circle"
    }

    fn frame_section(&self, heading: String, payload: Option<&Payload<'_>>) -> Section {
        let circle = payload.and_then(circle);
        Section::new(heading, "x, y in px")
            .row("Centre", [circle.map(|c| pixels(c.x)), circle.map(|c| pixels(c.y))], Tone::Estimate)
            .row("Radius px", [circle.and_then(|c| c.radius).map(pixels)], Tone::Estimate)
    }

    fn mark(&self, payload: &Payload<'_>) -> Option<Mark> {
        circle(payload).map(Mark::Estimate)
    }

    fn legend(&self) -> Legend {
        Legend::Estimate
    }
}

fn circle(payload: &Payload<'_>) -> Option<CircleEstimate> {
    FoundCircle::read(payload).ok().flatten().map(|found| found.circle)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An estimate and its answer.
    fn answer(radius: Option<f64>) -> (CircleEstimate, Payload<'static>) {
        let circle = CircleEstimate { x: 320.1234, y: 9.5, radius };
        (circle, FoundCircle::write(Some(FoundCircle { circle, covariance: None })))
    }

    #[test]
    fn rows_are_as_wide_as_their_header() {
        let (found, answer) = answer(Some(20.0));
        assert_eq!(Circles.row(&answer), "   320.123       9.500    20.000");
        assert_eq!(Circles.row(&answer).len() + "  detect ms".len(), Circles.header().len());
        assert_eq!(Circles.row(&FoundCircle::write(None)), format!("{:>32}", "none"));
        assert_eq!(Circles.mark(&answer), Some(Mark::Estimate(found)));
    }

    #[test]
    fn a_circle_without_a_radius_is_shown_by_its_centre() {
        let (found, answer) = answer(None);
        assert_eq!(Circles.row(&answer), "   320.123       9.500         -");
        assert_eq!(Circles.mark(&answer), Some(Mark::Estimate(found)));
        let centre = [Some(pixels(found.x)), Some(pixels(found.y))];
        let section = Section::new("FRAME 7", "x, y in px").row("Centre", centre, Tone::Estimate);
        let section = section.row("Radius px", [None], Tone::Estimate);
        assert_eq!(Circles.frame_section("FRAME 7".into(), Some(&answer)), section);
    }
}
