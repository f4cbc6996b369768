//! The pixels of one frame, contiguous.

use shared::geometry::Circle;

/// Fraction bits of a walk along a line. Over 64 steps, the walk drifts by a millionth of a pixel.
const LINE_FRACTION: u32 = 24;

/// Fraction bits of a walk that interpolates. With those for 8,192 pixels it fits 32 bits, and over 26 steps it drifts
/// by a thousandth of a pixel.
const SAMPLE_FRACTION: u32 = 16;

/// Slack on the frame's border, in pixels: five sigmas. The centre of half a disc of 10 px in noise of 10 gray levels
/// is known to 0.05 px.
const CENTRE_SLACK_PX: f64 = 0.25;

/// A borrowed gray frame, row-major without gaps.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// `width * height` intensities.
    pub(crate) pixels: &'a [u8],
    /// Pixels per row.
    pub(crate) width: usize,
    /// Number of rows.
    pub(crate) height: usize,
}

impl<'a> Frame<'a> {
    /// Returns row `y`, which must be less than the height.
    pub(crate) fn row(self, y: usize) -> &'a [u8] {
        &self.pixels[y * self.width..(y + 1) * self.width]
    }

    /// Intensity of the pixel that contains the point. `None` outside the frame.
    pub(crate) fn nearest(self, x: f32, y: f32) -> Option<f32> {
        let (column, row) = (x + 0.5, y + 0.5);
        if !(column >= 0.0 && row >= 0.0) {
            return None;
        }
        let (column, row) = (column as usize, row as usize);
        (column < self.width && row < self.height).then(|| f32::from(self.pixels[row * self.width + column]))
    }

    /// Whether the point lies on a pixel of the frame, at least a hundredth of a pixel from the frame's border.
    pub(crate) fn holds_point(self, x: f32, y: f32) -> bool {
        let within = |at: f32, length: usize| (-0.49..length as f32 - 0.51).contains(&at);
        within(x, self.width) && within(y, self.height)
    }

    /// Reads the pixels at points that are `step` apart. The frame must hold the first point and the last.
    pub(crate) fn read_line(self, from: (f32, f32), step: (f32, f32), values: &mut [f32]) {
        let fixed = |value: f32| (value * (1u64 << LINE_FRACTION) as f32) as i64;
        let (mut x, mut y) = (fixed(from.0 + 0.5), fixed(from.1 + 0.5));
        let (dx, dy) = (fixed(step.0), fixed(step.1));
        for value in values {
            let at = (y >> LINE_FRACTION) as usize * self.width + (x >> LINE_FRACTION) as usize;
            *value = f32::from(self.pixels[at]);
            (x, y) = (x + dx, y + dy);
        }
    }

    /// Intensity at a point, by bilinear interpolation between four pixel centres. `None` outside the outermost
    /// centres.
    pub(crate) fn sample(self, x: f32, y: f32) -> Option<f32> {
        if !(x >= 0.0 && y >= 0.0) {
            return None;
        }
        let (left, top) = (x as usize, y as usize);
        if left + 1 >= self.width || top + 1 >= self.height {
            return None;
        }
        let (fx, fy) = (x - left as f32, y - top as f32);
        let at = top * self.width + left;
        let pixel = |at: usize| f32::from(self.pixels[at]);
        let above = pixel(at) + fx * (pixel(at + 1) - pixel(at));
        let below = pixel(at + self.width) + fx * (pixel(at + self.width + 1) - pixel(at + self.width));
        Some(above + fy * (below - above))
    }

    /// Adds the intensities at points that are `step` apart, by bilinear interpolation. Returns whether the frame holds
    /// all of them.
    pub(crate) fn add_line(self, from: (f32, f32), step: (f32, f32), sums: &mut [f32]) -> bool {
        if !self.holds_line(from, step, sums.len()) {
            return false;
        }
        let (mut x, mut y) = (fixed(from.0), fixed(from.1));
        let (dx, dy) = (fixed(step.0), fixed(step.1));
        let part = |at: i32| (at & ((1 << SAMPLE_FRACTION) - 1)) as f32 * (1.0 / (1 << SAMPLE_FRACTION) as f32);
        for sum in sums {
            let at = (y >> SAMPLE_FRACTION) as usize * self.width + (x >> SAMPLE_FRACTION) as usize;
            let (above, below) = (&self.pixels[at..at + 2], &self.pixels[at + self.width..][..2]);
            let along = |row: &[u8]| f32::from(row[0]) + part(x) * (f32::from(row[1]) - f32::from(row[0]));
            let (above, below) = (along(above), along(below));
            *sum += above + part(y) * (below - above);
            (x, y) = (x + dx, y + dy);
        }
        true
    }

    /// Like [`add_line`](Self::add_line), with the pixels that contain the points. Takes a third of its time.
    pub(crate) fn add_pixels(self, from: (f32, f32), step: (f32, f32), sums: &mut [f32]) -> bool {
        if !self.holds_line(from, step, sums.len()) {
            return false;
        }
        let (mut x, mut y) = (fixed(from.0 + 0.5), fixed(from.1 + 0.5));
        let (dx, dy) = (fixed(step.0), fixed(step.1));
        for sum in sums {
            let at = (y >> SAMPLE_FRACTION) as usize * self.width + (x >> SAMPLE_FRACTION) as usize;
            *sum += f32::from(self.pixels[at]);
            (x, y) = (x + dx, y + dy);
        }
        true
    }

    /// Whether the outermost pixel centres enclose all of `n` points that are `step` apart.
    fn holds_line(self, from: (f32, f32), step: (f32, f32), n: usize) -> bool {
        let last = n.saturating_sub(1) as f32;
        let (x, y) = (from.0 + last * step.0, from.1 + last * step.1);
        // A hundredth of a pixel keeps rounding from crossing the border.
        let holds = |at: f32, length: usize| at >= 0.01 && at < (length.min(1 << (31 - SAMPLE_FRACTION)) as f32) - 1.01;
        [(from.0, self.width), (from.1, self.height), (x, self.width), (y, self.height)]
            .into_iter()
            .all(|(at, length)| holds(at, length))
    }

    /// Whether the circle's centre lies on the frame, with slack for an estimate of a centre on the border. The frame
    /// reaches half a pixel beyond the outermost pixel centres.
    pub(crate) fn holds(self, circle: Circle) -> bool {
        let beyond = 0.5 + CENTRE_SLACK_PX;
        let within = |at: f64, length: usize| (-beyond..=length as f64 - 1.0 + beyond).contains(&at);
        within(circle.x, self.width) && within(circle.y, self.height)
    }
}

/// A coordinate in the fixed point of a walk that interpolates.
fn fixed(value: f32) -> i32 {
    (value * (1 << SAMPLE_FRACTION) as f32) as i32
}
