//! Trials outside of a sweep: `server tune` runs them one by one, with settings of its own.

use std::path::Path;

use client::pipeline::{Parameter, Parameters, PipelineChoice, PipelineOptions, RadiusLimits};
use serde_json::Value;
use shared::shell::stop::Stopper;
use toml::de::DeTable;

use super::error::SweepError;
use super::find::searchable;
use super::plan::{Answerer, Plan, hash};
use super::trial::{Given, Pipelines, TrialError, evaluated};

pub(crate) use super::marks::MOST_FRAMES;
pub(crate) use super::merge::{Cell, Kind, Table};
use crate::gate::{self, Condition};
use crate::source::is_computed;
use crate::task::TaskName;

/// A run and a pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Single(Plan);

/// What a worker keeps from one run to the next.
#[derive(Default)]
pub(crate) struct Runner(Pipelines);

/// What the setting of a pipeline changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tuned {
    /// Another name of the pipeline: the command with its arguments.
    pub(crate) name: Option<String>,
    /// Keyword arguments of a Python function, as a JSON object.
    pub(crate) keywords: Option<String>,
    /// Numbers of a built-in pipeline.
    pub(crate) parameters: Parameters,
}

/// Why a run has no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoReport {
    /// The pipeline failed.
    Failed(String),
    /// Somebody stopped it.
    Stopped,
}

/// What a pipeline's parameters are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Options of a built-in pipeline.
    BuiltIn,
    /// Arguments of a program.
    Program(String),
    /// Keyword arguments of a Python function.
    Function {
        /// The interpreter.
        python: String,
        /// The file.
        file: std::path::PathBuf,
        /// The function.
        name: String,
    },
    /// A client, which has no parameters here.
    Client,
}

impl Single {
    /// Reads a run and its pipeline from the tables `run` and `pipeline`.
    ///
    /// # Errors
    /// [`SweepError`] says what was wrong and what would be right.
    pub(crate) fn of_table(path: &Path, table: &DeTable<'_>) -> Result<Self, SweepError> {
        Ok(Self(Plan::of_table(path, table)?))
    }

    /// Checks that the pipeline can be built here.
    ///
    /// # Errors
    /// What was wrong and what would be right.
    pub(crate) fn check(&self) -> Result<(), SweepError> {
        self.0.check()
    }

    /// The numbers of a built-in pipeline, beside the radii.
    pub(crate) fn parameters(&self) -> &'static [Parameter] {
        PipelineChoice::new(self.pipeline(), PipelineOptions::default()).map_or(&[], |choice| choice.parameters())
    }

    /// The task of the run.
    ///
    /// # Errors
    /// If the run cannot be made.
    pub(crate) fn task(&self) -> Result<TaskName, SweepError> {
        Ok(self.0.trial(1)?.spec.sent.task.unwrap_or_default())
    }

    /// The source, if its frames are the same with every seed.
    ///
    /// # Errors
    /// As [`Self::task`].
    pub(crate) fn source_of_file(&self) -> Result<Option<String>, SweepError> {
        let source = self.0.trial(1)?.spec.sent.source;
        Ok((!is_computed(&source)).then_some(source))
    }

    /// The pipeline's name.
    pub(crate) fn pipeline(&self) -> &str {
        &self.0.pipeline.name
    }

    /// What its parameters are.
    pub(crate) fn form(&self) -> Form {
        match self.0.pipeline.answerer(&self.0.pipeline.name) {
            Answerer::Client(_) => Form::Client,
            Answerer::Function { file, name } => Form::Function { python: self.0.pipeline.python.clone(), file, name },
            Answerer::Named(name) if name.starts_with("exec:") => Form::Program(name),
            Answerer::Named(_) => Form::BuiltIn,
        }
    }

    /// The pipeline with this setting.
    pub(crate) fn with(&self, tuned: &Tuned) -> Self {
        let mut plan = self.0.clone();
        let RadiusLimits { min, max } = plan.pipeline.radii;
        let (set, parameters) = RadiusLimits::default().or(tuned.parameters.clone());
        plan.pipeline.radii = RadiusLimits { min: set.min.or(min), max: set.max.or(max) };
        plan.pipeline.parameters = parameters;
        plan.pipeline.keywords.clone_from(&tuned.keywords);
        if let Some(name) = &tuned.name {
            plan.pipeline.name.clone_from(name);
        }
        Self(plan)
    }

    /// Runs it with the seed that is `later` after the plan's. Returns the report of the session.
    ///
    /// # Errors
    /// [`NoReport`].
    pub(crate) fn run(&self, later: u64, runner: &mut Runner, stopper: &Stopper) -> Result<Value, NoReport> {
        let failed = |wrong: &dyn std::fmt::Display| NoReport::Failed(wrong.to_string());
        // The plan has no axis, so it has one cell.
        let trial = self.0.trial_at(1, "", 0.0, later).map_err(|wrong| failed(&wrong))?;
        let given = Given { plan: &self.0, trial: &trial, stopper };
        let evaluated = evaluated(&given, &mut runner.0, None).map_err(|wrong| match wrong {
            TrialError::Stopped => NoReport::Stopped,
            other => failed(&other),
        })?;
        let mut report: Value = serde_json::from_str(&evaluated.report).map_err(|wrong| failed(&wrong))?;
        Ok(report["sessions"][0].take())
    }
}

/// A condition that settings can be asked to meet.
///
/// # Errors
/// What was wrong and what would be right.
pub(crate) fn condition(text: &str, task: TaskName) -> Result<Condition, String> {
    searchable(text, task)
}

/// The path of a figure of the report.
///
/// # Errors
/// What was wrong, with the nearest paths.
pub(crate) fn figure(path: &str, task: TaskName) -> Result<String, String> {
    let condition: Condition =
        format!("{path} <= 0").parse().map_err(|_| format!("\"{path}\" is not the path of a figure"))?;
    gate::check(std::slice::from_ref(&condition), task)?;
    Ok(condition.path().to_owned())
}

/// The name of a text: the same for the same text only.
pub(crate) fn name_of(text: &str) -> String {
    hash(text)
}
