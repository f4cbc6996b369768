"""Passes the frames of a video through a function. The processed frames go back to the sender, whose window shows both.

    server --source match.mp4 --task image --once
    python3 examples/video_edges.py [HOST:PORT]

Needs the package `plumb` (pip install ./python) and numpy.
"""

import sys

import numpy as np
import plumb


def edges(frame):
    """The difference of neighbours in each row: vertical edges are bright."""
    found = np.zeros_like(frame)
    found[:, 1:] = np.abs(np.diff(frame.astype(np.int16), axis=1))
    return found


if __name__ == "__main__":
    server = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8080"
    print(plumb.Client(edges, server, link="grpc").run().answers)
