//! The programs' allocator, with counts of allocations and bytes.

#![allow(unsafe_code, reason = "an allocator")]

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mimalloc::MiMalloc;
use serde::{Deserialize, Serialize};

/// Counts allocations and bytes. The two additions take 4 ns per allocation; a frame takes some hundred allocations.
pub(crate) struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// Number and bytes of allocations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Allocations {
    /// Number of allocations.
    pub(crate) count: f64,
    /// Bytes allocated.
    pub(crate) bytes: f64,
}

/// The allocations of this process so far.
pub(crate) fn so_far() -> Allocations {
    Allocations { count: ALLOCATIONS.load(Relaxed) as f64, bytes: BYTES.load(Relaxed) as f64 }
}

impl Allocations {
    /// The allocations since `earlier`, per frame.
    pub(crate) fn since(self, earlier: Self, frames: u64) -> Self {
        let frames = frames.max(1) as f64;
        Self { count: (self.count - earlier.count) / frames, bytes: (self.bytes - earlier.bytes) / frames }
    }
}

fn count(bytes: usize) {
    ALLOCATIONS.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
}

// SAFETY: every call is passed on unchanged to the programs' allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { MiMalloc.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { MiMalloc.realloc(pointer, layout, size) }
    }
}
