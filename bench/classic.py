#!/usr/bin/env python3
"""The time of `hough-classic` and of OpenCV's HoughCircles on the same photographs, with the same limits.

    bench/classic.py [--bin FOLDER] [--pictures FOLDER] [--rounds N]

The pictures are those of the detector benchmark's --pictures; they are fetched into the folder if it has none. Both look
for radii from 8 px to half the shorter side, with a threshold of 50 for edges and 30 for votes, on one thread. Both times
include reading the file. `hough-classic` is timed in one process by the difference between many copies of a file and one,
so that the start of the program does not count. Each time is the median of the rounds, and ours and theirs take turns.

Needs the client program (--bin, target/release) and runs with a Python that has OpenCV, such as the one that the detector
benchmark makes: target/tmp/opencv-venv/bin/python.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import time

import cv2

ROOT = pathlib.Path(__file__).resolve().parent.parent
FETCH = ROOT / "server/benches/detector/pictures/fetch.py"
# The thresholds are the defaults of `hough-classic` (client/src/pipeline/classic).
LEAST_RADIUS, EDGES, VOTES = 8, 50, 30
COPIES = 5


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def ours(client, picture, most):
    command = [client, "detect", "--pipeline", "hough-classic", "--min-radius", str(LEAST_RADIUS), "--max-radius", str(most)]

    def run(copies):
        ended = subprocess.run([*command, *[str(picture)] * copies], capture_output=True, text=True)
        if ended.returncode:
            sys.exit(ended.stderr)

    return (seconds(lambda: run(1 + COPIES)) - seconds(lambda: run(1))) / COPIES


def theirs(picture, most):
    def run():
        gray = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
        cv2.HoughCircles(
            gray, cv2.HOUGH_GRADIENT, 1, 1e5, param1=EDGES, param2=VOTES, minRadius=LEAST_RADIUS, maxRadius=most
        )

    return seconds(run)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "target/release", help="folder of the client program")
    parser.add_argument("--pictures", type=pathlib.Path, default=ROOT / "target/tmp/pictures", help="folder of the pictures")
    parser.add_argument("--rounds", type=int, default=3, help="times that each is measured")
    arguments = parser.parse_args()
    if not list(arguments.pictures.glob("*.*")):
        subprocess.run([sys.executable, FETCH, arguments.pictures], check=True)
    cv2.setNumThreads(1)
    client = (arguments.bin / "client").resolve()
    print(f"OpenCV {cv2.__version__}\n\n| picture | size | hough-classic, ms | OpenCV, ms | ratio |\n|---|---|---|---|---|")
    for picture in sorted(arguments.pictures.glob("*.*")):
        height, width = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE).shape
        most = min(height, width) // 2
        turns = [(ours(client, picture, most), theirs(picture, most)) for _ in range(arguments.rounds)]
        mine, other = (1e3 * statistics.median(each) for each in zip(*turns))
        print(f"| {picture.stem} | {width}x{height} | {mine:.0f} | {other:.0f} | {mine / other:.2f} |", flush=True)


if __name__ == "__main__":
    main()
