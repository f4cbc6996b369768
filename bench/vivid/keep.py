"""A pipeline (`exec:`) that acknowledges each frame after a pause and keeps its pixels: `keep.py FILE PAUSE`."""
import json
import sys
import time

frames = sys.stdin.buffer
frames.readline()
for line in frames:
    head = json.loads(line)
    pixels = frames.read(head["bytes"])
    with open(sys.argv[1], "wb") as file:
        file.write(pixels)
    time.sleep(float(sys.argv[2]))
    print(json.dumps({"frame": head["frame"], "kind": "ack", "code": 0}), flush=True)
