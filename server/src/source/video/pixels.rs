//! The pixels of a video that become a frame, and how to ask ffmpeg for them.
//!
//! `gray8` is the Y plane as it was decoded. `ffmpeg -pix_fmt gray` would stretch it: Y runs from 16 to 235 in most
//! files, and ffmpeg would scale it to 0 to 255. A file without a Y plane (RGB, palettes) becomes gray by OpenCV's
//! weights, as image files do. `bgr8` is ffmpeg's conversion. `gray16` is the Y plane of a file of more than 8 bits per
//! sample, with its values unchanged.

use ndarray::{Array2, Array3};
use shared::geometry::Size;
use shared::image::{Image, PixelFormat};

/// What ffmpeg is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Filters that follow the guard's filter.
    filters: Option<&'static str>,
    /// Pixel format of ffmpeg's output, by ffmpeg's name.
    pub(super) pix_fmt: String,
    samples: Samples,
}

/// What the bytes of a frame are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Samples {
    /// Y, one byte per pixel.
    Y8,
    /// Y with this many bits, in two bytes per pixel, low byte first. It is rounded to 8 bits.
    Y16 { bits: u32 },
    /// Y with more than 8 bits, in two bytes per pixel, low byte first. It stays as it is.
    Deep,
    /// Blue, green, red.
    Bgr,
    /// Blue, green, red. They are converted to gray.
    GrayOfBgr,
}

impl Wanted {
    /// What to ask ffmpeg for. `pix_fmt` is the file's pixel format by ffmpeg's name, `pixel` that of the frames.
    /// `None` if the file has no such pixels: 8 bits are not widened to 16.
    pub(super) fn new(pix_fmt: &str, pixel: PixelFormat) -> Option<Self> {
        let colour = |samples| Self { filters: None, pix_fmt: "bgr24".into(), samples };
        Some(match (pixel, luma(pix_fmt)) {
            (PixelFormat::Bgr8, _) => colour(Samples::Bgr),
            (PixelFormat::Gray8, None) => colour(Samples::GrayOfBgr),
            (PixelFormat::Gray8, Some((filters, 8))) => {
                Self { filters: Some(filters), pix_fmt: "gray".into(), samples: Samples::Y8 }
            }
            (PixelFormat::Gray8, Some((filters, bits))) => {
                Self { filters: Some(filters), pix_fmt: format!("gray{bits}le"), samples: Samples::Y16 { bits } }
            }
            (PixelFormat::Gray16, Some((filters, bits))) if bits > 8 => {
                Self { filters: Some(filters), pix_fmt: format!("gray{bits}le"), samples: Samples::Deep }
            }
            (PixelFormat::Gray16, _) => return None,
        })
    }

    /// All filters: `guard`, then those that select the pixels.
    pub(super) fn filters(&self, guard: &str) -> String {
        self.filters.map_or_else(|| guard.to_owned(), |filters| format!("{guard},{filters}"))
    }

    /// Size of a frame in bytes.
    pub(super) fn bytes(&self, Size { width, height }: Size) -> usize {
        let pixel = match self.samples {
            Samples::Y8 => 1,
            Samples::Y16 { .. } | Samples::Deep => 2,
            Samples::Bgr | Samples::GrayOfBgr => 3,
        };
        width as usize * height as usize * pixel
    }

    /// Makes an image of a frame's bytes. `None` if their number is not [`Self::bytes`].
    pub(super) fn image(&self, bytes: Vec<u8>, Size { width, height }: Size) -> Option<Image> {
        let (rows, columns) = (height as usize, width as usize);
        match self.samples {
            Samples::Y8 => Array2::from_shape_vec((rows, columns), bytes).ok().map(Image::Gray8),
            Samples::Y16 { bits } => {
                Array2::from_shape_vec((rows, columns), rounded(&bytes, bits)).ok().map(Image::Gray8)
            }
            Samples::Deep => {
                let values = bytes.as_chunks::<2>().0.iter().map(|value| u16::from_le_bytes(*value)).collect();
                Array2::from_shape_vec((rows, columns), values).ok().map(Image::Gray16)
            }
            Samples::Bgr => Array3::from_shape_vec((rows, columns, 3), bytes).ok().map(Image::Bgr8),
            Samples::GrayOfBgr => {
                Array3::from_shape_vec((rows, columns, 3), bytes).ok().map(|bgr| Image::Bgr8(bgr).into_gray())
            }
        }
    }
}

/// Rounds samples of `bits` bits to 8 bits.
fn rounded(bytes: &[u8], bits: u32) -> Vec<u8> {
    let half = 1 << (bits - 9);
    let level = |sample: &[u8; 2]| ((u32::from(u16::from_le_bytes(*sample)) + half) >> (bits - 8)).min(255) as u8;
    bytes.as_chunks::<2>().0.iter().map(level).collect()
}

/// The filters that give the Y plane of a pixel format, and the bits of its samples. `None` if it has no Y plane.
fn luma(pix_fmt: &str) -> Option<(&'static str, u32)> {
    const PLANE: &str = "extractplanes=y";
    match pix_fmt {
        // These interleave chroma, or Y and chroma. The filter `format` first separates them into planes, with the same
        // samples.
        "nv12" | "nv21" => Some(("format=yuv420p,extractplanes=y", 8)),
        "nv16" | "yuyv422" | "yvyu422" | "uyvy422" => Some(("format=yuv422p,extractplanes=y", 8)),
        "nv24" | "nv42" => Some(("format=yuv444p,extractplanes=y", 8)),
        "p010le" | "p010be" => Some(("format=yuv420p10le,extractplanes=y", 10)),
        "p016le" | "p016be" => Some(("format=yuv420p16le,extractplanes=y", 16)),
        "gray" | "ya8" => Some((PLANE, 8)),
        _ => {
            let planar = ["yuv4", "yuvj4", "yuva4"].iter().any(|start| pix_fmt.starts_with(start));
            let gray = pix_fmt.starts_with("gray");
            let bits = bits(pix_fmt)?;
            ((planar || gray) && (8..=16).contains(&bits)).then_some((PLANE, bits))
        }
    }
}

/// Bits per sample, read from the name of a pixel format: 8 for `yuv420p`, 10 for `yuv420p10le` and `gray10le`.
fn bits(pix_fmt: &str) -> Option<u32> {
    let name = pix_fmt.strip_suffix("le").or_else(|| pix_fmt.strip_suffix("be"));
    match name {
        None => pix_fmt.ends_with('p').then_some(8),
        Some(name) => name.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_y_plane_is_requested_unchanged() {
        let asked = |pix_fmt| {
            let wanted = Wanted::new(pix_fmt, PixelFormat::Gray8).unwrap();
            (wanted.filters("guard"), wanted.pix_fmt)
        };
        for planar in ["yuv420p", "yuvj420p", "yuv444p", "yuva420p", "gray"] {
            assert_eq!(asked(planar), ("guard,extractplanes=y".into(), "gray".into()), "{planar}");
        }
        assert_eq!(asked("nv12"), ("guard,format=yuv420p,extractplanes=y".into(), "gray".into()));
        assert_eq!(asked("yuv422p10le"), ("guard,extractplanes=y".into(), "gray10le".into()));
        assert_eq!(asked("gray16be"), ("guard,extractplanes=y".into(), "gray16le".into()));
        for without in ["bgr0", "rgb24", "gbrp", "pal8", "monob", "grayf32le", "something new"] {
            assert_eq!(asked(without), ("guard".into(), "bgr24".into()), "{without}");
        }
    }

    #[test]
    fn samples_of_more_than_8_bits_are_rounded() {
        let wanted = Wanted::new("yuv420p10le", PixelFormat::Gray8).unwrap();
        let size = Size { width: 4, height: 1 };
        let samples = [0_u16, 257, 258, 1023].into_iter().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        assert_eq!(wanted.bytes(size), samples.len());
        assert_eq!(wanted.image(samples, size).unwrap().bytes(), [0, 64, 65, 255]);
    }

    #[test]
    fn gray16_has_the_samples_unchanged_and_8_bits_are_not_widened() {
        let size = Size { width: 3, height: 1 };
        for pix_fmt in ["gray16le", "yuv420p10le"] {
            let wanted = Wanted::new(pix_fmt, PixelFormat::Gray16).unwrap();
            let samples = [0_u16, 258, 1023].into_iter().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
            let Some(Image::Gray16(image)) = wanted.image(samples, size) else { panic!("{pix_fmt}") };
            assert_eq!(image.as_slice().unwrap(), [0, 258, 1023]);
        }
        for pix_fmt in ["yuv420p", "gray", "rgb24", "rgb48le"] {
            assert_eq!(Wanted::new(pix_fmt, PixelFormat::Gray16), None, "{pix_fmt}");
        }
    }

    #[test]
    fn a_file_without_a_y_plane_becomes_gray_as_an_image_does() {
        let wanted = Wanted::new("bgr0", PixelFormat::Gray8).unwrap();
        let size = Size { width: 1, height: 1 };
        assert_eq!(wanted.image(vec![60, 180, 226], size).unwrap().bytes(), [180]);
        assert_eq!(wanted.image(vec![60, 180], size), None);
    }
}
