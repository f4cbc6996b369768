"""`plumb.Server`: a real server in this process."""

from __future__ import annotations

from types import TracebackType
from typing import Self, Unpack

from . import _plumb
from ._options import ServerOptions
from ._report import Report
from ._table import structured


class Server:
    """A real server: it listens at a port and serves clients over WebRTC, as the program `server` does.

    >>> with plumb.Server(listen="127.0.0.1:0", frames=60, fps="max", seed=7) as server:  # doctest: +SKIP
    ...     plumb.Client(plumb.detect, server.address).run()
    ...     print(server.report())

    Options have the names and defaults of the program's; `listen` is 127.0.0.1:8080 unless it is given, and port 0 picks
    a free port. With `dial` it calls the client at this address instead, such as `plumb.Client(pipeline, listen=...)`.
    It listens when the constructor returns. It stops at the end of the `with` block, on `close()`, and when the last
    reference to it is gone.

    Raises `TypeError` or `ValueError` for a wrong option, and `OSError` if the port is taken.
    """

    def __init__(self, **options: Unpack[ServerOptions]) -> None:
        self._dial = options.get("dial")
        self._server = _plumb.Server(dict(options))

    @property
    def address(self) -> str:
        """Where it listens, as HOST:PORT for `plumb.Client`; with `dial`, the client that it calls."""
        return self._server.address or self._dial or "memory"

    @property
    def seed(self) -> int:
        """Seed of everything random."""
        return self._server.seed

    def report(self, timeout: float = 5.0) -> Report:
        """The report of all sessions that have ended.

        Waits at most `timeout` seconds for sessions in progress. `report.frames` has the latest million frames, including
        those of sessions in progress.
        """
        text, columns = self._server.results(timeout)
        return Report(text, structured(columns))

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the server ends, as with `once=True`, at most `timeout` seconds. Returns whether it has ended."""
        return self._server.wait(timeout)

    def close(self) -> None:
        """Stops the server, within a second. Sessions in progress end; their figures are in the report.

        Raises `RuntimeError` if the server had failed, for example to write a file.
        """
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"plumb.Server at {self.address}, seed {self.seed}"
