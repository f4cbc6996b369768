"""One condition of a gate: how it is written, and which units it may have."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

# Number of us in each unit of time.
TIMES = {"us": 1, "ms": 1_000, "s": 1_000_000}
PERCENT = "%"

# Figures that are shares: docs/report.md, `frames.lost_rate` and `count.exact_share`.
SHARE = re.compile(r"_(rate|share|share_low|share_high)$")

# Figures that count frames or answers: all of these objects, and these members of the others.
COUNTS = re.compile(
    r"((frames|circle|ack)\..*|count\.(scored|exact)|image\.(images|identical|other_shape)|pipeline_errors)"
)

CONDITION = re.compile(
    r"\s*(?P<path>[A-Za-z_][\w-]*(\.[\w-]+)*)"
    r"\s*(?P<operator><=|>=|==|!=|<|>)"
    # The exponent is bounded, so that the exact number stays small.
    r"\s*(?P<number>[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?)"
    r"\s*(?P<unit>%|us|ms|s)?\s*",
    re.ASCII,
)

EXAMPLE = '"error_px.l1.mean <= 0.05" or "latency_us.p99 <= 5ms"'


@dataclass(frozen=True)
class Condition:
    """A comparison of the figure at `path` with a number."""

    path: str
    operator: str
    number: str
    unit: str

    def holds(self, value: float) -> bool:
        """Whether the condition holds for a value in the unit of the figure, or as a share if the unit is `%`."""
        return OPERATORS[self.operator](value, self._limit())

    @property
    def wants_share(self) -> bool:
        """Whether the figure is a count that the condition compares as a share of the frames sent."""
        return self.unit == PERCENT and not SHARE.search(self.path)

    def describe(self, value: float) -> str:
        """A value in the unit of the condition: five digits if these fail as well, otherwise all digits."""
        if isinstance(value, int) and self._scale() == 1:
            return self._with_unit(str(value))
        scaled = float(Fraction(value) / self._scale())
        short = f"{scaled:.5g}"
        enough = "e" not in short and not self.holds(float(Fraction(short) * self._scale()))
        return self._with_unit(short if enough else repr(scaled))

    def limit(self) -> str:
        """Operator and number, such as `<= 5 ms`."""
        return f"{self.operator} {self._with_unit(self.number)}"

    def _limit(self) -> float:
        # Exact until the end: 0.1 % is the double nearest to 0.001, and a seed keeps its last digit.
        exact = Fraction(self.number) * self._scale()
        return exact.numerator if exact.denominator == 1 else float(exact)

    def _scale(self) -> Fraction:
        """Size of the condition's unit in the unit of the figure, or in shares of 1."""
        return Fraction(1, 100) if self.unit == PERCENT else Fraction(TIMES.get(self.unit, 1))

    def _with_unit(self, number: str) -> str:
        return f"{number} {self.unit}".rstrip()


def parse(text: str) -> Condition:
    """Reads `PATH OP NUMBER`, where NUMBER may have a unit.

    Raises `ValueError` if the text is not a condition, or if the unit does not fit the figure.

    >>> parse("latency_us.p99 <= 5ms")
    Condition(path='latency_us.p99', operator='<=', number='5', unit='ms')
    """
    if not isinstance(text, str):
        raise TypeError(f"a condition is a string such as {EXAMPLE}, not {text!r}")
    match = CONDITION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a condition: {_advice(text)}")
    condition = Condition(match["path"], match["operator"], match["number"], match["unit"] or "")
    _check_unit(condition)
    return condition


def _advice(text: str) -> str:
    """What would be right instead of a text that is not a condition."""
    if re.search(r"\b(and|or)\b|&&|\|\||[;,]", text):
        return f"give each comparison as a string of its own, such as {EXAMPLE}"
    if re.search(r"[^<>=!]=[^<>=]", text):
        return 'write "==" for "is equal to", such as "frames.missed == 0"'
    return f"write PATH OP NUMBER, such as {EXAMPLE}; OP is one of {' '.join(OPERATORS)}, units are us, ms, s and %"


def _check_unit(condition: Condition) -> None:
    path, unit = condition.path, condition.unit
    if unit in TIMES and not any(name.endswith("_us") for name in path.split(".")):
        raise ValueError(f"{path} is not a time, so its limit cannot be in {unit}: a time has _us in its name")
    if unit == PERCENT and not SHARE.search(path) and not COUNTS.fullmatch(path):
        raise ValueError(f"{path} is neither a share nor a count of frames, so its limit cannot be in %")
