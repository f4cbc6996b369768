//! Bounds the memory of what describes the messages of a file: schemas, channels and metadata. In a chunk, one byte of the file
//! may stand for thousands of bytes of them.

use super::container::ContainerError;

/// Most memory, in bytes. The descriptions of a recording of 10,000 sessions take 20 MB.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// Memory of one of them besides its texts, in bytes: its place in a map, and what the allocator adds to each text.
const EACH: usize = 256;

/// The memory of what a reader or a writer keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Described {
    bytes: usize,
}

impl Described {
    /// Counts a schema, a channel or metadata whose texts have these lengths together, in bytes.
    ///
    /// # Errors
    /// [`ContainerError::Described`] if it is too much.
    pub(crate) fn add(&mut self, texts: usize) -> Result<(), ContainerError> {
        self.bytes = self.bytes.saturating_add(EACH).saturating_add(texts);
        if self.bytes > MAX_BYTES { Err(ContainerError::Described) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_may_have_a_schema_and_a_channel_of_usual_length_and_no_more() {
        let mut described = Described::default();
        assert!((0..2 << 16).all(|_| described.add(200).is_ok()));
        let said = (0..2 << 16).find_map(|_| described.add(200).err()).expect("a limit").to_string();
        assert!(said.starts_with("its schemas, channels and metadata take more than 64 MiB: "), "{said}");
        assert!(Described::default().add(usize::MAX).is_err());
    }
}
