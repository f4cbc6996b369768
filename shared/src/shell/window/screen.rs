//! A window on the screen that shows a canvas.

#![allow(unsafe_code, reason = "functions of a library that is opened at run time")]

#[cfg(target_os = "linux")]
use std::ffi::c_int;
use std::sync::OnceLock;

use embedded_graphics::pixelcolor::RgbColor;
use minifb::{InputCallback, Key, ScaleMode, Window, WindowOptions};
use thiserror::Error;

use super::controls::OnKey;
use crate::canvas::{Canvas, theme};
use crate::geometry::Size;
use crate::shell::exit::Exit;

/// Largest side that is drawn, in px: as large as a wall of screens.
const LARGEST_SIDE: u32 = 8192;

/// How often the window is drawn, in Hz. A redraw takes 1 ms at 640x480 and 5 ms at 1920x1080 (measured): 3 % and 14 %
/// of a core at 30 Hz, on a thread of its own.
const REFRESH_HZ: usize = 30;

/// Why there is no window.
#[derive(Debug, Error)]
pub(super) enum NoWindow {
    /// No display is set.
    #[error("no display (DISPLAY is not set)")]
    NoDisplay,
    /// The display cannot be used.
    #[error("no window on display {display} ({reason})")]
    Refused {
        /// The display.
        display: String,
        /// The window system's reason.
        reason: String,
    },
}

/// What the person at the window wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// The window stays open.
    Stay,
    /// The window was closed, or `q` or Esc pressed.
    Leave,
}

/// An open window.
pub(super) struct Screen(Window);

impl Screen {
    /// Opens a window of this size. Its keys go to `on_key`, also those that are pressed and released between two
    /// refreshes.
    pub(super) fn open(title: &str, size: Size, on_key: Option<OnKey>) -> Result<Self, NoWindow> {
        // If the window's size differs from the canvas, for a moment or below the least size, the canvas is scaled.
        let options = WindowOptions { resize: true, scale_mode: ScaleMode::AspectRatioStretch, ..Default::default() };
        let mut window = Window::new(title, size.width as usize, size.height as usize, options)
            .map_err(|error| refused(error.to_string()))?;
        window.set_target_fps(REFRESH_HZ);
        let colour = theme::BACKGROUND;
        window.set_background_color(colour.r(), colour.g(), colour.b());
        if let Some(on_key) = on_key {
            window.set_input_callback(Box::new(Typed(on_key)));
        }
        Ok(Self(window))
    }

    /// The window's size. The person may change it.
    pub(super) fn size(&self) -> Size {
        let (width, height) = self.0.get_size();
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX).min(LARGEST_SIDE);
        Size { width: side(width), height: side(height) }
    }

    /// Shows the canvas, waits for the next refresh, and returns what the person wants.
    ///
    /// The window system receives the picture in one piece and shows it whole.
    pub(super) fn show(&mut self, canvas: &Canvas) -> Wish {
        let (width, height) = (canvas.width() as usize, canvas.height() as usize);
        let shown = self.0.update_with_buffer(canvas.pixels(), width, height).is_ok();
        let asked = !self.0.is_open() || self.0.is_key_down(Key::Q) || self.0.is_key_down(Key::Escape);
        if asked || !shown { Wish::Leave } else { Wish::Stay }
    }
}

/// What runs when the display dies, and returns how the program ends.
static LAST: OnceLock<Box<dyn Fn() -> Exit + Send + Sync>> = OnceLock::new();

/// If the display dies while a window is open, `last` runs on the thread that painted, and the program ends with its
/// result. Xlib leaves no other way: it ends the program when its handler returns.
#[cfg(target_os = "linux")]
pub(super) fn when_the_display_dies(last: impl Fn() -> Exit + Send + Sync + 'static) {
    if LAST.set(Box::new(last)).is_err() {
        return;
    }
    if let Ok(lib) = x11_dl::xlib::Xlib::open() {
        // SAFETY: the function is that of the library just opened, which the open window keeps. The handler lives as long
        // as the program.
        unsafe { (lib.XSetIOErrorHandler)(Some(died)) };
    }
}

/// Other window systems close the window.
#[cfg(not(target_os = "linux"))]
pub(super) fn when_the_display_dies(last: impl Fn() -> Exit + Send + Sync + 'static) {
    let _ = LAST.set(Box::new(last));
}

#[cfg(target_os = "linux")]
extern "C" fn died(_: *mut x11_dl::xlib::Display) -> c_int {
    let exit = LAST.get().map_or(Exit::Other, |last| last());
    std::process::exit(exit as i32)
}

/// Passes typed characters on.
struct Typed(OnKey);

impl InputCallback for Typed {
    fn add_char(&mut self, typed: u32) {
        if let Some(key) = char::from_u32(typed) {
            self.0.press(key);
        }
    }
}

fn refused(reason: String) -> NoWindow {
    NoWindow::Refused { display: display(), reason }
}

fn display() -> String {
    std::env::var("DISPLAY").unwrap_or_default()
}

/// The size of the screen.
#[cfg(target_os = "linux")]
pub(super) fn size() -> Result<Size, NoWindow> {
    if display().is_empty() {
        return Err(NoWindow::NoDisplay);
    }
    let lib = x11_dl::xlib::Xlib::open().map_err(|error| refused(error.to_string()))?;
    // SAFETY: the functions are those of the library just opened. The display is checked, and used before it is closed.
    let (width, height) = unsafe {
        // Before any other call into the library: the window's own thread starts later.
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

/// Smallest size of screens on these systems, because their size cannot be queried.
#[cfg(not(target_os = "linux"))]
pub(super) fn size() -> Result<Size, NoWindow> {
    Ok(Size { width: 1280, height: 800 })
}
