//! The run specification: everything that decides what a run does, but not where it does it.
//!
//! Each option has one definition. It is one field of [`Sent`], [`Delivered`], [`Judged`] or
//! [`CameraConfig`](crate::camera::CameraConfig): its doc comment is the help and the schema's description, its type
//! parses, its attributes name default, range and unit. From that follow the command line and the environment
//! ([`options`](crate::options)), `--run FILE.toml` (`file`; `layers` puts its values below those of the command line
//! and the environment), options by name for other languages (`named`), runs of which some options vary (`template`),
//! `--print-run` (`print`), the report's `run.config` ([`RunConfig`]) and its JSON schema.
//!
//! What belongs to this machine (where to listen, where to write, what to show) is not part of it, but of
//! [`Local`](crate::cli::Local).

mod anywhere;
mod config;
mod delivered;
mod file;
pub mod fuzz;
mod judged;
mod layers;
mod lens_file;
mod link;
mod meta;
mod named;
pub(crate) mod number;
mod origins;
mod print;
mod rate;
mod same;
mod sent;
mod slow_file;
mod spec;
mod template;
mod text;

pub use config::RunConfig;
pub use delivered::Delivered;
pub use file::{Entry, FileError, MAX_FILE_BYTES};
pub(crate) use file::{entries, entry, read_text, syntax};
pub use judged::Judged;
pub use layers::layered;
pub use lens_file::LensFileError;
pub use link::LinkKind;
pub use meta::{GivenMeta, MetaError, MetaFileError, NotMeta};
pub use named::{NamedError, named, names, of_file};
pub use origins::Origins;
pub use rate::{DEFAULT_RATE, FrameRate, NotAFrameRate};
pub(crate) use same::{ELSEWHERE, is_same_option};
pub use sent::{DEFAULT_SIZE, Sent};
pub(crate) use slow_file::say_if_slow;
pub use spec::RunSpec;
pub(crate) use template::Template;

#[cfg(test)]
mod tests;
