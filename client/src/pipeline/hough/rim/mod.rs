//! Finds outlines, and discs that are not round or not even, by the evidence for a closed edge.
//!
//! The fit of a round, even disc comes first. This module is used if that finds nothing, or if its residuals are too
//! large (`doubt`).
//!
//! 1. `starts`: the places where an outline may be. These are the candidates of the votes, and the ellipses through
//!    `chains` of edges.
//! 2. `trace`: follows the edges near a start to an ellipse (`points`, `oval`). The evidence is the number of `arcs`
//!    whose strongest edge lies on it.
//! 3. `shade`: fits the intensities on both sides of the outline under several hypotheses, and takes the one with the
//!    smallest information criterion.
//! 4. `measure`: takes the fit if it agrees with the traced outline, else the outline itself.

pub(crate) mod arcs;
pub(crate) mod chains;
pub(crate) mod doubt;
pub(crate) mod measure;
pub(crate) mod oval;
pub(crate) mod points;
pub(crate) mod shade;
pub(crate) mod starts;
pub(crate) mod trace;
