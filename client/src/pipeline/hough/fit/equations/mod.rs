//! Turns the pixels of an annulus into the next step of the model.
//!
//! 1. `model`: what a pixel should show, with a `profile` across the edge.
//! 2. `columns`: for each pixel, the residual and the derivatives with respect to the model's parameters.
//! 3. `products` of the columns, summed over each sector (`sums`) in one `pass` over the pixels.
//! 4. `normal`: one system of equations from all sectors, solved by `cholesky`. If the disc stands still, the sectors
//!    are combined through `waves`.

pub(crate) mod cholesky;
pub(crate) mod columns;
pub(crate) mod model;
pub(crate) mod normal;
pub(crate) mod pass;
pub(crate) mod products;
pub(crate) mod profile;
pub(crate) mod sums;
pub(crate) mod waves;
