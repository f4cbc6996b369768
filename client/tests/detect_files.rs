//! `client detect` measures good files, reports bad ones, and goes on after a bad one.

use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use serde_json::Value;
use tempfile::TempDir;
use testkit::program::{Ended, Program, command, command_after};

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
fn without_json_each_file_gets_one_line() {
    let pictures = Pictures::new();
    let good = pictures.save("good.png", disc(), ImageFormat::Png);
    let empty = pictures.save("empty.png", GrayImage::from_pixel(64, 64, Luma([40])), ImageFormat::Png);
    let missing = pictures.path("missing.png");
    let ended = detect(&[], &[&missing, &good, &empty]).expect(4).says("missing.png: cannot read it");
    let [first, second] = &ended.stdout[..] else { panic!("not two lines: {ended:#?}") };
    assert!(first.contains("good.png: centre (60.2") && first.contains("radius 15.0"), "{first}");
    assert!(second.contains("empty.png: no circle of radius 8.0 to 32.0 px, axis ratio 0.55 to 1, in"), "{second}");
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
        head.contains("two.png: 2 circles, in") && none.contains("empty.png: no circle of radius 8.0 to 32.0 px, axis"),
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
    assert_eq!(found[0]["circle"], found[0]["circles"][0], "the single answer is the best of all");
    assert_eq!(found[1]["circle"], Value::Null);
    assert!(found[2]["error"].is_string());
    let first = results(&detect(&["--all", "--max-count", "1", "--json"], &[&two]).expect(0));
    assert_eq!(first[0]["circles"].as_array().map(Vec::len), Some(1));
    assert_eq!(first[0]["circle"], found[0]["circle"]);
    detect(&["--max-count", "1"], &[&two]).expect(2).says("--max-count: it limits how many circles --all reports");
    for wrong in ["0", "-1", "some"] {
        detect(&["--all", "--max-count", wrong], &[&two]).expect(2).says("is not a whole number of circles");
    }
    detect(&["--all", "--detector", "hough-classic"], &[&two])
        .expect(2)
        .says("hough-classic finds one circle in a frame; hough finds all");
}

#[test]
fn only_detectors_of_circles_are_accepted() {
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
fn finding_no_circle_is_not_an_error() {
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
fn it_ends_silently_when_its_reader_closes_the_pipe() {
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
fn a_files_name_cannot_move_the_cursor_or_forge_a_line() {
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

/// An antialiased ellipse of 180 on 40 with half-axes 30 and 30·`ratio`.
fn ellipse(ratio: f64) -> GrayImage {
    GrayImage::from_fn(128, 96, |column, row| {
        let sample = |at: u32, step: u32| f64::from(at) + (f64::from(step) + 0.5) / 16.0 - 0.5;
        let inside = |x: f64, y: f64| ((x - 62.3) / 30.0).hypot((y - 47.6) / (30.0 * ratio)) <= 1.0;
        let samples = (0..256).filter(|step| inside(sample(column, step % 16), sample(row, step / 16)));
        Luma([(40.0 + 140.0 * samples.count() as f64 / 256.0).round() as u8])
    })
}

#[test]
fn an_ellipse_is_found_down_to_the_least_axis_ratio() {
    let pictures = Pictures::new();
    let oval = pictures.save("oval.png", ellipse(0.7), ImageFormat::Png);
    let thin = pictures.save("thin.png", ellipse(0.45), ImageFormat::Png);
    let axes = |options: &[&str], file: &Path| {
        let found = results(&detect(&[&["--json"], options].concat(), &[file]).expect(0));
        (found[0]["circle"]["axes"][1].as_f64(), found[0].clone())
    };
    assert!((axes(&[], &oval).0.expect("an ellipse") - 21.0).abs() < 0.1);
    assert!((axes(&["--min-axis-ratio", "0.4"], &thin).0.expect("an ellipse") - 13.5).abs() < 0.1);
    for (options, file) in [(&["--min-axis-ratio", "0.8"][..], &oval), (&[][..], &thin)] {
        let (none, result) = axes(options, file);
        assert!(none.is_none() && result["circle"].is_null(), "{result}");
        let reason = result["rejected"]["reason"].as_str().expect("a reason");
        assert!(reason.contains("axis ratio") || reason.contains("edge") || reason.contains("disc"), "{reason}");
    }
    let (_, all) = axes(&["--min-axis-ratio", "0.8", "--explain"], &oval);
    let reasons: Vec<_> = all["candidates"].as_array().expect("a list").iter().map(|one| &one["reason"]).collect();
    let is_the_ratio =
        |reason: &&Value| reason.as_str().is_some_and(|reason| reason.contains("its axis ratio, 0.70, is below 0.8"));
    assert!(reasons.iter().any(is_the_ratio), "{reasons:#?}");
    for wrong in ["0", "1.1", "NaN", "round"] {
        detect(&["--min-axis-ratio", wrong], &[&oval])
            .expect(2)
            .says("is not a ratio of half-axes: write a number from 0.1 to 1");
    }
    detect(&["--min-axis-ratio", "0.8", "--detector", "hough-classic"], &[&oval])
        .expect(2)
        .says("--min-axis-ratio is for hough");
}

#[test]
fn explain_lists_each_candidate_with_its_evidence_and_the_reason() {
    let pictures = Pictures::new();
    let square = GrayImage::from_fn(128, 96, |x, y| {
        Luma([if (40..80).contains(&x) && (30..70).contains(&y) { 180 } else { 40 }])
    });
    let square = pictures.save("square.png", square, ImageFormat::Png);
    let good = pictures.save("good.png", disc(), ImageFormat::Png);
    let ended = detect(&["--explain"], &[&good, &square]).expect(0);
    let [found, heading, candidate, rest @ ..] = &ended.stdout[..] else { panic!("{ended:#?}") };
    assert!(found.contains("good.png: centre (60.2") && heading.contains("candidates, best first"), "{ended:#?}");
    assert!(candidate.contains("evidence") && candidate.ends_with(": found"), "{candidate}");
    let none = rest.iter().position(|line| line.contains("square.png: no circle of radius")).expect("no circle");
    assert!(rest[none + 2..].iter().all(|line| line.contains("rejected, ")) && rest.len() > none + 2, "{ended:#?}");
    let result = &results(&detect(&["--explain", "--json"], &[&square]).expect(0))[0];
    let candidates = result["candidates"].as_array().expect("a list");
    assert_eq!(result["rejected"], candidates[0], "the best comes first");
    assert!(candidates.iter().all(|one| one["reason"].is_string() && one["share"].is_number()), "{result:#}");
    // Without --explain, no circle comes with the best candidate.
    let ended = detect(&[], &[&square]).expect(0);
    assert!(ended.stdout[1].contains("square.png: best candidate: centre (") && ended.stdout.len() == 2, "{ended:#?}");
    detect(&["--explain", "--detector", "hough-classic"], &[&good]).expect(2).says("--explain is for hough");
}

#[test]
fn a_drawing_that_cannot_be_written_to_its_end_is_not_left() {
    let pictures = Pictures::new();
    let good = pictures.save("good.png", disc(), ImageFormat::Png);
    let folder = pictures.path("found");
    let mut client = command_after("ulimit -f 0", "client");
    client.arg("detect").arg("--draw").arg(&folder).arg(&good);
    let ended = Program::start(client).end();
    assert!(ended.stderr.iter().any(|line| line.contains("found/good.png")), "{ended:#?}");
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0);
}

#[test]
fn draw_writes_marked_copies_and_never_replaces_an_input() {
    let pictures = Pictures::new();
    let good = pictures.save("good.png", disc(), ImageFormat::Png);
    let before = fs::read(&good).expect("readable");
    let same_stem = pictures.save("good.jpg", colour(&disc()), ImageFormat::Jpeg);
    let folder = pictures.path("a/found");
    let draw = folder.to_str().expect("UTF-8").to_owned();
    let found = results(&detect(&["--json", "--draw", &draw], &[&good, &same_stem]).expect(0));
    let drawn: Vec<_> = found.iter().map(|one| one["drawn"].as_str().expect("a path").to_owned()).collect();
    assert_eq!(drawn, [format!("{draw}/good.png"), format!("{draw}/good-2.png")]);
    for path in &drawn {
        let marked = image::open(path).expect("a picture").into_rgb8();
        assert_eq!(marked.dimensions(), (128, 96));
        let is_mark = |x: u32, y: u32| {
            let Rgb([red, green, _]) = *marked.get_pixel(x, y);
            red > green.saturating_add(40)
        };
        // The right end of the rim, and the centre. The ground stays as it is.
        assert!(is_mark(75, 44) && is_mark(60, 45) && !is_mark(90, 44) && !is_mark(5, 5), "{path}");
    }
    let here = pictures.0.path().to_str().expect("UTF-8");
    detect(&["--draw", here], &[&good]).expect(2).says("its good.png would replace the picture that is read");
    // Nor through a link.
    let links = pictures.path("links");
    fs::create_dir(&links).and_then(|()| std::os::unix::fs::symlink(&good, links.join("good.png"))).expect("a link");
    detect(&["--draw", links.to_str().expect("UTF-8")], &[&good]).expect(2).says("would replace the picture");
    assert_eq!(fs::read(&good).expect("readable"), before);
    detect(&["--draw", same_stem.to_str().expect("UTF-8")], &[&good]).expect(2).says("cannot make this folder");
    detect(&["--draw", "/proc/none"], &[&good]).expect(2).says("cannot make this folder");
}

#[test]
fn a_drawing_that_cannot_be_written_is_reported_and_its_circle_printed() {
    let pictures = Pictures::new();
    let good = pictures.save("good.png", disc(), ImageFormat::Png);
    let folder = pictures.path("found");
    fs::create_dir_all(folder.join("good.png")).expect("a folder in the place of the drawing");
    let ended = detect(&["--draw", folder.to_str().expect("UTF-8")], &[&good]).expect(4).says("cannot write");
    assert!(ended.stdout[0].contains("centre (60.2"), "{ended:#?}");
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
