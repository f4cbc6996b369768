"""Both ends of the same job as a user would write them today, with grpcio and OpenCV; see opencv_pair.py.

The source serves one call. It streams frames as messages of bytes, and times the answers that the sink streams back.
"""

import json
import queue
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np

from opencv_pair import END_LIMIT_S, WINDOW, Answers, find_circle, load, parse

METHOD = "/bench.Source/Session"
HEADER = struct.Struct("<QHH")  # frame, width, height
LARGEST = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
OPEN_LIMIT_S = 10.0


def source(options):
    """Sends frames while fewer than the window are unanswered."""
    frames, answers = load(options), Answers()
    room, over = threading.Semaphore(WINDOW), threading.Event()

    def read(said):
        for text in said:
            answers.add(json.loads(text)["frame"])
            room.release()

    def session(said, _context):
        threading.Thread(target=read, args=(said,), daemon=True).start()
        start, index = time.perf_counter(), 0
        while True:
            if options.fps:
                time.sleep(max(0, start + index / options.fps - time.perf_counter()))
            room.acquire()
            if time.perf_counter() - start >= options.seconds:
                break
            answers.sent[index] = time.perf_counter()
            yield HEADER.pack(index, options.width, options.height) + frames[index % len(frames)]
            index += 1
        deadline = time.perf_counter() + END_LIMIT_S
        while answers.sent and time.perf_counter() < deadline:
            time.sleep(0.01)
        answers.print()
        over.set()

    server = grpc.server(ThreadPoolExecutor(2), options=LARGEST)
    service, method = METHOD.strip("/").split("/")
    handlers = {method: grpc.stream_stream_rpc_method_handler(session)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    over.wait()
    server.stop(END_LIMIT_S).wait()


def sink(port):
    """Answers each frame with its circle."""
    mine = queue.SimpleQueue()  # the answers; None ends them
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=LARGEST) as channel:
        grpc.channel_ready_future(channel).result(OPEN_LIMIT_S)
        for message in channel.stream_stream(METHOD)(iter(mine.get, None)):
            frame, width, height = HEADER.unpack_from(message)
            pixels = np.frombuffer(message, np.uint8, offset=HEADER.size).reshape(height, width)
            mine.put(json.dumps({"frame": frame, "circle": find_circle(pixels)}).encode())
        mine.put(None)


if __name__ == "__main__":
    options = parse()
    source(options) if options.end == "source" else sink(options.port)
