//! The fit: Gauss–Newton on the intensities of the annulus around a circle.
//!
//! Every pixel near the edge tells how far away the edge is; together they fix the centre as well as the pixels allow
//! (the Cramér–Rao bound).
//!
//! - `refine` gathers an annulus, fits, and gathers again where the disc turns out to be elsewhere or its edge wider.
//! - `initial` makes the model to begin with; `iterate` runs the iterations on one annulus.
//! - `pixels`: which pixels are in the annulus. `equations`: from pixels to a step of the model. `decide`: what the
//!   pixels say about the kind of model: which sectors show the disc, how the ground lies, whether the disc moved.
//! - `light`: where it falls unevenly, what that does to each pixel; the annulus is divided by it.
//! - `evidence`: what each direction says about the fitted disc, for the verdict and for an honest covariance.

pub(crate) mod decide;
pub(crate) mod equations;
pub(crate) mod evidence;
pub(crate) mod initial;
pub(crate) mod iterate;
pub(crate) mod light;
pub(crate) mod pixels;
pub(crate) mod refine;
