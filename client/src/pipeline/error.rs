//! Errors of choosing and building a pipeline.

use shared::text::Escaped;
use thiserror::Error;

use super::exec::CommandError;
use super::radii::RadiusError;

/// A pipeline could not be chosen or built. Lists of names are stored as text for the user.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum PipelineError {
    /// No pipeline has this name.
    #[error("no pipeline is called {name:?}; there is {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The known names.
        known: String,
    },
    /// No detector has this name.
    #[error("no detector of circles is called {name:?}; there is {known}")]
    UnknownDetector {
        /// The name asked for.
        name: String,
        /// The known names.
        known: String,
    },
    /// All circles are asked for, but the detector finds only one.
    #[error("{detector} finds one circle in a frame; {able} finds all")]
    FindsOne {
        /// The detector.
        detector: &'static str,
        /// A detector that finds all.
        able: &'static str,
    },
    /// An option of the detector `hough` is given to another one.
    #[error("{option} is for hough, and {detector} is another detector: leave it out, or write --detector hough")]
    OnlyHough {
        /// The option.
        option: &'static str,
        /// The detector.
        detector: &'static str,
    },
    /// No circle can meet the radius limits.
    #[error(transparent)]
    Radius(#[from] RadiusError),
    /// A parameter is unknown, or its value does not suit it.
    #[error("{pipeline}: {reason}")]
    Parameter {
        /// The pipeline.
        pipeline: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The settings of `--detector-options` are for another pipeline.
    #[error(
        "--detector-options: the settings are for {}, and --pipeline is {pipeline}: leave --pipeline out",
        Escaped(settings)
    )]
    OtherPipeline {
        /// The pipeline of the file.
        settings: String,
        /// The pipeline that was asked for.
        pipeline: String,
    },
    /// The settings of `--detector-options` cannot be used by a client.
    #[error("--detector-options: {0}")]
    Settings(String),
    /// The command of `exec:COMMAND` cannot be run.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The time limit of programs was given for a pipeline that is not a program.
    #[error(
        "--pipeline-timeout is for programs, and --pipeline {pipeline} is not one: leave it out, or write --pipeline \
         exec:COMMAND"
    )]
    OnlyPrograms {
        /// The pipeline.
        pipeline: String,
    },
    /// A program cannot be started.
    #[error("the program {0}")]
    Start(String),
    /// The server asks for a task that no pipeline can do.
    #[error("the server's task is \"{task}\", which no pipeline here can do; the possible tasks are {possible}")]
    NoneFor {
        /// The task, escaped and cut to a printable length.
        task: String,
        /// The tasks of all pipelines.
        possible: String,
    },
    /// The server asks for a task that the named pipeline cannot do.
    #[error("the server's task is \"{task}\", which --pipeline {pipeline} cannot do (it can do {possible}); {advice}")]
    CannotDo {
        /// The named pipeline.
        pipeline: &'static str,
        /// The task, escaped and cut to a printable length.
        task: String,
        /// The tasks of that pipeline.
        possible: String,
        /// What to use instead.
        advice: String,
    },
}

impl PipelineError {
    /// A parameter of this pipeline is wrong.
    pub(super) fn of_parameter(pipeline: &str) -> impl Fn(String) -> Self {
        move |reason| Self::Parameter { pipeline: pipeline.to_owned(), reason }
    }
}
