"""What the two Python contenders share: the detector, the command line and the figures of a source.

    SCRIPT source --frames FILE --frame-bytes N --width W --height H --seconds S [--fps HZ]
    SCRIPT sink PORT

The source prints its port, "started" with the first answer, and its figures as JSON.
"""

import argparse
import json
import time

import cv2
import numpy as np

WINDOW = 8  # most unanswered frames at once
END_LIMIT_S = 2.0  # longest wait for the last answers

cv2.setNumThreads(1)


class Answers:
    """When each frame was sent and answered."""

    def __init__(self):
        self.sent, self.answered, self.latency_us = {}, [], []

    def add(self, frame):
        """Counts the answer to a frame. Prints "started" for the first one."""
        now = time.perf_counter()
        self.latency_us.append(1e6 * (now - self.sent.pop(frame)))
        self.answered.append(now)
        if len(self.answered) == 1:
            print("started", flush=True)

    def print(self):
        """Prints the figures."""
        p50, p99 = np.percentile(self.latency_us, [50, 99], method="inverted_cdf")
        rate = (len(self.answered) - 1) / (self.answered[-1] - self.answered[0])
        print(json.dumps({"frames_per_s": rate, "p50_us": int(p50), "p99_us": int(p99)}), flush=True)


def load(options):
    """The frames to send, each as bytes."""
    shape = (-1, options.frame_bytes)
    return [frame.tobytes() for frame in np.fromfile(options.frames, np.uint8).reshape(shape)]


def find_circle(gray):
    """The best circle (x, y, radius) in px, or None: OpenCV's example, with limits for the radius."""
    blurred = cv2.GaussianBlur(gray, (9, 9), 2)
    found = cv2.HoughCircles(
        blurred, cv2.HOUGH_GRADIENT, 1, 1e5, param1=100, param2=20, minRadius=10, maxRadius=40
    )
    return None if found is None else [float(value) for value in found.reshape(-1)[:3]]


def parse():
    """The options of either end."""
    parser = argparse.ArgumentParser()
    ends = parser.add_subparsers(dest="end", required=True)
    end = ends.add_parser("source")
    end.add_argument("--frames", required=True)
    for name in ("frame-bytes", "width", "height"):
        end.add_argument("--" + name, type=int, required=True)
    end.add_argument("--seconds", type=float, required=True)
    end.add_argument("--fps", type=float)
    ends.add_parser("sink").add_argument("port", type=int)
    return parser.parse_args()
