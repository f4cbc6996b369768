"""`plumb.frames`: frames with their truth."""

from __future__ import annotations

from typing import Unpack

from ._options import RunOptions
from ._plumb import Frames


def frames(
    *, frames: int | None = 600, seed: int | None = None, task: str = "circle", **options: Unpack[RunOptions]
) -> Frames:
    """Frames with known truth, to train or test a detector: pairs of an array and a `plumb.Truth`.

    Iterate over them, or take one by its number: `plumb.frames(seed=7)[12]`. `len()` is the number of frames; with
    `frames=None` there is no end. The arrays are of uint8, (height, width), or (height, width, 3) in BGR; each is yours
    to write to. `truth` has `x`, `y`, `radius` and `limit` (the Cramér–Rao bound of the mean L1 error, in px); each is
    `None` if there is none.

    Options are those of `plumb.evaluate`; its frames are the same. The object can be pickled: another process gets the
    same frames from it, as a PyTorch `DataLoader` with workers does. Frames of a folder of images come in sequence only.
    """
    return Frames({"frames": frames, "seed": seed, "task": task, **options})
