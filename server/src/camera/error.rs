//! Why a camera is impossible: which option, what was wrong and what would be right.

use shared::text::Figure;
use thiserror::Error;

use crate::options::OutOfRange;

/// A camera setting is invalid.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum CameraError {
    /// A setting is out of its range.
    #[error(transparent)]
    Value(#[from] OutOfRange),
    /// The contrast puts a colour of the ball outside 0 to 255.
    #[error(
        "contrast {} puts the ball at {level:.1} in one colour of bgr8, which is not between 0 and 255: \
         -30.1 to 161.8 but not 0, or gray8",
        Figure(.got)
    )]
    Colour {
        /// The contrast asked for.
        got: f64,
        /// The first level outside 0 to 255.
        level: f64,
    },
    /// An option describes a form that the ball does not have.
    #[error("--{option} needs --{needs}: add it, or leave it out")]
    Needs {
        /// The option.
        option: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// An outline has no surface that could be shaded.
    #[error("--ring shows only an outline, which has no shade: leave out --ring or --shade")]
    ShadedRing,
    /// A form of the ball that the image of a disc or a sphere does not have.
    #[error("--{option} does not go with a lens (--{lens}), {why}: leave one of them out")]
    Lensed {
        /// The option of the form.
        option: &'static str,
        /// An option of the lens.
        lens: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// One pose is given, and others are to be drawn.
    #[error("--poses draws the poses that --pose gives: leave out --pose or --poses")]
    TwoPoses,
    /// An effect that needs all rows at one time.
    #[error("--{option} does not go with --rolling-shutter, {why}: leave one of them out")]
    Rolling {
        /// The option.
        option: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// The ball does not fit into what is seen of the plane.
    #[error(
        "radius {} px does not fit into what is seen of the plane through the lens (--{lens}), {room}: write a smaller \
         --radius, or another lens, pose or distance",
        Figure(.radius)
    )]
    NoRoom {
        /// Radius of the ball, in px of the plane.
        radius: f64,
        /// An option of the lens.
        lens: &'static str,
        /// What is seen of the plane.
        room: String,
    },
    /// The simulated camera has no pixels of 16 bits.
    #[error(
        "--pixel gray16 is not for --source ball, whose camera has 8 bits: write --pixel gray8 or bgr8, or --source \
         FOLDER with 16-bit images"
    )]
    Deep,
}
