//! Where a run's options were set, if not on the command line. Options that conflict are found only after all have been
//! read, and the error has to say where to fix them.

use std::collections::BTreeMap;

use shared::text::Escaped;

/// Files and variables, by the ids of the options that they set.
#[derive(Clone, Debug, Default)]
pub struct Origins(BTreeMap<String, String>);

impl Origins {
    /// Notes that this file or variable sets an option, and overrides those noted before.
    pub fn set_by(&mut self, id: &str, origin: String) {
        self.0.insert(id.to_owned(), origin);
    }

    /// Notes that the command line sets an option.
    pub fn set_by_the_command_line(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Whether a file or a variable sets this option.
    pub fn names(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// The error with the names of these options, unless it has them already, and the place where each was set.
    pub fn explained(&self, wrong: &str, ids: &[String]) -> String {
        let names: Vec<_> = ids.iter().map(|id| id.replace('_', "-")).collect();
        let is_named = names.is_empty() || names.iter().any(|name| wrong.contains(name));
        let wrong =
            if is_named { Escaped(wrong).to_string() } else { format!("{}: {}", names.join(", "), Escaped(wrong)) };
        let said = ids.iter().filter_map(|id| Some(format!("{} is from {}", id, Escaped(self.0.get(id)?))));
        match said.collect::<Vec<_>>().as_slice() {
            [] => wrong,
            said => format!("{wrong} ({})", said.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_options_and_where_they_were_set() {
        let mut origins = Origins::default();
        for (id, origin) in [("radius", "run\u{1b}.toml"), ("size", "PLUMB_SIZE"), ("fps", "run.toml")] {
            origins.set_by(id, origin.into());
        }
        origins.set_by_the_command_line("fps");
        let explained = |wrong: &str, ids: &[&str]| {
            origins.explained(wrong, &ids.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            explained("radius 300 is too large", &["radius", "size"]),
            "radius 300 is too large (radius is from run\\u{1b}.toml, size is from PLUMB_SIZE)"
        );
        assert_eq!(explained("9 s is too long", &["fps"]), "fps: 9 s is too long");
        assert_eq!(explained("no thread", &[]), "no thread");
    }
}
