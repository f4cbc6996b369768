//! What a window shows, as plain pixels: pictures, marks on them, text and charts.
//!
//! A [`face::Face`] says everything that a window shows, as data: how things stand, a picture with its marks, sections of
//! figures. Whoever has something to show fills one; nothing here knows what is measured. A [`pairing`] keeps the picture
//! and the score of a frame together until both are there, and a [`history`] the values of the last frames.
//!
//! [`layout`] arranges its parts: the [`header`] on top; on the left the picture, which [`picture`] draws where its
//! [`placement`] says, with each [`mark`] on it; on the right the [`panel`] of [`figure`]s and a [`chart`]. All of them
//! draw on a [`Canvas`] ([`surface`]) with [`stroke`]s and [`text`], in the colours of the [`theme`]. Nothing here opens
//! a window.

mod axes;
pub mod chart;
pub mod face;
pub mod figure;
pub mod header;
pub mod history;
pub mod layout;
pub mod mark;
pub mod pairing;
pub mod panel;
pub mod picture;
pub mod placement;
pub mod stroke;
pub mod surface;
pub mod text;
pub mod theme;

pub use surface::Canvas;
