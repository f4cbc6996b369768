#!/usr/bin/env python3
"""Makes the excerpts in README.md and docs/ from the real programs, or checks them.

    docs/excerpts.py            runs the commands and rewrites the excerpts
    docs/excerpts.py --check    compares the error figures, which are the same on every machine; exit code 1 if they differ

An excerpt stands between `<!-- excerpt: NAME -->` and `<!-- /excerpt -->`. Latencies and rates depend on the machine and
are not compared. `SERVER` names the program; without it the release build is made and used.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = ["--loopback", "--no-graphics", "--frames", "600", "--seed", "7"]
# Name: further options of the server, and whether only the error figures are shown.
EXCERPTS = {"summary": ([], False), "noise10": (["--noise", "10", "--radius", "10..40"], True)}
BLOCK = re.compile(r"(<!-- excerpt: (\w+) -->\n```text\n)(.*?)(```\n<!-- /excerpt -->)", re.DOTALL)


def server():
    if program := os.environ.get("SERVER"):
        return program
    subprocess.run(["cargo", "build", "--quiet", "--release", "--locked", "-p", "server"], cwd=ROOT, check=True)
    return str(ROOT / "target/release/server")


def summary(program, options):
    """The lines of the summary, without the session's heading."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PLUMB_")}
    run = subprocess.run([program, *OPTIONS, *options], capture_output=True, text=True, env=clean, timeout=120, check=True)
    lines = run.stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("session 1 "))
    return lines[start + 1 :]


def error_lines(lines):
    """The error figures: the line that begins with "error", and the lines that continue it."""
    start = next(i for i, line in enumerate(lines) if line.startswith("  error "))
    end = next((i for i in range(start + 1, len(lines)) if not lines[i].startswith("     ")), len(lines))
    return lines[start:end]


def main():
    checks = sys.argv[1:] == ["--check"]
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    program, made, wrong = server(), {}, 0
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = path.read_text()

        def fresh(block):
            head, name, old, tail = block.groups()
            options, only_errors = EXCERPTS[name]
            if name not in made:
                made[name] = summary(program, options)
            lines = made[name]
            shown = error_lines(lines) if only_errors else lines
            if checks and error_lines(old.splitlines()) != error_lines(shown):
                nonlocal wrong
                wrong += 1
                print(f"{path.relative_to(ROOT)}: {name} says", *error_lines(old.splitlines()), sep="\n")
                print("but the program says", *error_lines(shown), sep="\n")
            return head + "\n".join(shown) + "\n" + tail

        text = BLOCK.sub(fresh, text)
        if not checks:
            path.write_text(text)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
