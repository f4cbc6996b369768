//! The contents of a window, as plain pixels: pictures, marks on them, text and charts.
//!
//! A [`face::Face`] describes everything that a window shows, as data: a status, a picture with its marks, sections of
//! figures. Each program fills one; nothing here knows what is measured. A [`pairing`] holds the picture and the score
//! of a frame until both are there, and a [`history`] holds the values of the last frames.
//!
//! [`layout`] arranges the parts of a window. The [`header`] is at the top. On the left is the picture, which
//! [`picture`] draws according to its [`placement`], with each [`mark`] on it. On the right is the [`panel`] of
//! [`figure`]s and a [`chart`]. All of them draw on a [`Canvas`] ([`surface`]) with [`stroke`]s and [`text`], in the
//! colours of the [`theme`]. Pictures with 16 bits get the colours of a [`colour`] map. Nothing here opens a window.

mod axes;
pub mod chart;
pub mod colour;
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
