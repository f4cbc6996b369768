#!/usr/bin/env python3
"""Measures what `plumb.evaluate` costs per frame, in addition to the pipeline's own time. Makes the tables of
docs/benchmarks.md, "Python".

    python3 -m venv .venv && .venv/bin/pip install ./python
    .venv/bin/python bench/python.py [--frames N]

The gap is the time from the end of one call of the pipeline to the start of the next: scoring, the row of the table, the
next frame's array, the call. The pipeline computes for longer than a frame takes to render, so no gap includes waiting
for a frame. The clock is read inside the pipeline. `detect` is the time of `plumb.detect`, which releases the GIL.
"""

import argparse
import sys
import threading
import time
from contextlib import contextmanager

import numpy as np
import plumb

# How long the pipeline computes: longer than rendering takes on a slow machine.
SIZES = {(640, 480): 1_000_000, (1920, 1080): 6_000_000}
# CPython's default switch interval, and the one that the documentation advises, in seconds.
DEFAULT_INTERVAL, SHORT_INTERVAL = 0.005, 0.0005


class Busy:
    """A pipeline that computes for `ns` and notes when each call began and ended."""

    def __init__(self, ns):
        self.ns, self.began, self.ended = ns, [], []

    def __call__(self, frame):
        began = time.perf_counter_ns()
        while time.perf_counter_ns() < began + self.ns:
            pass
        self.began.append(began)
        self.ended.append(time.perf_counter_ns())

    def gaps_us(self):
        # The first calls are left out: caches are cold.
        return (np.array(self.began[1:]) - np.array(self.ended[:-1]))[20:] / 1000


def spin(stop):
    while not stop.is_set():
        pass


@contextmanager
def other_thread(interval):
    """Another Python thread that computes all the time, if an interval is given."""
    if interval is None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=spin, args=(stop,))
    sys.setswitchinterval(interval)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(DEFAULT_INTERVAL)


def pair(values, digits):
    return " / ".join(f"{np.percentile(values, share):.{digits}f}" for share in (50, 99))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=3000, help="frames per row (default 3000)")
    frames = parser.parse_args().frames
    print("| size | other Python thread | gap, p50 / p99 µs | `plumb.detect`, p50 / p99 ms |\n|---|---|---|---|")
    for size, busy_ns in SIZES.items():
        for interval in (None, DEFAULT_INTERVAL, SHORT_INTERVAL):
            options = {"size": size, "seed": 7}
            pipeline = Busy(busy_ns)
            with other_thread(interval):
                plumb.evaluate(pipeline, frames=frames, **options)
                detected = plumb.evaluate(plumb.detect, frames=max(frames // 5, 1), **options)
            thread = "none" if interval is None else f"busy, switch interval {interval * 1000:g} ms"
            latency_ms = detected.frames["latency_us"] / 1000
            print(
                f"| {size[0]}x{size[1]} | {thread} | {pair(pipeline.gaps_us(), 1)} | {pair(latency_ms, 2)} |",
                flush=True,
            )
    for size in SIZES:
        began = time.perf_counter()
        plumb.evaluate(lambda frame: None, frames=frames, size=size, seed=7)
        print(
            f"\n{size[0]}x{size[1]}, a pipeline that does nothing: {frames / (time.perf_counter() - began):.0f} frames/s"
        )


if __name__ == "__main__":
    main()
