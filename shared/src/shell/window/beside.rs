//! Work with a window beside it, or with rows.

use std::thread;

use tracing::warn;

use super::board::{Board, Subject};
use super::painter::Painter;
use super::screen::Wish;
use crate::shell::keys::Keys;
use crate::shell::rows::Rows;
use crate::shell::stop::Stopper;

/// Where people see what the work does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the board, which a window shows.
    Window,
    /// In rows on the terminal.
    Rows,
}

/// Runs `work`, which is told where people see it, and returns its result. Rows may still wait to be written.
///
/// `board` is what a window shall show: it opens if there can be one, else a line says why not. When the person closes
/// the window or presses `q` or Esc in it, or `q` in a terminal that shows `rows`, `stopper` tells the work to end; so it
/// does on signals.
pub fn beside_window_or_rows<S: Subject, T: Send>(
    board: Option<&Board<S>>,
    rows: &Rows,
    stopper: &Stopper,
    work: impl FnOnce(Place) -> T + Send,
) -> T {
    let painter = board.and_then(open);
    // Not before, as a display may take minutes to answer; and before the terminal gives its keys, as no signal may end
    // the program with a terminal left like that.
    stopper.stop_on_signals();
    if let Some(painter) = painter {
        return beside(painter, stopper, || work(Place::Window));
    }
    let _keys = Keys::watch(rows.target(), stopper);
    work(Place::Rows)
}

fn open<S: Subject>(board: &Board<S>) -> Option<Painter<S>> {
    Painter::open(board.clone())
        .inspect_err(|reason| warn!("{reason}: rows instead of a window (--no-graphics asks for them)"))
        .ok()
}

/// Runs `work` on a thread of its own while this one paints, as window systems want it.
fn beside<S: Subject, T: Send>(mut painter: Painter<S>, stopper: &Stopper, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let work = scope.spawn(work);
        while !work.is_finished() {
            if painter.paint() == Wish::Leave {
                stopper.stop();
                break;
            }
        }
        // The window closes before the work has ended.
        drop(painter);
        work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::face::Face;
    use crate::shell::stop::stop_pair;

    #[derive(Clone)]
    struct Nothing;

    impl Subject for Nothing {
        fn face(&self) -> Face {
            unreachable!("no window is wanted")
        }
    }

    #[test]
    fn work_without_a_window_is_told_to_write_rows_and_its_result_comes_back() {
        let (stopper, _stop) = stop_pair();
        let rows = Rows::to(std::io::sink());
        let place = beside_window_or_rows(None::<&Board<Nothing>>, &rows, &stopper, |place| {
            rows.row("one".into());
            place
        });
        assert_eq!(place, Place::Rows);
    }
}
