//! Why there is no pipeline.

use thiserror::Error;

use super::radii::RadiusError;

/// Why a pipeline could not be chosen or built. Names stand in lists as they are told to the user.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum PipelineError {
    /// No pipeline has this name.
    #[error("no pipeline is called {name:?}; there is {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No detector has this name.
    #[error("no detector of circles is called {name:?}; there is {known}")]
    UnknownDetector {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The radius limits make no sense.
    #[error(transparent)]
    Radius(#[from] RadiusError),
    /// The server asks for a task that no pipeline can do.
    #[error(
        "the server's task is \"{task}\", which no pipeline here can do; the tasks that can be done are {possible}"
    )]
    NoneFor {
        /// The task, escaped and cut to a printable length.
        task: String,
        /// The tasks of all pipelines.
        possible: String,
    },
    /// The server asks for a task that the pipeline asked for cannot do.
    #[error("the server's task is \"{task}\", which --pipeline {pipeline} cannot do; it does {possible}. {advice}")]
    CannotDo {
        /// The pipeline asked for.
        pipeline: &'static str,
        /// The task, escaped and cut to a printable length.
        task: String,
        /// The tasks of that pipeline.
        possible: String,
        /// Which pipeline would do.
        advice: String,
    },
}
