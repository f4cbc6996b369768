//! The corpora of the fuzz targets: the fuzzer's first inputs, and those with which it found something.

use std::fs;
use std::path::Path;

/// Fewest files of a corpus. A folder with fewer is not the one that was meant.
const LEAST: usize = 10;

/// Checks every file of a corpus.
///
/// # Panics
/// If a check does, or the corpus is not there.
pub fn replay(corpus: &str, check: fn(&[u8])) {
    for (name, bytes) in files(corpus) {
        // Printed when the check fails.
        println!("{name}");
        check(&bytes);
    }
}

/// Checks every file of a corpus, and `times` variants of each, in which a few bytes are changed, cut, repeated or taken
/// from another file. The variants are the same in every run.
///
/// # Panics
/// If a check does, or the corpus is not there.
pub fn replay_with_variants(corpus: &str, times: u64, check: fn(&[u8])) {
    replay(corpus, check);
    let files = files(corpus);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for (name, bytes) in &files {
        for number in 0..times {
            let other = &files[dice.below(files.len())].1;
            let variant = variant(bytes, other, &mut dice);
            println!("variant {number} of {name}: {variant:?}");
            check(&variant);
        }
    }
}

fn files(corpus: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(corpus);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    assert!(paths.len() >= LEAST, "only {} files in {}", paths.len(), folder.display());
    paths.into_iter().map(|path| (path.display().to_string(), fs::read(&path).expect("readable"))).collect()
}

fn variant(bytes: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut variant = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        let place = dice.below(variant.len() + 1);
        match dice.below(6) {
            0 if place < variant.len() => variant[place] ^= 1 << dice.below(8),
            1 if place < variant.len() => variant[place] = dice.below(256) as u8,
            2 => variant.truncate(place),
            3 => variant.insert(place, dice.below(256) as u8),
            4 => {
                let length = dice.below(variant.len() - place + 1).min(64);
                let repeated = variant[place..place + length].to_vec();
                variant.splice(place..place, repeated);
            }
            _ => {
                let start = dice.below(other.len() + 1);
                let taken = &other[start..other.len().min(start + 64)];
                variant.splice(place..variant.len().min(place + taken.len()), taken.iter().copied());
            }
        }
    }
    variant
}

/// Numbers that look random (xorshift64*, Vigna 2016), the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}
