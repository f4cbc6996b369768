//! The table that `server calibrate` prints.

use shared::text::Escaped;

use super::result::{Calibration, Parameter, Residuals, Verified};
use crate::columns::table;

/// Correlations above this are listed.
const STRONG: f64 = 0.9;

/// Most correlations that are listed; `--json` has all.
const MOST_LISTED: usize = 8;

/// The whole text, with a line break at its end.
pub(super) fn text(found: &Calibration) -> String {
    let mut lines = vec![head(found)];
    lines.extend(found.notes.iter().map(|note| format!("note: {}", Escaped(note))));
    lines.push(String::new());
    lines.extend(table(&parameters(found)));
    lines.extend(
        found.cannot_tell.iter().map(|one| format!("not determined: {}: {}", one.parameters.join(", "), one.why)),
    );
    lines.extend(correlated(found));
    lines.push(String::new());
    lines.extend(table(&residuals(found)));
    lines.extend(verdict(found));
    if !found.by_radius.is_empty() {
        lines.extend([String::new(), "by distance from the centre".into()]);
        lines.extend(table(&rings(found)));
    }
    if !found.candidates.is_empty() {
        lines.extend([String::new(), "models by BIC, above the best (Schwarz 1978)".into()]);
        lines.extend(table(&candidates(found)));
    }
    lines.join("\n") + "\n"
}

fn head(found: &Calibration) -> String {
    let lens = found.distortion.as_ref().map_or_else(String::new, |kind| format!(", {kind}"));
    let given = found.given.map_or_else(String::new, |[f, _, x, y]| format!(" at f {f} px and centre ({x}, {y})"));
    let outliers = match found.outliers {
        0 => String::new(),
        1 => ", 1 outlier left out".into(),
        many => format!(", {many} outliers left out"),
    };
    format!("{}{lens}{given}: {} frames{outliers}", found.model, found.frames)
}

fn parameters(found: &Calibration) -> Vec<Vec<String>> {
    let row = |Parameter { name, unit, value, sigma, low, high }: &Parameter| {
        let Some(value) = value else {
            return vec![name.clone(), "not determined".into(), String::new(), String::new(), String::new()];
        };
        let digits = sigma.map_or(7, |sigma| places(*value, sigma));
        let shown = |value: f64| rounded(value, digits);
        let interval = low.zip(*high).map(|(low, high)| format!("{} to {}", shown(low), shown(high)));
        vec![
            name.clone(),
            shown(*value),
            sigma.map_or_else(|| "-".into(), short),
            interval.unwrap_or_else(|| "-".into()),
            (*unit).into(),
        ]
    };
    let head = ["parameter", "value", "sigma", "95 % interval", ""].map(str::to_owned).to_vec();
    std::iter::once(head).chain(found.parameters.iter().map(row)).collect()
}

/// Significant digits of a value, so that its last two are those of its standard deviation.
fn places(value: f64, sigma: f64) -> usize {
    if value == 0.0 || sigma <= 0.0 || sigma.is_nan() {
        return 7;
    }
    (value.abs().log10().floor() - sigma.log10().floor() + 2.0).clamp(2.0, 15.0) as usize
}

fn rounded(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..7).contains(&magnitude) {
        return format!("{value:.*e}", digits.saturating_sub(1));
    }
    format!("{value:.*}", usize::try_from(digits as i32 - 1 - magnitude).unwrap_or(0))
}

fn short(value: f64) -> String {
    rounded(value, 2)
}

fn correlated(found: &Calibration) -> Vec<String> {
    let mut strong = Vec::new();
    for (row, line) in found.correlations.iter().enumerate() {
        for (column, value) in line.iter().enumerate().take(row) {
            if let Some(value) = value.filter(|value| value.abs() >= STRONG) {
                strong.push((value, format!("{} and {}", found.parameters[column].name, found.parameters[row].name)));
            }
        }
    }
    strong.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let more = strong.len().saturating_sub(MOST_LISTED);
    let mut lines: Vec<_> =
        strong.iter().take(MOST_LISTED).map(|(value, names)| format!("correlation {value:+.3}: {names}")).collect();
    lines.extend((more > 0).then(|| format!("and {more} more above {STRONG} (--json lists all)")));
    lines
}

fn residuals(found: &Calibration) -> Vec<Vec<String>> {
    let mut rows = vec![["residual", "rms px", "mean x, y px", "mean L1 px", "max px"].map(str::to_owned).to_vec()];
    rows.push(residual("answer - truth", &found.before));
    rows.push(residual("answer - model", &found.after));
    if let Some(Verified { name, before, after, .. }) = &found.verified {
        let name = Escaped(name);
        rows.push(residual(&format!("{name}: answer - truth"), before));
        rows.push(residual(&format!("{name}: corrected - truth"), after));
    }
    rows
}

fn residual(name: &str, of: &Residuals) -> Vec<String> {
    let [x, y] = of.mean_px;
    vec![
        name.to_owned(),
        format!("{:.5}", of.rms_px),
        format!("{x:+.5}, {y:+.5}"),
        format!("{:.5}", of.l1_mean_px),
        format!("{:.5}", of.max_px),
    ]
}

fn verdict(found: &Calibration) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(of) = found.cross_validation {
        let poses = of.poses_rms_px.map_or_else(String::new, |rms| format!(", {rms:.5} px of poses held out"));
        let halves = of.halves_p.map_or_else(String::new, |p| format!("; two halves agree with p {p:.3}"));
        lines.push(format!(
            "cross-validation: rms {:.5} px of frames held out, {:.5} px of those fitted{poses}{halves}",
            of.held_out_rms_px, of.fitted_rms_px
        ));
    }
    if let (Some(fits), Some(of)) = (found.fits, found.chi_squared) {
        let verdict = if fits { "the model fits" } else { "the model does not fit" };
        let pattern = of.pattern.zip(of.pattern_freedom);
        let pattern =
            pattern.map_or_else(String::new, |(part, of)| format!(", a pattern over the image {part:.1} of {of}"));
        let (sum, freedom, p) = (of.statistic, of.freedom, of.p);
        lines.push(format!("{verdict}: chi-squared {sum:.1} of {freedom} degrees of freedom{pattern}, p {p:.3}"));
    }
    if let Some(nees) = found.nees {
        let whose = if found.sigma_from == "reference" { "the reference's answers" } else { "the answers" };
        lines.push(format!("{whose} have errors of {:.3} times their own sigma", nees.sqrt()));
    }
    if let Some(Verified { nees: Some(nees), .. }) = found.verified {
        lines.push(format!("the corrected answers have errors of {:.3} times their own sigma", nees.sqrt()));
    }
    lines
}

fn rings(found: &Calibration) -> Vec<Vec<String>> {
    let head = ["radius px", "frames", "outward px", "rms px"].map(str::to_owned).to_vec();
    let row = |ring: &super::result::Ring| {
        let [from, to] = ring.radius_px;
        vec![
            format!("{from:.0} to {to:.0}"),
            ring.frames.to_string(),
            format!("{:+.5}", ring.outward_px),
            format!("{:.5}", ring.rms_px),
        ]
    };
    std::iter::once(head).chain(found.by_radius.iter().map(row)).collect()
}

fn candidates(found: &Calibration) -> Vec<Vec<String>> {
    let head = ["model", "parameters", "BIC"].map(str::to_owned).to_vec();
    let row = |one: &super::result::Candidate| {
        let lens = one.distortion.as_ref().map_or_else(String::new, |kind| format!(", {kind}"));
        vec![format!("{}{lens}", one.model), one.parameters.to_string(), format!("{:+.1}", one.bic)]
    };
    std::iter::once(head).chain(found.candidates.iter().map(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_as_many_digits_as_its_sigma_justifies() {
        assert_eq!(rounded(7_300.123_4, places(7_300.123_4, 1.3)), "7300.1");
        assert_eq!(rounded(-0.300_012_3, places(-0.300_012_3, 7.6e-5)), "-0.300012");
        assert_eq!(rounded(1.234e-6, places(1.234e-6, 1e-8)), "1.234e-6");
        assert_eq!((rounded(0.0, 3), short(0.000_76), short(1.3)), ("0".into(), "0.00076".into(), "1.3".into()));
    }
}
