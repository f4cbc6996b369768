//! Generates the messages of a recording from `proto/foxglove.proto`, without a protoc. Also keeps their description,
//! because an MCAP file describes its own messages.
//!
//! Builds the detector of the page (`wasm`), where Rust can build WebAssembly.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The target of the page's detector. Rust has it after `rustup target add wasm32-unknown-unknown`.
const WASM: &str = "wasm32-unknown-unknown";

/// The sources of the detector, relative to the workspace's folder.
const DETECTOR: [&str; 6] = [
    "wasm",
    "client/src/pipeline/hough",
    "client/src/pipeline/detector.rs",
    "client/src/pipeline/radii.rs",
    "shared/src/geometry.rs",
    "shared/src/image",
];

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    messages(&out)?;
    detector(&out)
}

#[cfg(feature = "mcap")]
fn messages(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto/foxglove.proto");
    let described = protox::compile(["proto/foxglove.proto"], ["proto"])?;
    fs::write(out.join("foxglove.bin"), prost::Message::encode_to_vec(&described))?;
    prost_build::Config::new()
        .bytes([".foxglove.RawImage.data", ".foxglove.CompressedImage.data"])
        .compile_fds(described)?;
    Ok(())
}

#[cfg(not(feature = "mcap"))]
fn messages(_out: &Path) -> Result<(), Box<dyn Error>> {
    Ok(())
}

/// Writes `hough.wasm.gz`, and a script with its length. If the detector cannot be built, the file is empty: the server
/// works without it, and its page says so.
fn detector(out: &Path) -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..");
    let sources = DETECTOR.map(|source| workspace.join(source));
    let module = match libraries_of_targets() {
        Some(libraries) if sources.iter().all(|source| source.exists()) => {
            // The libraries are watched too, so that the detector is built once the target is installed.
            let watched = sources.iter().chain([&libraries]);
            watched.for_each(|path| println!("cargo::rerun-if-changed={}", path.display()));
            if libraries.join(WASM).exists() { built(&workspace, out) } else { Vec::new() }
        }
        _ => {
            println!("cargo::rerun-if-changed=build.rs");
            Vec::new()
        }
    };
    let compressed = if module.is_empty() { module } else { gzip(&module)? };
    fs::write(out.join("build.js"), format!("export const HOUGH_BYTES = {};\n", compressed.len()))?;
    Ok(fs::write(out.join("hough.wasm.gz"), compressed)?)
}

/// A third of the module, in the program and on its way to the page.
fn gzip(module: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(module)?;
    encoder.finish()
}

/// The folder with the libraries of each target that this compiler has.
fn libraries_of_targets() -> Option<PathBuf> {
    let said = Command::new(env::var_os("RUSTC")?).args(["--print", "sysroot"]).output().ok()?;
    let root = String::from_utf8(said.stdout).ok()?;
    Some(Path::new(root.trim()).join("lib/rustlib")).filter(|libraries| libraries.is_dir())
}

/// The module, from its own workspace; empty if it cannot be built.
fn built(workspace: &Path, out: &Path) -> Vec<u8> {
    // `out` is target/PROFILE/build/server-…/out. The module is in target/PROFILE, where builds with other features
    // find it.
    let folder = out.ancestors().nth(3).unwrap_or(out).join("hough");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--locked", "--target", WASM, "--target-dir"]).arg(&folder);
    // The settings of the outer build (clippy, a fuzzer, another target) must not apply here.
    let theirs = ["CARGO_BUILD_", "CARGO_ENCODED_", "CARGO_PROFILE_", "CARGO_TARGET_", "CLIPPY_", "RUSTC_"];
    let names = env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| theirs.iter().any(|start| name.to_string_lossy().starts_with(start))) {
        cargo.env_remove(name);
    }
    // All current browsers have these instructions.
    cargo.env("RUSTFLAGS", "-C target-feature=+simd128").current_dir(workspace.join("wasm"));
    let module = folder.join(WASM).join("release/hough.wasm");
    let module = match cargo.output() {
        Ok(ended) if ended.status.success() => fs::read(module).map_err(|error| error.to_string()),
        Ok(ended) => Err(String::from_utf8_lossy(&ended.stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    };
    module.unwrap_or_else(|error| {
        println!("cargo::warning=the page gets no hough: {}", error.replace('\n', "; "));
        Vec::new()
    })
}
