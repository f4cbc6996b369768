//! Finds the options that differ between two runs and change what the figures mean.

use clap::{Args, Command};
use serde_json::Value;

use super::result::Differs;
use super::side::Side;
use crate::run::{ELSEWHERE, RunSpec, is_same_option};

/// Options that change neither the frames nor how they are sent, such as gates, waits and the number of frames. Frames
/// that only one run has are left out of the comparison.
const IRRELEVANT: [&str; 8] = ["gate", "wait", "once", "loopback", "let_clients_stop", "frames", "duration", "by"];

/// The options that differ, in the order of the help, including the seed, and the link that was used.
pub(super) fn differing(a: &Side, b: &Side) -> Vec<Differs> {
    let unused = |side: &Side, name: &str| {
        let names = side.option("unused_options").as_array();
        names.is_some_and(|names| names.iter().any(|unused| unused == name))
    };
    let command = RunSpec::augment_args(Command::new("run"));
    let names = command.get_arguments().map(|option| option.get_id().as_str());
    let relevant = names
        .filter(|name| !(IRRELEVANT.contains(name) || ELSEWHERE.contains(name) || unused(a, name) && unused(b, name)));
    let differs = |name: &str, a: &Value, b: &Value| {
        (!is_same_option(name, a, b)).then(|| Differs { name: name.to_owned(), a: a.clone(), b: b.clone() })
    };
    let options = relevant.filter_map(|name| differs(name, a.option(name), b.option(name)));
    let link = |side: &Side| side.session["client"]["link"].clone();
    let used =
        differs("client.link", &link(a), &link(b)).filter(|differs| !differs.a.is_null() && !differs.b.is_null());
    options.chain(used).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_that_change_what_is_measured_are_named_in_the_order_of_the_help() {
        let side = |config: Value, link: &str| {
            let session = json!({"session": 1, "frames": {"sent": 3}, "client": {"link": link}});
            Side::of_report("a".into(), json!({"schema": 1, "run": {"config": config}, "sessions": [session]}))
        };
        let a =
            side(json!({"seed": 7, "size": "640x480", "noise": 10.0, "frames": 300, "gate": [], "fps": 60.0}), "tcp");
        let b = side(
            json!({"seed": 7, "size": "320x240", "noise": 4.0, "frames": 600, "gate": ["x"], "fps": 60.0}),
            "webrtc",
        );
        let names: Vec<_> = differing(&a, &b).into_iter().map(|differs| differs.name).collect();
        assert_eq!(names, ["size", "noise", "client.link"]);
        assert_eq!(differing(&a, &a), []);
        let unused = |noise: f64| side(json!({"noise": noise, "unused_options": ["noise"]}), "tcp");
        assert_eq!(differing(&unused(1.0), &unused(2.0)), [], "the source does not use it");
    }
}
