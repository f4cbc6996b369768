//! The model that the user asks for.

use std::fmt;
use std::str::FromStr;

/// A model, as `--model` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelChoice {
    pub(super) kind: ModelKind,
    /// `+time`.
    pub(super) time: bool,
    /// `+shutter`.
    pub(super) shutter: bool,
}

/// What maps the truth to the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ModelKind {
    Offset,
    Similarity,
    Affine,
    Homography,
    Lensed,
    Camera,
    Auto,
}

const NAMES: [(&str, ModelKind); 7] = [
    ("offset", ModelKind::Offset),
    ("similarity", ModelKind::Similarity),
    ("affine", ModelKind::Affine),
    ("homography", ModelKind::Homography),
    ("homography+distortion", ModelKind::Lensed),
    ("camera", ModelKind::Camera),
    ("auto", ModelKind::Auto),
];

impl ModelChoice {
    /// Whether each set of frames has a pose of its own.
    pub(super) fn has_poses(self) -> bool {
        self.kind == ModelKind::Camera
    }
}

impl FromStr for ModelChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            let known = NAMES.map(|(name, _)| name).join(", ");
            format!("\"{text}\" is not a model: write one of {known}; +time and +shutter may follow")
        };
        let (mut rest, mut time, mut shutter) = (text, false, false);
        loop {
            match (rest.strip_suffix("+time"), rest.strip_suffix("+shutter")) {
                (Some(shorter), _) if !time => (rest, time) = (shorter, true),
                (_, Some(shorter)) if !shutter => (rest, shutter) = (shorter, true),
                _ => break,
            }
        }
        let kind = NAMES.iter().find(|(name, _)| *name == rest).ok_or_else(refused)?.1;
        Ok(Self { kind, time, shutter })
    }
}

impl fmt::Display for ModelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        let [time, shutter] =
            [(self.time, "+time"), (self.shutter, "+shutter")].map(|(is, name)| if is { name } else { "" });
        write!(f, "{name}{time}{shutter}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_a_name_with_optional_times() {
        let model = |text: &str| text.parse::<ModelChoice>();
        let timed = ModelChoice { kind: ModelKind::Offset, time: true, shutter: true };
        assert_eq!(model("offset+shutter+time"), Ok(timed));
        assert_eq!(timed.to_string(), "offset+time+shutter");
        let lensed = model("homography+distortion+time").expect("a model");
        assert_eq!((lensed.kind, lensed.time, lensed.shutter), (ModelKind::Lensed, true, false));
        for text in ["", "time", "offset+time+time", "+time", "offset+", "Offset"] {
            let wrong = model(text).expect_err(text);
            assert!(wrong.contains("is not a model: write one of offset, similarity"), "{wrong}");
        }
    }
}
