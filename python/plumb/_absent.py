"""Why a figure has no value: the column "null" of docs/report.md, in words."""

from __future__ import annotations

import json

from . import _plumb
from ._node import Node, finite


def reason(session: Node, path: str) -> str:
    """Why the figure of `session` at `path` is `None`."""
    return _plumb.absence(json.dumps(finite(session)), path)
