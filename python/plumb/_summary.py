"""The summary of a report, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ._absent import reason
from ._node import Node, figure

# Sessions that a summary shows. A report may list 10,000.
SHOWN_SESSIONS = 5

# What an answered frame is called in each task, as in the server's summary.
ANSWERED = {"count": "counted", "ack": "acknowledged", "image": "images"}

Line = tuple[str, str]


def summary(root: Node) -> str:
    """The summary as text: a heading for the report, and labelled lines for each session."""
    out = [heading(root)]
    sessions = root["sessions"]
    for session in sessions[:SHOWN_SESSIONS]:
        if len(sessions) > 1:
            out.append(session_heading(session))
        out += [f"  {label:<9}{text}" for label, text in lines(session)]
    return "\n".join(out + further(root))


def heading(root: Node) -> str:
    """What ran: seed, task and end of the only session, otherwise the number of sessions."""
    seed = f"Plumb report, seed {_text(root, 'run.seed')}"
    sessions = root["sessions"]
    if len(sessions) == 1:
        return f"{seed}, task {_text(sessions[0], 'task')}: {_end(sessions[0])}"
    return f"{seed}: {len(sessions) or 'no'} sessions"


def session_heading(session: Node) -> str:
    """The session's number, its client, and how it ended."""
    client = (
        f" with {_text(session, 'client.name')} {_text(session, 'client.version')}" if session.get("client") else ""
    )
    return f"session {_text(session, 'session')}{client}, task {_text(session, 'task')}: {_end(session)}"


def further(root: Node) -> list[str]:
    """The line that counts the sessions that are not shown, if there are any."""
    hidden = max(0, len(root["sessions"]) - SHOWN_SESSIONS) + (root["sessions_omitted"] or 0)
    return [f"and {hidden} more session{'' if hidden == 1 else 's'}"] if hidden else []


def lines(session: Node) -> list[Line]:
    """Label and text of each line for a session. A continuation line has an empty label."""
    of_task = {"circle": _circle, "count": _count, "ack": _ack, "image": _image}.get(session.get("task", ""))
    found = [*_gates(session), ("frames", _frames(session)), *_encoding(session)]
    found += [*(of_task(session) if of_task else ()), *_latency(session)]
    if errors := value(session, "pipeline_errors"):
        found.append(("pipeline", f"failed on {errors} frame{'' if errors == 1 else 's'}, counted as dropped"))
    warnings = session.get("warnings") or ()
    return found + [("warning", f"{warning['message']}: {warning['advice']}") for warning in warnings]


def value(session: Node, path: str) -> Any:
    """The figure at `path`; `None` if it has no value, or if the report is too old to have it."""
    try:
        return figure(session, path)
    except KeyError:
        return None


def printable(text: object) -> str:
    """The text with control characters escaped: what a peer says must not move the cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def _gates(session: Node) -> Iterator[Line]:
    for place, gate in enumerate(session.get("gates") or ()):
        verdict = "FAIL" if gate["verdict"] == "fail" else gate["verdict"].replace("_", " ")
        yield "" if place else "gates", f"{verdict}: {gate['message']}"


def _frames(session: Node) -> str:
    task = session.get("task", "")
    answered = f"{_text(session, 'frames.answered')} {ANSWERED.get(task, 'answered')}"
    if task == "circle":
        missed = value(session, "frames.missed")
        answered = f"{_text(session, 'frames.circle')} circle, {_text(session, 'frames.no_circle')} none"
        answered += f" ({missed} missed)" if missed else ""
    others = ", ".join(f"{_text(session, f'frames.{name}')} {name}" for name in ("dropped", "lost", "unresolved"))
    return f"{_text(session, 'frames.sent')} sent: {answered}, {others}"


def _encoding(session: Node) -> Iterator[Line]:
    """A line if the pipeline's frames were not as asked for, or not as rendered."""
    asked, used = value(session, "encoding.asked"), value(session, "encoding.used")
    if value(session, "encoding.lossy"):
        yield "encoding", f"{printable(used)} loses something: the pipeline saw other pixels, so no limit is known"
    elif used != asked and asked != "auto":
        yield "encoding", f"{printable(used)} instead of {printable(asked)}, which the client does not say that it reads"


def _circle(session: Node) -> Iterator[Line]:
    if value(session, "error_px.l1.mean") is None:
        yield "error", f"no value: {reason(session, 'error_px.l1.mean')}"
    else:
        figures = (f"{name} {_number(session, f'error_px.l1.{name}', '.5f')}" for name in ("p50", "p95", "p99", "max"))
        yield "error", f"L1 mean {_number(session, 'error_px.l1.mean', '.5f')} px, {', '.join(figures)}"
    if (efficiency := value(session, "error_px.efficiency")) is not None:
        kind = "limit" if value(session, "error_px.limit_kind") == "bound" else "reference"
        yield "", f"{efficiency:.2f} x the {kind} of {_number(session, 'error_px.limit', '.5f')} px"
    if value(session, "error_px.bias.x") is not None:
        yield (
            "bias",
            f"({_number(session, 'error_px.bias.x', '+.5f')}, {_number(session, 'error_px.bias.y', '+.5f')}) px",
        )
    if empty := value(session, "frames.empty"):
        yield (
            "empty",
            f"{empty} without a ball, {_text(session, 'frames.false_positive')} of them answered with a circle",
        )


def _count(session: Node) -> Iterator[Line]:
    exact = f"{_text(session, 'count.exact')} of {_text(session, 'count.scored')} exactly right"
    if (share := value(session, "count.exact_share")) is None:
        yield "count", exact
        return
    low, high = (100 * value(session, f"count.exact_share_{end}") for end in ("low", "high"))
    yield "count", f"{exact}: {100 * share:.2f} % (95 %: {low:.2f} to {high:.2f})"
    mean = _number(session, "count.mean_error", "+.3f")
    yield "", f"mean error {mean} balls, mean absolute error {_number(session, 'count.mean_absolute_error', '.3f')}"


def _ack(session: Node) -> Iterator[Line]:
    codes = [f"{printable(code)}: {frames}" for code, frames in (value(session, "ack.codes") or {}).items()]
    other = value(session, "ack.other_codes")
    yield "codes", ", ".join(codes + ([f"others: {other}"] if other else [])) or "none"


def _image(session: Node) -> Iterator[Line]:
    mean, p50, least = (_number(session, f"image.psnr_db.{name}", ".2f") for name in ("mean", "p50", "min"))
    yield "images", f"PSNR mean {mean} dB, p50 {p50}, min {least}" if mean else "none to compare that differs"
    same, other = value(session, "image.identical"), value(session, "image.other_shape")
    if same or other:
        yield "", f"{same} identical to the frame, {other} of another shape"


def _latency(session: Node) -> Iterator[Line]:
    if value(session, "latency_us.p50") is None:
        yield "latency", f"no value: {reason(session, 'latency_us.p50')}"
        return
    p50, p95, p99 = (f"{value(session, f'latency_us.{name}') / 1000:.3f}" for name in ("p50", "p95", "p99"))
    yield "latency", f"p50 {p50} ms, p95 {p95}, p99 {p99}"


def _end(session: Node) -> str:
    kind = _text(session, "end.kind").replace("_", " ")
    why = value(session, "end.reason")
    return f"{kind} ({printable(why)})" if why else kind


def _text(node: Node, path: str) -> str:
    found = value(node, path)
    return "-" if found is None else printable(found)


def _number(session: Node, path: str, form: str) -> str:
    """The figure in this format; empty if it has no value."""
    found = value(session, path)
    return "" if found is None else format(found, form)
