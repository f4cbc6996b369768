//! The verdict on a circle that passed verification.

/// How certain it is that a fit shows a disc.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    /// Evidence, comparable between the candidates of a frame.
    pub(crate) evidence: f64,
    /// Whether the evidence is enough to skip the other candidates.
    pub(crate) ample: bool,
}
