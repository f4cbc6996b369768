//! What a person sees of a session: rows in the terminal, or a window.

pub use seam::{NoView, View, Views};
pub use terminal::TerminalView;
pub use window::{Received, WindowView};

mod seam;
pub mod sections;
mod terminal;
mod window;
