"""Groups of a report's figures: read-only, by attribute and by name."""

from __future__ import annotations

import difflib
import keyword
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn


class Node(Mapping[str, Any]):
    """A JSON object of the report: a read-only mapping whose names are attributes too.

    Objects are nodes, arrays are tuples, and `null` is `None`. A name that is not an identifier, or that is also a
    method of mappings (`keys`, `items`, `values`, `get`), is read as `node["name"]`.

    >>> node = Node({"l1": {"mean": 0.25, "max": None}, "codes": {"0": 60}})
    >>> node.l1.mean
    0.25
    >>> node["codes"]["0"]
    60
    >>> dict(node.l1)
    {'mean': 0.25, 'max': None}
    >>> node.l1.maen
    Traceback (most recent call last):
    AttributeError: there is no 'maen' here, only mean, max; did you mean 'mean'?
    """

    __slots__ = ("_items",)

    _items: dict[str, Any]

    def __init__(self, items: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_items", {name: _frozen(value) for name, value in items.items()})

    def __getitem__(self, name: str) -> Any:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        """Whether the other mapping has the same names and values. A list equals the tuple that stands for it."""
        return isinstance(other, Mapping) and plain(self) == plain(Node(other))

    def __getattr__(self, name: str) -> Any:
        # Python and notebooks ask for many names with an underscore. Reports have none.
        if name.startswith("_"):
            raise AttributeError(f"a node has no {name!r}")
        if name not in self._items:
            raise AttributeError(missing(name, self._items))
        return self._items[name]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name!r} cannot be set: a report is read-only")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name!r} cannot be deleted: a report is read-only")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *attributes(self)})

    def __repr__(self) -> str:
        return f"Node({plain(self)!r})"

    def __reduce__(self) -> tuple[type[Node], tuple[dict[str, Any]]]:
        return Node, (self._items,)


def attributes(names: Iterable[str]) -> list[str]:
    """The names that Python accepts after a dot, for completion."""
    return [name for name in names if name.isidentifier() and not keyword.iskeyword(name)]


def missing(name: str, names: Iterable[str]) -> str:
    """The message for a name that does not exist: the names that do, and the closest of them."""
    known = list(names)
    message = f"there is no {name!r} here, only {', '.join(known) or 'an empty object'}"
    closest = difflib.get_close_matches(name, known, n=1)
    return f"{message}; did you mean {closest[0]!r}?" if closest else message


def figure(node: Node, path: str) -> Any:
    """The value at `path`, names joined by dots; `None` if it, or a group on the way to it, is `null`.

    Raises `KeyError` if the path does not exist.

    >>> figure(Node({"l1": {"mean": 0.25}, "image": None}), "l1.mean")
    0.25
    >>> figure(Node({"l1": {"mean": 0.25}, "image": None}), "image.psnr_db.mean") is None
    True
    """
    value: Any = node
    for name in path.split("."):
        if value is None:
            return None
        if not isinstance(value, Node):
            raise KeyError(path)
        value = value[name]
    return value


def plain(value: Any) -> Any:
    """The same value as `dict` and `list`, as `json` has it."""
    if isinstance(value, Node):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [plain(inner) for inner in value]
    return value


def finite(value: Any) -> Any:
    """The same as `plain`, with `None` for a number that is not finite, which JSON does not have."""
    if isinstance(value, Node):
        return {name: finite(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping) and not isinstance(value, Node):
        return Node(value)
    if isinstance(value, list | tuple):
        return tuple(_frozen(inner) for inner in value)
    return value
