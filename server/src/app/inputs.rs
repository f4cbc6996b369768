//! Refuses an output that would overwrite what the run reads.

use std::path::{Path, PathBuf};

use crate::cli::{Layers, Local};
use crate::output::identity::{Named, spare_inputs};
use crate::output::json::JsonTarget;
use crate::run::RunSpec;
use crate::source;

/// Checks the files of a run, before any of them is opened for writing.
///
/// # Errors
/// What would be overwritten, and what would be right.
pub(super) fn spared(layers: &Layers, local: &Local, spec: &RunSpec) -> Result<(), String> {
    let json = match &local.json {
        Some(JsonTarget::File(json)) => Some(json),
        _ => None,
    };
    let outputs = [("--json", json), ("--csv", local.csv.as_ref()), ("--junit", local.junit.as_ref())];
    let files = [
        ("--run", &layers.run),
        ("--camera", &layers.camera),
        ("--token-file", &local.token_file),
        ("--identity", &local.identity),
        ("--tls-cert", &local.tls_cert),
        ("--tls-key", &local.tls_key),
        ("--tls-ca", &local.tls_ca),
    ];
    let sent = &spec.sent;
    let read = source::files(&sent.source);
    let texts =
        [("--truth", sent.truth.as_ref()), ("--meta-file", sent.meta_file.as_ref()), ("--lens", sent.lens.as_ref())];
    let inputs = files.into_iter().filter_map(|(option, path)| Some((option, path.as_deref()?)));
    let inputs = inputs.chain(read.iter().map(|file| ("--source", file.as_path())));
    let inputs = inputs.chain(texts.into_iter().filter_map(|(option, text)| Some((option, Path::new(text?)))));
    let outputs: Vec<Named<'_>> = outputs.into_iter().filter_map(named).collect();
    spare_inputs(&outputs, &inputs.collect::<Vec<_>>())
}

fn named<'a>((option, path): (&'a str, Option<&'a PathBuf>)) -> Option<Named<'a>> {
    Some((option, path?.as_path()))
}
