"""`plumb.Report`: figures as attributes, copies, summaries and gates.

The reports in `data/` are real. For each TASK of circle, count, ack and image (image with `--size 64x48`):

    server --loopback --link memory --no-graphics --frames 20 --fps max --seed 7 --noise 5 --task TASK \
        --json python/tests/data/TASK.json --csv python/tests/data/TASK.csv

Figures of time in the tests are set by the tests, because they differ between machines.
"""

from __future__ import annotations

import copy
import csv
import doctest
import html.parser
import importlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plumb._gate import InconclusiveGate
from plumb._node import Node
from plumb._report import Report

DATA = Path(__file__).parent / "data"
TASKS = ["circle", "count", "ack", "image"]

# Columns of the CSV files that are text; all others are numbers.
TEXT = {"outcome", "lost_by", "truth", "kind", "pixel", "encoding", "match"}
WHOLE = {"session", "frame", "source_index", "captured_us"}

Edit = Callable[[dict[str, Any]], object]


def rows(task: str) -> np.ndarray:
    """The rows of a CSV file as a structured array, with NaN where there is no value."""
    with (DATA / f"{task}.csv").open() as file:
        head, *lines = csv.reader(file)
    kinds = {name: "U16" if name in TEXT else "i8" if name in WHOLE else "f8" for name in head}
    cells = [
        tuple(cell or ("" if kinds[name] == "U16" else "nan") for name, cell in zip(head, line, strict=True))
        for line in lines
    ]
    return np.array(cells, dtype=list(kinds.items()))


def text(task: str = "circle", *edits: Edit) -> str:
    """The JSON of a real report, after `edits` of its only session."""
    written = (DATA / f"{task}.json").read_text()
    if not edits:
        return written
    document = json.loads(written)
    for edit in edits:
        edit(document["sessions"][0])
    return json.dumps(document, indent=2)


def report(task: str = "circle", *edits: Edit) -> Report:
    return Report(text(task, *edits), rows(task))


def put(path: str, value: object) -> Edit:
    """Sets the figure of a session at `path`."""

    def edit(session: dict[str, Any]) -> None:
        *groups, name = path.split(".")
        for group in groups:
            session = session[group]
        session[name] = value

    return edit


def report_of(*sessions: dict[str, Any], omitted: int = 0) -> Report:
    """The circle report with these sessions."""
    document = json.loads(text())
    document["sessions"] = list(sessions)
    document["sessions_omitted"] = omitted
    return Report(json.dumps(document), rows("circle"))


def session(number: int = 1, *edits: Edit) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text("circle", put("session", number), *edits))["sessions"][0]
    return found


def no_circle(found: dict[str, Any]) -> None:
    """Makes the session one in which every frame was answered with no circle."""
    found["frames"].update(circle=0, no_circle=20, missed=20)
    for group in ("l1", "l2", "bias"):
        found["error_px"][group] = dict.fromkeys(found["error_px"][group])
    found["error_px"].update(limit=None, limit_kind=None, efficiency=None, nees=None)


# Attributes


def test_every_figure_of_the_json_is_an_attribute() -> None:
    document, made = json.loads(text()), report()
    assert (made.schema, made.run.seed, made.run.config.width, made.sessions_omitted) == (1, 7, 640, 0)
    assert made.sessions[0].error_px.l1.mean == document["sessions"][0]["error_px"]["l1"]["mean"]
    assert made.run == document["run"]
    assert made.sessions[0] == document["sessions"][0]


def test_the_figures_of_the_only_session_are_attributes_of_the_report() -> None:
    made = report()
    assert made.error_px is made.sessions[0].error_px
    assert (made.task, made.end.kind, made.circle.missed) == ("circle", "finished", 0)
    assert made.counts is made.sessions[0].frames
    assert made.frames.dtype.names is not None


@pytest.mark.parametrize("task", TASKS)
def test_frames_has_one_row_per_frame(task: str) -> None:
    made = report(task)
    assert made.frames.shape == (made.counts.sent,)
    assert (made.frames["outcome"] == "answered").all()


def test_the_rows_of_frames_give_the_figures_of_the_report() -> None:
    made = report()
    # The server adds the errors up in another order than numpy: 20 terms, each rounded to 2^-53.
    assert made.frames["l1"].mean() == pytest.approx(made.error_px.l1.mean, rel=20 * 2**-53)
    assert made.frames["l1"].max() == made.error_px.l1.max


@pytest.mark.parametrize("name", ["error_px", "counts", "task"])
def test_with_several_sessions_a_figure_of_a_session_needs_the_session(name: str) -> None:
    made = report_of(session(1), session(2))
    key = "frames" if name == "counts" else name
    with pytest.raises(AttributeError, match=rf"2 sessions, so name one: report\.sessions\[0\]\.{key}"):
        getattr(made, name)


def test_without_a_session_the_message_says_so() -> None:
    with pytest.raises(AttributeError, match="this report has no session"):
        _ = report_of().error_px


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("eror_px", "did you mean 'error_px'"),
        ("count", "did you mean 'counts'"),
        ("error_px.l1.meen", "there is no 'meen' here, only mean, p50, p95, p99, max, sum; did you mean 'mean'?"),
        ("run.sed", "did you mean 'seed'"),
        ("end.zzz", "there is no 'zzz' here, only kind"),
    ],
)
def test_a_missing_name_lists_what_is_there_and_the_closest_name(path: str, message: str) -> None:
    found: Any = report()
    *groups, name = path.split(".")
    for group in groups:
        found = getattr(found, group)
    with pytest.raises(AttributeError) as raised:
        getattr(found, name)
    assert message in str(raised.value)


def test_completion_offers_figures_and_methods() -> None:
    made = report()
    assert {"run", "sessions", "error_px", "counts", "frames", "gate", "to_json"} <= set(dir(made))
    assert {"l1", "l2", "bias", "limit"} <= set(dir(made.error_px))
    assert all(hasattr(made, name) for name in dir(made))


def test_completion_with_several_sessions_offers_the_report_alone() -> None:
    assert not {"error_px", "counts"} & set(dir(report_of(session(1), session(2))))


def test_a_name_that_is_not_an_identifier_or_is_a_method_is_read_with_brackets() -> None:
    codes = report("ack").ack.codes
    assert codes["0"] == 20
    assert "0" not in dir(codes)
    node = Node({"keys": 1, "class": 2, "_x": 3})
    assert (node["keys"], node["class"], node["_x"]) == (1, 2, 3)
    assert list(node.keys()) == ["keys", "class", "_x"]
    assert "class" not in dir(node)


def test_a_node_is_a_mapping() -> None:
    l1 = report().error_px.l1
    assert list(l1) == ["mean", "p50", "p95", "p99", "max", "sum"]
    assert len(l1) == 6
    assert "mean" in l1 and "meen" not in l1
    assert l1["mean"] == l1.mean == l1.get("mean")
    assert dict(l1) == l1
    assert repr(Node({"a": 1, "b": {"c": [None, "x"]}})) == "Node({'a': 1, 'b': {'c': [None, 'x']}})"
    with pytest.raises(KeyError):
        l1["meen"]


def test_arrays_of_the_json_are_tuples_and_equal_lists() -> None:
    made = report("count")
    assert np.array(made.count.confusion).sum() == 20
    assert made.count.confusion[0][0].__class__ is int
    assert made.run.config.unused_options == ()
    assert made.count == json.loads(text("count"))["sessions"][0]["count"]


def test_the_seed_keeps_all_64_bits() -> None:
    seed = 2**64 - 1
    made = Report(text().replace('"seed": 7', f'"seed": {seed}'), rows("circle"))
    assert made.run.seed == seed
    made.gate(f"run.seed == {seed}")
    with pytest.raises(AssertionError, match=f"run.seed is {seed}, which is not == {seed - 1}"):
        made.gate(f"run.seed == {seed - 1}")


# JSON, copies, equality


@pytest.mark.parametrize("task", TASKS)
def test_the_json_comes_back_unchanged(task: str) -> None:
    assert report(task).to_json() == text(task)
    assert report(task).to_json(indent=2) == text(task)


@pytest.mark.parametrize("indent", [None, 0, 4])
def test_json_with_another_indent_has_the_same_values(indent: int | None) -> None:
    made = report()
    again = made.to_json(indent=indent)
    assert json.loads(again) == json.loads(text())
    assert Report(again, rows("circle")).to_json(indent=indent) == again
    assert ("\n" in again) == (indent is not None)


def test_a_report_on_one_line_is_indented_on_demand() -> None:
    line = json.dumps(json.loads(text()))
    assert Report(line, rows("circle")).to_json(None) == line
    assert json.loads(Report(line, rows("circle")).to_json()) == json.loads(line)


def test_text_of_a_client_stays_readable_in_json() -> None:
    assert "Würfel" in report("circle", put("client.name", "Würfel")).to_json(None)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_copies_and_pickles_are_equal_and_read_only(copied: Callable[[Report], Report]) -> None:
    made = report()
    other = copied(made)
    assert other == made
    assert other.to_json() == made.to_json()
    assert other.error_px.l1.mean == made.error_px.l1.mean
    assert not other.frames.flags.writeable
    assert copied(made.run) == made.run  # type: ignore[arg-type]


def test_reports_are_equal_if_json_and_frames_are() -> None:
    assert np.isnan(report().frames["axis_a"]).all(), "NaN equals NaN, or this test says nothing"
    assert report() == report()
    assert report() == Report(report().to_json(None), rows("circle"))
    assert report() != report("circle", put("error_px.l1.mean", 1.0))
    assert report() != "report"


def test_reports_with_other_frames_are_not_equal() -> None:
    changed = rows("circle")
    changed["x"][3] += 1e-9
    assert report() != Report(text(), changed)
    assert report() != Report(text(), rows("circle")[:-1])
    assert report() != Report(text(), rows("ack"))


def test_a_report_cannot_be_changed() -> None:
    made = report()
    for target in (made, made.run, made.error_px.l1):
        with pytest.raises(AttributeError, match="read-only"):
            target.mean = 0.0
        with pytest.raises(AttributeError, match="read-only"):
            del target.mean
    with pytest.raises(TypeError):
        made.error_px["limit"] = 0.0
    with pytest.raises(AttributeError, match="read-only"):
        made.frames = rows("circle")
    with pytest.raises(ValueError, match="read-only"):
        made.frames["l1"][0] = 0.0
    with pytest.raises(ValueError, match="WRITEABLE"):
        made.frames.flags.writeable = True


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "not a Plumb report, which is JSON"),
        ("[]", "an object with schema, run, sessions and sessions_omitted"),
        ('{"schema": 1}', "an object with schema, run, sessions and sessions_omitted"),
        (
            '{"schema": 2, "run": {}, "sessions": [], "sessions_omitted": 0}',
            "schema 2: this version of plumb reads schema 1",
        ),
    ],
)
def test_a_text_that_is_not_a_report_is_refused(written: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Report(written, rows("circle"))


def test_frames_that_are_not_rows_are_refused() -> None:
    with pytest.raises(TypeError, match="structured numpy array"):
        Report(text(), np.zeros(3))  # type: ignore[arg-type]


# Summaries


def test_the_summary_of_circle_has_counts_error_limit_bias_and_latency() -> None:
    times = put("latency_us", {"p50": 1281, "p95": 10983, "p99": 28627, "max": 28627})
    assert repr(report("circle", times)).splitlines() == [
        "Plumb report, seed 7, task circle: finished",
        "  frames   20 sent: 20 circle, 0 none, 0 dropped, 0 lost, 0 unresolved",
        "  error    L1 mean 0.00761 px, p50 0.00699, p95 0.01410, p99 0.01925, max 0.01925",
        "           1.03 x the limit of 0.00740 px",
        "  bias     (-0.00060, -0.00019) px",
        "  latency  p50 1.281 ms, p95 10.983, p99 28.627",
    ]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("count", "  count    20 of 20 exactly right: 100.00 % (95 %: 83.89 to 100.00)"),
        ("count", "  frames   20 sent: 20 counted, 0 dropped, 0 lost, 0 unresolved"),
        ("ack", "  codes    0: 20"),
        ("ack", "  frames   20 sent: 20 acknowledged, 0 dropped, 0 lost, 0 unresolved"),
        ("image", "  images   PSNR mean 22.75 dB, p50 22.74, min 22.52"),
        ("image", "  frames   20 sent: 20 images, 0 dropped, 0 lost, 0 unresolved"),
    ],
)
def test_the_summary_of_each_task_has_its_figures(task: str, expected: str) -> None:
    assert expected in repr(report(task)).splitlines()


def test_the_summary_counts_misses_false_positives_and_pipeline_errors() -> None:
    made = report(
        "circle",
        put("frames.missed", 2),
        put("frames.empty", 5),
        put("frames.false_positive", 1),
        put("pipeline_errors", 3),
        put("error_px.limit_kind", "reference"),
        put("end", {"kind": "client_gone", "reason": "silent\x1b[2J"}),
    )
    shown = repr(made)
    assert "20 circle, 0 none (2 missed), 0 dropped" in shown
    assert "5 without a ball, 1 of them answered with a circle" in shown
    assert "pipeline failed on 3 frames, counted as dropped" in shown
    assert "x the reference of" in shown
    assert r"client gone (silent\x1b[2J)" in shown


def test_the_summary_says_where_the_pipeline_saw_other_pixels_or_another_encoding() -> None:
    lossy = put("encoding", {"asked": "jpeg:90", "used": "jpeg:90", "lossy": True})
    assert "encoding jpeg:90 loses something: the pipeline saw other pixels" in repr(report("circle", lossy))
    raw = put("encoding", {"asked": "png", "used": "raw", "lossy": False})
    assert "encoding raw instead of png, which the client does not say" in repr(report("circle", raw))
    for same in ({"asked": "auto", "used": "raw", "lossy": False}, {"asked": "png", "used": "png", "lossy": False}):
        assert "encoding" not in repr(report("circle", put("encoding", same)))


@pytest.mark.parametrize("errors", [0, None])
def test_a_summary_without_pipeline_errors_has_no_line_for_them(errors: int | None) -> None:
    assert "pipeline" not in repr(report("circle", put("pipeline_errors", errors)))


def test_a_summary_without_figures_says_why_there_are_none() -> None:
    nothing = dict.fromkeys(("p50", "p95", "p99", "max"))
    shown = repr(report("circle", no_circle, put("latency_us", nothing)))
    assert "error    no value: no frame was answered with a circle" in shown
    assert "latency  no value: no frame was answered in time" in shown
    assert "exactly right" in repr(report("count", put("count.exact_share", None)))


def test_a_summary_of_many_sessions_shows_some_and_counts_the_others() -> None:
    shown = repr(report_of(*(session(n) for n in range(1, 8)), omitted=3))
    assert shown.startswith(
        "Plumb report, seed 7: 7 sessions\nsession 1 with plumb-client 0.1.0, task circle: finished\n"
    )
    assert shown.endswith("\nand 5 more sessions")
    assert shown.count("\nsession ") == 5


def test_a_report_without_sessions_has_a_summary() -> None:
    made = report_of()
    assert repr(made) == "Plumb report, seed 7: no sessions"
    assert "no sessions" in made._repr_html_()
    assert made == copy.deepcopy(made)


def test_every_figure_may_be_null_in_a_summary() -> None:
    def emptied(value: Any) -> Any:
        return {name: emptied(inner) for name, inner in value.items()} if isinstance(value, dict) else None

    for task in TASKS:
        bare = json.loads(text(task))
        bare["sessions"] = [emptied(bare["sessions"][0]) | {"task": task}]
        made = Report(json.dumps(bare), rows(task))
        assert f"task {task}" in repr(made)
        assert f"task {task}" in made._repr_html_()


class Tags(html.parser.HTMLParser):
    """Collects the tags and the attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("task", TASKS)
def test_a_notebook_shows_the_lines_of_the_summary_as_one_table(task: str) -> None:
    made = report(task)
    page = made._repr_html_()
    found = Tags(page)
    assert found.tags.count("table") == 1
    assert set(found.tags) == {"table", "tbody", "tr", "th", "td"}
    assert found.attributes == {"style", "scope", "colspan"}
    assert found.open == []
    assert "http" not in page and "url(" not in page
    for line in repr(made).splitlines()[1:]:
        assert html.escape(line[11:]) in page


def test_text_of_a_client_is_escaped_in_a_notebook() -> None:
    hostile = "<script>alert('x')</script>&\"\x00"
    edits = (put("client.name", hostile), put("end", {"kind": "rejected", "reason": hostile}))
    page = report_of(session(1, *edits), session(2))._repr_html_()
    assert page.count("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;&quot;\\x00") == 2
    assert "script" not in Tags(page).tags
    assert "\x00" not in page


def test_codes_of_a_client_are_escaped_in_a_notebook() -> None:
    page = report("ack", put("ack.codes", {"<b>": 20}))._repr_html_()
    assert "&lt;b&gt;: 20" in page and "<b>" not in page


# Gates


@pytest.mark.parametrize(
    "condition",
    [
        "error_px.l1.mean <= 0.05",
        "error_px.l1.mean<=0.05",
        "  error_px.l1.mean  <  5e-2  ",
        "error_px.bias.x > -.01",
        "error_px.efficiency >= 1.",
        "frames.missed == 0",
        "frames.circle != 0",
        "frames.lost_by.late == 0",
        "run.seed == 7",
        "sessions_omitted == 0",
        "run.config.noise == 5",
        "latency_us.p99 <= 28627",
        "latency_us.p99 <= 28.627ms",
        "latency_us.p99 <= 28.627 ms",
        "latency_us.p99 == 28.627ms",
        "latency_us.p99 <= 28627us",
        "latency_us.p99 < 1s",
        "run.config.deadline_us == 2s",
        "frames.lost_rate <= 0.1%",
        "frames.lost_rate == 0.1%",
        "frames.lost_rate == 0.1 %",
        "frames.circle == 100%",
        "circle.circle >= 99.5%",
    ],
)
def test_a_gate_whose_condition_holds_returns_none(condition: str) -> None:
    made = report("circle", put("latency_us.p99", 28627), put("frames.lost_rate", 0.001))
    assert made.gate(condition) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("error_px.l1.mean <= 0.05", "error_px.l1.mean is 0.0712, which is not <= 0.05"),
        # With five digits the message would be "0.05, which is not <= 0.05".
        ("error_px.l1.p50 <= 0.05", "error_px.l1.p50 is 0.05000001, which is not <= 0.05"),
        ("error_px.l1.max < 1e-4", "error_px.l1.max is 0.12346, which is not < 1e-4"),
        ("frames.missed == 0", "frames.missed is 3, which is not == 0"),
        ("frames.missed != 3", "frames.missed is 3, which is not != 3"),
        ("frames.missed > 3", "frames.missed is 3, which is not > 3"),
        ("frames.missed >= 4", "frames.missed is 3, which is not >= 4"),
        ("latency_us.p99 <= 5000", "latency_us.p99 is 28627, which is not <= 5000"),
        ("latency_us.p99 <= 5ms", "latency_us.p99 is 28.627 ms, which is not <= 5 ms"),
        ("latency_us.p99 <= .02s", "latency_us.p99 is 0.028627 s, which is not <= .02 s"),
        ("latency_us.p99 <= 50us", "latency_us.p99 is 28627 us, which is not <= 50 us"),
        ("latency_us.max < 1ms", "latency_us.max is 123456.789 ms, which is not < 1 ms"),
        ("frames.lost_rate <= 0.1%", "frames.lost_rate is 0.5 %, which is not <= 0.1 %"),
        (
            "frames.missed <= 0.1%",
            "frames.missed is 3, 15 % of 20 frames sent, which is not <= 0.1 % (95 %: at least 4.2169 %, at most 34.366 %)",
        ),
    ],
)
def test_a_gate_that_fails_says_figure_and_limit(condition: str, message: str) -> None:
    made = report(
        "circle",
        put("error_px.l1", {"mean": 0.0712, "p50": 0.05000001, "max": 0.123456789}),
        put("frames.missed", 3),
        put("frames.lost_rate", 0.005),
        put("latency_us.p99", 28627),
        put("latency_us.max", 123456789),
    )
    with pytest.raises(AssertionError) as raised:
        made.gate(condition)
    assert str(raised.value) == message


OPERATORS = ["<", "<=", ">", ">=", "==", "!="]


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_gate_without_data_never_passes(operator: str) -> None:
    made = report("circle", no_circle)
    with pytest.raises(AssertionError) as raised:
        made.gate(f"error_px.l1.mean {operator} 0.05")
    assert str(raised.value) == "error_px.l1.mean has no value in this report (no frame was answered with a circle)"


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_figure_that_is_not_finite_never_passes(operator: str, value: float) -> None:
    with pytest.raises(AssertionError, match="has no value"):
        report("circle", put("error_px.l1.mean", value)).gate(f"error_px.l1.mean {operator} 0.05")


@pytest.mark.parametrize(
    ("task", "path", "edits", "why"),
    [
        ("count", "error_px.l1.mean", [], "the task is count"),
        ("ack", "frames.missed", [], "the task is ack"),
        ("circle", "error_px.l1.mean", [put("error_px", None)], "the source knows no truth"),
        ("circle", "error_px.limit", [put("error_px.limit", None)], "no frame has a known limit, as with JPEG"),
        ("circle", "error_px.nees", [put("error_px.nees", None)], "no answer had a covariance"),
        (
            "circle",
            "error_px.l1.p99",
            [put("error_px.l1.p99", None)],
            "no frame with a ball was answered with a circle",
        ),
        ("circle", "latency_us.p50", [put("latency_us", {"p50": None})], "no frame was answered in time"),
        ("circle", "latency_us.corrected.p99", [], "with --fps max there are no ticks"),
        (
            "circle",
            "latency_us.stages.queue.p50",
            [put("latency_us.stages.queue.p50", None)],
            "the times of this stage",
        ),
        ("circle", "fps.sent", [put("fps.sent", None)], "fewer than two frames"),
        ("count", "count.exact_share", [put("count.exact_share", None)], "no frame with a known truth"),
        ("image", "image.psnr_db.mean", [put("image.psnr_db.mean", None)], "no image could be compared"),
        ("circle", "run.config.jpeg", [], "the option was not given"),
        ("circle", "pipeline_errors", [put("pipeline_errors", None)], "the server does not see exceptions"),
        ("circle", "new", [put("new", None)], "docs/report.md says when it is null"),
    ],
)
def test_a_gate_without_data_says_why_there_is_none(task: str, path: str, edits: list[Edit], why: str) -> None:
    with pytest.raises(AssertionError) as raised:
        report(task, *edits).gate(f"{path} <= 1e9")
    assert f"{path} has no value in this report (" in str(raised.value)
    assert why in str(raised.value)


def test_a_share_of_no_frames_never_passes() -> None:
    with pytest.raises(AssertionError, match=r"frames\.missed has no share in this report \(no frame was sent\)"):
        report("circle", put("frames.sent", 0)).gate("frames.missed <= 1%")


def test_a_gate_on_a_report_without_sessions_fails() -> None:
    with pytest.raises(AssertionError, match=r"error_px\.l1\.mean has no value in this report \(no session\)"):
        report_of().gate("error_px.l1.mean <= 0.05")
    report_of().gate("run.seed == 7")


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("error_px.l1.maen", "error_px.l1.mean"),
        ("error.l1.mean", "error_px.l1.mean"),
        ("l1.mean", "error_px.l1.mean"),
        ("counts.missed", "frames.missed"),
        ("missed", "frames.missed"),
        ("latency.p99", "latency_us.p99"),
        ("run.sed", "run.seed"),
        ("zzzzz", "docs/report.md lists them"),
        ("frames.sent.more", "frames.sent"),
    ],
)
def test_an_unknown_figure_is_refused_with_the_nearest_ones(path: str, nearest: str) -> None:
    with pytest.raises(ValueError) as raised:
        report().gate(f"{path} <= 1")
    assert f"no figure {path}: " in str(raised.value)
    assert nearest in str(raised.value)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("task", "task is 'circle'"),
        ("run.config.border", "run.config.border is false"),
        ("run.config.unused_options", "is a list"),
        ("sessions", "sessions is a list"),
        ("error_px.bias", "is a group of 2 figures, so name one of them: error_px.bias.x, error_px.bias.y"),
    ],
)
def test_a_condition_on_a_value_that_is_not_a_number_is_refused(path: str, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        report().gate(f"{path} == 0")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("condition", "advice"),
    [
        ("", "write PATH OP NUMBER"),
        ("error_px.l1.mean", "write PATH OP NUMBER"),
        ("error_px.l1.mean <=", "error_px.l1.mean <= 0.05"),
        ("<= 0.05", "write PATH OP NUMBER"),
        ("0.05 >= error_px.l1.mean", "write PATH OP NUMBER"),
        ("error_px.l1.mean 0.05", "OP is one of < <= > >= == !="),
        ("error_px.l1.mean =< 0.05", "OP is one of"),
        ("frames.missed = 0", 'write "=="'),
        ("error_px.l1.mean <= nan", "write PATH OP NUMBER"),
        ("error_px.l1.mean <= inf", "write PATH OP NUMBER"),
        ("error_px.l1.mean <= 1e9999", "write PATH OP NUMBER"),
        ("error_px.l1.mean <= 0,05", "give each comparison as a string of its own"),
        ("error_px.l1.mean <= 1 and frames.missed == 0", "give each comparison as a string of its own"),
        ("error_px.l1.mean <= 1\nfrom", "write PATH OP NUMBER"),
        ("latency_us.p99 <= 5min", "units are us, ms, s and %"),
        ("task == circle", "write PATH OP NUMBER"),
        ("error_px..mean <= 1", "write PATH OP NUMBER"),
        ("0 < error_px.l1.mean < 1", "write PATH OP NUMBER"),
        ("__import__('os') == 1", "write PATH OP NUMBER"),
    ],
)
def test_a_text_that_is_not_a_condition_is_refused_and_the_error_says_what_is_valid(condition: str, advice: str) -> None:
    with pytest.raises(ValueError) as raised:
        report().gate(condition)
    assert f"{condition!r} is not a condition: " in str(raised.value)
    assert advice in str(raised.value)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("error_px.l1.mean <= 5ms", "error_px.l1.mean is not a time, so its limit cannot be in ms"),
        ("frames.sent <= 5s", "frames.sent is not a time"),
        ("error_px.l1.mean <= 5%", "error_px.l1.mean is neither a share nor a count of frames"),
        ("latency_us.p99 <= 5%", "latency_us.p99 is neither a share nor a count of frames"),
        ("run.seed <= 5%", "run.seed is neither a share nor a count of frames"),
        ("count.mean_error <= 5%", "count.mean_error is neither a share nor a count of frames"),
    ],
)
def test_a_unit_that_does_not_fit_the_figure_is_refused(condition: str, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        report().gate(condition)
    assert message in str(raised.value)


def test_a_gate_needs_conditions_that_are_strings() -> None:
    with pytest.raises(ValueError, match="a gate needs a condition"):
        report().gate()
    with pytest.raises(TypeError, match="a condition is a string such as"):
        report().gate(0.05)  # type: ignore[arg-type]


def test_several_conditions_are_all_checked_and_all_failures_reported() -> None:
    made = report("circle", put("error_px.l1.mean", 0.07), put("frames.missed", 3))
    made.gate("error_px.l1.mean <= 0.08", "frames.missed <= 3")
    with pytest.raises(AssertionError) as raised:
        made.gate("error_px.l1.mean <= 0.05", "frames.sent == 20", "frames.missed == 0")
    assert str(raised.value).splitlines() == [
        "2 conditions do not hold:",
        "  error_px.l1.mean is 0.07, which is not <= 0.05",
        "  frames.missed is 3, which is not == 0",
    ]


def test_a_wrong_condition_is_refused_before_any_is_compared() -> None:
    with pytest.raises(ValueError, match=r"no figure frames\.mist"):
        report().gate("error_px.l1.mean <= 0", "frames.mist == 0")


def test_with_several_sessions_a_condition_must_hold_in_each() -> None:
    made = report_of(session(4), session(9, put("frames.missed", 3)))
    made.gate("error_px.l1.mean <= 0.05", "run.seed == 7")
    with pytest.raises(AssertionError) as raised:
        made.gate("frames.missed == 0")
    assert str(raised.value) == "frames.missed is 3 in session 9, which is not == 0"


def test_a_session_without_the_figure_fails_the_gate() -> None:
    made = report_of(session(1, put("pipeline_errors", 0)), session(2), session(3, no_circle))
    with pytest.raises(AssertionError) as raised:
        made.gate("pipeline_errors == 0")
    why = "(the server does not see exceptions on the client's side of a link)"
    assert str(raised.value).splitlines() == [
        "2 conditions do not hold:",
        f"  pipeline_errors has no value in session 2 {why}",
        f"  pipeline_errors has no value in session 3 {why}",
    ]
    with pytest.raises(AssertionError, match=r"error_px\.l1\.max has no value in session 3 \(no frame was answered"):
        made.gate("error_px.l1.max <= 1")


def test_the_exact_share_of_the_task_count_takes_percent() -> None:
    made = report("count")
    made.gate("count.exact_share >= 95%", "count.exact >= 95%", "count.exact_share_low > 80%")
    with pytest.raises(AssertionError, match=r"count\.exact_share_low is 83\.887 %, which is not > 90 %"):
        made.gate("count.exact_share_low > 90%")


def test_an_inconclusive_gate_warns_and_with_strict_fails() -> None:
    condition, made = "frames.missed <= 1%", report("circle", put("frames.missed", 0))
    says = r"frames\.missed is 0, 0 % of 20 frames sent .* does not decide <= 1 %: about 299 frames would decide"
    with pytest.warns(InconclusiveGate, match=says) as caught:
        made.gate(condition)
    assert caught[0].filename == __file__
    with pytest.raises(AssertionError, match=says):
        made.gate(condition, strict=True)
    (verdict,) = made.judge(condition)
    assert (verdict.verdict, verdict.value, verdict.frames_needed) == ("inconclusive", 0, 299)


def test_a_gate_is_judged_by_the_bounds_that_the_report_has() -> None:
    bounds = {"error_px.l1.mean": {"low": 0.049, "high": 0.051, "samples": 300}}
    made = report("circle", put("error_px.l1.mean", 0.05), put("bounds", bounds))
    made.gate("error_px.l1.mean <= 0.051")
    assert [made.judge(f"error_px.l1.mean <= {limit}")[0].verdict for limit in (0.052, 0.05, 0.048)] == [
        "pass",
        "inconclusive",
        "fail",
    ]
    assert made.gates == ()


def test_a_code_of_the_task_ack_can_be_gated() -> None:
    report("ack").gate("ack.codes.0 == 100%", "ack.other_codes == 0")


@pytest.mark.parametrize("module", ["_node", "_report"])
def test_the_examples_of_the_documentation_are_true(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"plumb.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
