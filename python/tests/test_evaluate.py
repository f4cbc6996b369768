"""`plumb.evaluate`: what the pipeline gets, what it may return, and what becomes of its exceptions."""

from __future__ import annotations

import functools
import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import child
import numpy as np
import pytest

import plumb

SIZE: dict[str, Any] = {"size": (64, 48), "radius": 10}


def told(answer: Any, task: str = "circle", **options: Any) -> plumb.Report:
    """The report of two frames that were all answered with this."""
    return plumb.evaluate(lambda _: answer, frames=2, seed=1, task=task, **SIZE, **options)


# Frames


@pytest.mark.parametrize(("pixel", "shape"), [("gray8", (48, 64)), ("bgr8", (48, 64, 3))])
def test_a_frame_is_a_read_only_view_without_a_copy(pixel: str, shape: tuple[int, ...]) -> None:
    def looks(frame: np.ndarray) -> None:
        assert frame.dtype == np.uint8 and frame.shape == shape
        assert not frame.flags.owndata and not frame.flags.writeable and frame.flags.c_contiguous
        assert type(frame.base).__name__ == "Pixels"
        with pytest.raises(ValueError, match="read-only"):
            frame[0, 0] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            frame.setflags(write=True)
        with pytest.raises(ValueError, match="WRITEABLE"):
            frame.flags.writeable = True

    plumb.evaluate(looks, frames=3, strict=True, pixel=pixel, **SIZE)


def test_frames_that_are_kept_keep_their_pixels() -> None:
    kept: list[np.ndarray] = []
    copies: list[np.ndarray] = []

    def keeps(frame: np.ndarray) -> None:
        kept.append(frame)
        copies.append(frame.copy())

    plumb.evaluate(keeps, frames=50, seed=3, noise=5, **SIZE)
    assert len({array.ctypes.data for array in kept}) == 50
    assert all(np.array_equal(view, copy) for view, copy in zip(kept, copies, strict=True))
    assert not np.array_equal(kept[0], kept[49])


def test_a_frame_outlives_its_report_and_its_run() -> None:
    kept: list[np.ndarray] = []
    plumb.evaluate(kept.append, frames=1, seed=3, **SIZE)
    gc.collect()
    assert np.array_equal(kept[0], plumb.frames(frames=1, seed=3, **SIZE)[0][0])


# Answers


class Tensor:
    """What torch and others have: `__array__`, a length, and entries with `__float__`."""

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return np.array([1.0, 2.0])

    def __len__(self) -> int:
        return 2

    def __getitem__(self, place: int) -> np.float32:
        return np.float32([1.0, 2.0][place])


@pytest.mark.parametrize(
    "answer",
    [
        (1, 2),
        (1.0, 2.0, 3.0),
        [1, 2],
        [np.float32(1), np.int64(2), np.uint8(3)],
        np.array([1, 2]),
        np.array([1.0, 2.0, 3.0], dtype=np.float32),
        (np.array(1.0), np.array(2.0)),
        Tensor(),
        plumb.Circle(1, 2),
        plumb.Circle(1, 2, 3, cov=(1, 0, 1)),
        plumb.Circle(1, 2, cov=np.eye(2)),
        plumb.Circle(1, 2, axes=(3, 2), angle=1),
    ],
    ids=repr,
)
def test_a_circle_is_accepted_in_many_forms(answer: Any) -> None:
    report = told(answer, strict=True)
    assert (report.counts.circle, report.counts.dropped) == (2, 0)
    assert (report.frames["x"] == 1).all() and (report.frames["y"] == 2).all()


def test_none_says_that_there_is_no_circle() -> None:
    assert told(None).counts.no_circle == 2


def test_a_covariance_reaches_the_score_as_tuple_and_as_matrix() -> None:
    def with_cov(cov: Any) -> plumb.Report:
        return told(plumb.Circle(30, 20, cov=cov), strict=True)

    as_tuple, as_matrix = with_cov((2, 0.5, 3)), with_cov(np.array([[2, 0.5], [0.5, 3]]))
    assert as_tuple.error_px.nees == as_matrix.error_px.nees > 0


@pytest.mark.parametrize("task", ["count", "ack"])
@pytest.mark.parametrize("answer", [3, np.int64(3), np.uint8(3), np.array(3)], ids=repr)
def test_whole_numbers_of_python_and_numpy_are_accepted(task: str, answer: Any) -> None:
    assert told(answer, task, strict=True).counts.answered == 2


def test_none_acknowledges() -> None:
    assert told(None, "ack", strict=True).counts.answered == 2


GRAY = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)


@pytest.mark.parametrize(
    "image",
    [
        GRAY,
        np.asfortranarray(GRAY),
        GRAY[::-1, ::-1],
        np.broadcast_to(np.uint8(3), (48, 64)),
        np.zeros((48, 64, 3), np.uint8),
        np.zeros((3, 48, 64), np.uint8).transpose(1, 2, 0),
        np.zeros((48, 65), np.uint8)[:, 1:],
    ],
    ids=["gray", "fortran", "reversed", "broadcast", "bgr", "planes", "slice"],
)
def test_an_image_is_accepted_in_any_memory_layout(image: np.ndarray) -> None:
    report = told(image, "image", strict=True, pixel="bgr8" if image.ndim == 3 else "gray8")
    assert report.counts.answered == report.image.images == 2 and report.image.other_shape == 0


def test_an_image_is_compared_with_its_frame_pixel_by_pixel() -> None:
    report = plumb.evaluate(lambda frame: np.asfortranarray(frame), frames=3, task="image", **SIZE)
    assert report.image.images == report.image.identical == 3


WRONG_TYPES: list[tuple[str, Any, str, str]] = [
    ("circle", "1, 2", "a str", "None, (x, y)"),
    ("circle", b"ab", "a bytes of 2", "None, (x, y)"),
    ("circle", ("1", 2), "a tuple of 2 (str, int)", "(x, y)"),
    ("circle", (True, 2), "a tuple of 2 (bool, int)", "(x, y)"),
    ("circle", (np.True_, 2), "a tuple of 2 (bool, int)", "(x, y)"),
    ("circle", (1j, 2), "a tuple of 2 (complex, int)", "(x, y)"),
    ("circle", (1, 2, 3, 4), "a tuple of 4", "(x, y, radius)"),
    ("circle", list(range(7)), "a list of 7", "(x, y, radius)"),
    ("circle", (), "a tuple of 0", "(x, y)"),
    ("circle", {1: 2, 3: 4}, "a dict of 2", "a plumb.Circle"),
    ("circle", {1, 2}, "a set of 2", "a plumb.Circle"),
    ("circle", 5, "an int", "(x, y)"),
    ("circle", object(), "an object", "(x, y)"),
    ("circle", plumb.Circle, "a type", "a plumb.Circle"),
    ("circle", np.zeros((1, 4, 3)), "an array of float64 with shape (1, 4, 3)", "(x, y)"),
    ("circle", np.zeros((2, 1)), "an array of float64 with shape (2, 1)", "(x, y)"),
    ("circle", np.array([1j, 2]), "an array of complex128 with shape (2,)", "(x, y)"),
    ("count", None, "None", "an int, the number of balls"),
    ("count", True, "a bool", "an int"),
    ("count", np.True_, "a bool", "an int"),
    ("count", 1.0, "a float", "an int"),
    ("count", "3", "a str", "an int"),
    ("count", np.array([3]), "an array of int64 with shape (1,)", "an int"),
    ("ack", False, "a bool", "None or an int"),
    ("ack", 1.5, "a float", "None or an int"),
    ("image", None, "None", "a numpy array of uint8"),
    ("image", GRAY.tolist(), "a list of 48", "a numpy array of uint8"),
    ("image", GRAY.astype(float), "an array of float64 with shape (48, 64)", "a numpy array of uint8"),
    ("image", GRAY.astype(bool), "an array of bool with shape (48, 64)", "a numpy array of uint8"),
    ("image", np.zeros((48, 64, 4), np.uint8), "with shape (48, 64, 4)", "(height, width, 3)"),
]


@pytest.mark.parametrize(("task", "answer", "came", "right"), WRONG_TYPES, ids=lambda value: str(value)[:30])
def test_a_wrong_type_is_a_type_error_that_says_what_came_and_what_is_right(
    task: str, answer: Any, came: str, right: str
) -> None:
    with pytest.raises(TypeError) as raised:
        told(answer, task)
    text = str(raised.value)
    assert text.startswith("the pipeline returned ") and came in text and right in text and task in text


WRONG_VALUES: list[tuple[str, Any, str]] = [
    ("circle", (float("nan"), 1), "x NaN is not a finite number"),
    ("circle", (1, float("inf")), "y inf is not a finite number"),
    ("circle", (1, 2, float("nan")), "radius NaN"),
    ("circle", (1e300, 1), "is not a finite number within"),
    ("circle", (10**400, 1), "x inf is not a finite number"),
    ("circle", plumb.Circle(1, 2, axes=(3, 1)), "axes without angle"),
    ("count", -1, "count is not a whole number from 0"),
    ("count", 2**200, "is too large"),
    ("ack", 2**64, "code is not a whole number of at most 64 bits"),
    ("image", np.zeros((0, 5), np.uint8), "0"),
    ("image", np.zeros((49, 64), np.uint8), "64x49"),
]


@pytest.mark.parametrize(("task", "answer", "reason"), WRONG_VALUES, ids=lambda value: str(value)[:30])
def test_a_value_out_of_range_drops_its_frame_and_the_reason_is_shown(
    task: str, answer: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = told(answer, task)
    assert (report.counts.dropped, report.sessions[0].pipeline_errors) == (2, 2)
    shown = capsys.readouterr().err
    assert shown.count("the pipeline failed on frame 0") == 1
    assert "ValueError: the pipeline's answer: " in shown and reason in shown
    with pytest.raises(ValueError, match="the pipeline's answer") as raised:
        told(answer, task, strict=True)
    assert reason in str(raised.value)


# Exceptions


def every_third(frame: np.ndarray, calls: list[int]) -> tuple[float, float] | None:
    calls.append(0)
    if len(calls) % 3 == 2:
        raise ZeroDivisionError(f"call {len(calls)}")
    circle = plumb.detect(frame)
    return circle and (circle.x, circle.y)


def test_an_exception_drops_its_frame_alone_and_the_first_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    report = plumb.evaluate(functools.partial(every_third, calls=[]), frames=9, seed=2)
    assert (report.counts.dropped, report.counts.circle, report.sessions[0].pipeline_errors) == (3, 6, 3)
    assert list(report.frames["outcome"]).count("dropped") == 3
    shown = capsys.readouterr().err
    assert shown.count("Traceback") == 1
    assert "on frame 1" in shown and "ZeroDivisionError: call 2" in shown and "in every_third" in shown


def test_strict_raises_the_exception_of_the_pipeline() -> None:
    wrong = RuntimeError("no")

    def raises(_: np.ndarray) -> None:
        raise wrong

    with pytest.raises(RuntimeError) as raised:
        plumb.evaluate(raises, frames=3, strict=True)
    assert raised.value is wrong and raised.traceback[-1].name == "raises"


def test_stop_iteration_drops_its_frame_like_any_exception() -> None:
    answers = iter([None, None])
    report = plumb.evaluate(lambda _: next(answers), frames=5, **SIZE)
    assert (report.counts.no_circle, report.counts.dropped) == (2, 3)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_exception_that_is_not_the_pipelines_ends_the_run(kind: type[BaseException]) -> None:
    def ends(_: np.ndarray) -> None:
        raise kind

    with pytest.raises(kind):
        plumb.evaluate(ends, frames=3)


def test_a_failing_pipeline_without_a_stderr_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert plumb.evaluate(lambda _: 1 / 0, frames=2, **SIZE).counts.dropped == 2


@pytest.mark.parametrize("pipeline", [None, 5, "hough", b"", [], np.zeros(3)], ids=repr)
def test_a_pipeline_that_cannot_be_called_is_refused(pipeline: Any) -> None:
    with pytest.raises(TypeError, match=f"pipeline is of type {type(pipeline).__name__}: give a function"):
        plumb.evaluate(pipeline)


class Detects:
    calls = 0

    def __call__(self, frame: np.ndarray) -> plumb.Circle | None:
        self.calls += 1
        return plumb.detect(frame)

    def method(self, frame: np.ndarray) -> plumb.Circle | None:
        return self(frame)


@pytest.mark.parametrize(
    ("pipeline", "name"),
    [
        (Detects(), "Detects"),
        (Detects().method, "Detects.method"),
        (functools.partial(plumb.detect, max_radius=30), "partial"),
        (plumb.detect, "detect"),
    ],
    ids=str,
)
def test_whatever_can_be_called_is_a_pipeline_and_its_name_is_in_the_report(pipeline: Any, name: str) -> None:
    report = plumb.evaluate(pipeline, frames=3)
    assert (report.counts.circle, report.sessions[0].client.name) == (3, name)


def test_the_send_method_of_a_generator_can_be_the_pipeline() -> None:
    def answers() -> Any:
        answer = None
        while True:
            frame = yield answer
            answer = plumb.detect(frame)

    generator = answers()
    next(generator)
    assert plumb.evaluate(generator.send, frames=4).counts.circle == 4


# Runs


def test_the_same_seed_gives_the_same_report_but_for_times() -> None:
    def untimed() -> tuple[dict[str, Any], list[Any]]:
        report = plumb.evaluate(plumb.detect, frames=30, seed=9, noise=5, radius=(10, 30), empty_rate=0.2)
        rows = report.frames[["frame", "outcome", "truth", "truth_x", "truth_y", "x", "y", "l1", "limit_l1"]]
        return dict(report.error_px), rows.tolist()

    (first, rows), (second, again) = untimed(), untimed()
    assert first == second and repr(rows) == repr(again)


def test_a_seed_that_is_not_given_is_drawn_and_in_the_report() -> None:
    report = plumb.evaluate(plumb.detect, frames=5, noise=5)
    again = plumb.evaluate(plumb.detect, frames=5, noise=5, seed=report.run.seed)
    assert again.error_px == report.error_px
    assert plumb.evaluate(plumb.detect, frames=5, noise=5).run.seed != report.run.seed


def test_a_duration_ends_a_run() -> None:
    calls = []

    def counts(frame: np.ndarray) -> None:
        calls.append(0)

    report = plumb.evaluate(counts, frames=None, duration="50ms", **SIZE)
    assert report.counts.sent == len(calls) > 1
    assert plumb.evaluate(counts, frames=3, duration="1h", **SIZE).counts.sent == 3


def test_a_run_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="without frames and duration it would never end"):
        plumb.evaluate(plumb.detect, frames=None)


def test_a_call_longer_than_the_deadline_loses_its_frame() -> None:
    def slow(_: np.ndarray) -> tuple[float, float]:
        time.sleep(0.01)
        return 1, 2

    report = plumb.evaluate(slow, frames=2, deadline="1ms", **SIZE)
    assert (report.counts.lost, report.counts.late, report.counts.circle) == (2, 2, 0)
    assert set(report.frames["outcome"]) == {"lost"}


def test_a_folder_of_images_is_a_source_whose_truth_is_unknown(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    images = [np.full((32, 40), level, np.uint8) for level in (10, 20, 30)]
    for number, image in enumerate(images):
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    seen: list[np.ndarray] = []

    def sees(frame: np.ndarray) -> tuple[int, int]:
        seen.append(frame)
        return 1, 2

    report = plumb.evaluate(sees, source=tmp_path)
    assert report.counts.sent == 3 and all(np.array_equal(*pair) for pair in zip(seen, images, strict=True))
    assert set(report.frames["truth"]) == {"unknown"} and report.error_px is None


def test_a_pipeline_may_evaluate() -> None:
    inner: list[plumb.Report] = []

    def nested(frame: np.ndarray) -> plumb.Circle | None:
        inner.append(plumb.evaluate(plumb.detect, frames=3, seed=4, noise=5))
        return plumb.detect(frame)

    outer = plumb.evaluate(nested, frames=3, seed=4, noise=5)
    assert [report.error_px == outer.error_px for report in inner] == [True] * 3


def test_threads_evaluate_at_once_with_the_same_figures() -> None:
    reports: list[plumb.Report] = []

    def one() -> None:
        reports.append(plumb.evaluate(plumb.detect, frames=20, seed=5, noise=5))

    together(one, 4)
    assert len(reports) == 4 and all(report.error_px == reports[0].error_px for report in reports)


def together(work: Callable[[], None], number: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_evaluations_leave_nothing_behind() -> None:
    class Pipeline:
        def __call__(self, frame: np.ndarray) -> tuple[float, float]:
            raise ValueError if frame[0, 0] == 0 else KeyError

    def once() -> None:
        with pytest.raises((ValueError, KeyError)):
            plumb.evaluate(Pipeline(), frames=2, strict=True, **SIZE)
        plumb.evaluate(lambda _: None, frames=2, **SIZE)

    once()
    gc.collect()
    objects, threads = len(gc.get_objects()), threading.active_count()
    for _ in range(200):
        once()
    gc.collect()
    # One object for each evaluation would be 400.
    assert len(gc.get_objects()) - objects < 100
    assert threading.active_count() == threads
    assert not [held for held in gc.get_objects() if isinstance(held, Pipeline)]


# Signals and ends of the process


@pytest.mark.parametrize(
    "pipeline", ["lambda frame: None", "plumb.detect", "lambda frame: time.sleep(0.02)"], ids=["fast", "rust", "asleep"]
)
def test_ctrl_c_raises_keyboard_interrupt(pipeline: str) -> None:
    code, out, _ = child.interrupted(f"""
        import plumb, time
        pipeline = {pipeline}
        told = []
        def tells(frame):
            told or print("running", flush=True)
            told.append(0)
            return pipeline(frame)
        try:
            plumb.evaluate(tells, frames=None, duration="1h", size=(64, 48), radius=10)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert (code, out) == (0, "running\ninterrupted\n")


def test_ctrl_c_is_heard_while_frames_are_waited_for() -> None:
    # A frame of this size takes far longer to render than the pipeline takes.
    code, out, _ = child.interrupted("""
        import plumb
        told = []
        def tells(frame):
            told or print("running", flush=True)
            told.append(0)
        try:
            plumb.evaluate(tells, frames=None, duration="1h", size=(4096, 4096), noise=5, blur=20)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    assert (code, out) == (0, "running\ninterrupted\n")


def test_a_program_ends_cleanly_while_daemon_threads_evaluate() -> None:
    code, out, err = child.ran("""
        import plumb, threading
        running = threading.Barrier(4)
        def evaluates():
            told = []
            def pipeline(frame):
                told or running.wait()
                told.append(0)
                return None
            plumb.evaluate(pipeline, frames=10**9, size=(64, 48), radius=10)
        def iterates():
            running.wait()
            for _ in plumb.frames(frames=None):
                pass
        for work in (evaluates, evaluates, iterates):
            threading.Thread(target=work, daemon=True).start()
        running.wait()
        print("end")
    """)
    assert (code, out, err) == (0, "end\n", "")


def test_nothing_warns_in_development_mode() -> None:
    code, out, err = child.ran(
        """
        import plumb, numpy as np
        def answers(frame):
            return np.array([1, 2])
        print(plumb.evaluate(answers, frames=3).counts.circle)
        """,
        "-X",
        "dev",
        "-W",
        "error",
    )
    assert (code, out, err) == (0, "3\n", "")


def test_a_forked_process_evaluates() -> None:
    code, out, err = child.ran("""
        import os, plumb
        frames = plumb.frames(frames=3, seed=1)
        plumb.evaluate(plumb.detect, frames=3)
        pid = os.fork()
        if pid == 0:
            print(plumb.evaluate(plumb.detect, frames=5).counts.circle, plumb.detect(frames[2][0]) is None, flush=True)
        else:
            print(os.waitpid(pid, 0)[1])
    """)
    assert (code, out) == (0, "5 False\n0\n"), err


def test_the_gates_of_a_run_are_judged_in_its_report() -> None:
    gates = ["frames.missed == 0", "frames.sent == 15", "error_px.l1.mean <= 1"]
    report = plumb.evaluate(lambda _: None, frames=20, seed=1, warmup=5, gate=gates)
    assert [gate.condition for gate in report.gates] == gates
    assert [gate.verdict for gate in report.gates] == ["fail", "pass", "no_data"]
    assert report.counts.warmup == 5
    assert report.frames["warmup"].sum() == 5
    assert "FAIL: frames.missed is 15, which is not == 0" in repr(report)
