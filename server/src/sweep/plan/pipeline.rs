//! The pipeline of a sweep.

use std::path::PathBuf;
use std::time::Duration;

use client::pipeline::{AUTO, DEFAULT_TIMEOUT, Parameters, PipelineChoice, PipelineOptions, RadiusLimits, timeout};
use toml::de::{DeTable, DeValue};

use crate::run::number::real;

/// The interpreter of functions, unless the plan names another one.
const PYTHON: &str = "python3";

/// What the plan says about the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sweep) struct PipelinePlan {
    /// The pipeline of all trials that have no value on the axis `pipeline`.
    pub(in crate::sweep) name: String,
    /// The command that starts a client for each trial.
    pub(in crate::sweep) client: Option<String>,
    /// The radii that the built-in detectors look for.
    pub(in crate::sweep) radii: RadiusLimits,
    /// Time limit of a program or a function for a frame.
    pub(in crate::sweep) timeout: Option<Duration>,
    /// The interpreter of functions.
    pub(in crate::sweep) python: String,
    /// Keyword arguments of a function, as a JSON object. A plan of a sweep has none.
    pub(in crate::sweep) keywords: Option<String>,
    /// Other numbers of a built-in pipeline. A plan of a sweep has none.
    pub(in crate::sweep) parameters: Parameters,
}

/// What a pipeline's name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sweep) enum Answerer {
    /// A built-in pipeline, or a program (`exec:COMMAND`).
    Named(String),
    /// A Python function.
    Function {
        /// The file.
        file: PathBuf,
        /// The function's name.
        name: String,
    },
    /// A command that starts a client.
    Client(String),
}

impl Default for PipelinePlan {
    fn default() -> Self {
        Self {
            name: AUTO.to_owned(),
            client: None,
            radii: RadiusLimits::default(),
            timeout: None,
            python: PYTHON.to_owned(),
            keywords: None,
            parameters: Parameters::new(),
        }
    }
}

impl PipelinePlan {
    /// Reads the table `[pipeline]`.
    ///
    /// # Errors
    /// What was wrong and what would be right.
    pub(super) fn read(table: &DeTable<'_>) -> Result<Self, String> {
        let mut plan = Self::default();
        for (key, value) in table {
            let (key, value) = (key.get_ref().replace('-', "_"), value.get_ref());
            plan.set(&key, value).map_err(|wrong| format!("[pipeline] {wrong}"))?;
        }
        if plan.client.is_some() && plan != (Self { client: plan.client.clone(), ..Self::default() }) {
            return Err(
                "[pipeline] client: the command chooses the pipeline and its options, so write nothing else here"
                    .into(),
            );
        }
        PipelineChoice::new(AUTO, plan.options()).map_err(|wrong| format!("[pipeline] {wrong}"))?;
        Ok(plan)
    }

    fn set(&mut self, key: &str, value: &DeValue<'_>) -> Result<(), String> {
        let text = || value.as_str().map(str::to_owned).ok_or_else(|| format!("{key}: write a text in quotes"));
        let radius = || real(value).map(Some).ok_or_else(|| format!("{key}: write a radius in px"));
        match key {
            "name" => self.name = text()?,
            "client" => self.client = Some(text()?),
            "python" => self.python = text()?,
            "min_radius" => self.radii.min = radius()?,
            "max_radius" => self.radii.max = radius()?,
            "timeout" => self.timeout = Some(timeout(&text()?).map_err(|wrong| format!("{key}: {wrong}"))?),
            _ => {
                return Err(format!(
                    "{key} is not known: write name, client, min_radius, max_radius, timeout or python"
                ));
            }
        }
        Ok(())
    }

    /// What the pipeline's name means.
    pub(in crate::sweep) fn answerer(&self, name: &str) -> Answerer {
        if let Some(command) = &self.client {
            return Answerer::Client(command.clone());
        }
        match name.rsplit_once(':') {
            Some((file, function)) if file.ends_with(".py") && !name.starts_with("exec:") => {
                Answerer::Function { file: file.into(), name: function.to_owned() }
            }
            _ => Answerer::Named(name.to_owned()),
        }
    }

    /// The options of built-in pipelines and of programs.
    pub(in crate::sweep) fn options(&self) -> PipelineOptions {
        let timeout = self.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let parameters = self.parameters.clone();
        PipelineOptions { radii: self.radii, parameters, timeout, ..PipelineOptions::default() }
    }

    /// Checks that the pipeline of this name can be built here.
    ///
    /// # Errors
    /// What was wrong and what would be right.
    pub(in crate::sweep) fn check(&self, name: &str) -> Result<(), String> {
        match self.answerer(name) {
            Answerer::Named(name) => {
                let choice = PipelineChoice::new(&name, self.options());
                choice.map(drop).map_err(|wrong| format!("{wrong}, or FILE.py:FUNCTION"))
            }
            Answerer::Function { file, .. } if !file.is_file() => Err(format!(
                "there is no file {}: write FILE.py:FUNCTION, relative to the current folder",
                file.display()
            )),
            Answerer::Function { name, .. } if !is_name(&name) => {
                Err(format!("\"{name}\" is not the name of a function: write FILE.py:FUNCTION"))
            }
            Answerer::Function { .. } | Answerer::Client(_) => Ok(()),
        }
    }

    /// The properties on which this pipeline's answers depend, as lines.
    pub(super) fn lines(&self, name: &str) -> String {
        let mut lines = match self.answerer(name) {
            Answerer::Client(command) => format!("client = {command:?}\n"),
            _ => format!("pipeline = {name:?}\n"),
        };
        let RadiusLimits { min, max, .. } = self.radii;
        for (key, radius) in [("min_radius", min), ("max_radius", max)] {
            lines += &radius.map_or_else(String::new, |radius| format!("{key} = {radius}\n"));
        }
        lines += &self.timeout.map_or_else(String::new, |time| format!("timeout_us = {}\n", time.as_micros()));
        lines
    }
}

fn is_name(text: &str) -> bool {
    let is_start = |first: char| first.is_alphabetic() || first == '_';
    text.starts_with(is_start) && text.chars().all(|one| one.is_alphanumeric() || one == '_')
}
