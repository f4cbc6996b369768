//! The values of the last frames, for a chart.

use std::collections::VecDeque;

use super::chart::Chart;

/// Frames a chart spans: four seconds at 60 fps.
const FRAMES: usize = 240;

/// The values of the last 240 frames; `None` for a frame without one.
#[derive(Clone, Debug, Default)]
pub struct History(VecDeque<Option<f64>>);

impl History {
    /// Adds the newest frame's value, which is not negative.
    pub fn push(&mut self, value: Option<f64>) {
        if self.0.len() == FRAMES {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// A chart of these values. `unit` is written after numbers, `gap` after the number of frames without a value.
    pub fn chart(&self, unit: &'static str, gap: &'static str) -> Chart {
        Chart { values: self.0.iter().copied().collect(), frames: FRAMES, unit, gap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_240_frames_are_kept() {
        let mut history = History::default();
        (0..1000).for_each(|frame| history.push((frame % 2 == 0).then(|| f64::from(frame))));
        let chart = history.chart("px", "lost");
        assert_eq!(chart.values.len(), 240);
        assert_eq!(chart.values[..2], [Some(760.0), None]);
        assert_eq!(chart.values[238..], [Some(998.0), None]);
    }
}
