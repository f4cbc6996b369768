//! What the verification answers for a circle it believes.

/// How sure it is that a fit shows a disc.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    /// Evidence, comparable between the candidates of a frame.
    pub(crate) evidence: f64,
    /// Whether no other candidate need be looked at.
    pub(crate) ample: bool,
}
