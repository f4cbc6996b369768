//! What the sessions tell the window, in the window's terms.

use std::sync::Arc;

use shared::geometry::Circle;
use shared::image::Image;

use crate::report::SessionReport;
use crate::score::error::PixelError;
use crate::score::summary::Tally;
use crate::score::{FrameScore, Outcome, Truth};
use crate::view::View;
use crate::view::sections::{Counts, Figures, Frame};
use crate::view::window::WindowView;

impl View for WindowView {
    fn started(&self, session: u64) {
        self.begin(session);
    }

    fn sent(&self, session: u64, id: u64, image: &Image) {
        if self.shows(session) {
            self.picture(session, id, Arc::new(image.clone()));
        }
    }

    fn scored(&self, session: u64, score: &FrameScore, tally: &Tally) {
        self.frame(session, frame(score), figures(tally, score.cumulative_l1_px));
    }

    fn ended(&self, report: &SessionReport) {
        self.end(report.session);
    }
}

fn frame(score: &FrameScore) -> Frame {
    Frame {
        id: score.id,
        truth: ball(score.truth),
        estimate: estimate(score.outcome),
        error_px: score.error.map(PixelError::l1),
        latency_us: score.latency.map(|latency| latency.total_us),
    }
}

fn figures(tally: &Tally, cumulative_error_px: f64) -> Figures {
    let counts = tally.counts();
    Figures {
        cumulative_error_px: Some(cumulative_error_px),
        mean_error_px: tally.mean_l1_px(),
        efficiency: tally.efficiency().map(|(ratio, kind)| (ratio, kind.describe())),
        latency_p50_us: tally.latency_p50_us(),
        fps: tally.sent_fps(),
        counts: Counts {
            sent: counts.sent,
            circle: counts.circle,
            no_circle: counts.no_circle,
            dropped: counts.dropped,
            lost: counts.lost,
        },
    }
}

fn ball(truth: Truth) -> Option<Circle> {
    match truth {
        Truth::Ball { circle, .. } => Some(circle),
        Truth::Empty | Truth::Unknown => None,
    }
}

fn estimate(outcome: Outcome) -> Option<Circle> {
    match outcome {
        Outcome::Circle { estimate, .. } => Some(estimate),
        _ => None,
    }
}
