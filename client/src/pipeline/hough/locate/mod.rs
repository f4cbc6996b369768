//! Turns a candidate accurate to a few pixels into a circle accurate to a tenth of a pixel.
//!
//! `rays` reads the frame along 48 rays, takes the strongest `steps` as edge points, finds the `circle` on which most
//! of them agree, and measures the `edge_width` there. The result is a `start` for the fit. A disc that moved by its
//! own width shows no ring, so its start comes from its `moments`.

pub(crate) mod circle;
pub(crate) mod edge_width;
pub(crate) mod moments;
pub(crate) mod rays;
pub(crate) mod start;
pub(crate) mod steps;
