//! Canny's edges: crests of the gradient's norm, the weak ones only where they hang together with a strong one.

use super::sobel::Gradients;

/// Crests above this norm are edges: OpenCV's `param1`.
const STRONG: u16 = 50;

/// Crests above this norm are edges where they touch one: half of the above.
const WEAK: u16 = STRONG / 2;

/// tan 22.5° in 32768ths. tan 67.5° is 2 more.
const TAN_22_5: u32 = 13_573;

/// Columns looked at together: most of a frame has no gradient to speak of.
const GROUP: usize = 32;

/// A pixel, by column and row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pixel {
    pub(super) x: usize,
    pub(super) y: usize,
}

/// What a pixel is; the margin is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Crest,
    Edge,
}

/// The edge pixels of a frame.
#[derive(Default)]
pub(super) struct Edges {
    /// All edge pixels, each once, row after row.
    pub(super) pixels: Vec<Pixel>,
    /// Where each row starts in `pixels`, and where the last one ends.
    starts: Vec<usize>,
    /// Kinds of all pixels, with a margin of one pixel.
    kinds: Vec<Kind>,
    /// The edge pixels in the order they were found.
    found: Vec<Pixel>,
}

impl Edges {
    /// The edges of a frame with these gradients.
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

    /// The edge pixels of rows `first..end`, as far as there are such rows.
    pub(super) fn in_rows(&self, first: usize, end: usize) -> &[Pixel] {
        let start_of = |row: usize| self.starts.get(row).copied().unwrap_or(self.pixels.len());
        &self.pixels[start_of(first)..start_of(end)]
    }

    /// Marks the crests of row `y`; the strong ones are edges at once.
    fn find_crests(&mut self, gradients: &Gradients, y: usize) {
        let width = gradients.width;
        let norms = [0, 1, 2].map(|row| gradients.padded_norms(y + row));
        let (dx, dy) = (&gradients.dx[y * width..][..width], &gradients.dy[y * width..][..width]);
        let kinds = &mut self.kinds[(y + 1) * (width + 2) + 1..][..width];
        let mut crests = [false; GROUP];
        for from in (0..width).step_by(GROUP) {
            let group = from..(from + GROUP).min(width);
            let norms_here = &norms[1][group.start + 1..=group.end];
            if norms_here.iter().fold(0, |most, &norm| most.max(norm)) <= WEAK {
                continue;
            }
            find_in_group(
                norms.map(|row| &row[group.start..group.end + 2]),
                &dx[group.clone()],
                &dy[group.clone()],
                &mut crests,
            );
            for x in group.filter(|x| crests[x - from]) {
                kinds[x] = Kind::Crest;
                if norms[1][x + 1] > STRONG {
                    kinds[x] = Kind::Edge;
                    self.found.push(Pixel { x, y });
                }
            }
        }
    }

    /// Turns all crests into edges that are connected to one, also diagonally and over other crests.
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

    /// Puts what was found into rows: counts them, then takes each to its place.
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
        // The start of the row after is where the next pixel of a row goes; in the end it is where that row starts.
        for &pixel in &self.found {
            let place = &mut self.starts[pixel.y + 1];
            self.pixels[*place] = pixel;
            *place += 1;
        }
    }
}

/// Whether each norm of a row is a weak edge's at least and tops both its neighbours along the gradient.
///
/// Ties go to the left or upper pixel of two; along a diagonal both neighbours must be lower. The norms have a margin
/// of one column. All cases are worked out for each pixel: that is faster than to branch on noise.
fn find_in_group<'a>([above, here, below]: [&'a [u16]; 3], dx: &[i16], dy: &[i16], crests: &mut [bool; GROUP]) {
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
        let tops_sides = (norm > left[x]) & (norm >= right[x]);
        let tops_column = (norm > above[x]) & (norm >= below[x]);
        let tops_rising = (norm > above_right[x]) & (norm > below_left[x]);
        let tops_falling = (norm > above_left[x]) & (norm > below_right[x]);
        let tops_diagonal = (is_mixed & tops_rising) | (!is_mixed & tops_falling);
        let tops_others = (is_steep & tops_column) | (!is_steep & tops_diagonal);
        crests[x] = (norm > WEAK) & ((is_flat & tops_sides) | (!is_flat & tops_others));
    }
}
