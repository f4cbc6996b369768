"""A Plumb client in Python over gRPC, with stock grpcio: receives frames, finds the disc, answers.

    python3 -m venv venv
    venv/bin/pip install -r examples/grpc_requirements.txt
    venv/bin/python -m grpc_tools.protoc -I shared/proto --python_out=examples --grpc_python_out=examples plumb.proto
    venv/bin/python examples/grpc_client.py 127.0.0.1 8080

from the repository's folder, with a server on another terminal. --token-file FILE proves a token (server --token-file),
--tls-ca FILE connects inside TLS (server --tls-cert). The third command makes the messages' classes. To try a detector
of your own, replace `find_circle`. It gets one frame at a time. A detector that needs seconds per frame belongs on a
thread, because pings must be answered meanwhile. The rest follows docs/protocol.md and the proto.
Exit code: 0 when the server says bye or on Ctrl-C, 2 for wrong usage, 3 without a server or when the link is lost.
"""

import argparse
import hmac
import os
import queue
import secrets
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


def channel_to(address, tls_ca):
    options = [("grpc.max_receive_message_length", LARGEST)]
    if not tls_ca:
        return grpc.insecure_channel(address, options=options)
    with open(tls_ca, "rb") as file:
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()), options=options)


def proved(stub, mine, token_file):
    """A call to a server with --token-file, by which both ends have proved the token."""
    with open(token_file, "rb") as file:
        token = file.read().removesuffix(b"\n").removesuffix(b"\r")
    ours = secrets.token_bytes(32)
    try:
        # A first call asks for the server's nonce. It must be on the same connection as the second.
        next(stub.Session(iter(()), metadata=[("plumb-nonce", ours.hex())]), None)
        raise ConnectionError("the server proves no token")
    except grpc.RpcError as refusal:
        theirs = dict(refusal.trailing_metadata() or ()).get("plumb-nonce")
        if not theirs:
            raise
    nonces = bytes.fromhex(theirs) + ours

    def proof(role):
        return hmac.new(token, b"plumb admission 1\0hello\0" + role + b"\0" + nonces, "sha256").hexdigest()

    messages = stub.Session(iter(mine.get, None), metadata=[("plumb-nonce", ours.hex()), ("plumb-proof", proof(b"sink"))])
    said = dict(messages.initial_metadata()).get("plumb-proof")
    if said is None:  # refused: reading says why
        next(messages)
    if not hmac.compare_digest(said or "", proof(b"source")):
        raise ConnectionError("the server has another token")
    return messages


def session(address, token_file, tls_ca):
    """Answers frames until the server says bye; returns its reason."""
    mine = queue.SimpleQueue()  # what this end says; None ends the call
    with channel_to(address, tls_ca) as channel:
        stub = services.SourceStub(channel)
        try:
            messages = proved(stub, mine, token_file) if token_file else stub.Session(iter(mine.get, None))
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


def parsed():
    parser = argparse.ArgumentParser()
    parser.add_argument("--token-file", default=os.environ.get("PLUMB_TOKEN_FILE"), help="prove the token in this file")
    parser.add_argument("--tls-ca", default=os.environ.get("PLUMB_TLS_CA"), help="connect inside TLS; trust this file")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parsed()
    address = f"{arguments.host}:{arguments.port}"
    try:
        print("the server said bye:", session(address, arguments.token_file, arguments.tls_ca))
    except KeyboardInterrupt:
        pass
    except grpc.RpcError as error:
        print(f"{address}: {error.details()}", file=sys.stderr)
        sys.exit(3)
    except (ConnectionError, OSError) as error:
        print(f"{address}: {error}", file=sys.stderr)
        sys.exit(3)
