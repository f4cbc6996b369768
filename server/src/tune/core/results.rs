//! The results so far, and what is asked for next.
//!
//! A search is a function of its results. Where it needs a result that is not there, it ends with a list of what to
//! run, and begins again from the start when that has run. So it does the same whether the results come from trials or
//! from a file, and in whatever order they came.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::goal::{Goal, Sample, Tally};
use super::space::Setting;

/// Which seeds a block belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Seeds {
    /// Those of the search.
    Search,
    /// Those that no trial of the search sees.
    HeldOut,
}

/// Blocks of one setting that are to be run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    /// The setting.
    pub(crate) setting: Setting,
    /// Which seeds.
    pub(crate) seeds: Seeds,
    /// Which blocks.
    pub(crate) blocks: Range<u32>,
}

/// The results so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Results(HashMap<(String, Seeds), HashMap<u32, Sample>>);

/// What a search needs before it can go on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pending(pub(crate) Vec<Request>);

/// A trial: a setting, and what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trial {
    /// The setting.
    pub(crate) setting: Setting,
    /// The last rung that it reached, from 0.
    pub(crate) rung: u32,
    /// Its figures on the blocks of that rung.
    pub(crate) tally: Tally,
}

/// Answers a search from the results, and notes its trials in the order of their first question.
pub(crate) struct Asked<'a> {
    results: &'a Results,
    goal: &'a Goal,
    first: u32,
    trials: Vec<Trial>,
    places: HashMap<String, usize>,
}

impl Results {
    /// Notes the result of a block.
    pub(crate) fn note(&mut self, setting: &Setting, seeds: Seeds, block: u32, sample: Sample) {
        self.note_key(setting.key(), seeds, block, sample);
    }

    /// Notes the result of a block of the setting with this key.
    pub(crate) fn note_key(&mut self, key: String, seeds: Seeds, block: u32, sample: Sample) {
        self.0.entry((key, seeds)).or_default().insert(block, sample);
    }

    /// The blocks of a request that have not run. After a failure nothing more is asked about a setting.
    pub(crate) fn left(&self, request: &Request) -> Vec<u32> {
        let Some(known) = self.0.get(&(request.setting.key(), request.seeds)) else {
            return request.blocks.clone().collect();
        };
        let failed = known.iter().filter(|(_, sample)| **sample == Sample::Failed).map(|(block, _)| *block).min();
        let is_left = |block: &u32| !known.contains_key(block) && failed.is_none_or(|failed| *block < failed);
        request.blocks.clone().filter(is_left).collect()
    }

    fn tally(&self, goal: &Goal, setting: &Setting, seeds: Seeds, blocks: u32) -> Result<Tally, Vec<Request>> {
        let known = self.0.get(&(setting.key(), seeds));
        let sample = |block: u32| known.and_then(|known| known.get(&block));
        // After a failure nothing more is asked about a setting.
        let failed = (0..blocks).find(|block| sample(*block) == Some(&Sample::Failed));
        let blocks = failed.map_or(blocks, |block| block + 1);
        let mut missing: Vec<Request> = Vec::new();
        for block in (0..blocks).filter(|block| sample(*block).is_none()) {
            match missing.last_mut() {
                Some(last) if last.blocks.end == block => last.blocks.end += 1,
                _ => missing.push(Request { setting: setting.clone(), seeds, blocks: block..block + 1 }),
            }
        }
        if missing.is_empty() {
            let samples: Vec<_> = (0..blocks).filter_map(sample).collect();
            return Ok(Tally::of(goal, &samples));
        }
        Err(missing)
    }
}

impl<'a> Asked<'a> {
    /// `first` is the number of blocks of the first rung.
    pub(crate) fn new(results: &'a Results, goal: &'a Goal, first: u32) -> Self {
        Self { results, goal, first, trials: Vec::new(), places: HashMap::new() }
    }

    /// What is asked for.
    pub(crate) fn goal(&self) -> &'a Goal {
        self.goal
    }

    /// Blocks of a rung.
    pub(crate) fn blocks(&self, rung: u32) -> u32 {
        self.first.saturating_mul(3_u32.saturating_pow(rung))
    }

    /// The figures of these settings on the frames of a rung: the same frames for all.
    ///
    /// # Errors
    /// [`Pending`] if some have not run.
    pub(crate) fn rung(&mut self, settings: &[Setting], rung: u32) -> Result<Vec<Tally>, Pending> {
        let found = self.of(settings, Seeds::Search, self.blocks(rung))?;
        for (setting, tally) in settings.iter().zip(&found) {
            let place = *self.places.entry(setting.key()).or_insert(self.trials.len());
            let trial = Trial { setting: setting.clone(), rung, tally: tally.clone() };
            match self.trials.get_mut(place) {
                Some(known) if known.rung > rung => {}
                Some(known) => *known = trial,
                None => self.trials.push(trial),
            }
        }
        Ok(found)
    }

    /// The figures of these settings on frames that no trial of the search sees.
    ///
    /// # Errors
    /// [`Pending`] if some have not run.
    pub(crate) fn held_out(&self, settings: &[Setting], blocks: u32) -> Result<Vec<Tally>, Pending> {
        self.of(settings, Seeds::HeldOut, blocks)
    }

    fn of(&self, settings: &[Setting], seeds: Seeds, blocks: u32) -> Result<Vec<Tally>, Pending> {
        let (mut found, mut missing): (Vec<Tally>, Vec<Request>) = (Vec::new(), Vec::new());
        let mut asked = HashSet::new();
        for setting in settings {
            match self.results.tally(self.goal, setting, seeds, blocks) {
                Ok(tally) => found.push(tally),
                // The same setting may be asked for twice, but is run once.
                Err(more) if asked.insert(setting.key()) => missing.extend(more),
                Err(_) => {}
            }
        }
        if missing.is_empty() { Ok(found) } else { Err(Pending(missing)) }
    }

    /// The last rung that a setting has reached. `None` if it has not run.
    pub(crate) fn reached(&self, setting: &Setting) -> Option<u32> {
        self.places.get(&setting.key()).map(|place| self.trials[*place].rung)
    }

    /// The trials so far.
    pub(crate) fn trials(&self) -> &[Trial] {
        &self.trials
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::core::space::Value;

    #[test]
    fn many_settings_are_asked_for_each_once_and_in_their_order() {
        let goal = Goal { is_maximum: false, limits: Vec::new(), held_out: 2 };
        let results = Results::default();
        // Half as many as a grid may have. To compare each with all others would take minutes.
        let count = 50_000;
        let settings: Vec<_> = (0..2 * count).map(|at| Setting(vec![Some(Value::Whole(at % count))])).collect();
        let Pending(missing) = Asked::new(&results, &goal, 3).rung(&settings, 0).unwrap_err();
        assert_eq!(missing.len(), count as usize);
        let is_in_order =
            |(request, setting): (&Request, &Setting)| request.setting == *setting && request.blocks == (0..3);
        assert!(missing.iter().zip(&settings).all(is_in_order));
    }
}
