//! Holm's correction for multiple comparisons.
//!
//! Each figure that is compared may cause a false alarm. Holm's method (S. Holm, Scand. J. Statist. 6, 1979) keeps the
//! probability of any false alarm at 5 %. It compares the smallest p-value with 5 % divided by the number of figures,
//! the next one with 5 % divided by the number of those that are left, and so on. Weights give the main figures of a
//! task most of the 5 %. A figure is left out if no outcome could have shown a difference (R. E. Tarone, Biometrics 46,
//! 1990).

/// The p-value of each hypothesis, corrected for all others. Hypotheses with weight 0 are left out and get 1.
pub(super) fn corrected(hypotheses: &[(f64, f64)]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..hypotheses.len()).filter(|&place| hypotheses[place].1 > 0.0).collect();
    let relative = |place: usize| hypotheses[place].0 / hypotheses[place].1;
    order.sort_by(|&a, &b| relative(a).total_cmp(&relative(b)));
    let mut left: f64 = order.iter().map(|&place| hypotheses[place].1).sum();
    let mut corrected = vec![1.0; hypotheses.len()];
    let mut largest = 0.0_f64;
    for place in order {
        // Corrected p-values keep the order of the uncorrected ones.
        largest = largest.max((relative(place) * left).min(1.0));
        corrected[place] = largest;
        left -= hypotheses[place].1;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_near(found: &[f64], expected: &[f64]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}, not {expected:?}");
    }

    #[test]
    fn equal_weights_give_the_textbooks_numbers() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
        let p = [0.01, 0.04, 0.03, 0.005].map(|p| (p, 1.0));
        assert_near(&corrected(&p), &[0.03, 0.06, 0.06, 0.02]);
    }

    #[test]
    fn a_figure_with_most_of_the_weight_is_hardly_corrected() {
        assert_near(&corrected(&[(0.04, 0.8), (0.5, 0.1), (0.6, 0.1)]), &[0.05, 1.0, 1.0]);
        assert_near(&corrected(&[(0.04, 1.0), (0.0, 0.0)]), &[0.04, 1.0]);
        assert_eq!(corrected(&[]), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn correction_never_lowers_a_p_and_one_hypothesis_needs_none(
            hypotheses in prop::collection::vec((0.0..=1.0_f64, 0.01..1.0_f64), 1..20),
        ) {
            let found = corrected(&hypotheses);
            for ((p, _), corrected) in hypotheses.iter().zip(&found) {
                prop_assert!(*corrected >= p.min(1.0) - 1e-12 && *corrected <= 1.0);
            }
            prop_assert!((corrected(&hypotheses[..1])[0] - hypotheses[0].0).abs() < 1e-12);
        }
    }
}
