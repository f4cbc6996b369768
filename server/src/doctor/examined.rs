//! Truth and answers of the task `circle`, gathered frame by frame, in constant memory.

use shared::geometry::CircleEstimate;

use crate::score::batches::Batches;
use crate::truth::Limit;

/// Smallest distance between the truth and the prediction of a hypothesis, in px. Nearer ones cannot be told apart.
const TELLING_PX: f64 = 0.1;

/// An answer is nearer to a hypothesis than to the truth if its distance is less than this share of the other.
const NEARER: f64 = 0.5;

/// Largest near error along each axis, in px. With larger errors the pipeline has probably found something else in the
/// picture, and a few of them would hide what all others show.
const NEAR_PX: f64 = 3.0;

/// Normalised squared errors below this count as this, because the logarithm of 0 is infinite.
const LEAST_NORMALISED: f64 = 1e-9;

/// What the doctor knows about a session's answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Examined {
    /// The true centre in the previous frame, if it showed a ball.
    previous: Option<[f64; 2]>,
    pub(super) swapped: Contest,
    pub(super) late: Contest,
    /// Frames with errors of any size.
    pub(super) all: Batches<VALUES>,
    /// Frames with near errors.
    pub(super) near: Batches<VALUES>,
    /// Logarithms of the normalised squared errors.
    pub(super) covariance_logs: Batches<1>,
}

/// Number of [`values`] of a frame.
pub(super) const VALUES: usize = 10;

/// Counts how often an answer was nearer to the prediction of a hypothesis than to the truth.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contest {
    /// Frames in which truth and prediction are far enough apart.
    pub(super) telling: u64,
    /// Those in which the answer is nearer to the prediction.
    pub(super) won: u64,
}

/// A found circle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Its centre.
    pub(crate) at: CircleEstimate,
    /// Normalised squared error, if there is a covariance.
    pub(crate) normalised: Option<f64>,
}

impl Examined {
    /// Adds a frame, in frame order. `truth` is the ball that it shows, and `found` the answer, if there are any.
    pub(crate) fn add(&mut self, truth: Option<(CircleEstimate, Limit)>, found: Option<Found>) {
        let ball = truth.map(|(ball, _)| [ball.x, ball.y]);
        if let (Some(ball), Some(found)) = (ball, found) {
            let is_near = self.compare(ball, [found.at.x, found.at.y]);
            // If rounding is the only error, no covariance is right.
            let is_random = !matches!(truth, Some((_, Limit::Reference(_))));
            if let Some(normalised) = found.normalised.filter(|_| is_random && is_near) {
                self.covariance_logs.add([normalised.max(LEAST_NORMALISED).ln()]);
            }
        }
        self.previous = ball;
    }

    /// Adds an answer. Returns whether its error is near.
    fn compare(&mut self, ball: [f64; 2], answer: [f64; 2]) -> bool {
        self.swapped.add(ball, [ball[1], ball[0]], answer);
        if let Some(previous) = self.previous {
            self.late.add(ball, previous, answer);
        }
        let values = values(ball, answer);
        self.all.add(values);
        let is_near = ball.iter().zip(answer).all(|(truth, answer)| (answer - truth).abs() <= NEAR_PX);
        if is_near {
            self.near.add(values);
        }
        is_near
    }
}

impl Contest {
    fn add(&mut self, truth: [f64; 2], hypothesis: [f64; 2], answer: [f64; 2]) {
        if distance(truth, hypothesis) >= TELLING_PX {
            self.telling += 1;
            self.won += u64::from(distance(answer, hypothesis) < NEARER * distance(answer, truth));
        }
    }
}

/// The summands of a frame: 1, truth x, y, error x, y, squared truth x, y, truth times error x, y, squared error.
fn values([x, y]: [f64; 2], answer: [f64; 2]) -> [f64; VALUES] {
    let [dx, dy] = [answer[0] - x, answer[1] - y];
    [1.0, x, y, dx, dy, x * x, y * y, x * dx, y * dy, dx * dx + dy * dy]
}

fn distance([ax, ay]: [f64; 2], [bx, by]: [f64; 2]) -> f64 {
    (ax - bx).hypot(ay - by)
}
