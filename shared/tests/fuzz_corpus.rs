//! Runs the corpora of this crate's fuzz targets.

use shared::{admission, door, image, link, protocol};
use testkit::corpus::{replay, replay_with_variants};

#[test]
fn the_framing_over_tcp_keeps_its_contract_on_the_whole_corpus() {
    replay_with_variants("tcp_framing", 500, link::tcp::fuzz::check);
}

#[cfg(feature = "grpc")]
#[test]
fn the_messages_over_grpc_keep_their_contract_on_the_whole_corpus() {
    replay_with_variants("grpc_messages", 500, link::grpc::fuzz::check);
}

#[test]
fn the_decoders_of_pixels_keep_their_contract_on_the_whole_corpus() {
    replay("pixels", protocol::encoding::fuzz::check);
}

#[test]
fn signaling_and_http_keep_their_contract_on_the_whole_corpus() {
    replay_with_variants("signaling", 500, door::fuzz::check);
}

#[test]
fn messages_keep_their_contract_on_the_whole_corpus() {
    replay_with_variants("messages", 1_000, protocol::message::fuzz::check);
}

#[test]
fn fragments_keep_their_contract_on_the_whole_corpus() {
    replay_with_variants("fragments", 200, protocol::fragment::fuzz::check);
}

#[test]
fn proofs_keep_their_contract_on_the_whole_corpus() {
    replay_with_variants("admission", 500, admission::fuzz::check);
}

#[test]
fn the_reader_of_pictures_keeps_its_contract_on_the_whole_corpus() {
    replay_with_variants("pictures", 50, image::file::fuzz::check);
}
