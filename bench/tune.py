#!/usr/bin/env python3
"""Whether `server tune` finds settings for OpenCV's HoughCircles as good as the detector benchmark's, with a tenth of its frames.

    bench/tune.py [--bin FOLDER] [--python PYTHON] [--searches N] [--first N] [--compared-from SEED] [--frames N] [--seeds N]
                  [--noise N] [--ranges [--trials N]]

The condition is the benchmark's "noise 10", or another of its noises. The benchmark tries the settings of its gradient method on 200 frames each and
chooses one by its rule (server/benches/detector/settings.rs). `server tune` searches a small grid of blur and resolution; with
--ranges, four continuous ranges as in examples/tune, where it begins at OpenCV's own defaults, with which HoughCircles finds
nothing. Both are then compared on the same frames, which neither saw.

Each search has seeds of its own. It is compared with the benchmark's choice by the ratio of the mean errors of each 20 frames,
with its 95 % interval. The frames of a search are all that its trials had, those that failed included. The frames of its
report, which say nothing here, are listed after the plus sign. Needs the server program (--bin, target/release) and a Python
with server/benches/detector/opencv/requirements.txt (--python), such as the one that the benchmark makes.
"""

import argparse
import csv
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench/pairs"))
from ratio import ratio  # noqa: E402

# The rule of settings.rs, and the error from which marks.rs counts a disc as missed.
TRIED, SAME_MISSED, SAME_ERROR, LIMIT_US, MISSED_PX = 200, 0.005, 1.1, 50_000, 5.0
# Frames of a seed where settings are compared, and seeds that are apart from each other.
BLOCK, SEED_OF_CHOICE, SEED_OF_COMPARISON = 20, 1_000_000, 2_000_000

CIRCLES = """
import functools, json, pathlib
import cv2

cv2.setNumThreads(1)


def circle(frame, side, sigma, dp, param1, param2):
    image = cv2.GaussianBlur(frame, (side, side), sigma) if sigma else frame
    found = cv2.HoughCircles(image, cv2.HOUGH_GRADIENT, dp, 1e5, param1=param1, param2=param2, minRadius=10, maxRadius=40)
    return None if found is None else found[0, 0]


def find(frame, sigma=0.0, dp=1.0, param1=100.0, param2=100.0):
    return circle(frame, 0, sigma, dp, param1, param2)


# There is always one circle, and the best one is taken, so the threshold of the votes is low. Without a blur that would take
# seconds for a frame, so it is OpenCV's own, with which nothing is found.
def blurred(frame, sigma=0.0, dp=1.0):
    return circle(frame, 0, sigma, dp, 100.0, 10.0 if sigma else 100.0)


def measured(frame):
    return circle(frame, **setting)


file = pathlib.Path("setting.json")
setting = json.loads(file.read_text()) if file.exists() else {}
"""

# The ball moves by about its size from frame to frame, so that frames are nearly independent.
RUN = """
[run]
frames = {frames}
seed = {seed}
radius = "10..40"
noise = {noise}
speed = 3000
[pipeline]
name = "circles.py:{function}"
python = "{python}"
timeout = "20s"
"""

# A grid of 6 settings: three amounts of blur, and two resolutions of the votes. With a blur, thresholds of the votes from 10 to 30
# give the same errors (docs/benchmarks.md), so the grid leaves them out. With two frames of each seed, a frame without a circle
# still leaves its seed a figure, and the best settings are compared on 36 frames: there the least blur is 0.08 px worse than the
# others with a standard deviation of 0.03 px, and more frames would take more than a tenth of the benchmark's in some searches.
GRID = """
minimise = "error_px.l1.mean"
subject_to = ["missed <= 10%"]
method = "grid"
trials = {trials}
seeds = {seeds}
[parameters]
sigma = {{ choice = [1.0, 2.0, 3.0] }}
dp = {{ choice = [1.0, 1.5] }}
"""

# Ranges as in examples/tune. With one frame of each seed and the fewest seeds for each trial, fewer trials than usual stay
# below a tenth of the benchmark's frames in every search; 100 trials took up to 275.
RANGES = """
minimise = "error_px.l1.mean"
trials = {trials}
seeds = {seeds}
[parameters]
sigma = {{ from = 0.5, to = 5 }}
dp = {{ from = 1, to = 3 }}
param1 = {{ from = 10, to = 300, log = true }}
param2 = {{ from = 5, to = 60 }}
"""

# OpenCV's defaults, where a search does not say otherwise.
DEFAULTS = {"side": 0, "sigma": 0.0, "dp": 1.0, "param1": 100.0, "param2": 100.0}
BLURRED = DEFAULTS | {"param2": 10.0}


class Bench:
    def __init__(self, server, python, noise, folder):
        self.server, self.python, self.noise, self.folder = server, python, noise, pathlib.Path(folder)
        self.count = 0
        (self.folder / "circles.py").write_text(CIRCLES)

    def plan(self, head, **values):
        self.count += 1
        path = self.folder / f"plan-{self.count}.toml"
        path.write_text(head + RUN.format(python=self.python, noise=self.noise, **values))
        return path, self.folder / f"out-{self.count}"

    def run(self, *arguments):
        return subprocess.run([self.server, *arguments], cwd=self.folder, capture_output=True, text=True)

    def measure(self, setting, seed, frames):
        """The errors of a setting, by seed and frame (infinite if missed), and the times in us (infinite if it gave up)."""
        (self.folder / "setting.json").write_text(json.dumps(setting))
        head = f"repeats = {frames // BLOCK}\nframes = true\nlatency = true\n"
        plan, out = self.plan(head, frames=BLOCK, seed=seed, function="measured")
        ended = self.run("sweep", plan, "--out", out)
        if ended.returncode:
            sys.exit(f"server sweep: {ended.stderr}")
        errors, times = {}, []
        for rows in sorted(out.glob("trials/*/*/frames.csv")):
            of = tomllib.loads(rows.with_name("run.toml").read_text())["seed"]
            with rows.open() as text:
                for row in csv.DictReader(text):
                    error = float(row["l1"] or "inf")
                    errors[of, int(row["frame"])] = error if error <= MISSED_PX else float("inf")
                    times.append(float(row["detect_us"] or "inf"))
        return errors, times

    def search(self, number, text, function, block):
        """The setting of a search, or None; its frames, and those of its report."""
        head, parameters = text.split("[parameters]")
        plan, out = self.plan(head, frames=block, seed=1 + 1_000 * number, function=function)
        plan.write_text(plan.read_text() + "[parameters]" + parameters)
        ended = self.run("tune", plan, "--out", out, "--jobs", "1")
        if ended.returncode not in (0, 4):
            sys.exit(f"server tune: {ended.stderr}")
        blocks = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()[1:]]
        held_out = sum(block["held_out"] for block in blocks)
        frames = block * (len(blocks) - held_out), block * held_out
        if ended.returncode:
            return None, frames
        return (BLURRED if function == "blurred" else DEFAULTS) | tomllib.loads((out / "best.toml").read_text())["parameters"], frames


def settings_of_benchmark():
    text = (ROOT / "server/benches/detector/settings.rs").read_text()
    found = re.findall(r"^    gradient\((?:None|Some\(\((\d+), ([\d.]+)\)\)), ([\d.]+), ([\d.]+), ([\d.]+)\),$", text, re.M)
    assert f"const GRADIENTS: [Setting; {len(found)}]" in text, "settings.rs has another form"
    names = ("side", "sigma", "dp", "param1", "param2")
    return [dict(zip(names, [int(side or 0), *(float(each or 0) for each in rest)])) for side, *rest in found]


def missed(errors):
    return sum(error == float("inf") for error in errors.values()) / len(errors)


def mean(errors):
    known = [error for error in errors.values() if error < float("inf")]
    return statistics.mean(known) if known else float("inf")


def choose(bench):
    """The benchmark's choice, its setting with the least error, and the frames that it tries settings on."""
    tried, frames = [], 0
    for setting in settings_of_benchmark():
        errors, times = bench.measure(setting, SEED_OF_CHOICE, TRIED)
        # The benchmark leaves a setting at its first slow frame.
        slow = next((place for place, time in enumerate(times, 1) if time > LIMIT_US), None)
        frames += slow or len(times)
        if slow is None:
            tried.append((missed(errors), mean(errors), statistics.median(times), setting))
    fewest = min(each[0] for each in tried)
    tried = [each for each in tried if each[0] <= fewest + SAME_MISSED]
    least = min(tried, key=lambda each: each[1])
    fastest = min((each for each in tried if each[1] <= SAME_ERROR * least[1]), key=lambda each: each[2])
    return fastest[3], least[3], frames


def compared(errors, others):
    """The ratio of the errors to those of another setting in the same frames, with its interval."""
    blocks = []
    for seed in sorted({seed for seed, _ in errors}):
        both = [(others[key], error) for key, error in errors.items() if key[0] == seed and max(error, others[key]) < float("inf")]
        if both:
            blocks.append([statistics.mean(each) for each in zip(*both)])
    return ratio(*zip(*blocks))


def said(interval):
    return "{:.3f} ({:.3f} to {:.3f})".format(*interval)


def described(setting):
    return ", ".join(f"{name} {value:g}" for name, value in setting.items() if value or name != "side")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "target/release", help="folder of the programs")
    parser.add_argument("--python", type=pathlib.Path, default=ROOT / "target/tmp/opencv-venv/bin/python", help="a Python with OpenCV")
    parser.add_argument("--searches", type=int, default=10, help="searches, each with seeds of its own")
    parser.add_argument("--frames", type=int, default=2_000, help="frames that settings are compared on")
    parser.add_argument("--noise", type=float, default=10.0, help="noise of the frames, in gray levels")
    parser.add_argument("--first", type=int, default=1, help="number of the first search, which chooses its seeds")
    parser.add_argument("--compared-from", type=int, default=SEED_OF_COMPARISON, help="first seed of the new frames")
    parser.add_argument("--ranges", action="store_true", help="search continuous ranges in place of a grid")
    parser.add_argument("--trials", type=int, default=60, help="most settings that a search tries")
    parser.add_argument("--seeds", type=int, default=2, help="seeds of each trial; the best have three and nine times as many")
    arguments = parser.parse_args()
    text, function, block = (RANGES, "find", 1) if arguments.ranges else (GRID, "blurred", 2)
    text = text.format(trials=arguments.trials, seeds=arguments.seeds)
    with tempfile.TemporaryDirectory() as folder:
        # Not resolved: the name of a virtual environment's Python is a link.
        bench = Bench((arguments.bin / "server").resolve(), arguments.python.absolute(), arguments.noise, folder)
        chosen, least, budget = choose(bench)
        reference, _ = bench.measure(chosen, arguments.compared_from, arguments.frames)
        best, _ = bench.measure(least, arguments.compared_from, arguments.frames)
        print(f"the benchmark's choice, from {budget} frames: {described(chosen)}")
        print(f"  on {len(reference)} new frames: {mean(reference):.4f} px, {missed(reference):.2%} missed")
        print(f"its setting with the least error: {described(least)}")
        print(f"  {mean(best):.4f} px, {missed(best):.2%} missed, ratio {said(compared(best, reference))}", flush=True)
        ratios, of_best, all_missed, all_frames = [], [], [], []
        for number in range(arguments.first, arguments.first + arguments.searches):
            setting, (frames, of_report) = bench.search(number, text, function, block)
            all_frames.append(frames)
            print(f"search {number}, {frames} + {of_report} frames:", end=" ")
            if setting is None:
                print("no setting", flush=True)
                continue
            errors, _ = bench.measure(setting, arguments.compared_from, arguments.frames)
            all_missed.append(missed(errors))
            ratios.append(compared(errors, reference))
            of_best.append(compared(errors, best))
            print(f"{described(setting)}: {mean(errors):.4f} px, {missed(errors):.2%} missed, ratio {said(ratios[-1])}", flush=True)
    print(f"\n{arguments.searches} searches of {min(all_frames)} to {max(all_frames)} frames; a tenth of the benchmark's is {budget / 10:.0f}")
    if not ratios:
        sys.exit("no search found a setting")
    print(f"missed: {statistics.mean(all_missed):.2%} over all searches, at most {max(all_missed):.2%}")
    for name, all_ratios in (("the benchmark's choice", ratios), ("its setting with the least error", of_best)):
        better, worse = (sum(each) for each in zip(*((high < 1, low > 1) for _, low, high in all_ratios)))
        middle = said(ratio([1] * len(all_ratios), [each[0] for each in all_ratios]))
        print(f"error, of {name}: ratio {middle} over all searches; {better} better, {worse} worse, {len(all_ratios) - better - worse} equal")


if __name__ == "__main__":
    main()
