from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any, Self, TypeAlias, final

import numpy as np
import numpy.typing as npt

__all__ = [
    "Circle",
    "Client",
    "Correction",
    "FrameIterator",
    "Frames",
    "Server",
    "Tally",
    "Truth",
    "__version__",
    "absence",
    "calibrate",
    "detect",
    "evaluate",
    "judge",
    "machine_options",
    "run_options",
]

__version__: str

_Image: TypeAlias = npt.NDArray[np.uint8]
_Columns: TypeAlias = list[tuple[str, list[str] | npt.NDArray[np.float64]]]

@final
class Circle:
    """A circle that a pipeline found. Only its centre is scored.

    `x`, `y` and `radius` are in px. `cov` is the covariance of the centre, `(xx, xy, yy)` in px², or a symmetric matrix
    of 2x2. `axes` are the half-axes (a, b) of an ellipse in px, a >= b, with `angle`, the direction of a from +x towards
    +y in radians, from 0 to below pi.
    """

    def __new__(
        cls,
        x: float,
        y: float,
        radius: float | None = None,
        cov: npt.ArrayLike | None = None,
        axes: tuple[float, float] | None = None,
        angle: float | None = None,
    ) -> Self: ...
    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def radius(self) -> float | None: ...
    @property
    def cov(self) -> tuple[float, float, float] | None: ...
    @property
    def axes(self) -> tuple[float, float] | None: ...
    @property
    def angle(self) -> float | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __iter__(self) -> Iterator[float | None]: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Truth:
    """What a frame really shows.

    `kind` is `ball`, `balls`, `no ball` or `unknown`. `x`, `y` and `radius` are those of the ball at mid-exposure, in px.
    `limit` is the Cramér–Rao bound: the smallest mean L1 error of any unbiased estimate, in px. If `is_bound` is false,
    rounding is the only error, and the same formula gives only a reference. `count` is the number of balls.
    """

    def __new__(
        cls,
        kind: str,
        x: float | None = None,
        y: float | None = None,
        radius: float | None = None,
        limit: float | None = None,
        is_bound: bool = False,
        count: int | None = None,
    ) -> Self: ...
    @property
    def kind(self) -> str: ...
    @property
    def x(self) -> float | None: ...
    @property
    def y(self) -> float | None: ...
    @property
    def radius(self) -> float | None: ...
    @property
    def limit(self) -> float | None: ...
    @property
    def is_bound(self) -> bool: ...
    @property
    def count(self) -> int | None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Frames:
    """The frames of a run, with their truth. `plumb.frames` makes them."""

    def __new__(cls, options: dict[str, Any]) -> Self: ...
    @property
    def seed(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __getitem__(self, index: int, /) -> tuple[_Image, Truth]: ...
    def __iter__(self) -> FrameIterator: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class FrameIterator:
    def __iter__(self) -> Self: ...
    def __next__(self) -> tuple[_Image, Truth]: ...

@final
class Client:
    """A real client: it connects to a server, answers its frames with `pipeline`, and ends with the session.

    `pipeline` is a function as for `plumb.evaluate`, or the name of a built-in pipeline: "hough", "annotate",
    "exec:COMMAND". `server` is HOST:PORT; `None` looks for one on this machine and the local network. `workers` is
    the number of threads that call the pipeline. `link` is "webrtc", "tcp" or "grpc". `wait` says how long to look for
    the server. With `listen`, HOST:PORT, the client waits there for a server that calls (`plumb.Server(dial=...)`)
    instead, and the server chooses the link. With `token_file` the client accepts only servers that hold the token in
    this file, with `server_id` only the server with this fingerprint. With `tls_ca` it connects inside TLS. `strict`
    raises the pipeline's exceptions; otherwise their frames count as dropped.
    """

    def __new__(
        cls,
        pipeline: Callable[[_Image], Any] | str,
        server: str | None = "127.0.0.1:8080",
        workers: int = 1,
        *,
        listen: str | None = None,
        link: str = "webrtc",
        wait: str = "30s",
        strict: bool = False,
        token_file: str | PathLike[str] | None = None,
        server_id: str | None = None,
        tls_ca: str | PathLike[str] | None = None,
    ) -> Self: ...
    def run(self) -> Tally:
        """Connects, and answers frames until the session is over.

        Other Python threads go on meanwhile. Raises `ConnectionError` if there is no server or it is gone, and
        `KeyboardInterrupt` on Ctrl-C, after the server was told.
        """

@final
class Tally:
    """What a client did: numbers of frames `received` and `dropped`, of `answers` by kind, of `pipeline_errors`, and
    why the session ended (`end`)."""

    @property
    def received(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def answers(self) -> dict[str, int]: ...
    @property
    def pipeline_errors(self) -> int: ...
    @property
    def end(self) -> str: ...

@final
class Server:
    def __new__(cls, options: dict[str, Any]) -> Self: ...
    @property
    def address(self) -> str | None: ...
    @property
    def seed(self) -> int: ...
    def wait(self, timeout: float | None = None) -> bool: ...
    def close(self) -> None: ...
    def results(self, timeout: float) -> tuple[str, _Columns]: ...

def evaluate(
    pipeline: Callable[[_Image], Any],
    options: dict[str, Any],
    strict: bool,
    out: str | PathLike[str] | None = None,
) -> tuple[str, _Columns]: ...
@final
class Correction:
    """A correction, which moves circles to where the ball is.

    `file` is the `correction.toml` that `server calibrate` or `Calibration.save` wrote. `ValueError` if it is not a correction.
    """

    def __new__(cls, file: str | PathLike[str]) -> Self: ...
    @property
    def text(self) -> str: ...
    def apply(self, circle: Circle) -> Circle:
        """The corrected circle, with its covariance, radius and ellipse. A circle where the correction has no value stays as it is."""

def calibrate(
    inputs: list[str],
    model: str,
    distortion: str,
    target: str,
    focal: float | None = None,
    size: str | None = None,
    reference: str | None = None,
    verify: str | None = None,
) -> tuple[str, Correction]: ...
def judge(report: str, conditions: list[str]) -> str: ...
def absence(session: str, path: str) -> str: ...
def detect(
    image: _Image | npt.NDArray[np.uint16], *, min_radius: float | None = None, max_radius: float | None = None
) -> Circle | None:
    """Finds the most prominent circle in an image: an array of uint8, (height, width), or (height, width, 3) in BGR; or of
    uint16, (height, width), which is scaled to 8 bits (0 means no reading).

    `min_radius` and `max_radius` are in px; by default 8, or 1/60 of the shorter side if that is larger, and 1/2 of the
    shorter side. The circle has the covariance of its centre. `None` if there is no circle.
    """

def run_options() -> list[tuple[str, str]]: ...
def machine_options() -> list[tuple[str, str]]: ...
