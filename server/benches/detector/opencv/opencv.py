"""OpenCV's answers for the benchmarks: one JSON request a line on stdin, one JSON answer a line on stdout.

Frames come in a file of raw bytes that both sides map; arrays go back the same way.
"""

import json
import sys
import time

import cv2
import numpy as np

cv2.setNumThreads(1)

METHODS = {"gradient": cv2.HOUGH_GRADIENT, "alt": cv2.HOUGH_GRADIENT_ALT}
ALL_CIRCLES_PX = 1e-3

frames = np.zeros((0, 0, 0), np.uint8)


def load(request):
    """Frames as they lie in the file, or a copy of their own, as a program that times itself would hold them."""
    global frames
    shape = (request["count"], request["height"], request["width"])
    mapped = np.memmap(request["file"], np.uint8, "r", shape=shape)
    frames = np.array(mapped) if request["copy"] else mapped
    return {"loaded": len(frames)}


def detect(request):
    """The best circle of each frame, and the time from the gray frame to the circle.

    With `limit_us` it ends after the first frame that took longer.
    """
    find = finder(**request["setting"], radii=request["radii"])
    circles, times_us = [], []
    limit_us = request["limit_us"] or float("inf")
    for frame in frames:
        start = time.perf_counter()
        found = find(frame)
        times_us.append(1e6 * (time.perf_counter() - start))
        circles.append(None if found is None else [float(value) for value in found.reshape(-1)[:3]])
        if times_us[-1] > limit_us:
            break
    return {"circles": circles, "times_us": times_us}


def finder(method, blur, dp, min_dist, param1, param2, radii):
    number, (smallest, largest) = METHODS[method], radii
    size, sigma = blur or (0, 0.0)

    def find(frame):
        image = cv2.GaussianBlur(frame, (size, size), sigma) if size else frame
        return cv2.HoughCircles(
            image, number, dp, min_dist, param1=param1, param2=param2, minRadius=smallest, maxRadius=largest
        )

    return find


def stages(request):
    """Every stage of the gradient method for one frame: arrays into a file, lists and circles into the answer."""
    frame, (smallest, largest) = frames[request["frame"]], request["radii"]
    blurred = cv2.GaussianBlur(frame, (9, 9), 2)
    dx = cv2.Sobel(blurred, cv2.CV_16S, 1, 0, ksize=3, borderType=cv2.BORDER_REPLICATE)
    dy = cv2.Sobel(blurred, cv2.CV_16S, 0, 1, ksize=3, borderType=cv2.BORDER_REPLICATE)
    edges = cv2.Canny(dx, dy, 25, 50)
    with open(request["file"], "wb") as out:
        for array in (blurred, dx, dy, edges):
            out.write(array.tobytes())
    votes = {"dp": 1, "param1": 50, "param2": 30, "minRadius": smallest}
    # A negative largest radius: the centres alone, most votes first, for radii up to the frame's longer side.
    centres = cv2.HoughCircles(blurred, cv2.HOUGH_GRADIENT, minDist=ALL_CIRCLES_PX, maxRadius=-1, **votes)
    circles = cv2.HoughCirclesWithAccumulator(
        blurred, cv2.HOUGH_GRADIENT, minDist=ALL_CIRCLES_PX, maxRadius=largest, **votes
    )
    best = cv2.HoughCircles(blurred, cv2.HOUGH_GRADIENT, minDist=1e5, maxRadius=largest, **votes)
    return {
        "centres": rows(centres, 2),
        "circles": rows(circles, 4),
        "best": next(iter(rows(best, 3)), None),
    }


def rows(found, columns):
    return [] if found is None else found.reshape(-1, found.shape[-1])[:, :columns].tolist()


def gray(request):
    """BGR2GRAY of frames of blue, green and red rows one below the other, into a file."""
    blue, green, red = np.split(frames, 3, axis=1)
    bgr = np.stack([blue, green, red], axis=-1)
    with open(request["file"], "wb") as out:
        for frame in bgr:
            out.write(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).tobytes())
    return {}


def version(_request):
    return {"version": cv2.__version__}


OPERATIONS = {"load": load, "detect": detect, "stages": stages, "gray": gray, "version": version}

for line in sys.stdin:
    message = json.loads(line)
    print(json.dumps(OPERATIONS[message.pop("op")](message)), flush=True)
