"""A run's folder: every figure of the report, computed again from `frames.parquet` alone.

Counts, sums, means and largest values agree to 1e-12, percentiles within the resolution that docs/report.md gives: 1 µm
of a px below 0.26 px and 1e-5 of larger errors, 1/1000 of times, 0.001 dB.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plumb

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not there: pip install -r .ci/python.txt")

with_programs = pytest.mark.skipif(
    "PLUMB_BIN" not in os.environ, reason="PLUMB_BIN names no folder with the programs server and client"
)

# Outcomes that a report counts.
OUTCOMES = ["answered", "dropped", "lost", "unresolved"]


def program(name: str) -> str:
    return str(Path(os.environ["PLUMB_BIN"]) / name)


def loopback(folder: Path, *options: str) -> None:
    """A whole run of the server."""
    always = ["--loopback", "--no-graphics", "--link", "memory", "--fps", "max", "--out", str(folder)]
    subprocess.run([program("server"), *always, *options], check=True, capture_output=True, timeout=60)


class Table:
    """The rows of a session and the other facts in the file."""

    def __init__(self, folder: Path, session: int = 1) -> None:
        read = parquet.read_table(folder / "frames.parquet")
        facts = read.schema.metadata
        self.facts = {key.decode(): value.decode() for key, value in facts.items() if key.startswith(b"plumb.")}
        of_session = [place for place, number in enumerate(read["session"].to_pylist()) if number == session]
        self.columns = {name: [read[name][place].as_py() for place in of_session] for name in read.column_names}

    def count(self, column: str, word: object) -> int:
        return self.columns[column].count(word)

    def values(self, column: str) -> np.ndarray:
        """The values that are not null."""
        return np.array([value for value in self.columns[column] if value is not None], dtype=np.float64)


def same(found: float, reported: float | None) -> None:
    assert reported is not None
    assert math.isclose(found, reported, rel_tol=1e-12, abs_tol=1e-300), (found, reported)


def percentile(values: np.ndarray, percent: int) -> float:
    """The smallest value that at least `percent` of the values do not exceed."""
    rank = max(1, -(-len(values) * percent // 100))
    return float(np.sort(values)[rank - 1])


def near(found: float, reported: float | None, relative: float, absolute: float) -> None:
    assert reported is not None
    assert abs(found - reported) <= absolute + relative * abs(found), (found, reported)


def check_counts(table: Table, session: dict[str, Any]) -> None:
    frames = session["frames"]
    assert frames["sent"] == len(table.columns["frame"])
    for outcome in OUTCOMES:
        assert frames[outcome] == table.count("outcome", outcome)
    lost = frames["lost_by"]
    for cause in ["not_ready", "unsent", "incomplete"]:
        assert lost[cause] == table.count("lost_by", cause)
    assert lost["late"] + lost["unanswered"] == table.count("lost_by", "unanswered")
    same(frames["lost"] / frames["sent"], frames["lost_rate"])


def check_latency(table: Table, session: dict[str, Any]) -> None:
    latency = session["latency_us"]
    columns = {"latency_us": latency, **{f"{name}_us": stage for name, stage in latency["stages"].items()}}
    for column, reported in columns.items():
        values = table.values(column)
        if len(values) == 0:
            assert all(reported[name] is None for name in ["p50", "p95", "p99", "max"]), column
            continue
        assert reported["max"] == values.max(), column
        for percent in [50, 95, 99]:
            near(percentile(values, percent), reported[f"p{percent}"], 1e-3, 1)


def check_rates(table: Table, session: dict[str, Any]) -> None:
    captured = table.values("captured_us")
    same((len(captured) - 1) * 1e6 / (captured.max() - captured.min()), session["fps"]["sent"])
    rows = zip(table.columns["captured_us"], table.columns["latency_us"], strict=True)
    answered = np.array([captured + latency for captured, latency in rows if latency is not None])
    if len(answered) > 1:
        same((len(answered) - 1) * 1e6 / float(answered.max() - answered.min()), session["fps"]["answered"])


def check_circle(table: Table, session: dict[str, Any]) -> None:
    counts, error = session["circle"], session["error_px"]
    assert counts["circle"] == table.count("kind", "circle")
    assert counts["no_circle"] == table.count("kind", "none")
    assert counts["missed"] == table.count("missed", 1)
    assert counts["empty"] == table.count("truth", "no ball")
    kinds = zip(table.columns["truth"], table.columns["kind"], strict=True)
    assert counts["false_positive"] == sum(pair == ("no ball", "circle") for pair in kinds)
    dx, dy, l1 = (table.values(name) for name in ["dx", "dy", "l1"])
    if len(l1) == 0:
        assert error["l1"] == {"mean": None, "p50": None, "p95": None, "p99": None, "max": None, "sum": 0}
        return
    same(math.fsum(l1), error["l1"]["sum"])
    same(math.fsum(l1) / len(l1), error["l1"]["mean"])
    same(l1.max(), error["l1"]["max"])
    for percent in [50, 95, 99]:
        near(percentile(l1, percent), error["l1"][f"p{percent}"], 1e-5, 1e-6)
    same(math.fsum(np.hypot(dx, dy)) / len(l1), error["l2"]["mean"])
    same(math.sqrt(math.fsum(dx * dx + dy * dy) / len(l1)), error["l2"]["rms"])
    # A sum of values of both signs is as exact as its terms are large.
    for values, axis in [(dx, "x"), (dy, "y")]:
        assert abs(math.fsum(values) / len(values) - error["bias"][axis]) <= 1e-12 * np.abs(values).mean()
    check_limit(table, error)


def check_limit(table: Table, error: dict[str, Any]) -> None:
    rows = zip(*(table.columns[name] for name in ["limit_l1", "l1", "dx", "dy", "cov_xx", "cov_xy", "cov_yy"]), strict=True)
    scored = [row for row in rows if row[1] is not None]
    known = [(limit, l1) for limit, l1, *_ in scored if limit is not None]
    if not known:
        assert error["limit"] is None and error["efficiency"] is None
        return
    limits, errors = (math.fsum(values) for values in zip(*known, strict=True))
    same(limits / len(known), error["limit"])
    same(errors / limits, error["efficiency"])
    normalised = [
        (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy) / 2
        for _, _, dx, dy, xx, xy, yy in scored
        if xx is not None
    ]
    if normalised:
        near(math.fsum(normalised) / len(normalised), error["nees"], 1e-12, 0)


def check_count(table: Table, session: dict[str, Any]) -> None:
    own, errors = session["count"], table.values("residual")
    assert own["scored"] == len(errors)
    assert own["exact"] == int((errors == 0).sum())
    same(own["exact"] / own["scored"], own["exact_share"])
    same(errors.mean(), own["mean_error"]) if errors.any() else None
    same(np.abs(errors).mean(), own["mean_absolute_error"])
    pairs = zip(table.columns["truth_count"], table.columns["count"], strict=True)
    confusion = np.zeros((12, 12), dtype=int)
    for truth, answer in pairs:
        if answer is not None:
            confusion[min(truth, 11), min(answer, 11)] += 1
    assert confusion.tolist() == own["confusion"]


def check_ack(table: Table, session: dict[str, Any]) -> None:
    codes = [code for code in table.columns["code"] if code is not None]
    assert session["ack"]["codes"] == {str(code): codes.count(code) for code in set(codes)}


def check_image(table: Table, session: dict[str, Any]) -> None:
    own, decibels = session["image"], table.values("psnr_db")
    assert own["images"] == len(table.values("width"))
    assert own["bytes"] == table.values("data_bytes").sum()
    assert own["identical"] == table.count("match", "identical")
    assert own["other_shape"] == table.count("match", "other shape")
    same(math.fsum(decibels) / len(decibels), own["psnr_db"]["mean"])
    same(decibels.min(), own["psnr_db"]["min"])
    near(percentile(decibels, 50), own["psnr_db"]["p50"], 0, 1e-3)


CHECKS = {"circle": check_circle, "count": check_count, "ack": check_ack, "image": check_image}


def check(folder: Path, session: int = 1) -> dict[str, Any]:
    """Works every figure of a session out again. Returns the session's report."""
    table = Table(folder, session)
    document = json.loads(table.facts["plumb.report"])
    assert document == json.loads((folder / "report.json").read_text())
    assert table.facts["plumb.seed"] == str(document["run"]["seed"])
    assert table.facts["plumb.version"] == document["run"]["version"]
    assert table.facts["plumb.schema"] == str(document["schema"])
    assert f"seed = {document['run']['seed']}\n" in table.facts["plumb.run"]
    found: dict[str, Any] = next(found for found in document["sessions"] if found["session"] == session)
    check_counts(table, found)
    check_latency(table, found)
    check_rates(table, found)
    CHECKS[found["task"]](table, found)
    return found


RUNS = [
    ["--noise", "8", "--empty-rate", "0.2", "--radius", "10..40"],
    ["--noise", "120", "--contrast", "60"],
    ["--jpeg", "40"],
    ["--task", "count", "--balls", "0..5", "--noise", "20"],
    ["--task", "ack"],
    ["--task", "image", "--size", "64x48"],
    ["--source", "depth", "--depth-noise", "5"],
]


@with_programs
@pytest.mark.parametrize("options", RUNS, ids=" ".join)
def test_every_figure_of_the_report_follows_from_the_table_alone(options: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    loopback(folder, "--frames", "120", "--seed", "7", *options)
    assert check(folder)["frames"]["sent"] == 120


@with_programs
def test_columns_have_types_and_nulls(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    loopback(folder, "--frames", "30", "--seed", "7", "--empty-rate", "0.5")
    table = parquet.read_table(folder / "frames.parquet")
    kinds = {str(field.type) for field in table.schema}
    assert kinds == {"int64", "double", "string"}
    assert not table.schema.field("session").nullable and table.schema.field("x").nullable
    assert table["truth_x"].null_count == table["truth"].to_pylist().count("no ball") > 0
    read = plumb.Report.read(folder).frames
    assert read.dtype.names == tuple(table.column_names)
    for name in ["x", "l1", "latency_us"]:
        values = np.array(table[name].to_pylist(), dtype=np.float64)
        assert np.array_equal(read[name], values, equal_nan=True), name


@with_programs
def test_a_run_that_was_killed_agrees_with_its_table_after_server_report(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    options = ["--no-graphics", "--listen", "127.0.0.1:0", "--fps", "200", "--noise", "8", "--out", str(folder)]
    server = subprocess.Popen([program("server"), *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert server.stderr is not None
    line = next(line for line in server.stderr if "listening on " in line)
    address = line.split("listening on ")[1].split(",")[0]
    client = subprocess.Popen([program("client"), address, "--no-graphics"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while sum(1 for _ in (folder / "frames.csv").open()) < 300:
            assert time.monotonic() < end, "300 rows"
            time.sleep(0.05)
    finally:
        server.send_signal(signal.SIGKILL)
        client.terminate()
        server.wait()
        client.wait()
    subprocess.run([program("server"), "report", str(folder)], check=True, capture_output=True, timeout=60)
    session = check(folder)
    assert session["end"]["kind"] == "broken_off" and session["frames"]["sent"] >= 299
    report = plumb.Report.read(folder)
    assert report.incomplete.reason == "broken_off" and len(report.frames) == session["frames"]["sent"]


def test_an_evaluation_leaves_a_folder_too(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "run"
    report = plumb.evaluate(plumb.detect, frames=60, seed=7, noise=5, out=folder)
    assert check(folder)["frames"]["sent"] == 60
    assert plumb.Report.read(folder) == report
    again = plumb.evaluate(plumb.detect, run=folder / "run.toml")
    assert again.error_px == report.error_px
    with pytest.raises(ValueError, match="out: .*is not empty"):
        plumb.evaluate(plumb.detect, frames=1, out=folder)


def test_an_evaluation_of_files_keeps_pictures_of_its_worst_frames(tmp_path: Path) -> None:
    frames, truth, folder = tmp_path / "frames", tmp_path / "truth.csv", tmp_path / "run"
    frames.mkdir()
    for place in range(30):
        (frames / f"{place:02}.pgm").write_bytes(b"P5 64 48 255\n" + bytes([place]) * (64 * 48))
    # Every answer is (32, 24): the later the frame, the larger its error.
    truth.write_text("frame,x,y,radius\n" + "".join(f"{place},{32 - 0.1 * place},24,5\n" for place in range(30)))
    plumb.evaluate(lambda _: (32.0, 24.0), task="circle", source=str(frames), truth=str(truth), frames=30, out=folder)
    kept = sorted(path.name for path in (folder / "worst").iterdir())
    assert kept == [f"1-{place}.png" for place in range(18, 30)]
    assert (folder / "report.html").read_text().count("<image ") == 12


def test_an_evaluation_that_fails_keeps_the_frames_it_had_scored(tmp_path: Path) -> None:
    def fails(frame: Any) -> None:
        if len(seen) == 5:
            raise RuntimeError("torn")
        seen.append(frame)

    seen: list[Any] = []
    with pytest.raises(RuntimeError, match="torn"):
        plumb.evaluate(fails, frames=60, seed=7, strict=True, out=tmp_path / "run")
    report = plumb.Report.read(tmp_path / "run")
    assert len(report.frames) == 5 and report.end.kind == "stopped"


def test_a_server_in_python_leaves_a_folder_too(tmp_path: Path) -> None:
    with plumb.Server(listen="127.0.0.1:0", frames=30, fps="max", seed=7, out=tmp_path / "run") as server:
        plumb.Client(plumb.detect, server.address).run()
        report = server.report()
    assert check(tmp_path / "run")["frames"]["sent"] == 30
    assert plumb.Report.read(tmp_path / "run") == report


def test_a_folder_without_a_report_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        plumb.Report.read(tmp_path)
