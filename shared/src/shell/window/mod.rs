//! A window beside a program's work, or rows where there is none.
//!
//! The work writes what happens onto a [`Board`], which never makes it wait for the screen. At most 30 times a second the
//! painter takes a copy of what is written there, asks it for its face and draws that on the screen.

mod beside;
mod board;
mod painter;
mod screen;

pub use beside::{Place, beside_window_or_rows};
pub use board::{Board, Subject};
