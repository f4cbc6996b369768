//! Selects the compiled code: the same source is compiled once for any machine and once for machines with AVX2.
//!
//! Neither version uses fused operations, and both add sums in the same order, so their results are identical to the
//! bit. There is no other version: none for AVX-512, none with FMA.

/// Whether to run the AVX2 code.
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

/// Compiles a function twice: for any machine, and for machines with AVX2.
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

/// Runs the portable code, even on a machine with AVX2.
#[cfg(test)]
pub(crate) mod testing {
    use std::cell::Cell;

    thread_local! {
        static IS_PLAIN: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn is_plain() -> bool {
        IS_PLAIN.get()
    }

    /// Returns the result of `run`, with the code for any machine on this thread.
    pub(crate) fn plainly<T>(run: impl FnOnce() -> T) -> T {
        IS_PLAIN.set(true);
        let found = run();
        IS_PLAIN.set(false);
        found
    }
}
