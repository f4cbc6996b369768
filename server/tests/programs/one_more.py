"""Answers a gray16 frame with a gray16 image whose pixels are larger by 1."""
import json
import struct
import sys

frames = sys.stdin.buffer
json.loads(frames.readline())
for line in frames:
    head = json.loads(line)
    assert head["pixel"] == "gray16" and head["bytes"] == 2 * head["width"] * head["height"], head
    layout = f"<{head['width'] * head['height']}H"
    pixels = struct.unpack(layout, frames.read(head["bytes"]))
    answer = {"kind": "image"} | {key: head[key] for key in ("frame", "width", "height", "pixel", "bytes")}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + struct.pack(layout, *(pixel + 1 for pixel in pixels)))
    sys.stdout.buffer.flush()
