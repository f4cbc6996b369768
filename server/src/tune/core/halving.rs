//! Successive halving: many settings on few frames, the best of them on more.
//!
//! Each rung has three times the frames of the one before, and at most a third of its settings (K. Jamieson and A.
//! Talwalkar, AISTATS 2016; L. Li et al., MLSys 2020), but three, so that few settings are compared on the most frames too:
//! otherwise the best of six would be chosen on a third of them. Settings that are clearly worse than the leader leave earlier:
//! by a paired test on the common frames, corrected for the number of settings (Holm) and of rungs (Pocock).

use super::goal::Proof;
use super::paired::{level, worse};
use super::results::{Asked, Pending};
use super::space::Setting;

/// The share that stays, as its denominator, and the fewest settings that stay.
const KEPT: usize = 3;

/// The settings that stay after the rungs 0 to `last`, the best first.
///
/// # Errors
/// [`Pending`] if trials are missing.
pub(crate) fn halved(asked: &mut Asked<'_>, settings: Vec<Setting>, last: u32) -> Result<Vec<Setting>, Pending> {
    let mut left = settings;
    for rung in 0..=last {
        let tallies = asked.rung(&left, rung)?;
        let goal = asked.goal();
        let mut order: Vec<usize> = (0..left.len()).filter(|place| !tallies[*place].is_failed).collect();
        order.sort_by(|one, other| tallies[*one].compared(&tallies[*other], goal, Proof::Doubt));
        let Some((leader, others)) = order.split_first() else { return Ok(Vec::new()) };
        let kept = if rung == last { left.len() } else { left.len().div_ceil(KEPT).max(KEPT) };
        let costs: Vec<_> = others.iter().map(|place| tallies[*place].costs.as_slice()).collect();
        let worse = worse(&tallies[*leader].costs, &costs, level(last as usize + 1));
        let rest = others.iter().zip(worse).filter(|(_, is_worse)| !is_worse).map(|(place, _)| *place);
        left = std::iter::once(*leader).chain(rest).take(kept).map(|place| left[place].clone()).collect();
        if left.len() == 1 {
            break;
        }
    }
    Ok(left)
}
