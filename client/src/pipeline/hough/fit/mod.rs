//! The fit.

pub(crate) mod decide;
pub(crate) mod equations;
pub(crate) mod evidence;
pub(crate) mod initial;
pub(crate) mod iterate;
pub(crate) mod pixels;
pub(crate) mod refine;
