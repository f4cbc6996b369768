//! `client detect` reads pictures as users have them: with alpha, a palette, more than 8 bits, an EXIF orientation, as
//! webcams send them, from a pipe. The cases follow reports from users of other tools.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgba, RgbaImage};
use serde_json::Value;
use testkit::program::{Ended, Program, command};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

fn detect(options: &[&str], files: &[&Path]) -> Ended {
    let mut client = command("client");
    client.arg("detect").args(options).args(files);
    Program::start(client).end()
}

fn results(ended: &Ended) -> Vec<Value> {
    serde_json::from_str(&ended.stdout.join("\n")).unwrap_or_else(|error| panic!("{error} in {ended:#?}"))
}

/// Fails unless the circle's centre is at this place.
#[track_caller]
fn is_at(result: &Value, centre: (f64, f64), tolerance_px: f64) {
    let figure = |name: &str| result["circle"][name].as_f64().unwrap_or_else(|| panic!("no circle in {result}"));
    let off = (figure("x") - centre.0).abs().max((figure("y") - centre.1).abs());
    assert!(off <= tolerance_px, "off by {off} px: {result}");
}

#[test]
fn every_case_gives_the_disc_that_its_author_drew() {
    let cases: [(&str, (f64, f64), f64); 7] = [
        ("exif_orientation_6.jpg", (179.0, 80.0), 0.1),
        ("gray_10bit.pgm", (60.25, 44.5), 0.01),
        ("gray_16bit.png", (60.25, 44.5), 0.01),
        ("rgba_opaque.png", (60.25, 44.5), 0.01),
        ("gray_alpha_opaque.png", (60.25, 44.5), 0.01),
        ("palette_transparent.png", (60.25, 44.5), 0.01),
        ("mjpeg_without_huffman_tables.jpg", (60.25, 44.5), 0.05),
    ];
    let files = cases.map(|(name, ..)| case(name));
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let found = results(&detect(&["--json"], &files).expect(0));
    for ((name, centre, tolerance_px), result) in cases.iter().zip(&found) {
        println!("{name}");
        is_at(result, *centre, *tolerance_px);
    }
}

#[test]
fn a_truncated_jpeg_is_an_error_at_any_length() {
    for name in ["cut_short_08_percent.jpg", "cut_short_48_percent.jpg"] {
        detect(&[], &[&case(name)]).expect(4).says("damaged or cut short");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let whole = fs::read(case("exif_orientation_6.jpg")).expect("readable");
    for length in [4, 200, whole.len() / 2, whole.len() - 2, whole.len() - 1] {
        let path = folder.path().join(format!("{length}.jpg"));
        fs::write(&path, &whole[..length]).expect("written");
        detect(&[], &[&path]).expect(4).says("damaged or cut short");
    }
}

#[test]
fn changes_are_named_on_request() {
    let said = |name: &str| detect(&["-v"], &[&case(name)]).expect(0);
    said("rgba_opaque.png").says("rgba_opaque.png: its alpha channel is dropped");
    said("exif_orientation_6.jpg").says("it is turned as its EXIF orientation says (6)");
    said("mjpeg_without_huffman_tables.jpg").says("it has no Huffman tables; the standard ones are used");
    let quiet = detect(&[], &[&case("rgba_opaque.png")]).expect(0);
    assert_eq!(quiet.stderr, Vec::<String>::new());
}

#[test]
fn a_transparent_pixel_has_the_colour_that_the_file_stores() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clear.png");
    let gray = image::open(case("gray_16bit.png")).expect("readable").into_luma8();
    let clear = RgbaImage::from_fn(gray.width(), gray.height(), |x, y| {
        let level = gray.get_pixel(x, y).0[0];
        Rgba([level, level, level, 0])
    });
    clear.save(&path).expect("saved");
    is_at(&results(&detect(&["--json"], &[&path]).expect(0))[0], (60.25, 44.5), 0.05);
}

#[test]
fn webp_and_colour_of_sixteen_bits_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let gray = DynamicImage::from(image::open(case("gray_16bit.png")).expect("readable").into_luma8());
    let [webp, deep] = ["disc.webp", "deep.png"].map(|name| folder.path().join(name));
    gray.clone().into_rgb8().save_with_format(&webp, ImageFormat::WebP).expect("saved");
    gray.into_rgb16().save(&deep).expect("saved");
    let ended = detect(&["-v", "--json"], &[&webp, &deep]).expect(0).says("scaled from 16 bits to 8");
    for result in results(&ended) {
        is_at(&result, (60.25, 44.5), 0.05);
    }
}

#[test]
fn a_dash_reads_the_standard_input_and_a_path_may_be_a_pipe() {
    for name in ["rgba_opaque.png", "mjpeg_without_huffman_tables.jpg", "gray_10bit.pgm"] {
        let file = File::open(case(name)).expect("there");
        let done = command("client").args(["detect", "--json", "-"]).stdin(file).output().expect("it runs");
        let found: Vec<Value> = serde_json::from_slice(&done.stdout).expect("JSON");
        is_at(&found[0], (60.25, 44.5), 0.05);
        assert_eq!(found[0]["file"], "-");
    }
    let mut cat =
        std::process::Command::new("cat").arg(case("rgba_opaque.png")).stdout(Stdio::piped()).spawn().expect("cat");
    let pipe = cat.stdout.take().expect("its output");
    let done = command("client").args(["detect", "--json", "/dev/stdin"]).stdin(pipe).output().expect("it runs");
    cat.wait().expect("it ends");
    let found: Vec<Value> = serde_json::from_slice(&done.stdout).expect("JSON");
    is_at(&found[0], (60.25, 44.5), 0.05);
}

#[test]
fn an_empty_standard_input_is_not_an_image() {
    let done = command("client").args(["detect", "-"]).stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(done.status.code(), Some(4));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("-: not an image"), "{said}");
}

#[test]
fn a_name_that_is_not_utf_8_is_read_and_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(OsStr::from_bytes(b"disc\xff.png"));
    fs::copy(case("gray_16bit.png"), &path).expect("copied");
    let ended = detect(&[], &[&path]).expect(0);
    assert!(ended.stdout[0].contains("disc\u{fffd}.png: centre (60.25"), "{ended:#?}");
}

#[test]
fn an_image_turned_by_exif_has_its_turned_size_as_a_source_too() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(case("exif_orientation_6.jpg"), folder.path().join("a.jpg")).expect("copied");
    GrayImage::from_pixel(240, 320, Luma([9])).save(folder.path().join("b.png")).expect("saved");
    let size = |name: &str| shared::image::file::size(&folder.path().join(name)).expect("an image");
    assert_eq!(size("a.jpg"), size("b.png"));
    let read = shared::image::file::read(&folder.path().join("a.jpg")).expect("an image");
    assert_eq!(read.size(), size("a.jpg"));
}
