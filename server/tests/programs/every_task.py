"""Does every task of `--pipeline exec:`, with the same answer to each frame. An image goes back as it came."""
import json
import sys

FIELDS = {
    "circle": {"x": 100, "y": 80.5, "radius": 20, "axes": [21, 19], "angle": 0.5},
    "count": {"count": 2},
    "ack": {"code": -7},
}

frames, answers = sys.stdin.buffer, sys.stdout.buffer
task = json.loads(frames.readline())["task"]
for line in frames:
    head = json.loads(line)
    pixels = frames.read(head["bytes"])
    fields = FIELDS.get(task) or {name: head[name] for name in ("width", "height", "pixel", "bytes")}
    answers.write(json.dumps({"frame": head["frame"], "kind": task, **fields}).encode() + b"\n")
    if task == "image":
        answers.write(pixels)
    answers.flush()
