//! The charts of a session, a file for each family.

mod against;
mod answers;
mod count;
mod distribution;
mod latency;
mod limit;
mod losses;
mod over_image;
mod over_time;
mod scatter;

use super::facts::SessionFacts;
use super::pictures::Contrast;
use super::plot::nothing;
use super::session::SessionFrames;
use crate::task::TaskName;

/// The charts of a session, in the order of the page.
pub(super) fn of_session(
    task: TaskName,
    frames: &SessionFrames,
    facts: &SessionFacts,
    contrasts: &[Contrast],
) -> String {
    let own = match task.name() {
        "circle" => circle(frames, facts, contrasts),
        "count" => count::figures(frames, facts),
        "image" => answers::image(frames, facts),
        _ => answers::ack(facts),
    };
    own + &latency::figures(frames, facts) + &losses::figure(frames)
}

fn circle(frames: &SessionFrames, facts: &SessionFacts, contrasts: &[Contrast]) -> String {
    if frames.residual.count() == 0 {
        return nothing(
            "residual",
            "Error",
            "No frame has an error: none shows a ball of known truth and was answered with a circle.",
        );
    }
    [
        over_time::error(frames, facts),
        scatter::figure(frames, facts),
        distribution::histogram(frames),
        distribution::cumulative(frames),
        over_image::figure(frames),
        against::radius(frames),
        against::speed(frames),
        against::contrast(frames, contrasts),
    ]
    .concat()
}
