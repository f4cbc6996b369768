//! The answers `circle` and `none`, as people read them.

use shared::canvas::face::Section;
use shared::canvas::figure::pixels;
use shared::canvas::mark::{Legend, Mark};
use shared::canvas::theme::Tone;
use shared::geometry::Circle;
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
            Some(circle) => format!("{:>10.3}  {:>10.3}  {:>8.3}", circle.x, circle.y, circle.radius),
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
            .row("Radius px", [circle.map(|c| pixels(c.radius))], Tone::Estimate)
    }

    fn mark(&self, payload: &Payload<'_>) -> Option<Mark> {
        circle(payload).map(|circle| Mark::Estimate(circle.into()))
    }

    fn legend(&self) -> Legend {
        Legend::Estimate
    }
}

fn circle(payload: &Payload<'_>) -> Option<Circle> {
    FoundCircle::read(payload).ok().flatten().map(|found| found.circle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_wide_as_their_header() {
        let found = Circle { x: 320.1234, y: 9.5, radius: 20.0 };
        let answer = FoundCircle::write(Some(FoundCircle { circle: found, covariance: None }));
        assert_eq!(Circles.row(&answer), "   320.123       9.500    20.000");
        assert_eq!(Circles.row(&answer).len() + "  detect ms".len(), Circles.header().len());
        assert_eq!(Circles.row(&FoundCircle::write(None)), format!("{:>32}", "none"));
        assert_eq!(Circles.mark(&answer), Some(Mark::Estimate(found.into())));
    }
}
