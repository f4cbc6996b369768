"""Runs Python code in a process of its own, for what ends a process: signals, exits, crashes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import plumb

# How long a child may take before the test fails. No test waits for it in a good run.
LIMIT_S = 60

# The folder of the package that this process sees: that of the repository, or of what is installed.
HOME = Path(plumb.__file__).parent.parent


def environment() -> dict[str, str]:
    """The environment of a child that sees the package that this process sees, wherever it runs."""
    return {**os.environ, "PYTHONPATH": str(HOME)}


@contextmanager
def started(code: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A child that runs `code`. It sees the package that this process sees."""
    # A shell's background job ignores SIGINT, and so would its children.
    hears = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    command = [sys.executable, *options, "-c", hears + textwrap.dedent(code)]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tempfile.gettempdir(), env=environment()
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def ran(code: str, *options: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a child that ran to its end."""
    with started(code, *options) as child:
        out, err = child.communicate(timeout=LIMIT_S)
        return child.returncode, out, err


def interrupted(code: str) -> tuple[int, str, str]:
    """The same, with SIGINT sent as soon as the child prints its first line."""
    with started(code) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=LIMIT_S)
        return child.returncode, first + out, err
