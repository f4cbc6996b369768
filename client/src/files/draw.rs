//! Pictures with what was found drawn into them.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use image::{ImageBuffer, ImageError, ImageFormat, Rgb, RgbImage};
use shared::image::Image;
use thiserror::Error;

use super::found::{FoundCircle, Seen};

/// Colour of found circles, the same as that of estimates in Plumb's windows.
const FOUND: [u8; 3] = [0xff, 0x4f, 0x9a];

/// Colour of rejected candidates, the same as that of waiting in Plumb's windows.
const REJECTED: [u8; 3] = [0xf2, 0xbd, 0x4b];

/// Width of the outlines of finds and of candidates, in pixels.
const FOUND_PX: f64 = 1.5;
const REJECTED_PX: f64 = 0.6;

/// Half the length of the cross at the centre of a find: this many pixels, but at most this part of the radius.
const ARM_PX: f64 = 5.0;
const ARM_OF_RADIUS: f64 = 0.3;

/// Why pictures cannot be drawn.
#[derive(Debug, Error)]
pub(super) enum DrawError {
    /// The folder cannot be created, or the path is not a folder.
    #[error("--draw {}: cannot make this folder: {wrong}", .folder.display())]
    Folder { folder: PathBuf, wrong: io::Error },
    /// A drawn picture would replace one of the files that are read.
    #[error("--draw {}: its {} would replace the picture that is read: give another folder", .folder.display(), .name.display())]
    OverInput { folder: PathBuf, name: PathBuf },
    /// A picture cannot be written.
    #[error("cannot write {}: {wrong}", .path.display())]
    Write { path: PathBuf, wrong: ImageError },
}

/// The folder with the drawn pictures.
pub(super) struct Drawings {
    /// For each file that is read, in order, where its drawing goes.
    targets: Vec<PathBuf>,
}

impl Drawings {
    /// Makes the folder and chooses the names: each file's name with the extension `.png`, and with a number if names
    /// repeat.
    ///
    /// # Errors
    /// [`DrawError`] if the folder cannot be made, or a drawing would replace one of the `files`.
    pub(super) fn new(folder: &Path, files: &[PathBuf]) -> Result<Self, DrawError> {
        fs::create_dir_all(folder).map_err(|wrong| DrawError::Folder { folder: folder.to_owned(), wrong })?;
        let mut taken = HashSet::new();
        let targets: Vec<_> = files.iter().map(|file| folder.join(free_name(file, &mut taken))).collect();
        let over = targets.iter().find(|target| files.iter().any(|file| is_same_file(file, target)));
        if let Some(target) = over {
            let name = target.file_name().map(PathBuf::from).unwrap_or_default();
            return Err(DrawError::OverInput { folder: folder.to_owned(), name });
        }
        Ok(Self { targets })
    }

    /// Draws into the picture of the file at `index`, and writes it. Returns its path.
    ///
    /// # Errors
    /// [`DrawError::Write`] if it cannot be written.
    pub(super) fn draw(&self, index: usize, image: Image, seen: &Seen) -> Result<&Path, DrawError> {
        let path = &self.targets[index];
        let drawn = drawn(image, seen);
        let written = png(&drawn).and_then(|bytes| Ok(fs::write(path, bytes)?));
        written.map_err(|wrong| {
            // A part of a picture is no picture. A device or a pipe of this name stays.
            if path.symlink_metadata().is_ok_and(|file| file.is_file()) {
                let _ = fs::remove_file(path);
            }
            DrawError::Write { path: path.clone(), wrong }
        })?;
        Ok(path)
    }
}

/// The name of a drawing: its file's name with the extension `.png`. Names in `taken` are not chosen again, in upper or
/// lower case.
fn free_name(file: &Path, taken: &mut HashSet<String>) -> OsString {
    let stem = if file == Path::new("-") { "stdin".into() } else { file.file_stem().unwrap_or_default().to_owned() };
    let numbered = |n: usize| {
        let mut name = stem.clone();
        if n > 1 {
            name.push(format!("-{n}"));
        }
        name.push(".png");
        name
    };
    let mut is_free = |name: &OsString| taken.insert(name.to_string_lossy().to_lowercase());
    // There are more numbers than files.
    (1..).map(numbered).find(|name| is_free(name)).unwrap_or_default()
}

/// The picture as PNG, in memory: the crate's own writer of files does not report what a full disk does to the last bytes.
fn png(picture: &RgbImage) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    id(one).is_some_and(|own| id(other) == Some(own))
}

fn drawn(image: Image, seen: &Seen) -> RgbImage {
    let size = image.size();
    let bgr = match image {
        Image::Gray16(_) => Image::Gray8(image.into_gray_levels()).into_bgr(),
        other => other.into_bgr(),
    };
    let bytes = bgr.bytes().chunks_exact(3).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
    // An image has three bytes a pixel in bgr8.
    let mut canvas: RgbImage = ImageBuffer::from_raw(size.width, size.height, bytes).unwrap_or_default();
    for candidate in seen.candidates.iter().flatten().filter(|candidate| candidate.reason.is_some()) {
        outline(&mut canvas, &candidate.circle, REJECTED_PX, REJECTED);
    }
    let one = seen.circle.as_slice();
    for circle in seen.circles.as_deref().unwrap_or(one) {
        outline(&mut canvas, circle, FOUND_PX, FOUND);
        cross(&mut canvas, circle);
    }
    canvas
}

/// Draws the outline of an ellipse, antialiased.
fn outline(canvas: &mut RgbImage, circle: &FoundCircle, width_px: f64, colour: [u8; 3]) {
    let FoundCircle { x, y, radius, axes, angle } = *circle;
    let [a, b] = axes.unwrap_or([radius, radius]);
    let (sin, cos) = angle.unwrap_or_default().sin_cos();
    let reach = a + width_px;
    let (columns, rows) = (span(x, reach, canvas.width()), span(y, reach, canvas.height()));
    for row in rows {
        for column in columns.clone() {
            let (dx, dy) = (f64::from(column) - x, f64::from(row) - y);
            let (u, v) = ((dx * cos + dy * sin) / a, (dy * cos - dx * sin) / b);
            let level = u.hypot(v);
            // The distance to first order: exact for a circle, and close to exact near the outline of an ellipse.
            let slope = (u / a).hypot(v / b) / level.max(1e-9);
            let distance = (level - 1.0).abs() / slope.max(1e-9);
            blend(canvas, (column, row), 0.5 + 0.5 * width_px - distance, colour);
        }
    }
}

/// Draws an upright cross at the centre.
fn cross(canvas: &mut RgbImage, &FoundCircle { x, y, radius, .. }: &FoundCircle) {
    let arm = ARM_PX.min(ARM_OF_RADIUS * radius);
    for row in span(y, arm, canvas.height()) {
        for column in span(x, arm, canvas.width()) {
            let (dx, dy) = ((f64::from(column) - x).abs(), (f64::from(row) - y).abs());
            blend(canvas, (column, row), 1.0 - dx.min(dy), FOUND);
        }
    }
}

/// The pixels of an axis within `reach` of a place.
fn span(middle: f64, reach: f64, length: u32) -> std::ops::Range<u32> {
    let pixel = |at: f64| at.clamp(0.0, f64::from(length)) as u32;
    pixel((middle - reach).floor())..pixel((middle + reach).ceil() + 1.0)
}

fn blend(canvas: &mut RgbImage, (column, row): (u32, u32), share: f64, colour: [u8; 3]) {
    let share = share.clamp(0.0, 1.0);
    if share > 0.0 {
        let Rgb(pixel) = canvas.get_pixel_mut(column, row);
        for (own, new) in pixel.iter_mut().zip(colour) {
            *own = (f64::from(*own) + share * (f64::from(new) - f64::from(*own))).round() as u8;
        }
    }
}
