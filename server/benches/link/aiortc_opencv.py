"""Both ends of the same job as a user would write them today, with aiortc and OpenCV.

    aiortc_opencv.py source --frames FILE --frame-bytes N --width W --height H --seconds S [--fps HZ]
    aiortc_opencv.py sink PORT

The source sends frames over a data channel and times the answers; the sink finds the circle in each with
HoughCircles and answers. The source prints its port, "started" with the first answer, and its figures as JSON.
"""

import argparse
import asyncio
import json
import struct
import time

import cv2
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.signaling import BYE, TcpSocketSignaling, object_from_string, object_to_string

WINDOW = 8  # most unanswered frames at once
MESSAGE_BYTES = 65_536  # largest message that aiortc announces
HEADER = struct.Struct("<QHHHH")  # frame, piece, pieces, width, height
END_LIMIT_S = 2.0

cv2.setNumThreads(1)


def connection():
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def source(options):
    """Sends frames while fewer than the window are unanswered."""
    shape = (-1, options.frame_bytes)
    frames = [frame.tobytes() for frame in np.fromfile(options.frames, np.uint8).reshape(shape)]
    visitors = asyncio.Queue()
    server = await asyncio.start_server(lambda *streams: visitors.put(streams), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    reader, writer = await visitors.get()

    pc = connection()
    channel = pc.createDataChannel("frames")
    opened, room = asyncio.Event(), asyncio.Semaphore(WINDOW)
    sent, answered, latency_us = {}, [], []

    @channel.on("message")
    def on_answer(text):
        now = time.perf_counter()
        latency_us.append(1e6 * (now - sent.pop(json.loads(text)["frame"])))
        answered.append(now)
        room.release()
        if len(answered) == 1:
            print("started", flush=True)

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
        sent[index] = time.perf_counter()
        for piece in range(pieces):
            header = HEADER.pack(index, piece, pieces, options.width, options.height)
            channel.send(header + frame[piece * payload : (piece + 1) * payload])
        # Give aiortc time to send, and to receive answers.
        await asyncio.sleep(0)
        index += 1

    deadline = time.perf_counter() + END_LIMIT_S
    while sent and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    p50, p99 = np.percentile(latency_us, [50, 99], method="inverted_cdf")
    rate = (len(answered) - 1) / (answered[-1] - answered[0])
    print(json.dumps({"frames_per_s": rate, "p50_us": int(p50), "p99_us": int(p99)}), flush=True)
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


def find_circle(gray):
    """The best circle (x, y, radius) in px, or None: OpenCV's example, with limits for the radius."""
    blurred = cv2.GaussianBlur(gray, (9, 9), 2)
    found = cv2.HoughCircles(
        blurred, cv2.HOUGH_GRADIENT, 1, 1e5, param1=100, param2=20, minRadius=10, maxRadius=40
    )
    return None if found is None else [float(value) for value in found.reshape(-1)[:3]]


def parse():
    """The options of either end."""
    parser = argparse.ArgumentParser()
    ends = parser.add_subparsers(dest="end", required=True)
    end = ends.add_parser("source")
    end.add_argument("--frames", required=True)
    for name in ("frame-bytes", "width", "height"):
        end.add_argument("--" + name, type=int, required=True)
    end.add_argument("--seconds", type=float, required=True)
    end.add_argument("--fps", type=float)
    ends.add_parser("sink").add_argument("port", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    options = parse()
    asyncio.run(source(options) if options.end == "source" else sink(options.port))
