//! Which code runs: the same source compiled for any machine, and once more for those with AVX2.
//!
//! Neither has fused operations, and sums are added in the same order, so both give the same numbers to the bit. There is
//! no other path: none for AVX-512, none with FMA.

/// Whether to take the code for AVX2.
#[inline]
pub(crate) fn has_avx2() -> bool {
    #[cfg(test)]
    if testing::is_plain() {
        return false;
    }
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Compiles a function for any machine and for those with AVX2.
macro_rules! for_two_machines {
    ($(#[$about:meta])* $visible:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$about])*
        $visible fn $name($($argument: $type),*) {
            #[inline(always)]
            fn any($($argument: $type),*) $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2($($argument: $type),*) {
                    any($($argument),*);
                }
                if $crate::pipeline::hough::machine::has_avx2() {
                    // SAFETY: the machine has AVX2.
                    return unsafe { avx2($($argument),*) };
                }
            }
            any($($argument),*);
        }
    };
}

pub(crate) use for_two_machines;

/// The code for any machine, on a machine that has better.
#[cfg(test)]
pub(crate) mod testing {
    use std::cell::Cell;

    thread_local! {
        static IS_PLAIN: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn is_plain() -> bool {
        IS_PLAIN.get()
    }

    /// What `run` gives when this thread takes the code for any machine.
    pub(crate) fn plainly<T>(run: impl FnOnce() -> T) -> T {
        IS_PLAIN.set(true);
        let found = run();
        IS_PLAIN.set(false);
        found
    }
}
