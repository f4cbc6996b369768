//! What both programs' shells have in common: stopping, logging, rows on stdout, exit codes, a window.

pub mod exit;
pub mod log;
pub mod rows;
pub mod stop;
pub mod wait;
pub mod window;
