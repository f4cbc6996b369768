//! Images of a folder, or those that match a pattern, one frame each, in natural order (`frame2.png` before
//! `frame10.png`). Their truth is unknown.
//!
//! Names, sizes and types are checked before the server listens. Pixels are read by a thread during the session. A
//! broken image is reported and skipped; the others keep their indices.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::geometry::Size;
use shared::image::file::{self, ImageFileError};
use shared::image::{Image, PixelFormat};
use tracing::warn;

use super::ball::{option_of_the_ball, options_of_the_ball};
use super::error::SourceError;
use super::queue::{QueuedSource, ReadFrame, Reading};
use super::seam::{Source, SourceKind, StreamFormat, Supply};
use crate::run::RunSpec;
use crate::task::TaskName;
use crate::truth::Truth;

/// The source's entry in the list of sources.
pub(super) struct ImagesKind;

impl SourceKind for ImagesKind {
    fn usage(&self) -> &'static str {
        "a folder of images or a pattern such as 'frames/*.png'"
    }

    fn is_meant(&self, text: &str) -> bool {
        let path = Path::new(text);
        path.is_dir() || is_image(path) || is_pattern(text)
    }

    /// None where they cannot be listed: then there is no supply either.
    fn files(&self, text: &str) -> Vec<PathBuf> {
        meant(text).unwrap_or_default()
    }

    fn supply(&self, run: &RunSpec) -> Result<Box<dyn Supply>, SourceError> {
        if let Some(option) = option_of_the_ball(run) {
            return Err(SourceError::Option { option, source_name: run.sent.source.clone() });
        }
        let images = Images::find(&run.sent.source, run.pixel(), run.sent.repeat)?;
        match run.sent.size {
            Some(asked) if asked != images.size => Err(SourceError::Size { asked, size: images.size, of: "images" }),
            _ => Ok(Box::new(images)),
        }
    }
}

/// The images of a folder.
#[derive(Clone, Debug)]
struct Images {
    paths: Arc<[PathBuf]>,
    size: Size,
    pixel: PixelFormat,
    /// Whether they are shown again from the first when they end.
    repeats: bool,
}

impl Images {
    /// Finds the images that `--source` means, and checks that all have the same size.
    fn find(source: &str, pixel: PixelFormat, repeats: bool) -> Result<Self, SourceError> {
        let mut paths = meant(source)?;
        alphanumeric_sort::sort_path_slice(&mut paths);
        let first = paths.first().ok_or_else(|| SourceError::NoImages { what: source.to_owned() })?;
        let size = one_size(first, &paths)?;
        one_depth(&paths, pixel)?;
        Ok(Self { paths: paths.into(), size, pixel, repeats })
    }
}

/// The images that `--source` means, in no order.
fn meant(source: &str) -> Result<Vec<PathBuf>, SourceError> {
    let path = Path::new(source);
    if path.is_dir() {
        in_folder(path)
    } else if path.is_file() {
        Ok(vec![path.into()])
    } else {
        matching(source)
    }
}

/// The images of a folder, in no order.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let unreadable = |error| SourceError::Folder { path: folder.into(), error };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    Ok(paths.map_err(unreadable)?.into_iter().filter(|path| is_image(path)).collect())
}

/// The images that match a pattern, in no order.
fn matching(pattern: &str) -> Result<Vec<PathBuf>, SourceError> {
    let refused = |error| SourceError::Pattern { pattern: pattern.to_owned(), error };
    let mut paths = Vec::new();
    for found in glob::glob(pattern).map_err(refused)? {
        let unreadable =
            |error: glob::GlobError| SourceError::Folder { path: error.path().into(), error: error.into() };
        paths.push(found.map_err(unreadable)?);
    }
    paths.retain(|path| is_image(path));
    Ok(paths)
}

/// Whether the text has one of the signs of a pattern, and is not an address.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[']) && !text.contains("://") && !Path::new(text).exists()
}

impl Supply for Images {
    fn format(&self) -> StreamFormat {
        StreamFormat { size: self.size, pixel: self.pixel }
    }

    fn default_task(&self) -> TaskName {
        TaskName::ack()
    }

    fn unused_options(&self) -> Vec<String> {
        options_of_the_ball()
    }

    fn open(&self) -> Result<Box<dyn Source>, SourceError> {
        let reader = ImageReader::new(self.clone());
        Ok(Box::new(QueuedSource::start(Box::new(reader))?))
    }
}

/// Reads one image after another.
struct ImageReader {
    images: Images,
    next: usize,
    /// Whether an image was read in this round.
    has_read: bool,
    is_over: bool,
}

impl ImageReader {
    fn new(images: Images) -> Self {
        Self { images, next: 0, has_read: false, is_over: false }
    }

    /// What comes after the last image: nothing, the first one again, or a failure if none could be read.
    fn round(&mut self) -> Option<Result<Reading, SourceError>> {
        self.is_over = !self.has_read || !self.images.repeats;
        if !self.has_read {
            return Some(Err(SourceError::AllBroken(self.images.paths.len())));
        }
        (self.next, self.has_read) = (0, false);
        self.next()
    }
}

impl Iterator for ImageReader {
    type Item = Result<Reading, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let images = &self.images;
        let Some(path) = images.paths.get(self.next) else { return self.round() };
        let index = self.next as u64;
        self.next += 1;
        let reading = read(index, path.clone(), images.size, images.pixel);
        self.has_read |= matches!(reading, Ok(Reading::Frame(_)));
        self.is_over = reading.is_err();
        Some(reading)
    }
}

/// Whether the file name ends in one of the supported types.
fn is_image(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    !is_hidden && ending.is_some_and(|ending| file::ENDINGS.contains(&&*ending)) && path.is_file()
}

/// The size of all images. An image whose size cannot be read counts as broken and is skipped when its turn comes.
fn one_size(first: &Path, paths: &[PathBuf]) -> Result<Size, SourceError> {
    let mut sizes = paths.iter().filter_map(|path| Some((path, file::size(path).ok()?)));
    let Some((first_good, size)) = sizes.next() else {
        let image = |error| SourceError::Image { path: first.into(), error };
        return file::size(first).map_err(image);
    };
    match sizes.find(|(_, other)| *other != size) {
        Some((path, got)) => {
            Err(SourceError::Mixed { path: path.clone(), got, first: first_good.clone(), first_size: size })
        }
        None => Ok(size),
    }
}

/// Checks that the pixels of all images have as many bits as those of the run: none is widened or scaled. Broken images
/// are skipped when their turn comes.
fn one_depth(paths: &[PathBuf], pixel: PixelFormat) -> Result<(), SourceError> {
    let is_deep = pixel == PixelFormat::Gray16;
    let differs = |path: &&PathBuf| file::is_gray16(path).is_ok_and(|deep| deep != is_deep);
    match paths.iter().find(differs) {
        Some(path) => Err(SourceError::Depth { path: path.clone(), pixel }),
        None => Ok(()),
    }
}

/// Reads one image. A broken one is reported here.
fn read(index: u64, path: PathBuf, size: Size, pixel: PixelFormat) -> Result<Reading, SourceError> {
    match file::read_any(&path) {
        // The file may have been replaced since it was checked.
        Ok(image) if (image.format() == PixelFormat::Gray16) != (pixel == PixelFormat::Gray16) => {
            Err(SourceError::Depth { path, pixel })
        }
        Ok(image) if image.size() == size => {
            let (image, truth) = (converted(image, pixel), Truth::Unknown);
            Ok(Reading::Frame(ReadFrame { index, image, truth, meta: None }))
        }
        Ok(image) => {
            Err(SourceError::Mixed { path, got: image.size(), first: "the first image".into(), first_size: size })
        }
        Err(error @ (ImageFileError::Io(_) | ImageFileError::Memory(_))) => Err(SourceError::Image { path, error }),
        Err(error) => {
            warn!("{}: {error}; it is passed over", path.display().to_string().escape_debug());
            Ok(Reading::Broken)
        }
    }
}

fn converted(image: Image, pixel: PixelFormat) -> Image {
    match pixel {
        PixelFormat::Gray8 => image.into_gray(),
        PixelFormat::Bgr8 => image.into_bgr(),
        // `one_depth` has checked that it is gray16.
        PixelFormat::Gray16 => image,
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, RgbImage};

    use super::*;

    fn folder(images: &[(&str, u32)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (level, (name, width)) in images.iter().enumerate() {
            let image = GrayImage::from_pixel(*width, 3, image::Luma([level as u8]));
            image.save(folder.path().join(name)).unwrap();
        }
        folder
    }

    fn found(path: &Path) -> Result<Images, SourceError> {
        found_as(path, PixelFormat::Gray8)
    }

    fn found_as(path: &Path, pixel: PixelFormat) -> Result<Images, SourceError> {
        Images::find(path.to_str().unwrap(), pixel, false)
    }

    fn levels(images: &Images) -> Vec<(u64, u8)> {
        let mut source = images.open().unwrap();
        std::iter::from_fn(|| source.next().unwrap().map(|frame| (frame.index, frame.image.bytes()[0]))).collect()
    }

    #[test]
    fn images_come_in_natural_order() {
        let folder = folder(&[("f10.png", 4), ("f2.png", 4), ("f1.PNG", 4), ("notes.txt.pgm", 4)]);
        let images = found(folder.path()).unwrap();
        assert_eq!(images.size, Size { width: 4, height: 3 });
        assert_eq!(levels(&images), [(0, 2), (1, 1), (2, 0), (3, 3)]);
    }

    #[test]
    fn a_broken_image_is_passed_over_and_keeps_its_index() {
        let folder = folder(&[("a.png", 4), ("c.png", 4)]);
        fs::write(folder.path().join("b.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
        let images = found(folder.path()).unwrap();
        assert_eq!(levels(&images), [(0, 0), (2, 1)]);
    }

    #[test]
    fn a_pattern_names_images_in_natural_order_and_one_that_matches_none_is_refused() {
        let folder = folder(&[("f10.png", 4), ("f2.png", 4), ("g1.png", 5)]);
        let images = found(&folder.path().join("f*.png")).unwrap();
        assert_eq!(levels(&images), [(0, 1), (1, 0)]);
        let one = found(&folder.path().join("g1.png")).unwrap();
        assert_eq!(levels(&one), [(0, 2)]);
        let refused = found(&folder.path().join("h*.png")).unwrap_err();
        assert!(matches!(&refused, SourceError::NoImages { .. }), "{refused}");
        let refused = found(&folder.path().join("[.png")).unwrap_err().to_string();
        assert!(refused.contains("is not a pattern") && refused.contains("'frames/*.png'"), "{refused}");
        assert!(is_pattern("no/such/*.png") && !is_pattern("rtsp://x/?a=[b]") && !is_pattern("frames"));
    }

    #[test]
    fn the_files_of_a_source_are_its_images_and_no_others() {
        let folder = folder(&[("f10.png", 4), ("f2.png", 4), ("g1.png", 5)]);
        fs::write(folder.path().join("notes.csv"), "").unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, expected) in [
            ("", &["f10.png", "f2.png", "g1.png"][..]),
            ("f*", &["f10.png", "f2.png"]),
            ("g1.png", &["g1.png"]),
            ("h*", &[]),
            ("[.png", &[]),
        ] {
            let mut files = ImagesKind.files(at(name).to_str().unwrap());
            files.sort();
            assert_eq!(files, expected.iter().map(|name| at(name)).collect::<Vec<_>>(), "{name}");
        }
    }

    #[test]
    fn a_loop_shows_the_images_again_and_fails_when_none_is_left() {
        let folder = folder(&[("a.png", 4), ("b.png", 4)]);
        let images = Images::find(folder.path().to_str().unwrap(), PixelFormat::Gray8, true).unwrap();
        let mut reader = ImageReader::new(images);
        let mut index = || match reader.next() {
            Some(Ok(Reading::Frame(frame))) => Some(frame.index),
            _ => None,
        };
        assert_eq!(std::array::from_fn(|_| index()), [Some(0), Some(1), Some(0), Some(1)]);
        for name in ["a.png", "b.png"] {
            fs::write(folder.path().join(name), "gone").unwrap();
        }
        let readings: Vec<_> = reader.map(|reading| reading.is_ok()).collect();
        assert_eq!(readings, [true, true, false], "two broken ones, then the failure, then nothing");
    }

    #[test]
    fn a_folder_of_broken_images_alone_is_a_failure() {
        let folder = folder(&[("a.png", 4)]);
        let images = found(folder.path()).unwrap();
        fs::write(folder.path().join("a.png"), "gone").unwrap();
        assert!(matches!(images.open().unwrap().next(), Err(SourceError::AllBroken(1))));
    }

    #[test]
    fn images_of_two_sizes_are_refused_by_name() {
        let folder = folder(&[("a.png", 4), ("b.png", 5)]);
        let refused = found(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("b.png is 5x3") && refused.contains("a.png is 4x3"), "{refused}");
    }

    #[test]
    fn images_of_sixteen_bits_are_sent_as_they_are_and_only_as_gray16() {
        let folder = tempfile::tempdir().unwrap();
        let depth = |value: u16| image::ImageBuffer::<image::Luma<u16>, _>::from_pixel(4, 3, image::Luma([value]));
        depth(1000).save(folder.path().join("a.png")).unwrap();
        depth(65_535).save(folder.path().join("b.pgm")).unwrap();
        let images = found_as(folder.path(), PixelFormat::Gray16).unwrap();
        let mut source = images.open().unwrap();
        for value in [1000, 65_535] {
            let frame = source.next().unwrap().unwrap();
            assert_eq!(*frame.image, Image::Gray16(ndarray::Array2::from_elem((3, 4), value)));
        }
        let refused = found_as(folder.path(), PixelFormat::Gray8).unwrap_err().to_string();
        assert!(refused.contains("a.png has 16 bits") && refused.contains("write --pixel gray16"), "{refused}");
        GrayImage::new(4, 3).save(folder.path().join("c.png")).unwrap();
        let refused = found_as(folder.path(), PixelFormat::Gray16).unwrap_err().to_string();
        assert!(refused.contains("c.png has 8 bits") && refused.contains("--pixel gray8"), "{refused}");
    }

    #[test]
    fn a_folder_without_an_image_is_refused() {
        let refused = found(folder(&[]).path()).unwrap_err();
        assert!(matches!(refused, SourceError::NoImages { .. }), "{refused}");
    }

    #[test]
    fn pixels_are_what_the_run_asks_for() {
        let folder = tempfile::tempdir().unwrap();
        RgbImage::from_pixel(2, 2, image::Rgb([226, 180, 60])).save(folder.path().join("amber.png")).unwrap();
        let first = |pixel| {
            let images = Images::find(folder.path().to_str().unwrap(), pixel, false).unwrap();
            let mut source = images.open().unwrap();
            source.next().unwrap().unwrap().image.bytes()[..1].to_vec()
        };
        assert_eq!((first(PixelFormat::Gray8), first(PixelFormat::Bgr8)), (vec![180], vec![60]));
    }
}
