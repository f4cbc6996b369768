//! The error by the ball's place in the picture.

use crate::output::html::plot::{Axis, Plot};
use crate::output::html::session::SessionFrames;
use crate::output::html::text::{short, whole};

/// Fewest frames that a cell must have to be compared.
const ENOUGH: u64 = 3;

/// A map of mean errors.
pub(super) fn figure(frames: &SessionFrames) -> String {
    let places = &frames.places;
    let y = Axis { label: "y, px", from: places.height - 0.5, to: -0.5, is_log: false };
    let mut plot = Plot::new(Axis::linear("x, px", -0.5, places.width - 0.5), y);
    let compared = || {
        places
            .cells()
            .filter(|(.., sum)| sum.count >= ENOUGH)
            .filter_map(|(column, row, sum)| Some((column, row, sum.mean()?)))
    };
    let most = compared().map(|(.., mean)| mean).fold(0.0, f64::max);
    let (width, height) = (places.width / places.columns as f64, places.height / places.rows as f64);
    for (column, row, sum) in places.cells() {
        let Some(mean) = sum.mean() else { continue };
        let from = [column as f64 * width - 0.5, row as f64 * height - 0.5];
        let to = [from[0] + width, from[1] + height];
        let title = format!("{} px, {} frames", short(mean), sum.count);
        if sum.count < ENOUGH {
            plot.cell("few", from, to, 1.0, &title);
        } else {
            plot.cell("heat", from, to, 0.06 + 0.94 * mean / most.max(f64::MIN_POSITIVE), &title);
        }
    }
    plot.explain("heat", format!("mean error, up to {} px", short(most)));
    plot.explain("few", format!("fewer than {ENOUGH} frames"));
    let middle = |column: usize, row: usize| {
        [(column as f64 + 0.5) * width, (row as f64 + 0.5) * height].map(|at| whole(at as u64))
    };
    let worst = compared().max_by(|one, other| one.2.total_cmp(&other.2));
    let words = match (worst, frames.residual.mean()) {
        (Some((column, row, mean)), Some(all)) => {
            let [x, y] = middle(column, row);
            format!(
                "Largest around ({x}, {y}): {}\u{202f}px, {} times the mean of all frames.",
                short(mean),
                short(mean / all)
            )
        }
        _ => "Too few frames in each cell to compare them.".into(),
    };
    plot.figure("residual-image", "Error by place in the picture", &words)
}
