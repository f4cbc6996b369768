#!/usr/bin/env python3
"""Checks that every test and script that docs/trust.md names exists, and that the tables have all fuzz targets."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/trust.md"


def main():
    text = PAGE.read_text()
    named = sorted({name for name in re.findall(r"`([\w./-]+(?:::\w+)?)`", text) if "/" in name})
    problems = [problem for name in named if (problem := missing(name))]
    targets = {path.stem for path in (ROOT / "fuzz/fuzz_targets").glob("*.rs")}
    problems += [f"the fuzz target {target} is not in the table" for target in sorted(targets) if f"/{target}.rs`" not in text]
    if problems:
        sys.exit("\n".join(f"docs/trust.md: {problem}" for problem in problems))
    print(f"docs/trust.md: {len(named)} tests and scripts are there")


def missing(name):
    path, _, function = name.partition("::")
    file = Path(path) if path.startswith("/") else ROOT / path
    if not file.exists():
        return f"there is no {path}"
    # Tests in Rust and Python, and functions of shell scripts.
    if function and not re.search(rf"^\s*(?:(?:async )?fn {function}\(|def {function}\(|{function}\(\) \{{)", file.read_text(), re.M):
        return f"{path} has no {function}"
    return None


if __name__ == "__main__":
    main()
