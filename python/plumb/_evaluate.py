"""`plumb.evaluate`: scores a function, without a network."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from . import _plumb
from ._options import RunOptions
from ._report import Report
from ._table import structured

Frame = npt.NDArray[np.uint8]


def evaluate(
    pipeline: Callable[[Frame], Any],
    *,
    frames: int | None = 600,
    seed: int | None = None,
    task: str = "circle",
    strict: bool = False,
    out: str | PathLike[str] | None = None,
    **options: Unpack[RunOptions],
) -> Report:
    """Calls `pipeline(frame)` with each frame of a run and scores what it returns.

    The frame is a read-only array of uint8, (height, width), or (height, width, 3) in BGR with `pixel="bgr8"`, or of
    uint16 with `pixel="gray16"`. It is not copied, and it never changes, so the pipeline may keep it. What the pipeline
    returns depends on the task:

    - `circle`: `None` (no circle), `(x, y)`, `(x, y, radius)` or a `plumb.Circle`, in px;
    - `count`: an int, the number of balls;
    - `ack`: `None` or an int, a code;
    - `image`: an array of uint8, (height, width) or (height, width, 3), or of uint16, (height, width), of at most as many
      bytes as the frame.

    `frames` is the number of frames, or `None` where `duration` sets the end. `seed` is drawn at random if it is `None`;
    `report.run.seed` has it. Arguments override a file named by `run`, and the file overrides the defaults. All other
    options have the names and defaults of the server's: `radius`, `noise`, `blur`, `size` (see `plumb.RunOptions`). The
    same options and seed give the error figures and counts of a server's run, to the last digit. Frames are rendered
    ahead on another thread and come as fast as the pipeline takes them: `fps` sets how far the ball moves between two
    frames. Latency is the time of the call.

    If the pipeline raises an exception, or returns a value out of range, the frame counts as dropped. The first
    traceback is shown on `sys.stderr`; `report.sessions[0].pipeline_errors` has the count. With `strict=True` the
    exception is raised instead. A value of a wrong type raises `TypeError` in any case.

    `out` names a folder, absent or empty, for everything that the server's `--out` writes: see docs/evidence.md.

    Raises `TypeError` or `ValueError` for a wrong option; the message says what would be right.
    """
    named = {"frames": frames, "seed": seed, "task": task, **options}
    text, columns = _plumb.evaluate(pipeline, named, strict, out)
    return Report(text, structured(columns))
