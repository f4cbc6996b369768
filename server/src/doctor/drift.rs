//! Detects that the client's clock and the server's drift apart.

use shared::flow::clock::ClockOffset;
use shared::time::Micros;

use super::warning::{Warning, WarningKind};

/// Smallest drift that is reported: sound quartz clocks differ by up to 50 ppm (see `flow::clock`).
const LEAST_PPM: f64 = 50.0;

/// The first and the last offset of a session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Drift {
    first: Option<(Micros, ClockOffset)>,
    last: Option<(Micros, ClockOffset)>,
}

impl Drift {
    /// Adds the offset known at this time.
    pub(crate) fn add(&mut self, at: Micros, offset: Option<ClockOffset>) {
        let Some(offset) = offset else { return };
        self.first.get_or_insert((at, offset));
        self.last = Some((at, offset));
    }

    /// The warning, if the offset changed by more than its uncertainty.
    pub(crate) fn warning(self) -> Option<Warning> {
        let ((began, first), (ended, last)) = (self.first?, self.last?);
        let (took, change) = (ended.since(began) as f64, (last.offset_us - first.offset_us) as f64);
        let unsure = (first.uncertainty_us + last.uncertainty_us) as f64;
        let least = (change.abs() - unsure) / took * 1e6;
        if took == 0.0 || least <= LEAST_PPM {
            return None;
        }
        let ppm = change / took * 1e6;
        let message = format!(
            "the client's clock runs {ppm:+.0} ppm against the server's: {:+.2} ms in this session",
            change / 1e3
        );
        let advice = "the stages to the client and back are off by a part of that: synchronise the clocks, or use the whole latency";
        Some(Warning::new(WarningKind::ClockDrift, message, advice))
    }
}
