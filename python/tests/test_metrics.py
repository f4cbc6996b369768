"""`/metrics` of the server program, read by Prometheus' own parser of OpenMetrics, which refuses what the format forbids."""

from __future__ import annotations

import os
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

openmetrics = pytest.importorskip(
    "prometheus_client.openmetrics.parser", reason="prometheus-client is not there: pip install -r .ci/python.txt"
)

pytestmark = pytest.mark.skipif(
    "PLUMB_BIN" not in os.environ, reason="PLUMB_BIN names no folder with the programs server and client"
)

GATES = ["error_px.l1.mean <= 1", "frames.lost_rate <= 0.1 %"]


def program(name: str) -> str:
    return str(Path(os.environ["PLUMB_BIN"]) / name)


@pytest.fixture
def address() -> Iterator[str]:
    """Where a server listens."""
    options = ["--no-graphics", "--listen", "127.0.0.1:0", "--frames", "60", "--fps", "max", "--seed", "7"]
    gates = [word for gate in GATES for word in ("--gate", gate)]
    server = subprocess.Popen(
        [program("server"), *options, *gates], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert server.stderr
    found = next(filter(None, (re.search(r"listening on ([^, ]+)", line) for line in server.stderr)))
    try:
        yield found[1]
    finally:
        server.terminate()
        server.communicate(timeout=10)


def families(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        text = answer.read().decode()
    return {family.name: family for family in openmetrics.text_string_to_metric_families(text)}


def value(found: dict[str, Any], family: str, sample: str, **labels: str) -> float:
    values = [known.value for known in found[family].samples if known.name == sample and labels.items() <= known.labels.items()]
    assert len(values) == 1, f"{sample} {labels} in {found[family]}"
    return float(values[0])


def test_the_text_is_openmetrics_before_and_after_a_session(address: str) -> None:
    before = families(address)
    assert value(before, "plumb_sent_frames", "plumb_sent_frames_total") == 0
    subprocess.run([program("client"), address, "--no-graphics"], check=True, capture_output=True, timeout=60)
    after = families(address)
    assert before.keys() == after.keys()
    kinds = {name: family.type for name, family in after.items()}
    assert kinds["plumb_sent_frames"] == "counter" and kinds["plumb_latency_seconds"] == "histogram"
    assert kinds["plumb_run"] == "info" and kinds["plumb_active_sessions"] == "gauge"
    assert after["plumb_latency_seconds"].unit == "seconds" and after["plumb_error_pixels"].unit == "pixels"
    assert value(after, "plumb_run", "plumb_run_info", task="circle") == 1
    assert value(after, "plumb_frames", "plumb_frames_total", outcome="answered") == 60
    for stage in ("total", "encode", "to_client", "queue", "detect", "back"):
        count = value(after, "plumb_latency_seconds", "plumb_latency_seconds_count", stage=stage)
        assert count == value(after, "plumb_latency_seconds", "plumb_latency_seconds_bucket", stage=stage, le="+Inf")
        assert count <= 60
    assert value(after, "plumb_latency_seconds", "plumb_latency_seconds_count", stage="total") == 60


def test_each_gate_has_one_verdict(address: str) -> None:
    found = families(address)
    verdicts: dict[str, dict[str, float]] = {gate: {} for gate in GATES}
    for sample in found["plumb_gate"].samples:
        verdicts[sample.labels["condition"]][sample.labels["verdict"]] = sample.value
    for gate, of_gate in verdicts.items():
        assert of_gate == {"pass": 0, "inconclusive": 0, "no_data": 1, "fail": 0}, gate


def test_health_is_ok_and_other_paths_are_not_found(address: str) -> None:
    with urllib.request.urlopen(f"http://{address}/healthz", timeout=10) as answer:
        assert (answer.status, answer.read()) == (200, b"ok\n")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{address}/elsewhere", timeout=10)
