//! What the work and the painter share.

use std::sync::{Arc, Mutex, PoisonError};

use crate::canvas::face::Face;

/// What a window is about: plain figures, and handles on pictures, so that a copy costs microseconds.
pub trait Subject: Clone + Send {
    /// All that the window shows of it.
    ///
    /// Asked of a copy, on the painter's thread: what takes long, say decoding a picture, holds nobody up.
    fn face(&self) -> Face;
}

/// A subject that the work writes to while the painter looks at it; cheap to clone.
#[derive(Debug)]
pub struct Board<S>(Arc<Mutex<S>>);

impl<S> Board<S> {
    /// A board with a subject as it is before the work begins.
    pub fn new(subject: S) -> Self {
        Self(Arc::new(Mutex::new(subject)))
    }

    /// Changes the subject. `change` must not take long: the painter waits for it, and so do other writers.
    pub fn write<T>(&self, change: impl FnOnce(&mut S) -> T) -> T {
        // A subject is plain figures: one whose writer has panicked can still be shown.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subject> Board<S> {
    /// The face of the subject as it is now.
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

    /// Says its number, and makes whoever asks for its face wait.
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
            Face { title: "", status, frame, image: None, marks: vec![], legend: Legend::Nothing, sections: vec![] }
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
