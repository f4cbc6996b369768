"""The table of frames as a structured array."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

# Columns that always have a value. All other numbers are float64, with NaN where there is none.
WHOLE = {"session", "frame", "source_index", "captured_us"}

# Columns of words; all others are numbers.
WORDS = {"outcome", "lost_by", "truth", "kind", "pixel", "encoding", "match"}

# Letters of the longest word: `other shape` has 11.
WORD = "U16"


def structured(columns: list[tuple[str, list[str] | npt.NDArray[np.float64]]]) -> npt.NDArray[np.void]:
    """One row per frame, with the names of the CSV file: `report.frames["l1"]`."""
    kinds = [(name, _kind(name, values)) for name, values in columns]
    rows = np.empty(len(columns[0][1]), dtype=kinds)
    for name, values in columns:
        rows[name] = values
    return rows


def from_csv(path: Path) -> npt.NDArray[np.void]:
    """The rows of a table that the server wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    kinds = [(name, WORD if name in WORDS else "i8" if name in WHOLE else "f8") for name in names]
    cells = [
        tuple(cell or ("" if kind == WORD else "nan") for cell, (_, kind) in zip(row, kinds, strict=True)) for row in rows
    ]
    return np.array(cells, dtype=kinds)


def _kind(name: str, values: list[str] | npt.NDArray[np.float64]) -> str:
    if isinstance(values, list):
        return WORD
    return "i8" if name in WHOLE else "f8"
