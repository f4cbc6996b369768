//! Discs that are not round or not even, and outlines: judged by the evidence of an edge that closes.
//!
//! The fit of a round, even disc comes first; this is tried where that finds nothing, or where its residuals ask for
//! more (`doubt`).
//!
//! 1. `starts`: where an outline may be: the candidates of the votes, and the ellipses through `chains` of edges.
//! 2. `trace`: follows the edges near a start to an ellipse (`points`, `oval`), and asks for evidence: how many `arcs`
//!    have their strongest edge on it.
//! 3. `shade`: fits the intensities on both sides of the outline, under several hypotheses, of which the one with the
//!    least criterion is taken.
//! 4. `measure`: takes the fit if it shows the traced outline, else the outline itself.

pub(crate) mod arcs;
pub(crate) mod chains;
pub(crate) mod doubt;
pub(crate) mod measure;
pub(crate) mod oval;
pub(crate) mod points;
pub(crate) mod shade;
pub(crate) mod starts;
pub(crate) mod trace;
