//! Runs the frames in `fuzz/corpus/detect`: the fuzzer's first inputs, and those with which it found something.

use std::{fs, path::Path};

use client::pipeline::fuzz::check;

#[test]
fn the_detectors_keep_their_contract_on_the_whole_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/detect");
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("the corpus").map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 20, "only {} files in {}", files.len(), folder.display());
    for file in files {
        // Printed when the check fails.
        println!("{}", file.display());
        check(&fs::read(&file).expect("readable"));
    }
}
