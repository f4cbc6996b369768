//! The server's window: a frame with truth and estimate, and how well the client does.

use std::sync::Arc;

use shared::canvas::face::Face;
use shared::canvas::history::History;
use shared::canvas::mark::Legend;
use shared::canvas::pairing::Pairing;
use shared::geometry::Size;
use shared::image::Image;
use shared::shell::window::{Board, Subject};

use crate::view::sections::{Figures, Frame, sections};
use crate::view::watched::Watched;

/// The sessions' side of the window.
#[derive(Clone, Debug)]
pub struct WindowView {
    board: Board<Sessions>,
}

/// What the window shows of the sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    frame: Size,
    waiting: String,
    watched: Watched<Session>,
}

/// What there is to show of one session.
#[derive(Clone, Debug, Default)]
struct Session {
    frames: Pairing<Arc<Image>, Frame>,
    figures: Figures,
    errors_px: History,
}

impl WindowView {
    /// A window for frames of this size that says `waiting` while there is no client.
    pub fn new(frame: Size, waiting: String) -> Self {
        Self { board: Board::new(Sessions { frame, waiting, watched: Watched::default() }) }
    }

    /// What the window shows.
    pub fn board(&self) -> &Board<Sessions> {
        &self.board
    }

    /// Says something else while there is no client.
    pub fn set_waiting(&self, waiting: String) {
        self.board.write(|sessions| sessions.waiting = waiting);
    }

    /// A session has begun.
    pub fn begin(&self, session: u64) {
        self.board.write(|sessions| sessions.watched.begin(session));
    }

    /// A session is over.
    pub fn end(&self, session: u64) {
        self.board.write(|sessions| sessions.watched.end(session));
    }

    /// Whether the window shows this session: what it is told of others it forgets at once.
    pub fn shows(&self, session: u64) -> bool {
        self.board.write(|sessions| sessions.watched.shows(session))
    }

    /// The picture of a frame that was sent. It is shown once the frame's score is final.
    pub fn picture(&self, session: u64, id: u64, image: Arc<Image>) {
        self.board.write(|sessions| {
            if let Some(session) = sessions.watched.of(session) {
                session.frames.picture(id, image);
            }
        });
    }

    /// A frame whose score is final, and the session's figures with it.
    pub fn frame(&self, session: u64, frame: Frame, figures: Figures) {
        self.board.write(|sessions| {
            if let Some(session) = sessions.watched.of(session) {
                session.figures = figures;
                session.errors_px.push(frame.error_px);
                session.frames.scored(frame.id, frame);
            }
        });
    }
}

impl Subject for Sessions {
    fn face(&self) -> Face {
        let Session { frames, figures, errors_px } = self.watched.shown();
        let (image, frame) = frames.last().map(|(image, frame)| (image.clone(), frame)).unzip();
        Face {
            title: "Plumb server",
            status: self.watched.status(&self.waiting),
            frame: self.frame,
            image,
            marks: frame.map_or_else(Vec::new, Frame::marks),
            legend: Legend::Both,
            sections: sections(frame, figures, errors_px),
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::canvas::mark::Mark;
    use shared::geometry::Circle;
    use shared::image::PixelFormat;

    use super::*;

    const SIZE: Size = Size { width: 4, height: 3 };

    fn image() -> Arc<Image> {
        Arc::new(Image::zeros(SIZE, PixelFormat::Gray8))
    }

    fn scored(id: u64) -> Frame {
        let truth = Circle { x: id as f64, y: 1.0, radius: 1.0 };
        Frame { id, truth: Some(truth), ..Frame::default() }
    }

    #[test]
    fn a_picture_stands_with_its_own_truth_and_is_handed_over_without_a_copy() {
        let view = WindowView::new(SIZE, "waiting".into());
        view.begin(1);
        let pictures = [image(), image()];
        for (id, picture) in (0..).zip(&pictures) {
            view.picture(1, id, picture.clone());
        }
        assert!(view.board().face().image.is_none(), "no score is final yet");
        for (id, picture) in (0..).zip(&pictures) {
            view.frame(1, scored(id), Figures::default());
            let face = view.board().face();
            assert!(face.image.is_some_and(|image| Arc::ptr_eq(&image, picture)));
            assert_eq!(face.marks, [Mark::Truth(Circle { x: id as f64, y: 1.0, radius: 1.0 })]);
        }
    }

    #[test]
    fn frames_of_other_sessions_are_not_kept() {
        let view = WindowView::new(SIZE, "waiting".into());
        view.begin(1);
        view.begin(2);
        let picture = image();
        view.picture(2, 0, picture.clone());
        view.frame(2, scored(0), Figures::default());
        assert_eq!(Arc::strong_count(&picture), 1);
        let face = view.board().face();
        assert_eq!((face.status.text.as_str(), face.marks.len()), ("session 1 of 2 at a time", 0));
    }
}
