"""Calls a function of a Python file with each frame: python3 function.py FILE.py NAME [KEYWORDS as JSON].

See docs/sweep.md. An answer that the protocol of docs/exec.md does not have is never written: the reader would end this
process, and with it the frames until the next one has started.
"""
import functools
import importlib.util
import json
import math
import os
import sys
import traceback

import numpy as np

frames, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "w", buffering=1)
# What the function prints is for people: stdout has the answers alone.
os.dup2(2, 1)
path, name, *keywords = sys.argv[1:]
sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
try:
    function = getattr(module, name)
except AttributeError:
    sys.exit(f"{path} has no function {name}")
if keywords:
    function = functools.partial(function, **json.loads(keywords[0]))
TYPES = {"gray8": np.dtype(np.uint8), "bgr8": np.dtype(np.uint8), "gray16": np.dtype("<u2")}
# The ranges of answers, as the protocol has them: a coordinate, a number of balls, and a side of a picture in pixels.
COORDINATE_LIMIT, COUNT_LIMIT, MAX_SIDE = 1_000_000, 1_000_000, 8_192
# The numbers of each field of a circle that has more than one.
LENGTHS = {"cov": 3, "axes": 2}


def within(what, value, least, most):
    """The value, which must not be NaN or outside of its range."""
    if not least <= value <= most:
        raise ValueError(f"{what} = {value} is not within {least} to {most}")
    return value


def numbers(name, value):
    """A field of a circle: one number, or a list of them."""
    plain = np.asarray(value)
    if plain.dtype.kind == "c":
        raise TypeError(f"{name} = {value} is complex")
    plain = [within(name, one, -COORDINATE_LIMIT, COORDINATE_LIMIT) for one in plain.astype(float).ravel().tolist()]
    if len(plain) != LENGTHS.get(name, 1):
        raise ValueError(f"{name} has {len(plain)} numbers instead of {LENGTHS.get(name, 1)}")
    return plain if name in LENGTHS else plain[0]


def ellipse(axes, angle):
    """Refuses half-axes and an angle that are not those of an ellipse."""
    if axes is None or angle is None:
        raise ValueError("axes and angle go together")
    if not axes[0] >= axes[1] > 0 or not 0 <= angle < math.pi:
        raise ValueError("axes are two half-axes above 0, the longer one first, and angle is from 0 to below pi")


def circle(found):
    """The answer for a circle: None, (x, y), (x, y, radius), a dict, or an object with x and y."""
    if found is None:
        return {"kind": "none"}
    if isinstance(found, dict):
        fields = {key: found[key] for key in ("x", "y", "radius", "cov", "axes", "angle") if found.get(key) is not None}
    elif hasattr(found, "x"):
        fields = {"x": found.x, "y": found.y, "radius": getattr(found, "radius", None)}
    else:
        fields = dict(zip(("x", "y", "radius"), found, strict=False))
    plain = {key: numbers(key, value) for key, value in fields.items() if value is not None}
    if not {"x", "y"} <= plain.keys():
        raise ValueError("a circle has x and y")
    if not plain.keys().isdisjoint({"axes", "angle"}):
        ellipse(plain.get("axes"), plain.get("angle"))
    return {"kind": "circle", **plain}


def image(found, most_bytes):
    """The answer for a picture of at most this many bytes: its head, and its pixels."""
    pixels = np.ascontiguousarray(found)
    if pixels.ndim != 2 and pixels.shape[2:] != (3,):
        raise ValueError(f"shape {pixels.shape}: a picture has the shape (rows, columns) or (rows, columns, 3)")
    pixel = "bgr8" if pixels.ndim == 3 else "gray16" if pixels.dtype == np.uint16 else "gray8"
    data = pixels.astype(TYPES[pixel], copy=False).tobytes()
    height, width = (within("a side", side, 1, MAX_SIDE) for side in pixels.shape[:2])
    within("the size in bytes", len(data), 0, most_bytes)
    return {"kind": "image", "width": width, "height": height, "pixel": pixel, "bytes": len(data)}, data


def answer_of(task, found, frame_bytes):
    """The answer's fields, and the pixels that follow them."""
    if task == "circle":
        return circle(found), b""
    if task == "count":
        return {"kind": "count", "count": within("the count", int(found), 0, COUNT_LIMIT)}, b""
    if task == "ack":
        return {"kind": "ack", "code": within("the code", int(found or 0), -(2**63), 2**63 - 1)}, b""
    return image(found, frame_bytes)


task, shown = json.loads(frames.readline())["task"], False
for line in frames:
    head = json.loads(line)
    shape = [head["height"], head["width"]] + [3] * (head["pixel"] == "bgr8")
    data = frames.read(head["bytes"])
    try:
        found = function(np.frombuffer(data, TYPES[head["pixel"]]).reshape(shape))
        answer, pixels = answer_of(task, found, head["bytes"])
    except (Exception, SystemExit):
        # Only this frame is lost. One traceback says enough.
        if not shown:
            traceback.print_exc()
            shown = True
        answer, pixels = {"kind": "dropped"}, b""
    answers.write(json.dumps({"frame": head["frame"], **answer}, allow_nan=False) + "\n")
    answers.flush()
    if pixels:
        answers.buffer.write(pixels)
        answers.buffer.flush()
