"""`plumb.frames`: frames with their truth, in sequence, by number, and in other processes."""

from __future__ import annotations

import itertools
import multiprocessing
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import plumb
from plumb import Truth

OPTIONS: dict[str, Any] = {"seed": 11, "noise": 5, "size": (64, 48), "radius": (5, 10), "empty_rate": 0.2}


def data(**options: Any) -> plumb.Frames:
    return plumb.frames(**{"frames": 12, **OPTIONS, **options})


def test_frames_are_iterated_in_order_and_as_often_as_wanted() -> None:
    frames = data()
    first, second = list(frames), list(frames)
    assert len(frames) == len(first) == len(second) == 12
    assert all(same(a, b) for a, b in zip(first, second, strict=True))
    assert len({image.tobytes() for image, _ in first}) == 12


def same(a: tuple[np.ndarray, Truth], b: tuple[np.ndarray, Truth]) -> bool:
    return np.array_equal(a[0], b[0]) and a[1] == b[1]


def test_any_order_gives_the_frames_of_the_sequence() -> None:
    frames, sequence = data(), list(data())
    for index in [7, 0, 11, 3, 3, -1, -12]:
        assert same(frames[index], sequence[index])
    whole: Any = np.int64(5)
    assert same(frames[whole], sequence[5])


@pytest.mark.parametrize("index", [12, -13, 2**63, -(2**63), 2**200])
def test_a_frame_that_is_not_there_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match=f"frame {index} is not there: there are 12 frames"):
        data()[index]


@pytest.mark.parametrize("index", [-1, 10**8])
def test_a_frame_that_takes_long_to_reach_has_no_index(index: int) -> None:
    frames = plumb.frames(frames=10**12, size="64x48", seed=1)
    with pytest.raises(IndexError, match="only the first 100000000 of the 1000000000000 frames have an index"):
        frames[index]


@pytest.mark.parametrize("index", [1.0, "1", None, slice(0, 2)], ids=repr)
def test_an_index_is_a_whole_number(index: Any) -> None:
    with pytest.raises(TypeError):
        data()[index]


@pytest.mark.parametrize("options", [{}, {"pixel": "bgr8"}, {"empty_rate": 0, "task": "count"}], ids=str)
def test_the_frames_are_those_that_evaluate_passes_to_its_pipeline(options: dict[str, Any]) -> None:
    images: list[np.ndarray] = []
    answers = {"count": 0}
    task = options.get("task", "circle")

    def sees(image: np.ndarray) -> int | None:
        images.append(image)
        return answers.get(task)

    plumb.evaluate(sees, frames=12, **{**OPTIONS, **options})
    given = [image for image, _ in data(**options)]
    assert all(np.array_equal(*pair) for pair in zip(images, given, strict=True))


def test_the_truth_equals_that_of_the_report_to_the_last_digit() -> None:
    report = plumb.evaluate(plumb.detect, frames=60, **OPTIONS)
    kinds = set()
    for row, (_, truth) in zip(report.frames, data(frames=60), strict=True):
        kinds.add(truth.kind)
        assert row["truth"] == truth.kind
        for name, column in [("x", "truth_x"), ("y", "truth_y"), ("radius", "truth_radius"), ("limit", "limit_l1")]:
            assert getattr(truth, name) == (None if np.isnan(row[column]) else row[column])
    assert kinds == {"ball", "no ball"}


def test_the_truth_of_a_ball_of_a_count_and_of_an_empty_frame() -> None:
    ball = data(empty_rate=0)[0][1]
    assert (ball.kind, ball.count, ball.is_bound) == ("ball", 1, True)
    assert ball.limit is not None and 0 < ball.limit < 1
    without_noise = data(empty_rate=0, noise=0)[0][1]
    assert without_noise.limit is not None and not without_noise.is_bound
    empty = data(empty_rate=1)[0][1]
    assert (empty.kind, empty.count) == ("no ball", 0)
    assert (empty.x, empty.y, empty.radius, empty.limit) == (None, None, None, None)
    counts = [truth.count for _, truth in data(empty_rate=0, task="count", balls=(1, 3))]
    assert {1, 2, 3} >= set(counts) and len(set(counts)) > 1


@pytest.mark.parametrize(("pixel", "shape"), [("gray8", (48, 64)), ("bgr8", (48, 64, 3))])
def test_arrays_are_the_callers_own(pixel: str, shape: tuple[int, ...]) -> None:
    frames = data(pixel=pixel)
    assert frames.shape == shape
    for image in [frames[0][0], next(iter(frames))[0]]:
        assert image.shape == shape and image.dtype == np.uint8 and image.flags.writeable
        before = frames[0][0]
        image[:] = 0
        assert np.array_equal(frames[0][0], before)


def test_frames_without_an_end_have_numbers_but_no_length() -> None:
    frames = data(frames=None)
    assert bool(frames)
    with pytest.raises(TypeError, match="there is no end: give frames"):
        len(frames)
    assert all(same(frames[index], item) for index, item in enumerate(itertools.islice(frames, 20)))
    assert frames[100_000][1].kind in ("ball", "no ball")
    with pytest.raises(IndexError, match="from 0 to 99999999"):
        frames[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cv2 = pytest.importorskip("cv2")
    for number in range(3):
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((20, 30), number, np.uint8))
    return tmp_path


def test_a_folder_of_images_comes_in_sequence_only(folder: Path) -> None:
    frames = plumb.frames(source=folder)
    assert [image[0, 0] for image, _ in frames] == [0, 1, 2]
    assert {truth.kind for _, truth in frames} == {"unknown"} and frames.shape == (20, 30)
    for asks in (lambda: frames[0], lambda: len(frames)):
        with pytest.raises(TypeError, match="come in sequence: iterate over them"):
            asks()
    assert len(list(pickle.loads(pickle.dumps(frames)))) == 3


def test_an_image_that_cannot_be_read_is_skipped_and_named_in_the_log(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = plumb.frames(source=folder)
    (folder / "1.png").write_bytes(b"no image")
    assert [image[0, 0] for image, _ in frames] == [0, 2]
    assert "1.png: not an image" in caplog.text


# Other processes


def bytes_of(frames: plumb.Frames, index: int) -> tuple[bytes, Truth]:
    image, truth = frames[index]
    return image.tobytes(), truth


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_another_process_has_the_same_bytes(method: str) -> None:
    frames = plumb.frames(frames=6, noise=5, size=(64, 48), radius=8)
    here = [bytes_of(frames, index) for index in range(6)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        there = pool.starmap(bytes_of, [(frames, index) for index in range(6)])
    assert here == there


class Loader:
    """Does what a PyTorch DataLoader with workers does: each worker has a copy and indexes it."""

    def __init__(self, dataset: plumb.Frames, workers: int, method: str) -> None:
        self.dataset, self.workers, self.method = dataset, workers, method

    def __iter__(self) -> Iterator[tuple[int, bytes, Truth]]:
        context: Any = multiprocessing.get_context(self.method)
        order: Any = context.Queue()
        done: Any = context.Queue()
        shuffled = np.random.default_rng(0).permutation(len(self.dataset))
        for index in [*shuffled, *[None] * self.workers]:
            order.put(index)
        workers = [context.Process(target=serve, args=(self.dataset, order, done)) for _ in range(self.workers)]
        for worker in workers:
            worker.start()
        for _ in shuffled:
            yield done.get(timeout=60)
        for worker in workers:
            worker.join()
            assert worker.exitcode == 0


def serve(dataset: plumb.Frames, order: Any, done: Any) -> None:
    while (index := order.get()) is not None:
        image, truth = dataset[index]
        done.put((int(index), image.tobytes(), truth))


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_loader_with_workers_gets_every_frame(method: str) -> None:
    frames = data()
    loaded = {index: (image, truth) for index, image, truth in Loader(frames, 2, method)}
    assert loaded == {index: bytes_of(frames, index) for index in range(12)}


def test_frames_are_restored_with_their_seed() -> None:
    frames = plumb.frames(frames=3, size=(64, 48), radius=8)
    restored = pickle.loads(pickle.dumps(frames))
    assert restored.seed == frames.seed and all(same(*pair) for pair in zip(frames, restored, strict=True))
    assert all(same(*pair) for pair in zip(frames, eval(repr(frames)), strict=True))


@pytest.mark.parametrize("options", [{"empty_rate": 0}, {"empty_rate": 1}, {"empty_rate": 0, "task": "count"}], ids=str)
def test_truth_is_pickled_compared_and_read_back(options: dict[str, Any]) -> None:
    truth = data(**options)[3][1]
    assert pickle.loads(pickle.dumps(truth)) == truth == eval(repr(truth))
    assert truth != data(**options)[4][1] or truth.kind != "ball"
    with pytest.raises(AttributeError):
        truth.x = 1  # type: ignore[misc]


def test_circles_are_pickled_compared_and_read_back() -> None:
    from plumb import Circle

    full = Circle(1, 2, 3, cov=(1, 0.5, 2), axes=(3, 2), angle=0.25)
    for circle in (full, Circle(1, 2)):
        assert pickle.loads(pickle.dumps(circle)) == circle == eval(repr(circle))
    assert tuple(full) == (1, 2, 3) and full.cov == (1, 0.5, 2) and full.axes == (3, 2)
    for wrong in [(1, 2), np.zeros((2, 3)), np.array([[1, 2], [3, 4]]), "abc", 5, (1, 2, "3")]:
        with pytest.raises(TypeError, match="(?s)cov is .*: give .* or a symmetric matrix of 2x2"):
            Circle(1, 2, cov=wrong)  # type: ignore[arg-type]
