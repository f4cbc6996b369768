//! An allocator that counts. Tests use it to check that warm code allocates nothing, or that memory is bounded.
//!
//! A test installs it with `#[global_allocator] static COUNTING: Counting = Counting;`.

#![allow(unsafe_code, reason = "an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// Counts allocations and passes them on to the system's allocator.
pub struct Counting;

/// Allocations of the whole process so far.
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// Bytes that the whole process holds now.
static HELD_BY_PROCESS: AtomicI64 = AtomicI64::new(0);

/// Maximum number of bytes that the whole process has held.
static PEAK_OF_PROCESS: AtomicI64 = AtomicI64::new(0);

thread_local! {
    /// Allocations of this thread so far.
    static OF_THREAD: Cell<u64> = const { Cell::new(0) };
    /// Bytes that this thread holds now.
    static HELD: Cell<i64> = const { Cell::new(0) };
    /// Maximum number of bytes that this thread has held.
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// Counts the allocations of the whole process while `run` runs. This includes the worker threads.
pub fn allocations_of_process(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    run();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

/// Counts the allocations of this thread while `run` runs.
pub fn allocations(run: impl FnOnce()) -> u64 {
    let before = OF_THREAD.get();
    run();
    OF_THREAD.get() - before
}

/// Measures the most bytes that this thread holds at once while `run` runs, beyond those held before.
pub fn most_bytes(run: impl FnOnce()) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    run();
    usize::try_from(PEAK.get() - before).expect("no less than before")
}

/// Measures the most bytes that the whole process holds at once while `run` runs, beyond those held before.
pub fn most_bytes_of_process(run: impl FnOnce()) -> usize {
    let before = HELD_BY_PROCESS.load(Ordering::Relaxed);
    PEAK_OF_PROCESS.store(before, Ordering::Relaxed);
    run();
    usize::try_from(PEAK_OF_PROCESS.load(Ordering::Relaxed) - before).expect("no less than before")
}

fn count_allocation() {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    // A thread that is ending no longer counts.
    let _ = OF_THREAD.try_with(|allocations| allocations.set(allocations.get() + 1));
}

fn count_bytes(bytes: i64) {
    let held = HELD_BY_PROCESS.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK_OF_PROCESS.fetch_max(held, Ordering::Relaxed);
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

fn count(bytes: usize) {
    count_allocation();
    count_bytes(bytes as i64);
}

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count_bytes(-(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_allocation();
        count_bytes(size as i64 - layout.size() as i64);
        unsafe { System.realloc(pointer, layout, size) }
    }
}
