#!/usr/bin/env python3
"""A pipeline with a common mistake, for docs/calibrate.md: it finds the disc at half the size and doubles its coordinates.

Pixel (0, 0) of the small picture covers the pixels 0 and 1 of the frame, so its centre is at 0.5 there. Doubled coordinates
are half a pixel too small. `client --pipeline 'exec:python3 half_size.py'` runs it.
"""
import json
import math
import sys

import numpy as np

frames = sys.stdin.buffer
frames.readline()  # The task.

for line in frames:
    head = json.loads(line)
    height, width = head["height"], head["width"]
    pixels = np.frombuffer(frames.read(head["bytes"]), np.uint8).reshape(height, width, -1)[..., 0].astype(float)
    small = pixels[: height // 2 * 2, : width // 2 * 2].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    light = np.where(small >= 110, small, 0)
    answer = {"frame": head["frame"], "kind": "none"}
    if count := np.count_nonzero(light):
        rows, columns = np.nonzero(light)
        x, y = 2 * float(columns.mean()), 2 * float(rows.mean())
        answer |= {"kind": "circle", "x": x, "y": y, "radius": 2 * math.sqrt(count / math.pi)}
    print(json.dumps(answer), flush=True)
