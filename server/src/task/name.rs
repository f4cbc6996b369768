//! Tasks by name, as options, hello and report write it.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use thiserror::Error;

use super::ack::AckTask;
use super::circle::CircleTask;
use super::count::CountTask;
use super::image::ImageTask;
use super::seam::Task;

/// All tasks; the first is the default.
static TASKS: [&dyn Task; 4] = [&CircleTask, &CountTask, &AckTask, &ImageTask];

/// One of the tasks, which prints and parses as its name.
#[derive(Clone, Copy, Debug)]
pub struct TaskName(&'static dyn Task);

/// No task has this name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{name}\" is not a task: {}", names())]
pub struct UnknownTask {
    name: String,
}

impl TaskName {
    /// The task `ack`, which scores a source without truth.
    pub fn ack() -> Self {
        Self(&AckTask)
    }

    /// The task `count`, for which the ball's source shows several balls.
    pub fn count() -> Self {
        Self(&CountTask)
    }

    /// All tasks, the default first.
    pub fn all() -> impl Iterator<Item = Self> {
        TASKS.into_iter().map(Self)
    }
}

impl Default for TaskName {
    fn default() -> Self {
        Self(TASKS[0])
    }
}

impl Deref for TaskName {
    type Target = dyn Task;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl PartialEq for TaskName {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for TaskName {}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TaskName {
    type Err = UnknownTask;

    fn from_str(text: &str) -> Result<Self, UnknownTask> {
        Self::all().find(|task| task.name() == text).ok_or_else(|| UnknownTask { name: text.into() })
    }
}

impl Serialize for TaskName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

fn names() -> String {
    let names: Vec<_> = TaskName::all().map(|task| task.name()).collect();
    let (last, others) = names.split_last().unwrap_or((&"", &[]));
    format!("{} or {last}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_task_is_found_by_its_name_and_other_names_are_refused() {
        for task in TaskName::all() {
            assert_eq!(task.to_string().parse(), Ok(task));
        }
        let refused = "square".parse::<TaskName>().unwrap_err().to_string();
        assert_eq!(refused, "\"square\" is not a task: circle, count, ack or image");
        assert_eq!(TaskName::default().name(), shared::protocol::message::CIRCLE_TASK);
    }

    #[test]
    fn the_columns_of_a_task_have_different_names() {
        for task in TaskName::all() {
            let names: Vec<_> = task.columns().all().map(|column| column.name).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{task}: {names:?}");
        }
    }
}
