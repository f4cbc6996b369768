#!/usr/bin/env python3
"""How often `server calibrate` rejects a lens model that lacks a term, and one that lacks nothing, for runs with `hough`.

    bench/omitted_term.py [--bin FOLDER] [--seeds N]

Each seed is a run of 600 frames in noise of 10 behind a lens with k1 = -0.3 and k2 = 0.002, with a run without a lens as
the reference. Calibrates it with k1 alone, and with k1 and k2. Goals: rejected in 95 % without k2, in at most 5 % with it.
Needs the server program (--bin, target/release).
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOCAL = ["--focal", "640"]


def record(server, folder, seed, *lens):
    command = [server, "--loopback", "--no-graphics", "--link", "memory", "--fps", "max", "--frames", "600", "--noise", "10"]
    command += ["--speed", "3000", "--seed", str(seed), "--out", folder, *lens]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def is_rejected(server, run, reference, distortion):
    command = [server, "calibrate", run, "--model", "homography+distortion", "--distortion", distortion, *FOCAL]
    found = subprocess.run([*command, "--reference", reference, "--json", "-"], check=True, capture_output=True, text=True)
    return json.loads(found.stdout)["fits"] is False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "target/release")
    parser.add_argument("--seeds", type=int, default=100)
    arguments = parser.parse_args()
    server, rejected = arguments.bin / "server", {"k1": 0, "k1k2": 0}
    for seed in range(1, arguments.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            run, reference = pathlib.Path(folder, "lens"), pathlib.Path(folder, "reference")
            record(server, run, seed, "--distortion", "plumb_bob:-0.3,0.002", *FOCAL)
            record(server, reference, 1000 + seed)
            for distortion in rejected:
                rejected[distortion] += is_rejected(server, run, reference, distortion)
    print(f"{arguments.seeds} seeds: without k2 rejected in {rejected['k1']}, with it in {rejected['k1k2']}")


if __name__ == "__main__":
    main()
