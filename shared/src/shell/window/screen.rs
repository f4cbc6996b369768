//! A window on the screen, for whoever draws on a canvas.

use embedded_graphics::pixelcolor::RgbColor;
use minifb::{Key, ScaleMode, Window, WindowOptions};
use thiserror::Error;

use crate::canvas::{Canvas, theme};
use crate::geometry::Size;

/// The largest side that is drawn, in px: a wall of screens.
const LARGEST_SIDE: u32 = 8192;

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
pub(super) struct Screen(Window);

impl Screen {
    /// Opens a window of this size.
    pub(super) fn open(title: &str, size: Size) -> Result<Self, NoWindow> {
        // Where the window is larger or smaller than what is drawn, for a moment or below the least size, that is scaled.
        let options = WindowOptions { resize: true, scale_mode: ScaleMode::AspectRatioStretch, ..Default::default() };
        let mut window = Window::new(title, size.width as usize, size.height as usize, options)
            .map_err(|error| refused(error.to_string()))?;
        window.set_target_fps(REFRESH_HZ);
        let colour = theme::BACKGROUND;
        window.set_background_color(colour.r(), colour.g(), colour.b());
        Ok(Self(window))
    }

    /// The window's size, which the person may change.
    pub(super) fn size(&self) -> Size {
        let (width, height) = self.0.get_size();
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX).min(LARGEST_SIDE);
        Size { width: side(width), height: side(height) }
    }

    /// Shows the canvas, waits for the next refresh, and says what the person wants.
    ///
    /// The window system is handed the picture in one piece, which it shows whole.
    pub(super) fn show(&mut self, canvas: &Canvas) -> Wish {
        let (width, height) = (canvas.width() as usize, canvas.height() as usize);
        let shown = self.0.update_with_buffer(canvas.pixels(), width, height).is_ok();
        let asked = !self.0.is_open() || self.0.is_key_down(Key::Q) || self.0.is_key_down(Key::Escape);
        if asked || !shown { Wish::Leave } else { Wish::Stay }
    }
}

fn refused(reason: String) -> NoWindow {
    NoWindow::Refused { display: display(), reason }
}

fn display() -> String {
    std::env::var("DISPLAY").unwrap_or_default()
}

/// The screen's size.
#[cfg(target_os = "linux")]
pub(super) fn size() -> Result<Size, NoWindow> {
    if display().is_empty() {
        return Err(NoWindow::NoDisplay);
    }
    let lib = x11_dl::xlib::Xlib::open().map_err(|error| refused(error.to_string()))?;
    // SAFETY: the functions are those of the library just opened; the display is checked, and used before it is closed.
    let (width, height) = unsafe {
        // Before anything else of the library's: the window's own thread comes later.
        (lib.XInitThreads)();
        let display = (lib.XOpenDisplay)(std::ptr::null());
        if display.is_null() {
            return Err(refused("it does not answer".into()));
        }
        let screen = (lib.XDefaultScreen)(display);
        let size = ((lib.XDisplayWidth)(display, screen), (lib.XDisplayHeight)(display, screen));
        (lib.XCloseDisplay)(display);
        size
    };
    Ok(Size { width: width.unsigned_abs(), height: height.unsigned_abs() })
}

/// The least that screens of these systems have, for want of a way to ask.
#[cfg(not(target_os = "linux"))]
pub(super) fn size() -> Result<Size, NoWindow> {
    Ok(Size { width: 1280, height: 800 })
}
