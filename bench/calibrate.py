#!/usr/bin/env python3
"""How long `server calibrate` takes for 100,000 pairs of truth and answer and a model of 14 parameters.

    bench/calibrate.py [--bin FOLDER] [--pairs N] [--rounds N]

Writes a CSV file of a ball that bounces in front of a tilted camera with distortion and a delay of 7.3 ms, and calibrates it
with the model homography+distortion+time (8 + 5 + 1 parameters). Prints the median time of the whole process, of which the
reading of the file is a part, and what it found of the delay. Goal: 1 s. Needs the server program (--bin, target/release).
"""

import argparse
import json
import math
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH, HEIGHT, FOCAL, RATE, DELAY_US, SIGMA_PX = 640, 480, 600.0, 60.0, 7300.0, 0.0087
HOMOGRAPHY = (1.003, 0.0035, 0.37, -0.0035, 1.002, -0.21, 2e-5, -1e-5)
K1, K2, P1, P2, K3 = -0.30, 0.10, 0.001, -0.0005, -0.02


def bounced(place, low, high):
    """A coordinate that moves steadily, reflected at both ends."""
    turn = (place - low) % (2 * (high - low))
    return low + min(turn, 2 * (high - low) - turn)


def truth(seconds):
    return bounced(101.0 + 149.7 * seconds, 20, WIDTH - 21), bounced(77.0 + 132.3 * seconds, 20, HEIGHT - 21)


def image(x, y):
    """Where the camera shows a point of the plane."""
    a, b, c, d, e, f, g, h = HOMOGRAPHY
    scale = g * x + h * y + 1
    u, v = (a * x + b * y + c) / scale, (d * x + e * y + f) / scale
    x, y = (u - (WIDTH - 1) / 2) / FOCAL, (v - (HEIGHT - 1) / 2) / FOCAL
    r2 = x * x + y * y
    radial = 1 + r2 * (K1 + r2 * (K2 + r2 * K3))
    x, y = x * radial + 2 * P1 * x * y + P2 * (r2 + 2 * x * x), y * radial + P1 * (r2 + 2 * y * y) + 2 * P2 * x * y
    return x * FOCAL + (WIDTH - 1) / 2, y * FOCAL + (HEIGHT - 1) / 2


def write(path, pairs):
    normal = random.Random(1)
    with open(path, "w") as file:
        file.write("frame,x,y,u,v,t_us\n")
        for frame in range(pairs):
            seconds = frame / RATE
            (x, y), (u, v) = truth(seconds), image(*truth(seconds - DELAY_US / 1e6))
            u, v = u + normal.gauss(0, SIGMA_PX), v + normal.gauss(0, SIGMA_PX)
            file.write(f"{frame},{x:.6f},{y:.6f},{u:.6f},{v:.6f},{seconds * 1e6:.3f}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "target/release")
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pairs, result = pathlib.Path(folder, "pairs.csv"), pathlib.Path(folder, "result.json")
        write(pairs, arguments.pairs)
        command = [arguments.bin / "server", "calibrate", pairs, "--size", f"{WIDTH}x{HEIGHT}", "--focal", str(FOCAL), "--json", result]
        command += ["--model", "homography+distortion+time", "--distortion", "plumb_bob"]
        took = []
        for _ in range(arguments.rounds):
            began = time.monotonic()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            took.append(time.monotonic() - began)
        parameters = json.loads(result.read_text())["parameters"]
    [delay] = [one for one in parameters if one["name"] == "time_offset_us"]
    print(f"{arguments.pairs} pairs, {len(parameters)} parameters: {statistics.median(took):.2f} s ({', '.join(f'{each:.2f}' for each in took)})")
    print(f"delay: {delay['value']:.2f} us, sigma {delay['sigma']:.2f} (planted: {DELAY_US})")


if __name__ == "__main__":
    main()
