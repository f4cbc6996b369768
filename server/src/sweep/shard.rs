//! Which part of a sweep this call runs: all of it, or one of several shards. The options or the environment of an
//! engine choose the shard.
//!
//! | engine | which | of how many |
//! |---|---|---|
//! | `--shard I/N` | I, from 1 | N |
//! | Slurm | `SLURM_ARRAY_TASK_ID`, from `SLURM_ARRAY_TASK_MIN` | `SLURM_ARRAY_TASK_COUNT` |
//! | AWS Batch | `AWS_BATCH_JOB_ARRAY_INDEX`, from 0 | `AWS_BATCH_JOB_ARRAY_SIZE` |
//! | Kubernetes | `JOB_COMPLETION_INDEX`, from 0 | `--shards N` |
//! Shard i of n has the trials i, i + n, i + 2n and so on, so that all shards take about the same time.

use std::fmt;
use std::str::FromStr;

/// Most shards.
pub(super) const MAX_SHARDS: u64 = 1_000_000;

/// One part of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    number: u64,
    /// Of how many.
    all: u64,
}

impl Shard {
    /// The whole sweep.
    pub(super) const WHOLE: Self = Self { number: 1, all: 1 };

    /// Whether it is the whole sweep.
    pub(super) fn is_whole(self) -> bool {
        self.all == 1
    }

    /// The numbers of its trials in a plan with `trials` trials.
    pub(super) fn trials(self, trials: u64) -> impl Iterator<Item = u64> {
        (self.number..=trials).step_by(usize::try_from(self.all).unwrap_or(usize::MAX))
    }

    /// Number of its trials.
    pub(super) fn count(self, trials: u64) -> u64 {
        (trials + self.all - self.number) / self.all
    }

    /// The shard that the options name, or else the environment of an engine.
    ///
    /// # Errors
    /// Which variable or option was wrong, and what would be right.
    pub(super) fn find(
        given: Option<Self>,
        shards: Option<u64>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        match (given, shards) {
            (Some(_), Some(_)) => {
                return Err("--shard I/N already says how many shards there are: leave --shards \
                            out"
                .into());
            }
            (Some(shard), None) => return Ok(shard),
            _ => {}
        }
        let of_engine = match variable("SLURM_ARRAY_TASK_ID") {
            Some(id) => Some(slurm(&id, variable)?),
            None => match variable("AWS_BATCH_JOB_ARRAY_INDEX") {
                Some(index) => Some(batch(&index, variable)?),
                None => variable("JOB_COMPLETION_INDEX").map(|index| kubernetes(&index, shards)).transpose()?.flatten(),
            },
        };
        match (of_engine, shards) {
            (Some(shard), Some(shards)) if shard.all != shards => {
                Err(format!("--shards {shards}, but the environment has {} shards: leave --shards out", shard.all))
            }
            (Some(shard), _) => Ok(shard),
            (None, Some(1)) | (None, None) => Ok(Self::WHOLE),
            (None, Some(shards)) => Err(format!(
                "--shards {shards} does not say which shard to run: write --shard 1/{shards}, or start it where an \
                 engine sets \
                 JOB_COMPLETION_INDEX"
            )),
        }
    }

    fn of(number: u64, all: u64) -> Result<Self, String> {
        match (1..=MAX_SHARDS).contains(&all) && (1..=all).contains(&number) {
            true => Ok(Self { number, all }),
            false => Err(format!("there is no shard {number} of {all}")),
        }
    }
}

/// Slurm's indices may begin at any number, but must have no gaps: no task would run the trials of a gap.
fn slurm(id: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let read = |name: &str| whole(name, &variable(name).unwrap_or_default());
    let (id, least) = (whole("SLURM_ARRAY_TASK_ID", id)?, read("SLURM_ARRAY_TASK_MIN")?);
    let count = read("SLURM_ARRAY_TASK_COUNT")?;
    let number = id.checked_sub(least).map(|from_zero| from_zero.saturating_add(1));
    number.and_then(|number| Shard::of(number, count).ok()).ok_or_else(|| {
        format!(
            "SLURM_ARRAY_TASK_ID={id} is not one of the {count} indices from {least}: write --array without steps and \
             gaps, such as \
             --array=1-100"
        )
    })
}

fn batch(index: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let size = "AWS_BATCH_JOB_ARRAY_SIZE";
    let (index, all) = (whole("AWS_BATCH_JOB_ARRAY_INDEX", index)?, whole(size, &variable(size).unwrap_or_default())?);
    Shard::of(index.saturating_add(1), all).map_err(|wrong| format!("AWS_BATCH_JOB_ARRAY_INDEX={index}: {wrong}"))
}

/// Kubernetes sets the index but not the number of completions, which `--shards` has to give.
fn kubernetes(index: &str, shards: Option<u64>) -> Result<Option<Shard>, String> {
    let Some(all) = shards else {
        return Err("JOB_COMPLETION_INDEX is set: say with --shards N how many completions the job has".into());
    };
    let index = whole("JOB_COMPLETION_INDEX", index)?;
    Shard::of(index.saturating_add(1), all).map(Some).map_err(|wrong| format!("JOB_COMPLETION_INDEX={index}: {wrong}"))
}

fn whole(name: &str, text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("{name}=\"{text}\" is not a whole number, which the engine should set"))
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let right = || format!("\"{text}\" is not a shard: write its number and the number of shards, such as 1/8");
        let (number, all) = text.split_once('/').ok_or_else(right)?;
        let (number, all) = (number.trim().parse().map_err(|_| right())?, all.trim().parse().map_err(|_| right())?);
        Self::of(number, all).map_err(|_| right())
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(given: Option<&str>, shards: Option<u64>, variables: &[(&str, &str)]) -> Result<String, String> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Shard::find(given.map(|text| text.parse().unwrap()), shards, &variable).map(|shard| shard.to_string())
    }

    #[test]
    fn every_trial_is_in_exactly_one_shard() {
        for (trials, all) in [(10, 3), (2, 5), (7, 7), (100, 1)] {
            let shards: Vec<_> = (1..=all).map(|number| Shard { number, all }).collect();
            let mut found: Vec<_> = shards.iter().flat_map(|shard| shard.trials(trials)).collect();
            found.sort_unstable();
            assert_eq!(found, (1..=trials).collect::<Vec<_>>());
            assert!(shards.iter().all(|shard| shard.count(trials) == shard.trials(trials).count() as u64));
        }
    }

    #[test]
    fn the_variables_of_engines_choose_the_shard() {
        let slurm = [("SLURM_ARRAY_TASK_ID", "12"), ("SLURM_ARRAY_TASK_MIN", "10"), ("SLURM_ARRAY_TASK_COUNT", "4")];
        assert_eq!(found(None, None, &slurm), Ok("3/4".into()));
        let batch = [("AWS_BATCH_JOB_ARRAY_INDEX", "0"), ("AWS_BATCH_JOB_ARRAY_SIZE", "4")];
        assert_eq!(found(None, None, &batch), Ok("1/4".into()));
        assert_eq!(found(None, Some(8), &[("JOB_COMPLETION_INDEX", "7")]), Ok("8/8".into()));
        assert_eq!(found(None, None, &[]), Ok("1/1".into()));
        assert_eq!(found(Some("2/3"), None, &slurm), Ok("2/3".into()), "an option comes first");
    }

    #[test]
    fn incomplete_or_wrong_shards_are_refused_with_what_is_missing() {
        assert!(found(None, None, &[("JOB_COMPLETION_INDEX", "7")]).unwrap_err().contains("--shards N"));
        assert!(found(None, Some(7), &[("JOB_COMPLETION_INDEX", "7")]).unwrap_err().contains("no shard 8 of 7"));
        assert!(found(None, None, &[("SLURM_ARRAY_TASK_ID", "1")]).unwrap_err().contains("SLURM_ARRAY_TASK_MIN"));
        let last = [
            ("SLURM_ARRAY_TASK_ID", "18446744073709551615"),
            ("SLURM_ARRAY_TASK_MIN", "0"),
            ("SLURM_ARRAY_TASK_COUNT", "1"),
        ];
        assert!(found(None, None, &last).unwrap_err().contains("is not one of the 1 indices from 0"));
        let gap = [("SLURM_ARRAY_TASK_ID", "5"), ("SLURM_ARRAY_TASK_MIN", "1"), ("SLURM_ARRAY_TASK_COUNT", "3")];
        assert!(found(None, None, &gap).unwrap_err().contains("--array=1-100"));
        assert!(found(None, Some(4), &[]).unwrap_err().contains("--shard 1/4"));
        assert!(found(Some("1/2"), Some(2), &[]).unwrap_err().contains("leave --shards out"));
        for text in ["0/2", "3/2", "1", "a/b", "1/0", ""] {
            assert!(text.parse::<Shard>().unwrap_err().contains("such as 1/8"), "{text}");
        }
    }
}
