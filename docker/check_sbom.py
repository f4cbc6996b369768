#!/usr/bin/env python3
"""Checks the list of what a program is made of (docker/sbom.sh) against Cargo.lock.

    docker/check_sbom.py client|server FILE
"""

import json
import sys
import tomllib
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "Cargo.lock"


def main():
    program, file = sys.argv[1:]
    bom = json.loads(Path(file).read_text())
    locked = {(crate["name"], crate["version"]): crate.get("checksum") for crate in tomllib.loads(LOCK.read_text())["package"]}
    itself, crates = bom["metadata"]["component"], bom["components"]
    problems = [f"{crate['name']} {crate['version']} is not in Cargo.lock" for crate in crates if not agrees(crate, locked)]
    problems += [f"{name} is missing" for name in ("shared", "tokio", "webrtc") if name not in {crate["name"] for crate in crates}]
    problems += [f"{crate['name']} has no licence" for crate in [itself, *crates] if not crate.get("licenses")]
    if (bom["bomFormat"], itself["name"]) != ("CycloneDX", program) or not agrees(itself, locked):
        problems.append(f"it is about {itself}")
    if problems:
        sys.exit("\n".join(f"{file}: {problem}" for problem in problems))
    print(f"{program}: {len(crates)} crates, each as in Cargo.lock")


def agrees(crate, locked):
    """Whether Cargo.lock has this version with this checksum. Crates of this workspace have none."""
    version = (crate["name"], crate["version"])
    return version in locked and locked[version] == next((sum["content"] for sum in crate.get("hashes", [])), None)


if __name__ == "__main__":
    main()
