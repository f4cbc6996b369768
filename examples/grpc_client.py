"""A Plumb client in Python over gRPC, with stock grpcio: receives frames, finds the disc, answers.

    python3 -m venv venv
    venv/bin/pip install -r examples/grpc_requirements.txt
    venv/bin/python -m grpc_tools.protoc -I shared/proto --python_out=examples --grpc_python_out=examples plumb.proto
    venv/bin/python examples/grpc_client.py 127.0.0.1 8080

from the repository's folder, with a server on another terminal. The third command makes the messages' classes. To try a
detector of your own, replace `find_circle`. It gets one frame at a time. A detector that needs seconds per frame
belongs on a thread, because pings must be answered meanwhile. The rest follows docs/protocol.md and the proto.
Exit code: 0 when the server says bye or on Ctrl-C, 2 for wrong usage, 3 without a server or when the link is lost.
"""

import queue
import sys
import time

import grpc
import numpy as np
import plumb_pb2 as plumb
import plumb_pb2_grpc as services

CHANNELS = {plumb.PIXEL_GRAY8: 1, plumb.PIXEL_BGR8: 3}
LARGEST = 8192 * 8192 * 3 + 65_536  # bytes of a frame of the largest size, with everything beside its pixels


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


def answer(frame):
    """The detector's answer to a frame; `dropped` if it cannot read the frame."""
    said = plumb.Answer(frame=frame.id, received_us=now_us())
    shape = frame.height, frame.width, CHANNELS.get(frame.pixel, 0)
    if frame.encoding != plumb.ENCODING_RAW or len(frame.data) != np.prod(shape):
        said.dropped.SetInParent()
        return said
    said.started_us = now_us()
    circle = find_circle(np.frombuffer(frame.data, np.uint8).reshape(shape))
    said.finished_us = now_us()
    if circle is None:
        said.none.SetInParent()
    else:
        said.circle.x, said.circle.y, said.circle.radius = circle
    return said


def session(address):
    """Answers frames until the server says bye; returns its reason."""
    mine = queue.SimpleQueue()  # what this end says; None ends the call
    options = [("grpc.max_receive_message_length", LARGEST)]
    with grpc.insecure_channel(address, options=options) as channel:
        messages = services.SourceStub(channel).Session(iter(mine.get, None))
        try:
            for message in messages:
                match message.WhichOneof("message"):
                    case "hello":
                        hello = plumb.Hello(protocol=1, name="grpc-client", version="1", role=plumb.ROLE_SINK)
                        mine.put(plumb.FromSink(hello=hello))
                    case "frame":
                        mine.put(plumb.FromSink(answer=answer(message.frame)))
                    case "ping":
                        received_us = now_us()
                        pong = plumb.Pong(id=message.ping.id, received_us=received_us, sent_us=now_us())
                        mine.put(plumb.FromSink(pong=pong))
                    case "bye":
                        return message.bye.reason
            raise ConnectionError("the link is lost: the call ended without bye")
        except KeyboardInterrupt:
            mine.put(plumb.FromSink(bye=plumb.Bye(reason="the client stops")))
            raise
        finally:
            mine.put(None)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(print("usage: grpc_client.py HOST PORT", file=sys.stderr) or 2)
    try:
        print("the server said bye:", session(f"{sys.argv[1]}:{sys.argv[2]}"))
    except KeyboardInterrupt:
        pass
    except grpc.RpcError as error:
        print(f"{sys.argv[1]}:{sys.argv[2]}: {error.details()}", file=sys.stderr)
        sys.exit(3)
    except ConnectionError as error:
        print(f"{sys.argv[1]}:{sys.argv[2]}: {error}", file=sys.stderr)
        sys.exit(3)
