//! Images as numpy arrays.

#![allow(unsafe_code, reason = "arrays of numpy over pixels that Rust owns")]

use std::sync::Arc;

use numpy::{IntoPyArray, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use shared::image::{Image, ImageView};

/// Owns the pixels of an array that shows them without a copy.
#[pyclass(frozen)]
pub(crate) struct Pixels(Arc<Image>);

/// A read-only array of an image that may be shared. The pixels are not copied.
pub(crate) fn view(py: Python<'_>, image: Arc<Image>) -> PyResult<Bound<'_, PyAny>> {
    let owner = Bound::new(py, Pixels(image))?;
    let container = owner.clone().into_any();
    Ok(match &*owner.get().0 {
        // SAFETY: the array's base is the owner, which is frozen and never gives its pixels up, and nobody writes to an
        // image that is shared. The array is made read-only before anybody sees it.
        Image::Gray8(gray) => read_only(unsafe { PyArray2::borrow_from_array(gray, container) }),
        Image::Bgr8(bgr) => read_only(unsafe { PyArray3::borrow_from_array(bgr, container) }),
        Image::Gray16(gray) => read_only(unsafe { PyArray2::borrow_from_array(gray, container) }),
    })
}

/// A read-only array with a copy of an image.
pub(crate) fn copy<'py>(py: Python<'py>, image: ImageView<'_>) -> Bound<'py, PyAny> {
    match image {
        ImageView::Gray8(gray) => read_only(gray.to_owned().into_pyarray(py)),
        ImageView::Bgr8(bgr) => read_only(bgr.to_owned().into_pyarray(py)),
        ImageView::Gray16(gray) => read_only(gray.to_owned().into_pyarray(py)),
    }
}

/// A new array of an image.
pub(crate) fn array(py: Python<'_>, image: Image) -> Bound<'_, PyAny> {
    match image {
        Image::Gray8(gray) => gray.into_pyarray(py).into_any(),
        Image::Bgr8(bgr) => bgr.into_pyarray(py).into_any(),
        Image::Gray16(gray) => gray.into_pyarray(py).into_any(),
    }
}

fn read_only<'py, T: numpy::Element, D: ndarray::Dimension>(
    array: Bound<'py, numpy::PyArray<T, D>>,
) -> Bound<'py, PyAny> {
    array.readwrite().make_nonwriteable();
    array.into_any()
}

/// The image of an array. Pixels are copied, because another Python thread could change them while they are read; those
/// of our own frames, which never change, are not.
///
/// # Errors
/// `TypeError` names the array, and what would be right.
pub(crate) fn image(array: &Bound<'_, PyAny>) -> PyResult<Arc<Image>> {
    // Only the whole array of a frame has this base. The base of a slice is that array.
    if let Ok(pixels) = array.getattr("base").and_then(|base| Ok(base.cast_into::<Pixels>()?)) {
        return Ok(pixels.get().0.clone());
    }
    if let Ok(gray) = array.extract::<PyReadonlyArray2<'_, u8>>() {
        return Ok(Arc::new(Image::Gray8(gray.as_array().as_standard_layout().into_owned())));
    }
    if let Ok(bgr) = array.extract::<PyReadonlyArray3<'_, u8>>()
        && bgr.as_array().dim().2 == 3
    {
        return Ok(Arc::new(Image::Bgr8(bgr.as_array().as_standard_layout().into_owned())));
    }
    if let Ok(gray) = array.extract::<PyReadonlyArray2<'_, u16>>() {
        return Ok(Arc::new(Image::Gray16(gray.as_array().as_standard_layout().into_owned())));
    }
    let what = crate::answer::described(array);
    Err(PyTypeError::new_err(format!(
        "image is {what}: give an array of uint8, (height, width) or (height, width, 3), or of uint16, (height, width)"
    )))
}
