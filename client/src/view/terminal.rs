//! A row a frame, and a summary.

use shared::protocol::message::FoundCircle;
use shared::shell::rows::Rows;

use crate::session::Detection;
use crate::tally::Tally;
use crate::view::View;

const HEADER: &str = "   frame  estimate x  estimate y    radius  detect ms";

/// Prints rows.
#[derive(Debug)]
pub struct TerminalView {
    rows: Rows,
    headed: bool,
}

impl TerminalView {
    /// Prints into `rows`.
    pub fn new(rows: Rows) -> Self {
        Self { rows, headed: false }
    }
}

impl View for TerminalView {
    fn detected(&mut self, detection: &Detection, _tally: &Tally) {
        if !self.headed {
            self.headed = true;
            self.rows.row(HEADER.into());
        }
        self.rows.row(row(detection));
    }

    fn ended(&mut self, tally: &Tally) {
        self.rows.summary(tally.to_string());
    }
}

fn row(detection: &Detection) -> String {
    if detection.payload.is_dropped() {
        return format!("{:>8}  {:>32}", detection.frame, "dropped");
    }
    let estimate = match FoundCircle::read(&detection.payload) {
        Ok(Some(FoundCircle { circle, .. })) => {
            format!("{:>10.3}  {:>10.3}  {:>8.3}", circle.x, circle.y, circle.radius)
        }
        _ => format!("{:>32}", detection.payload.kind()),
    };
    let detect_ms = detection.finished.since(detection.started) as f64 / 1e3;
    format!("{:>8}  {estimate}  {detect_ms:>9.3}", detection.frame)
}

#[cfg(test)]
mod tests {
    use shared::geometry::Circle;
    use shared::protocol::message::Payload;
    use shared::time::Micros;

    use super::*;

    #[test]
    fn rows_stand_under_their_header() {
        let detection =
            |payload| Detection { frame: 7, received: Micros(0), started: Micros(100), finished: Micros(350), payload };
        let circle = Circle { x: 320.1234, y: 9.5, radius: 20.0 };
        let found = row(&detection(FoundCircle::write(Some(FoundCircle { circle, covariance: None }))));
        assert_eq!(found, "       7     320.123       9.500    20.000      0.250");
        assert_eq!(found.len(), HEADER.len());
        assert_eq!(row(&detection(FoundCircle::write(None))).len(), HEADER.len());
        assert!(row(&detection(Payload::dropped())).ends_with("dropped"));
    }
}
