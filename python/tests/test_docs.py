"""What a reader sees: docstrings, examples, types."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import child
import pytest

import plumb
from plumb import _plumb

PACKAGE = Path(plumb.__file__).parent

needs_mypy = pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")


def documented() -> list[tuple[str, str]]:
    """Names and docstrings of the stub of the compiled module."""
    tree = ast.parse((PACKAGE / "_plumb.pyi").read_text())
    found: list[tuple[str, str]] = []

    def visit(node: Any, path: str) -> None:
        for inner in node.body:
            if isinstance(inner, ast.ClassDef | ast.FunctionDef):
                name = f"{path}{inner.name}"
                if text := ast.get_docstring(inner):
                    found.append((name, text))
                if isinstance(inner, ast.ClassDef):
                    visit(inner, f"{name}.")

    visit(tree, "")
    return found


@pytest.mark.parametrize(("path", "text"), documented(), ids=lambda value: value.split()[0])
def test_the_stub_and_the_module_say_the_same(path: str, text: str) -> None:
    value: Any = _plumb
    for name in path.split("."):
        value = getattr(value, name)
    assert " ".join((value.__doc__ or "").split()) == " ".join(text.split())


def test_all_that_is_public_has_a_docstring() -> None:
    for name in plumb.__all__:
        value = getattr(plumb, name)
        if name != "__version__":
            assert value.__doc__, name
        if inspect.isclass(value) and not issubclass(value, dict):
            for inner, method in vars(value).items():
                if not inner.startswith("_") and inspect.isfunction(method):
                    assert method.__doc__, f"{name}.{inner}"


@pytest.mark.parametrize("module", sorted(path.stem for path in PACKAGE.glob("*.py")))
def test_the_examples_in_docstrings_are_true(module: str) -> None:
    loaded = importlib.import_module("plumb" if module == "__init__" else f"plumb.{module}")
    assert doctest.testmod(loaded, extraglobs={"plumb": plumb}).failed == 0


@needs_mypy
@pytest.mark.parametrize(
    "command", [["mypy.stubtest", "plumb"], ["mypy", "--strict", "-p", "plumb"]], ids=["stubtest", "mypy"]
)
def test_the_types_are_right(command: list[str], tmp_path: Path) -> None:
    # mypy finds installed packages on its own, so their path must not be given.
    is_installed = "site-packages" in PACKAGE.parts
    environment = dict(os.environ) if is_installed else {**child.environment(), "MYPYPATH": str(child.HOME)}
    ran = subprocess.run(
        [sys.executable, "-m", *command], check=False, capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_classes_belong_to_the_public_module() -> None:
    for name in ("Circle", "Client", "Frames", "Tally", "Truth"):
        assert getattr(plumb, name).__module__ == "plumb"
