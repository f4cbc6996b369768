//! Runs the corpus of the fuzz target `recordings`: the fuzzer's first inputs, and those with which it found something.

#![cfg(feature = "mcap")]

use std::{fs, path::Path};

use server::source::mcap::fuzz::check;

#[test]
fn the_reader_of_mcap_files_keeps_its_contract_on_the_whole_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/recordings");
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("the corpus").map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 10, "only {} files in {}", files.len(), folder.display());
    for file in files {
        // Printed when the check fails.
        println!("{}", file.display());
        check(&fs::read(&file).expect("readable"));
    }
}

#[test]
fn a_file_with_any_byte_changed_or_cut_anywhere_is_played_to_an_end() {
    let whole =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/recordings/raw-tiny")).expect("a file");
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        check(&bytes);
        check(&whole[..place]);
    }
}
