#!/usr/bin/env python3
"""Finds the bright disc in each frame, for `client --pipeline 'exec:python3 centroid.py'`."""
import json
import math
import sys

import numpy as np

frames = sys.stdin.buffer
task = json.loads(frames.readline())["task"]  # The first line: this program does the task "circle".

for line in frames:
    head = json.loads(line)
    shape = (head["height"], head["width"], -1)
    pixels = np.frombuffer(frames.read(head["bytes"]), np.uint8).reshape(shape)
    channel = pixels.shape[2] // 2  # In a colour frame: green, which has the largest weight in gray.
    rows, columns = np.nonzero(pixels[..., channel] >= 110)
    answer = {"frame": head["frame"], "kind": "none"}
    if count := len(rows):
        x, y = int(columns.sum()) / count, int(rows.sum()) / count
        answer |= {"kind": "circle", "x": x, "y": y, "radius": math.sqrt(count / math.pi)}
    print(json.dumps(answer), flush=True)
