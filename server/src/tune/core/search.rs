//! The search: a design of settings by halving, CMA-ES from the best of them, and finalists on many frames. Then the
//! best and the default on frames that no trial saw.

use super::cma::{Cma, population};
use super::draw::{Draw, sobol};
use super::effects::{Effect, effects, probes};
use super::goal::{Goal, Proof, Tally};
use super::halving::halved;
use super::paired::{Difference, level, worse};
use super::results::{Asked, Pending, Results, Trial};
use super::space::{Setting, Space};
use super::surface::{Surface, seen};
use super::verdict::{Verdict, verdict};

/// The part of the trials that is spread over the whole space, before CMA-ES: its denominator.
const SPREAD: usize = 4;

/// CMA-ES's first steps, as a share of the ranges: a quarter, so that its points cover half of each range.
const SIGMA: f64 = 0.25;

/// Trials with the least cost that become finalists.
const BEST: usize = 3;

/// Generations on the surface. Each costs microseconds.
const ON_THE_SURFACE: usize = 150;

/// Where the conditions are asked of the surface.
struct Margins {
    /// By how much they must be met, in standard deviations of a trial around the surface.
    deviations: &'static [f64],
    /// The rung of that trial.
    rung: u32,
    /// The part of the trials behind the surface, those nearest to where CMA-ES ended: its denominator.
    part: usize,
}

/// The nearer half for the first finalists: far away the figure need not be quadratic.
const FIRST: Margins = Margins { deviations: &[0.3, 0.6, 1.0, 1.5], rung: 0, part: 2 };

/// All trials for safer finalists, because those that meet the conditions may be far away. The margins are those of a
/// finalist: one that is two of them within a condition is shown to meet it nearly always.
fn safer(last: u32) -> Margins {
    Margins { deviations: &[1.0, 2.0, 3.0, 4.5], rung: last, part: 1 }
}

/// Times that safer finalists are looked for. Each time the surface knows the last ones, on many frames.
const REPAIRS: usize = 3;

/// How settings are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Sobol points, then CMA-ES on the ranges.
    Cma,
    /// Sobol points.
    Sobol,
    /// A grid with this many values of each range.
    Grid(usize),
}

/// What is searched, and how far.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// The parameters.
    pub(crate) space: Space,
    /// What is asked for.
    pub(crate) goal: Goal,
    /// How settings are chosen.
    pub(crate) method: Method,
    /// Most settings on the first rung.
    pub(crate) trials: usize,
    /// Blocks of the first rung.
    pub(crate) first: u32,
    /// The last rung, from 0: each has three times the blocks of the one before.
    pub(crate) last: u32,
    /// Seed of the search's own random numbers.
    pub(crate) seed: u64,
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// All trials, in the order in which they were begun.
    pub(crate) trials: Vec<Trial>,
    /// The best setting; `None` if none meets the conditions.
    pub(crate) best: Option<Best>,
    /// Which parameters have an effect around the best setting; empty without one.
    pub(crate) effects: Vec<Effect>,
    /// The default on the frames of the report.
    pub(crate) default: Tally,
}

/// The best setting.
#[derive(Clone, Debug)]
pub(crate) struct Best {
    /// The setting.
    pub(crate) setting: Setting,
    /// Its figures on the frames of the report.
    pub(crate) tally: Tally,
    /// How it compares with the default.
    pub(crate) verdict: Verdict,
}

impl Found {
    /// The trial that misses the conditions by the least, if none failed.
    pub(crate) fn nearest(&self, goal: &Goal) -> Option<&Trial> {
        let nearer = |one: &&Trial, other: &&Trial| one.tally.compared(&other.tally, goal, Proof::Measured);
        self.trials.iter().filter(|trial| !trial.tally.is_failed).min_by(nearer)
    }
}

/// Searches as far as the results reach.
///
/// # Errors
/// [`Pending`] names what to run next.
pub(crate) fn search(problem: &Problem, results: &Results) -> Result<Found, Pending> {
    let mut asked = Asked::new(results, &problem.goal, problem.first);
    let default = problem.space.default_setting();
    let mut design = vec![default.clone()];
    match problem.method {
        Method::Grid(values) => design.extend(problem.space.grid(values)),
        Method::Sobol => design.extend(spread(problem, problem.trials)),
        Method::Cma => design.extend(spread(problem, (problem.trials / SPREAD).max(1))),
    }
    let is_cma = problem.method == Method::Cma && !problem.space.ranges().is_empty();
    // Before CMA-ES one rung is enough, but choices stay as they are from here on.
    let has_choices = problem.space.ranges().len() < problem.space.0.len();
    let mut finalists = halved(&mut asked, design, if is_cma && !has_choices { 0 } else { problem.last })?;
    let mut end = None;
    if is_cma {
        let start = finalists.iter().find_map(|setting| problem.space.point(setting));
        let middle = cma(problem, &mut asked, start.unwrap_or_else(|| vec![0.5; problem.space.0.len()]))?;
        let points = on_surface(problem, asked.trials(), &middle, &FIRST).into_iter().chain([middle.clone()]);
        end = Some(middle);
        let of_design = finalists.into_iter().take(if has_choices { 1 } else { 0 });
        finalists = points.map(|point| problem.space.at(&point)).chain(of_design).collect();
    }
    if is_cma || !problem.goal.limits.is_empty() {
        finalists.extend(of_least_cost(problem, asked.trials()));
        finalists.push(default.clone());
    }
    // The lowest point of a surface rests on all trials. The first of a grid is no more than the best on fewer frames.
    let order = if is_cma { Order::Preferred } else { Order::None };
    let mut best = chosen(problem, &mut asked, distinct(finalists), order)?;
    for _ in 0..REPAIRS {
        let Some(middle) = end.as_ref().filter(|_| best.is_none() && !problem.goal.limits.is_empty()) else { break };
        let points = on_surface(problem, asked.trials(), middle, &safer(problem.last));
        let settings: Vec<_> = points.iter().map(|point| problem.space.at(point)).collect();
        best = chosen(problem, &mut asked, distinct(settings), Order::Preferred)?;
    }
    let effects =
        best.as_ref().map_or(Ok(Vec::new()), |best| effects(&problem.space, &mut asked, best, problem.last))?;
    let held_out = |settings: &[Setting]| asked.held_out(settings, problem.goal.held_out);
    let trials = asked.trials().to_vec();
    let Some(best) = best else {
        let default = held_out(&[default])?.remove(0);
        return Ok(Found { trials, best: None, effects, default });
    };
    if best == default {
        let tally = held_out(&[default])?.remove(0);
        let verdict = match verdict(&problem.goal, &tally, &tally) {
            Verdict::Better(_) | Verdict::NotShown(_) | Verdict::OnlyOneThatMeets => Verdict::NotShown(None),
            other => other,
        };
        return Ok(Found {
            trials,
            effects,
            default: tally.clone(),
            best: Some(Best { setting: best, tally, verdict }),
        });
    }
    let mut both = held_out(&[best.clone(), default])?;
    let (default, tally) = (both.remove(1), both.remove(0));
    let verdict = verdict(&problem.goal, &tally, &default);
    Ok(Found { trials, effects, default, best: Some(Best { setting: best, tally, verdict }) })
}

fn spread(problem: &Problem, count: usize) -> Vec<Setting> {
    let settings = sobol(problem.space.0.len(), count).iter().map(|point| problem.space.at(point)).collect();
    distinct(settings)
}

fn distinct(settings: Vec<Setting>) -> Vec<Setting> {
    let mut seen = std::collections::HashSet::new();
    settings.into_iter().filter(|setting| seen.insert(setting.key())).collect()
}

/// CMA-ES on the ranges, with the choices of `start`. Returns where it ends.
fn cma(problem: &Problem, asked: &mut Asked<'_>, start: Vec<f64>) -> Result<Vec<f64>, Pending> {
    let ranges = problem.space.ranges();
    let whole = |part: &[f64]| {
        let mut point = start.clone();
        ranges.iter().zip(part).for_each(|(place, value)| point[*place] = *value);
        point
    };
    let steps: Vec<f64> = ranges.iter().map(|place| problem.space.step(*place)).collect();
    let begin: Vec<f64> = ranges.iter().map(|place| start[*place]).collect();
    let (mut cma, mut draw) = (Cma::new(&begin, SIGMA, &steps), Draw::new(problem.seed));
    let size = population(ranges.len());
    let most = problem.trials.saturating_sub(probes(&problem.space));
    // Settings that come up again cost nothing, so generations are limited too.
    for _ in 0..problem.trials.div_ceil(size) {
        if asked.trials().len() + size > most || cma.is_over() {
            break;
        }
        let points = cma.ask(&mut draw);
        let settings: Vec<_> = points.iter().map(|part| problem.space.at(&whole(part))).collect();
        let tallies = asked.rung(&settings, 0)?;
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|one, other| tallies[*one].compared(&tallies[*other], &problem.goal, Proof::Measured));
        cma.tell(&order.iter().map(|place| points[*place].clone()).collect::<Vec<_>>());
    }
    Ok(whole(&cma.mean()))
}

/// The lowest points of the surface through the trials near `middle`, one for each margin of the conditions.
fn on_surface(problem: &Problem, trials: &[Trial], middle: &[f64], margins: &Margins) -> Vec<Vec<f64>> {
    let ranges = problem.space.ranges();
    let apart = |point: &[f64]| ranges.iter().map(|place| (point[*place] - middle[*place]).powi(2)).sum::<f64>();
    let of_same_choices = |trial: &&Trial| {
        let point = problem.space.point(&trial.setting);
        !trial.tally.is_failed
            && point.is_some_and(|point| {
                (0..point.len()).all(|place| ranges.contains(&place) || (point[place] - middle[place]).abs() < 1e-9)
            })
    };
    let mut near: Vec<&Trial> = trials.iter().filter(of_same_choices).collect();
    near.sort_by(|one, other| {
        let of = |trial: &Trial| problem.space.point(&trial.setting).map_or(f64::INFINITY, |point| apart(&point));
        of(one).total_cmp(&of(other))
    });
    near.truncate((near.len() / margins.part).max(near.len().min(NEAR)));
    let surface = |figure: &dyn Fn(&Trial) -> (f64, f64)| {
        let figures = near.iter().map(|trial| {
            let (value, weight) = figure(trial);
            (&trial.setting, value, weight)
        });
        Surface::of(&problem.space, &seen(&problem.space, figures))
    };
    // Figures of the same blocks are compared, so that easy ones make no setting better. Conditions are not compared, so
    // that all blocks of a trial count.
    let Some(cost) = surface(&|trial| (trial.tally.cost_on(problem.first), 1.0)) else { return Vec::new() };
    let more = |rung: u32| 3_f64.powi(rung as i32);
    let limits: Vec<_> = (0..problem.goal.limits.len())
        .map(|place| surface(&|trial| (trial.tally.limits[place][0], more(trial.rung))))
        .collect();
    let widest = near.iter().filter_map(|trial| problem.space.point(&trial.setting)).fold(
        (middle.to_vec(), middle.to_vec()),
        |(low, high), point| {
            let with = |ends: Vec<f64>, choose: fn(f64, f64) -> f64| {
                ends.iter().zip(&point).map(|(end, place)| choose(*end, *place)).collect()
            };
            (with(low, f64::min), with(high, f64::max))
        },
    );
    let deviation = 1.0 / more(margins.rung).sqrt();
    let one = |margin: &f64| lowest(problem, &cost, &limits, margin * deviation, middle, &widest);
    // Without a condition there is no margin.
    let count = if problem.goal.limits.is_empty() { 1 } else { margins.deviations.len() };
    margins.deviations.iter().take(count).map(one).collect()
}

/// Fewest trials of a surface, where there are so many.
const NEAR: usize = 40;

/// The lowest point of a surface between the two ends, where the surfaces of the conditions meet them with a margin.
fn lowest(
    problem: &Problem,
    cost: &Surface,
    limits: &[Option<Surface>],
    margin: f64,
    start: &[f64],
    ends: &(Vec<f64>, Vec<f64>),
) -> Vec<f64> {
    let ranges = problem.space.ranges();
    let whole = |part: &[f64]| {
        let mut point = start.to_vec();
        for (place, value) in ranges.iter().zip(part) {
            point[*place] = ends.0[*place] + (ends.1[*place] - ends.0[*place]) * value;
        }
        point
    };
    let excess = |point: &[f64]| {
        let one = |(limit, surface): (&super::goal::Limit, &Option<Surface>)| {
            surface.as_ref().map_or(0.0, |surface| {
                let margin = margin * surface.deviation();
                limit.excess(surface.at(point) + if limit.is_upper { margin } else { -margin })
            })
        };
        problem.goal.limits.iter().zip(limits).map(one).sum::<f64>()
    };
    let (mut cma, mut draw) =
        (Cma::new(&vec![0.5; ranges.len()], SIGMA, &vec![0.0; ranges.len()]), Draw::new(problem.seed));
    for _ in 0..ON_THE_SURFACE {
        if cma.is_over() {
            break;
        }
        let mut points: Vec<_> = cma
            .ask(&mut draw)
            .into_iter()
            .map(|part| {
                let point = whole(&part);
                (excess(&point), cost.at(&point), part)
            })
            .collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        cma.tell(&points.into_iter().map(|(.., part)| part).collect::<Vec<_>>());
    }
    whole(&cma.mean())
}

fn of_least_cost(problem: &Problem, trials: &[Trial]) -> Vec<Setting> {
    let mut order: Vec<&Trial> = trials.iter().filter(|trial| !trial.tally.is_failed).collect();
    // In doubt, and as shown: so that a finalist exists that meets strict conditions.
    let mut found = Vec::new();
    for proof in [Proof::Measured, Proof::Shown] {
        order.sort_by(|one, other| one.tally.compared(&other.tally, &problem.goal, proof));
        found.extend(order.iter().take(BEST).map(|trial| trial.setting.clone()));
        if problem.goal.limits.is_empty() {
            break;
        }
    }
    found
}

/// What the order of finalists means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// A later one must be shown to be better than those before.
    Preferred,
    /// Nothing.
    None,
}

/// The best finalist on the frames of the last rung. Those that are clearly worse leave on the rungs before.
fn chosen(
    problem: &Problem,
    asked: &mut Asked<'_>,
    finalists: Vec<Setting>,
    order: Order,
) -> Result<Option<Setting>, Pending> {
    let mut left = finalists;
    for rung in 1..problem.last {
        let tallies = asked.rung(&left, rung)?;
        let Some(leader) = least(problem, &tallies, Proof::Shown) else { return Ok(None) };
        let costs: Vec<_> = tallies.iter().map(|tally| tally.costs.as_slice()).collect();
        // A leader that may miss a condition beats nobody: another setting may be the only one that meets it. So few
        // frames may also show too much, so a setting stays that came nearer to meeting a condition.
        let is_sure = tallies[leader].is_sure(&problem.goal);
        let worse = worse(&tallies[leader].costs, &costs, level(problem.last as usize));
        let stays = |place: usize| {
            let tally = &tallies[place];
            let is_beaten = is_sure && worse[place] && !tally.is_safer(&tallies[leader], &problem.goal);
            !tally.is_failed && tally.excess(&problem.goal, Proof::Doubt) == 0.0 && !is_beaten
        };
        left = (0..left.len()).filter(|place| stays(*place)).map(|place| left[place].clone()).collect();
    }
    let tallies = asked.rung(&left, problem.last)?;
    let Some(least) = least(problem, &tallies, Proof::Shown) else { return Ok(None) };
    let meets = |place: usize| tallies[place].excess(&problem.goal, Proof::Shown) == 0.0;
    // One that meets them only as measured would often miss them on new frames.
    if !meets(least) {
        return Ok(None);
    }
    let is_as_good = |place: &usize| {
        let difference = Difference::between(&tallies[*place].costs, &tallies[least].costs);
        let is_equal = difference.is_some_and(|difference| difference.above() > level(1));
        *place == least || (order == Order::Preferred && meets(*place) && is_equal)
    };
    Ok((0..left.len()).find(is_as_good).map(|place| left[place].clone()))
}

/// The best of these.
fn least(problem: &Problem, tallies: &[Tally], proof: Proof) -> Option<usize> {
    let known = (0..tallies.len()).filter(|place| !tallies[*place].is_failed);
    known.min_by(|one, other| tallies[*one].compared(&tallies[*other], &problem.goal, proof))
}
