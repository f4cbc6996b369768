//! Writes the tables in Markdown, with the ratios first.

use std::fmt::{self, Write};

use shared::flow::pacer::Rate;

use crate::contenders::{
    AUTO, Contender, Group, Kind, LARGE, NETWORK, NETWORK_RAW, OVER_GRPC, OVER_TCP, PACED, RAW, UNPACED,
};
use crate::options::Options;
use crate::sample::{Sample, Samples};

/// Writes one table per group, the allocations, and whether the goals are met.
pub(crate) fn write(
    machine: &str,
    contenders: &[Contender],
    samples: &Samples,
    options: &Options,
) -> Result<String, fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "Both ends on one machine ({machine}), in two processes (in memory: one process, with the processor \
         time of both ends). Gray8, clean frames, 8 in flight. Medians of {} interleaved rounds of {:.1} s (twice that \
         at 60 fps). Latency: before encoding → answer decoded. Start: start of the sink's process → first frame \
         answered. Ratios are medians of the ratios of each round.\n",
        options.rounds(),
        options.time().as_secs_f64(),
    )?;
    for group in [UNPACED, NETWORK, LARGE, PACED] {
        let of_group: Vec<_> = contenders.iter().filter(|contender| contender.group == group).collect();
        if !of_group.is_empty() {
            write_group(&mut out, &group, &of_group, samples)?;
        }
    }
    write_allocations(&mut out, contenders, samples)?;
    write_goals(&mut out, samples)?;
    Ok(out)
}

fn write_group(out: &mut String, group: &Group, contenders: &[&Contender], samples: &Samples) -> fmt::Result {
    let is_paced = group.rate != Rate::Max;
    let what = if is_paced { "latency" } else { "frames/s" };
    writeln!(out, "{}:\n", group.name)?;
    writeln!(
        out,
        "| | {what}, x TCP | x bare link | frames/s | MB/s of pixels | wire bytes / pixels | p50 ms | p99 ms | CPU µs per \
         frame: source / sink | % of a core | start ms |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for contender in contenders {
        let name = contender.kind.name();
        if let Some(failure) = samples.failure(contender) {
            writeln!(out, "| {name} | {} |{}", failure.replace('|', "/"), " |".repeat(9))?;
            continue;
        }
        let median_of = |figure: fn(&Sample) -> Option<f64>, digits| shown(samples.median(contender, figure), digits);
        let median = |figure: fn(&Sample) -> f64, digits| {
            shown(samples.median(contender, |sample| Some(figure(sample))), digits)
        };
        let ratio = |kind| {
            let figure = |sample: &Sample| if is_paced { sample.p50_us } else { sample.frames_per_s };
            ratio_shown(samples.ratio(contender, &Contender { group: *group, kind }, figure))
        };
        let megabytes =
            samples.median(contender, |sample| Some(sample.frames_per_s * group.size.pixels() as f64 / 1e6));
        writeln!(
            out,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} / {} | {} / {} | {} |",
            ratio(Kind::Tcp),
            ratio(Kind::BareLink),
            median(|sample| sample.frames_per_s, usize::from(is_paced)),
            shown(megabytes, 0),
            median(|sample| sample.wire_share, 3),
            median(|sample| sample.p50_us / 1e3, 2),
            median(|sample| sample.p99_us / 1e3, 2),
            median_of(|sample| sample.cpu_us()[0], 0),
            median_of(|sample| sample.cpu_us()[1], 0),
            median_of(|sample| Some(100.0 * sample.cores[0]?), 1),
            median_of(|sample| Some(100.0 * sample.cores[1]?), 1),
            median(|sample| 1e3 * sample.start.as_secs_f64(), 0),
        )?;
    }
    writeln!(out)
}

fn write_allocations(out: &mut String, contenders: &[Contender], samples: &Samples) -> fmt::Result {
    for contender in contenders.iter().filter(|contender| contender.kind == Kind::BareLink) {
        let count = samples.median(contender, |sample| Some(sample.allocations?.count));
        let bytes = samples.median(contender, |sample| Some(sample.allocations?.bytes));
        if let (Some(count), Some(bytes)) = (count, bytes) {
            let copies = bytes / contender.group.size.pixels() as f64;
            writeln!(
                out,
                "Bare link's source ({}): {count:.0} allocations and {:.0} kB per frame, {copies:.2} times \
                 the bytes of its pixels (each copy into a new buffer counts once).\n",
                contender.group.name,
                bytes / 1e3,
            )?;
        }
    }
    Ok(())
}

/// The goal for a figure.
enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

fn write_goals(out: &mut String, samples: &Samples) -> fmt::Result {
    let of = |group, kind| Contender { group, kind };
    let figure =
        |group, kind, figure: fn(&Sample) -> f64| samples.median(&of(group, kind), |sample| Some(figure(sample)));
    let load = |end: usize| samples.median(&of(PACED, RAW), |sample| Some(100.0 * sample.cores[end]?));
    let speed = |group, kind| figure(group, kind, |sample| sample.frames_per_s);
    let to_bare =
        |group, kind, figure: fn(&Sample) -> f64| samples.ratio(&of(group, kind), &of(group, Kind::BareLink), figure);
    let to_tcp = |group, figure: fn(&Sample) -> f64| samples.ratio(&of(group, OVER_TCP), &of(group, Kind::Tcp), figure);
    let network = figure(PACED, OVER_TCP, |sample| sample.network_us.unwrap_or(f64::NAN))
        .zip(figure(PACED, Kind::Tcp, |sample| sample.p50_us))
        .map(|(ours, tcp)| ours / tcp);
    let to_tonic = samples.ratio(&of(UNPACED, OVER_GRPC), &of(UNPACED, Kind::BareGrpc), |sample| sample.frames_per_s);
    let beyond_tcp = figure(PACED, OVER_TCP, |sample| sample.p50_us / 1e3)
        .zip(figure(PACED, Kind::Tcp, |sample| sample.p50_us / 1e3))
        .map(|(ours, tcp)| ours - tcp);
    let goals = [
        ("link tcp, unpaced, x raw TCP", to_tcp(UNPACED, |sample| sample.frames_per_s), Goal::AtLeast(0.4)),
        ("link tcp, 1920x1080, x raw TCP", to_tcp(LARGE, |sample| sample.frames_per_s), Goal::AtLeast(0.35)),
        ("link tcp, 60 fps, p50 beyond raw TCP, ms", beyond_tcp, Goal::AtMost(0.45)),
        ("link tcp, 60 fps, to the client and back, p50, x raw TCP's p50", network, Goal::AtMost(2.5)),
        ("link grpc, unpaced, x bare tonic stream", to_tonic, Goal::AtLeast(0.8)),
        ("unpaced, frames/s", speed(UNPACED, RAW), Goal::AtLeast(2500.0)),
        ("unpaced, x bare link", to_bare(UNPACED, RAW, |sample| sample.frames_per_s), Goal::AtLeast(0.6)),
        ("unpaced, auto encoding, frames/s", speed(UNPACED, AUTO), Goal::AtLeast(5000.0)),
        ("unpaced, SCTP MTU 1400, frames/s", speed(NETWORK, NETWORK_RAW), Goal::AtLeast(1000.0)),
        ("1920x1080, frames/s", speed(LARGE, RAW), Goal::AtLeast(350.0)),
        ("60 fps, p50 ms", figure(PACED, RAW, |sample| sample.p50_us / 1e3), Goal::AtMost(0.8)),
        ("60 fps, p50, x bare paced echo (instead)", to_bare(PACED, RAW, |sample| sample.p50_us), Goal::AtMost(1.5)),
        ("60 fps, p99 ms", figure(PACED, RAW, |sample| sample.p99_us / 1e3), Goal::AtMost(2.5)),
        ("60 fps, p99, x bare paced echo (instead)", to_bare(PACED, RAW, |sample| sample.p99_us), Goal::AtMost(1.5)),
        ("60 fps, server, % of a core", load(0), Goal::AtMost(3.0)),
        ("60 fps, client, % of a core", load(1), Goal::AtMost(3.0)),
        (
            "client's start → first frame scored, ms",
            figure(PACED, RAW, |sample| 1e3 * sample.start.as_secs_f64()),
            Goal::AtMost(150.0),
        ),
    ];
    writeln!(out, "| goal | | reached | |\n|---|---|---|---|")?;
    for (name, reached, goal) in goals {
        let Some(reached) = reached else { continue };
        let (is_met, goal) = match goal {
            Goal::AtLeast(least) => (reached >= least, format!("≥ {least}")),
            Goal::AtMost(most) => (reached <= most, format!("≤ {most}")),
        };
        let verdict = if is_met { "met" } else { "**not met**" };
        writeln!(
            out,
            "| {name} | {goal} | {} | {verdict} |",
            shown(Some(reached), if reached < 100.0 { 2 } else { 0 })
        )?;
    }
    Ok(())
}

/// A ratio with three significant digits, but no finer than a thousandth.
fn ratio_shown(ratio: Option<f64>) -> String {
    let digits = match ratio {
        Some(ratio) if ratio >= 10.0 => 0,
        Some(ratio) if ratio >= 1.0 => 2,
        _ => 3,
    };
    shown(ratio, digits)
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}
