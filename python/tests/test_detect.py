"""`plumb.detect`: our detector on numpy arrays."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import plumb


@pytest.fixture(scope="module")
def ball() -> tuple[np.ndarray, plumb.Truth]:
    return plumb.frames(frames=1, seed=6, noise=5)[0]


def test_a_ball_is_found_where_it_is(ball: tuple[np.ndarray, plumb.Truth]) -> None:
    image, truth = ball
    circle = plumb.detect(image)
    assert circle is not None and circle.radius is not None and circle.cov is not None
    # Ten times the bound of the mean error.
    assert abs(circle.x - truth.x) + abs(circle.y - truth.y) < 10 * truth.limit  # type: ignore[operator]
    assert abs(circle.radius - 20) < 0.1


def test_it_is_the_detector_of_the_client() -> None:
    options: dict[str, Any] = {"frames": 10, "seed": 3, "noise": 5}
    rows = plumb.evaluate(plumb.detect, **options).frames
    for row, (image, _) in zip(rows, plumb.frames(**options), strict=True):
        circle = plumb.detect(image)
        assert circle is not None
        assert (circle.x, circle.y, circle.radius) == (row["x"], row["y"], row["radius"])
        assert circle.cov == (row["cov_xx"], row["cov_xy"], row["cov_yy"])


def test_the_circle_is_the_same_in_any_memory_layout(ball: tuple[np.ndarray, plumb.Truth]) -> None:
    image = ball[0]
    wide = np.zeros((480, 1280), np.uint8)
    wide[:, ::2] = image
    forms = [np.asfortranarray(image), wide[:, ::2], image[::-1].copy()[::-1], np.stack([image] * 3, axis=-1)]
    planes = np.ascontiguousarray(np.stack([image] * 3)).transpose(1, 2, 0)
    frozen = image.copy()
    frozen.setflags(write=False)
    assert all(plumb.detect(form) == plumb.detect(image) for form in [*forms, planes, frozen])


def test_a_view_of_a_frame_gives_the_same_circle_as_its_copy() -> None:
    found: list[tuple[plumb.Circle | None, plumb.Circle | None]] = []

    def looks(frame: np.ndarray) -> None:
        part = frame[:240, :320]
        found.append((plumb.detect(part), plumb.detect(part.copy())))
        found.append((plumb.detect(frame[:, ::-1]), plumb.detect(frame[:, ::-1].copy())))
        found.append((plumb.detect(frame.view(np.uint8)), plumb.detect(frame.copy())))
        found.append((plumb.detect(frame.reshape(240, 1280)), plumb.detect(frame.copy().reshape(240, 1280))))
        found.append((plumb.detect(frame.T), plumb.detect(frame.T.copy())))

    plumb.evaluate(looks, frames=5, seed=1, strict=True)
    assert len(found) == 25 and all(one == other for one, other in found)


def test_the_circle_is_found_in_an_image_of_16_bits(ball: tuple[np.ndarray, plumb.Truth]) -> None:
    image, truth = ball
    found = plumb.detect(image.astype(np.uint16) * 200 + 300)
    assert found is not None and truth.x is not None and truth.y is not None
    assert abs(found.x - truth.x) < 0.05 and abs(found.y - truth.y) < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (0, 0), (0, 5), (5, 0), (1, 5000), (3, 3, 3), (0, 5, 3), (2, 2)], ids=str)
def test_an_image_too_small_for_a_circle_has_none(shape: tuple[int, ...]) -> None:
    assert plumb.detect(np.zeros(shape, np.uint8)) is None


WRONG: list[tuple[Any, str]] = [
    (np.zeros((5, 5)), "an array of float64 with shape (5, 5)"),
    (np.zeros((5, 5, 3), np.uint16), "an array of uint16 with shape (5, 5, 3)"),
    (np.zeros((5, 5), bool), "an array of bool with shape (5, 5)"),
    (np.zeros(5, np.uint8), "an array of uint8 with shape (5,)"),
    (np.zeros((5, 5, 4), np.uint8), "an array of uint8 with shape (5, 5, 4)"),
    (np.zeros((5, 5, 1), np.uint8), "an array of uint8 with shape (5, 5, 1)"),
    ([[1, 2]], "a list of 1 (list)"),
    (None, "None"),
    ("image.png", "a str"),
    (np.uint8(3), "a uint8"),
]


@pytest.mark.parametrize(("image", "what"), WRONG, ids=lambda value: str(value)[:20])
def test_an_argument_that_is_not_an_image_is_named(image: Any, what: str) -> None:
    with pytest.raises(TypeError) as raised:
        plumb.detect(image)
    right = "give an array of uint8, (height, width) or (height, width, 3), or of uint16, (height, width)"
    assert str(raised.value) == f"image is {what}: {right}"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"min_radius": float("nan")}, "is not a number"),
        ({"max_radius": float("inf")}, "is not a number"),
        ({"min_radius": -1}, "must be above 0 px"),
        ({"max_radius": 0}, "must be above 0 px"),
        ({"min_radius": 30, "max_radius": 10}, "exceeds the largest, 10 px"),
    ],
    ids=str,
)
def test_an_impossible_limit_is_a_value_error(limits: dict[str, float], reason: str) -> None:
    with pytest.raises(ValueError, match="^min_radius, max_radius: ") as raised:
        plumb.detect(np.zeros((50, 50), np.uint8), **limits)
    assert reason in str(raised.value)


def test_limits_decide_what_is_found(ball: tuple[np.ndarray, plumb.Truth]) -> None:
    image = ball[0]
    assert plumb.detect(image, min_radius=15, max_radius=25) is not None
    assert plumb.detect(image, min_radius=40) is None
    assert plumb.detect(image, min_radius=1e9) is None
    assert plumb.detect(image, max_radius=5) is None
    assert plumb.detect(image, min_radius=np.float32(15), max_radius=1e300) is not None  # type: ignore[arg-type]
    # The detector of other limits is not used again.
    assert plumb.detect(image) is not None


def test_threads_detect_at_once(ball: tuple[np.ndarray, plumb.Truth]) -> None:
    image = ball[0]
    expected = plumb.detect(image)
    found: list[plumb.Circle | None] = []

    def many() -> None:
        found.extend([plumb.detect(image) for _ in range(10)])

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40 and all(circle == expected for circle in found)


def test_another_thread_runs_while_one_detects() -> None:
    # The switch interval is so long that the GIL changes hands only where it is given away.
    import sys

    interval = sys.getswitchinterval()
    image = np.random.default_rng(1).integers(0, 255, (480, 640), np.uint8)
    ran, done = threading.Event(), threading.Event()

    def counts() -> None:
        ran.set()

    sys.setswitchinterval(1000)
    try:
        other = threading.Thread(target=counts)

        def detects() -> None:
            while not ran.is_set():
                plumb.detect(image)
            done.set()

        detecting = threading.Thread(target=detects)
        detecting.start()
        other.start()
        assert done.wait(60)
        detecting.join()
        other.join()
    finally:
        sys.setswitchinterval(interval)
