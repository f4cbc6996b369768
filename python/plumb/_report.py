"""The report of a run, in Python."""

from __future__ import annotations

import json
import re
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

from ._gate import check, judge
from ._html import html
from ._node import Node, attributes, missing
from ._summary import summary
from ._table import from_csv

# The version of the report that this file reads: docs/report.md, `schema`.
SCHEMA = 1


class Report:
    """The results of a run: all figures of the JSON report, and one row per frame.

    `json_text` is a Plumb report, schema 1. `frames` is a structured array with one row per frame and the columns of
    the CSV file. The report keeps this array and makes it read-only. docs/report.md explains each figure: lengths are
    in px, times in us, rates in Hz, and `None` means that there is no value.

    The names of the JSON report are attributes: `report.run.seed`, `report.sessions[0].error_px.l1.mean`. In a report
    of one session, the figures of the session are attributes of the report too: `report.error_px.l1.mean` (px),
    `report.latency_us.p50` (us), `report.fps.sent` (Hz), `report.end.kind`, `report.task`. Its counts, which are
    `frames` in JSON, are `report.counts`: `report.counts.missed` (frames).

    Reports are read-only. They can be compared, copied and pickled.

    >>> session = '{"session": 1, "task": "ack", "frames": {"sent": 2, "answered": 2}, "latency_us": {"p50": 1281}}'
    >>> text = '{"schema": 1, "run": {"seed": 7}, "sessions": [%s], "sessions_omitted": 0}' % session
    >>> report = Report(text, np.zeros(2, dtype=[("frame", "u8"), ("latency_us", "f8")]))
    >>> report.run.seed, report.latency_us.p50, report.counts.sent
    (7, 1281, 2)
    >>> report.frames["frame"].shape
    (2,)
    >>> report.gate("latency_us.p50 <= 1ms")
    Traceback (most recent call last):
    AssertionError: latency_us.p50 is 1.281 ms, which is not <= 1 ms
    """

    __slots__ = ("_root", "_text", "frames")

    _root: Node
    _text: str
    frames: npt.NDArray[np.void]

    def __init__(self, json_text: str, frames: npt.NDArray[np.void]) -> None:
        object.__setattr__(self, "_root", _parsed(json_text))
        object.__setattr__(self, "_text", json_text)
        object.__setattr__(self, "frames", _read_only(frames))

    @classmethod
    def read(cls, folder: str | PathLike[str]) -> Self:
        """The report of a run's folder: what `server --out`, `plumb.Server(out=…)` or `plumb.evaluate(out=…)` wrote.

        `report.frames` has all rows of `frames.csv`. If the run broke off, `report.incomplete` says so. Run
        `server report FOLDER` first, to complete the folder.
        """
        path = Path(folder)
        return cls((path / "report.json").read_text("utf-8"), from_csv(path / "frames.csv"))

    @property
    def schema(self) -> int:
        """Version of the report's format: 1."""
        version: int = self._root["schema"]
        return version

    @property
    def run(self) -> Node:
        """What ran: `version`, `seed` and `config`, which holds every option."""
        run: Node = self._root["run"]
        return run

    @property
    def sessions(self) -> tuple[Node, ...]:
        """The sessions in the order in which they ended."""
        sessions: tuple[Node, ...] = self._root["sessions"]
        return sessions

    @property
    def sessions_omitted(self) -> int:
        """Number of earlier sessions that are no longer listed."""
        omitted: int = self._root["sessions_omitted"]
        return omitted

    def to_json(self, indent: int | None = 2) -> str:
        """The report as JSON. If the text that was written has this indent, it is returned unchanged.

        `indent` is in spaces per level; `None` puts everything on one line. All numbers keep their last digit.
        """
        if indent == _indent(self._text):
            return self._text
        return json.dumps(json.loads(self._text), indent=indent, ensure_ascii=False)

    @property
    def gates(self) -> tuple[Node, ...]:
        """The verdicts on the run's gates (`gate=[...]`): for each gate, the worst verdict in any session."""
        return tuple(self._root.get("gates", ()))

    def judge(self, *conditions: str) -> tuple[Node, ...]:
        """The verdicts on these conditions, which are written as for `gate`: one for each session that sent a frame.

        Each has `condition`, `verdict` (`pass`, `fail`, `inconclusive` or `no_data`), `value`, `limit`, `low` and `high`
        (the 95 % bounds of the figure), `samples`, `frames_needed`, `session` and `message`.
        """
        return judge(self._root, conditions)

    def gate(self, *conditions: str, strict: bool = False) -> None:
        """Raises `AssertionError` if a condition fails or has no data; the message has each figure and its limit.

        A condition passes only if the 95 % bound of the figure is inside the limit, and fails only if it is outside. In
        between it is inconclusive: more frames would decide. `plumb.InconclusiveGate` then warns, or with `strict` the
        condition counts as failed. Figures without bounds, such as counts, are compared directly.

        A condition is `PATH OP NUMBER`. PATH is a figure of the session as docs/report.md names it
        (`error_px.l1.mean`, `frames.missed`, `latency_us.p99`), or else one of the whole report (`run.seed`,
        `sessions_omitted`). If the report has several sessions, the condition must hold in each. OP is one of `<`,
        `<=`, `>`, `>=`, `==` and `!=`.

        NUMBER is in the unit of the figure. It may have a unit of its own:

        - `us`, `ms` or `s` if the figure is in us: `latency_us.p99 <= 5ms`;
        - `px` if the figure is in px: `error_px.l1.mean <= 0.05px`;
        - `%` if the figure is a share: `frames.lost_rate <= 0.1%`;
        - `%` if the figure is a count of frames or answers. It is then compared as its share of `frames.sent`:
          `frames.missed <= 0.1%`.

        A figure without a value fails: a gate without data never passes. `ValueError` is raised if a condition cannot
        be read, names no figure, or has a unit that does not fit.
        """
        __tracebackhide__ = True  # pytest then shows the caller's line.
        if failure := check(self._root, conditions, strict):
            raise AssertionError(failure)

    def __getattr__(self, name: str) -> Any:
        # Python and notebooks ask for many names with an underscore. Reports have none.
        if name.startswith("_"):
            raise AttributeError(f"a report has no {name!r}")
        if name in self._root:
            return self._root[name]
        key = "frames" if name == "counts" else name
        if len(self.sessions) == 1 and key in self.sessions[0]:
            return self.sessions[0][key]
        raise AttributeError(self._missing(name, key))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name!r} cannot be set: a report is read-only")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name!r} cannot be deleted: a report is read-only")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *attributes(self._names())})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Report):
            return NotImplemented
        return self._root == other._root and _same_rows(self.frames, other.frames)

    def __reduce__(self) -> tuple[type[Report], tuple[str, npt.NDArray[np.void]]]:
        return Report, (self._text, self.frames)

    def __repr__(self) -> str:
        return summary(self._root)

    def _repr_html_(self) -> str:
        return html(self._root)

    def _names(self) -> list[str]:
        """All names of figures that are attributes of this report."""
        if len(self.sessions) != 1:
            return list(self._root)
        of_session = ["counts" if name == "frames" else name for name in self.sessions[0]]
        return [*self._root, *of_session]

    def _missing(self, name: str, key: str) -> str:
        if not self.sessions:
            return f"{missing(name, self._names())} (this report has no session)"
        if any(key in session for session in self.sessions):
            return f"this report has {len(self.sessions)} sessions, so name one: report.sessions[0].{key}"
        return missing(name, self._names())


def _parsed(text: str) -> Node:
    try:
        root = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not a Plumb report, which is JSON: {error}") from None
    if not isinstance(root, dict) or not {"schema", "run", "sessions", "sessions_omitted"} <= root.keys():
        raise ValueError("not a Plumb report: an object with schema, run, sessions and sessions_omitted is one")
    if root["schema"] != SCHEMA:
        raise ValueError(f"a report of schema {root['schema']}: this version of plumb reads schema {SCHEMA}")
    return Node(root)


def _read_only(frames: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """A read-only view of the array, which becomes read-only too: then the view cannot be made writable again."""
    if not isinstance(frames, np.ndarray) or frames.dtype.names is None:
        raise TypeError("frames is not a structured numpy array with one row per frame")
    frames.setflags(write=False)
    return frames.view()


def _same_rows(a: npt.NDArray[np.void], b: npt.NDArray[np.void]) -> bool:
    """Whether two arrays have the same columns and rows. NaN, which stands for no value, equals NaN."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return all(np.array_equal(a[name], b[name], equal_nan=a[name].dtype.kind == "f") for name in a.dtype.names or ())


def _indent(text: str) -> int | None:
    """Spaces per level of a JSON text; `None` if it is on one line."""
    first = re.match(r"\s*\{\r?\n( *)", text)
    return len(first[1]) if first else None
