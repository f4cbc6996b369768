//! The detector `hough` as WebAssembly, for a page.
//!
//! These are the files of the client's detector, compiled again: nothing here finds a circle itself. They say `shared::…`
//! and `crate::pipeline::…`, so this crate has those names.
//!
//! A page asks for [`room`], writes the pixels there, and asks for a [`circle`] or for the [`count`].

// `no_mangle` counts as unsafe, because a program could have two functions of one name. There is no other unsafe code.
#![allow(unsafe_code, reason = "a page finds the exports by their names, and nothing else is linked here")]
// The detector's files have more than a page needs.
#![allow(dead_code, unused_imports)]

extern crate self as shared;

#[path = "../../shared/src/geometry.rs"]
mod geometry;

mod page;

/// What the detector takes from the protocol's messages.
mod protocol {
    pub(crate) mod message {
        pub(crate) use crate::geometry::Ellipse;
    }
}

#[path = "../../shared/src/image"]
mod image {
    pub(crate) use levels::GrayLevels;
    pub(crate) use view::ImageView;

    mod gaps;
    mod levels;
    mod view;
}

#[path = "../../client/src/pipeline"]
mod pipeline {
    pub(crate) use detector::{Detector, DetectorOfAll, Estimate};
    pub(crate) use radii::RadiusLimits;

    mod detector;
    mod parameters;
    mod radii;

    /// All of `hough` but its kind of pipeline.
    pub(crate) mod hough {
        pub(crate) use detector::Hough;

        mod all;
        mod bounds;
        mod chance;
        mod detector;
        mod explain;
        mod fit;
        mod frame;
        mod locate;
        mod machine;
        mod rim;
        mod ring;
        mod search;
        mod sectors;
        mod verify;
    }
}

use std::cell::RefCell;

use page::Page;

thread_local! {
    /// A module has one thread.
    static PAGE: RefCell<Page> = RefCell::default();
}

/// The address where the pixels of a frame of this size are to be written, row by row, in the order of the wire; 0 if no
/// frame is of this size. A pixel has 1 byte (`gray8`), 2 (`gray16`) or 3 (`bgr8`).
#[unsafe(no_mangle)]
pub extern "C" fn room(width: u32, height: u32, bytes: u32) -> usize {
    PAGE.with_borrow_mut(|page| page.room(width, height, bytes)).unwrap_or_default()
}

/// Whether the frame shows a circle: then [`x`], [`y`] and [`radius`] are its.
#[unsafe(no_mangle)]
pub extern "C" fn circle() -> bool {
    PAGE.with_borrow_mut(Page::circle)
}

/// Column of the circle's centre, in px.
#[unsafe(no_mangle)]
pub extern "C" fn x() -> f64 {
    PAGE.with_borrow(|page| page.found.x)
}

/// Row of the circle's centre, in px.
#[unsafe(no_mangle)]
pub extern "C" fn y() -> f64 {
    PAGE.with_borrow(|page| page.found.y)
}

/// The circle's radius, in px.
#[unsafe(no_mangle)]
pub extern "C" fn radius() -> f64 {
    PAGE.with_borrow(|page| page.found.radius)
}

/// The number of circles in the frame.
#[unsafe(no_mangle)]
pub extern "C" fn count() -> u32 {
    PAGE.with_borrow_mut(Page::count)
}
