"""Both ends of the same job as a user would write them today, with aiortc and OpenCV; see opencv_pair.py.

The source sends frames over a data channel and times the answers. The sink finds the circle in each frame with
HoughCircles and answers.
"""

import asyncio
import json
import struct
import time

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.signaling import BYE, TcpSocketSignaling, object_from_string, object_to_string

from opencv_pair import END_LIMIT_S, WINDOW, Answers, find_circle, load, parse

MESSAGE_BYTES = 65_536  # largest message that aiortc announces
HEADER = struct.Struct("<QHHHH")  # frame, piece, pieces, width, height


def connection():
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def source(options):
    """Sends frames while fewer than the window are unanswered."""
    frames, answers = load(options), Answers()
    visitors = asyncio.Queue()
    server = await asyncio.start_server(lambda *streams: visitors.put(streams), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    reader, writer = await visitors.get()

    pc = connection()
    channel = pc.createDataChannel("frames")
    opened, room = asyncio.Event(), asyncio.Semaphore(WINDOW)

    @channel.on("message")
    def on_answer(text):
        answers.add(json.loads(text)["frame"])
        room.release()

    channel.on("open", opened.set)
    await pc.setLocalDescription(await pc.createOffer())
    writer.write(object_to_string(pc.localDescription).encode() + b"\n")
    await pc.setRemoteDescription(object_from_string((await reader.readline()).decode()))
    await asyncio.wait_for(opened.wait(), 10)

    start = time.perf_counter()
    payload = MESSAGE_BYTES - HEADER.size
    pieces = -(-options.frame_bytes // payload)
    index = 0
    while True:
        if options.fps:
            await asyncio.sleep(max(0, start + index / options.fps - time.perf_counter()))
        await room.acquire()
        if time.perf_counter() - start >= options.seconds:
            break
        frame = frames[index % len(frames)]
        answers.sent[index] = time.perf_counter()
        for piece in range(pieces):
            header = HEADER.pack(index, piece, pieces, options.width, options.height)
            channel.send(header + frame[piece * payload : (piece + 1) * payload])
        # Give aiortc time to send, and to receive answers.
        await asyncio.sleep(0)
        index += 1

    deadline = time.perf_counter() + END_LIMIT_S
    while answers.sent and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    answers.print()
    writer.write(b'{"type": "bye"}\n')
    await writer.drain()
    await pc.close()


async def sink(port):
    """Answers each frame with its circle."""
    signaling = TcpSocketSignaling("127.0.0.1", port)
    pc = connection()

    @pc.on("datachannel")
    def on_channel(channel):
        parts = {}

        @channel.on("message")
        def on_piece(message):
            frame, piece, pieces, width, height = HEADER.unpack_from(message)
            held = parts.setdefault(frame, {})
            held[piece] = message[HEADER.size :]
            if len(held) == pieces:
                del parts[frame]
                pixels = np.frombuffer(b"".join(held[i] for i in range(pieces)), np.uint8)
                circle = find_circle(pixels.reshape(height, width))
                channel.send(json.dumps({"frame": frame, "circle": circle}))

    await pc.setRemoteDescription(await signaling.receive())
    await pc.setLocalDescription(await pc.createAnswer())
    await signaling.send(pc.localDescription)
    while await signaling.receive() not in (BYE, None):
        pass
    await pc.close()


if __name__ == "__main__":
    options = parse()
    asyncio.run(source(options) if options.end == "source" else sink(options.port))
