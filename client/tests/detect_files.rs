//! `client detect` measures good files, reports bad ones, and processes the rest all the same.

use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use serde_json::Value;
use tempfile::TempDir;
use testkit::program::{Ended, Program, command};

/// The disc in every good picture: centre and radius in px.
const DISC: (f64, f64, f64) = (60.25, 44.5, 15.0);

/// A directory of pictures.
struct Pictures(TempDir);

impl Pictures {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    fn save(&self, name: &str, image: impl Into<DynamicImage>, format: ImageFormat) -> PathBuf {
        let path = self.path(name);
        image.into().save_with_format(&path, format).expect("saved");
        path
    }
}

/// An antialiased disc of 180 on 40. The coverage of each pixel is sampled at 16x16 points.
fn disc() -> GrayImage {
    GrayImage::from_fn(128, 96, |column, row| {
        let sample = |at: u32, step: u32| f64::from(at) + (f64::from(step) + 0.5) / 16.0 - 0.5;
        let inside = |x: f64, y: f64| (x - DISC.0).hypot(y - DISC.1) <= DISC.2;
        let samples = (0..256).filter(|step| inside(sample(column, step % 16), sample(row, step / 16)));
        Luma([(40.0 + 140.0 * samples.count() as f64 / 256.0).round() as u8])
    })
}

fn colour(gray: &GrayImage) -> RgbImage {
    RgbImage::from_fn(gray.width(), gray.height(), |x, y| Rgb([gray.get_pixel(x, y).0[0]; 3]))
}

fn detect(options: &[&str], files: &[&Path]) -> Ended {
    let mut client = command("client");
    client.arg("detect").args(options).args(files);
    Program::start(client).end()
}

fn results(ended: &Ended) -> Vec<Value> {
    serde_json::from_str(&ended.stdout.join("\n")).unwrap_or_else(|error| panic!("{error} in {ended:#?}"))
}

#[track_caller]
fn is_the_disc(result: &Value, tolerance_px: f64) {
    let figure = |name: &str| result["circle"][name].as_f64().unwrap_or_else(|| panic!("no circle in {result}"));
    let off = (figure("x") - DISC.0).abs().max((figure("y") - DISC.1).abs()).max((figure("radius") - DISC.2).abs());
    assert!(off < tolerance_px, "off by {off} px: {result}");
    assert_eq!(result["error"], Value::Null);
    assert!(result["detect_us"].is_u64());
}

#[test]
fn png_jpeg_and_pgm_in_gray_and_colour_are_measured() {
    let pictures = Pictures::new();
    let files = [
        pictures.save("gray.png", disc(), ImageFormat::Png),
        pictures.save("colour.png", colour(&disc()), ImageFormat::Png),
        pictures.save("gray.pgm", disc(), ImageFormat::Pnm),
        pictures.save("gray.jpg", disc(), ImageFormat::Jpeg),
        pictures.save("colour.jpg", colour(&disc()), ImageFormat::Jpeg),
        pictures.save("misnamed.txt", disc(), ImageFormat::Png),
        pictures.save("deep.png", DynamicImage::from(disc()).into_luma16(), ImageFormat::Png),
        pictures.save("deep.pgm", DynamicImage::from(disc()).into_luma16(), ImageFormat::Pnm),
    ];
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let found = results(&detect(&["--json"], &files).expect(0));
    for (file, result) in files.iter().zip(&found) {
        assert_eq!(result["file"], file.to_str().expect("UTF-8"));
        // Lossless pictures are as exact as the detector itself. JPEG's blocks move the rim by a few hundredths.
        is_the_disc(result, if file.extension().is_some_and(|kind| kind == "jpg") { 0.2 } else { 0.05 });
    }
    assert_eq!(found.len(), files.len());
}

#[test]
fn bad_files_are_reported_and_the_others_done() {
    let pictures = Pictures::new();
    let good = pictures.save("good.png", disc(), ImageFormat::Png);
    let whole = fs::read(&good).expect("readable");
    let float = DynamicImage::from(disc()).into_rgb32f();
    let cases: [(PathBuf, &str); 11] = [
        (pictures.path("missing.png"), "No such file"),
        (pictures.write("truncated.png", &whole[..whole.len() / 2]), "cut short"),
        (pictures.write("header-only.png", &whole[..20]), "cut short"),
        (pictures.write("empty.png", b""), "not an image"),
        (pictures.write("text.png", b"a text, and no picture at all"), "not an image"),
        (pictures.write("noisy.png", &damaged(&whole)), "damaged"),
        (pictures.save("float.tiff", float, ImageFormat::Tiff), "8 or 16 bits"),
        (pictures.0.path().to_owned(), "directory"),
        (pictures.write("huge.png", &png(60_000, 60_000)), "60000x60000"),
        (pictures.write("huge.pgm", b"P5\n60000 60000\n255\n"), "60000x60000"),
        (pictures.write("flat.png", &png(0, 0)), "damaged"),
    ];
    let mut files: Vec<&Path> = cases.iter().map(|(path, _)| path.as_path()).collect();
    files.push(&good);
    let ended = detect(&["--json"], &files).expect(4);
    let found = results(&ended);
    for ((path, words), result) in cases.iter().zip(&found) {
        let error = result["error"].as_str().unwrap_or_else(|| panic!("no error for {}: {result}", path.display()));
        assert!(error.contains(words), "{}: {error}", path.display());
        assert_eq!((&result["circle"], &result["detect_us"]), (&Value::Null, &Value::Null));
    }
    is_the_disc(found.last().expect("the good file"), 0.05);
    assert_eq!(found.len(), files.len());
    assert_eq!(ended.stderr, Vec::<String>::new(), "all is said in the JSON");
}

#[test]
fn a_file_larger_than_any_image_is_refused_unread() {
    let pictures = Pictures::new();
    let large = pictures.save("large.jpg", disc(), ImageFormat::Jpeg);
    // A decoder that loads the whole file into memory would take 3 GB.
    fs::File::options().write(true).open(&large).and_then(|file| file.set_len(3 << 30)).expect("a file with a hole");
    detect(&[], &[&large]).expect(4).says("large.jpg: larger than 256 MiB: an image file has at most that");
    detect(&[], &[Path::new("/dev/zero")]).expect(4).says("/dev/zero: not an image");
}

#[test]
fn without_json_there_is_a_line_a_file() {
    let pictures = Pictures::new();
    let good = pictures.save("good.png", disc(), ImageFormat::Png);
    let empty = pictures.save("empty.png", GrayImage::from_pixel(64, 64, Luma([40])), ImageFormat::Png);
    let missing = pictures.path("missing.png");
    let ended = detect(&[], &[&missing, &good, &empty]).expect(4).says("missing.png: cannot read it");
    let [first, second] = &ended.stdout[..] else { panic!("not two lines: {ended:#?}") };
    assert!(first.contains("good.png: centre (60.2") && first.contains("radius 15.0"), "{first}");
    assert!(second.contains("empty.png: no circle of radius 8.0 to 32.0 px, in"), "{second}");
}

#[test]
fn all_prints_a_line_per_circle_and_a_list_in_json() {
    let pictures = Pictures::new();
    let mut two = GrayImage::from_pixel(256, 96, Luma([40]));
    for x in [0, 128] {
        image::imageops::replace(&mut two, &disc(), x, 0);
    }
    let two = pictures.save("two.png", two, ImageFormat::Png);
    let empty = pictures.save("empty.png", GrayImage::from_pixel(64, 64, Luma([40])), ImageFormat::Png);
    let missing = pictures.path("missing.png");
    let ended = detect(&["--all"], &[&two, &empty, &missing]).expect(4).says("missing.png: cannot read it");
    let [head, first, second, none] = &ended.stdout[..] else { panic!("not four lines: {ended:#?}") };
    assert!(
        head.contains("two.png: 2 circles, in") && none.contains("empty.png: no circle of radius 8.0 to 32.0 px, in"),
        "{ended:#?}"
    );
    let centres = ["two.png: centre (60.2", "two.png: centre (188.2"].map(|centre| {
        assert!(first.contains(centre) != second.contains(centre), "{ended:#?}");
        first.contains(centre)
    });
    assert_ne!(centres[0], centres[1]);
    let found = results(&detect(&["--all", "--json"], &[&two, &empty, &missing]).expect(4));
    let circles = |result: &Value| result["circles"].as_array().map(Vec::len);
    assert_eq!([circles(&found[0]), circles(&found[1]), circles(&found[2])], [Some(2), Some(0), None]);
    assert!(found[0]["circles"][0]["radius"].as_f64().is_some_and(|radius| (radius - DISC.2).abs() < 0.05));
    assert!(found[0].get("circle").is_none() && found[2]["error"].is_string());
    detect(&["--all", "--detector", "hough-classic"], &[&two])
        .expect(2)
        .says("hough-classic finds one circle in a frame; hough finds all");
}

#[test]
fn only_detectors_of_circles_are_taken() {
    let pictures = Pictures::new();
    let good = pictures.save("good.png", disc(), ImageFormat::Png);
    for detector in ["auto", "hough", "hough-classic"] {
        let found = results(&detect(&["--json", "--detector", detector], &[&good]).expect(0));
        is_the_disc(&found[0], 1.0);
        let found_again = results(&detect(&["--json", "--pipeline", detector], &[&good]).expect(0));
        assert_eq!(found_again[0]["circle"], found[0]["circle"], "--pipeline is another name of --detector");
    }
    detect(&["--pipeline", "ack"], &[&good]).expect(2).says("--detector: \"ack\"");
    detect(&["--detector", "ack"], &[&good])
        .expect(2)
        .says("\"ack\" is not a detector of circles: write one of auto, hough, hough-classic");
}

#[test]
fn no_circle_is_no_error() {
    let pictures = Pictures::new();
    let tiny = pictures.save("tiny.png", GrayImage::from_pixel(1, 1, Luma([40])), ImageFormat::Png);
    let found = results(&detect(&["--json"], &[&tiny]).expect(0));
    assert_eq!((&found[0]["circle"], &found[0]["error"]), (&Value::Null, &Value::Null));
}

#[test]
fn radius_limits_are_kept() {
    let pictures = Pictures::new();
    let good = pictures.save("good.png", disc(), ImageFormat::Png);
    let found = results(&detect(&["--json", "--min-radius", "20", "--max-radius", "24"], &[&good]).expect(0));
    assert_eq!(found[0]["circle"], Value::Null);
    detect(&["--min-radius", "9", "--max-radius", "8"], &[&good]).expect(2).says("exceeds");
}

#[test]
fn without_files_there_is_nothing_to_do() {
    detect(&[], &[]).expect(2).says("<FILE>");
}

#[test]
fn a_reader_that_has_enough_ends_it_silently() {
    let pictures = Pictures::new();
    // More lines than the 64 KiB that a pipe holds, so that the client still writes when its reader is gone.
    let long = format!("{}.png", "x".repeat(100));
    let tiny = pictures.save(&long, GrayImage::from_pixel(1, 1, Luma([40])), ImageFormat::Png);
    let mut client = command("client");
    client.arg("detect").args(vec![tiny; 2_000]);
    let (client, stdout) = Program::start_taking_stdout(client);
    let mut first = String::new();
    std::io::BufReader::with_capacity(1, stdout).read_line(&mut first).expect("a line");
    let ended = client.end().expect(0);
    assert_eq!(ended.stderr, Vec::<String>::new(), "it is not a failure if a reader has enough");
}

#[test]
fn a_full_stdout_is_reported() {
    let pictures = Pictures::new();
    let tiny = pictures.save("tiny.png", GrayImage::from_pixel(1, 1, Luma([40])), ImageFormat::Png);
    let full = fs::File::options().write(true).open("/dev/full").expect("a device");
    let done = command("client").arg("detect").arg(tiny).stdout(full).output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(4), "{said}");
    assert!(said.contains("cannot write the results: No space left"), "{said}");
}

#[test]
fn a_files_name_moves_no_cursor_and_forges_no_line() {
    let pictures = Pictures::new();
    let name = "a\u{1b}[2J\nforged.png: centre (1, 2)\u{202e}.png";
    let good = pictures.save(name, disc(), ImageFormat::Png);
    let missing = pictures.path("missing\u{1b}[31m\r.png");
    let ended = detect(&[], &[&good, &missing]).expect(4).says(r"missing\u{1b}[31m\r.png: cannot read it");
    let [line] = &ended.stdout[..] else { panic!("not one line: {ended:#?}") };
    assert!(line.contains(r"a\u{1b}[2J\nforged.png: centre (1, 2)\u{202e}.png: centre (60"), "{line}");
    let found = results(&detect(&["--json"], &[&good]).expect(0));
    assert_eq!(found[0]["file"], good.to_str().expect("UTF-8"), "JSON has its own escapes");
}

/// Overwrites the picture's data in the middle.
fn damaged(whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 16].fill(0xa5);
    bytes
}

/// A PNG of 8-bit gray that ends within its pixels.
fn png(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n", &chunk(b"IHDR", &header)[..], &chunk(b"IDAT", b"\x78\x9c")].concat()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind, data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat()
}

/// PNG's checksum (ISO/IEC 15948, annex D).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
