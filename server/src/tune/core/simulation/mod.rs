//! Simulated pipelines with a planted optimum: what a search finds, with how many frames.
//!
//! The simulated pipeline's error in a frame is |x| + |y|, with x and y normal. Two settings share most of a frame's
//! noise: the correlation is [`SHARED`]. `choices` are few settings, of which some are equal; `bowls` have a lowest point;
//! `conditions` limit what may be chosen, and `stops` a search. The full simulations are `#[ignore]`d and run in
//! `.ci/long`.

mod bowls;
mod choices;
mod conditions;
mod stops;

use super::draw::Draw;
use super::goal::{Figure, Goal, Limit, Sample};
use super::results::{Pending, Request, Results, Seeds};
use super::search::{Found, Method, Problem, search};
use super::space::{Domain, Parameter, Setting, Space, Value};
use super::verdict::{Score, Verdict, score};

/// Standard error per axis of `hough` at `--noise 10`, in px.
const SIGMA: f64 = 0.0087;

/// Correlation of the errors of two settings along an axis of the same frame. That of |x| + |y| is then 0.97. Measured
/// with OpenCV 5.0's `HoughCircles` on 400 frames with noise 10: 0.96 and 0.97 between blurs of 2.0, 2.05 and 2.2 px,
/// whose errors are 0.4 % apart; 1.00 between neighbouring thresholds.
const SHARED: f64 = 0.99;

/// Frames of a block.
const FRAMES: u64 = 10;

/// Mean of |x| + |y| for standard normal x and y: 2 √(2/π).
const MEAN: f64 = 1.595_769_121_605_731;

/// A simulated pipeline.
struct Fake<'a> {
    seed: u64,
    frames: u64,
    /// The factor on the error.
    factor: &'a dyn Fn(&Setting) -> f64,
    /// The share of missed frames.
    missed: &'a dyn Fn(&Setting) -> f64,
    /// Whether each setting misses frames of its own, instead of the hardest of all.
    misses_own: bool,
    fails: &'a dyn Fn(&Setting) -> bool,
}

impl Default for Fake<'_> {
    fn default() -> Self {
        Self { seed: 0, frames: FRAMES, factor: &|_| 1.0, missed: &|_| 0.0, misses_own: false, fails: &|_| false }
    }
}

impl Fake<'_> {
    fn sample(&self, setting: &Setting, seeds: Seeds, block: u32) -> Sample {
        if (self.fails)(setting) {
            return Sample::Failed;
        }
        let seed = mixed(&[self.seed, seeds as u64, u64::from(block)]);
        let (mut common, mut own) = (Draw::new(seed), Draw::new(seed ^ hashed(&setting.key())));
        let (mut sum, mut hits) = (0.0, 0);
        for _ in 0..self.frames {
            for _ in 0..2 {
                let normal = SHARED.sqrt() * common.normal() + (1.0 - SHARED).sqrt() * own.normal();
                sum += normal.abs();
            }
            let place = if self.misses_own { own.uniform() } else { common.uniform() };
            hits += u64::from(place < (self.missed)(setting));
        }
        let objective = SIGMA * (self.factor)(setting) * sum / self.frames as f64;
        let limits = vec![Figure::Share { hits, all: self.frames }];
        Sample::Measured { objective, limits, time_us: None, frames: self.frames }
    }

    /// Searches to the end. Returns the frames of the search and of the report, too.
    fn run(&self, problem: &Problem) -> (Found, u64, u64) {
        let (mut results, mut frames) = (Results::default(), [0, 0]);
        loop {
            match search(problem, &results) {
                Ok(found) => return (found, frames[0], frames[1]),
                Err(Pending(requests)) => {
                    for Request { setting, seeds, blocks } in requests {
                        for block in blocks {
                            results.note(&setting, seeds, block, self.sample(&setting, seeds, block));
                            frames[seeds as usize] += self.frames;
                        }
                    }
                }
            }
        }
    }
}

fn hashed(text: &str) -> u64 {
    // FNV-1a.
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

fn mixed(numbers: &[u64]) -> u64 {
    hashed(&format!("{numbers:?}"))
}

fn real(name: &str) -> Parameter {
    Parameter {
        name: name.into(),
        domain: Domain::Real { from: 0.0, to: 1.0, is_log: false },
        default: Some(Value::Real(0.5)),
    }
}

fn whole(name: &str, to: i64) -> Parameter {
    Parameter {
        name: name.into(),
        domain: Domain::Whole { from: 0, to, is_log: false },
        default: Some(Value::Whole(to / 2)),
    }
}

fn number(setting: &Setting, place: usize) -> f64 {
    match setting.0[place] {
        Some(Value::Real(number)) => number,
        Some(Value::Whole(number)) => number as f64,
        _ => f64::NAN,
    }
}

fn problem(parameters: Vec<Parameter>, method: Method) -> Problem {
    let goal = Goal { is_maximum: false, limits: Vec::new(), held_out: 60 };
    Problem { space: Space(parameters), goal, method, trials: 200, first: 5, last: 3, seed: 1 }
}

/// The 95th percentile, and the mean.
fn described(mut all: Vec<f64>) -> (f64, f64) {
    all.sort_by(f64::total_cmp);
    (all[(all.len() * 95).div_ceil(100) - 1], all.iter().sum::<f64>() / all.len() as f64)
}

fn holds(score: Option<Score>, truth: f64) -> bool {
    score.is_some_and(|score| (score.low..=score.high).contains(&truth))
}
