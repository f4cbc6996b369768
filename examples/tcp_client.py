"""A Plumb client in Python over TCP, without WebRTC: receives frames, finds the disc, answers.

    python3 -m venv venv
    venv/bin/pip install msgpack numpy
    venv/bin/python examples/tcp_client.py 127.0.0.1 8080
    venv/bin/python examples/tcp_client.py --listen 127.0.0.1 8080

from the repository's folder, with a server on another terminal. With --listen it waits for a server that calls it
(server --dial 127.0.0.1:8080 --link tcp). --token-file FILE proves a token (server --token-file), --tls-ca FILE connects
inside TLS (server --tls-cert). To try a detector of your own, replace `find_circle`. It gets one frame at a time. A
detector that needs seconds per frame belongs on a thread, because pings must be answered meanwhile. The rest follows
docs/protocol.md.
Exit code: 0 when the server says bye or on Ctrl-C, 2 for wrong usage, 3 without a server or when the link is lost.
"""

import argparse
import hmac
import json
import os
import secrets
import socket
import ssl
import struct
import sys
import time

import msgpack
import numpy as np

CONTROL, FRAMES, ANSWERS = range(3)
CHANNELS = {"gray8": 1, "bgr8": 3}
OVERHEAD = 65_561  # maximum bytes of a message besides a frame's pixels
SILENCE_LIMIT = 4.5  # s without a byte: the server is gone


def find_circle(image):
    """The centre and radius (x, y, radius) in px of the bright disc in an image [rows, columns, channels], or None.

    Pixel centres are at integer coordinates, (0, 0) in the middle of the top-left pixel, x to the right, y down.
    """
    light = image.mean(axis=2)
    weight = light - np.median(light)  # most of the image is background
    brightest = weight.max()
    if brightest < 20:
        return None
    weight[weight < brightest / 10] = 0  # a rim pixel weighs as much as the disc covers of it
    total = weight.sum()
    x = weight.sum(axis=0) @ np.arange(weight.shape[1]) / total
    y = weight.sum(axis=1) @ np.arange(weight.shape[0]) / total
    return float(x), float(y), float(np.sqrt(total / brightest / np.pi))


def now_us():
    return time.monotonic_ns() // 1000


class Link:
    """The connection, once the server has agreed that it is the link."""

    def __init__(self, connection, is_called, token_file):
        self.socket = connection
        self.socket.settimeout(10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader, self.limit = self.socket.makefile("rb"), OVERHEAD
        if is_called:
            hello = json.loads(self.reader.readline(65_536) or b"{}")
            if (hello.get("type"), hello.get("plumb"), hello.get("role"), hello.get("link")) != ("hello", 1, "source", "tcp"):
                self.socket.sendall(b'{"type":"error","reason":"this client waits for a server that calls with --link tcp"}\n')
                raise ConnectionError(f"the caller is not a source that asks for tcp: {str(hello)[:200]}")
        hello = {"type": "hello", "plumb": 1, "role": "sink", "link": "tcp"}
        if token_file:
            self.prove(hello, token_file)
        else:
            self.say(hello)
        line = self.reader.readline(65_536) or b'{"type":"nothing"}'
        if json.loads(line) != {"type": "link", "link": "tcp"}:
            raise ConnectionError(f"the server does not take the link tcp: {line[:200]}")
        self.socket.settimeout(SILENCE_LIMIT)

    def say(self, line):
        self.socket.sendall(json.dumps(line).encode() + b"\n")

    def prove(self, hello, token_file):
        """Says hello, and proves the token to the server once the server has proved it."""
        with open(token_file, "rb") as file:
            token = file.read().removesuffix(b"\n").removesuffix(b"\r")
        ours = secrets.token_bytes(32)
        self.say(hello | {"nonce": ours.hex()})
        challenge = json.loads(self.reader.readline(65_536) or b"{}")
        if challenge.get("type") != "challenge":
            raise ConnectionError(f"the server proves no token: {str(challenge)[:200]}")
        nonces = bytes.fromhex(challenge["nonce"]) + ours

        def proof(role):
            return hmac.new(token, b"plumb admission 1\0hello\0" + role + b"\0" + nonces, "sha256").hexdigest()

        if not hmac.compare_digest(challenge["proof"], proof(b"source")):
            self.say({"type": "error", "reason": "the server has another token"})
            raise ConnectionError("the server has another token")
        self.say({"type": "proof", "proof": proof(b"sink")})

    def read(self, length):
        data = self.reader.read(length)
        if len(data) < length:
            raise ConnectionError("the link is lost: the connection ended without bye")
        return data

    def receive(self):
        length, lane = struct.unpack(">IB", self.read(5))
        if length > self.limit or lane > ANSWERS:
            raise ValueError(f"a message of {length} bytes on lane {lane}; at most {self.limit} are accepted, on lanes 0 to 2")
        return lane, self.read(length)

    def send(self, lane, message):
        payload = msgpack.packb(message)
        self.socket.sendall(struct.pack(">IB", len(payload), lane) + payload)

    def bye(self, reason):
        self.send(CONTROL, {"type": "bye", "reason": reason[:200]})


def answer(frame, received_us):
    """The detector's answer to a frame; `dropped` if it cannot read the frame."""
    shape = frame["height"], frame["width"], CHANNELS[frame["pixel"]]
    if frame["encoding"] != "raw" or len(frame["data"]) != np.prod(shape):
        return {"type": "answer", "frame": frame["id"], "kind": "dropped"}
    started_us = now_us()
    circle = find_circle(np.frombuffer(frame["data"], np.uint8).reshape(shape))
    found = {"kind": "none"} if circle is None else {"kind": "circle"} | dict(zip(("x", "y", "radius"), circle))
    times = {"received_us": received_us, "started_us": started_us, "finished_us": now_us()}
    return {"type": "answer", "frame": frame["id"]} | found | times


def session(link):
    """Answers frames until the server says bye; returns its reason."""
    answers = 0
    while True:
        lane, payload = link.receive()
        received_us, message = now_us(), msgpack.unpackb(payload)
        if lane == FRAMES:
            frame = msgpack.unpackb(message[3])  # over TCP a frame is always a single fragment: [id, 0, 1, frame]
            link.send(ANSWERS, [answers, 0, 1, msgpack.packb(answer(frame, received_us))])
            answers += 1
        elif message["type"] == "ping":
            link.send(CONTROL, {"type": "pong", "id": message["id"], "received_us": received_us, "sent_us": now_us()})
        elif message["type"] == "hello":
            if message["protocol"] != 1:
                raise ValueError(f"the server speaks protocol {message['protocol']}, not 1")
            stream = message["stream"]
            link.limit = OVERHEAD + stream["width"] * stream["height"] * CHANNELS[stream["pixel"]]
            hello = {"type": "hello", "protocol": 1, "name": "tcp-client", "version": "1", "role": "sink"}
            link.send(CONTROL, hello)
        elif message["type"] == "bye":
            return message.get("reason", "")


def connect(host, port, is_called, tls_ca):
    """The connection to a server: one that listens, inside TLS with `tls_ca`, or one that calls."""
    if not is_called:
        connection = socket.create_connection((host, port), timeout=10)
        if tls_ca:
            connection = ssl.create_default_context(cafile=tls_ca).wrap_socket(connection, server_hostname=host)
        return connection
    with socket.create_server((host, port)) as listener:
        print(f"listening on {host}:{listener.getsockname()[1]}", flush=True)
        return listener.accept()[0]


def run(arguments):
    connection = connect(arguments.host, arguments.port, arguments.listen, arguments.tls_ca)
    link = Link(connection, arguments.listen, arguments.token_file)
    try:
        return session(link)
    except KeyboardInterrupt:
        link.bye("the client stops")
        raise
    except (ValueError, KeyError, TypeError, IndexError) as error:
        link.bye(f"the client cannot read this: {error!r}")
        raise


def parsed():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", action="store_true", help="wait for a server that calls")
    parser.add_argument("--token-file", default=os.environ.get("PLUMB_TOKEN_FILE"), help="prove the token in this file")
    parser.add_argument("--tls-ca", default=os.environ.get("PLUMB_TLS_CA"), help="connect inside TLS; trust this file")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parsed()
    try:
        print("the server said bye:", run(arguments))
    except KeyboardInterrupt:
        pass
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        print(f"{arguments.host}:{arguments.port}: {error}", file=sys.stderr)
        sys.exit(3)
