"""Calibrations: the model that maps truth to answers, and the correction that follows from it."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from ._node import Node
from ._plumb import Correction
from ._plumb import calibrate as _calibrate
from ._report import Report

_Run = Report | str | PathLike[str]


class Calibration:
    """What a calibration found. docs/calibrate.md explains it.

    The names of `server calibrate --json` are attributes: `found.model`, `found.parameters[0].value`, `found.fits`,
    `found.after.rms_px`. `found.correction` corrects circles, and `found.save(file)` writes it for
    `client --correct` and `plumb.Correction(file)`.
    """

    __slots__ = ("_root", "correction")

    _root: Node
    correction: Correction

    def __init__(self, json_text: str, correction: Correction) -> None:
        self._root = Node(json.loads(json_text))
        self.correction = correction

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._root, name)

    def save(self, file: str | PathLike[str]) -> None:
        """Writes the correction as `correction.toml`."""
        Path(file).write_text(self.correction.text, "utf-8")


def calibrate(
    runs: _Run | Sequence[_Run],
    *,
    model: str = "auto",
    distortion: str = "k1k2",
    target: str = "point",
    focal: float | None = None,
    size: str | None = None,
    reference: _Run | None = None,
    verify: _Run | None = None,
) -> Calibration:
    """Fits the model that maps truth to answers, as `server calibrate` does: from reports, runs' folders and CSV files.

    `model` is `offset`, `similarity`, `affine`, `homography`, `homography+distortion`, `camera` or `auto`, optionally
    followed by `+time` and `+shutter`. Each report, folder or file is one pose for the model `camera`. The other options
    are those of the command line. Raises `ValueError` if the frames are not enough for the model.

    >>> import plumb
    >>> found = plumb.calibrate(plumb.evaluate(plumb.detect, frames=60, seed=7, noise=5), model="offset")
    >>> found.frames, abs(found.parameters[0].value) < 0.01
    (60, True)
    """
    several = [runs] if isinstance(runs, (Report, str, PathLike)) else list(runs)
    with tempfile.TemporaryDirectory() as room:
        paths = [_path(run, Path(room) / str(place)) for place, run in enumerate([*several, reference, verify])]
        found = _calibrate(
            [path for path in paths[: len(several)] if path is not None],
            model,
            distortion,
            target,
            focal,
            size,
            paths[len(several)],
            paths[len(several) + 1],
        )
    return Calibration(*found)


def _path(run: _Run | None, folder: Path) -> str | None:
    """The folder or file of a run. A report is written into this folder."""
    if run is None or not isinstance(run, Report):
        return None if run is None else fspath(run)
    folder.mkdir()
    (folder / "report.json").write_text(run.to_json(), "utf-8")
    names = run.frames.dtype.names or ()
    with (folder / "frames.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in run.frames:
            writer.writerow([_cell(value.item()) for value in row])
    return str(folder)


def _cell(value: Any) -> Any:
    is_nothing = isinstance(value, float) and value != value
    if is_nothing:
        return ""
    return int(value) if isinstance(value, float) and value.is_integer() else value
