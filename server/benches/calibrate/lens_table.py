#!/usr/bin/env python3
"""Makes shared/src/lens/opencv.csv: pixels of the lens models as OpenCV projects them, for the test of shared::lens.

    lens_table.py > shared/src/lens/opencv.csv      needs opencv-python-headless
"""

import cv2
import numpy as np

MATRIX = np.array([[580.0, 0, 322.0], [0, 590.0, 236.0], [0, 0, 1.0]])
KINDS = {
    "none": [],
    "k1k2": [-0.3, 0.09],
    "plumb_bob": [-0.28, 0.11, 0.0012, -0.0007, -0.02],
    "rational_polynomial": [0.9, -0.4, 0.0004, 0.0003, 0.05, 1.2, -0.2, 0.01],
    "equidistant": [-0.02, 0.007, -0.003, 0.0005],
}
POINTS = [(0.0, 0.0), (0.3, -0.2), (-0.55, 0.41), (0.02, 0.6), (1e-4, 2e-4), (-0.4, -0.35)]


def main() -> None:
    print(f"# OpenCV {cv2.__version__}; made by server/benches/calibrate/lens_table.py")
    print("kind,x,y,u,v")
    for kind, coefficients in KINDS.items():
        points = np.array([[[x, y, 1.0]] for x, y in POINTS])
        zero = np.zeros(3)
        if kind == "equidistant":
            pixels, _ = cv2.fisheye.projectPoints(points.reshape(1, -1, 3), zero, zero, MATRIX, np.array(coefficients))
        else:
            padded = np.array(coefficients + [0.0] * (max(5, len(coefficients)) - len(coefficients)))
            pixels, _ = cv2.projectPoints(points, zero, zero, MATRIX, padded)
        for (x, y), (u, v) in zip(POINTS, pixels.reshape(-1, 2), strict=True):
            print(f"{kind},{x!r},{y!r},{float(u)!r},{float(v)!r}")


if __name__ == "__main__":
    main()
