"""A Plumb client in Python: receives frames, finds the disc, answers.

    python3 -m venv venv
    venv/bin/pip install -r examples/requirements.txt
    venv/bin/python examples/aiortc_client.py 127.0.0.1 8080

from the repository's folder, with a server on another terminal. --token-file FILE proves a token (server --token-file),
--tls-ca FILE connects inside TLS (server --tls-cert). To try a detector of your own, replace `find_circle`: only this function
looks at an image. The rest follows docs/protocol.md.
Exit code: 0 when the server says bye or on Ctrl-C, 2 for wrong usage, 3 without a server or when the link is lost.
"""

import argparse
import asyncio
import hmac
import json
import os
import secrets
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import msgpack
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription


def find_circle(image):
    """Your detector: centre and radius (x, y, radius) in px of the one disc in an image, or only (x, y), or None.

    The image is an array of bytes, [rows, columns] where the server sends gray and [rows, columns, 3] in the order blue,
    green, red where it sends colour, as OpenCV's are. It must not be written to. Pixel centres are at integer coordinates,
    (0, 0) in the middle of the top-left pixel, x to the right, y down. This runs on a thread of its own, one frame at a
    time.
    """
    # Distance of each pixel from the background, which is the median of the image's rim, in the clearest channel.
    levels = image.reshape(*image.shape[:2], -1).astype(np.int16)
    background = np.median(np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]]), axis=0)
    contrasts = np.abs(levels - background)
    clearest = contrasts.max(axis=(0, 1)).argmax()
    weight = contrasts[:, :, clearest]
    contrast = weight.max()
    if contrast < 20:
        return None
    # The disc's bounding box, with a margin for the rim.
    inside = weight > contrast / 2
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    top, left = max(rows[0] - 2, 0), max(columns[0] - 2, 0)
    # A rim pixel weighs as much as the disc covers of it.
    weight = weight[top : rows[-1] + 3, left : columns[-1] + 3]
    total = weight.sum()
    x = left + weight.sum(axis=0) @ np.arange(weight.shape[1]) / total
    y = top + weight.sum(axis=1) @ np.arange(weight.shape[0]) / total
    return float(x), float(y), float(np.sqrt(total / contrast / np.pi))


LANES = {"control", "frames", "answers"}
CHANNELS = {"gray8": 1, "bgr8": 3}
OPENING_LIMIT = 15.0  # s, for the offer and for the data channels. An offer may take 12 s while a browser opens the page
SILENCE_LIMIT = 4.0  # s without a message: the server is gone
SILENCE_LIMIT_AFTER_EOF = 1.5  # s, once the signaling connection has ended
LEAST_PAYLOAD = 512  # bytes in every fragment but the last
OVERHEAD = 64 * 1024  # bytes of a frame message beside its pixels
REMEMBERED = 1024  # finished messages whose late pieces are still recognised


class LinkLost(Exception):
    """There is no server, or it is gone."""


def now_us():
    """This machine's clock in whole microseconds, from a fixed origin."""
    return time.monotonic_ns() // 1000


def pixels(frame):
    """The frame's image: [rows, columns] of gray, or [rows, columns, 3] of blue, green, red."""
    if frame["encoding"] != "raw":
        raise ValueError("encoding " + frame["encoding"])
    shape = frame["height"], frame["width"], CHANNELS[frame["pixel"]]
    return np.frombuffer(frame["data"], np.uint8).reshape(shape if shape[2] > 1 else shape[:2])


class Reassembler:
    """Puts messages together from fragments in any order, in bounded memory."""

    def __init__(self, max_bytes, max_open):
        self.max_count, self.max_open, self.open = max_bytes // LEAST_PAYLOAD + 1, max_open, {}
        self.finished = {}  # ids of messages joined or given up, oldest first

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
        """Discards a message's pieces and remembers its id."""
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
        # The event loop must stay free for packets and pings, so a thread processes the frames, one after the other.
        self.loop, self.detector = asyncio.get_running_loop(), ThreadPoolExecutor(max_workers=1)
        self.window = self.waiting = 0  # frames at a time, and those that the detector has not looked at yet

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
                self.frame(msgpack.unpackb(message), received_us=now_us())
        except (ValueError, KeyError, TypeError) as error:  # msgpack's errors are ValueErrors
            print(f"ignoring a message on {lane}: {error!r}", file=sys.stderr)

    def control(self, message):
        if message["type"] == "hello":
            self.greeted(message)
        elif message["type"] == "ping":
            received_us = now_us()
            self.send("control", {"type": "pong", "id": message["id"], "received_us": received_us, "sent_us": now_us()})
        elif message["type"] == "bye":
            self.end(message.get("reason", ""))

    def greeted(self, hello):
        if hello["protocol"] != 1:
            return self.end(LinkLost(f"the server speaks protocol {hello['protocol']}"))
        stream = hello["stream"]
        bytes_ = stream["width"] * stream["height"] * CHANNELS[stream["pixel"]]
        self.window = stream["window"]
        self.reassembler = Reassembler(bytes_ + OVERHEAD, self.window)
        self.send("control", {"type": "hello", "protocol": 1, "name": "aiortc-client", "version": "1", "role": "sink"})

    def frame(self, frame, received_us):
        """Gives a frame to the detector; it waits while another frame is processed."""
        image = pixels(frame)
        if self.waiting >= self.window:  # the server has given up on some of these
            return self.answer({"type": "answer", "frame": frame["id"], "kind": "dropped"})
        self.waiting += 1
        self.detector.submit(self.look, frame["id"], image, received_us)

    def look(self, frame, image, received_us):
        """On the detector's thread. The times place the frame's stages in the report: queue, detection, the way back."""
        started_us = now_us()
        try:
            circle = find_circle(image)
        except Exception as error:  # a detector's fault costs its frame, not the session
            print(f"frame {frame}: {error!r}", file=sys.stderr)
            circle = None
        answer = {"type": "answer", "frame": frame, "kind": "none"}
        if circle is not None:
            answer |= {"kind": "circle"} | dict(zip(("x", "y", "radius"), circle))
        answer |= {"received_us": received_us, "started_us": started_us, "finished_us": now_us()}
        self.loop.call_soon_threadsafe(self.looked, answer)

    def looked(self, answer):
        self.waiting -= 1
        self.answer(answer)

    def answer(self, answer):
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
        """The end of the connection is a hint that the server is gone; a message on a lane shows that it is not."""
        while await reader.readline():
            pass
        self.signaling_ended = time.monotonic()

    async def watch_silence(self):
        while not self.ended.done():
            await asyncio.sleep(0.1)
            now, hint = time.monotonic(), self.signaling_ended
            if now - self.heard > SILENCE_LIMIT or (hint and now - hint > SILENCE_LIMIT_AFTER_EOF):
                self.end(LinkLost("no message from the server"))


async def hear(reader, kind):
    """The next line of signaling, which must be of this type."""
    line = await asyncio.wait_for(reader.readline(), OPENING_LIMIT)
    if not line:
        raise LinkLost("the server closed the signaling connection")
    said = json.loads(line)
    if said.get("type") != kind:
        raise LinkLost(f"the server says no {kind}: {said.get('reason', said.get('type'))}")
    return said


def say(writer, line):
    writer.write(json.dumps(line).encode() + b"\n")


class Token:
    """Proves to a server with --token-file that this client holds the token, and has the server prove it too."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.token = file.read().removesuffix(b"\n").removesuffix(b"\r")
        self.nonces = b""

    def proof(self, what, role, fingerprints=b""):
        covered = b"plumb admission 1\0" + what + b"\0" + role + b"\0" + self.nonces + fingerprints
        return hmac.new(self.token, covered, "sha256").hexdigest()

    def check(self, said, what, fingerprints=b""):
        if not hmac.compare_digest(said["proof"], self.proof(what, b"source", fingerprints)):
            raise LinkLost("the server has another token, or somebody is in between")

    async def exchange(self, reader, writer):
        """The first proofs, over both nonces."""
        ours = secrets.token_bytes(32)
        say(writer, {"type": "hello", "plumb": 1, "role": "sink", "receive_buffer": 212_992, "nonce": ours.hex()})
        challenge = await hear(reader, "challenge")
        self.nonces = bytes.fromhex(challenge["nonce"]) + ours
        self.check(challenge, b"hello")
        say(writer, {"type": "proof", "proof": self.proof(b"hello", b"sink")})


def fingerprint(sdp):
    """The SHA-256 of the certificate that a description names."""
    lines = {line.lower() for line in sdp.splitlines() if line.startswith("a=fingerprint:sha-256 ")}
    if len(lines) != 1:
        raise LinkLost("the description names no certificate, or several")
    return bytes.fromhex(lines.pop().split()[1].replace(":", ""))


async def answer_offer(pc, reader, writer, token):
    """Without a token, sends no hello: the server then makes the offer for strangers, which every peer accepts."""
    if token:
        await token.exchange(reader, writer)
    offer = (await hear(reader, "offer"))["sdp"]
    # aiortc accepts any of several fingerprints, but the proofs cover only one.
    if token and len({line for line in offer.splitlines() if line.startswith("a=fingerprint:")}) != 1:
        raise LinkLost("the offer names several certificates")
    await pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    answer = {"sdp": pc.localDescription.sdp, "type": "answer"}
    if not token:
        return say(writer, answer)
    # The second proofs also cover both certificates.
    fingerprints = fingerprint(offer) + fingerprint(answer["sdp"])
    say(writer, answer | {"proof": token.proof(b"session", b"sink", fingerprints)})
    token.check(await hear(reader, "proof"), b"session", fingerprints)


async def run(host, port, token_file=None, tls_ca=None):
    """Runs one session; returns the server's reason for its end."""
    token = Token(token_file) if token_file else None
    tls = ssl.create_default_context(cafile=tls_ca) if tls_ca else None
    reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port, ssl=tls), OPENING_LIMIT)
    pc, client, tasks = RTCPeerConnection(), Client(), []
    pc.on("datachannel", client.add_lane)
    try:
        await answer_offer(pc, reader, writer, token)
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
        client.detector.shutdown(wait=False, cancel_futures=True)
        await pc.close()
        writer.close()


def main():
    parser = argparse.ArgumentParser(description="A Plumb client in Python.")
    parser.add_argument("--token-file", default=os.environ.get("PLUMB_TOKEN_FILE"), help="prove the token in this file")
    parser.add_argument("--tls-ca", default=os.environ.get("PLUMB_TLS_CA"), help="connect inside TLS; trust this file")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    args = parser.parse_args()
    try:
        print("the server said bye:", asyncio.run(run(args.host, args.port, args.token_file, args.tls_ca)))
    except KeyboardInterrupt:
        pass
    except (LinkLost, OSError, TimeoutError, ValueError, KeyError) as error:
        print(f"{args.host}:{args.port}: {str(error) or 'no answer in time'}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
