//! A window on the screen, for whoever draws on a canvas.

use minifb::{Key, Window, WindowOptions};
use thiserror::Error;

use crate::canvas::Canvas;

/// How often the window is drawn, in Hz. A redraw takes 1 ms at 640x480 and 5 ms at 1920x1080 (measured): 3 % and 14 %
/// of a core at 30 Hz, on a thread of its own.
const REFRESH_HZ: usize = 30;

/// Why there is no window.
#[derive(Debug, Error)]
pub(super) enum NoWindow {
    /// No display is named.
    #[error("no display (DISPLAY is not set)")]
    NoDisplay,
    /// The display cannot be used.
    #[error("no window on display {display} ({reason})")]
    Refused {
        /// The display.
        display: String,
        /// What the window system says.
        reason: String,
    },
}

/// What the person at the window wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// More of it.
    Stay,
    /// The window was closed, or `q` or Esc pressed.
    Leave,
}

/// An open window.
pub(super) struct Screen {
    window: Window,
    title: &'static str,
    size: (usize, usize),
}

impl Screen {
    /// Opens a window for a canvas of this size, in pixels.
    pub(super) fn open(title: &'static str, width: u32, height: u32) -> Result<Self, NoWindow> {
        #[cfg(target_os = "linux")]
        check_display()?;
        let size = (width as usize, height as usize);
        Ok(Self { window: open(title, size)?, title, size })
    }

    /// Shows the canvas, waits for the next refresh, and says what the person wants.
    ///
    /// A canvas of another size gets a window of its own; where that fails the old one stays.
    pub(super) fn show(&mut self, canvas: &Canvas) -> Wish {
        let size = (canvas.width() as usize, canvas.height() as usize);
        if size != self.size
            && let Ok(window) = open(self.title, size)
        {
            self.window = window;
            self.size = size;
        }
        let shown = size != self.size || self.window.update_with_buffer(canvas.pixels(), size.0, size.1).is_ok();
        let asked = !self.window.is_open() || self.window.is_key_down(Key::Q) || self.window.is_key_down(Key::Escape);
        if asked || !shown { Wish::Leave } else { Wish::Stay }
    }
}

fn open(title: &str, (width, height): (usize, usize)) -> Result<Window, NoWindow> {
    let mut window = Window::new(title, width, height, WindowOptions::default())
        .map_err(|error| NoWindow::Refused { display: display(), reason: error.to_string() })?;
    window.set_target_fps(REFRESH_HZ);
    Ok(window)
}

#[cfg(target_os = "linux")]
fn check_display() -> Result<(), NoWindow> {
    if display().is_empty() { Err(NoWindow::NoDisplay) } else { Ok(()) }
}

fn display() -> String {
    std::env::var("DISPLAY").unwrap_or_default()
}
