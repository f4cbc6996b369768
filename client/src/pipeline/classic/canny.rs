//! Canny's edges: crests of the gradient's norm. A weak crest counts only if it is connected to a strong one.

use super::sobel::Gradients;

/// Norm above which a crest is an edge, unless it is set: OpenCV's `param1`.
pub(super) const STRONG: u16 = 50;

/// tan 22.5° in 32768ths. tan 67.5° is larger by exactly 2.
const TAN_22_5: u32 = 13_573;

/// Columns tested together. Most groups have no notable gradient and are skipped.
const GROUP: usize = 32;

/// Column and row of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pixel {
    pub(super) x: usize,
    pub(super) y: usize,
}

/// Kind of a pixel. The margin is [`Kind::None`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Crest,
    Edge,
}

/// The edge pixels of a frame.
pub(super) struct Edges {
    /// Norm above which a crest is an edge.
    pub(super) strong: u16,
    /// All edge pixels, each once, row after row.
    pub(super) pixels: Vec<Pixel>,
    /// Start of each row in `pixels`, and the end of the last row.
    starts: Vec<usize>,
    /// Kind of each pixel, with a margin of one pixel.
    kinds: Vec<Kind>,
    /// The edge pixels in the order they were found.
    found: Vec<Pixel>,
}

impl Default for Edges {
    fn default() -> Self {
        Self { strong: STRONG, pixels: Vec::new(), starts: Vec::new(), kinds: Vec::new(), found: Vec::new() }
    }
}

impl Edges {
    /// Norm above which a crest is an edge if it touches another edge: half of the other, as in OpenCV.
    fn weak(&self) -> u16 {
        (self.strong / 2).max(1)
    }

    /// Finds the edges of a frame from its gradients.
    pub(super) fn find(&mut self, gradients: &Gradients) {
        let (width, height) = (gradients.width, gradients.height());
        self.found.clear();
        self.kinds.clear();
        self.kinds.resize((width + 2) * (height + 2), Kind::None);
        for y in 0..height {
            self.find_crests(gradients, y);
        }
        self.spread(width + 2);
        self.sort(height);
    }

    /// The edge pixels of rows `first..end`. Rows outside the frame have none.
    pub(super) fn in_rows(&self, first: usize, end: usize) -> &[Pixel] {
        let start_of = |row: usize| self.starts.get(row).copied().unwrap_or(self.pixels.len());
        &self.pixels[start_of(first)..start_of(end)]
    }

    /// Marks the crests of row `y`. Strong crests are edges at once.
    fn find_crests(&mut self, gradients: &Gradients, y: usize) {
        let (width, strong, weak) = (gradients.width, self.strong, self.weak());
        let norms = [0, 1, 2].map(|row| gradients.padded_norms(y + row));
        let (dx, dy) = (&gradients.dx[y * width..][..width], &gradients.dy[y * width..][..width]);
        let kinds = &mut self.kinds[(y + 1) * (width + 2) + 1..][..width];
        let mut crests = [false; GROUP];
        for from in (0..width).step_by(GROUP) {
            let group = from..(from + GROUP).min(width);
            let norms_here = &norms[1][group.start + 1..=group.end];
            if norms_here.iter().fold(0, |most, &norm| most.max(norm)) <= weak {
                continue;
            }
            find_in_group(
                norms.map(|row| &row[group.start..group.end + 2]),
                &dx[group.clone()],
                &dy[group.clone()],
                weak,
                &mut crests,
            );
            for x in group.filter(|x| crests[x - from]) {
                kinds[x] = Kind::Crest;
                if norms[1][x + 1] > strong {
                    kinds[x] = Kind::Edge;
                    self.found.push(Pixel { x, y });
                }
            }
        }
    }

    /// Turns every crest that is connected to an edge into an edge, also diagonally and over other crests.
    fn spread(&mut self, stride: usize) {
        let mut next = 0;
        while let Some(&Pixel { x, y }) = self.found.get(next) {
            next += 1;
            for (dx, dy) in [(0, 0), (1, 0), (2, 0), (0, 1), (2, 1), (0, 2), (1, 2), (2, 2)] {
                let kind = &mut self.kinds[(y + dy) * stride + x + dx];
                if *kind == Kind::Crest {
                    *kind = Kind::Edge;
                    self.found.push(Pixel { x: x + dx - 1, y: y + dy - 1 });
                }
            }
        }
    }

    /// Sorts the edge pixels by row: counts those of each row, then puts each in its place.
    fn sort(&mut self, height: usize) {
        self.starts.clear();
        self.starts.resize(height + 2, 0);
        for pixel in &self.found {
            self.starts[pixel.y + 2] += 1;
        }
        for row in 2..height + 2 {
            self.starts[row] += self.starts[row - 1];
        }
        self.pixels.resize(self.found.len(), Pixel { x: 0, y: 0 });
        // `starts[y + 1]` is the place of the next pixel of row `y`. In the end it is the start of row `y + 1`.
        for &pixel in &self.found {
            let place = &mut self.starts[pixel.y + 1];
            self.pixels[*place] = pixel;
            *place += 1;
        }
    }
}

/// Finds the crests in a group of a row: norms above `weak` that exceed both neighbours along the gradient.
///
/// Of two equal pixels the left or upper one is the crest; along a diagonal both neighbours must be lower. The norms
/// have a margin of one column. All cases are computed for each pixel, because branches on noise are slower.
fn find_in_group<'a>(
    [above, here, below]: [&'a [u16]; 3],
    dx: &[i16],
    dy: &[i16],
    weak: u16,
    crests: &mut [bool; GROUP],
) {
    let count = dx.len();
    let (dy, crests) = (&dy[..count], &mut crests[..count]);
    let columns = |row: &'a [u16]| [0, 1, 2].map(|column| &row[column..column + count]);
    let ([above_left, above, above_right], [left, here, right]) = (columns(above), columns(here));
    let [below_left, below, below_right] = columns(below);
    for x in 0..count {
        let norm = here[x];
        let (run, rise) = (u32::from(dx[x].unsigned_abs()), u32::from(dy[x].unsigned_abs()) << 15);
        let flat = run * TAN_22_5;
        let (is_flat, is_steep, is_mixed) = (rise < flat, rise > flat + (run << 16), dx[x] ^ dy[x] < 0);
        let exceeds_sides = (norm > left[x]) & (norm >= right[x]);
        let exceeds_column = (norm > above[x]) & (norm >= below[x]);
        let exceeds_rising = (norm > above_right[x]) & (norm > below_left[x]);
        let exceeds_falling = (norm > above_left[x]) & (norm > below_right[x]);
        let exceeds_diagonal = (is_mixed & exceeds_rising) | (!is_mixed & exceeds_falling);
        let exceeds_others = (is_steep & exceeds_column) | (!is_steep & exceeds_diagonal);
        crests[x] = (norm > weak) & ((is_flat & exceeds_sides) | (!is_flat & exceeds_others));
    }
}
