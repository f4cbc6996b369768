//! Shows a session to people: in rows in the terminal, or in a window.

pub use seam::{NoView, View, Views};
pub use terminal::TerminalView;
pub use window::{Received, WindowView};

mod seam;
pub mod sections;
mod terminal;
mod window;
