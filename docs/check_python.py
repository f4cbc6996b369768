#!/usr/bin/env python3
"""Runs the Python blocks of docs/python.md in order, as one program, and checks that they print what the page says.

    docs/check_python.py           compares; exit code 1 if anything differs
    docs/check_python.py --write   writes what they print into the page

The text block that follows a Python block is its output. Latencies depend on the machine and are not compared. Needs the
package `plumb`.
"""

import contextlib
import io
import re
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).resolve().parent / "python.md"
BLOCK = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL)
LATENCY = re.compile(r"^  latency .*\n", re.MULTILINE)


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit(__doc__)
    page, names, wrong = PAGE.read_text(), {"__name__": "tutorial"}, 0

    def checked(block):
        nonlocal wrong
        code, said = block["code"], block["output"] or ""
        printed = output(code, names, page.count("\n", 0, block.start()) + 1)
        if LATENCY.sub("", printed) == LATENCY.sub("", said):
            return block[0]
        wrong += 1
        print(f"docs/python.md: after\n{code}it says\n{said}but the program prints\n{printed}")
        return f"```python\n{code}```\n\n```text\n{printed}```\n"

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        written = BLOCK.sub(checked, page)
    if sys.argv[1:]:
        PAGE.write_text(written)
    else:
        sys.exit(1 if wrong else 0)


def output(code, names, line):
    """What a block prints. Its line numbers in tracebacks are those of the page."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile("\n" * line + code, PAGE, "exec"), names)  # noqa: S102  (the page is ours)
    return printed.getvalue()


if __name__ == "__main__":
    main()
