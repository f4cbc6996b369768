//! A circle.

pub(crate) mod circle;
pub(crate) mod edge_width;
pub(crate) mod moments;
pub(crate) mod rays;
pub(crate) mod start;
pub(crate) mod steps;
