//! Frames with their truth: a data set to train or test a detector.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use server::run::RunSpec;
use server::source::{NUMBERED_FRAMES, Numbered, Source, SourceError, SourceFrame, Supply};
use shared::image::Image;

use crate::evaluate::{settled, source_failed};
use crate::leaving;
use crate::pixels;
use crate::truth::Truth;

/// A frame and its truth.
type Item<'py> = (Bound<'py, PyAny>, Truth);

/// The frames of a run, with their truth. `plumb.frames` makes them.
#[pyclass(frozen, module = "plumb")]
pub(crate) struct Frames {
    /// The options, with the seed, for other processes.
    options: Py<PyDict>,
    spec: RunSpec,
    supply: Arc<dyn Supply>,
    /// Absent where frames come in sequence only.
    numbered: Option<Mutex<Box<dyn Numbered>>>,
}

#[pymethods]
impl Frames {
    #[new]
    fn new(options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let (spec, supply) = settled(options)?;
        if spec.sent.duration.is_some() {
            return Err(PyValueError::new_err("duration: these frames are not timed; give their number, frames"));
        }
        let options = options.copy()?;
        options.set_item("seed", spec.sent.seed)?;
        let numbered = supply.numbered().map_err(|wrong| source_failed(&wrong))?.map(Mutex::new);
        Ok(Self { options: options.unbind(), spec, supply, numbered })
    }

    /// Seed of everything random.
    #[getter]
    fn seed(&self) -> u64 {
        self.spec.sent.seed.unwrap_or_default()
    }

    /// Height and width, with 3 for colour.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let format = self.supply.format();
        let (rows, columns) = (format.size.height, format.size.width);
        match format.pixel.channels() {
            1 => (rows, columns).into_pyobject(py),
            channels => (rows, columns, channels).into_pyobject(py),
        }
    }

    fn __len__(&self) -> PyResult<usize> {
        let Some(frames) = self.spec.sent.frames.filter(|_| self.numbered.is_some()) else {
            let why = if self.numbered.is_some() { "there is no end: give frames" } else { IN_SEQUENCE };
            return Err(PyTypeError::new_err(format!("the number of frames is not known: {why}")));
        };
        Ok(usize::try_from(frames.get())?)
    }

    fn __bool__(&self) -> bool {
        true
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: &Bound<'py, PyAny>) -> PyResult<Item<'py>> {
        let Some(numbered) = &self.numbered else { return Err(PyTypeError::new_err(IN_SEQUENCE)) };
        let index = self.place(index)?;
        let rendered = leaving::detached(py, || {
            // A frame does not depend on earlier frames, so a panic in one of them does no harm.
            let mut source = numbered.lock().unwrap_or_else(PoisonError::into_inner);
            Rendered::of(source.at(index))
        })?;
        Ok(rendered.into_item(py))
    }

    fn __iter__(&self) -> PyResult<FrameIterator> {
        let source = self.supply.open().map_err(|wrong| source_failed(&wrong))?;
        Ok(FrameIterator(Mutex::new(Played { source, left: self.spec.sent.frames.map(Into::into) })))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("plumb.frames(**{})", self.options.bind(py).repr()?))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyAny>, (Py<PyDict>,)) {
        (py.get_type::<Self>().into_any(), (self.options.clone_ref(py),))
    }
}

/// Number of frames that have an index. Playing the ball takes about 11 ns per frame, so the last
/// one takes a second.
const ENDLESS: i128 = NUMBERED_FRAMES as i128;

/// Why frames have no index.
const IN_SEQUENCE: &str = "the frames of this source come in sequence: iterate over them";

impl Frames {
    /// The index of a frame, which counts from the end if it is negative.
    fn place(&self, index: &Bound<'_, PyAny>) -> PyResult<u64> {
        let number = match index.extract::<i128>() {
            Err(wrong) if wrong.is_instance_of::<PyOverflowError>(index.py()) => return Err(self.not_there(index)),
            read => read?,
        };
        let frames = self.spec.sent.frames.map(|frames| i128::from(frames.get()));
        let from_start = if number < 0 { number + frames.unwrap_or(0) } else { number };
        // The index is limited, so that playing the ball up to it does not take minutes.
        let is_there = from_start < frames.unwrap_or(ENDLESS).min(ENDLESS);
        u64::try_from(from_start).ok().filter(|_| is_there).ok_or_else(|| self.not_there(index))
    }

    fn not_there(&self, index: &Bound<'_, PyAny>) -> PyErr {
        let those =
            self.spec.sent.frames.map_or(format!("they count from 0 to {}", ENDLESS - 1), |frames| {
                match frames.get() {
                    1 => "there is 1 frame".to_owned(),
                    frames if i128::from(frames) > ENDLESS => {
                        format!(
                            "only the first {ENDLESS} of the {frames} frames have an index; iterate over the others"
                        )
                    }
                    frames => format!("there are {frames} frames"),
                }
            });
        PyIndexError::new_err(format!("frame {index} is not there: {those}"))
    }
}

/// Plays frames in sequence.
#[pyclass(frozen, module = "plumb")]
pub(crate) struct FrameIterator(Mutex<Played>);

struct Played {
    source: Box<dyn Source>,
    /// Number of frames left; unlimited when absent.
    left: Option<u64>,
}

#[pymethods]
impl FrameIterator {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Item<'py>>> {
        let rendered = leaving::detached(py, || self.0.lock().unwrap_or_else(PoisonError::into_inner).next())?;
        Ok(rendered.map_err(|wrong| source_failed(&wrong))?.map(|rendered| rendered.into_item(py)))
    }
}

impl Played {
    fn next(&mut self) -> Result<Option<Rendered>, SourceError> {
        if self.left == Some(0) {
            return Ok(None);
        }
        let rendered = self.source.next()?.map(Rendered::of);
        self.left = self.left.map(|left| if rendered.is_some() { left - 1 } else { 0 });
        Ok(rendered)
    }
}

/// A frame with pixels of its own.
struct Rendered {
    image: Image,
    truth: Truth,
}

impl Rendered {
    fn of(frame: SourceFrame<'_>) -> Self {
        Self { image: frame.image.clone(), truth: frame.truth.into() }
    }

    fn into_item(self, py: Python<'_>) -> Item<'_> {
        (pixels::array(py, self.image), self.truth)
    }
}
