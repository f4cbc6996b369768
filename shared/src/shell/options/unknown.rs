//! Variables that begin as Plumb's do and belong to nothing: most likely an option's, mistyped.

use super::complete::variable;
use super::environment::Environment;
use super::names::{CLIENT, SERVER, TESTS};
use crate::text::Brief;

/// How alike two names must be to be taken for one another, from 0 to 1 by Jaro's measure: `clap` takes the same for
/// options.
const ALIKE: f64 = 0.7;

/// What is less alike than the best by more than this was not meant.
const NEARLY: f64 = 0.1;

/// Names that are offered: more are no help.
const OFFERED: usize = 3;

/// Characters of a name that are repeated: more than any of ours has.
const SHOWN_CHARACTERS: usize = 60;

/// What is to be said of each variable of the environment that begins with `PLUMB_` and is none of either program's.
pub fn unknown_variables(environment: &Environment) -> Vec<String> {
    let known: Vec<String> = [SERVER, CLIENT, TESTS].into_iter().flatten().map(|name| variable(name)).collect();
    let names = environment.names().map(|name| name.to_string_lossy());
    let unknown = names.filter(|name| name.starts_with("PLUMB_") && known.iter().all(|known| known != name));
    unknown.map(|name| told(&name, &known)).collect()
}

fn told(name: &str, known: &[String]) -> String {
    // Without what all have in common.
    let own = |name: &str| name.trim_start_matches("PLUMB_").to_uppercase();
    let alike = known.iter().map(|known| (strsim::jaro(&own(name), &own(known)), known));
    let mut alike: Vec<_> = alike.filter(|(alike, _)| *alike > ALIKE).collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    alike.dedup();
    let best = alike.first().map_or(1.0, |(alike, _)| *alike);
    alike.retain(|(alike, _)| *alike > best - NEARLY);
    let offered: Vec<_> = alike.into_iter().take(OFFERED).map(|(_, known)| known.as_str()).collect();
    let right = match offered.as_slice() {
        [] => "--help names them all".to_owned(),
        names => format!("did you mean {}?", names.join(" or ")),
    };
    format!("the environment's {} belongs to no option: {right}", Brief(name, SHOWN_CHARACTERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(names: &[&str]) -> Vec<String> {
        unknown_variables(&names.iter().map(|name| (name.into(), "1".into())).collect())
    }

    #[test]
    fn a_mistyped_variable_is_told_with_those_it_may_have_been() {
        let [frame] = &said(&["PLUMB_FRAME", "PLUMB_FRAMES", "FRAME"])[..] else { panic!("not one") };
        assert!(
            frame.starts_with("the environment's PLUMB_FRAME belongs to no option: did you mean PLUMB_FRAMES"),
            "{frame}"
        );
        let [lower] = &said(&["PLUMB_no_graphics"])[..] else { panic!("not one") };
        assert!(lower.ends_with("did you mean PLUMB_NO_GRAPHICS?"), "{lower}");
        let [far] = &said(&["PLUMB_\u{1b}[2J"])[..] else { panic!("not one") };
        assert!(far.ends_with("--help names them all") && !far.contains('\u{1b}'), "{far}");
    }

    #[test]
    fn the_variables_of_both_programs_and_of_their_tests_are_known_and_empty_ones_are_unset() {
        let all: Vec<_> = [SERVER, CLIENT, TESTS].concat().into_iter().map(variable).collect();
        assert_eq!(said(&all.iter().map(String::as_str).collect::<Vec<_>>()), Vec::<String>::new());
        let empty = [("PLUMB_NONSENSE".into(), "".into())].into_iter().collect();
        assert_eq!(unknown_variables(&empty), Vec::<String>::new());
    }
}
