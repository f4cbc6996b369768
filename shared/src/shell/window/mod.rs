//! A window that shows a program's work, or rows if there is no window.
//!
//! The work writes its progress onto a [`Board`], which never makes it wait for the screen. At most 30 times per
//! second, the painter copies the board's subject, asks the copy for its face and draws that on the screen.

mod beside;
mod board;
mod controls;
mod painter;
mod screen;

pub use beside::{Place, beside_window_or_rows};
pub use board::{Board, Subject};
pub use controls::{Controls, OnKey};
