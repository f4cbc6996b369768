//! A video's file, or its address on a network.

use std::path::Path;

use super::error::{VideoError, shown};
use super::process::SILENCE;

/// A file or an address, as `--source` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    text: String,
    is_file: bool,
}

impl Address {
    /// Reads what `--source` names; `None` if it is neither a file nor an address.
    pub(super) fn read(text: &str) -> Option<Self> {
        let is_file = Path::new(text).is_file();
        (is_file || is_url(text)).then(|| Self { text: text.to_owned(), is_file })
    }

    /// As `--source` names it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is a file on this machine.
    pub(super) fn is_file(&self) -> bool {
        self.is_file
    }

    /// What ffmpeg opens. `file:` keeps a file's name from being taken for an address or an option.
    pub(super) fn input(&self) -> String {
        if self.is_file { format!("file:{}", self.text) } else { self.text.clone() }
    }

    /// ffmpeg's options for opening it. RTSP goes over TCP, because a packet that is lost damages a frame.
    pub(super) fn options(&self) -> &'static [&'static str] {
        if self.text.starts_with("rtsp://") { &["-rtsp_transport", "tcp"] } else { &[] }
    }

    /// The error for a program that read from it and gave nothing.
    pub(super) fn silent(&self, program: &'static str) -> VideoError {
        VideoError::Silent { source_name: shown(&self.text), program, seconds: SILENCE.as_secs() }
    }
}

/// Whether the text starts as an address does: a scheme (RFC 3986, section 3.1) and `://`.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme && !rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_addresses_and_other_texts_are_distinguished() {
        let rtsp = Address::read("rtsp://192.0.2.7/stream").unwrap();
        assert_eq!((rtsp.is_file(), rtsp.input().as_str()), (false, "rtsp://192.0.2.7/stream"));
        assert_eq!(rtsp.options(), ["-rtsp_transport", "tcp"]);
        let file = tempfile::Builder::new().prefix("concat:").tempfile().unwrap();
        let name = file.path().to_str().unwrap();
        let file = Address::read(name).unwrap();
        assert_eq!((file.is_file(), file.input()), (true, format!("file:{name}")));
        assert_eq!(["there/is/none.mp4", "://x", "1a://x", "http://", ""].map(Address::read), [const { None }; 5]);
    }
}
