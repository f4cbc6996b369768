"""Calibrations and corrections in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plumb
import pytest


def shifted(frame: Any) -> plumb.Circle | None:
    found = plumb.detect(frame)
    return None if found is None else plumb.Circle(found.x + 0.5, found.y - 0.25, found.radius, found.cov)


def test_a_shift_is_found_saved_and_corrected(tmp_path: Path) -> None:
    report = plumb.evaluate(shifted, frames=120, seed=7, noise=5)
    found = plumb.calibrate(report, model="offset", reference=plumb.evaluate(plumb.detect, frames=120, seed=8, noise=5))
    x, y = (one.value for one in found.parameters)
    assert abs(x - 0.5) < 0.01 and abs(y + 0.25) < 0.01 and found.fits is True
    found.save(tmp_path / "correction.toml")
    correction = plumb.Correction(tmp_path / "correction.toml")

    def corrected(frame: Any) -> plumb.Circle | None:
        circle = shifted(frame)
        return None if circle is None else correction.apply(circle)

    left = plumb.evaluate(corrected, frames=60, seed=9, noise=5)
    assert left.error_px.l1.mean < 0.02 and 0.5 < left.error_px.nees < 2
    verified = plumb.calibrate(report, model="offset", verify=plumb.evaluate(shifted, frames=60, seed=9, noise=5)).verified
    assert verified.after.rms_px < 0.02 < verified.before.rms_px


def test_a_correction_scales_radius_covariance_and_ellipse(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        'plumb_correction = 1\nform = "similarity"\nnames = ["scale", "rotation", "offset_x", "offset_y"]\n'
        "parameters = [2.0, 0.0, 1.0, 3.0]\n"
    )
    circle = plumb.Correction(file).apply(plumb.Circle(21, 43, 8, (0.4, 0.0, 0.8), (10, 6), 0.5))
    assert (circle.x, circle.y, circle.radius, circle.cov) == (10, 20, 4, (0.1, 0.0, 0.2))
    assert circle.axes == pytest.approx((5, 3)) and circle.angle == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "dance"}, "is not a model"),
        ({"distortion": "fish"}, "is not a lens distortion"),
        ({"target": "square"}, "is not a target"),
        ({"size": "big"}, "is not a size"),
        ({"model": "camera", "size": "64x48"}, "parameters and needs at least"),
    ],
)
def test_too_few_frames_and_wrong_options_are_refused(tmp_path: Path, options: dict[str, str], words: str) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("frame,x,y,u,v\n0,1,2,1,2\n1,2,5,2,5\n2,3,1,3,1\n3,5,5,5,5\n4,7,9,7,9\n")
    with pytest.raises(ValueError, match=words):
        plumb.calibrate(file, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is not a correction"):
        plumb.Correction(file)
