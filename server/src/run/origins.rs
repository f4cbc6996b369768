//! Where the options of a run were said, where that is not the command line: what is wrong with them together is found
//! only after all of them are read, and is to be mended there.

use std::collections::BTreeMap;

use shared::text::Escaped;

/// Files and variables by the ids of the options that they say.
#[derive(Clone, Debug, Default)]
pub struct Origins(BTreeMap<String, String>);

impl Origins {
    /// An option is said by this file or variable, and by none that was named before.
    pub fn said_by(&mut self, id: &str, origin: String) {
        self.0.insert(id.to_owned(), origin);
    }

    /// An option is said by the command line.
    pub fn said_by_the_command_line(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// What is wrong with these options, with their names where it has none, and with where each was said.
    pub fn told(&self, wrong: &str, ids: &[String]) -> String {
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
    fn what_is_wrong_names_its_options_and_where_they_were_said() {
        let mut origins = Origins::default();
        for (id, origin) in [("radius", "run\u{1b}.toml"), ("size", "PLUMB_SIZE"), ("fps", "run.toml")] {
            origins.said_by(id, origin.into());
        }
        origins.said_by_the_command_line("fps");
        let told =
            |wrong: &str, ids: &[&str]| origins.told(wrong, &ids.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(
            told("radius 300 is too large", &["radius", "size"]),
            "radius 300 is too large (radius is from run\\u{1b}.toml, size is from PLUMB_SIZE)"
        );
        assert_eq!(told("9 s is too long", &["fps"]), "fps: 9 s is too long");
        assert_eq!(told("no thread", &[]), "no thread");
    }
}
