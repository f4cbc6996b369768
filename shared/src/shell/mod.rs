//! What both programs' shells have in common: stopping, logging, rows on stdout, exit codes, a window, the limits of a process.

pub mod descriptors;
pub mod exit;
pub mod log;
pub mod rows;
pub mod stop;
pub mod window;
