"""A Plumb client in Python: receives frames, finds the disc, answers.

    pip install -r requirements.txt
    python aiortc_client.py 127.0.0.1 8080

It knows nothing of Plumb but docs/protocol.md. To try a detector of your own, replace `find_circle`.
Exit code: 0 when the server says bye or on Ctrl-C, 2 for wrong usage, 3 without a server or when the link is lost.
"""

import argparse
import asyncio
import json
import sys
import time

import msgpack
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription

LANES = {"control", "frames", "answers"}
CHANNELS = {"gray8": 1, "bgr8": 3}
OPENING_LIMIT = 10.0  # s, for the offer and for the data channels
SILENCE_LIMIT = 4.0  # s without a message: the server is gone
SILENCE_LIMIT_AFTER_EOF = 1.5  # s, once the signaling connection has ended
LEAST_PAYLOAD = 512  # bytes in every fragment but the last
OVERHEAD = 64 * 1024  # bytes of a frame message beside its pixels
REMEMBERED = 1024  # finished messages whose late pieces are still recognised


class LinkLost(Exception):
    """There is no server, or no longer."""


def find_circle(gray):
    """Centre and radius (x, y, radius) in px of the one disc in a plain image, or None."""
    edges = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    background = int(np.median(edges))
    contrast = max(int(gray.max()) - background, background - int(gray.min()))
    if contrast < 20:
        return None
    # The disc's bounding box, with a margin for the rim.
    inside = np.abs(gray.astype(np.int16) - background) > contrast // 2
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    top, left = max(rows[0] - 2, 0), max(columns[0] - 2, 0)
    box = gray[top : rows[-1] + 3, left : columns[-1] + 3]
    # A rim pixel weighs as much as the disc covers of it.
    weight = np.abs(box.astype(np.float64) - background)
    total = weight.sum()
    x = left + weight.sum(axis=0) @ np.arange(box.shape[1]) / total
    y = top + weight.sum(axis=1) @ np.arange(box.shape[0]) / total
    return float(x), float(y), float(np.sqrt(total / contrast / np.pi))


def gray_image(frame):
    """The frame's pixels as an array [rows, columns]."""
    if frame["encoding"] != "raw":
        raise ValueError("encoding " + frame["encoding"])
    shape = frame["height"], frame["width"], CHANNELS[frame["pixel"]]
    pixels = np.frombuffer(frame["data"], np.uint8).reshape(shape)
    if shape[2] == 1:
        return pixels[:, :, 0]
    blue, green, red = np.moveaxis(pixels, 2, 0).astype(np.uint16)
    return ((blue + green + red) // 3).astype(np.uint8)


class Reassembler:
    """Puts messages together from fragments in any order, in bounded memory."""

    def __init__(self, max_bytes, max_open):
        self.max_count, self.max_open, self.open = max_bytes // LEAST_PAYLOAD + 1, max_open, {}
        self.finished = {}  # ids of messages joined or given up, the longest ago first

    def accept(self, piece):
        """Takes a fragment; returns the message it completes, else None."""
        message, index, count, payload = msgpack.unpackb(piece)
        if not 0 <= index < count <= self.max_count:
            raise ValueError(f"fragment {index} of {count}")
        if message in self.finished:
            return None  # repeated, or late: it must not open its message again
        pieces = self.open.setdefault(message, {})
        pieces[index] = payload
        if len(pieces) == count:
            self.finish(message)
            return b"".join(pieces[i] for i in range(count))
        if len(self.open) > self.max_open:
            self.finish(min(self.open))
        return None

    def finish(self, message):
        """Lets go of a message's pieces and remembers its id."""
        del self.open[message]
        self.finished[message] = True
        if len(self.finished) > REMEMBERED:
            del self.finished[next(iter(self.finished))]


class Client:
    """A session on three data channels, called lanes."""

    def __init__(self):
        self.lanes, self.reassembler, self.answers_sent = {}, None, 0
        self.ended = asyncio.get_running_loop().create_future()  # the server's reason, or LinkLost
        self.heard, self.signaling_ended = time.monotonic(), None

    def add_lane(self, channel):
        if channel.label in LANES:
            self.lanes[channel.label] = channel
            channel.on("message", lambda data: self.received(channel.label, data))
            channel.on("close", lambda: self.end(LinkLost("the server closed the data channels")))

    def received(self, lane, data):
        self.heard, self.signaling_ended = time.monotonic(), None
        try:
            if lane == "control":
                self.control(msgpack.unpackb(data))
            elif lane == "frames" and self.reassembler and (message := self.reassembler.accept(data)):
                self.frame(msgpack.unpackb(message))
        except (ValueError, KeyError, TypeError) as error:  # msgpack's errors are ValueErrors
            print(f"ignoring a message on {lane}: {error!r}", file=sys.stderr)

    def control(self, message):
        if message["type"] == "hello":
            self.greeted(message)
        elif message["type"] == "ping":
            now = time.monotonic_ns() // 1000
            self.send("control", {"type": "pong", "id": message["id"], "received_us": now, "sent_us": now})
        elif message["type"] == "bye":
            self.end(message.get("reason", ""))

    def greeted(self, hello):
        if hello["protocol"] != 1:
            return self.end(LinkLost(f"the server speaks protocol {hello['protocol']}"))
        stream = hello["stream"]
        pixels = stream["width"] * stream["height"] * CHANNELS[stream["pixel"]]
        self.reassembler = Reassembler(pixels + OVERHEAD, stream["window"])
        self.send("control", {"type": "hello", "protocol": 1, "name": "aiortc-client", "version": "1", "role": "sink"})

    def frame(self, frame):
        answer = {"type": "answer", "frame": frame["id"], "kind": "none"}
        if circle := find_circle(gray_image(frame)):
            answer |= {"kind": "circle"} | dict(zip(("x", "y", "radius"), circle))
        # An answer is far smaller than any peer's message size: always one fragment.
        self.send("answers", [self.answers_sent, 0, 1, msgpack.packb(answer)])
        self.answers_sent += 1

    def send(self, lane, message):
        if (channel := self.lanes.get(lane)) and channel.readyState == "open":
            channel.send(msgpack.packb(message))

    def end(self, how):
        if not self.ended.done():
            self.ended.set_exception(how) if isinstance(how, LinkLost) else self.ended.set_result(how)

    async def watch_signaling(self, reader):
        """Its end is a hint that the server is gone; a message on a lane takes it back."""
        while await reader.readline():
            pass
        self.signaling_ended = time.monotonic()

    async def watch_silence(self):
        while not self.ended.done():
            await asyncio.sleep(0.1)
            now, hint = time.monotonic(), self.signaling_ended
            if now - self.heard > SILENCE_LIMIT or (hint and now - hint > SILENCE_LIMIT_AFTER_EOF):
                self.end(LinkLost("no message from the server"))


async def answer_offer(pc, reader, writer):
    """Says nothing first: the server takes that for a stranger and makes an offer that every peer takes."""
    line = await asyncio.wait_for(reader.readline(), OPENING_LIMIT)
    if not line:
        raise LinkLost("the server closed the signaling connection")
    await pc.setRemoteDescription(RTCSessionDescription(json.loads(line)["sdp"], "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    writer.write(json.dumps({"sdp": pc.localDescription.sdp, "type": "answer"}).encode() + b"\n")


async def run(host, port):
    """Runs one session; returns the server's reason for its end."""
    reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), OPENING_LIMIT)
    pc, client, tasks = RTCPeerConnection(), Client(), []
    pc.on("datachannel", client.add_lane)
    try:
        await answer_offer(pc, reader, writer)
        client.heard = time.monotonic() + OPENING_LIMIT - SILENCE_LIMIT  # until the first message
        tasks = [asyncio.create_task(task) for task in (client.watch_signaling(reader), client.watch_silence())]
        return await client.ended
    except asyncio.CancelledError:  # Ctrl-C
        client.send("control", {"type": "bye", "reason": "the client stops"})
        await asyncio.sleep(0.1)
        raise
    finally:
        for task in tasks:
            task.cancel()
        await pc.close()
        writer.close()


def main():
    parser = argparse.ArgumentParser(description="A Plumb client in Python.")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    args = parser.parse_args()
    try:
        print("the server said bye:", asyncio.run(run(args.host, args.port)))
    except KeyboardInterrupt:
        pass
    except (LinkLost, OSError, TimeoutError, ValueError, KeyError) as error:
        print(f"{args.host}:{args.port}: {error or 'no answer in time'}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
