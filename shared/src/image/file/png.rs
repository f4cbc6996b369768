//! Passes a PNG on without its texts and its colour profile, which no picture needs.
//!
//! A decoder would keep them, and would inflate the profile to whatever size it has: 486 kB of it became 500 MB, for a
//! picture of 64x64. Chunks are those of <https://www.w3.org/TR/png-3/>.

use std::io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom};

/// Bytes of the signature.
const SIGNATURE: u64 = 8;

/// Bytes before a chunk's data: its length and its type.
const HEAD: usize = 8;

/// Bytes after a chunk's data: its checksum.
const CHECKSUM: u64 = 4;

/// Types of the chunks that are left out.
const LEFT_OUT: [&[u8]; 4] = [b"iCCP", b"tEXt", b"zTXt", b"iTXt"];

/// A PNG without these chunks.
pub(super) struct Bare<R> {
    file: R,
    /// The head of the current chunk, or the end of the file.
    head: Vec<u8>,
    /// How much of it was passed on.
    passed: usize,
    /// Bytes of the current chunk that follow its head and were not passed on.
    rest: u64,
}

impl<R: BufRead + Seek> Bare<R> {
    pub(super) fn new(file: R) -> Self {
        Self { file, head: Vec::new(), passed: 0, rest: SIGNATURE }
    }

    /// Reads the head of the next chunk that is not left out.
    fn begin(&mut self) -> io::Result<()> {
        loop {
            self.head.clear();
            self.passed = 0;
            self.file.by_ref().take(HEAD as u64).read_to_end(&mut self.head)?;
            let Some((length, kind)) = self.head.split_first_chunk::<4>() else { return Ok(()) };
            let rest = u64::from(u32::from_be_bytes(*length)) + CHECKSUM;
            if !LEFT_OUT.contains(&kind) {
                self.rest = rest;
                return Ok(());
            }
            // Behind the end of the file there is nothing to read, as in a file that is cut short.
            self.file.seek_relative(rest as i64)?;
        }
    }
}

impl<R: BufRead + Seek> BufRead for Bare<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.passed == self.head.len() && self.rest == 0 {
            self.begin()?;
        }
        if self.passed < self.head.len() {
            return Ok(&self.head[self.passed..]);
        }
        if self.rest == 0 {
            return Ok(&[]);
        }
        let bytes = self.file.fill_buf()?;
        Ok(&bytes[..bytes.len().min(usize::try_from(self.rest).unwrap_or(usize::MAX))])
    }

    fn consume(&mut self, amount: usize) {
        let of_head = amount.min(self.head.len() - self.passed);
        self.passed += of_head;
        self.file.consume(amount - of_head);
        self.rest -= (amount - of_head) as u64;
    }
}

impl<R: BufRead + Seek> Read for Bare<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let read = bytes.len().min(room.len());
        room[..read].copy_from_slice(&bytes[..read]);
        self.consume(read);
        Ok(read)
    }
}

/// The decoder asks for it, but only reads on.
impl<R> Seek for Bare<R> {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use proptest::prelude::*;

    use super::*;

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &[9; CHECKSUM as usize]].concat()
    }

    fn bare(file: &[u8], buffer: usize) -> Vec<u8> {
        let mut read = Vec::new();
        Bare::new(BufReader::with_capacity(buffer, Cursor::new(file))).read_to_end(&mut read).unwrap();
        read
    }

    #[test]
    fn texts_and_the_profile_are_left_out_and_everything_else_is_passed_on() {
        let kept = [chunk(b"IHDR", &[1; 13]), chunk(b"eXIf", &[2; 40]), chunk(b"IDAT", &[]), chunk(b"IEND", &[])];
        let [header, exif, pixels, end] = kept.each_ref().map(Vec::as_slice);
        let out = [chunk(b"iCCP", &[3; 100]), chunk(b"tEXt", &[]), chunk(b"zTXt", b"IDAT"), chunk(b"iTXt", &[4])];
        let [profile, text, short, long] = out.each_ref().map(Vec::as_slice);
        let file = [&b"signed:)"[..], header, profile, text, exif, pixels, short, long, end].concat();
        for buffer in [1, 7, 8192] {
            assert_eq!(bare(&file, buffer), [&b"signed:)"[..], header, exif, pixels, end].concat());
        }
    }

    proptest! {
        #[test]
        fn a_file_without_such_chunks_is_passed_on_as_it_is_wherever_it_ends(
            data in prop::collection::vec(any::<u8>(), 0..60),
            end in 0..200_usize,
            buffer in 1..40_usize,
        ) {
            let file = [&b"signed:)"[..], &chunk(b"IHDR", &data)[..], &chunk(b"IDAT", &data)[..]].concat();
            let file = &file[..end.min(file.len())];
            prop_assert_eq!(bare(file, buffer), file);
        }
    }
}
