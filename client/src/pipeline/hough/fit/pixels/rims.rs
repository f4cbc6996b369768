//! Levels on both sides of an edge.

/// Mean intensities of a sector's innermost and outermost pixels, in gray levels. 0 if there are no such pixels.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rims {
    pub(crate) inside: f32,
    pub(crate) outside: f32,
}
