//! Runs the corpora of this crate's fuzz targets.

use client::{pipeline, session};
use testkit::corpus::{replay, replay_with_variants};

#[test]
fn the_detectors_keep_their_contract_on_the_whole_corpus() {
    replay("detect", pipeline::fuzz::check);
}

#[test]
fn the_clients_session_keeps_its_contract_on_the_whole_corpus() {
    replay_with_variants("client_session", 500, session::fuzz::check);
}

#[test]
fn the_answers_of_programs_keep_their_contract_on_the_whole_corpus() {
    replay_with_variants("exec_answers", 500, pipeline::exec::fuzz::check);
}
