//! Memory that is reused from frame to frame, so that a camera with effects allocates nothing once it is warm.
//!
//! Each frame needs many planes of light, which are dropped when the frame is done. A [`Recycled`] list reuses the
//! memory of a list dropped earlier. It takes that memory from the camera's [`Spare`], which the camera lends while it
//! takes a picture. Without memory the picture ends (see [`shared::memory`]).

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use shared::memory::reserve_or_end;

thread_local! {
    /// Spare memory of the camera that is taking a picture on this thread.
    static LENT: RefCell<Option<Spare>> = const { RefCell::new(None) };
}

/// Memory that is not in use.
#[derive(Debug, Default)]
pub(super) struct Spare {
    light: Vec<Vec<f32>>,
    areas: Vec<Vec<f64>>,
    counts: Vec<Vec<i32>>,
    places: Vec<Vec<(f64, f64)>>,
    bytes: Vec<Vec<u8>>,
}

impl Clone for Spare {
    /// Starts empty: a cloned camera collects its own memory.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Spare {
    /// Lends the memory to all lists that are made while `work` runs.
    pub(super) fn during<R>(&mut self, work: impl FnOnce() -> R) -> R {
        LENT.set(Some(std::mem::take(self)));
        let result = work();
        *self = LENT.take().unwrap_or_default();
        result
    }
}

/// A type of entry in a [`Recycled`] list.
pub(super) trait Entry: Sized {
    /// The spare lists of this type.
    fn of(spare: &mut Spare) -> &mut Vec<Vec<Self>>;
}

macro_rules! entry {
    ($kind:ty, $field:ident) => {
        impl Entry for $kind {
            fn of(spare: &mut Spare) -> &mut Vec<Vec<Self>> {
                &mut spare.$field
            }
        }
    };
}

entry!(f32, light);
entry!(f64, areas);
entry!(i32, counts);
entry!((f64, f64), places);
entry!(u8, bytes);

/// A list whose memory goes to a later list when it is dropped.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Recycled<T: Entry>(Vec<T>);

impl<T: Entry> Recycled<T> {
    /// An empty list with room for at least `least` entries.
    pub(super) fn with_capacity(least: usize) -> Self {
        let spare = LENT.with_borrow_mut(|lent| lent.as_mut().and_then(|spare| fitting(T::of(spare), least)));
        let mut list = spare.unwrap_or_default();
        list.clear();
        if list.capacity() < least {
            // With some extra room, because the ball's region changes in size as the ball moves.
            reserve_or_end(&mut list, least + least / 8, "the light of a frame");
        }
        Self(list)
    }

    /// A list of `length` entries with the same value.
    pub(super) fn filled(length: usize, value: T) -> Self
    where
        T: Clone,
    {
        let mut list = Self::with_capacity(length);
        list.0.resize(length, value);
        list
    }
}

/// Takes the smallest spare list with room for `least` entries, or else the largest.
fn fitting<T>(spare: &mut Vec<Vec<T>>, least: usize) -> Option<Vec<T>> {
    let fits = (0..spare.len()).filter(|&place| spare[place].capacity() >= least);
    let place = fits
        .min_by_key(|&place| spare[place].capacity())
        .or_else(|| (0..spare.len()).max_by_key(|&place| spare[place].capacity()))?;
    Some(spare.swap_remove(place))
}

impl<T: Entry> Drop for Recycled<T> {
    fn drop(&mut self) {
        let list = std::mem::take(&mut self.0);
        if list.capacity() > 0 {
            // If the thread is ending or no picture is being taken, the memory goes back to the system.
            let _ = LENT.try_with(|lent| {
                if let Some(spare) = lent.borrow_mut().as_mut() {
                    T::of(spare).push(list);
                }
            });
        }
    }
}

impl<T: Entry + Clone> Clone for Recycled<T> {
    fn clone(&self) -> Self {
        self.iter().cloned().collect()
    }
}

impl<T: Entry> FromIterator<T> for Recycled<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut list = Self::with_capacity(entries.size_hint().0);
        list.0.extend(entries);
        list
    }
}

impl<T: Entry> Deref for Recycled<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Entry> DerefMut for Recycled<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_goes_from_one_list_to_the_next_only_while_it_is_lent() {
        let mut spare = Spare::default();
        let place = spare.during(|| Recycled::filled(100, 1.0f32).as_ptr());
        let again = spare.during(|| {
            let list = Recycled::<f32>::with_capacity(100);
            assert!(list.is_empty());
            list.as_ptr()
        });
        assert_eq!(again, place);
        assert_eq!(spare.light.len(), 1);
        drop(Recycled::filled(100, 1.0f32));
        assert_eq!(spare.light.len(), 1, "without a loan the memory goes back to the system");
    }

    #[test]
    fn the_smallest_list_that_fits_is_taken_or_else_the_largest() {
        let mut spare = vec![Vec::<i32>::with_capacity(10), Vec::with_capacity(30), Vec::with_capacity(20)];
        assert_eq!(fitting(&mut spare, 15).map(|list| list.capacity()), Some(20));
        assert_eq!(fitting(&mut spare, 100).map(|list| list.capacity()), Some(30));
        assert_eq!(fitting(&mut spare, 0).map(|list| list.capacity()), Some(10));
        assert_eq!(fitting(&mut spare, 0), None);
    }
}
