"""Calls a function of a Python file with each frame: python3 function.py FILE.py NAME [KEYWORDS as JSON].

See docs/sweep.md.
"""
import functools
import importlib.util
import json
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
    plain = {key: np.asarray(value, float).tolist() for key, value in fields.items() if value is not None}
    return {"kind": "circle", **plain}


def image(found):
    """The answer for a picture: its head, and its pixels."""
    pixels = np.ascontiguousarray(found)
    pixel = "bgr8" if pixels.ndim == 3 else "gray16" if pixels.dtype == np.uint16 else "gray8"
    data = pixels.astype(TYPES[pixel], copy=False).tobytes()
    height, width = pixels.shape[:2]
    return {"kind": "image", "width": width, "height": height, "pixel": pixel, "bytes": len(data)}, data


def answer_of(task, found):
    """The answer's fields, and the pixels that follow them."""
    if task == "circle":
        return circle(found), b""
    if task == "count":
        return {"kind": "count", "count": int(found)}, b""
    if task == "ack":
        return {"kind": "ack", "code": int(found or 0)}, b""
    return image(found)


task, shown = json.loads(frames.readline())["task"], False
for line in frames:
    head = json.loads(line)
    shape = [head["height"], head["width"]] + [3] * (head["pixel"] == "bgr8")
    data = frames.read(head["bytes"])
    try:
        answer, pixels = answer_of(task, function(np.frombuffer(data, TYPES[head["pixel"]]).reshape(shape)))
    except Exception:
        # Only this frame is lost. One traceback says enough.
        if not shown:
            traceback.print_exc()
            shown = True
        answer, pixels = {"kind": "dropped"}, b""
    answers.write(json.dumps({"frame": head["frame"], **answer}) + "\n")
    answers.flush()
    if pixels:
        answers.buffer.write(pixels)
        answers.buffer.flush()
