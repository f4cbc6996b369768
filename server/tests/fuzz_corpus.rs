//! Runs the corpora of this crate's fuzz targets.

#[cfg(feature = "mcap")]
use std::{fs, path::Path};

#[cfg(feature = "mcap")]
use server::source::mcap;
use server::{run, session};
#[cfg(feature = "mcap")]
use testkit::corpus::replay;
use testkit::corpus::replay_with_variants;

#[test]
fn the_servers_session_keeps_its_contract_on_the_whole_corpus() {
    replay_with_variants("server_session", 500, session::fuzz::check);
}

#[test]
fn files_of_users_are_read_or_refused_on_the_whole_corpus() {
    replay_with_variants("files", 100, run::fuzz::check);
}

#[cfg(feature = "mcap")]
#[test]
fn the_reader_of_mcap_files_keeps_its_contract_on_the_whole_corpus() {
    replay("recordings", mcap::fuzz::check);
}

#[cfg(feature = "mcap")]
#[test]
fn a_file_with_any_byte_changed_or_cut_anywhere_is_played_to_an_end() {
    let whole =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/recordings/raw-tiny")).expect("a file");
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        mcap::fuzz::check(&bytes);
        mcap::fuzz::check(&whole[..place]);
    }
}
