"""Gates: conditions on the figures of a report, read and judged as the server's `--gate`."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence

from . import _plumb
from ._node import Node, finite

EXAMPLE = '"error_px.l1.mean <= 0.05" or "latency_us.p99 <= 5ms"'

# Words for the verdicts that are not a pass.
FAILS = {"fail", "no_data"}
UNDECIDED = "inconclusive"


class InconclusiveGate(UserWarning):
    """The frames of a run do not decide a gate: the limit lies between the 95 % bounds of the figure."""


def judge(root: Node, conditions: Sequence[str]) -> tuple[Node, ...]:
    """The verdicts: for each condition, those on each session that sent a frame."""
    if not conditions:
        raise ValueError(f"a gate needs a condition, such as {EXAMPLE}")
    judged = json.loads(_plumb.judge(json.dumps(finite(root)), list(conditions)))
    return tuple(Node(verdict) for verdicts in judged for verdict in verdicts)


def check(root: Node, conditions: Sequence[str], strict: bool) -> str | None:
    """Checks all conditions; returns the message for those that do not hold, or `None`.

    Warns about inconclusive conditions, or with `strict` counts them as failed.
    """
    verdicts = judge(root, conditions)
    undecided = [verdict["message"] for verdict in verdicts if verdict["verdict"] == UNDECIDED]
    if not strict:
        for message in undecided:
            warnings.warn(message, InconclusiveGate, stacklevel=3)
    fails = FAILS | {UNDECIDED} if strict else FAILS
    return _joined(verdict["message"] for verdict in verdicts if verdict["verdict"] in fails)


def _joined(messages: Iterator[str]) -> str | None:
    failures = list(messages)
    if len(failures) < 2:
        return failures[0] if failures else None
    return "\n  ".join([f"{len(failures)} conditions do not hold:", *failures])
