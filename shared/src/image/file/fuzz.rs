//! The properties that the fuzzer checks of picture files. The corpus is `fuzz/corpus/pictures`.

use super::read_stream;

/// Checks that a file is a picture of sides from 1 to 8192 px, which is the same whenever it is read, or is refused in a
/// text without control characters.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    match read_stream(bytes) {
        Ok(picture) => {
            let size = picture.image.size();
            assert!((1..=8192).contains(&size.width) && (1..=8192).contains(&size.height), "{size}");
            assert_eq!(read_stream(bytes).ok(), Some(picture), "the same file");
        }
        Err(wrong) => assert!(!wrong.to_string().contains(char::is_control), "{wrong:?}"),
    }
}
