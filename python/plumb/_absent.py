"""Why a figure has no value: the column "null" of docs/report.md, in words."""

from __future__ import annotations

from typing import Any

from ._node import Node, figure

# The first matching start of a path gives the reason.
REASONS = (
    ("error_px.nees", "no answer had a covariance"),
    ("error_px.limit", "the limit of no frame is known, as with JPEG"),
    ("error_px.efficiency", "the limit of no frame is known, as with JPEG"),
    ("error_px", "no frame with a ball was answered with a circle"),
    ("latency_us.stages", "no answer had the times of this stage"),
    ("latency_us.standstill", "no tick of the frame rate went without a frame"),
    ("latency_us", "with --fps max there are no ticks"),
    ("fps", "there were fewer than two frames"),
    ("count", "no frame with a known truth was answered with a number"),
    ("image.psnr_db", "no image could be compared that differs from its frame"),
    ("clock", "the client answered no ping"),
    ("connect_us", "the client said no hello, or needed none"),
    ("first_score_us", "the outcome of no frame became final"),
    ("pipeline_errors", "the server does not see exceptions on the client's side of a link"),
    ("run.config", "the option was not given and has no default"),
)


def reason(session: Node, path: str) -> str:
    """Why the figure of `session` at `path` is `None`."""
    return _without_frames(session, path) or next(
        (text for start, text in REASONS if path.startswith(start)), "docs/report.md says when it is null"
    )


def _without_frames(session: Node, path: str) -> str | None:
    """The reason where it is the task, the source or the answers."""
    task = session.get("task")
    if path.startswith(("error_px", "frames")) and task != "circle":
        return f"the task is {task}"
    if path.startswith("error_px") and not _value(session, "frames.circle"):
        return "no frame was answered with a circle"
    if path.startswith("error_px") and session.get("error_px") is None:
        return "the source knows no truth"
    if path.startswith("latency_us") and _value(session, "latency_us.max") is None:
        return "no frame was answered in time"
    return None


def _value(session: Node, path: str) -> Any:
    try:
        return figure(session, path)
    except KeyError:
        return None
