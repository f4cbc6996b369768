"""Frames of 16 bits: arrays of uint16, from a folder to the score, and in the detector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import plumb


def depth(x: float) -> np.ndarray:
    """A plane at 3 m, and a ball of radius 16 px in front of it, in mm."""
    rows, columns = np.mgrid[:120, :160]
    return np.where(np.hypot(columns - x, rows - 60) <= 16, 2500, 3000).astype(np.uint16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index in range(3):
        image = depth(60 + index)
        head = f"P5 {image.shape[1]} {image.shape[0]} 65535\n".encode()
        (tmp_path / f"{index}.pgm").write_bytes(head + image.astype(">u2").tobytes())
    return tmp_path


def test_frames_are_read_only_arrays_of_uint16_and_come_back_identical(folder: Path) -> None:
    seen = []

    def echo(frame: np.ndarray) -> np.ndarray:
        seen.append(frame)
        return frame

    report = plumb.evaluate(echo, source=str(folder), pixel="gray16", task="image", frames=None)
    assert report.sessions[0].image.identical == 3
    for index, frame in enumerate(seen):
        assert frame.dtype == np.uint16 and not frame.flags.writeable and not frame.flags.owndata
        np.testing.assert_array_equal(frame, depth(60 + index))


def test_detect_scales_uint16() -> None:
    found = plumb.detect(depth(60))
    assert found is not None and abs(found.x - 60) < 0.5 and abs(found.y - 60) < 0.5


def test_other_arrays_are_refused_with_what_is_right() -> None:
    with pytest.raises(TypeError, match="uint16"):
        plumb.detect(depth(60).astype(np.int32))  # type: ignore[arg-type]


def test_the_depth_camera_gives_millimetres_with_their_truth_in_any_order() -> None:
    frames = plumb.frames(source="depth", frames=4, seed=1, fps=5)
    for index in (3, 0):
        image, truth = frames[index]
        assert image.dtype == np.uint16 and image.shape == (424, 512)
        assert set(np.unique(image)) == {0, 1500, 2000} and truth.limit is None
        rows, columns = np.nonzero(image == 1500)
        # Sums over whole pixels miss the centre by less than a tenth of a pixel.
        assert truth.x is not None and truth.y is not None
        assert abs(columns.mean() - truth.x) < 0.1 and abs(rows.mean() - truth.y) < 0.1
