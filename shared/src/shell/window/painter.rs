//! Draws a board's face on a screen, again and again.

use super::board::{Board, Subject};
use super::screen::{NoWindow, Screen, Wish};
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
    /// Opens a window with the title of the board's face and for its size of frames.
    pub(super) fn open(board: Board<S>) -> Result<Self, NoWindow> {
        let face = board.face();
        let layout = Layout::new(face.frame);
        let screen = Screen::open(face.title, layout.size.width, layout.size.height)?;
        Ok(Self { board, screen, canvas: layout.canvas(), layout })
    }

    /// Draws what there is to see, waits for the next refresh, and says what the person wants.
    pub(super) fn paint(&mut self) -> Wish {
        let face = self.board.face();
        if face.frame != self.layout.frame {
            self.layout = Layout::new(face.frame);
            self.canvas = self.layout.canvas();
        }
        face.draw(&self.layout, &mut self.canvas);
        self.screen.show(&self.canvas)
    }
}
