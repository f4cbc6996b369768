"""Gates: conditions on the figures of a report."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from typing import Any

from ._absent import reason
from ._condition import EXAMPLE, Condition, parse
from ._node import Node, figure

# How many existing paths the message for an unknown path suggests.
SUGGESTIONS = 3


def check(root: Node, conditions: Sequence[str]) -> str | None:
    """Checks all conditions; returns the message for those that fail, or `None` if all hold.

    Raises `ValueError` if a condition cannot be read or names no figure, before any is compared.
    """
    if not conditions:
        raise ValueError(f"a gate needs a condition, such as {EXAMPLE}")
    checked = [(condition, _places(root, condition.path)) for condition in map(parse, conditions)]
    failures = [failure for condition, places in checked for failure in _failures(root, condition, places)]
    if len(failures) < 2:
        return failures[0] if failures else None
    return "\n  ".join([f"{len(failures)} conditions do not hold:", *failures])


def _places(root: Node, path: str) -> list[tuple[str, Node]]:
    """The nodes in which `path` is looked up, each with the words that name it."""
    sessions = root["sessions"]
    if any(_exists(session, path) for session in sessions):
        several = len(sessions) > 1
        return [(f" in session {s.get('session', n)}" if several else "", s) for n, s in enumerate(sessions, 1)]
    if _exists(root, path):
        return [("", root)]
    if not sessions:
        return []
    raise ValueError(_unknown(path, [*_paths(sessions[0]), *_paths(root)]))


def _exists(node: Node, path: str) -> bool:
    """Whether `path` is there. Raises `ValueError` if it names something that is not a number."""
    try:
        value = figure(node, path)
    except KeyError:
        return False
    if not (value is None or _is_number(value)):
        raise ValueError(_no_number(path, value))
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _no_number(path: str, value: object) -> str:
    """The message for a path that names something else than a number."""
    if isinstance(value, Node):
        inner = ", ".join(f"{path}.{name}" for name in value)
        return f"{path} is a group of {len(value)} figures, so name one of them: {inner or 'there is none'}"
    kind = "a list" if isinstance(value, tuple) else repr(value)
    return f"{path} is {kind}; a condition compares a figure, which is a number"


def _failures(root: Node, condition: Condition, places: list[tuple[str, Node]]) -> Iterator[str]:
    if not places:
        yield f"{condition.path} has no value in this report (no session)"
    for where, node in places:
        if failure := _failure(node, condition, where, of_report=node is root):
            yield failure


def _failure(node: Node, condition: Condition, where: str, of_report: bool) -> str | None:
    """The message if the condition fails for the figures of `node`."""
    value = _number(node, condition.path)
    if value is None:
        why = reason(Node({}) if of_report else node, condition.path)
        return f"{condition.path} has no value{where or ' in this report'} ({why})"
    if not condition.wants_share:
        if condition.holds(value):
            return None
        return f"{condition.path} is {condition.describe(value)}{where}, which is not {condition.limit()}"
    sent = _number(node, "frames.sent")
    if not sent:
        return f"{condition.path} has no share{where or ' in this report'} (no frame was sent)"
    if condition.holds(value / sent):
        return None
    share = f"{value}, {condition.describe(value / sent)} of {sent} frames sent"
    return f"{condition.path} is {share}{where}, which is not {condition.limit()}"


def _number(node: Node, path: str) -> Any:
    """The figure, or `None` if it has no value. A number that is not finite is no value."""
    try:
        value = figure(node, path)
    except KeyError:
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _unknown(path: str, known: list[str]) -> str:
    """The message for a path that does not exist: those of the same last name, then those that are spelled alike."""
    last = path.rpartition(".")[2]
    alike = [other for other in known if other.rpartition(".")[2] == last]
    close = difflib.get_close_matches(path, known, n=SUGGESTIONS)
    ranked = sorted(alike, key=lambda other: -difflib.SequenceMatcher(None, path, other).ratio())
    nearest = list(dict.fromkeys([*ranked, *close]))[:SUGGESTIONS]
    advice = f"the nearest are {', '.join(nearest)}" if nearest else "docs/report.md lists them"
    return f"the report has no figure {path}: {advice}"


def _paths(node: Node, start: str = "") -> Iterator[str]:
    """The paths of all figures under `node`."""
    for name, value in node.items():
        if isinstance(value, Node):
            yield from _paths(value, f"{start}{name}.")
        elif value is None or _is_number(value):
            yield start + name
