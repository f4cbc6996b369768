//! The properties of the MCAP reader that the fuzzer checks. The corpus is `fuzz/corpus/recordings`.

use std::io::Cursor;

use super::error::McapFileError;
use super::look::{TopicImages, look_at};
use crate::recording::container::{Container, ContainerError};

/// Maximum number of items that a file of this length can have: each has the head of a record.
fn most_items(bytes: &[u8]) -> usize {
    // A chunk unpacks to at most a thousand times its size.
    bytes.len().saturating_mul(1000) / 9 + 1
}

/// Inspects and plays these bytes as a file. Checks that playing ends, that every image has sides of 1 to 8192 px, and
/// that playing the file a second time gives the same images.
///
/// # Panics
/// If one of these checks fails.
pub fn check(bytes: &[u8]) {
    let open = || {
        let failed = |error| McapFileError::Container { file: "it".into(), error };
        Container::open(Cursor::new(bytes)).map_err(failed)
    };
    let Ok(looked) = look_at("it", open, None) else { return };
    let sizes = || {
        let file = open().expect("it was opened before");
        let mut images = TopicImages::new(file, &looked.topic, &looked.known);
        let mut sizes = Vec::new();
        for _ in 0..most_items(bytes) {
            match images.next() {
                Ok(Some(image)) => sizes.extend(image.image.ok().map(|image| image.size())),
                Ok(None) => return sizes,
                Err(ContainerError::Io(error)) => panic!("{error}"),
                Err(_) => {}
            }
        }
        panic!("it does not end");
    };
    let first = sizes();
    assert!(first.iter().all(|size| (1..=8192).contains(&size.width) && (1..=8192).contains(&size.height)));
    assert!(first.contains(&looked.format.size) && first == sizes());
}
