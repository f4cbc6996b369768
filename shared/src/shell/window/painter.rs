//! Draws a board's face on a screen repeatedly.

use super::board::{Board, Subject};
use super::controls::OnKey;
use super::screen::{self, NoWindow, Screen, Wish};
use crate::canvas::Canvas;
use crate::canvas::layout::Layout;

/// A board, and the window that shows it.
pub(super) struct Painter<S> {
    board: Board<S>,
    screen: Screen,
    layout: Layout,
    canvas: Canvas,
}

impl<S: Subject> Painter<S> {
    /// Opens a window that fits the frames of the board's face, with its title. Its keys go to `on_key`.
    pub(super) fn open(board: Board<S>, on_key: Option<OnKey>) -> Result<Self, NoWindow> {
        let face = board.face();
        let layout = Layout::opening(face.frame, screen::size()?);
        let screen = Screen::open(face.title, layout.size, on_key)?;
        Ok(Self { board, screen, canvas: layout.canvas(), layout })
    }

    /// Draws the current face, waits for the next refresh, and returns what the person wants.
    pub(super) fn paint(&mut self) -> Wish {
        let face = self.board.face();
        let layout = Layout::filling(face.frame, self.screen.size());
        if layout != self.layout {
            (self.layout, self.canvas) = (layout, layout.canvas());
        }
        face.draw(&self.layout, &mut self.canvas);
        self.screen.show(&self.canvas)
    }
}
