"""Counts the bright blobs of each frame that a camera device sends. The device calls; this end listens.

    python3 examples/count_blobs.py [HOST:PORT]                                  # on the computer, here 192.0.2.7
    server --dial 192.0.2.7:8080 --link grpc --source camera:0 --task count      # on the device

Needs the package `plumb` (pip install ./python) and OpenCV (pip install opencv-python-headless).
"""

import sys

import cv2
import plumb


def count(frame):
    """The number of connected bright areas; the first label is the ground."""
    _, bright = cv2.threshold(frame, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return cv2.connectedComponents(bright)[0] - 1


if __name__ == "__main__":
    at = sys.argv[1] if len(sys.argv) > 1 else "0.0.0.0:8080"
    print(plumb.Client(count, listen=at).run().answers)
