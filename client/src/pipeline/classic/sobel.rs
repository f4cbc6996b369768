//! Sobel differences over 3x3 pixels, and their L1 norm. Beyond the border the outermost pixels are repeated.

/// Gradients of a frame.
#[derive(Default)]
pub(super) struct Gradients {
    /// Pixels per row.
    pub(super) width: usize,
    /// Differences to the right, row-major, within ±1020.
    pub(super) dx: Vec<i16>,
    /// Differences downwards, row-major, within ±1020.
    pub(super) dy: Vec<i16>,
    /// `|dx| + |dy|`, with a margin of one pixel of zeros.
    norms: Vec<u16>,
    /// One row smoothed along y and one row of differences along y, each with a margin of one pixel.
    lines: [Vec<i16>; 2],
}

impl Gradients {
    /// Computes the gradients of `pixels`, which are row-major, `width` wide and not empty.
    pub(super) fn find(&mut self, pixels: &[u8], width: usize) {
        let height = pixels.len() / width;
        self.prepare(width, height);
        let row = |y: usize| &pixels[y * width..][..width];
        let [smooth, change] = &mut self.lines;
        for y in 0..height {
            downwards([row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1))], smooth, change);
            let (dx, dy) = (&mut self.dx[y * width..][..width], &mut self.dy[y * width..][..width]);
            let norms = &mut self.norms[(y + 1) * (width + 2) + 1..][..width];
            along(smooth, change, dx, dy, norms);
        }
    }

    /// Number of rows.
    pub(super) fn height(&self) -> usize {
        self.dx.len() / self.width.max(1)
    }

    /// Row `y - 1` of the norms, with its margins: column `x` is at `x + 1`. Rows 0 and `height + 1` are margins.
    pub(super) fn padded_norms(&self, y: usize) -> &[u16] {
        &self.norms[y * (self.width + 2)..][..self.width + 2]
    }

    fn prepare(&mut self, width: usize, height: usize) {
        if self.width != width || self.height() != height {
            self.width = width;
            self.dx.resize(width * height, 0);
            self.dy.resize(width * height, 0);
            self.norms.clear();
            self.norms.resize((width + 2) * (height + 2), 0);
            for line in &mut self.lines {
                line.resize(width + 2, 0);
            }
        }
    }
}

fn downwards([above, here, below]: [&[u8]; 3], smooth: &mut [i16], change: &mut [i16]) {
    let width = here.len();
    let (above, below) = (&above[..width], &below[..width]);
    let (inner_smooth, inner_change) = (&mut smooth[1..=width], &mut change[1..=width]);
    for x in 0..width {
        let [a, b, c] = [above[x], here[x], below[x]].map(i16::from);
        inner_smooth[x] = a + 2 * b + c;
        inner_change[x] = c - a;
    }
    for line in [smooth, change] {
        line[0] = line[1];
        line[width + 1] = line[width];
    }
}

fn along(smooth: &[i16], change: &[i16], dx: &mut [i16], dy: &mut [i16], norms: &mut [u16]) {
    let width = dx.len();
    let (dy, norms) = (&mut dy[..width], &mut norms[..width]);
    let (smooth_left, smooth_right) = (&smooth[..width], &smooth[2..width + 2]);
    let (left, here, right) = (&change[..width], &change[1..=width], &change[2..width + 2]);
    for x in 0..width {
        dx[x] = smooth_right[x] - smooth_left[x];
        dy[x] = left[x] + 2 * here[x] + right[x];
        norms[x] = (dx[x].abs() + dy[x].abs()) as u16;
    }
}
