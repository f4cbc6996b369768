"""Measures camera pipelines against known ground truth.

A pipeline is a function: it takes a frame, a read-only numpy array of uint8 (height, width), or (height, width, 3) in
BGR, and returns what it found. `evaluate` calls it with frames whose truth is known, and scores what it returns:

>>> import plumb
>>> report = plumb.evaluate(plumb.detect, frames=60, seed=7, noise=5)
>>> report.gate("error_px.l1.mean <= 0.05")

`frames` gives frames with their truth, `detect` is the built-in detector, `Client` and `Server` are the two ends of a
real link. Lengths are in px, times in us. Pixel centres are at integer coordinates, the origin is the centre of the
top-left pixel, x to the right, y down, as in OpenCV.
"""

from __future__ import annotations

from ._calibrate import Calibration, calibrate
from ._evaluate import evaluate
from ._frames import frames
from ._gate import InconclusiveGate
from ._options import RunOptions, ServerOptions
from ._plumb import Circle, Client, Correction, Frames, Tally, Truth, __version__, detect
from ._report import Report
from ._server import Server

__all__ = [
    "Calibration",
    "Circle",
    "Client",
    "Correction",
    "Frames",
    "InconclusiveGate",
    "Report",
    "RunOptions",
    "Server",
    "ServerOptions",
    "Tally",
    "Truth",
    "__version__",
    "calibrate",
    "detect",
    "evaluate",
    "frames",
]
