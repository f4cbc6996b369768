"""The example's client with small UDP receive buffers: python small_buffer_client.py BYTES [--silent] HOST PORT

It says hello on the signaling connection, with `receive_buffer` unless --silent, so that the server does not treat
it as a stranger. BYTES is the value that SO_RCVBUF reads.
"""

import asyncio
import json
import pathlib
import socket
import sys

sys.path.append(str(pathlib.Path(__file__).parents[2] / "examples"))
import aiortc_client  # noqa: E402

size = int(sys.argv.pop(1))
hello = {"type": "hello", "plumb": 1, "role": "sink", "receive_buffer": size}
if sys.argv[1] == "--silent":
    sys.argv.pop(1)
    del hello["receive_buffer"]
create = asyncio.BaseEventLoop.create_datagram_endpoint


async def create_small(*arguments, **options):
    transport, protocol = await create(*arguments, **options)
    own = transport.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size // 2)  # Linux doubles it
    assert own.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == size
    return transport, protocol


async def answer_offer(pc, reader, writer, token):
    writer.write(json.dumps(hello).encode() + b"\n")
    await wait_for_offer(pc, reader, writer, token)


asyncio.BaseEventLoop.create_datagram_endpoint = create_small
wait_for_offer, aiortc_client.answer_offer = aiortc_client.answer_offer, answer_offer
sys.exit(aiortc_client.main())
