//! Help headings that several groups of options share.

/// Help heading of the options for the pipeline.
pub(super) const PIPELINE: &str = "Pipeline";

/// Help heading of the options for what is shown and written.
pub(super) const OUTPUT: &str = "Output";
