//! The fit: Gauss–Newton on the intensities of the annulus around a circle.
//!
//! Every pixel near the edge shows how far away the edge is. Together they determine the centre as precisely as the
//! pixels allow (the Cramér–Rao bound).
//!
//! - `refine` gathers an annulus and fits. It gathers again if the disc turns out to be elsewhere or its edge wider.
//! - `initial` makes the first model, and `iterate` runs the iterations on one annulus.
//! - `pixels` selects the pixels of the annulus.
//! - `equations` turns pixels into a step of the model.
//! - `decide` chooses the kind of model: which sectors show the disc, how the ground lies, and whether the disc moved.
//! - `light` estimates the gain of uneven light at each pixel. The annulus is divided by it.
//! - `evidence` collects what each direction shows about the fitted disc, for the verdict and for a covariance that is
//!   large enough.

pub(crate) mod decide;
pub(crate) mod equations;
pub(crate) mod evidence;
pub(crate) mod initial;
pub(crate) mod iterate;
pub(crate) mod light;
pub(crate) mod pixels;
pub(crate) mod refine;
