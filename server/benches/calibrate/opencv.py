#!/usr/bin/env python3
"""Compares `server calibrate --model camera` with OpenCV's calibrateCamera on the same points, with equal weights.

    opencv.py [SERVER [PHOTOS]]      needs opencv-python-headless and PyYAML; SERVER is target/release/server

8 poses of 150 points each. With PHOTOS, a folder such as /usr/share/doc/opencv-doc/examples/data of Debian's opencv-doc, also
the corners that OpenCV finds in its photographs of a chessboard (left01.jpg ...). Both minimise the same sum, so everything must agree: the RMS within 1e-6 px, focal lengths
within 1e-6 relative, standard deviations to 4 digits. Then both readers of camera.yaml must give back every bit. Exit code 1
if anything differs.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

SIZE = (640, 480)
TRUE = np.array([[600.0, 0, 322.0], [0, 605.0, 236.0], [0, 0, 1.0]])
BENT = np.array([-0.28, 0.09, 0.0, 0.0, 0.0])
CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-16)


def poses(count: int, points: int, sigma: float, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(seed)
    views = []
    for pose in range(count):
        plane = np.column_stack([random.uniform(20, 620, points), random.uniform(20, 460, points), np.zeros(points)])
        turn = pose * 2.399963
        vector = np.array([0.5 * np.cos(turn), 0.5 * np.sin(turn), 0.1 * pose])
        middle = cv2.Rodrigues(vector)[0] @ np.array([319.5, 239.5, 0.0])
        pixels, _ = cv2.projectPoints(plane, vector, np.array([0, 0, 600.0]) - middle, TRUE, BENT)
        # OpenCV takes points as 32-bit floats: both sides get what it sees.
        pixels = (pixels.reshape(-1, 2) + random.normal(0, sigma, (points, 2))).astype(np.float32)
        views.append((plane.astype(np.float32), pixels))
    return views


def photos(folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """The inner corners of the board, 9x6, whose squares are the unit of length."""
    board = np.array([[x, y, 0] for y in range(6) for x in range(9)], dtype=np.float32)
    views = []
    for file in sorted(folder.glob("left[0-9][0-9].jpg")):
        gray = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        found, corners = cv2.findChessboardCorners(gray, (9, 6))
        if found:
            criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-3)
            corners = cv2.cornerSubPix(gray, corners, (5, 5), (-1, -1), criteria)
            views.append((board, corners.reshape(-1, 2)))
    return views


def main() -> int:
    server = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).parents[3] / "target/release/server")
    print("8 poses of 150 points")
    differs = both(server, poses(8, 150, 0.0087, 1), "k1k2", cv2.CALIB_ZERO_TANGENT_DIST | cv2.CALIB_FIX_K3)
    if len(sys.argv) > 2:
        views = photos(Path(sys.argv[2]))
        print(f"{len(views)} photographs of a chessboard")
        differs += both(server, views, "k1k2p1p2", cv2.CALIB_FIX_K3)
    return 1 if differs else 0


def both(server: str, views: list[tuple[np.ndarray, np.ndarray]], lens: str, flags: int) -> int:
    rms, matrix, bent, _, _, deviations, _, _ = cv2.calibrateCameraExtended(
        [plane for plane, _ in views], [pixels for _, pixels in views], SIZE, None, None, flags=flags, criteria=CRITERIA
    )
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for pose, (plane, pixels) in enumerate(views):
            files.append(f"{folder}/pose{pose}.csv")
            rows = [f"{n},{p[0]!r},{p[1]!r},{q[0]!r},{q[1]!r}" for n, (p, q) in enumerate(zip(plane.astype(float).tolist(), pixels.astype(float).tolist()))]
            Path(files[-1]).write_text("frame,x,y,u,v\n" + "\n".join(rows) + "\n")
        options = ["--model", "camera", "--distortion", lens, "--size", "640x480", "--out", folder, "--json", "-"]
        found = json.loads(subprocess.run([server, "calibrate", *files, *options], check=True, capture_output=True).stdout)
        differs = compare(found, rms, matrix, bent.ravel(), deviations.ravel())
        return differs + read_back(found, Path(folder) / "camera.yaml")


def compare(found: dict, rms: float, matrix: np.ndarray, bent: np.ndarray, deviations: np.ndarray) -> int:
    differs = 0
    ours = {one["name"]: one for one in found["parameters"]}
    print(f"{'':>8}  {'OpenCV':>22}  {'Plumb':>22}")
    our_rms = found["after"]["rms_px"]
    print(f"{'rms px':>8}  {rms:22.15f}  {our_rms:22.15f}")
    differs += abs(rms - our_rms) > 1e-6
    theirs = [matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], *bent[:4]]
    for name, value, deviation in zip(["fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2"], theirs, deviations, strict=False):
        if name not in ours:
            continue
        value_here, deviation_here = ours[name]["value"], ours[name]["sigma"]
        print(f"{name:>8}  {value:22.15f}  {value_here:22.15f}")
        print(f"{'sigma':>8}  {deviation:22.6e}  {deviation_here:22.6e}")
        differs += abs(value - value_here) > 1e-6 * max(1.0, abs(value))
        differs += abs(deviation / deviation_here - 1) > 5e-4
    print("all agree" if not differs else f"{differs} differ")
    return differs


def read_back(found: dict, path: Path) -> int:
    import yaml

    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
    by_opencv = storage.getNode("camera_matrix").mat()
    bent = storage.getNode("distortion_coefficients").mat()
    by_yaml = yaml.safe_load(path.read_text())
    ours = {one["name"]: one["value"] for one in found["parameters"]}
    wanted = [ours["fx"], 0.0, ours["cx"], 0.0, ours["fy"], ours["cy"], 0.0, 0.0, 1.0]
    right = (
        by_opencv.ravel().tolist() == wanted
        and by_yaml["camera_matrix"]["data"] == wanted
        and bent.ravel().tolist() == [ours.get(name, 0.0) for name in ["k1", "k2", "p1", "p2", "k3"]]
        and by_yaml["distortion_model"] == "plumb_bob"
    )
    print("camera.yaml: FileStorage and PyYAML read every bit" if right else f"camera.yaml differs: {by_yaml['camera_matrix']}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
