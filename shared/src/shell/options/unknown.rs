//! Unknown variables with Plumb's prefix: most likely a mistyped option.

use super::complete::variable;
use super::environment::Environment;
use super::names::{CLIENT, SERVER, TESTS};
use crate::text::Brief;

/// Smallest similarity of two names that may be confused, from 0 to 1 in Jaro's measure: the threshold that `clap` uses
/// for options.
const ALIKE: f64 = 0.7;

/// A name is not suggested if it is less similar than the best by more than this.
const NEARLY: f64 = 0.1;

/// Maximum number of names suggested: more do not help.
const OFFERED: usize = 3;

/// Characters shown of a name: more than any option of Plumb has.
const SHOWN_CHARACTERS: usize = 60;

/// Warnings about each environment variable that begins with `PLUMB_` and belongs to neither program.
pub fn unknown_variables(environment: &Environment) -> Vec<String> {
    let known: Vec<String> = [SERVER, CLIENT, TESTS].into_iter().flatten().map(|name| variable(name)).collect();
    let names = environment.names().map(|name| name.to_string_lossy());
    let unknown = names.filter(|name| name.starts_with("PLUMB_") && known.iter().all(|known| known != name));
    unknown.map(|name| warning(&name, &known)).collect()
}

fn warning(name: &str, known: &[String]) -> String {
    // The name without the common prefix.
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
    format!("the environment variable {} belongs to no option: {right}", Brief(name, SHOWN_CHARACTERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(names: &[&str]) -> Vec<String> {
        unknown_variables(&names.iter().map(|name| (name.into(), "1".into())).collect())
    }

    #[test]
    fn a_mistyped_variable_is_reported_with_similar_names() {
        let [frame] = &said(&["PLUMB_FRAME", "PLUMB_FRAMES", "FRAME"])[..] else { panic!("not one") };
        assert!(
            frame.starts_with("the environment variable PLUMB_FRAME belongs to no option: did you mean PLUMB_FRAMES"),
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
