//! Writes the tables in Markdown.

use std::fmt::{self, Write};

use crate::Growth;
use crate::options::Options;
use crate::point::Point;

/// Goal for the 99.9th percentile of the latency with the most clients, in ms: one frame interval.
const GOAL_P999_MS: f64 = 33.0;

/// Goal for the processor time per frame with the most clients, over that with the fewest.
const GOAL_CPU: f64 = 1.2;

/// Writes both tables, and whether the goals are met.
pub(crate) fn write(machine: &str, growth: &Growth, options: &Options) -> Result<String, fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "One server and its clients, all separate processes on one machine ({machine}); gray8, {:.0} s per point \
         once all are served{}. CPU is processor time per frame.\n",
        options.time().as_secs_f64(),
        if options.with.is_empty() { String::new() } else { format!("; server {}", options.with) },
    )?;
    if !growth.clients.is_empty() {
        clients(&mut out, &growth.clients)?;
    }
    if !growth.sizes.is_empty() {
        sizes(&mut out, &growth.sizes)?;
    }
    Ok(out)
}

fn clients(out: &mut String, points: &[Point]) -> fmt::Result {
    writeln!(
        out,
        "Clients at 30 frames/s, 640x480:\n\n| clients | CPU x one client: server / client | frames/s | p50 ms | p99 | \
         p99.9 | CPU µs: server / client | server's memory per client, MiB | lost | skipped |\n|{}",
        "---|".repeat(10)
    )?;
    for point in points {
        writeln!(
            out,
            "| {} | {:.2} / {:.2} | {:.0} | {:.2} | {:.2} | {:.2} | {:.0} / {:.0} | {:.1} | {} of {} | {} |",
            point.setting.clients,
            point.cpu_us[0] / points[0].cpu_us[0],
            point.cpu_us[1] / points[0].cpu_us[1],
            point.frames_per_s,
            point.p50_ms,
            point.p99_ms,
            point.p999_ms,
            point.cpu_us[0],
            point.cpu_us[1],
            point.memory_per_client_bytes / f64::from(1 << 20),
            point.lost,
            point.sent,
            point.skipped,
        )?;
    }
    if let [first, .., last] = points {
        let sum = |point: &Point| point.cpu_us[0] + point.cpu_us[1];
        let cpu = sum(last) / sum(first);
        let verdict = |is_met| if is_met { "met" } else { "**not met**" };
        writeln!(
            out,
            "\n{} clients: p99.9 {:.2} ms (≤ {GOAL_P999_MS}: {}); CPU per frame, both sides, {cpu:.2} x that of {} \
             (≤ {GOAL_CPU}: {}).",
            last.setting.clients,
            last.p999_ms,
            verdict(last.p999_ms <= GOAL_P999_MS),
            first.setting.clients,
            verdict(cpu <= GOAL_CPU),
        )?;
    }
    writeln!(out)
}

fn sizes(out: &mut String, points: &[(Point, Point)]) -> fmt::Result {
    writeln!(
        out,
        "One client, at 30 frames/s and unpaced:\n\n| size | unpaced frames/s | MB/s | at 30: p50 ms | p99 | p99.9 | CPU µs: \
         server / client | server's memory, MiB | lost | skipped |\n|{}",
        "---|".repeat(10)
    )?;
    for (paced, unpaced) in points {
        writeln!(
            out,
            "| {} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} | {:.0} / {:.0} | {:.1} | {} of {} | {} |",
            paced.setting.size,
            unpaced.frames_per_s,
            unpaced.frames_per_s * unpaced.setting.size.pixels() as f64 / 1e6,
            paced.p50_ms,
            paced.p99_ms,
            paced.p999_ms,
            paced.cpu_us[0],
            paced.cpu_us[1],
            paced.memory_per_client_bytes / f64::from(1 << 20),
            paced.lost,
            paced.sent,
            paced.skipped,
        )?;
    }
    writeln!(out)
}
