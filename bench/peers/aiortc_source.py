"""A source of frames on aiortc, from docs/protocol.md: python aiortc_source.py [FRAMES]

Listens on a free port of 127.0.0.1, says "listening on PORT", serves one client with one frame at a time, and prints the
answers as JSON. Exit code 0 when all frames were answered, 3 otherwise.
"""

import asyncio
import json
import sys
import time

import msgpack
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription

WIDTH, HEIGHT, CENTRE, RADIUS = 320, 240, (160.0, 120.0), 20.0
LIMIT = 20.0  # s, for all of it
PIECE = 16_000  # bytes of a frame in a fragment


def disc():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    away = np.hypot(x - CENTRE[0], y - CENTRE[1])
    return (40 + 160 * np.clip(RADIUS + 0.5 - away, 0, 1)).astype(np.uint8).tobytes()


def micros():
    return time.monotonic_ns() // 1000


class Source:
    """One session."""

    def __init__(self, frames):
        self.pc, self.frames, self.sent, self.pixels = RTCPeerConnection(), frames, 0, disc()
        self.answers, self.ended = [], asyncio.get_running_loop().create_future()
        self.lanes = {label: self.pc.createDataChannel(label) for label in ("control", "frames", "answers")}
        self.lanes["control"].on("open", self.greet)
        self.lanes["control"].on("message", lambda data: self.control(msgpack.unpackb(data)))
        self.lanes["answers"].on("message", lambda data: self.answer(msgpack.unpackb(msgpack.unpackb(data)[3])))

    def send(self, lane, message):
        self.lanes[lane].send(msgpack.packb(message))

    def greet(self):
        stream = {"width": WIDTH, "height": HEIGHT, "pixel": "gray8", "window": 1, "delivery": "reliable", "encoding": "raw"}
        hello = {"type": "hello", "protocol": 1, "name": "aiortc-source", "version": "1", "role": "source"}
        self.send("control", hello | {"stream": stream})

    def control(self, message):
        if message["type"] == "hello":
            self.next_frame()
        elif message["type"] == "ping":
            self.send("control", {"type": "pong", "id": message["id"], "received_us": micros(), "sent_us": micros()})
        elif message["type"] == "bye":
            self.end()

    def next_frame(self):
        frame = {"type": "frame", "id": self.sent, "captured_us": micros(), "width": WIDTH, "height": HEIGHT}
        data = msgpack.packb(frame | {"pixel": "gray8", "encoding": "raw", "data": self.pixels})
        pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
        for index, piece in enumerate(pieces):
            self.send("frames", [self.sent, index, len(pieces), piece])
        self.sent += 1

    def answer(self, message):
        for answer in message.get("answers", [message]):
            self.answers.append(answer)
        if len(self.answers) < self.frames:
            return self.next_frame()
        self.send("control", {"type": "bye", "reason": "finished"})
        asyncio.get_running_loop().call_later(0.5, self.end)

    def end(self):
        if not self.ended.done():
            self.ended.set_result(None)


async def serve(reader, writer, source):
    hello = json.loads(await reader.readline())
    if hello["type"] == "ping":
        writer.write(b'{"type":"pong"}\n')
        return writer.close()
    await source.pc.setLocalDescription(await source.pc.createOffer())
    writer.write(json.dumps({"type": "offer", "sdp": source.pc.localDescription.sdp}).encode() + b"\n")
    while line := await reader.readline():
        message = json.loads(line)
        if message["type"] == "answer":
            await source.pc.setRemoteDescription(RTCSessionDescription(message["sdp"], "answer"))
        elif message["type"] in ("bye", "error"):
            return source.end()


async def run(frames):
    source = Source(frames)
    server = await asyncio.start_server(lambda r, w: serve(r, w, source), "127.0.0.1", 0)
    print("listening on", server.sockets[0].getsockname()[1], flush=True)
    try:
        await asyncio.wait_for(source.ended, LIMIT)
    except TimeoutError:
        print("nothing came of it in time", file=sys.stderr)
    print(json.dumps([{key: answer.get(key) for key in ("kind", "x", "y")} for answer in source.answers]))
    await source.pc.close()
    server.close()
    return 0 if len(source.answers) == frames else 3


if __name__ == "__main__":
    sys.exit(asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 5)))
