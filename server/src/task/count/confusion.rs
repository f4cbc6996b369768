//! The confusion table: how often frames with one number of balls were answered with another.

/// Numbers with a row and a column of their own: 0 to 10. One more row and column hold all larger numbers.
const OWN: usize = 11;

/// Rows and columns of the table.
pub(super) const SIDE: usize = OWN + 1;

/// Frames by truth (rows) and answer (columns): 0 to 10, then more.
#[derive(Clone, Debug, Default)]
pub(super) struct Confusion([[u64; SIDE]; SIDE]);

impl Confusion {
    /// Counts a frame with `truth` balls that was answered with `answer`.
    pub(super) fn add(&mut self, truth: u32, answer: u32) {
        let place = |count: u32| (count as usize).min(OWN);
        self.0[place(truth)][place(answer)] += 1;
    }

    /// The rows, for the report.
    pub(super) fn rows(&self) -> [[u64; SIDE]; SIDE] {
        self.0
    }

    /// The wrong answers, most frequent first: truth, answer and frames, in words.
    pub(super) fn wrong(&self) -> Vec<String> {
        let cells = (0..SIDE * SIDE).map(|cell| (cell / SIDE, cell % SIDE));
        let mut wrong: Vec<_> =
            cells.filter(|(truth, answer)| truth != answer).map(|(t, a)| (self.0[t][a], t, a)).collect();
        wrong.retain(|(frames, ..)| *frames > 0);
        wrong.sort_by_key(|(frames, truth, answer)| (std::cmp::Reverse(*frames), *truth, *answer));
        let word = |place: usize| if place < OWN { place.to_string() } else { format!("more than {}", OWN - 1) };
        wrong.iter().map(|(frames, truth, answer)| format!("{} as {}: {frames}", word(*truth), word(*answer))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_above_ten_share_a_row_and_a_column() {
        let mut confusion = Confusion::default();
        for (truth, answer) in [(3, 2), (3, 3), (0, 0), (11, 10), (100, 1_000_000), (3, 2), (2, 3), (5, 12)] {
            confusion.add(truth, answer);
        }
        let rows = confusion.rows();
        assert_eq!((rows[3][2], rows[3][3], rows[0][0], rows[11][10], rows[11][11], rows[5][11]), (2, 1, 1, 1, 1, 1));
        assert_eq!(rows.iter().flatten().sum::<u64>(), 8);
        assert_eq!(confusion.wrong(), ["3 as 2: 2", "2 as 3: 1", "5 as more than 10: 1", "more than 10 as 10: 1"]);
    }
}
