//! What both programs' shells have in common: stopping, logging, options, rows on stdout, exit codes, a window.

pub mod exit;
pub mod log;
pub mod options;
pub mod rows;
pub mod stop;
pub mod window;
