//! Runs work while a window shows its progress, or with rows.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use tracing::{error, warn};

use super::board::{Board, Subject};
use super::controls::Controls;
use super::painter::Painter;
use super::screen::{self, Wish};
use crate::shell::exit::Exit;
use crate::shell::keys::Keys;
use crate::shell::log;
use crate::shell::rows::Rows;
use crate::shell::stop::Stopper;

/// Where the progress of the work is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the board, which the window shows.
    Window,
    /// In rows on the terminal.
    Rows,
}

/// Runs `work`, writes the rows that wait, and returns how the program ends. The argument of `work` says where people see
/// its progress.
///
/// `board` is what a window would show; without it no window opens. If the window cannot open, one line says why. The
/// stopper of `controls` ends the work when the person closes the window, presses `q` or Esc in it or presses `q` in a
/// terminal that shows `rows`, and on signals. Other keys go where `controls` says. If the display dies, the work goes on
/// without a window.
pub fn beside_window_or_rows<S: Subject>(
    board: Option<&Board<S>>,
    rows: &Rows,
    controls: &Controls<'_>,
    work: impl FnOnce(Place) -> Exit + Send,
) -> Exit {
    let stopper = controls.stopper;
    let painter = board.and_then(|board| open(board, controls));
    // Signals are handled only from here on, because a display may take minutes to answer. This comes before the
    // terminal's modes change, so that no signal ends the program and leaves them changed.
    stopper.stop_on_signals();
    let exit = if let Some(painter) = painter {
        beside(painter, rows, stopper, || work(Place::Window))
    } else {
        let _keys = controls.takes_terminal.then(|| Keys::watch(rows.target(), stopper));
        work(Place::Rows)
    };
    finished(exit, rows, stopper)
}

/// Writes the rows that wait. Rows that could not be written count in how the program ends.
fn finished(exit: Exit, rows: &Rows, stopper: &Stopper) -> Exit {
    match rows.finish(|| stopper.is_stopped()) {
        Ok(()) => exit,
        Err(lost) => {
            error!("{lost}");
            Exit::of([exit, Exit::Other])
        }
    }
}

fn open<S: Subject>(board: &Board<S>, controls: &Controls<'_>) -> Option<Painter<S>> {
    Painter::open(board.clone(), controls.on_key.clone())
        .inspect_err(|reason| warn!("{reason}: rows instead of a window (--no-graphics asks for them)"))
        .ok()
}

/// Runs `work` on a separate thread while this thread paints, as window systems require.
fn beside<S: Subject>(
    mut painter: Painter<S>,
    rows: &Rows,
    stopper: &Stopper,
    work: impl FnOnce() -> Exit + Send,
) -> Exit {
    let (ending, end) = mpsc::channel();
    let (end, left) = (Mutex::new(end), (rows.clone(), stopper.clone()));
    screen::when_the_display_dies(move || {
        warn!("the display is gone: the run goes on without a window");
        // Work that panicked has sent nothing.
        let exit = end.lock().unwrap_or_else(PoisonError::into_inner).recv().unwrap_or(Exit::Other);
        let exit = finished(exit, &left.0, &left.1);
        log::finish();
        exit
    });
    thread::scope(|scope| {
        let work = scope.spawn(move || {
            let exit = work();
            // Nobody waits for it unless the display has died.
            let _ = ending.send(exit);
            exit
        });
        while !work.is_finished() {
            if painter.paint() == Wish::Leave {
                stopper.stop();
                break;
            }
        }
        // Close the window before waiting for the work to end.
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
    fn without_a_window_the_work_is_told_to_write_rows_and_its_result_is_returned() {
        let (stopper, _stop) = stop_pair();
        let rows = Rows::to(std::io::sink());
        let exit = beside_window_or_rows(None::<&Board<Nothing>>, &rows, &Controls::of(&stopper), |place| {
            assert_eq!(place, Place::Rows);
            rows.row("one".into());
            Exit::NoPeer
        });
        assert_eq!(exit, Exit::NoPeer);
    }
}
