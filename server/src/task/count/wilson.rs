//! The confidence interval of a share.

/// The 97.5th percentile of the standard normal distribution: 95 % lie within it on both sides.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % confidence interval of a share, estimated by `hits` out of `all` frames: the Wilson score interval (E. B.
/// Wilson, J. Am. Stat. Assoc. 22, 1927, p. 209). Unlike the normal approximation, it is right for shares near 0 and 1
/// and for few frames (Brown, Cai and DasGupta, Statistical Science 16, 2001, p. 101). `None` without a frame.
pub(super) fn interval(hits: u64, all: u64) -> Option<[f64; 2]> {
    if all == 0 {
        return None;
    }
    let (n, share) = (all as f64, hits as f64 / all as f64);
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    // At shares of 0 and 1, one end is the share itself, apart from rounding.
    Some([((middle - half) / scale).clamp(0.0, share), ((middle + half) / scale).clamp(share, 1.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_interval(hits: u64, all: u64, expected: [f64; 2]) {
        let found = interval(hits, all).expect("frames");
        let off = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max);
        assert!(off < 5e-5, "{hits} of {all}: {found:?}, not {expected:?}");
    }

    // From R: prop.test(x, n, correct = FALSE)$conf.int, rounded to four digits.
    #[test]
    fn intervals_equal_those_of_the_language_r() {
        assert_interval(8, 10, [0.4902, 0.9433]);
        assert_interval(0, 10, [0.0, 0.2775]);
        assert_interval(10, 10, [0.7225, 1.0]);
        assert_interval(81, 263, [0.2553, 0.3662]);
        assert_interval(15, 148, [0.0624, 0.1605]);
    }

    #[test]
    fn without_frames_there_is_no_interval() {
        assert_eq!(interval(0, 0), None);
    }
}
