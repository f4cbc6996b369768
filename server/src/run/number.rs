//! Numbers of a TOML file, in every form that TOML has: `1_000`, `0xff`, `0o17`, `0b11`, `2.5e3`.

use toml::de::{DeInteger, DeValue};

/// The whole number of a value. `None` if it is something else, or needs more than 128 bits.
pub(crate) fn whole(value: &DeValue<'_>) -> Option<i128> {
    match value {
        DeValue::Integer(whole) => of_integer(whole),
        _ => None,
    }
}

/// The finite number of a value. `None` if it is something else.
pub(crate) fn real(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => whole(value).map(|whole| whole as f64),
    };
    number.filter(|number: &f64| number.is_finite())
}

/// A whole number. `None` if it needs more than 128 bits.
pub(super) fn of_integer(whole: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(whole.as_str(), whole.radix()).ok()
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;

    #[test]
    fn a_number_has_the_same_value_in_every_form_of_toml() {
        let text = "a = [16, 0x10, 0o20, 0b1_0000, +16, 1_6]\nb = [16.0, 1.6e1, 1_6.0]\nc = [nan, inf, \"16\", true]\n";
        let table = DeTable::parse(text).unwrap().into_inner();
        let of = |key: &str| table.get(key).unwrap().get_ref().as_array().unwrap();
        let wholes: Vec<_> = of("a").iter().map(|value| (whole(value.get_ref()), real(value.get_ref()))).collect();
        assert_eq!(wholes, [(Some(16), Some(16.0)); 6]);
        let reals: Vec<_> = of("b").iter().map(|value| (whole(value.get_ref()), real(value.get_ref()))).collect();
        assert_eq!(reals, [(None, Some(16.0)); 3]);
        assert!(of("c").iter().all(|value| whole(value.get_ref()).is_none() && real(value.get_ref()).is_none()));
    }
}
