//! Runs the corpora of this crate's fuzz targets: the fuzzer's first inputs, and those with which it found something.

use std::{fs, path::Path};

use shared::{link, protocol::encoding};

/// Checks every file of a corpus.
fn replay(corpus: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(corpus);
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
fn the_framing_over_tcp_keeps_its_contract_on_the_whole_corpus() {
    replay("tcp_framing", link::tcp::fuzz::check);
}

#[cfg(feature = "grpc")]
#[test]
fn the_messages_over_grpc_keep_their_contract_on_the_whole_corpus() {
    replay("grpc_messages", link::grpc::fuzz::check);
}

#[test]
fn the_decoders_of_pixels_keep_their_contract_on_the_whole_corpus() {
    replay("pixels", encoding::fuzz::check);
}
