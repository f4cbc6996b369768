//! State shared by the work and the painter.

use std::sync::{Arc, Mutex, PoisonError};

use crate::canvas::face::Face;

/// The subject of a window: plain figures, and handles to pictures, so that a copy takes microseconds.
pub trait Subject: Clone + Send {
    /// Everything the window shows of the subject.
    ///
    /// Called on a copy, on the painter's thread, so a slow step, such as decoding a picture, holds nothing up.
    fn face(&self) -> Face;
}

/// A subject that the work writes and the painter reads; cheap to clone.
#[derive(Debug)]
pub struct Board<S>(Arc<Mutex<S>>);

impl<S> Board<S> {
    /// A board with the subject's state before the work begins.
    pub fn new(subject: S) -> Self {
        Self(Arc::new(Mutex::new(subject)))
    }

    /// Changes the subject. `change` must be quick: the painter and other writers wait for it.
    pub fn write<T>(&self, change: impl FnOnce(&mut S) -> T) -> T {
        // A subject is plain figures, so it can be shown even if its writer panicked.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subject> Board<S> {
    /// The face of the subject's current state.
    pub fn face(&self) -> Face {
        let copy = self.write(|subject| subject.clone());
        copy.face()
    }
}

impl<S> Clone for Board<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::canvas::header::Status;
    use crate::canvas::mark::Legend;
    use crate::canvas::theme::Tone;
    use crate::geometry::Size;

    /// Shows its number, and blocks each caller that asks for its face.
    #[derive(Clone)]
    struct Slow {
        number: u32,
        asked: mpsc::SyncSender<()>,
        go_on: Arc<Mutex<mpsc::Receiver<()>>>,
    }

    impl Subject for Slow {
        fn face(&self) -> Face {
            self.asked.send(()).unwrap();
            self.go_on.lock().unwrap().recv().unwrap();
            let status = Status::new(self.number.to_string(), Tone::Plain);
            let frame = Size { width: 4, height: 4 };
            let look = Default::default();
            Face {
                title: "",
                status,
                frame,
                image: None,
                look,
                marks: vec![],
                legend: Legend::Nothing,
                sections: vec![],
            }
        }
    }

    #[test]
    fn writing_does_not_wait_for_the_painter_and_a_face_is_of_one_moment() {
        let ((asked, is_asked), (go, go_on)) = (mpsc::sync_channel(1), mpsc::sync_channel(1));
        let board = Board::new(Slow { number: 1, asked, go_on: Arc::new(Mutex::new(go_on)) });
        thread::scope(|scope| {
            let face = scope.spawn(|| board.face());
            is_asked.recv().unwrap();
            board.write(|subject| subject.number = 2);
            go.send(()).unwrap();
            assert_eq!(face.join().unwrap().status.text, "1");
        });
        assert_eq!(board.write(|subject| subject.number), 2);
    }
}
