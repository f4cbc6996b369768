//! From the pixels of an annulus to the next step of the model.
//!
//! 1. `model`: what a pixel should show, with a `profile` across the edge.
//! 2. `columns`: for each pixel, the residual and the derivatives by the model's parameters.
//! 3. `products` of the columns, added up over each sector (`sums`) in one `pass` over the pixels.
//! 4. `normal`: one system of equations from all sectors, by way of `waves` when the disc stands still, solved by
//!    `cholesky`.

pub(crate) mod cholesky;
pub(crate) mod columns;
pub(crate) mod model;
pub(crate) mod normal;
pub(crate) mod pass;
pub(crate) mod products;
pub(crate) mod profile;
pub(crate) mod sums;
pub(crate) mod waves;
