//! Everything the shells of both programs share: stopping, logging, options, rows on stdout, keys, exit codes, a
//! status line, a window, completions and man pages, the limits of a process.
//!
//! Nothing waits for a terminal or a pipe while a session runs: [`log`] and [`rows`] each have a queue, whose thread
//! waits instead.

mod children;
pub mod descriptors;
pub mod exit;
pub mod file_size;
pub mod guarded;
#[cfg(test)]
mod kept;
pub mod keys;
pub mod log;
pub mod manual;
pub mod options;
mod queue;
mod random;
pub mod rows;
pub mod runtime;
pub mod shards;
pub mod standard;
pub mod status;
pub mod stop;
pub mod threads;
pub mod tls_files;
pub mod token_file;
pub mod wait;
pub mod window;
