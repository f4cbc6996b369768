"""Acknowledges every frame with the event's id from the metadata of the stream, which come in the first line."""
import json
import sys

frames = sys.stdin.buffer
meta = json.loads(frames.readline())["meta"]
for line in frames:
    head = json.loads(line)
    frames.read(head["bytes"])
    code = meta["event.id"] if meta["camera"] == "left" and meta["gain"] == 2.5 else -1
    print(json.dumps({"frame": head["frame"], "kind": "ack", "code": code}), flush=True)
